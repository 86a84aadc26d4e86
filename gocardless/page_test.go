package gocardless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// listAPI is a transport that serves a list of five payments PM001…, newest first.
type listAPI struct {
	ids     []string
	queries []string
}

func newListAPI() *listAPI {
	a := new(listAPI)
	for i := range 5 {
		a.ids = append(a.ids, fmt.Sprintf("PM%03d", i+1))
	}
	return a
}

func (a *listAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	a.queries = append(a.queries, req.URL.RawQuery)
	q, _ := url.ParseQuery(req.URL.RawQuery)
	limit := 2
	from := 0
	if after := q.Get("after"); after != "" {
		from = slices.Index(a.ids, after) + 1
	}
	to := min(from+limit, len(a.ids))
	if before := q.Get("before"); before != "" {
		to = slices.Index(a.ids, before)
		from = max(to-limit, 0)
	}
	var items []string
	for _, id := range a.ids[from:to] {
		items = append(items, `{"id":"`+id+`"}`)
	}
	cursor := func(ok bool, i int) string {
		if !ok || len(items) == 0 {
			return "null"
		}
		return `"` + a.ids[i] + `"`
	}
	body := fmt.Sprintf(`{"meta":{"cursors":{"before":%s,"after":%s},"limit":%d},"payments":[%s]}`,
		cursor(from > 0, from), cursor(to < len(a.ids), to-1), limit, strings.Join(items, ","))
	return replyWith(200, body)(req)
}

func ids(t *testing.T, seq func(func(*Payment, error) bool)) []string {
	t.Helper()
	var got []string
	for p, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.ID)
	}
	return got
}

func TestListAndNext(t *testing.T) {
	api := newListAPI()
	c := clientOver(t, api)
	var r Response
	page, err := c.Payments.List(t.Context(), PaymentListParams{Status: PaymentStatusFailed}, WithResponse(&r))
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 2 || page.Items[1].ID != "PM002" || page.After != "PM002" || page.Before != "" || page.Limit != 2 || !page.HasNext() || page.Linked != nil {
		t.Errorf("%+v", page)
	}
	var got []string
	for ; page != nil || err != nil; page, err = page.Next(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Items {
			got = append(got, p.ID)
		}
	}
	if !slices.Equal(got, api.ids) {
		t.Errorf("got %v", got)
	}
	if want := []string{"status=failed", "status=failed&after=PM002", "status=failed&after=PM004"}; !slices.Equal(api.queries, want) {
		t.Errorf("asked %q, want %q", api.queries, want)
	}
	if !strings.Contains(string(r.Body), "PM005") {
		t.Errorf("the record is not of the last page: %s", r.Body)
	}
}

func TestAllIsLazyAndRestartable(t *testing.T) {
	api := newListAPI()
	c := clientOver(t, api)
	params := PaymentListParams{After: "PM001"}
	seq := c.Payments.All(t.Context(), params)
	if len(api.queries) != 0 {
		t.Error("asked before the loop")
	}
	want := []string{"PM002", "PM003", "PM004", "PM005"}
	for range 2 {
		api.queries = nil
		if got := ids(t, seq); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if want := []string{"after=PM001", "after=PM003"}; !slices.Equal(api.queries, want) {
			t.Errorf("asked %q, want %q", api.queries, want)
		}
	}
	if params.After != "PM001" {
		t.Error("the caller's params were changed")
	}
	api.queries = nil
	for range seq {
		break
	}
	n := 0
	for range seq {
		if n++; n == 2 {
			break // at the end of the first page
		}
	}
	if len(api.queries) != 2 {
		t.Errorf("two loops that stop within the first page asked %d times", len(api.queries))
	}
}

func TestAllFromBefore(t *testing.T) {
	api := newListAPI()
	c := clientOver(t, api)
	got := ids(t, c.Payments.All(t.Context(), PaymentListParams{Before: "PM005"}))
	if want := []string{"PM003", "PM004", "PM001", "PM002"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []string{"before=PM005", "before=PM003"}; !slices.Equal(api.queries, want) {
		t.Errorf("asked %q, want %q", api.queries, want)
	}
}

func TestAllStopsAtTheFirstError(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"payments":[{"id":"PM1"}],"meta":{"cursors":{"after":"PM1"}}}`), replyWith(422, `{"error":{"type":"validation_failed"}}`))
	var got []string
	var errs []error
	for p, err := range c.Payments.All(t.Context(), PaymentListParams{}) {
		if err != nil {
			if p != nil {
				t.Error("an item with an error")
			}
			errs = append(errs, err)
			continue // a caller who ignores the error must not loop indefinitely
		}
		got = append(got, p.ID)
	}
	if len(got) != 1 || len(errs) != 1 || !errors.Is(errs[0], ErrValidation) || len(s.requests()) != 2 {
		t.Errorf("%v, %v, %d requests", got, errs, len(s.requests()))
	}
}

func TestAllHonoursItsContext(t *testing.T) {
	api := newListAPI()
	c := clientOver(t, api)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range c.Payments.All(ctx, PaymentListParams{}) {
		if n++; n == 2 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || len(api.queries) != 1 {
		t.Errorf("%v after %d requests", last, len(api.queries))
	}
}

func TestOddPages(t *testing.T) {
	for name, test := range map[string]struct {
		replies []string
		want    []string
		fails   bool
	}{
		"no meta":               {[]string{`{"payments":[{"id":"PM1"}]}`}, []string{"PM1"}, false},
		"null meta":             {[]string{`{"payments":[{"id":"PM1"}],"meta":null}`}, []string{"PM1"}, false},
		"no cursors":            {[]string{`{"payments":[{"id":"PM1"}],"meta":{"limit":50}}`}, []string{"PM1"}, false},
		"null cursors":          {[]string{`{"payments":[{"id":"PM1"}],"meta":{"cursors":null}}`}, []string{"PM1"}, false},
		"empty cursor":          {[]string{`{"payments":[{"id":"PM1"}],"meta":{"cursors":{"after":""}}}`}, []string{"PM1"}, false},
		"empty":                 {[]string{`{"payments":[],"meta":{"cursors":{"after":null,"before":null}}}`}, nil, false},
		"empty page on the way": {[]string{`{"payments":[],"meta":{"cursors":{"after":"PM7"}}}`, `{"payments":[{"id":"PM1"}]}`}, []string{"PM1"}, false},
		"the same cursor":       {[]string{`{"payments":[{"id":"PM1"}],"meta":{"cursors":{"after":"PM1"}}}`}, []string{"PM1", "PM1"}, true},
		"a circle of cursors": {[]string{`{"payments":[{"id":"PM1"}],"meta":{"cursors":{"after":"PM1"}}}`, `{"payments":[{"id":"PM2"}],"meta":{"cursors":{"after":"PM2"}}}`,
			`{"payments":[{"id":"PM3"}],"meta":{"cursors":{"after":"PM1"}}}`}, []string{"PM1", "PM2", "PM3"}, true},
		"no envelope": {[]string{`{"meta":{"cursors":{"after":"PM1"}}}`}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var replies []replier
			for _, body := range test.replies {
				replies = append(replies, replyWith(200, body))
			}
			c, s := scripted(t, replies...)
			var got []string
			var failed error
			for p, err := range c.Payments.All(t.Context(), PaymentListParams{}, WithRetries(0)) {
				if err != nil {
					failed = err
					continue
				}
				if got = append(got, p.ID); len(got) > 10 {
					t.Fatal("it does not end")
				}
			}
			if !slices.Equal(got, test.want) || (failed != nil) != test.fails {
				t.Errorf("got %v, %v after %d requests", got, failed, len(s.requests()))
			}
			if test.fails {
				as[*MalformedResponseError](t, failed)
			}
		})
	}
}

func TestNextStopsOnARepeatedCursor(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"payments":[{"id":"PM1"}],"meta":{"cursors":{"after":"PM1"}}}`))
	page, err := c.Payments.List(t.Context(), PaymentListParams{})
	for err == nil && page != nil && len(s.requests()) < 10 {
		page, err = page.Next(t.Context())
	}
	as[*MalformedResponseError](t, err)
	if len(s.requests()) != 2 {
		t.Errorf("%d requests", len(s.requests()))
	}
	// The caller's own cursor counts, too.
	if page, err = c.Payments.List(t.Context(), PaymentListParams{After: "PM1"}); err != nil {
		t.Fatal(err)
	}
	_, err = page.Next(t.Context())
	as[*MalformedResponseError](t, err)
	if len(s.requests()) != 3 {
		t.Errorf("%d requests", len(s.requests()))
	}
}

// Three lists have no cursors: one reply is all there is.
func TestListWithoutCursors(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"institutions":[{"id":"a"}],"meta":{"cursors":{"after":"a"}}}`))
	page, err := c.Institutions.List(t.Context(), InstitutionListParams{CountryCode: "GB"})
	if err != nil || len(page.Items) != 1 || page.HasNext() {
		t.Fatalf("%+v, %v", page, err)
	}
	if next, err := page.Next(t.Context()); next != nil || err != nil || len(s.requests()) != 1 {
		t.Errorf("%v, %v", next, err)
	}
}

func TestEventsCarryLinkedResources(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"events":[{"id":"EV1"}],"linked":{"payments":[{"id":"PM1"}]},"meta":{"cursors":{}}}`))
	page, err := c.Events.List(t.Context(), EventListParams{Include: EventIncludePayment, ResourceType: "payments"})
	if err != nil || len(page.Items) != 1 || page.Linked == nil || len(page.Linked.Payments) != 1 || page.Linked.Payments[0].ID != "PM1" {
		t.Errorf("%+v, %v", page, err)
	}
	if got := s.requests()[0].Query; got != "include=payment&resource_type=payments" {
		t.Errorf("asked %s", got)
	}
}

// Each attempt reads a page afresh, without the items of a broken reply before it.
func TestRetriedPageIsReadAfresh(t *testing.T) {
	c, _ := scripted(t, replyWith(200, `{"payments":[{"id":"PM1"},{"id":"PM2"}],"meta":{"cursors":{"after":"PM2"},"limit":2}`),
		failWith(io.ErrUnexpectedEOF), replyWith(200, `{"payments":[{"id":"PM3"}]}`))
	page, err := c.Payments.List(t.Context(), PaymentListParams{}, WithRetryPolicy(atOnce))
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "PM3" || page.After != "" || page.Limit != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

// The same for a single resource.
func TestRetriedResourceIsReadAfresh(t *testing.T) {
	c, _ := scripted(t, replyWith(200, `{"payments":{"id":"PM1","amount":5,"description":"old"`), replyWith(200, `{"payments":{"id":"PM2"}}`))
	p, err := c.Payments.Get(t.Context(), "PM2", WithRetryPolicy(atOnce))
	if err != nil || p.ID != "PM2" || p.Amount != 0 || p.Description != "" {
		t.Errorf("%+v, %v", p, err)
	}
}
