package gocardlesstest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// ids returns the ids of a list.
func ids(items []any) []string {
	out := []string{}
	for _, v := range items {
		out = append(out, v.(object).Str("id"))
	}
	return out
}

// listing makes a list call and returns the ids and cursors.
func (c *caller) listing(path string) (got []string, before, after any, limit int64) {
	c.t.Helper()
	r := c.do("GET", path, "")
	if r.status != 200 {
		c.t.Fatalf("GET %s: %d %s", path, r.status, r.raw)
	}
	cursors := r.body.Obj("meta").Obj("cursors")
	return ids(r.body[0].Val.([]any)), cursors.Get("before"), cursors.Get("after"), r.body.Obj("meta").Num("limit")
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	var made []string
	for i := range 7 {
		made = append(made, w.pay(fmt.Sprint(100+i)))
	}
	slices.Reverse(made) // newest first
	check := func(query string, want []string, before, after any, limit int64) {
		t.Helper()
		got, b, a, l := w.listing("/payments" + query)
		if !slices.Equal(got, want) || b != before || a != after || l != limit {
			t.Errorf("%s: got %v before %v after %v limit %d\nwant %v before %v after %v limit %d", query, got, b, a, l, want, before, after, limit)
		}
	}
	check("", made, nil, nil, 50)
	check("?limit=3", made[:3], nil, made[2], 3)
	check("?limit=3&after="+made[2], made[3:6], made[3], made[5], 3)
	check("?limit=3&after="+made[5], made[6:], made[6], nil, 3)
	check("?limit=7", made, nil, nil, 7)
	check("?limit=9999", made, nil, nil, 500)
	check("?limit=3&before="+made[3], made[:3], nil, made[2], 3)
	check("?limit=2&before="+made[3], made[1:3], made[1], made[2], 2)
	check("?before="+made[0], []string{}, nil, nil, 50)
	check("?after="+made[6], []string{}, nil, nil, 50)
	check("?after="+made[0]+"&before="+made[6], made[1:6], made[1], nil, 50)
	// New items do not move the next page.
	w.pay("999")
	check("?limit=3&after="+made[2], made[3:6], made[3], made[5], 3)
}

func TestSortedPages(t *testing.T) {
	w := newWorld(t)
	byAmount := map[string]string{}
	for _, a := range []string{"300", "100", "200"} {
		byAmount[a] = w.pay(a)
	}
	want := []string{byAmount["100"], byAmount["200"], byAmount["300"]}
	got, _, after, _ := w.listing("/payments?sort_field=amount&sort_direction=asc&limit=2")
	if !slices.Equal(got, want[:2]) || after != want[1] {
		t.Errorf("first page %v after %v, want %v", got, after, want[:2])
	}
	got, before, after, _ := w.listing("/payments?sort_field=amount&sort_direction=asc&limit=2&after=" + want[1])
	if !slices.Equal(got, want[2:]) || before != want[2] || after != nil {
		t.Errorf("second page %v before %v after %v, want %v", got, before, after, want[2:])
	}
	got, _, _, _ = w.listing("/payments?sort_field=amount&sort_direction=asc&limit=2&before=" + want[2])
	if !slices.Equal(got, want[:2]) {
		t.Errorf("page before the last %v, want %v", got, want[:2])
	}
	slices.Reverse(want)
	if got, _, _, _ := w.listing("/payments?sort_field=amount"); !slices.Equal(got, want) {
		t.Errorf("downwards %v, want %v", got, want)
	}
	for _, name := range []string{"zoe", "Bob", "ann"} {
		w.ok("POST", "/customers", `{"customers":{"given_name":"x","family_name":"`+name+`","email":"a@example.com"}}`)
	}
	names := []string{}
	for _, c := range w.list("/customers?sort_field=name&sort_direction=asc") {
		names = append(names, c.Str("family_name"))
	}
	if !slices.Equal(names, []string{"ann", "Bob", "Byron", "zoe"}) {
		t.Errorf("customers by name: %v", names)
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t)
	first := w.pay("100")
	w.sb.Advance(time.Hour)
	second := w.pay("200")
	w.ok("POST", "/payments/"+first+"/actions/cancel", "")
	other := newOther(w)
	third := other.pay("300")
	for _, x := range []struct {
		query string
		want  []string
	}{
		{"status=cancelled", []string{first}},
		{"status=pending_submission", []string{third, second}},
		{"mandate=" + w.mandate, []string{second, first}},
		{"customer=" + w.customer, []string{second, first}},
		{"customer=" + other.customer, []string{third}},
		{"creditor=" + w.creditor, []string{third, second, first}},
		{"mandate=MD000000000000", []string{}},
		{"currency=GBP&scheme=bacs", []string{third, second, first}},
		{"currency=EUR", []string{}},
		{"created_at[gt]=2026-09-14T09:00:00Z", []string{third, second}},
		{"created_at[gte]=2026-09-14T09:00:00.000Z", []string{third, second, first}},
		{"created_at[lt]=2026-09-14T10:00:00Z", []string{first}},
		{"created_at[lte]=2026-09-14T11:00:00%2B01:00", []string{third, second, first}},
		{"created_at[gte]=2026-09-14T09:30:00Z&created_at[lt]=2026-09-14T09:40:00Z", []string{}},
		{"charge_date[gte]=2026-09-18&charge_date[lte]=2026-09-18", []string{third, second, first}},
		{"charge_date[gt]=2026-09-18", []string{}},
		{"subscription=SB000000000000", []string{}},
	} {
		if got, _, _, _ := w.listing("/payments?" + x.query); !slices.Equal(got, x.want) {
			t.Errorf("%s: got %v, want %v", x.query, got, x.want)
		}
	}
	if got, _, _, _ := w.listing("/mandates?status=cancelled,pending_submission&scheme=bacs,sepa_core&customer=" + w.customer); !slices.Equal(got, []string{w.mandate}) {
		t.Errorf("mandates: %v", got)
	}
	if got, _, _, _ := w.listing("/customers?currency=GBP&limit=1"); len(got) != 1 {
		t.Errorf("customers with an account in GBP: %v", got)
	}
	if got, _, _, _ := w.listing("/customers?currency=SEK"); len(got) != 0 {
		t.Errorf("customers with an account in SEK: %v", got)
	}
	for _, bad := range []string{"nonsense=1", "limit=0", "limit=x", "created_at=2026-09-14T09:00:00Z", "created_at[after]=2026-09-14T09:00:00Z",
		"created_at[gt]=yesterday", "charge_date[gt]=2026-13-01", "status=nonsense", "status[x]=paid_out", "after=PM000000000000", "customer=" + w.customer + "&creditor=" + w.creditor} {
		w.refused(400, "invalid_filters", "GET", "/payments?"+bad, "")
	}
	w.refused(400, "invalid_filters", "GET", "/balances", "")
	w.refused(400, "bad_request", "GET", "/payments?a=%zz", "")
}

// newOther creates a second payer in the same sandbox.
func newOther(w *world) *world {
	o := &world{caller: w.caller, creditor: w.creditor}
	o.customer = o.ok("POST", "/customers", customerBody).Str("id")
	o.account = o.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+o.customer+`"}}}`).Str("id")
	o.mandate = o.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+o.account+`"}}}`).Str("id")
	return o
}

func TestEventsWithInclude(t *testing.T) {
	w := newWorld(t)
	pm := w.pay("100")
	w.pay("200")
	w.ok("POST", "/payments/"+pm+"/actions/cancel", "")
	r := w.do("GET", "/events?resource_type=payments&include=payment", "")
	linked := r.body.Obj("linked").List("payments")
	if len(r.body.List("events")) != 3 || len(linked) != 2 {
		t.Errorf("%d events, %d linked payments, want 3 and 2: %s", len(r.body.List("events")), len(linked), r.raw)
	}
	if w.do("GET", "/events", "").body.Has("linked") {
		t.Error("linked without include")
	}
	w.refused(400, "invalid_filters", "GET", "/events?include=payment", "")
	if n := len(w.list("/events?payment=" + pm + "&action=cancelled")); n != 1 {
		t.Errorf("%d cancelled events of the payment, want 1", n)
	}
}

// A filter that the sandbox does not know, for example after a change of the API, is refused, because
// an empty list would be wrong.
func TestUnknownFilterIsRefused(t *testing.T) {
	payments := *theRegistry().ops["payments.list"]
	payments.Query = append(slices.Clip(payments.Query), api.Field{Name: "colour"})
	plan := store.PlanList(&payments, nil, []string{"customer", "creditor"})
	w := newWorld(t)
	id := w.pay("100")
	w.sb.update(func(tx *tx) error {
		page, err := plan.Page(tx.sb.store.Coll("payments"), url.Values{"customer": {w.customer}})
		if err != nil || len(page.Recs) != 1 || page.Recs[0].ID != id {
			t.Errorf("payments of the customer: %v, %v", page, err)
		}
		for _, name := range []string{"colour", "colour[gt]"} {
			_, err = plan.Page(tx.sb.store.Coll("payments"), url.Values{name: {"red"}})
			if e, ok := errors.AsType[*api.Error](err); !ok || e.Reason != "invalid_filters" || e.Message != "The sandbox does not filter payments by colour" {
				t.Errorf("payments by %s: %v", name, err)
			}
		}
		return nil
	})
}
