package gocardlesstest

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Payments: created under a mandate, submitted to the bank, confirmed and paid out; or failed,
// cancelled or charged back.

// maxRetries is the number of times that a failed payment can be retried.
const maxRetries = 3

const paymentRetries store.Hidden[int64] = "retries"

func paymentFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "payments", Indexed: []string{"mandate", "customer", "subscription", "instalment_schedule"}, Private: []string{"creditor", "customer"}})
	r.on("payments.create", createPayment)
	r.on("payments.cancel", cancelPaymentCall)
	r.on("payments.retry", retryPayment)
	r.on("payments.list", func(tx *tx) (result, error) {
		if tx.query.Get("customer") != "" && tx.query.Get("creditor") != "" {
			return result{}, api.Refuse("invalid_filters", "customer and creditor cannot be used together")
		}
		return tx.list()
	})
	// A step belongs to one attempt, which must be the payment's current one.
	step := func(name string, from []string, f func(*tx, *record)) {
		r.job(name, func(tx *tx, id, arg string) {
			if p := tx.find("payments", id); p != nil && slices.Contains(from, p.Status()) && arg == attemptOf(p) {
				f(tx, p)
			}
		})
	}
	step("payment.submit", []string{"pending_submission"}, (*tx).submitPayment)
	step("payment.confirm", []string{"submitted"}, (*tx).confirmPayment)
	step("payment.pay_out", []string{"confirmed"}, func(tx *tx, p *record) { tx.payOut(p) })
	step("payment.fail", []string{"submitted"}, func(tx *tx, p *record) {
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
	})
	step("payment.fail_late", []string{"confirmed", "paid_out"}, func(tx *tx, p *record) {
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
	})
	step("payment.charge_back", []string{"confirmed", "paid_out"}, func(tx *tx, p *record) {
		tx.chargeBack(p, tx.bankEnding(p, "refund_requested"))
	})
}

// attemptOf returns the number of the current attempt, which is the number of retries.
func attemptOf(r *record) string { return strconv.Itoa(int(paymentRetries.Of(r))) }

// bankEnding returns an ending that the bank reports.
func (tx *tx) bankEnding(r *record, cause string) ending {
	return ending{cause: cause, origin: "bank", reasonCode: failureCode(recordScheme(r), cause)}
}

// payableMandate returns the mandate in the body's links, or an error if nothing can be collected under it.
func (tx *tx) payableMandate() (*record, error) {
	m, err := tx.linked("mandates", "mandate")
	switch {
	case err != nil:
		return nil, err
	case m.Link("new_mandate") != "":
		return nil, api.Refuse("mandate_replaced", "This mandate has been replaced", "new_mandate", m.Link("new_mandate"))
	case !mandateUsable(m.Status()):
		return nil, api.Refuse("mandate_is_inactive", "Mandate is failed, cancelled or expired")
	}
	return m, nil
}

// checkAmount checks an amount and its currency against a mandate's scheme.
func checkAmount(p *api.Problems, amountPath, currencyPath string, amount int64, currency, scheme string) {
	high := maximumAmount(scheme)
	switch {
	case amount < 1:
		p.Add(amountPath, "must be greater than 0")
	case amount > high:
		p.AddWith(object{{"maximum_amount", high}}, amountPath, "is above the scheme maximum")
	}
	if want := currencyOf(scheme); currency != "" && currency != want {
		p.Add(currencyPath, "must be %s for a %s mandate", want, scheme)
	}
}

// checkReference checks the reference that a bank statement shows.
func (tx *tx) checkReference(p *api.Problems, path, reference, scheme string) {
	switch limit := referenceLimit(scheme); {
	case reference == "":
	case limit == 0:
		p.Add(path, "cannot be set for %s", scheme)
	case scheme == "bacs" && !tx.sb.opts.ownNumber:
		p.Add(path, "cannot be set without a Bacs service user number of your own")
	case utf8.RuneCountInString(reference) > limit:
		p.Add(path, "is too long (maximum is %d characters)", limit)
	}
}

// checkChargeDate refuses a date before the mandate's next_possible_charge_date.
func (tx *tx) checkChargeDate(p *api.Problems, path, given string, m *record) {
	if next := mandateNextCharge(m, tx.now); given != "" && date(given) < next {
		p.Add(path, "must be on or after mandate's next_possible_charge_date")
	}
}

func createPayment(tx *tx) (result, error) {
	m, err := tx.payableMandate()
	if err != nil {
		return result{}, err
	}
	scheme := m.Str("scheme")
	p := tx.problems()
	amount := tx.body.Num("amount")
	checkAmount(p, "amount", "currency", amount, tx.body.Str("currency"), scheme)
	tx.checkReference(p, "reference", tx.body.Str("reference"), scheme)
	if scheme == "becs" && tx.sb.referenceTaken(tx.body.Str("reference")) {
		p.Add("reference", "has already been taken")
	}
	if fee := tx.body.Num("app_fee"); tx.body.Has("app_fee") && (fee < 0 || fee > amount) {
		p.Add("app_fee", "must be between 0 and the amount")
	}
	tx.checkChargeDate(p, "charge_date", tx.body.Str("charge_date"), m)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	pay := tx.draft("payments")
	return one(tx.addPayment(pay, m, "payment_created")), nil
}

func (sb *Sandbox) referenceTaken(reference string) bool {
	return reference != "" && slices.ContainsFunc(sb.store.Coll("payments").Recs, func(p *record) bool { return p.Str("reference") == reference })
}

// addPayment stores a checked payment under a mandate and plans its steps. Links other than mandate and
// creditor must be set before.
func (tx *tx) addPayment(pay, m *record, cause string) *record {
	scheme := m.Str("scheme")
	t := bank.TimingOf(scheme)
	charge := date(pay.Str("charge_date"))
	if charge == "" {
		charge = mandateNextCharge(m, tx.now)
	}
	if !t.Instant {
		charge = t.Days().Next(charge)
	}
	pay.Set("charge_date", string(charge))
	pay.Set("amount_refunded", 0)
	if pay.Get("retry_if_possible") == nil {
		pay.Set("retry_if_possible", false)
	}
	pay.Set("scheme", scheme)
	pay.Set("currency", currencyOf(scheme))
	pay.Set("fx", object{{"fx_currency", currencyOf(scheme)}})
	pay.SetLink("creditor", m.Link("creditor"))
	pay.SetLink("mandate", m.ID)
	pay.SetRef("customer", m.Link("customer"))
	pay.SetRef("creditor", m.Link("creditor"))
	if scheme == "ach" && pay.Get("faster_ach") == nil {
		pay.Set("faster_ach", false)
	} else if scheme != "ach" {
		pay.Set("faster_ach", nil)
	}
	pay.Set("status", "pending_submission")
	if m.Status() == "pending_customer_approval" {
		pay.Set("status", "pending_customer_approval")
	}
	tx.add(pay)
	tx.event(pay, event{action: "created", cause: cause})
	if pay.Status() == "pending_submission" {
		tx.planPayment(pay)
	}
	return pay
}

// planPayment plans the steps of a payment: by the given name of its customer, or else by the bank
// timings of its scheme.
func (tx *tx) planPayment(p *record) {
	if tx.scripted && attemptOf(p) == "0" {
		return // the simulator resumes it at the end
	}
	m := tx.must("mandates", p.Link("mandate"))
	arg := attemptOf(p)
	if story := triggerOf(tx.must("customers", m.Link("customer"))); story != nil && story.payment != nil {
		at := tx.now
		if m.Status() != "active" {
			at = at.Add(2 * triggerStep)
		}
		for i, job := range story.payment {
			tx.at(at.Add(time.Duration(i+1)*triggerStep), job, p.ID, arg)
		}
		return
	}
	tx.resumePayment(p)
}

// submitPayment submits a payment to the bank, and its mandate if that is pending.
func (tx *tx) submitPayment(p *record) {
	m := tx.must("mandates", p.Link("mandate"))
	if m.Status() == "pending_submission" {
		if bank.TimingOf(m.Str("scheme")).WithPayment {
			tx.ensureActive(m)
		} else {
			tx.submitMandate(m)
		}
	}
	p.Set("status", "submitted")
	tx.event(p, event{action: "submitted", cause: "payment_submitted", origin: "gocardless"})
	tx.planNext(p)
}

// planNext plans the next step of a payment by date. A simulator takes the steps itself, and resumes
// the payment at the end.
func (tx *tx) planNext(p *record) {
	if !tx.scripted && tx.sb.opts.bankTimings {
		tx.resumePayment(p)
	}
}

// resumePayment plans the next step of a payment by date.
func (tx *tx) resumePayment(p *record) {
	if !tx.sb.opts.bankTimings {
		return
	}
	t, charge := bank.TimingOf(p.Str("scheme")), date(p.Str("charge_date"))
	var at time.Time
	var job string
	switch p.Status() {
	case "pending_submission":
		at, job = t.SubmitTime(charge), "payment.submit"
	case "submitted":
		at, job = t.ConfirmTime(charge), "payment.confirm"
		if s := tx.scheduleOf(p); s != nil && strings.HasPrefix(s.Str("name"), "Faily") {
			job = "payment.fail"
		}
	case "confirmed":
		at, job = t.PayOutTime(charge), "payment.pay_out"
	default:
		return
	}
	tx.at(later(at, tx.now), job, p.ID, attemptOf(p))
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (tx *tx) confirmPayment(p *record) {
	p.Set("status", "confirmed")
	tx.event(p, event{action: "confirmed", cause: "payment_confirmed", origin: "gocardless"})
	if s := tx.scheduleOf(p); s != nil && s.Status() == "errored" {
		tx.resumeSchedule(s)
	}
	tx.planNext(p)
}

// failPayment ends an attempt. A payment with retry_if_possible is retried once.
func (tx *tx) failPayment(p *record, e ending) {
	late := collected(p.Status())
	tx.takeBack(p, "late_failure_settled", "payment_failed")
	p.Set("status", "failed")
	ev := e.event("failed", p)
	retry := p.Flag("retry_if_possible") && paymentRetries.Of(p) == 0 && !late
	ev.willRetry = retry
	if !retry {
		ev.notRetried = "other"
	}
	told := tx.event(p, ev)
	if s := tx.scheduleOf(p); s != nil {
		defer tx.under(told)()
		tx.errSchedule(s, late)
	}
	if retry {
		paymentRetries.Set(p, paymentRetries.Of(p)+1)
		p.Set("status", "pending_submission")
		m := tx.must("mandates", p.Link("mandate"))
		p.Set("charge_date", string(bank.TimingOf(p.Str("scheme")).Days().Shift(mandateNextCharge(m, tx.now), 3)))
		tx.event(p, event{action: "resubmission_requested", cause: "payment_autoretried", origin: "gocardless"})
		tx.planPayment(p)
	}
}

// takeBack records that the creditor owes the money of a payment that was paid out, and a surcharge if
// the account pays any.
func (tx *tx) takeBack(p *record, action, item string) {
	links := object{{"payment", p.ID}}
	if p.Status() == "paid_out" {
		tx.owe(p, action, item, p.Num("amount"), links)
	}
	if n := tx.sb.opts.surcharge; n > 0 {
		tx.owe(p, "surcharge_fee_debited", "surcharge_fee", n, links)
	}
}

// chargeBack charges a collected payment back.
func (tx *tx) chargeBack(p *record, e ending) {
	tx.takeBack(p, "chargeback_settled", "payment_charged_back")
	p.SetRef("before_chargeback", p.Status())
	p.Set("status", "charged_back")
	tx.event(p, e.event("charged_back", p))
}

// cancelChargeback restores a payment that was charged back. What is still owed for it is cancelled,
// and what was deducted is returned with the next payout.
func (tx *tx) cancelChargeback(p *record) {
	p.Set("status", p.Ref("before_chargeback"))
	tx.event(p, event{action: "chargeback_cancelled", cause: "payment_confirmed", origin: "gocardless"})
	tx.forgive(p, "payment_charged_back", "payment_paid_out")
	tx.resumePayment(p)
}

// ChargeBack charges a collected payment back, as its payer can at any time. The money of a payment
// that was paid out is deducted from the creditor's next payouts. It returns an error if there is no
// collected payment with this id.
func (sb *Sandbox) ChargeBack(id string) error {
	return sb.update(func(tx *tx) error {
		p := tx.find("payments", id)
		if p == nil || !collected(p.Status()) {
			return api.NotFound()
		}
		tx.chargeBack(p, tx.bankEnding(p, chargebackCause(p)))
		return nil
	})
}

// chargebackCause returns the reason that banks give for a chargeback in a payment's scheme.
func chargebackCause(p *record) string {
	if p.Str("scheme") == "sepa_core" {
		return "refund_requested"
	}
	return "authorisation_disputed"
}

// CancelChargeback withdraws a chargeback, as banks do after a mistake; no scenario simulator does
// this. The payment returns to its former status. It returns an error if no charged-back payment has
// this id.
func (sb *Sandbox) CancelChargeback(id string) error {
	return sb.update(func(tx *tx) error {
		p := tx.find("payments", id)
		if p == nil || p.Status() != "charged_back" {
			return api.NotFound()
		}
		tx.cancelChargeback(p)
		return nil
	})
}

// paymentCancellable reports whether a payment can still be cancelled.
func paymentCancellable(status string) bool {
	return slices.Contains([]string{"pending_submission", "pending_customer_approval"}, status)
}

func (tx *tx) cancelPayment(p *record, e ending) {
	p.Set("status", "cancelled")
	tx.event(p, e.event("cancelled", p))
}

func cancelPaymentCall(tx *tx) (result, error) {
	p := tx.target
	if !paymentCancellable(p.Status()) {
		return result{}, api.Refuse("cancellation_failed", "This payment cannot be cancelled: it is "+p.Status())
	}
	tx.cancelPayment(p, ending{cause: "payment_cancelled"})
	return one(p), nil
}

func retryPayment(tx *tx) (result, error) {
	p := tx.target
	m := tx.must("mandates", p.Link("mandate"))
	switch {
	case p.Status() != "failed":
		return result{}, api.Refuse("retry_failed", "Only failed payments can be retried")
	case m.Link("new_mandate") != "":
		return result{}, api.Refuse("mandate_replaced", "This mandate has been replaced", "new_mandate", m.Link("new_mandate"))
	case !mandateUsable(m.Status()):
		return result{}, api.Refuse("retry_failed", "The mandate is no longer active")
	case paymentRetries.Of(p) >= maxRetries:
		return result{}, api.Refuse("retry_failed", "This payment has been retried too often")
	}
	problems := tx.problems()
	given := tx.body.Str("charge_date")
	tx.checkChargeDate(problems, "charge_date", given, m)
	if err := problems.Err(); err != nil {
		return result{}, err
	}
	charge := date(given)
	if charge == "" {
		charge = mandateNextCharge(m, tx.now)
	}
	p.Set("charge_date", string(bank.TimingOf(p.Str("scheme")).Days().Next(charge)))
	p.Set("status", "pending_submission")
	paymentRetries.Set(p, paymentRetries.Of(p)+1)
	tx.event(p, event{action: "resubmission_requested", cause: "payment_retried"})
	tx.planPayment(p)
	return one(p), nil
}

// collected reports whether a payment's money was collected.
func collected(status string) bool { return slices.Contains([]string{"confirmed", "paid_out"}, status) }
