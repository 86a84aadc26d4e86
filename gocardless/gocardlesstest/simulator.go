package gocardlesstest

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// Scenario simulators. Each moves a resource to an outcome through all states on the way, with their
// events. A resource that does not meet the conditions is refused with invalid_state, an unknown
// simulator with 404, and an unknown resource with link_not_found.

func simulatorFamily(r *registry) {
	r.owner("scenario_simulators.run", "")
	r.on("scenario_simulators.run", runSimulator)
	for _, status := range []string{"action_required", "in_review", "successful"} {
		r.simulator("creditor_verification_status_"+status, always(func(tx *tx, c *record) { tx.setVerification(c, status) }))
	}
	r.simulator("payout_bounced", when(inStatus("paid"), func(tx *tx, po *record) {
		po.Set("status", "bounced")
		tx.event(tx.must("creditors", po.Link("creditor")), event{action: "bounced_payout", cause: "bounced_payout", links: object{{"payout", po.ID}}})
	}))
	paymentSimulators(r)
	mandateSimulators(r)
	refundSimulators(r)
	billingSimulators(r)
}

func paymentSimulators(r *registry) {
	r.simulator("payment_submitted", when(sendable, (*tx).submitPayment))
	r.simulator("payment_confirmed", when(either(sendable, instantly), (*tx).simulateConfirmed))
	r.simulator("payment_paid_out", when(either(sendable, instantly), (*tx).simulatePaidOut))
	r.simulator("payment_failed", when(sendable, func(tx *tx, p *record) {
		tx.submitPayment(p)
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
	}))
	r.simulator("payment_charged_back", when(disputable, (*tx).simulateChargedBack))
	r.simulator("payment_chargeback_settled", when(either(owing("charged_back"), disputable), func(tx *tx, p *record) {
		if p.Status() != "charged_back" {
			tx.simulateChargedBack(p)
		}
		tx.settleNow(p)
	}))
	r.simulator("payment_late_failure", when(failsLate, (*tx).simulateLateFailure))
	r.simulator("payment_late_failure_settled", when(either(owing("failed"), failsLate), func(tx *tx, p *record) {
		if p.Status() != "failed" {
			tx.simulateLateFailure(p)
		}
		tx.settleNow(p)
	}))
}

func mandateSimulators(r *registry) {
	mandate := func(name, status string, fits func(scheme string) bool, do func(*tx, *record)) {
		r.simulator(name, when(func(_ *tx, m *record) bool { return m.Status() == status && fits(m.Str("scheme")) }, do))
	}
	const pending = "pending_submission"
	mandate("mandate_activated", pending, func(s string) bool { return !bank.TimingOf(s).WithPayment }, (*tx).ensureActive)
	for _, how := range []string{"granted", "skipped"} {
		mandate("mandate_customer_approval_"+how, "pending_customer_approval", schemeIn("bacs", "sepa_core"), func(tx *tx, m *record) {
			tx.approveMandate(m, "customer_approval_"+how)
		})
	}
	r.simulator("mandate_failed", when(func(_ *tx, m *record) bool {
		return slices.Contains([]string{pending, "submitted"}, m.Status()) && m.Str("scheme") != "sepa_core"
	}, func(tx *tx, m *record) {
		if m.Status() == pending {
			tx.submitMandate(m)
		}
		tx.endMandate(m, "failed", tx.bankEnding(m, "invalid_bank_details"))
	}))
	mandate("mandate_expired", pending, schemeNotIn("autogiro", "becs_nz", "pad"), func(tx *tx, m *record) {
		tx.ensureActive(m)
		tx.endMandate(m, "expired", ending{cause: "mandate_expired"})
	})
	mandate("mandate_transferred", pending, schemeIn("bacs", "sepa_core"), func(tx *tx, m *record) {
		tx.ensureActive(m)
		tx.transferMandate(m)
	})
	mandate("mandate_transferred_with_resubmission", pending, schemeIn("bacs"), (*tx).simulateResubmission)
	mandate("mandate_suspended_by_payer", "active", schemeIn("pay_to"), func(tx *tx, m *record) {
		tx.endMandate(m, "suspended_by_payer", tx.bankEnding(m, "mandate_suspended_by_payer"))
	})
}

func refundSimulators(r *registry) {
	paid := func(then func(*tx, *record)) *scenario {
		return when(inStatus("pending_submission", "submitted", "paid"), func(tx *tx, f *record) {
			if f.Status() != "paid" {
				tx.payRefund(f)
			}
			then(tx, f)
		})
	}
	r.simulator("refund_paid", when(inStatus("pending_submission", "submitted"), (*tx).payRefund))
	r.simulator("refund_settled", paid(func(tx *tx, f *record) { tx.settleNow(f) }))
	r.simulator("refund_bounced", paid(func(tx *tx, f *record) { tx.returnRefund(f, "bounced") }))
	r.simulator("refund_returned", when(inStatus("pending_submission"), func(tx *tx, f *record) { tx.returnRefund(f, "funds_returned") }))
}

func billingSimulators(r *registry) {
	request := func(name string, then func(*tx, *record)) {
		r.simulator("billing_request_fulfilled"+name, when((*tx).awaitsBank, func(tx *tx, r *record) {
			b := tx.openBilling(r)
			b.authorised()
			b.commit()
			b.then(b.make)
			b.commit()
			p := tx.must("payments", r.Link("payment_request_payment"))
			then(tx, p)
		}))
	}
	request("", func(tx *tx, p *record) {
		if tx.sb.opts.bankTimings {
			// A minute later, so that a simulator of payments can take over.
			tx.at(tx.now.Add(triggerStep), "payment.submit", p.ID, attemptOf(p))
		}
	})
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

// scenario is a simulator: what it requires of the resource, and what it does.
type scenario struct {
	needs func(*tx, *record) bool
	do    func(*tx, *record)
}

// when returns a simulator with a condition.
func when(needs func(*tx, *record) bool, do func(*tx, *record)) *scenario {
	return &scenario{needs, do}
}

// inStatus requires one of the statuses.
func inStatus(list ...string) func(*tx, *record) bool {
	return func(_ *tx, r *record) bool { return slices.Contains(list, r.Status()) }
}

// owing requires a payment with a status and a debt that is still to be settled.
func owing(status string) func(*tx, *record) bool {
	return func(tx *tx, p *record) bool { return p.Status() == status && tx.sb.settleable(p) }
}

func either(a, b func(*tx, *record) bool) func(*tx, *record) bool {
	return func(tx *tx, r *record) bool { return a(tx, r) || b(tx, r) }
}

func always(do func(*tx, *record)) *scenario {
	return when(func(*tx, *record) bool { return true }, do)
}

func schemeIn(list ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(list, s) }
}

func schemeNotIn(list ...string) func(string) bool {
	return func(s string) bool { return !slices.Contains(list, s) }
}

// simulatorSpec returns the catalogue's entry for the simulator in the path, or nil.
func (tx *tx) simulatorSpec() *api.Simulator {
	i := slices.IndexFunc(api.Simulators, func(s api.Simulator) bool { return s.Name == tx.id })
	if i < 0 {
		return nil
	}
	return &api.Simulators[i]
}

func runSimulator(tx *tx) (result, error) {
	run := theRegistry().simulators[tx.id]
	spec := tx.simulatorSpec()
	if run == nil || spec == nil {
		return result{}, api.NotFound()
	}
	id := tx.body.Obj("links").Str("resource")
	if id == "" {
		p := tx.problems()
		p.Add("links/resource", "can't be blank")
		return result{}, p.Err()
	}
	target := tx.find(spec.Resource, id)
	if target == nil {
		return result{}, api.LinkNotFound(tx.op.Request, singular(spec.Resource), "resource")
	}
	tx.target = target
	tx.origin, tx.scripted = "gocardless", true
	if !run.needs(tx, target) {
		return result{}, api.TooLate("The simulator does not fit the state of the resource. It requires: " + spec.Requires)
	}
	run.do(tx, target)
	if target.Coll.Name == "payments" {
		tx.resumePayment(target)
	}
	return result{obj: object{{"id", tx.id}}}, nil
}

// sendable requires a payment that is not submitted yet, under a mandate that is active or is activated
// with its first payment.
func sendable(tx *tx, p *record) bool {
	m := tx.must("mandates", p.Link("mandate"))
	return p.Status() == "pending_submission" &&
		(slices.Contains([]string{"active", "consumed"}, m.Status()) || m.Status() == "pending_submission" && bank.TimingOf(m.Str("scheme")).WithPayment)
}

// disputable requires a payment that can be charged back, if necessary after it is collected.
func disputable(tx *tx, p *record) bool {
	return collected(p.Status()) || sendable(tx, p) || instantly(tx, p)
}

// failsLate requires a payment that can fail late, if necessary after it is paid out.
func failsLate(tx *tx, p *record) bool {
	return p.Str("scheme") != "autogiro" && (p.Status() == "paid_out" || sendable(tx, p) || instantly(tx, p))
}

// instantly requires an instant payment that is submitted or confirmed, as it often is before a
// simulator can be called.
func instantly(_ *tx, p *record) bool {
	return slices.Contains([]string{"submitted", "confirmed"}, p.Status()) && bank.TimingOf(p.Str("scheme")).Instant
}

func (tx *tx) simulateConfirmed(p *record) {
	if p.Status() == "pending_submission" {
		tx.submitPayment(p)
	}
	if p.Status() == "submitted" {
		tx.confirmPayment(p)
	}
}

func (tx *tx) simulatePaidOut(p *record) {
	tx.simulateConfirmed(p)
	tx.payPayout(tx.payOut(p))
}

func (tx *tx) simulateChargedBack(p *record) {
	if !collected(p.Status()) {
		tx.simulatePaidOut(p)
	}
	tx.chargeBack(p, tx.bankEnding(p, chargebackCause(p)))
}

func (tx *tx) simulateLateFailure(p *record) {
	if p.Status() != "paid_out" {
		tx.simulatePaidOut(p)
	}
	tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
}

// simulateResubmission transfers a mandate to the payer's new bank, which must accept it again.
func (tx *tx) simulateResubmission(m *record) {
	tx.ensureActive(m)
	tx.transferMandate(m)
	scheme := m.Str("scheme")
	code := failureCode(scheme, "bank_account_transferred")
	m.Set("status", "pending_submission")
	tx.event(m, event{action: "resubmission_requested", cause: "bank_account_transferred", origin: "bank", scheme: scheme, reasonCode: code})
	m.Set("status", "submitted")
	tx.event(m, event{action: "submitted", cause: "bank_account_transferred", origin: "bank", scheme: scheme, reasonCode: code})
	if tx.sb.opts.bankTimings {
		tx.at(bank.TimingOf(scheme).Days().Shift(tx.today(), 2).At(bank.ConfirmHour, 0), "mandate.activate", m.ID, "")
	}
}

// awaitsBank reports whether a billing request waits only for the payer's bank.
func (tx *tx) awaitsBank(r *record) bool {
	if r.Status() != "pending" {
		return false
	}
	b := tx.openBilling(r)
	return b.instant() && !b.customer.Removed && !b.done[authoriseBank] && b.readyBut(authoriseBank)
}
