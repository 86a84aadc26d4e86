package gocardlesstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// gross returns the sum of what all payouts paid out for payments, less what they took back.
func (w *world) gross() int64 {
	w.t.Helper()
	sum := int64(0)
	for _, po := range w.list("/payouts?limit=500") {
		sum += po.Num("amount") + po.Num("deducted_fees")
	}
	return sum
}

// activeWorld returns a world with an active mandate.
func activeWorld(t testing.TB, opts ...Option) *world {
	w := newWorld(t, opts...)
	w.simulate("mandate_activated", w.mandate)
	return w
}

// Money that is taken back after the payout is deducted from the next payout, whatever the reason, and
// then reported.
func TestTakenBackAfterPayout(t *testing.T) {
	for name, settled := range map[string]string{"payment_late_failure": "late_failure_settled", "payment_charged_back": "chargeback_settled"} {
		w := activeWorld(t)
		id := w.pay("10000")
		w.simulate("payment_paid_out", id)
		w.sb.Advance(5 * days) // paid out days ago
		w.simulate(name, id)
		w.pay("30000")
		w.sb.Advance(60 * days)
		if got := w.gross(); got != 30000 {
			t.Errorf("%s: gross of all payouts is %d, want 30000", name, got)
		}
		if got := w.eventsOf("payment", id); !strings.HasSuffix(got, " "+settled) {
			t.Errorf("%s: events %q, want %s at the end", name, got, settled)
		}
		w.checkPayouts()
	}
}

// The simulators of settlements work once on a payment that was already taken back.
func TestSettledSimulators(t *testing.T) {
	for before, name := range map[string]string{"payment_late_failure": "payment_late_failure_settled", "payment_charged_back": "payment_chargeback_settled"} {
		w := activeWorld(t)
		id := w.pay("10000")
		w.simulate(before, id)
		w.simulate(name, id)
		w.cannotSimulate(name, id)
		w.pay("30000")
		w.sb.Advance(60 * days)
		if got := w.gross(); got != 30000 {
			t.Errorf("%s: gross of all payouts is %d, want 30000", name, got)
		}
		if n := strings.Count(w.eventsOf("payment", id), "settled"); n != 1 {
			t.Errorf("%s: %d events of a settlement, want 1", name, n)
		}
	}
}

// A payment that a simulator leaves unfinished continues by date.
func TestSimulatedPaymentsGoOn(t *testing.T) {
	for _, name := range []string{"payment_submitted", "payment_confirmed"} {
		w := activeWorld(t)
		id := w.pay("10000")
		w.simulate(name, id)
		w.sb.Advance(14 * days)
		if got := w.eventsOf("payment", id); got != "created submitted confirmed paid_out" {
			t.Errorf("%s: events %q", name, got)
		}
		w = activeWorld(t, WithoutBankTimings())
		id = w.pay("10000")
		w.simulate(name, id)
		w.sb.Advance(14 * days)
		if got := w.status("payments", id); got != strings.TrimPrefix(name, "payment_") {
			t.Errorf("%s without bank timings: payment is %s", name, got)
		}
	}
}

// A debt that exceeds the next payout is carried over to later ones.
func TestDebtIsCarried(t *testing.T) {
	w := activeWorld(t)
	id := w.pay("50000")
	w.simulate("payment_charged_back", id)
	for range 3 {
		w.pay("20000")
		w.sb.Advance(14 * days)
	}
	var amounts []int64
	for _, po := range w.list("/payouts") {
		amounts = append(amounts, po.Num("amount"))
		if po.Num("amount") < 0 {
			t.Errorf("payout %v is negative", po)
		}
	}
	// 50000 less its fee; then nothing, nothing, and what three payments less their fees exceed the debt by.
	if want := []int64{3*(20000-220) - 50000, 0, 0, 50000 - 400}; !slices.Equal(amounts, want) {
		t.Errorf("payouts of %v, want %v", amounts, want)
	}
	if got := w.eventsOf("payment", id); !strings.HasSuffix(got, " chargeback_settled") {
		t.Errorf("events %q", got)
	}
	w.checkPayouts()
}

// A payout is not negative either if the partner's fee leaves nothing for GoCardless's fee.
func TestFeesLeaveNothing(t *testing.T) {
	w := activeWorld(t, WithFeeTaxes())
	id := w.ok("POST", "/payments", `{"payments":{"amount":100,"app_fee":90,"currency":"GBP","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	w.simulate("payment_paid_out", id)
	if po := w.list("/payouts")[0]; po.Num("amount") != 0 || po.Num("deducted_fees") != 100 {
		t.Errorf("payout is %v", po)
	}
	w.checkPayouts()
}

func TestChargeBack(t *testing.T) {
	w := activeWorld(t)
	id := w.pay("1000")
	if err := w.sb.ChargeBack(id); err == nil {
		t.Error("a payment that was not collected was charged back")
	}
	w.simulate("payment_paid_out", id)
	w.sb.Advance(90 * days)
	w.must(w.sb.ChargeBack(id))
	if s := w.status("payments", id); s != "charged_back" {
		t.Errorf("payment is %s", s)
	}
	if err := w.sb.ChargeBack(id); err == nil {
		t.Error("a payment was charged back twice")
	}
	// Nothing is deducted for a chargeback before the payout, and after its cancellation the payment is paid out.
	id = w.pay("2000")
	w.simulate("payment_confirmed", id)
	w.must(w.sb.ChargeBack(id))
	w.sb.Advance(30 * days)
	w.must(w.sb.CancelChargeback(id))
	w.sb.Advance(30 * days)
	if s := w.status("payments", id); s != "paid_out" {
		t.Errorf("after the chargeback was cancelled the payment is %s", s)
	}
	if got := w.gross(); got != 2000 {
		t.Errorf("gross of all payouts is %d, want 2000", got)
	}
}

// What was still to be collected under a replaced mandate is collected under its successor.
func TestReplacedMandateGoesOn(t *testing.T) {
	w := newWorld(t)
	pm := w.pay("1000")
	sb := w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":500,"currency":"GBP","interval_unit":"weekly","count":3,"links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	next, err := w.sb.ReplaceMandate(w.mandate)
	w.must(err)
	w.sb.Advance(60 * days)
	if s := w.status("mandates", next); s != "active" {
		t.Errorf("the new mandate is %s", s)
	}
	p := w.ok("GET", "/payments/"+pm, "")
	if p.Str("status") != "paid_out" || p.Obj("links").Str("mandate") != next {
		t.Errorf("the pending payment is %v", p)
	}
	s := w.ok("GET", "/subscriptions/"+sb, "")
	if s.Str("status") != "finished" || s.Obj("links").Str("mandate") != next {
		t.Errorf("the subscription is %v", s)
	}
	if got := w.list("/payments?status=paid_out&mandate=" + next); len(got) != 4 {
		t.Errorf("%d payments under the new mandate, want 4", len(got))
	}
}

// An account without its own service user number cannot set references.
func TestBacsReference(t *testing.T) {
	body := func(w *world) string {
		return `{"payments":{"amount":100,"currency":"GBP","reference":"ORDER-1","links":{"mandate":"` + w.mandate + `"}}}`
	}
	w := newWorld(t)
	w.ok("POST", "/payments", body(w))
	w = newWorld(t, WithoutServiceUserNumber())
	w.refused(422, "/payments/reference", "POST", "/payments", body(w))
	w.payUnder(w.mandate, "GBP")
}

// Money in a currency for which the creditor has no account is converted when it is paid.
func TestCurrencyConversion(t *testing.T) {
	w := newWorld(t, WithFeeTaxes())
	m := w.mandateFor("autogiro")
	w.simulate("mandate_activated", m)
	w.simulate("payment_paid_out", w.payUnder(m, "SEK"))
	po := w.list("/payouts?currency=SEK")[0]
	fx := po.Obj("fx")
	if net := po.Num("amount"); fx.Str("fx_currency") != "GBP" || fx.Str("exchange_rate") != "0.0784" || fx.Num("fx_amount") != convert(net, "0.0784") || po.Str("tax_currency") != "GBP" {
		t.Errorf("payout is %v", po)
	}
	if got := w.eventsOf("payout", po.Str("id")); got != "fx_rate_confirmed tax_exchange_rates_confirmed paid" {
		t.Errorf("events %q", got)
	}
	for _, it := range w.list("/payout_items?payout=" + po.Str("id")) {
		if it.Str("type") != "gocardless_fee" {
			continue
		}
		// A fee of 70 with VAT of 20 per cent.
		tax, _ := it.List("taxes")[0].(object)
		if it.Str("amount") != "-84.0" || tax.Str("amount") != "14.0" || tax.Str("destination_amount") != "1.0" || tax.Str("tax_rate_id") != "GB_VAT_1" || tax.Str("exchange_rate") != "0.0784" {
			t.Errorf("fee is %v", it)
		}
	}
	w.checkPayouts()
}

func TestSurchargeFees(t *testing.T) {
	w := activeWorld(t, WithSurchargeFees(500))
	id := w.pay("1000")
	w.simulate("payment_failed", id)
	w.simulate("payment_paid_out", w.pay("20000"))
	if po := w.list("/payouts")[0]; po.Num("amount") != 20000-220-500 || po.Num("deducted_fees") != 720 {
		t.Errorf("payout is %v", po)
	}
	if got := w.eventsOf("payment", id); got != "created submitted failed surcharge_fee_debited" {
		t.Errorf("events %q", got)
	}
	w.checkPayouts()
}

// Every event of the API can occur: Emit creates those that no life cycle causes.
func TestEveryEventCanBeEmitted(t *testing.T) {
	w := newWorld(t)
	if _, err := w.sb.Emit(Event{Type: "payments.teleported", Resource: "PM1"}); err == nil {
		t.Error("an event that the API does not have was emitted")
	}
	if _, err := w.sb.Emit(Event{Type: "payments.confirmed", Resource: "PM0"}); err == nil {
		t.Error("an event about a payment that does not exist was emitted")
	}
	for i := range api.Events {
		spec := &api.Events[i]
		var id string
		w.must(w.sb.update(func(tx *tx) error {
			c := tx.sb.store.Coll(spec.Resource)
			if len(c.Recs) == 0 {
				r := tx.make(spec.Resource)
				tx.add(r)
			}
			id = c.Recs[0].ID
			return nil
		}))
		_, err := w.sb.Emit(Event{Type: spec.Resource + "." + spec.Action, Resource: id})
		w.must(err)
	}
	w.strict = true
	seen := map[string]bool{}
	for _, e := range w.list("/events?limit=500") {
		seen[e.Str("resource_type")+"."+e.Str("action")] = true
	}
	for _, spec := range api.Events {
		if !seen[spec.Resource+"."+spec.Action] {
			t.Errorf("%s.%s was not emitted", spec.Resource, spec.Action)
		}
	}
}
