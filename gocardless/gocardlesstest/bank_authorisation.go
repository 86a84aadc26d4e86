package gocardlesstest

import (
	"cmp"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Bank authorisations: the payer's visit to their bank, played on a page of the sandbox.

// authorisationLife is how long the link to the bank is valid.
const authorisationLife = 15 * time.Minute

const defaultRedirect = "https://pay.gocardless.com/billing/static/thankyou"

func bankAuthorisationFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "bank_authorisations", Indexed: []string{"billing_request"}})
	r.on("bank_authorisations.create", createBankAuthorisation)
	r.job("bank_authorisation.expire", func(tx *tx, id, _ string) {
		a := tx.find("bank_authorisations", id)
		if a == nil || a.Ref("decision") != "" {
			return
		}
		a.SetRef("decision", "expired")
		if b := tx.openBilling(tx.must("billing_requests", a.Link("billing_request"))); !b.finished() && !b.done[authoriseBank] {
			b.tell("bank_authorisation_expired", member{"bank_authorisation", a.ID})
		}
	})
}

// checkRedirect refuses URLs that a browser must not be sent to. Mobile apps have their own schemes, so
// only schemes that run code or display content are refused.
func checkRedirect(p *api.Problems, path, raw string) {
	if raw != "" && !page.SafeRedirect(raw) {
		p.Add(path, "must be a valid URL")
	}
}

func createBankAuthorisation(tx *tx) (result, error) {
	r, err := tx.linked("billing_requests", "billing_request")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	if r == nil {
		p.Add("links/billing_request", "can't be blank")
	}
	redirect := tx.body.Str("redirect_uri")
	checkRedirect(p, "redirect_uri", redirect)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	b := tx.openBilling(r)
	if err := b.may(authoriseBank); err != nil {
		return result{}, err
	}
	if b.done[authoriseBank] {
		return result{}, api.TooLate("The billing request has been authorised already")
	}
	return one(b.authorisation(redirect, "")), nil
}

// authorisation creates a bank authorisation. If a flow is given, the payer returns to it.
func (b *billing) authorisation(redirect, flow string) *record {
	tx := b.tx
	a := tx.make("bank_authorisations")
	_, kind, _ := b.adapter()
	a.Set("authorisation_type", kind)
	a.Set("expires_at", value.Stamp(tx.now.Add(authorisationLife)))
	a.Set("redirect_uri", cmp.Or(redirect, defaultRedirect))
	a.Set("url", tx.payURL()+bankPath+"?id="+a.ID)
	links := object{{"billing_request", b.rec.ID}}
	if b.institution != "" {
		links = append(links, member{"institution", b.institution})
	}
	a.Set("links", links)
	a.SetRef("flow", flow)
	tx.add(a)
	tx.at(tx.now.Add(authorisationLife), "bank_authorisation.expire", a.ID, "")
	b.rec.SetLink("bank_authorisation", a.ID)
	return a
}

// visit records that the payer opened the link to the bank.
func (tx *tx) visit(a *record) {
	if a.Str("last_visited_at") != "" {
		return
	}
	a.Set("last_visited_at", tx.timestamp())
	tx.openBilling(tx.must("billing_requests", a.Link("billing_request"))).tell("bank_authorisation_visited", member{"bank_authorisation", a.ID})
}

// decide records the payer's decision at the bank (authorised, denied or failed) and returns the URL
// that the payer's browser is sent to.
func (tx *tx) decide(a *record, answer string) (string, error) {
	b := tx.openBilling(tx.must("billing_requests", a.Link("billing_request")))
	switch {
	case a.Ref("decision") != "":
		return "", api.TooLate("The bank authorisation has been answered already")
	case b.finished():
		return "", api.TooLate("The billing request is " + b.rec.Status())
	case b.customer.Removed:
		return "", api.Refuse("customer_data_removed", "This customer's data has been removed")
	}
	a.SetRef("decision", answer)
	outcome := "success"
	if answer == "authorised" {
		a.Set("authorised_at", tx.timestamp())
		b.rec.SetLink("bank_authorisation", a.ID)
		b.authorised()
		b.commit()
		if err := b.finishFlow(a.Ref("flow")); err != nil {
			return "", err
		}
	} else {
		outcome = "failure"
		b.tell("bank_authorisation_"+answer, member{"bank_authorisation", a.ID})
	}
	if flow := a.Ref("flow"); flow != "" {
		return flowURL(flow) + "&outcome=" + outcome, nil
	}
	return page.WithParams(a.Str("redirect_uri"), "outcome", outcome, "id", b.rec.ID), nil
}

// finishFlow fulfils a request whose required steps are done, if the payer is in a flow or the scheme
// is PayTo, where the bank's agreement completes the request.
func (b *billing) finishFlow(flow string) error {
	payTo := b.debitScheme() == "pay_to"
	if !b.ready() || flow == "" && !payTo {
		return nil
	}
	if err := b.fulfil(); err != nil {
		return err
	}
	b.commit()
	return nil
}
