package gocardlesstest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func TestReadyWorlds(t *testing.T) {
	for name, want := range map[string]struct{ resources, payments map[string]int }{ // at least this number of payments in a status
		"gym":     {map[string]int{"customers": 50, "mandates": 50, "subscriptions": 50}, map[string]int{"paid_out": 1, "failed": 1}},
		"shop":    {map[string]int{"billing_requests": 6, "billing_request_flows": 1, "payments": 5}, map[string]int{"paid_out": 4, "failed": 1}},
		"arrears": {map[string]int{"customers": 6, "subscriptions": 6}, map[string]int{"paid_out": 1, "failed": 1, "charged_back": 2}},
		"schemes": {map[string]int{"mandates": 12, "payments": 10}, map[string]int{"paid_out": 10}}, // an instant payment has its own mandate
	} {
		// A world can be loaded on any day, and after another one.
		for _, day := range []int{0, 152} {
			c := newCaller(t, WithFrozenClock(monday.AddDate(0, 0, day)))
			c.loadReady(name)
			for coll, n := range want.resources {
				if got := len(c.sb.store.Coll(coll).Recs); got != n {
					t.Errorf("%s: %d %s, want %d", name, got, coll, n)
				}
			}
			for status, n := range want.payments {
				if got := len(c.list("/payments?limit=500&status=" + status)); got < n {
					t.Errorf("%s: %d payments are %s, want %d", name, got, status, n)
				}
			}
			c.loadReady(name)
		}
	}
	if !slices.Equal(ReadyWorlds(), []string{"arrears", "gym", "schemes", "shop"}) {
		t.Errorf("the worlds are %v", ReadyWorlds())
	}
	if _, err := ReadyWorld("../gym"); err == nil || !strings.Contains(err.Error(), "arrears, gym, schemes or shop") {
		t.Errorf("an unknown world: %v", err)
	}
}

// loadReady loads a built-in world, whose steps must not be in the log of requests.
func (c *caller) loadReady(name string) {
	c.t.Helper()
	b, err := ReadyWorld(name)
	if err != nil {
		c.t.Fatal(err)
	}
	before := len(c.sb.Requests())
	if _, err := c.sb.LoadWorld(b); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	if n := len(c.sb.Requests()) - before; n != 0 {
		c.t.Errorf("%s: %d steps are in the log of requests", name, n)
	}
}

func TestWorldReferences(t *testing.T) {
	c := newCaller(t)
	made, err := c.sb.LoadWorld([]byte(`{"steps":[
		{"do":"customers.create","as":"ada","with":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com","metadata":{"price":"$$5 and $","born":"$today"}}},
		{"each":[{"n":"one","x":{"y":"Z"}},{"n":"two","x":{"y":"Q"}}],"steps":[
			{"do":"customers.create","as":"last","with":{"given_name":"${each.n}-${each.x.y}","family_name":"$ada.family_name","email":"a@example.com","metadata":{"until":"$today+14d"}}}]},
		{"do":"customers.update","id":"$ada.id","with":{"given_name":"Augusta"}},
		{"do":"customers.get","id":"$ada.id","as":"after"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var last, after gocardless.Customer
	if err := json.Unmarshal(made["last"], &last); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(made["after"], &after); err != nil {
		t.Fatal(err)
	}
	if last.GivenName != "two-Q" || last.FamilyName != "Byron" || last.Metadata["until"] != "2026-09-28" {
		t.Errorf("the last customer is %+v", last)
	}
	if after.GivenName != "Augusta" || after.Metadata["price"] != "$5 and $" || after.Metadata["born"] != "2026-09-14" {
		t.Errorf("Ada is %+v", after)
	}
}

func TestWorldsThatAreRefused(t *testing.T) {
	c := newCaller(t)
	for world, want := range map[string]string{
		`{"steps":[{"do":"customers.crate"}]}`:                                                         "no operation customers.crate",
		`{"steps":[{"do":"sandbox.fly"}]}`:                                                             "no operation fly",
		`{"steps":[{"do":"customers.create","with":{"given_name":"A"}}]}`:                              "/steps/0 (customers.create)",
		`{"steps":[{"do":"mandates.create","with":{"links":{"customer_bank_account":"$nobody.id"}}}]}`: `refers to "nobody"`,
		`{"steps":[{"each":[{"a":"1"}],"steps":[{"do":"customers.get","id":"$each.b"}]}]}`:             `refers to "each.b"`,
		`{"steps":[{"do":"sandbox.advance","with":{"advance":"soon"}}]}`:                               "/steps/0 (sandbox.advance)",
		`{"steps":[{"do":"customers.get","ID":"x"}]}`:                                                  `"ID" is not a permitted key`,
		`{"stages":[]}`:              `"stages" is not a permitted key`,
		`{"steps":[{"do":7}]}`:       "7 is not a string",
		`{"steps":["x"]}`:            "is not an object",
		`{"steps":[{"steps":"all"}]`: "reading the world",
		`[]`:                         "a world is a JSON object",
	} {
		_, err := c.sb.LoadWorld([]byte(world))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", world, err, want)
		}
	}
}

func TestBuilders(t *testing.T) {
	schemes := slices.Concat(slices.Collect(maps.Keys(testAccounts)), slices.Collect(maps.Keys(requestedMandates)))
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			sb := New(WithFrozenClock(monday))
			m := sb.ActiveMandate(Scheme(gocardless.Scheme(scheme)), GivenName("Ada"), FamilyName("Byron"), Email("ada@example.com"),
				Metadata(map[string]string{"a": "1"}), MaxAmountPerPayment(2000))
			if m.Status != gocardless.MandateStatusActive || string(m.Scheme) != scheme || m.Metadata["a"] != "1" {
				t.Errorf("the mandate is %+v", m)
			}
			p := sb.PaidOutPayment(Scheme(gocardless.Scheme(scheme)), Under(m.ID), Amount(1500))
			if p.Status != gocardless.PaymentStatusPaidOut || p.Amount != 1500 || p.Links.Mandate != m.ID {
				t.Errorf("the payment is %+v", p)
			}
			for want, p := range map[gocardless.PaymentStatus]*gocardless.Payment{
				gocardless.PaymentStatusConfirmed:   sb.ConfirmedPayment(Scheme(gocardless.Scheme(scheme))),
				gocardless.PaymentStatusChargedBack: sb.ChargedBackPayment(Scheme(gocardless.Scheme(scheme))),
			} {
				if p.Status != want {
					t.Errorf("the payment is %s, want %s", p.Status, want)
				}
			}
		})
	}
	for scheme, x := range instantOrders {
		sb := New(WithFrozenClock(monday))
		p := sb.PaidInstantPayment(Scheme(gocardless.Scheme(scheme)), Amount(2500), Metadata(map[string]string{"order": "7"}))
		if p.Status != gocardless.PaymentStatusPaidOut || p.Amount != 2500 || string(p.Currency) != x.currency || string(p.Scheme) != scheme || p.Metadata["order"] != "7" || p.Links.Payout == "" {
			t.Errorf("%s: the instant payment is %+v", scheme, p)
		}
		if p := sb.FailedInstantPayment(Scheme(gocardless.Scheme(scheme))); p.Status != gocardless.PaymentStatusFailed {
			t.Errorf("%s: the failed instant payment is %+v", scheme, p)
		}
	}
	sb := New(WithFrozenClock(monday))
	for want, p := range map[gocardless.PaymentStatus]*gocardless.Payment{
		gocardless.PaymentStatusPendingSubmission: sb.PendingPayment(), gocardless.PaymentStatusConfirmed: sb.ConfirmedPayment(),
		gocardless.PaymentStatusFailed: sb.FailedPayment(), gocardless.PaymentStatusChargedBack: sb.ChargedBackPayment(),
	} {
		if p.Status != want || p.Amount != 1000 {
			t.Errorf("the payment is %s, want %s", p.Status, want)
		}
	}
	if p := sb.LateFailedPayment(); p.Status != gocardless.PaymentStatusFailed || p.Links.Payout == "" {
		t.Errorf("the payment is %+v", p)
	}
	s := sb.Subscriber(Amount(900), Every(2, gocardless.IntervalUnitWeekly), Count(3))
	if s.Status != gocardless.SubscriptionStatusActive || s.Amount != 900 || s.Interval != 2 || s.IntervalUnit != gocardless.IntervalUnitWeekly {
		t.Errorf("the subscription is %+v", s)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "payments.create") {
			t.Errorf("a bad amount panics with %v", p)
		}
	}()
	sb.PendingPayment(Amount(-1))
}

// Builders work at any time of the day, whatever steps are due and whatever the banks' hours.
func TestBuildersAtAnyTime(t *testing.T) {
	withoutRace(t)
	step := 1
	if testing.Short() {
		step = 5 // different hours of each day
	}
	for _, scheme := range slices.Concat(slices.Collect(maps.Keys(testAccounts)), slices.Collect(maps.Keys(requestedMandates))) {
		for _, day := range []time.Time{onDay(2026, 10, 24), onDay(2026, 12, 24), onDay(2027, 3, 27)} { // clock changes and holidays
			for hour := 0; hour < 48; hour += step {
				at := day.Add(time.Duration(hour) * time.Hour)
				sb := New(WithFrozenClock(at))
				if p := sb.PaidOutPayment(Scheme(gocardless.Scheme(scheme))); p.Status != gocardless.PaymentStatusPaidOut {
					t.Errorf("%s at %v: %s", scheme, at, p.Status)
				}
				if hour%(12*step) == 0 {
					sb.ConfirmedPayment(Scheme(gocardless.Scheme(scheme)))
					sb.ChargedBackPayment(Scheme(gocardless.Scheme(scheme)))
					sb.Subscriber(Scheme(gocardless.Scheme(scheme)))
					sb.PaidInstantPayment()
				}
			}
		}
	}
}

func onDay(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
