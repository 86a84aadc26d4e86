package gocardlesstest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// The conservation of money, for every sequence of operations: per currency,
//
//	collected = paid out + balance + fees (with their taxes) + refunds + late failures and chargebacks
//
// and every payout is the sum of its items and never negative.

// ledger runs a sequence of steps, encoded in one or two bytes each, on a sandbox.
type ledger struct {
	t    testing.TB
	sb   *Sandbox
	in   []byte
	mans []*record
	refs []*record
}

// ledgerPayers are a payer whose money is not converted, one whose money is converted, one whose
// mandate is submitted with the first payment, and two whose names take the money back after the
// payout.
var ledgerPayers = []struct{ scheme, name string }{
	{"bacs", "Ada"}, {"autogiro", "Ada"}, {"sepa_core", "Ada"}, {"bacs", "Fickle"}, {"sepa_core", "Late"},
}

func newLedger(t testing.TB, in []byte, opts ...Option) *ledger {
	opts = append([]Option{WithFrozenClock(monday), WithRateLimit(0), WithRequestLog(0)}, opts...)
	l := &ledger{t: t, sb: New(opts...), in: in}
	l.do(func(tx *tx) {
		for _, payer := range ledgerPayers {
			customer := tx.make("customers")
			customer.Set("given_name", payer.name)
			tx.add(customer)
			account := tx.addCustomerBankAccount(customer, bankDetails{Country: "GB", Currency: currencyOf(payer.scheme), Key: payer.scheme}, nil)
			m := tx.make("mandates")
			m.Set("scheme", payer.scheme)
			l.mans = append(l.mans, tx.addMandate(m, tx.sb.store.Coll("creditors").Recs[0], customer, account))
		}
	})
	return l
}

// do runs a step.
func (l *ledger) do(f func(*tx)) {
	_ = l.sb.update(func(tx *tx) error { f(tx); return nil })
}

// call runs the handler of an operation, as an API call does after the checks. The handler may refuse.
func (l *ledger) call(name string, target *record, body object) {
	l.do(func(tx *tx) {
		tx.op, tx.target, tx.body, tx.origin = theRegistry().ops[name], target, body, "api"
		res, err := theRegistry().handlers[name](tx)
		switch {
		case err != nil:
		case name == "refunds.create":
			l.refs = append(l.refs, res.rec)
		}
	})
}

func (l *ledger) next() int {
	if len(l.in) == 0 {
		return 0
	}
	b := l.in[0]
	l.in = l.in[1:]
	return int(b)
}

func pickRecord(list []*record, n int) *record {
	if len(list) == 0 {
		return nil
	}
	return list[n%len(list)]
}

var paymentSimulatorNames = simulatorsOf("payments")

func simulatorsOf(resource string) (names []string) {
	for _, s := range api.Simulators {
		if s.Resource == resource {
			names = append(names, s.Name)
		}
	}
	return names
}

// simulate runs a simulator, which may refuse.
func (l *ledger) simulate(name string, r *record) {
	l.do(func(tx *tx) {
		tx.op, tx.id, tx.origin = theRegistry().ops["scenario_simulators.run"], name, "api"
		tx.body = object{{"links", object{{"resource", r.ID}}}}
		_, _ = runSimulator(tx)
	})
}

// step runs the next step of the sequence.
func (l *ledger) step() {
	what, n := l.next(), l.next()
	pay, ref := pickRecord(l.sb.store.Coll("payments").Recs, n), pickRecord(l.refs, n)
	switch kind := what % 16; {
	case kind < 2 || pay == nil:
		amount := int64(1 + n*(1+what/16))
		m := l.mans[n%len(l.mans)]
		body := object{{"amount", amount}, {"currency", currencyOf(m.Str("scheme"))}, {"links", object{{"mandate", m.ID}}}}
		if n%3 == 0 {
			body = append(body, member{"app_fee", amount / 2})
		}
		if n%5 == 0 {
			body = append(body, member{"retry_if_possible", true})
		}
		l.call("payments.create", nil, body)
	case kind < 5:
		l.simulate(paymentSimulatorNames[what/16%len(paymentSimulatorNames)], pay)
	case kind == 5:
		l.sb.Advance(time.Duration(1+what/16) * 24 * time.Hour)
	case kind == 6:
		done := pay.Num("amount_refunded")
		amount := min(int64(1+what), pay.Num("amount")-done)
		l.call("refunds.create", nil, object{{"amount", amount}, {"total_amount_confirmation", done + amount}, {"links", object{{"payment", pay.ID}}}})
	case kind == 7 && ref != nil:
		names := simulatorsOf("refunds")
		l.simulate(names[what/16%len(names)], ref)
	case kind == 8:
		_ = l.sb.ChargeBack(pay.ID)
	case kind == 9:
		_ = l.sb.CancelChargeback(pay.ID)
	case kind == 11:
		m := l.mans[n%len(l.mans)]
		l.call("refunds.create", nil, object{{"amount", int64(1 + what)}, {"links", object{{"mandate", m.ID}}}})
	case kind == 12:
		if po := pickRecord(l.sb.store.Coll("payouts").Recs, n); po != nil {
			l.simulate("payout_bounced", po)
		}
	case kind == 13:
		i := n % len(l.mans)
		if id, err := l.sb.ReplaceMandate(l.mans[i].ID); err == nil {
			l.mans[i] = l.sb.store.Find("mandates", id)
		}
	case kind == 14:
		m := l.mans[n%len(l.mans)]
		l.call("subscriptions.create", nil, object{{"amount", int64(1 + n)}, {"currency", currencyOf(m.Str("scheme"))}, {"interval_unit", "weekly"},
			{"interval", int64(1)}, {"count", int64(2)}, {"links", object{{"mandate", m.ID}}}})
	case kind == 10:
		l.call([]string{"payments.retry", "payments.cancel"}[what/16%2], pay, nil)
	default:
		l.simulate("mandate_activated", pickRecord(l.mans, n))
	}
}

// sums are the sums of money in a currency.
type sums struct{ collected, takenBack, refunds, paidOut, fees, balance int64 }

// audit checks that money is conserved, using what the API shows: events, payouts, their items and
// balances.
func (l *ledger) audit() {
	byCurrency := map[string]*sums{}
	of := func(currency string) *sums {
		if byCurrency[currency] == nil {
			byCurrency[currency] = &sums{}
		}
		return byCurrency[currency]
	}
	st := l.sb.store
	in := map[string]bool{} // payments whose money is collected
	for _, e := range st.Coll("events").Recs {
		if e.Str("resource_type") != "payments" {
			continue
		}
		p := st.Find("payments", e.Link("payment"))
		s := of(p.Str("currency"))
		switch action := e.Str("action"); {
		case action == "confirmed":
			s.collected += p.Num("amount")
			in[p.ID] = true
		case (action == "failed" || action == "charged_back") && in[p.ID]:
			s.takenBack += p.Num("amount")
			in[p.ID] = false
		case action == "chargeback_cancelled":
			s.takenBack -= p.Num("amount")
			in[p.ID] = true
		}
	}
	for _, f := range st.Coll("refunds").Recs {
		if f.Status() == "paid" {
			of(f.Str("currency")).refunds += f.Num("amount")
		}
	}
	for _, po := range st.Coll("payouts").Recs {
		s := of(po.Str("currency"))
		s.paidOut += po.Num("amount")
		s.fees += po.Num("deducted_fees")
		l.auditPayout(po)
	}
	for b, n := range l.sb.balances(st.Coll("creditors").Recs[0]) {
		if b.kind == "confirmed_funds" {
			of(b.currency).balance += n
		}
	}
	for currency, s := range byCurrency {
		if got := s.paidOut + s.balance + s.fees + s.refunds + s.takenBack; got != s.collected {
			l.t.Errorf("%s: collected %d, but %d is accounted for: %+v", currency, s.collected, got, *s)
		}
	}
}

func (l *ledger) auditPayout(po *record) {
	sum, fees := int64(0), int64(0)
	for _, it := range l.sb.store.Coll("payout_items").By("payout", po.ID) {
		whole, _ := strings.CutSuffix(it.Str("amount"), ".0")
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil {
			l.t.Errorf("amount of an item is %q", it.Str("amount"))
		}
		sum += n
		if strings.HasSuffix(it.Str("type"), "_fee") {
			fees -= n
		}
	}
	if sum != po.Num("amount") || fees != po.Num("deducted_fees") || sum < 0 {
		l.t.Errorf("payout %s: %d with fees of %d; its items sum up to %d and %d", po.ID, po.Num("amount"), po.Num("deducted_fees"), sum, fees)
	}
}

// playLedger runs a sequence and audits the sandbox after every step, and again when everything is
// settled.
func playLedger(t testing.TB, in []byte) *ledger {
	opts := []Option{}
	if len(in) > 0 && in[0]%2 == 1 {
		opts = append(opts, WithFeeTaxes(), WithSurchargeFees(35))
	}
	l := newLedger(t, in, opts...)
	for len(l.in) > 0 && !t.Failed() {
		l.step()
		l.audit()
	}
	l.sb.Advance(60 * 24 * time.Hour)
	l.audit()
	if t.Failed() {
		t.Logf("sequence %v", fmt.Sprint(in))
	}
	return l
}

func TestMoneyIsConserved(t *testing.T) {
	withoutRace(t)
	atSpeed(t)
	n := 4000
	if testing.Short() {
		n = 400
	}
	reached := map[string]bool{}
	for seed := range uint64(n) {
		in := make([]byte, 8+seed%60)
		for i := range in {
			in[i] = byte(store.Mix(seed<<16 + uint64(i)))
		}
		l := playLedger(t, in)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		for _, e := range l.sb.store.Coll("events").Recs {
			reached[e.Str("resource_type")+"."+e.Str("action")] = true
		}
	}
	// The sequences must reach every event that moves money.
	for _, name := range []string{
		"payments.paid_out", "payments.failed", "payments.late_failure_settled", "payments.charged_back", "payments.chargeback_cancelled",
		"payments.chargeback_settled", "payments.surcharge_fee_debited", "payments.resubmission_requested", "refunds.paid", "refunds.refund_settled",
		"refunds.failed", "refunds.funds_returned", "payouts.fx_rate_confirmed", "creditors.bounced_payout", "mandates.replaced", "subscriptions.finished",
	} {
		if !reached[name] {
			t.Errorf("no sequence leads to %s", name)
		}
	}
}

func FuzzMoneyIsConserved(f *testing.F) {
	atSpeed(f)
	f.Add([]byte{0, 10, 11, 0, 27, 0, 8, 0, 0, 200, 5, 0, 5, 0})
	f.Add([]byte("payments, simulators, refunds, retries and time"))
	f.Fuzz(func(t *testing.T, in []byte) { playLedger(t, in[:min(len(in), 200)]) })
}
