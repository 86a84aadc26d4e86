package gocardlesstest

import (
	"fmt"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// Payouts and what they are made of. All payments of a creditor and currency that are paid out at
// one moment share a payout; what was owed back by then is taken off it.

func payoutFamily(r *registry) {
	r.collection(collectionSpec{name: "payouts", indexed: []string{"creditor"}})
	r.collection(collectionSpec{name: "payout_items", prefix: "PI", indexed: []string{"payout"}})
	r.on("payout_items.list", listPayoutItems)
	r.filter("payout_items.list", "include_2020_tax_cutover", func(*Sandbox, *record, string) bool { return true })
	r.job("payout.pay", func(tx *tx, id, _ string) {
		if p := tx.find("payouts", id); p != nil && p.status() == "pending" {
			tx.payPayout(p)
		}
	})
	// What is owed back to GoCardless, waiting for the creditor's next payout.
	r.collection(collectionSpec{name: "settlements", prefix: "SE", internal: true, indexed: []string{"creditor"}, spec: settlementSpec})
	r.on("balances.list", listBalances)
	r.on("payouts.update", func(tx *tx) (result, error) {
		tx.merge(tx.target)
		return one(tx.target), nil
	})
}

// settlementSpec is the schema of the internal collection of settlements.
var settlementSpec = &typeSpec{name: "settlement", fields: []fieldSpec{
	{name: "id"}, {name: "status"}, {name: "type"}, {name: "action"}, {name: "amount", kind: kInt}, {name: "currency"},
	{name: "of", nullable: true}, {name: "links", kind: kAnyMap},
}}

// payOut puts a confirmed payment into a payout and returns the payout.
func (tx *tx) payOut(p *record) *record {
	po := tx.payoutFor(p.link("creditor"), p.str("currency"))
	p.set("status", "paid_out")
	p.setLink("payout", po.id)
	amount := p.num("amount")
	tx.addItem(po, "payment_paid_out", amount, object{{"payment", p.id}})
	if fee := p.num("app_fee"); fee > 0 {
		tx.addItem(po, "app_fee", -fee, object{{"payment", p.id}})
	}
	tx.addItem(po, "gocardless_fee", -fee(amount), object{{"payment", p.id}})
	tx.event(p, event{action: "paid_out", cause: "payment_paid_out", origin: "gocardless", links: object{{"payout", po.id}}})
	if s := tx.scheduleOf(p); s != nil {
		tx.completeSchedule(s)
	}
	return po
}

// fee is what GoCardless keeps of a payment: one per cent, and twenty minor units, at most four
// hundred. The API's own prices depend on the account.
func fee(amount int64) int64 { return min(amount/100+20, 400, amount) }

// payoutFor is the payout that is being put together at this moment, or a new one.
func (tx *tx) payoutFor(creditor, currency string) *record {
	c := tx.sb.store.coll("payouts")
	list := c.by("creditor", creditor)
	for i := len(list) - 1; i >= 0; i-- {
		po := list[i]
		if po.status() == "pending" && po.str("currency") == currency && po.str("created_at") == tx.timestamp() {
			return po
		}
		if po.str("created_at") != tx.timestamp() {
			break
		}
	}
	cr := tx.must("creditors", creditor)
	po := tx.make("payouts")
	po.set("amount", 0)
	po.set("deducted_fees", 0)
	po.set("currency", currency)
	po.set("payout_type", "merchant")
	po.set("reference", payoutReference(cr, po.id))
	po.set("status", "pending")
	po.set("fx", object{{"fx_currency", currency}})
	po.set("links", object{{"creditor", creditor}, {"creditor_bank_account", tx.payoutAccount(cr, currency)}})
	tx.add(po)
	tx.settleInto(po)
	if tx.sb.opts.bankTimings {
		tx.at(bank.TimingOf(schemeOf(currency)).Days().Shift(tx.today(), 1).At(bank.ArriveHour, 0), "payout.pay", po.id, "")
	}
	return po
}

func payoutReference(creditor *record, id string) string {
	prefix := creditor.str("bank_reference_prefix")
	if prefix == "" {
		prefix = "SANDB"
	}
	return prefix + "-" + base32(mix(hashText(id)), 6)
}

// addItem adds to a payout; its amount and fees are always the sum of its items.
func (tx *tx) addItem(po *record, kind string, amount int64, links object) *record {
	it := tx.make("payout_items")
	it.set("type", kind)
	it.set("amount", fmt.Sprintf("%d.0", amount))
	it.set("links", links)
	it.setRef("payout", po.id)
	if kind == "gocardless_fee" {
		it.set("taxes", []any{})
	}
	tx.add(it)
	po.set("amount", po.num("amount")+amount)
	if kind == "gocardless_fee" || kind == "app_fee" || kind == "surcharge_fee" {
		po.set("deducted_fees", po.num("deducted_fees")-amount)
	}
	return it
}

// settle notes that a payment's money goes back with the creditor's next payout of the currency,
// if it had been paid out at all. The event of the action tells when that has happened.
func (tx *tx) settle(p *record, action, item string) {
	if p.link("payout") == "" {
		return
	}
	tx.owe(p, action, item, p.num("amount"), p.link("creditor"), p.str("currency"), object{{"payment", p.id}})
}

func (tx *tx) owe(of *record, action, item string, amount int64, creditor, currency string, links object) {
	s := tx.make("settlements")
	s.set("status", "open")
	s.set("type", item)
	s.set("action", action)
	s.set("amount", amount)
	s.set("currency", currency)
	s.set("of", of.coll.name+" "+of.id)
	s.set("links", links)
	s.setRef("creditor", creditor)
	tx.add(s)
}

// settleInto takes what is owed off a new payout.
func (tx *tx) settleInto(po *record) {
	for _, s := range tx.sb.store.coll("settlements").by("creditor", po.link("creditor")) {
		if s.status() != "open" || s.str("currency") != po.str("currency") {
			continue
		}
		s.set("status", "done")
		tx.addItem(po, s.str("type"), -s.num("amount"), s.obj("links"))
		coll, id, _ := strings.Cut(s.str("of"), " ")
		if action := s.str("action"); action != "" {
			tx.event(tx.must(coll, id), event{action: action, cause: action, origin: "gocardless", links: object{{"payout", po.id}}})
		}
	}
}

// payPayout sends a payout to the creditor's bank.
func (tx *tx) payPayout(po *record) {
	po.set("status", "paid")
	po.set("arrival_date", string(tx.today()))
	tx.event(po, event{action: "paid", cause: "payout_paid", origin: "gocardless"})
}

func listPayoutItems(tx *tx) (result, error) {
	po := tx.find("payouts", tx.query.Get("payout"))
	if po == nil {
		return result{}, notFound()
	}
	// Items are kept for six months.
	if po.str("created_at") < stamp(tx.now.AddDate(0, -6, 0)) {
		const message = "Payout items are no longer available for payouts older than six months"
		return result{}, &apiError{status: 410, typ: "invalid_api_usage", reason: "resource_not_found", message: message,
			items: []errorItem{{message: message}}}
	}
	return tx.list()
}

// listBalances works the balances out from payments and payouts.
func listBalances(tx *tx) (result, error) {
	c := tx.find("creditors", tx.query.Get("creditor"))
	if c == nil {
		return result{}, notFound()
	}
	sums := map[[2]string]int64{}
	for _, p := range tx.sb.store.coll("payments").recs {
		if p.link("creditor") != c.id {
			continue
		}
		switch p.status() {
		case "confirmed":
			sums[[2]string{p.str("currency"), "confirmed_funds"}] += p.num("amount")
		case "submitted":
			sums[[2]string{p.str("currency"), "pending_payments_submitted"}] += p.num("amount")
		}
	}
	for _, po := range tx.sb.store.coll("payouts").by("creditor", c.id) {
		if po.status() == "pending" {
			sums[[2]string{po.str("currency"), "pending_payouts"}] += po.num("amount")
		}
	}
	var objs []object
	for _, cur := range theOps("payments.create").bodies[0].field("currency").enum {
		if c.link(payoutLink(cur)) == "" && sums[[2]string{cur, "confirmed_funds"}] == 0 {
			continue
		}
		for _, kind := range []string{"confirmed_funds", "pending_payouts", "pending_payments_submitted"} {
			objs = append(objs, object{
				{"amount", sums[[2]string{cur, kind}]}, {"balance_type", kind}, {"currency", cur},
				{"last_updated_at", tx.timestamp()}, {"links", object{{"creditor", c.id}}},
			})
		}
	}
	return result{listing: &listing{objs: objs, limit: tx.limit()}}, nil
}
