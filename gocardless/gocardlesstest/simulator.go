package gocardlesstest

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// Scenario simulators. Each brings a resource to an outcome through the states on the way, with
// their events. What a simulator needs is checked first; a resource that does not fit is refused
// with invalid_state, an unknown simulator with 404 and an unknown resource with link_not_found.

func simulatorFamily(r *registry) {
	r.owner("scenario_simulators.run", "")
	r.on("scenario_simulators.run", runSimulator)

	for _, status := range []string{"action_required", "in_review", "successful"} {
		r.simulator("creditor_verification_status_"+status, always(func(tx *tx, c *record) { tx.setVerification(c, status) }))
	}

	r.simulator("payment_submitted", when(sendable, (*tx).submitPayment))
	r.simulator("payment_confirmed", when(sendable, (*tx).simulateConfirmed))
	r.simulator("payment_paid_out", when(sendable, (*tx).simulatePaidOut))
	r.simulator("payment_failed", when(sendable, func(tx *tx, p *record) {
		tx.submitPayment(p)
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
	}))
	r.simulator("payment_charged_back", when(sendable, (*tx).simulateChargedBack))
	r.simulator("payment_chargeback_settled", when(sendable, func(tx *tx, p *record) {
		tx.simulateChargedBack(p)
		tx.settle(p, "chargeback_settled", "payment_charged_back")
		tx.settleNow(p)
	}))
	r.simulator("payment_late_failure", when(failsLate, (*tx).simulateLateFailure))
	r.simulator("payment_late_failure_settled", when(failsLate, func(tx *tx, p *record) {
		tx.simulateLateFailure(p)
		tx.settle(p, "late_failure_settled", "payment_failed")
		tx.settleNow(p)
	}))

	mandate := func(name string, statuses []string, fits func(scheme string) bool, do func(*tx, *record)) {
		r.simulator(name, when(func(_ *tx, m *record) bool { return slices.Contains(statuses, m.status()) && fits(m.str("scheme")) }, do))
	}
	pending := []string{"pending_submission"}
	mandate("mandate_activated", pending, func(s string) bool { return !bank.TimingOf(s).WithPayment }, (*tx).ensureActive)
	for _, how := range []string{"granted", "skipped"} {
		mandate("mandate_customer_approval_"+how, []string{"pending_customer_approval"}, schemeIn("bacs", "sepa_core"), func(tx *tx, m *record) {
			tx.approveMandate(m, "customer_approval_"+how)
		})
	}
	mandate("mandate_failed", []string{"pending_submission", "submitted"}, schemeNotIn("sepa_core"), func(tx *tx, m *record) {
		if m.status() == "pending_submission" {
			tx.submitMandate(m)
		}
		tx.endMandate(m, "failed", tx.bankEnding(m, "invalid_bank_details"))
	})
	mandate("mandate_expired", pending, schemeNotIn("autogiro", "becs_nz", "pad"), func(tx *tx, m *record) {
		tx.ensureActive(m)
		tx.endMandate(m, "expired", ending{cause: "mandate_expired"})
	})
	mandate("mandate_transferred", pending, schemeIn("bacs", "sepa_core"), func(tx *tx, m *record) {
		tx.ensureActive(m)
		tx.transferMandate(m)
	})
	mandate("mandate_transferred_with_resubmission", pending, schemeIn("bacs"), (*tx).simulateResubmission)
	mandate("mandate_suspended_by_payer", []string{"active"}, schemeIn("pay_to"), func(tx *tx, m *record) {
		tx.endMandate(m, "suspended_by_payer", tx.bankEnding(m, "mandate_suspended_by_payer"))
	})

	refund := func(name string, statuses []string, do func(*tx, *record)) {
		r.simulator(name, when(func(_ *tx, f *record) bool { return slices.Contains(statuses, f.status()) }, do))
	}
	open := []string{"pending_submission", "submitted"}
	refund("refund_paid", open, (*tx).payRefund)
	refund("refund_settled", append(open, "paid"), func(tx *tx, f *record) {
		if f.status() != "paid" {
			tx.payRefund(f)
		}
		tx.settleNow(f)
	})
	refund("refund_bounced", append(open, "paid"), func(tx *tx, f *record) {
		if f.status() != "paid" {
			tx.payRefund(f)
		}
		tx.returnRefund(f, "bounced")
	})
	refund("refund_returned", pending, func(tx *tx, f *record) { tx.returnRefund(f, "funds_returned") })

	r.simulator("payout_bounced", when(func(_ *tx, po *record) bool { return po.status() == "paid" }, func(tx *tx, po *record) {
		po.set("status", "bounced")
		tx.event(tx.must("creditors", po.link("creditor")), event{action: "bounced_payout", cause: "bounced_payout", links: object{{"payout", po.id}}})
	}))

	request := func(name string, then func(*tx, *record)) {
		r.simulator("billing_request_fulfilled"+name, when((*tx).awaitsBank, func(tx *tx, r *record) {
			b := tx.openBilling(r)
			b.authorised()
			b.commit()
			b.then(b.make)
			b.commit()
			then(tx, tx.must("payments", r.link("payment_request_payment")))
		}))
	}
	request("", func(*tx, *record) {})
	request("_and_payment_failed", func(tx *tx, p *record) {
		tx.submitPayment(p)
		tx.failPayment(p, tx.bankEnding(p, "bank_declined_payment"))
	})
	request("_and_payment_confirmed_to_failed", func(tx *tx, p *record) {
		tx.simulateConfirmed(p)
		tx.failPayment(p, tx.bankEnding(p, "bank_declined_payment"))
	})
	request("_and_payment_paid_out", (*tx).simulatePaidOut)
}

// when is a simulator that needs something of its resource.
func when(needs func(*tx, *record) bool, do func(*tx, *record)) handler {
	return func(tx *tx) (result, error) {
		r := tx.target
		if !needs(tx, r) {
			return result{}, tooLate("The simulator does not fit the resource's state. It needs: " + tx.simulatorSpec().requires)
		}
		do(tx, r)
		return result{}, nil
	}
}

func always(do func(*tx, *record)) handler {
	return when(func(*tx, *record) bool { return true }, do)
}

func schemeIn(list ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(list, s) }
}

func schemeNotIn(list ...string) func(string) bool {
	return func(s string) bool { return !slices.Contains(list, s) }
}

// simulatorSpec is the catalogue's entry of the simulator in the path, nil when it is unknown.
func (tx *tx) simulatorSpec() *simulatorSpec {
	i := slices.IndexFunc(catalogueSimulators, func(s simulatorSpec) bool { return s.name == tx.id })
	if i < 0 {
		return nil
	}
	return &catalogueSimulators[i]
}

func runSimulator(tx *tx) (result, error) {
	run := theRegistry().simulators[tx.id]
	spec := tx.simulatorSpec()
	if run == nil || spec == nil {
		return result{}, notFound()
	}
	id := tx.body.obj("links").str("resource")
	if id == "" {
		p := tx.problems()
		p.add("links/resource", "can't be blank")
		return result{}, p.err()
	}
	target := tx.find(spec.resource, id)
	if target == nil {
		return result{}, linkNotFound(tx.op.request, singular(spec.resource), "resource")
	}
	tx.target = target
	tx.origin, tx.scripted = "gocardless", true
	if _, err := run(tx); err != nil {
		return result{}, err
	}
	return result{obj: object{{"id", tx.id}}}, nil
}

// sendable is what the simulators of payments need: a payment that is not sent yet, and a mandate
// that is active or becomes so with its first payment.
func sendable(tx *tx, p *record) bool {
	m := tx.must("mandates", p.link("mandate"))
	return p.status() == "pending_submission" &&
		(slices.Contains([]string{"active", "consumed"}, m.status()) || m.status() == "pending_submission" && bank.TimingOf(m.str("scheme")).WithPayment)
}

// failsLate is the same for the late failures, which also take payments that were paid out.
func failsLate(tx *tx, p *record) bool {
	return p.str("scheme") != "autogiro" && (p.status() == "paid_out" || sendable(tx, p))
}

func (tx *tx) simulateConfirmed(p *record) {
	tx.submitPayment(p)
	tx.confirmPayment(p)
}

func (tx *tx) simulatePaidOut(p *record) {
	tx.simulateConfirmed(p)
	tx.payPayout(tx.payOut(p))
}

func (tx *tx) simulateChargedBack(p *record) {
	tx.simulatePaidOut(p)
	cause := "authorisation_disputed"
	if p.str("scheme") == "sepa_core" {
		cause = "refund_requested"
	}
	tx.chargeBack(p, tx.bankEnding(p, cause))
}

func (tx *tx) simulateLateFailure(p *record) {
	if p.status() != "paid_out" {
		tx.simulatePaidOut(p)
	}
	tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
}

// settleNow tells at once that what is owed for a resource was settled. The money still goes off
// the creditor's next payout.
func (tx *tx) settleNow(of *record) {
	creditor := of.ref("creditor")
	for _, s := range tx.sb.store.coll("settlements").by("creditor", creditor) {
		if s.str("of") != of.coll.name+" "+of.id || s.status() != "open" || s.str("action") == "" {
			continue
		}
		action := s.str("action")
		s.set("action", "")
		tx.event(of, event{action: action, cause: action})
	}
}

// simulateResubmission moves a mandate to the payer's new bank, which has to accept it anew.
func (tx *tx) simulateResubmission(m *record) {
	tx.ensureActive(m)
	tx.transferMandate(m)
	scheme := m.str("scheme")
	code := failureCode(scheme, "bank_account_transferred")
	m.set("status", "pending_submission")
	tx.event(m, event{action: "resubmission_requested", cause: "bank_account_transferred", origin: "bank", scheme: scheme, reasonCode: code})
	m.set("status", "submitted")
	tx.event(m, event{action: "submitted", cause: "bank_account_transferred", origin: "bank", scheme: scheme, reasonCode: code})
	if tx.sb.opts.bankTimings {
		tx.at(bank.TimingOf(scheme).Days().Shift(tx.today(), 2).At(bank.ConfirmHour, 0), "mandate.activate", m.id, "")
	}
}

// awaitsBank says whether a billing request waits for nothing but the payer's bank.
func (tx *tx) awaitsBank(r *record) bool {
	if r.status() != "pending" {
		return false
	}
	b := tx.openBilling(r)
	return b.instant() && !b.customer.removed && !b.done[authoriseBank] && b.readyBut(authoriseBank)
}
