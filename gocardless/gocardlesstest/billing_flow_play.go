package gocardlesstest

import (
	"net/url"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// FinishBillingRequestFlow plays the payer on the pages of a billing request flow: it completes the
// open steps with the payer's details, in the order of the pages, authorises at the payer's bank, and
// fulfils the request. If the request needs a bank, the first one of its list is selected. It returns
// the URL that the payer's browser is sent back to, or "" if the flow has no redirect_uri.
//
// Details that a page would refuse, and an amount that was left open, are an error. The steps before it
// stay completed, as for a payer who gives up halfway.
func (sb *Sandbox) FinishBillingRequestFlow(id string, payer Payer) (string, error) {
	var back string
	err := sb.playFlow(id, func(tx *tx, b *billing, f *record) error {
		if b.rec.Status() == "cancelled" {
			return api.TooLate(tx.flowEnd(b, f).Title)
		}
		for !b.finished() {
			if v := tx.flowEnd(b, f); v != nil {
				return api.TooLate(v.Title)
			}
			if err := tx.playStep(b, f, payer); err != nil {
				return err
			}
			b = tx.openBilling(b.rec)
		}
		back = backTo(f, "redirect_uri", "success")
		return nil
	})
	return back, err
}

// playStep completes the first open step of a flow.
func (tx *tx) playStep(b *billing, f *record, payer Payer) error {
	form := url.Values{"currency": {countryCurrency(payer.CountryCode)}}
	for _, o := range []object{payer.details(), payer.bank()} {
		for _, m := range o {
			s, _ := m.Val.(string)
			form.Set(m.Key, s)
		}
	}
	for i := range institutions {
		if in := &institutions[i]; in.status == "enabled" && b.canUse(in) {
			form.Set("institution", in.id)
			break
		}
	}
	step := b.flowStepAt(f, "")
	p := &api.Problems{Prefix: "/" + step}
	_, err := tx.flowTake(b, f, step, form, p, "127.0.0.1")
	if err == nil {
		err = p.Err()
	}
	if err != nil || step != "confirm" || b.finished() {
		return err
	}
	_, err = tx.decide(tx.must("bank_authorisations", b.rec.Link("bank_authorisation")), "authorised")
	return err
}

// ExitBillingRequestFlow plays a payer who leaves a flow before its end. It returns the URL that the
// payer's browser is sent to, or "" if the flow has no exit_uri.
func (sb *Sandbox) ExitBillingRequestFlow(id string) (string, error) {
	var to string
	err := sb.playFlow(id, func(tx *tx, b *billing, f *record) error {
		if v := tx.flowEnd(b, f); v != nil {
			return api.TooLate(v.Title)
		}
		tx.flowExit(b, f)
		to = backTo(f, "exit_uri", "failure")
		return nil
	})
	return to, err
}

// playFlow opens a flow as its page does.
func (sb *Sandbox) playFlow(id string, play func(*tx, *billing, *record) error) error {
	return sb.update(func(tx *tx) error {
		tx.origin = "payer"
		f := tx.find("billing_request_flows", id)
		if f == nil {
			return api.NotFound()
		}
		b := tx.openBilling(tx.must("billing_requests", f.Link("billing_request")))
		tx.visitFlow(b, f)
		return play(tx, b, f)
	})
}

// visitFlow creates the event of the first visit to a flow.
func (tx *tx) visitFlow(b *billing, f *record) {
	if !flowVisited.Of(f) {
		flowVisited.Set(f, true)
		b.tell("flow_visited", member{"billing_request_flow", f.ID})
	}
}
