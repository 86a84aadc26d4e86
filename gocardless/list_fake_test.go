package gocardless

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fakeList is a transport that serves one list of payments as the API does: newest first,
// with cursors, limit and created_at filters.
type fakeList struct {
	latency time.Duration
	// before is called with each request, if set.
	before func(*fakeList, *http.Request) error

	mu       sync.Mutex
	items    []fakeItem // newest first
	requests []url.Values

	open, most atomic.Int32 // requests at the same time
}

type fakeItem struct {
	id      string
	created time.Time
}

// newFakeList makes a list of items that were created at the given times, in any order.
func newFakeList(times []time.Time) *fakeList {
	f := &fakeList{}
	for i, t := range times {
		f.items = append(f.items, fakeItem{fmt.Sprintf("PM%07d", i), t})
	}
	f.sort()
	return f
}

func (f *fakeList) sort() {
	slices.SortFunc(f.items, func(a, b fakeItem) int {
		if c := b.created.Compare(a.created); c != 0 {
			return c
		}
		return strings.Compare(b.id, a.id)
	})
}

// add creates an item that is newer than all others, as another program would.
func (f *fakeList) add(id string, created time.Time) {
	f.items = slices.Insert(f.items, 0, fakeItem{id, created})
}

func (f *fakeList) ids() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]string, 0, len(f.items))
	for _, item := range f.items {
		list = append(list, item.id)
	}
	return list
}

func (f *fakeList) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

func (f *fakeList) RoundTrip(req *http.Request) (*http.Response, error) {
	f.most.Store(max(f.most.Load(), f.open.Add(1)))
	defer f.open.Add(-1)
	if f.latency > 0 {
		timer := time.NewTimer(f.latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	query := req.URL.Query()
	f.requests = append(f.requests, query)
	if f.before != nil {
		if err := f.before(f, req); err != nil {
			return nil, err
		}
	}
	text := f.page(query)
	return benchReply(req, io.NopCloser(strings.NewReader(text)), int64(len(text))), nil
}

func (f *fakeList) page(query url.Values) string {
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 50
	}
	first, end := 0, len(f.items)
	if after := query.Get("after"); after != "" {
		first = slices.IndexFunc(f.items, func(i fakeItem) bool { return i.id == after }) + 1
	}
	// The items are in order of time, newest first: each bound cuts one end off.
	bound := func(name string, excluded func(created, bound time.Time) bool, cut func(n int)) {
		if text := query.Get("created_at[" + name + "]"); text != "" {
			t, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				panic(err)
			}
			n, _ := slices.BinarySearchFunc(f.items, t, func(i fakeItem, t time.Time) int {
				if excluded(i.created, t) {
					return -1
				}
				return +1
			})
			cut(n)
		}
	}
	fromTop := func(n int) { first = max(first, n) }
	fromEnd := func(n int) { end = min(end, n) }
	bound("lt", func(c, t time.Time) bool { return !c.Before(t) }, fromTop)
	bound("lte", func(c, t time.Time) bool { return c.After(t) }, fromTop)
	bound("gte", func(c, t time.Time) bool { return !c.Before(t) }, fromEnd)
	bound("gt", func(c, t time.Time) bool { return c.After(t) }, fromEnd)

	items := f.items[min(first, end):end]
	cursor := "null"
	if len(items) > limit {
		items = items[:limit]
		cursor = strconv.Quote(items[limit-1].id)
	}
	var b strings.Builder
	b.WriteString(`{"payments":[`)
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		// The API writes milliseconds, whatever it keeps.
		b.WriteString(`{"id":"` + item.id + `","created_at":"` + item.created.UTC().Format("2006-01-02T15:04:05.000Z") + `","amount":100}`)
	}
	b.WriteString(`],"meta":{"cursors":{"before":null,"after":` + cursor + `},"limit":` + strconv.Itoa(limit) + `}}`)
	return b.String()
}

// fakeClient is a client of a list.
func fakeClient(tb testing.TB, f *fakeList, opts ...ClientOption) *Client {
	tb.Helper()
	return benchClient(tb, f, opts...)
}

// every returns n times, step apart, the last of them at the end.
func every(n int, step time.Duration, end time.Time) []time.Time {
	list := make([]time.Time, n)
	for i := range list {
		list[i] = end.Add(-time.Duration(i) * step)
	}
	return list
}
