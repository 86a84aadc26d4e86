package gocardlesstest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (w *world) subscribe(rest string) object {
	w.t.Helper()
	return w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":500,"currency":"GBP",`+rest+`,"links":{"mandate":"`+w.mandate+`"}}}`)
}

func upcoming(s object) []string {
	out := []string{}
	for _, v := range s.List("upcoming_payments") {
		out = append(out, v.(object).Str("charge_date"))
	}
	return out
}

func TestSubscriptionDates(t *testing.T) {
	w := newWorld(t)
	for _, x := range []struct {
		rest  string
		n     int
		first []string
	}{
		// Each date moves to a working day separately: 20 September and 20 December 2026 are Sundays.
		{`"interval_unit":"monthly","start_date":"2026-09-20"`, 10, []string{"2026-09-21", "2026-10-20", "2026-11-20", "2026-12-21", "2027-01-20"}},
		{`"interval_unit":"monthly","day_of_month":1`, 10, []string{"2026-10-01", "2026-11-02", "2026-12-01"}},
		{`"interval_unit":"monthly","day_of_month":-1`, 10, []string{"2026-09-30", "2026-10-30", "2026-11-30", "2026-12-31"}},
		{`"interval_unit":"monthly","day_of_month":-1,"interval":2`, 10, []string{"2026-09-30", "2026-11-30", "2027-01-29"}},
		{`"interval_unit":"monthly","start_date":"2027-01-31"`, 10, []string{"2027-02-01", "2027-03-01", "2027-03-31"}},
		{`"interval_unit":"weekly","interval":2,"count":3`, 3, []string{"2026-09-18", "2026-10-02", "2026-10-16"}},
		{`"interval_unit":"yearly","day_of_month":5,"month":"march"`, 10, []string{"2027-03-05", "2028-03-06"}},
		{`"interval_unit":"yearly","day_of_month":15,"month":"october"`, 10, []string{"2026-10-15", "2027-10-15"}},
		{`"interval_unit":"monthly","start_date":"2026-09-25","end_date":"2026-12-24"`, 3, []string{"2026-09-25", "2026-10-26", "2026-11-25"}},
		{`"interval_unit":"weekly"`, 10, []string{"2026-09-18", "2026-09-25"}},
	} {
		s := w.subscribe(x.rest)
		got := upcoming(s)
		if len(got) != x.n || !slices.Equal(got[:len(x.first)], x.first) {
			t.Errorf("%s: %d dates %v, want %d that begin with %v", x.rest, len(got), got, x.n, x.first)
		}
		if s.Str("status") != "active" {
			t.Errorf("%s: %s", x.rest, s.Str("status"))
		}
	}
}

func TestSubscriptionRefusals(t *testing.T) {
	w := newWorld(t)
	for rest, pointer := range map[string]string{
		`"interval_unit":"monthly","interval":13`:                                         "interval",
		`"interval_unit":"weekly","interval":53`:                                          "interval",
		`"interval_unit":"yearly","interval":2`:                                           "interval",
		`"interval_unit":"monthly","interval":0`:                                          "interval",
		`"interval_unit":"monthly","day_of_month":29`:                                     "day_of_month",
		`"interval_unit":"monthly","day_of_month":0`:                                      "day_of_month",
		`"interval_unit":"yearly","month":"march"`:                                        "day_of_month",
		`"interval_unit":"yearly","day_of_month":5`:                                       "day_of_month",
		`"interval_unit":"monthly","day_of_month":5,"month":"march"`:                      "month",
		`"interval_unit":"weekly","day_of_month":5`:                                       "day_of_month",
		`"interval_unit":"monthly","start_date":"2026-09-15"`:                             "start_date",
		`"interval_unit":"monthly","count":0`:                                             "count",
		`"interval_unit":"monthly","count":2,"end_date":"2027-01-01"`:                     "end_date",
		`"interval_unit":"monthly","end_date":"2026-09-01"`:                               "end_date",
		`"interval_unit":"monthly","name":"` + strings.Repeat("n", 256) + `"`:             "name",
		`"interval_unit":"monthly","payment_reference":"` + strings.Repeat("n", 11) + `"`: "payment_reference",
	} {
		w.refused(422, "/subscriptions/"+pointer, "POST", "/subscriptions", `{"subscriptions":{"amount":500,"currency":"GBP",`+rest+`,"links":{"mandate":"`+w.mandate+`"}}}`)
	}
	w.refused(422, "/subscriptions/amount", "POST", "/subscriptions", `{"subscriptions":{"amount":0,"currency":"GBP","interval_unit":"monthly","links":{"mandate":"`+w.mandate+`"}}}`)
	w.refused(422, "/subscriptions/currency", "POST", "/subscriptions", `{"subscriptions":{"amount":1,"currency":"USD","interval_unit":"monthly","links":{"mandate":"`+w.mandate+`"}}}`)
}

func TestSubscriptionMakesPayments(t *testing.T) {
	w := newWorld(t)
	s := w.subscribe(`"interval_unit":"monthly","start_date":"2026-10-20","count":3,"name":"Gym","payment_reference":"GYM","metadata":{"a":"b"}`)
	id := s.Str("id")
	if s.Str("end_date") != "2026-12-21" {
		t.Errorf("end_date is %v", s.Get("end_date"))
	}
	if n := len(w.list("/payments?subscription=" + id)); n != 0 {
		t.Errorf("%d payments five weeks before the first date", n)
	}
	w.sb.AdvanceTo(time.Date(2026, 10, 19, 12, 0, 0, 0, time.UTC))
	ps := w.list("/payments?subscription=" + id)
	if len(ps) != 1 || ps[0].Str("charge_date") != "2026-10-20" || ps[0].Str("description") != "Gym" || ps[0].Str("reference") != "GYM" || ps[0].Num("amount") != 500 {
		t.Fatalf("payments are %v", ps)
	}
	if got := upcoming(w.ok("GET", "/subscriptions/"+id, "")); !slices.Equal(got, []string{"2026-11-20", "2026-12-21"}) {
		t.Errorf("upcoming payments are %v", got)
	}
	e := w.list("/events?subscription=" + id + "&action=payment_created")[0]
	if e.Obj("links").Str("payment") != ps[0].Str("id") {
		t.Errorf("event is %v", e)
	}
	w.sb.AdvanceTo(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC))
	dates := []string{}
	for _, p := range w.list("/payments?subscription=" + id) {
		dates = append(dates, p.Str("charge_date")+" "+p.Str("status"))
	}
	if want := []string{"2026-12-21 paid_out", "2026-11-20 paid_out", "2026-10-20 paid_out"}; !slices.Equal(dates, want) {
		t.Errorf("payments are %v, want %v", dates, want)
	}
	if st := w.status("subscriptions", id); st != "finished" {
		t.Errorf("subscription is %s", st)
	}
	w.wantActions("subscription", id, "created", "payment_created", "payment_created", "payment_created", "finished")
	w.refused(422, "cancellation_failed", "POST", "/subscriptions/"+id+"/actions/cancel", "")
	w.refused(422, "subscription_already_ended", "PUT", "/subscriptions/"+id, `{"subscriptions":{"amount":1000}}`)
	w.refused(422, "subscription_already_ended", "POST", "/subscriptions/"+id+"/actions/pause", `{"data":{}}`)
	w.ok("PUT", "/subscriptions/"+id, `{"subscriptions":{"metadata":{"c":"d"}}}`)
}

func TestSubscriptionPause(t *testing.T) {
	w := newWorld(t)
	id := w.subscribe(`"interval_unit":"monthly","start_date":"2026-10-20","count":4`).Str("id")
	pause, resume := "/subscriptions/"+id+"/actions/pause", "/subscriptions/"+id+"/actions/resume"
	w.refused(422, "subscription_not_paused", "POST", resume, `{"data":{}}`)
	w.refused(422, "/data/pause_cycles", "POST", pause, `{"data":{"pause_cycles":0}}`)
	s := w.ok("POST", pause, `{"data":{}}`)
	if s.Str("status") != "paused" || len(upcoming(s)) != 0 || s.Get("end_date") != nil || s.Str("earliest_charge_date_after_resume") != "2026-10-20" {
		t.Errorf("paused: %v", s)
	}
	w.refused(422, "subscription_cannot_be_paused", "POST", pause, `{"data":{}}`)
	w.sb.AdvanceTo(time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC))
	if n := len(w.list("/payments?subscription=" + id)); n != 0 {
		t.Errorf("%d payments while paused", n)
	}
	earliest := w.ok("GET", "/subscriptions/"+id, "").Str("earliest_charge_date_after_resume")
	s = w.ok("POST", resume, `{"data":{}}`)
	if got := upcoming(s); len(got) != 4 || got[0] != earliest || got[0] != "2026-11-20" || s.Has("earliest_charge_date_after_resume") || s.Str("end_date") != "2027-02-22" {
		t.Errorf("resumed, earliest was %s: %v", earliest, s)
	}
	s = w.ok("POST", pause, `{"data":{"pause_cycles":2}}`)
	if got := upcoming(s); s.Str("status") != "paused" || len(got) != 4 || got[0] != "2027-01-20" || s.Str("end_date") != "2027-04-20" {
		t.Errorf("paused for two cycles: %v", s)
	}
	w.refused(422, "subscription_paused_cannot_update_cycles", "POST", pause, `{"data":{"pause_cycles":3}}`)
	w.sb.AdvanceTo(time.Date(2027, 1, 25, 9, 0, 0, 0, time.UTC))
	ps := w.list("/payments?subscription=" + id)
	if len(ps) != 1 || ps[0].Str("charge_date") != "2027-01-20" || w.status("subscriptions", id) != "active" {
		t.Errorf("after the cycles: %v, %s", ps, w.status("subscriptions", id))
	}
	w.wantActions("subscription", id, "created", "paused", "resumed", "paused", "resumed", "payment_created")

	ends := w.subscribe(`"interval_unit":"monthly","end_date":"2028-01-01"`).Str("id")
	w.refused(422, "subscription_cannot_be_paused", "POST", "/subscriptions/"+ends+"/actions/pause", `{"data":{}}`)
	endless := w.subscribe(`"interval_unit":"monthly"`).Str("id")
	w.ok("POST", "/subscriptions/"+endless+"/actions/pause", `{"data":{"pause_cycles":3}}`)
	// A limited pause can become an open one.
	if s := w.ok("POST", "/subscriptions/"+endless+"/actions/pause", `{"data":{}}`); len(upcoming(s)) != 0 {
		t.Errorf("upcoming payments of an open pause: %v", upcoming(s))
	}
	w.ok("POST", "/subscriptions/"+endless+"/actions/cancel", "")
}

func TestSubscriptionAmendments(t *testing.T) {
	w := newWorld(t)
	id := w.subscribe(`"interval_unit":"monthly","start_date":"2026-10-20"`).Str("id")
	for i := range maxAmendments {
		s := w.ok("PUT", "/subscriptions/"+id, `{"subscriptions":{"amount":`+strconv.Itoa(600+i)+`}}`)
		if s.List("upcoming_payments")[0].(object).Num("amount") != int64(600+i) {
			t.Fatalf("upcoming payments of %v", s)
		}
	}
	w.refused(422, "number_of_subscription_amendments_exceeded", "PUT", "/subscriptions/"+id, `{"subscriptions":{"amount":1}}`)
	w.ok("PUT", "/subscriptions/"+id, `{"subscriptions":{"name":"Still free"}}`)
	w.refused(422, "/subscriptions/payment_reference", "PUT", "/subscriptions/"+id, `{"subscriptions":{"payment_reference":"12345678901"}}`)
	pm := func() int { return len(w.list("/payments?subscription=" + id)) }
	w.sb.AdvanceTo(time.Date(2026, 10, 19, 12, 0, 0, 0, time.UTC))
	if pm() != 1 {
		t.Fatalf("%d payments", pm())
	}
	s := w.ok("POST", "/subscriptions/"+id+"/actions/cancel", "")
	if s.Str("status") != "cancelled" || len(upcoming(s)) != 0 {
		t.Errorf("cancelled: %v", s)
	}
	w.sb.Advance(200 * days)
	if p := w.list("/payments?subscription=" + id); len(p) != 1 || p[0].Str("status") != "paid_out" {
		t.Errorf("payments after the cancellation: %v; existing ones must continue", p)
	}
}

func TestInstalmentSchedules(t *testing.T) {
	w := newWorld(t)
	create := func(rest string) string {
		return `{"instalment_schedules":{"name":"Bill","currency":"GBP",` + rest + `,"links":{"mandate":"` + w.mandate + `"}}}`
	}
	two := `"total_amount":300,"instalments":[{"amount":100,"charge_date":"2026-10-01","description":"first"},{"amount":200,"charge_date":"2026-11-01"}]`
	s := w.ok("POST", "/instalment_schedules", create(two))
	id := s.Str("id")
	if s.Str("status") != "pending" || s.Obj("links").Has("payments") {
		t.Errorf("at first: %v", s)
	}
	w.sb.Advance(time.Second)
	s = w.ok("GET", "/instalment_schedules/"+id, "")
	if s.Str("status") != "active" || len(s.Obj("links").List("payments")) != 2 {
		t.Fatalf("after a second: %v", s)
	}
	p := w.ok("GET", "/payments/"+s.Obj("links").List("payments")[1].(string), "")
	if p.Str("charge_date") != "2026-11-02" || p.Num("amount") != 200 || p.Obj("links").Str("instalment_schedule") != id || p.Str("description") != "Bill" {
		t.Errorf("second payment is %v", p)
	}
	w.sb.Advance(90 * days)
	if st := w.status("instalment_schedules", id); st != "completed" {
		t.Errorf("after all: %s", st)
	}
	w.wantActions("instalment_schedule", id, "created", "completed")
	w.refused(422, "cancellation_failed", "POST", "/instalment_schedules/"+id+"/actions/cancel", "")

	series := w.ok("POST", "/instalment_schedules", create(`"total_amount":600,"instalments":{"amounts":[100,200,300],"interval":1,"interval_unit":"monthly","start_date":"2027-01-31"}`)).Str("id")
	w.sb.Advance(time.Second)
	got := []string{}
	for _, v := range w.ok("GET", "/instalment_schedules/"+series, "").Obj("links").List("payments") {
		p := w.ok("GET", "/payments/"+v.(string), "")
		got = append(got, p.Str("charge_date")+" "+strconv.FormatInt(p.Num("amount"), 10))
	}
	if want := []string{"2027-02-01 100", "2027-03-01 200", "2027-03-31 300"}; !slices.Equal(got, want) {
		t.Errorf("series: %v, want %v", got, want)
	}
	w.ok("POST", "/instalment_schedules/"+series+"/actions/cancel", "")
	for _, p := range w.list("/payments?status=cancelled") {
		if e := w.list("/events?payment=" + p.Str("id") + "&action=cancelled")[0]; e.Obj("details").Str("cause") != "instalment_schedule_cancelled" || !e.Obj("links").Has("parent_event") {
			t.Errorf("event is %v", e)
		}
	}

	w.refused(422, "/instalment_schedules/total_amount", "POST", "/instalment_schedules", create(strings.Replace(two, "300", "301", 1)))
	w.refused(400, "/instalment_schedules", "POST", "/instalment_schedules", create(strings.Replace(two, "total_amount", "amount", 1)))
	w.refused(422, "/instalment_schedules/instalments", "POST", "/instalment_schedules", create(`"total_amount":300,"instalments":[]`))
	w.refused(422, "/instalment_schedules/instalments/1/amount", "POST", "/instalment_schedules", create(strings.Replace(two, "200", "0", 1)))
	early := w.ok("POST", "/instalment_schedules", create(two)).Str("id") // its dates have passed
	w.sb.Advance(time.Second)
	s = w.ok("GET", "/instalment_schedules/"+early, "")
	if s.Str("status") != "creation_failed" || len(s.Obj("payment_errors").List("0")) != 1 || s.Obj("links").Has("payments") {
		t.Errorf("with dates in the past: %v", s)
	}
}

func TestInstalmentsThatFail(t *testing.T) {
	w := newWorld(t, WithInstalmentDelay(0))
	id := w.ok("POST", "/instalment_schedules", `{"instalment_schedules":{"name":"Faily","currency":"GBP","total_amount":100,"instalments":[{"amount":100,"charge_date":"2026-10-01"}],"links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	if st := w.status("instalment_schedules", id); st != "active" {
		t.Fatalf("without delay: %s", st)
	}
	w.sb.AdvanceTo(time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC))
	if st := w.status("instalment_schedules", id); st != "errored" {
		t.Errorf("after the date: %s", st)
	}
	pm := w.list("/payments?status=failed")[0].Str("id")
	w.ok("POST", "/payments/"+pm+"/actions/retry", "")
	w.step(func(tx *tx) {
		p := tx.find("payments", pm)
		tx.submitPayment(p)
		tx.confirmPayment(p)
	})
	w.wantActions("instalment_schedule", id, "created", "errored", "resumed")
	if st := w.status("instalment_schedules", id); st != "active" {
		t.Errorf("after the retry: %s", st)
	}
}

// paidOut creates a payment and advances the clock until it is paid out.
func (w *world) paidOut(amount string) string {
	w.t.Helper()
	id := w.pay(amount)
	w.sb.Advance(14 * days)
	if s := w.status("payments", id); s != "paid_out" {
		w.t.Fatalf("payment is %s", s)
	}
	return id
}

func TestRefunds(t *testing.T) {
	w := newWorld(t)
	pm := w.paidOut("1000")
	create := func(rest string) string {
		return `{"refunds":{` + rest + `,"links":{"payment":"` + pm + `"}}}`
	}
	rf := w.ok("POST", "/refunds", create(`"amount":300,"total_amount_confirmation":300,"reference":"BACK"`))
	if rf.Str("status") != "pending_submission" || rf.Str("currency") != "GBP" || rf.Obj("links").Str("mandate") != w.mandate {
		t.Errorf("refund is %v", rf)
	}
	if n := w.ok("GET", "/payments/"+pm, "").Num("amount_refunded"); n != 300 {
		t.Errorf("amount_refunded is %d", n)
	}
	w.refused(422, "total_amount_confirmation_invalid", "POST", "/refunds", create(`"amount":300,"total_amount_confirmation":300`))
	w.refused(422, "/refunds/total_amount_confirmation", "POST", "/refunds", create(`"amount":300`))
	e := w.refused(422, "/refunds/amount", "POST", "/refunds", create(`"amount":701,"total_amount_confirmation":1001`))
	if e.Obj("metadata").Num("maximum_amount") != 700 {
		t.Errorf("problem is %v", e)
	}
	w.ok("POST", "/refunds", create(`"amount":700,"total_amount_confirmation":1000`))
	open := w.pay("100")
	w.refused(422, "refund_payment_invalid_state", "POST", "/refunds", `{"refunds":{"amount":10,"total_amount_confirmation":10,"links":{"payment":"`+open+`"}}}`)
	w.refused(422, "/refunds/links/payment", "POST", "/refunds", `{"refunds":{"amount":10,"links":{}}}`)
	w.refused(422, "link_not_found", "POST", "/refunds", `{"refunds":{"amount":10,"links":{"payment":"PM0"}}}`)
	m := w.ok("POST", "/refunds", `{"refunds":{"amount":55,"links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	if got := w.list("/refunds?refund_type=mandate"); len(got) != 1 || got[0].Str("id") != m {
		t.Errorf("mandate refunds: %v", got)
	}
	if got := w.list("/refunds?refund_type=payment"); len(got) != 2 {
		t.Errorf("payment refunds: %v", got)
	}
	w.sb.Advance(7 * days)
	if s := w.status("refunds", rf.Str("id")); s != "paid" {
		t.Errorf("after a week: %s", s)
	}
	w.wantActions("refund", rf.Str("id"), "created", "paid")
	// The refunds are deducted from the next payout.
	w.pay("5000")
	w.sb.Advance(14 * days)
	w.wantActions("refund", rf.Str("id"), "created", "paid", "refund_settled")
	w.checkPayouts()
}

func TestRefundSwitches(t *testing.T) {
	off := newWorld(t, WithoutRefunds())
	pm := off.paidOut("100")
	off.refused(403, "forbidden", "POST", "/refunds", `{"refunds":{"amount":10,"total_amount_confirmation":10,"links":{"payment":"`+pm+`"}}}`)
	if off.ok("GET", "/creditors/"+off.creditor, "").Flag("can_create_refunds") {
		t.Error("can_create_refunds is true")
	}
	two := newWorld(t, WithRefundLimit(2), WithoutRefundConfirmation())
	pm = two.paidOut("100")
	for range 2 {
		two.ok("POST", "/refunds", `{"refunds":{"amount":10,"links":{"payment":"`+pm+`"}}}`)
	}
	two.refused(422, "number_of_refunds_exceeded", "POST", "/refunds", `{"refunds":{"amount":10,"links":{"payment":"`+pm+`"}}}`)
}

// checkPayouts checks that every payout is the sum of its items.
func (w *world) checkPayouts() {
	w.t.Helper()
	for _, po := range w.list("/payouts?limit=500") {
		sum, fees := int64(0), int64(0)
		for _, it := range w.list("/payout_items?limit=500&payout=" + po.Str("id")) {
			whole, ok := strings.CutSuffix(it.Str("amount"), ".0")
			n, err := strconv.ParseInt(whole, 10, 64)
			if !ok || err != nil {
				w.t.Fatalf("amount of an item is %q", it.Str("amount"))
			}
			sum += n
			if strings.HasSuffix(it.Str("type"), "_fee") {
				fees -= n
			}
		}
		if sum != po.Num("amount") || fees != po.Num("deducted_fees") {
			w.t.Errorf("payout %s: %d with fees of %d; its items sum up to %d and %d", po.Str("id"), po.Num("amount"), po.Num("deducted_fees"), sum, fees)
		}
	}
}

func TestPayouts(t *testing.T) {
	w := newWorld(t)
	first, second := w.pay("1000"), w.pay("2000")
	w.sb.Advance(14 * days)
	pos := w.list("/payouts")
	if len(pos) != 1 {
		t.Fatalf("%d payouts for two payments of one day, want 1", len(pos))
	}
	po := pos[0]
	if po.Num("amount") != 3000-30-40 || po.Num("deducted_fees") != 70 || po.Str("status") != "paid" || po.Str("arrival_date") == "" || !po.Obj("links").Has("creditor_bank_account") {
		t.Errorf("payout is %v", po)
	}
	for _, id := range []string{first, second} {
		if got := w.ok("GET", "/payments/"+id, "").Obj("links").Str("payout"); got != po.Str("id") {
			t.Errorf("payment %s is in payout %q", id, got)
		}
	}
	// The next payout settles the chargeback.
	w.must(w.sb.ChargeBack(first))
	w.paidOut("5000")
	w.wantActions("payment", first, "created", "submitted", "confirmed", "paid_out", "charged_back", "chargeback_settled")
	w.checkPayouts()
	kinds := []string{}
	for _, it := range w.list("/payout_items?payout=" + w.list("/payouts")[0].Str("id")) {
		kinds = append(kinds, it.Str("type"))
	}
	slices.Sort(kinds)
	if want := []string{"gocardless_fee", "payment_charged_back", "payment_paid_out"}; !slices.Equal(kinds, want) {
		t.Errorf("items are %v, want %v", kinds, want)
	}
	w.refused(404, "resource_not_found", "GET", "/payout_items?payout=PO0", "")
	w.sb.Advance(300 * days)
	if r := w.do("GET", "/payout_items?payout="+po.Str("id"), ""); r.status != 410 {
		t.Errorf("items of an old payout: %d", r.status)
	}
}

func TestBalances(t *testing.T) {
	w := newWorld(t)
	w.pay("1000")
	balance := func(kind string) int64 {
		for _, b := range w.list("/balances?creditor=" + w.creditor) {
			if b.Str("currency") == "GBP" && b.Str("balance_type") == kind {
				return b.Num("amount")
			}
		}
		return -1
	}
	for _, x := range []struct {
		at   time.Time
		want [3]int64
	}{
		{monday, [3]int64{0, 0, 0}},
		{time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC), [3]int64{1000, 0, 0}},
		{time.Date(2026, 9, 21, 12, 0, 0, 0, time.UTC), [3]int64{0, 1000, 0}},
		{time.Date(2026, 9, 22, 12, 0, 0, 0, time.UTC), [3]int64{0, 0, 970}},
		{time.Date(2026, 9, 23, 12, 0, 0, 0, time.UTC), [3]int64{0, 0, 0}},
	} {
		w.sb.AdvanceTo(x.at)
		if got := [3]int64{balance("pending_payments_submitted"), balance("confirmed_funds"), balance("pending_payouts")}; got != x.want {
			t.Errorf("at %s: %v, want %v", x.at, got, x.want)
		}
	}
	w.refused(404, "resource_not_found", "GET", "/balances?creditor=CR0", "")
}

func TestCancelledChargeback(t *testing.T) {
	w := newWorld(t)
	id := w.paidOut("1000")
	charge := func() { w.must(w.sb.ChargeBack(id)) }
	charge()
	if err := w.sb.CancelChargeback(id); err != nil {
		t.Fatal(err)
	}
	if s := w.status("payments", id); s != "paid_out" {
		t.Errorf("payment is %s", s)
	}
	w.paidOut("5000") // nothing is deducted, because the chargeback was cancelled
	charge()
	w.paidOut("5000") // deducts the chargeback
	if err := w.sb.CancelChargeback(id); err != nil {
		t.Fatal(err)
	}
	w.paidOut("5000") // returns it
	w.wantActions("payment", id, "created", "submitted", "confirmed", "paid_out", "charged_back", "chargeback_cancelled",
		"charged_back", "chargeback_settled", "chargeback_cancelled")
	amounts := []int64{}
	for _, po := range w.list("/payouts") {
		amounts = append(amounts, po.Num("amount"))
	}
	if want := []int64{4930 + 1000, 4930 - 1000, 4930, 970}; !slices.Equal(amounts, want) {
		t.Errorf("payouts of %v, want %v", amounts, want)
	}
	w.checkPayouts()
	if err := w.sb.CancelChargeback(id); err == nil {
		t.Error("a payment that is not charged back was accepted")
	}
}
