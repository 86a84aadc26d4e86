package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Refunds of payments and of mandates.

// refundSettling is set once the refund is owed by the creditor.
const refundSettling store.Hidden[bool] = "settling"

func refundFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "refunds", Indexed: []string{"payment", "mandate"}})
	r.on("refunds.create", createRefund)
	r.filter("refunds.list", "refund_type", func(f *record, kind string) bool {
		return (f.Link("payment") != "") == (kind == "payment")
	})
	r.job("refund.submit", func(tx *tx, id, _ string) {
		if f := tx.find("refunds", id); f != nil && f.Status() == "pending_submission" {
			f.Set("status", "submitted")
		}
	})
	r.job("refund.pay", func(tx *tx, id, _ string) {
		if f := tx.find("refunds", id); f != nil && f.Status() == "submitted" {
			tx.payRefund(f)
		}
	})
}

func createRefund(tx *tx) (result, error) {
	if !tx.sb.opts.refunds {
		return result{}, api.Refuse("forbidden", "Refunds are not enabled for your account")
	}
	payment, err := tx.linked("payments", "payment")
	if err != nil {
		return result{}, err
	}
	mandate, err := tx.linked("mandates", "mandate")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	amount := tx.body.Num("amount")
	if amount < 1 {
		p.Add("amount", "must be greater than 0")
	}
	switch {
	case payment != nil && mandate != nil:
		p.Add("links/mandate", "cannot be given together with a payment")
	case payment != nil:
		err = tx.checkPaymentRefund(p, payment, amount)
	case mandate == nil:
		p.Add("links/payment", "can't be blank")
	case !mandateOpen(mandate.Status()):
		err = api.Refuse("refund_is_unreachable", "The mandate's bank account can no longer be paid")
	}
	if err != nil {
		return result{}, err
	}
	m := mandate
	switch {
	case payment != nil:
		m = tx.must("mandates", payment.Link("mandate"))
	case m == nil:
		return result{}, p.Err()
	}
	tx.checkReference(p, "reference", tx.body.Str("reference"), m.Str("scheme"))
	if err := p.Err(); err != nil {
		return result{}, err
	}
	f := tx.draft("refunds")
	f.Set("currency", currencyOf(m.Str("scheme")))
	f.Set("fx", object{{"fx_currency", f.Str("currency")}})
	f.Set("status", "pending_submission")
	f.SetLink("mandate", m.ID)
	f.SetRef("creditor", m.Link("creditor"))
	tx.add(f)
	if payment != nil {
		payment.Set("amount_refunded", payment.Num("amount_refunded")+amount)
		tx.event(f, event{action: "created", cause: "payment_refunded"})
	} else {
		tx.event(f, event{action: "created", cause: "refund_created"})
	}
	tx.planRefund(f, m.Str("scheme"))
	return one(f), nil
}

// planRefund plans the steps of a refund.
func (tx *tx) planRefund(f *record, scheme string) {
	if !tx.sb.opts.bankTimings {
		return
	}
	t := bank.TimingOf(scheme)
	submit := t.Days().Shift(t.Start(tx.now), 1)
	tx.at(submit.At(bank.SubmitHour, 0), "refund.submit", f.ID, "")
	tx.at(t.Days().Shift(submit, 1).At(bank.ConfirmHour, 0), "refund.pay", f.ID, "")
}

// checkPaymentRefund checks the refund of a payment.
func (tx *tx) checkPaymentRefund(p *api.Problems, payment *record, amount int64) error {
	if !collected(payment.Status()) {
		return api.Refuse("refund_payment_invalid_state", "Only confirmed and paid out payments can be refunded")
	}
	if limit := tx.sb.opts.refundLimit; limit > 0 && len(tx.sb.store.Coll("refunds").By("payment", payment.ID)) >= limit {
		return api.Refuse("number_of_refunds_exceeded", "This payment has been refunded too often")
	}
	done := payment.Num("amount_refunded")
	confirmation, given := tx.body.Lookup("total_amount_confirmation")
	switch {
	case !given && tx.sb.opts.refundConfirm:
		p.Add("total_amount_confirmation", "can't be blank")
	case given && confirmation != done+amount:
		return api.Refuse("total_amount_confirmation_invalid", "The total amount does not match the sum of all refunds of the payment")
	}
	if left := payment.Num("amount") - done; amount > left {
		p.AddWith(object{{"maximum_amount", left}}, "amount", "must be less than or equal to the rest of the payment")
	}
	return nil
}

func (tx *tx) payRefund(f *record) {
	f.Set("status", "paid")
	tx.event(f, event{action: "paid", cause: "refund_paid", origin: "gocardless"})
	tx.settleRefund(f)
}

// settleRefund deducts a refund from the creditor's next payouts.
func (tx *tx) settleRefund(f *record) {
	if refundSettling.Of(f) {
		return
	}
	refundSettling.Set(f, true)
	links := object{{"refund", f.ID}}
	kind := "refund"
	if id := f.Link("payment"); id != "" {
		kind = "payment_refunded"
		links = append(links, member{"payment", id})
	} else {
		links = append(links, member{"mandate", f.Link("mandate")})
	}
	tx.owe(f, "refund_settled", kind, f.Num("amount"), links)
}

// returnRefund records that a refund came back, with the status bounced or funds_returned. What was not
// yet deducted from a payout is cancelled, and what was deducted is returned with the next payout.
func (tx *tx) returnRefund(f *record, status string) {
	f.Set("status", status)
	if id := f.Link("payment"); id != "" {
		p := tx.must("payments", id)
		p.Set("amount_refunded", max(0, p.Num("amount_refunded")-f.Num("amount")))
	}
	action := "funds_returned"
	cause := "refund_funds_returned"
	if status == "bounced" {
		action, cause = "failed", "refund_failed"
	}
	tx.event(f, event{action: action, cause: cause, origin: "gocardless"})
	for _, item := range []string{"refund", "payment_refunded"} {
		tx.forgive(f, item, "refund_funds_returned")
	}
}
