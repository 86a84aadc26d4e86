package gocardlesstest

import (
	"regexp"
	"slices"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Outbound payments: money sent to a customer's bank account or withdrawn to the creditor's.

const (
	outboundScheme = "faster_payments"
	// outboundStep is how long a step without another rule takes.
	outboundStep = time.Second
)

// Descriptions that make an outbound payment fail.
const (
	failToExecute  = "failed_to_execute"
	failRejected   = "failed_due_to_bank_rejection"
	failLateReject = "failed_due_to_bank_rejection_after_execution"
)

func outboundFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "outbound_payments", Indexed: []string{"outbound_payment_import"}})
	r.on("outbound_payments.create", createOutbound)
	r.on("outbound_payments.withdraw", withdraw)
	r.on("outbound_payments.approve", approveOutbound)
	r.on("outbound_payments.cancel", cancelOutbound)
	r.on("outbound_payments.stats", outboundStats)
	r.filter("outbound_payments.list", "created_from", func(o *record, v string) bool { return o.Str("created_at") >= v })
	r.filter("outbound_payments.list", "created_to", func(o *record, v string) bool {
		if len(v) == len(value.DateForm) {
			return o.Str("created_at")[:len(value.DateForm)] <= v // the whole day
		}
		return o.Str("created_at") <= v
	})
	step := func(name, from string, f func(*tx, *record)) {
		r.job(name, func(tx *tx, id, _ string) {
			if o := tx.find("outbound_payments", id); o != nil && o.Status() == from {
				f(tx, o)
			}
		})
	}
	step("outbound.verify", "verifying", (*tx).verifyOutbound)
	step("outbound.execute", "scheduled", (*tx).executeOutbound)
	step("outbound.finish", "executing", (*tx).finishOutbound)
	step("outbound.reject", "executed", (*tx).rejectOutbound)
}

var referenceForm = regexp.MustCompile(`^[A-Za-z0-9 &./-]*$`)

// checkOutbound checks the members that both ways to create an outbound payment share. The path leads
// to them within the body.
func (tx *tx) checkOutbound(p *api.Problems, path string, o object) {
	if o.Str("scheme") != outboundScheme {
		p.Add(path+"scheme", "must be %s", outboundScheme)
	}
	if high := maximumAmount(outboundScheme); o.Num("amount") < 1 {
		p.Add(path+"amount", "must be greater than 0")
	} else if o.Num("amount") > high {
		p.AddWith(object{{"maximum_amount", high}}, path+"amount", "is above the scheme maximum")
	}
	if ref := o.Str("reference"); len(ref) > 18 {
		p.Add(path+"reference", "is too long (maximum is %d characters)", 18)
	} else if !referenceForm.MatchString(ref) {
		p.Add(path+"reference", "can only contain letters, digits, spaces and &-./")
	}
	if d := o.Str("execution_date"); d != "" && date(d) < tx.today() {
		p.Add(path+"execution_date", "must be today or later")
	}
}

func createOutbound(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	account, err := tx.linked("customer_bank_accounts", "recipient_bank_account")
	if err != nil {
		return result{}, err
	}
	if _, err := tx.linked("outbound_payment_imports", "outbound_payment_import"); err != nil {
		return result{}, err
	}
	p := tx.problems()
	tx.checkOutbound(p, "", tx.body)
	if account.Str("currency") != "GBP" {
		p.Add("links/recipient_bank_account", "must be an account in GBP")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	if !account.Flag("enabled") {
		return result{}, api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	o := tx.make("outbound_payments")
	links := object{{"creditor", creditor.ID}, {"customer", account.Link("customer")}, {"recipient_bank_account", account.ID}}
	if id := tx.body.Obj("links").Str("outbound_payment_import"); id != "" {
		links = append(links, member{"outbound_payment_import", id})
	}
	return one(tx.addOutbound(o, tx.body, links, "verifying")), nil
}

// withdraw pays to the creditor's own bank account.
func withdraw(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	tx.checkOutbound(p, "", tx.body)
	account := tx.find("creditor_bank_accounts", creditor.Link(payoutLink("GBP")))
	if account == nil {
		p.Add("links/creditor", "has no bank account in GBP")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	o := tx.make("outbound_payments")
	o.Set("is_withdrawal", true)
	return one(tx.addOutbound(o, tx.body, object{{"creditor", creditor.ID}, {"recipient_bank_account", account.ID}}, "verifying")), nil
}

// addOutbound stores a checked outbound payment and plans its next step.
func (tx *tx) addOutbound(o *record, body, links object, status string) *record {
	for _, name := range []string{"amount", "description", "execution_date", "metadata", "reference", "scheme"} {
		if body.Has(name) {
			o.Set(name, body.Get(name))
		}
	}
	if o.Str("execution_date") == "" {
		o.Set("execution_date", string(tx.today()))
	}
	o.Set("is_withdrawal", o.Flag("is_withdrawal"))
	o.Set("currency", "GBP")
	o.Set("links", links)
	o.Set("status", status)
	tx.add(o)
	tx.event(o, event{action: "created"})
	if status == "verifying" {
		tx.at(tx.now.Add(outboundStep), "outbound.verify", o.ID, "")
	} else {
		tx.scheduleOutbound(o)
	}
	return o
}

// verifyOutbound completes the check of the recipient.
func (tx *tx) verifyOutbound(o *record) {
	if !o.Flag("is_withdrawal") {
		match, actual := holderMatch(tx.must("customer_bank_accounts", o.Link("recipient_bank_account")).Str("account_holder_name"))
		o.Set("verifications", object{{"recipient_bank_account_holder_verification", object{
			{"type", "confirmation_of_payee"}, {"result", match}, {"actual_account_name", actual},
		}}})
	}
	o.Set("status", "pending_approval")
	tx.event(o, event{action: "set_to_pending_approval"})
}

func approveOutbound(tx *tx) (result, error) {
	o := tx.target
	if o.Status() != "pending_approval" {
		return result{}, api.TooEarly("Only outbound payments that are pending_approval can be approved; this one is " + o.Status())
	}
	tx.scheduleOutbound(o)
	return one(o), nil
}

// scheduleOutbound plans the execution for its day.
func (tx *tx) scheduleOutbound(o *record) {
	o.Set("status", "scheduled")
	tx.at(later(tx.now.Add(outboundStep), date(o.Str("execution_date")).At(9, 0)), "outbound.execute", o.ID, "")
}

func cancelOutbound(tx *tx) (result, error) {
	o := tx.target
	if !slices.Contains([]string{"verifying", "pending_approval", "scheduled"}, o.Status()) {
		return result{}, api.Refuse("cancellation_failed", "The outbound payment cannot be cancelled: it is "+o.Status())
	}
	o.Set("status", "cancelled")
	tx.event(o, event{action: "cancelled"})
	return one(o), nil
}

// executeOutbound sends the payment to the bank, if the balance covers it.
func (tx *tx) executeOutbound(o *record) {
	if tx.cannotPay(o, failToExecute) {
		tx.failOutbound(o)
		return
	}
	o.Set("status", "executing")
	tx.event(o, event{action: "set_to_executing"})
	tx.at(tx.now.Add(outboundStep), "outbound.finish", o.ID, "")
}

func (tx *tx) finishOutbound(o *record) {
	if tx.cannotPay(o, failRejected) {
		tx.failOutbound(o)
		return
	}
	o.Set("status", "executed")
	tx.event(o, event{action: "executed"})
	tx.moveOutbound(o, -o.Num("amount"))
	if o.Str("description") == failLateReject {
		tx.at(tx.now.Add(outboundStep), "outbound.reject", o.ID, "")
	}
}

// cannotPay reports whether the description makes the payment fail, or it exceeds the balance.
func (tx *tx) cannotPay(o *record, description string) bool {
	account := tx.paymentAccount(tx.must("creditors", o.Link("creditor")))
	return o.Str("description") == description || account.Num("account_balance") < o.Num("amount")
}

// rejectOutbound returns the money, as the recipient's bank can after the execution.
func (tx *tx) rejectOutbound(o *record) {
	tx.failOutbound(o)
	tx.moveOutbound(o, o.Num("amount"))
}

func (tx *tx) failOutbound(o *record) {
	o.Set("status", "failed")
	tx.event(o, event{action: "failed"})
}

// moveOutbound books the payment on the creditor's payment account.
func (tx *tx) moveOutbound(o *record, amount int64) {
	creditor := tx.must("creditors", o.Link("creditor"))
	name := bank.HolderName(creditor.Str("name"))
	if !o.Flag("is_withdrawal") {
		name = tx.must("customer_bank_accounts", o.Link("recipient_bank_account")).Str("account_holder_name")
	}
	tx.move(tx.paymentAccount(creditor), amount, o.Str("description"), name, o.Str("reference"), object{{"outbound_payment", o.ID}})
}

func outboundStats(tx *tx) (result, error) {
	count, sum := map[string]int64{}, map[string]int64{}
	for _, o := range tx.sb.store.Coll("outbound_payments").Recs {
		count[o.Status()]++
		sum[o.Status()] += o.Num("amount")
	}
	reply := object{}
	for _, s := range []string{"executing", "pending_approval", "scheduled"} {
		reply = append(reply, member{s + "_amount", sum[s]}, member{s + "_count", count[s]})
	}
	return result{obj: reply}, nil
}
