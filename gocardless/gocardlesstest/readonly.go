package gocardlesstest

import (
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Resources with little behaviour: read-only lists with a default state, and the check of a payer's
// funds.

// genericFamily comes last, because it also gives a collection to every resource that no other family
// declares.
func genericFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "tax_rates", IDForm: store.IDNamed})
	r.collection(store.CollectionSpec{Name: "currency_exchange_rates", Prefix: "FX"})
	r.collection(store.CollectionSpec{Name: "exports"})
	r.collection(store.CollectionSpec{Name: "negative_balance_limits"})
	r.filter("negative_balance_limits.list", "creditor", func(l *record, id string) bool { return l.Link("creditor") == id })
	r.owner("funds_availability.check", "mandates")
	r.on("funds_availability.check", checkFunds)

	r.seed(seedLists)
	for i := range api.Operations {
		op := &api.Operations[i]
		if !r.hasCollection(op.Resource()) && op.Result != nil {
			r.collection(store.CollectionSpec{Name: op.Resource()})
		}
	}
}

// seedLists fills the lists that the API only reads.
func seedLists(tx *tx) {
	for _, t := range []struct{ id, percentage, start, end string }{
		{"GB_VAT_1", "20.0", "2011-01-04", ""}, {"GB_VAT_0", "17.5", "2010-01-01", "2011-01-03"},
		{"FR_VAT_1", "20.0", "2014-01-01", ""}, {"DE_VAT_1", "19.0", "2021-01-01", ""},
	} {
		r := tx.make("tax_rates")
		r.ID = t.id
		r.Set("jurisdiction", t.id[:2])
		r.Set("percentage", t.percentage)
		r.Set("type", "VAT")
		r.Set("start_date", t.start)
		r.Set("end_date", nilIfEmpty(t.end))
		tx.add(r)
	}
	for _, x := range []struct{ source, target, rate string }{
		{"EUR", "GBP", "0.8642"}, {"GBP", "EUR", "1.1571"}, {"GBP", "USD", "1.3412"}, {"USD", "GBP", "0.7456"}, {"SEK", "GBP", "0.0784"},
		{"AUD", "GBP", "0.4874"}, {"CAD", "GBP", "0.5342"}, {"DKK", "GBP", "0.1158"}, {"NZD", "GBP", "0.4312"},
	} {
		r := tx.make("currency_exchange_rates")
		r.Set("source", x.source)
		r.Set("target", x.target)
		r.Set("rate", x.rate)
		r.Set("time", tx.timestamp())
		tx.add(r)
	}
	e := tx.make("exports")
	e.Set("export_type", "payments_index")
	e.Set("currency", "GBP")
	e.Set("download_url", "https://exports.example.com/payments.csv")
	tx.add(e)
	creditor := tx.sb.store.Coll("creditors").Recs[0]
	l := tx.make("negative_balance_limits")
	l.Set("balance_limit", 10_000_00)
	l.Set("currency", "GBP")
	l.Set("links", object{{"creditor", creditor.ID}})
	tx.add(l)
}

// checkFunds asks the payer's bank, for a mandate of variable recurring payments. The sandbox's payers
// have less than 10,000.00 in their accounts.
func checkFunds(tx *tx) (result, error) {
	if !mandateUsable(tx.target.Status()) {
		return result{}, api.Refuse("mandate_is_inactive", "Mandate is failed, cancelled or expired")
	}
	v := tx.query.Get("amount")
	if !onlyDigits.MatchString(v) {
		e := api.Refuse("invalid_filters", "amount must be a positive number")
		e.Items[0].Field = "amount"
		return result{}, e
	}
	return result{obj: object{{"available", len(strings.TrimLeft(v, "0")) < 7}}}, nil
}
