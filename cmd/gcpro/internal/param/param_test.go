package param

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

var now = time.Date(2026, time.March, 29, 10, 30, 0, 0, time.UTC)

// set sets the parameters of an operation from flags.
func set(t *testing.T, operation, verb string, flags ...string) (*Set, error) {
	t.Helper()
	op := spec.Find(operation, verb)
	s := New(op, now)
	for i := 0; i < len(flags); i += 2 {
		found := false
		for _, l := range Leaves(op) {
			if l.Path == flags[i] {
				s.Put(l, []string{flags[i+1]})
				found = true
			}
		}
		if !found {
			t.Fatalf("no parameter %s", flags[i])
		}
	}
	return s, s.Check()
}

func TestMoney(t *testing.T) {
	for _, c := range []struct{ amount, currency, want string }{
		{"1500", "GBP", "1500"},
		{"£15.00", "", "1500"},
		{"£15", "GBP", "1500"},
		{"15.00 GBP", "", "1500"},
		{"15.00EUR", "EUR", "1500"},
		{"€0.01", "", "1"},
		{"$15.00", "AUD", "1500"},
		{"A$15.00", "", "1500"},
		{"A$15.00", "USD", ""},
		{"SEK 15.00", "", "1500"},
		{"15.00 €", "", "1500"},
		{"£15.00 GBP", "", ""},
		{"-£15.00", "", ""},
		{"¥15.00", "", ""},
		{"£9007199254740993", "", ""}, // more digits than an amount can have
		{"$15.00", "", ""},
		{"£15.00", "EUR", ""},
		{"15.00", "GBP", ""},
		{"£15.0", "", ""},
		{"£1,500.00", "", ""},
		{"-1.5", "GBP", ""},
		{"1e3", "GBP", ""},
		{"", "GBP", ""},
	} {
		flags := []string{"amount", c.amount, "links.mandate", "MD1"}
		if c.currency != "" {
			flags = append(flags, "currency", c.currency)
		}
		s, err := set(t, "payments", "create", flags...)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s %s was accepted as %v", c.amount, c.currency, s.Values()["amount"])
		case c.want != "" && (err != nil || s.Values()["amount"] != json.Number(c.want)):
			t.Errorf("%s %s: %v, %v", c.amount, c.currency, s.Values()["amount"], err)
		}
	}
	if _, err := set(t, "refunds", "create", "amount", "£5.00"); err == nil || !strings.Contains(err.Error(), "minor units") {
		t.Errorf("an amount in an unknown currency: %v", err)
	}
}

func TestDates(t *testing.T) {
	for _, c := range []struct{ flag, text, want string }{
		{"charge_date", "2026-01-31", "2026-01-31"},
		{"charge_date", "7d", "2026-04-05"},
		{"charge_date", "-1d", "2026-03-28"},
		{"charge_date", "tomorrow", "2026-03-30"},
		{"charge_date", "2w", "2026-04-12"},
		{"charge_date", "31/01/2026", ""},
		{"charge_date", "2026-02-30", ""},
	} {
		s, err := set(t, "payments", "create", "amount", "1", "currency", "GBP", "links.mandate", "MD1", c.flag, c.text)
		if got := s.Values()[c.flag]; c.want == "" && err == nil || c.want != "" && got != c.want {
			t.Errorf("%s %s: %v, %v", c.flag, c.text, got, err)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"7d", "2026-03-22T10:30:00.000Z"},
		{"2h", "2026-03-29T08:30:00.000Z"},
		{"+2h", "2026-03-29T12:30:00.000Z"},
		{"yesterday", "2026-03-28T00:00:00.000Z"},
		{"2026-01-31", "2026-01-31T00:00:00.000Z"},
		{"2026-01-31T09:00:00+01:00", "2026-01-31T08:00:00.000Z"},
		{"9999999d", ""},
	} {
		s, err := set(t, "payments", "list", "created_at.gte", c.text)
		if got := lookup(s.Values(), "created_at.gte"); c.want == "" && err == nil || c.want != "" && got != c.want {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
}

// A list is one parameter with commas, or a parameter for each value, as the description defines it.
func TestListsInTheQuery(t *testing.T) {
	op := &spec.Operation{Params: &spec.Object{Fields: []spec.Field{
		{Name: "colour", Kind: spec.List, Elem: &spec.Field{}, In: spec.InQueryRepeat},
		{Name: "status", Kind: spec.List, Elem: &spec.Field{}, In: spec.InQuery},
	}}}
	s := New(op, now)
	for _, l := range Leaves(op) {
		s.Put(l, []string{"a", "b"})
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if _, query, _ := s.Split(); query.Encode() != "colour=a&colour=b&status=a%2Cb" {
		t.Errorf("query is %s", query.Encode())
	}
}

func TestProblemsNameTheParameter(t *testing.T) {
	s := New(spec.Find("payments", "create"), now)
	if err := s.Data(strings.NewReader(`{"amount":"x","currency":7,"links":[],"metadata":{"a":1},"retry_if_possible":"yes","description":null}`)); err != nil {
		t.Fatal(err)
	}
	err := s.Check()
	for _, want := range []string{"amount must be a number", "currency must not be a number", "links must not be a list", "metadata must have strings", "retry_if_possible must not be a string"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// FuzzParse sets every kind of parameter to arbitrary strings: no panic, and the result is JSON.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"1500", "£15.00", "7d", "-99999999999999w", `[{"a":1}]`, "a=b", "\xff", "kr1"} {
		f.Add(text)
	}
	ops := []*spec.Operation{spec.Find("payments", "create"), spec.Find("billing_requests", "create"), spec.Find("payments", "list"), spec.Find("instalment_schedules", "create_with_dates")}
	f.Fuzz(func(t *testing.T, text string) {
		for _, op := range ops {
			for _, l := range Leaves(op) {
				s := New(op, now)
				s.Put(l, []string{text})
				_ = s.Check()
				body, query, _ := s.Split()
				if _, err := json.Marshal(body); err != nil {
					t.Errorf("%s: %v", l.Path, err)
				}
				_ = query.Encode()
			}
		}
	})
}

func FuzzData(f *testing.F) {
	f.Add(`{"payments":{"amount":1,"links":{"mandate":"MD1"}}}`)
	f.Add(`{"links":null,"metadata":{"":""}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s := New(spec.Find("payments", "create"), now)
		if s.Data(strings.NewReader(text)) == nil {
			_ = s.Check()
		}
	})
}
