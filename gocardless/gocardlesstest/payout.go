package gocardlesstest

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Payouts and their items. All payments of a creditor and currency that are paid out at the same time
// share a payout, from which the creditor's debts are deducted. Money is conserved: all that was
// collected is in a payout or in the balance, or was a fee, a refund, a late failure or a chargeback.

func payoutFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "payouts", Indexed: []string{"creditor"}})
	r.collection(store.CollectionSpec{Name: "payout_items", Prefix: "PI", Indexed: []string{"payout"}, Private: []string{"payout"}})
	r.on("payout_items.list", listPayoutItems)
	r.filter("payout_items.list", "include_2020_tax_cutover", func(*record, string) bool { return true })
	r.job("payout.pay", func(tx *tx, id, _ string) {
		if p := tx.find("payouts", id); p != nil && p.Status() == "pending" {
			tx.payPayout(p)
		}
	})
	r.on("balances.list", listBalances)
	r.on("payouts.update", func(tx *tx) (result, error) {
		tx.merge(tx.target)
		return one(tx.target), nil
	})
}

// payOut puts a confirmed payment into a payout and returns the payout.
func (tx *tx) payOut(p *record) *record {
	po := tx.payoutFor(p.Link("creditor"), p.Str("currency"))
	p.Set("status", "paid_out")
	p.SetLink("payout", po.ID)
	amount, links := p.Num("amount"), object{{"payment", p.ID}}
	tx.addItem(po, "payment_paid_out", amount, links)
	left := amount
	if fee := min(p.Num("app_fee"), left); fee > 0 {
		tx.addItem(po, "app_fee", -fee, links)
		left -= fee
	}
	tx.addFee(po, "gocardless_fee", min(fee(amount), left), left, links)
	tx.event(p, event{action: "paid_out", cause: "payment_paid_out", origin: "gocardless", links: object{{"payout", po.ID}}})
	tx.settleInto(po)
	if s := tx.scheduleOf(p); s != nil {
		tx.completeSchedule(s)
	}
	return po
}

// fee returns the fee of a payment: 1% plus 20 minor units, at most 400. The API's own prices depend on
// the account.
func fee(amount int64) int64 { return min(amount/100+20, 400, amount) }

// payoutFor returns the payout that is being made at this time, or a new one.
func (tx *tx) payoutFor(creditor, currency string) *record {
	c := tx.sb.store.Coll("payouts")
	for _, po := range slices.Backward(c.By("creditor", creditor)) {
		if po.Str("created_at") != tx.timestamp() {
			break
		}
		if po.Status() == "pending" && po.Str("currency") == currency {
			return po
		}
	}
	cr := tx.must("creditors", creditor)
	po := tx.make("payouts")
	po.Set("amount", 0)
	po.Set("deducted_fees", 0)
	po.Set("currency", currency)
	po.Set("payout_type", "merchant")
	po.Set("reference", payoutReference(cr, po.ID))
	po.Set("status", "pending")
	account := tx.payoutAccount(cr, currency)
	po.Set("fx", object{{"fx_currency", currency}})
	if a := tx.find("creditor_bank_accounts", account); a != nil && a.Str("currency") != currency {
		to := a.Str("currency")
		po.Set("fx", object{{"fx_currency", to}, {"estimated_exchange_rate", tx.exchangeRate(currency, to)}})
	}
	po.Set("links", object{{"creditor", creditor}, {"creditor_bank_account", account}})
	if tx.taxRate(po) != nil {
		po.Set("tax_currency", countryCurrency(cr.Str("country_code")))
	}
	tx.add(po)
	if tx.sb.opts.bankTimings {
		tx.at(bank.TimingOf(schemeOf(currency)).Days().Shift(tx.today(), 1).At(bank.ArriveHour, 0), "payout.pay", po.ID, "")
	}
	return po
}

func payoutReference(creditor *record, id string) string {
	return cmp.Or(creditor.Str("bank_reference_prefix"), "SANDB") + "-" + store.Base32(store.Mix(store.HashText(id)), 6)
}

// addItem adds an item to a payout, whose amount and fees are always the sum of its items.
func (tx *tx) addItem(po *record, kind string, amount int64, links object) *record {
	it := tx.make("payout_items")
	it.Set("type", kind)
	it.Set("amount", minorUnits(amount))
	it.Set("links", links)
	it.SetRef("payout", po.ID)
	if kind == "gocardless_fee" || kind == "surcharge_fee" {
		it.Set("taxes", []any{})
	}
	tx.add(it)
	po.Set("amount", po.Num("amount")+amount)
	if slices.Contains([]string{"gocardless_fee", "app_fee", "surcharge_fee"}, kind) {
		po.Set("deducted_fees", po.Num("deducted_fees")-amount)
	}
	return it
}

// minorUnits formats an amount as payout items do.
func minorUnits(n int64) string { return strconv.FormatInt(n, 10) + ".0" }

// addFee adds a fee of GoCardless, with its tax if the creditor pays any. Together they are at most
// what is left of the payment.
func (tx *tx) addFee(po *record, kind string, fee, left int64, links object) {
	rate := tx.taxRate(po)
	if rate == nil {
		tx.addItem(po, kind, -fee, links)
		return
	}
	tax := min(percent(fee, rate.Str("percentage")), left-fee)
	it := tx.addItem(po, kind, -fee-tax, links)
	t := object{
		{"amount", minorUnits(tax)}, {"currency", po.Get("currency")}, {"destination_amount", minorUnits(tax)},
		{"destination_currency", po.Get("tax_currency")}, {"tax_rate_id", rate.ID},
	}
	if po.Get("tax_currency") != po.Get("currency") {
		t = t.With("destination_amount", nil).With("exchange_rate", nil) // until the rates are confirmed
	}
	it.Set("taxes", []any{t})
}

// percent returns a share of an amount, rounded to a whole minor unit.
func percent(amount int64, percentage string) int64 {
	p, err := strconv.ParseFloat(percentage, 64)
	if err != nil {
		panic("gocardlesstest: bad percentage " + percentage)
	}
	return int64(math.Round(float64(amount) * p / 100))
}

// taxRate returns the tax on the fees of a payout, or nil.
func (tx *tx) taxRate(po *record) *record {
	if !tx.sb.opts.feeTaxes {
		return nil
	}
	country := tx.must("creditors", po.Link("creditor")).Str("country_code")
	for _, r := range tx.sb.store.Coll("tax_rates").Recs {
		if r.Str("jurisdiction") == country && r.Get("end_date") == nil {
			return r
		}
	}
	return nil
}

// payPayout sends a payout to the creditor's bank, and fixes its exchange rates.
func (tx *tx) payPayout(po *record) {
	if fx := po.Obj("fx"); fx.Str("fx_currency") != po.Str("currency") {
		rate := tx.exchangeRate(po.Str("currency"), fx.Str("fx_currency"))
		po.Set("fx", fx.With("exchange_rate", rate).With("fx_amount", convert(po.Num("amount"), rate)))
		tx.event(po, event{action: "fx_rate_confirmed", cause: "payout_fx_rate_confirmed", origin: "gocardless"})
	}
	tx.confirmTaxRates(po)
	po.Set("status", "paid")
	po.Set("arrival_date", string(tx.today()))
	tx.event(po, event{action: "paid", cause: "payout_paid", origin: "gocardless"})
}

// confirmTaxRates converts the taxes of a payout into the currency in which they are paid.
func (tx *tx) confirmTaxRates(po *record) {
	to := po.Str("tax_currency")
	if to == "" || to == po.Str("currency") {
		return
	}
	rate := tx.exchangeRate(po.Str("currency"), to)
	for _, it := range tx.sb.store.Coll("payout_items").By("payout", po.ID) {
		taxes, _ := it.Get("taxes").([]any)
		for i, v := range taxes {
			t, _ := v.(object)
			amount, _, _ := strings.Cut(t.Str("amount"), ".")
			n, _ := strconv.ParseInt(amount, 10, 64)
			taxes = slices.Clone(taxes)
			taxes[i] = t.With("exchange_rate", rate).With("destination_amount", minorUnits(convert(n, rate)))
			it.Set("taxes", taxes)
		}
	}
	tx.event(po, event{action: "tax_exchange_rates_confirmed", cause: "payout_tax_exchange_rates_confirmed", origin: "gocardless"})
}

// exchangeRate returns the rate from one currency to another.
func (tx *tx) exchangeRate(from, to string) string {
	for _, r := range tx.sb.store.Coll("currency_exchange_rates").Recs {
		if r.Str("source") == from && r.Str("target") == to {
			return r.Str("rate")
		}
	}
	return "1.0"
}

// convert returns an amount in another currency, rounded to a whole minor unit.
func convert(amount int64, rate string) int64 {
	r, err := strconv.ParseFloat(rate, 64)
	if err != nil {
		panic("gocardlesstest: bad exchange rate " + rate)
	}
	return int64(math.Round(float64(amount) * r))
}

func listPayoutItems(tx *tx) (result, error) {
	po := tx.find("payouts", tx.query.Get("payout"))
	if po == nil {
		return result{}, api.NotFound()
	}
	// Items are kept for six months.
	if po.Str("created_at") < value.Stamp(tx.now.AddDate(0, -6, 0)) {
		const message = "Payout items are no longer available for payouts older than six months"
		return result{}, &api.Error{Status: 410, Type: "invalid_api_usage", Reason: "resource_not_found", Message: message,
			Items: []api.ErrorItem{{Message: message}}}
	}
	return tx.list()
}

// listBalances derives the balances from payments, debts and payouts.
func listBalances(tx *tx) (result, error) {
	c := tx.find("creditors", tx.query.Get("creditor"))
	if c == nil {
		return result{}, api.NotFound()
	}
	sums := tx.sb.balances(c)
	var objs []object
	for _, cur := range api.Op("payments.create").Bodies[0].Field("currency").Enum {
		if c.Link(payoutLink(cur)) == "" && sums[balance{cur, "confirmed_funds"}] == 0 {
			continue
		}
		for _, kind := range []string{"confirmed_funds", "pending_payouts", "pending_payments_submitted"} {
			objs = append(objs, object{
				{"amount", sums[balance{cur, kind}]}, {"balance_type", kind}, {"currency", cur},
				{"last_updated_at", tx.timestamp()}, {"links", object{{"creditor", c.ID}}},
			})
		}
	}
	return result{listing: &store.Listing{Objs: objs, Limit: store.PageSize(tx.query)}}, nil
}

// balance identifies an amount of a creditor's.
type balance struct{ currency, kind string }

// balances returns the amounts of a creditor. Confirmed funds are what was collected and not paid out,
// less what the creditor owes; they may be negative.
func (sb *Sandbox) balances(c *record) map[balance]int64 {
	sums := map[balance]int64{}
	for _, p := range sb.store.Coll("payments").Recs {
		if p.Link("creditor") != c.ID {
			continue
		}
		switch p.Status() {
		case "confirmed":
			sums[balance{p.Str("currency"), "confirmed_funds"}] += p.Num("amount")
		case "submitted":
			sums[balance{p.Str("currency"), "pending_payments_submitted"}] += p.Num("amount")
		}
	}
	for _, po := range sb.store.Coll("payouts").By("creditor", c.ID) {
		if po.Status() == "pending" {
			sums[balance{po.Str("currency"), "pending_payouts"}] += po.Num("amount")
		}
	}
	for _, s := range sb.store.Coll("settlements").Recs {
		debtor, currency, _ := strings.Cut(s.Ref("debtor"), " ")
		if debtor == c.ID && s.Str("type") != "surcharge_fee" { // fees count once they are deducted
			sums[balance{currency, "confirmed_funds"}] -= s.Num("left")
		}
	}
	return sums
}
