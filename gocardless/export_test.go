package gocardless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// exportAll runs an export to its end and returns the ids.
func exportAll(t *testing.T, e *Exporter[Payment]) []string {
	t.Helper()
	var ids []string
	for p, err := range e.All(t.Context()) {
		if err != nil {
			t.Fatalf("after %d items: %v", len(ids), err)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

// sameIDs compares two lists and reports where they differ.
func sameIDs(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: item %d is %s, want %s (%d items, want %d)", what, i, got[i], want[i], len(got), len(want))
		}
	}
	t.Fatalf("%s: got %d items, want %d", what, len(got), len(want))
}

// distributions are ways in which the items of a list can be spread over time.
var distributions = map[string]func(r *rand.Rand) []time.Time{
	"none":   func(*rand.Rand) []time.Time { return nil },
	"one":    func(*rand.Rand) []time.Time { return []time.Time{fakeNow} },
	"even":   func(*rand.Rand) []time.Time { return every(3000, time.Minute, fakeNow) },
	"moment": func(*rand.Rand) []time.Time { return every(500, 0, fakeNow) },
	"micros": func(*rand.Rand) []time.Time { return every(3000, 7*time.Microsecond, fakeNow) },
	"random": func(r *rand.Rand) []time.Time {
		times := make([]time.Time, 3000)
		for i := range times {
			times[i] = fakeNow.Add(-time.Duration(r.Int64N(int64(1000 * time.Hour))))
		}
		return times
	},
	"nightly": func(r *rand.Rand) []time.Time {
		var times []time.Time
		for day := range 60 {
			night := fakeNow.AddDate(0, 0, -day)
			times = append(times, every(r.IntN(120), time.Millisecond, night)...)
		}
		return times
	},
	"growing": func(r *rand.Rand) []time.Time {
		var times []time.Time
		at := fakeNow
		for i := range 3000 {
			times = append(times, at)
			at = at.Add(-time.Duration(r.Int64N(int64(i+1) * int64(time.Second))))
		}
		return times
	},
	"gaps": func(r *rand.Rand) []time.Time {
		var times []time.Time
		at := fakeNow
		for range 6 {
			times = append(times, every(300+r.IntN(300), time.Duration(r.Int64N(int64(time.Minute))), at)...)
			at = at.AddDate(-r.IntN(4), -1, 0).Add(-10 * time.Hour)
		}
		return times
	},
}

func TestExporterYieldsWhatTheListHas(t *testing.T) {
	for name, distribution := range distributions {
		seeds := uint64(6)
		if raceDetector {
			seeds = 2
		}
		for seed := range seeds {
			r := rand.New(rand.NewPCG(seed, 1))
			f := newFakeList(distribution(r))
			f.latency = time.Millisecond
			want := f.ids()
			// New items appear while the list is read.
			f.before = func(f *fakeList, _ *http.Request) error {
				n := len(f.requests)
				f.add(fmt.Sprintf("PMNEW%d", n), fakeNow.Add(time.Duration(n)*time.Second))
				return nil
			}
			workers, limit := 1+r.IntN(12), 10+r.IntN(60)
			synctest.Test(t, func(t *testing.T) {
				e := NewExporter(fakeClient(t, f).Payments.List, PaymentListParams{Limit: limit}, ExportOptions{Workers: workers})
				what := fmt.Sprintf("%s, seed %d, %d workers, limit %d", name, seed, workers, limit)
				got := exportAll(t, e)
				// What was created before the first reply may or may not be part of it.
				got = slices.DeleteFunc(got, func(id string) bool { return id == "PMNEW1" })
				sameIDs(t, what, got, want)
				if most := int(f.most.Load()); most > workers {
					t.Errorf("%s: %d requests at once", what, most)
				}
			})
		}
	}
}

// TestExporterIsFast compares the export with reading one page after the other, with replies that
// take 50 ms. The time is fake: it includes waits only.
func TestExporterIsFast(t *testing.T) {
	withoutRace(t)
	const total = 100_000
	type list struct {
		times []time.Time
		share float64 // of the duration of reading in sequence
	}
	lists := map[string]list{"even": {every(total, 5*time.Minute, fakeNow), 1.0 / 6}}
	if !testing.Short() {
		r := rand.New(rand.NewPCG(1, 2))
		year := func() time.Time { return fakeNow.Add(-time.Duration(r.Int64N(int64(365 * 24 * time.Hour)))) }
		var random, office, nightly, weekly, monthly []time.Time
		for len(random) < total {
			random = append(random, year())
		}
		for len(office) < total {
			if t := year(); t.Hour() >= 9 && t.Hour() < 17 && t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
				office = append(office, t)
			}
		}
		for day := range total / 250 {
			nightly = append(nightly, every(250, 20*time.Millisecond, fakeNow.AddDate(0, 0, -day))...)
		}
		for week := range total / 2500 {
			weekly = append(weekly, every(2500, 20*time.Millisecond, fakeNow.AddDate(0, 0, -7*week))...)
		}
		for month := range total / 10_000 {
			monthly = append(monthly, every(10_000, 20*time.Millisecond, fakeNow.AddDate(0, -month, 0))...)
		}
		lists["random"] = list{random, 1.0 / 6}
		lists["office hours"] = list{office, 1.0 / 5}
		lists["nightly batches"] = list{nightly, 1.0 / 5}
		lists["weekly batches"] = list{weekly, 1.0 / 4}
		lists["monthly batches"] = list{monthly, 1.0 / 2}
	}

	for name, list := range lists {
		f := newFakeList(list.times)
		f.latency = 50 * time.Millisecond
		var took [2]time.Duration
		var requests [2]int
		for i := range took {
			f.requests = nil
			synctest.Test(t, func(t *testing.T) {
				client, began, n := fakeClient(t, f), time.Now(), 0
				items := client.Payments.All(t.Context(), PaymentListParams{Limit: 500})
				if i == 1 {
					items = NewExporter(client.Payments.List, PaymentListParams{}, ExportOptions{Workers: 8}).All(t.Context())
				}
				for _, err := range items {
					if err != nil {
						t.Fatal(err)
					}
					n++
				}
				took[i] = time.Since(began)
				if n != total {
					t.Errorf("%s: got %d items, want %d", name, n, total)
				}
			})
			requests[i] = f.count()
		}
		ratio := float64(took[1]) / float64(took[0])
		t.Logf("%s: %v in sequence (%d requests), %v with 8 workers (%d requests): %.3f", name, took[0], requests[0], took[1], requests[1], ratio)
		if ratio > list.share {
			t.Errorf("%s: took %.3f of the time of reading in sequence, want at most %.3f", name, ratio, list.share)
		}
	}
}

func TestExporterResumes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, distribution := range distributions {
		f := newFakeList(distribution(r))
		want := f.ids()
		synctest.Test(t, func(t *testing.T) {
			cursor := ""
			var got []string
			for runs := 0; runs < 20; runs++ {
				e := NewExporter(fakeClient(t, f).Payments.List, PaymentListParams{Limit: 40}, ExportOptions{Workers: 5, Cursor: cursor})
				if e.Cursor() != cursor {
					t.Fatalf("cursor before the first item: got %q, want %q", e.Cursor(), cursor)
				}
				stop := r.IntN(len(want)/5 + 2)
				if runs == 19 {
					stop = -1
				}
				for p, err := range e.All(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, p.ID)
					if stop--; stop == 0 {
						break
					}
				}
				cursor = e.Cursor()
			}
			sameIDs(t, name, got, want)
		})
	}
}

func TestExporterKeepsTheFilter(t *testing.T) {
	times := every(2000, time.Hour, fakeNow)
	low, high := fakeNow.Add(-1500*time.Hour), fakeNow.Add(-200*time.Hour)
	for name, test := range map[string]struct {
		filter TimestampFilter
		want   [2]int
	}{
		"gte lt":   {TimestampFilter{Gte: low, Lt: high}, [2]int{201, 1501}},
		"gt lte":   {TimestampFilter{Gt: low, Lte: high}, [2]int{200, 1500}},
		"gte":      {TimestampFilter{Gte: low}, [2]int{0, 1501}},
		"lte":      {TimestampFilter{Lte: high}, [2]int{200, 2000}},
		"both":     {TimestampFilter{Gte: low, Gt: low, Lt: high, Lte: high}, [2]int{201, 1500}},
		"far":      {TimestampFilter{Gte: low.AddDate(-20, 0, 0), Lt: high.AddDate(20, 0, 0)}, [2]int{0, 2000}},
		"nothing":  {TimestampFilter{Gte: high, Lt: low}, [2]int{0, 0}},
		"a nano":   {TimestampFilter{Gte: low.Add(time.Nanosecond)}, [2]int{0, 1500}},
		"an hour":  {TimestampFilter{Gt: low, Lte: low.Add(time.Hour)}, [2]int{1499, 1500}},
		"the past": {TimestampFilter{Lt: low.AddDate(-10, 0, 0)}, [2]int{0, 0}},
	} {
		f := newFakeList(times)
		synctest.Test(t, func(t *testing.T) {
			params := PaymentListParams{CreatedAt: test.filter, Limit: 30, Status: PaymentStatusPaidOut}
			got := exportAll(t, NewExporter(fakeClient(t, f).Payments.List, params, ExportOptions{}))
			sameIDs(t, name, got, f.ids()[test.want[0]:test.want[1]])
			for _, query := range f.requests {
				if query.Get("status") != "paid_out" || query.Get("limit") != "30" {
					t.Fatalf("%s: query %v lacks the caller's filters", name, query)
				}
			}
		})
	}
}

func TestExporterErrorComesAfterWhatWasBeforeIt(t *testing.T) {
	broken := errors.New("broken")
	f := newFakeList(every(3000, time.Minute, fakeNow))
	f.latency = time.Millisecond
	want := f.ids()
	f.before = func(f *fakeList, req *http.Request) error {
		// All that reaches far back fails; what comes before it is in flight at the same time.
		if gte, _ := time.Parse(time.RFC3339Nano, req.URL.Query().Get("created_at[gte]")); gte.Before(fakeNow.Add(-2000 * time.Minute)) {
			if len(f.requests) > 1 {
				return broken
			}
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		client := fakeClient(t, f, WithRetries(0))
		e := NewExporter(client.Payments.List, PaymentListParams{Limit: 50}, ExportOptions{Workers: 8})
		var got []string
		failed := 0
		for p, err := range e.All(t.Context()) {
			if err != nil {
				if failed++; !errors.Is(err, broken) || p != nil {
					t.Errorf("got %v, %v, want no item and the error", p, err)
				}
				continue
			}
			got = append(got, p.ID)
		}
		if failed != 1 || len(got) < 1000 || len(got) > 2000 {
			t.Fatalf("got %d errors after %d items, want one after those that could be read", failed, len(got))
		}
		f.before = nil
		got = append(got, exportAll(t, NewExporter(client.Payments.List, PaymentListParams{Limit: 50}, ExportOptions{Cursor: e.Cursor()}))...)
		sameIDs(t, "continued", got, want)
	})
}

func TestExporterMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeList(every(20_000, time.Minute, fakeNow))
		f.latency = time.Millisecond
		n := 0
		for _, err := range NewExporter(fakeClient(t, f).Payments.List, PaymentListParams{Limit: 50}, ExportOptions{Workers: 4}).All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 1 {
				time.Sleep(time.Hour)
				if got := f.count(); got > 1+exportHeld*4 {
					t.Errorf("%d pages were read while the caller had the first, want at most %d", got, 1+exportHeld*4)
				}
			}
		}
	})
}

func TestExporterEndsWithTheLoop(t *testing.T) {
	// The bubbles do not end before all of their goroutines have.
	for name, leave := range map[string]func(cancel func()) bool{
		"break":  func(func()) bool { return true },
		"cancel": func(cancel func()) bool { cancel(); return false },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeList(every(20_000, time.Minute, fakeNow))
			f.latency = time.Second
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			n := 0
			var left time.Time
			for _, err := range NewExporter(fakeClient(t, f).Payments.List, PaymentListParams{Limit: 50}, ExportOptions{}).All(ctx) {
				last = err
				if n++; n == 120 {
					left = time.Now()
					if leave(cancel) {
						break
					}
				}
			}
			if waited := time.Since(left); waited != 0 {
				t.Errorf("%s: the loop went on for %v", name, waited)
			}
			if name == "cancel" && !errors.Is(last, context.Canceled) {
				t.Errorf("cancel: got %v, want the context's error", last)
			}
		})
	}
}

func TestExporterPanicReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeList(every(1000, time.Minute, fakeNow))
		f.before = func(f *fakeList, _ *http.Request) error {
			if len(f.requests) == 5 {
				panic("transport")
			}
			return nil
		}
		defer func() {
			if p := recover(); p != "transport" {
				t.Errorf("recovered %v, want the transport's panic", p)
			}
		}()
		for range NewExporter(fakeClient(t, f).Payments.List, PaymentListParams{Limit: 50}, ExportOptions{}).All(t.Context()) {
		}
		t.Error("the loop ended without the panic")
	})
}

// A transport that ends its goroutine ends the export with an error, whichever request it was.
func TestExporterNoticesAGoroutineThatEnded(t *testing.T) {
	for _, request := range []int{1, 5} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeList(every(1000, time.Minute, fakeNow))
			f.before = func(f *fakeList, _ *http.Request) error {
				if len(f.requests) == request {
					runtime.Goexit()
				}
				return nil
			}
			var last error
			for _, err := range NewExporter(fakeClient(t, f).Payments.List, PaymentListParams{Limit: 50}, ExportOptions{Workers: 2}).All(t.Context()) {
				last = err
			}
			if !errors.Is(last, errWorkerGone) {
				t.Errorf("request %d: got %v", request, last)
			}
		})
	}
}

// A nil context is refused like any other parameter, wherever it is given.
func TestNilContext(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"payments":[]}`))
	var none context.Context
	check := func(name string, err error) {
		t.Helper()
		if e, ok := errors.AsType[*ParamsError](err); !ok || e.Problems[0].Field != "ctx" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	first := func(seq iter.Seq2[*Payment, error]) error {
		for _, err := range seq {
			return err
		}
		return nil
	}
	check("All", first(c.Payments.All(none, PaymentListParams{})))
	check("All with prefetch", first(c.Payments.All(none, PaymentListParams{}, WithPrefetch(2))))
	check("Exporter.All", first(NewExporter(c.Payments.List, PaymentListParams{}, ExportOptions{}).All(none)))
	_, err := c.Payments.List(none, PaymentListParams{})
	check("List", err)
	check("Do", c.Do(none, "GET", "/payments", nil, nil))
	_, err = (&Page[Payment]{After: "x", source: &pageSource{core: c.core, op: &opPaymentsList, kind: pageKind{new([]*Payment), new(Payment)}}}).Next(none)
	check("Next", err)
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// The zero values of errors can be printed.
func TestZeroErrors(t *testing.T) {
	for _, err := range []error{&SigningError{}, &Error{}, &ConnectionError{}, &MalformedResponseError{}, &ParamsError{}, &MetadataError{}, &PanicError{}} {
		if err.Error() == "" {
			t.Errorf("%T has no text", err)
		}
		_ = fmt.Sprintf("%v %+v %#v %q", err, err, err, err)
		_, _ = json.Marshal(err)
		_ = errors.Is(err, ErrNotFound)
		_ = errors.Unwrap(err)
	}
}

func TestExporterRefuses(t *testing.T) {
	f := newFakeList(nil)
	list := fakeClient(t, f).Payments.List
	for field, e := range map[string]*Exporter[Payment]{
		"after":          NewExporter(list, PaymentListParams{After: "PM1"}, ExportOptions{}),
		"before":         NewExporter(list, PaymentListParams{Before: "PM1"}, ExportOptions{}),
		"sort_field":     NewExporter(list, PaymentListParams{SortField: "amount"}, ExportOptions{}),
		"sort_direction": NewExporter(list, PaymentListParams{SortDirection: "asc"}, ExportOptions{}),
		"limit":          NewExporter(list, PaymentListParams{Limit: 501}, ExportOptions{}),
		"Workers":        NewExporter(list, PaymentListParams{}, ExportOptions{Workers: 65}),
		"WithResponse":   NewExporter(list, PaymentListParams{}, ExportOptions{}, WithResponse(new(Response))),
	} {
		var problem *ParamsError
		n := 0
		for _, err := range e.All(t.Context()) {
			if n++; !errors.As(err, &problem) || problem.Problems[0].Field != field {
				t.Errorf("%s: got %v, want a *ParamsError about it", field, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: got %d errors", field, n)
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests were sent", f.count())
	}
}

// The params of a caller's own list may embed those of the SDK.
func TestExporterOfOwnParams(t *testing.T) {
	type own struct {
		PaymentListParams
		since time.Time
	}
	f := newFakeList(nil)
	c := fakeClient(t, f)
	list := func(ctx context.Context, p own, opts ...RequestOption) (*Page[Payment], error) {
		return c.Payments.List(ctx, p.PaymentListParams, opts...)
	}
	for limit, refused := range map[int]bool{2: false, 501: true} {
		e := NewExporter(list, own{PaymentListParams{Limit: limit}, time.Now()}, ExportOptions{})
		if got := e.problem != nil; got != refused || e.problem == nil && e.limit != limit {
			t.Errorf("limit %d: %d, %v", limit, e.limit, e.problem)
		}
	}
}

// An export of a list that ignores the windows fails, instead of yielding items twice.
func TestExporterNoticesAListThatCannotBeDivided(t *testing.T) {
	for name, spoil := range map[string]func(query url.Values){
		"ignores filters": func(q url.Values) { q.Del("created_at[gte]"); q.Del("created_at[lt]") },
		"ignores cursors": func(q url.Values) { q.Del("after") },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeList(every(1000, time.Minute, fakeNow))
			transport := roundTripper(func(req *http.Request) (*http.Response, error) {
				spoilt := req.Clone(req.Context())
				query := req.URL.Query()
				spoil(query)
				spoilt.URL.RawQuery = query.Encode()
				return f.RoundTrip(spoilt)
			})
			seen, last := map[string]bool{}, error(nil)
			for p, err := range NewExporter(benchClient(t, transport).Payments.List, PaymentListParams{Limit: 50}, ExportOptions{}).All(t.Context()) {
				if last = err; err == nil {
					if seen[p.ID] {
						t.Fatalf("%s: item %s twice", name, p.ID)
					}
					seen[p.ID] = true
				}
			}
			if last == nil || !strings.Contains(last.Error(), "the list ") {
				t.Errorf("%s: got %v after %d items, want an error", name, last, len(seen))
			}
		})
	}
}

// An export yields items whose created_at cannot be read. If no item has a time, it reads the list
// page by page.
func TestExporterReadsOddTimes(t *testing.T) {
	created := regexp.MustCompile(`"created_at":"[^"]*"`)
	for _, odd := range []int{1, 5, 9, 10} { // of ten items
		seeds := uint64(4)
		if raceDetector {
			seeds = 1
		}
		for seed := range seeds {
			r := rand.New(rand.NewPCG(seed, 2))
			f := newFakeList(distributions["random"](r))
			transport := roundTripper(func(req *http.Request) (*http.Response, error) {
				resp, err := f.RoundTrip(req)
				if err != nil {
					return nil, err
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					return nil, err
				}
				body = created.ReplaceAllFunc(body, func(text []byte) []byte {
					if crc32.ChecksumIEEE(text)%10 < uint32(odd) { // the same each time
						return []byte(`"created_at":"yesterday"`)
					}
					return text
				})
				return benchReply(req, io.NopCloser(bytes.NewReader(body)), int64(len(body))), nil
			})
			synctest.Test(t, func(t *testing.T) {
				e := NewExporter(benchClient(t, transport).Payments.List, PaymentListParams{Limit: 20}, ExportOptions{})
				sameIDs(t, fmt.Sprintf("%d of 10 are odd, seed %d", odd, seed), exportAll(t, e), f.ids())
			})
		}
	}
}

// TestExporterKeepsToTheRateLimit: the API allows 100 requests in a clock minute here, and the
// list takes more than three times as many.
func TestExporterKeepsToTheRateLimit(t *testing.T) {
	const allowed = 100
	synctest.Test(t, func(t *testing.T) {
		f := newFakeList(every(3000, time.Minute, fakeNow))
		f.latency = 10 * time.Millisecond
		var minute time.Time
		used, refused := 0, 0
		transport := roundTripper(func(req *http.Request) (*http.Response, error) {
			f.mu.Lock()
			if now := time.Now().Truncate(time.Minute); now != minute {
				minute, used = now, 0
			}
			used++
			left := allowed - used
			if left < 0 {
				refused++
			}
			f.mu.Unlock()
			resp, err := f.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			resp.Header.Set("RateLimit-Limit", fmt.Sprint(allowed))
			resp.Header.Set("RateLimit-Remaining", fmt.Sprint(max(left, 0)))
			resp.Header.Set("RateLimit-Reset", minute.Add(time.Minute).UTC().Format(http.TimeFormat))
			if left < 0 {
				resp.StatusCode = http.StatusTooManyRequests
			}
			return resp, nil
		})
		client := benchClient(t, transport, WithRateLimitWait(), WithRetries(0))
		began := time.Now()
		got := exportAll(t, NewExporter(client.Payments.List, PaymentListParams{Limit: 10}, ExportOptions{Workers: 8}))
		sameIDs(t, "limited", got, f.ids())
		if refused > 0 {
			t.Errorf("%d requests were over the limit", refused)
		}
		if took := time.Since(began); took < 2*time.Minute || took > 5*time.Minute {
			t.Errorf("took %v for %d requests, of which %d are allowed in a minute", took, f.count(), allowed)
		}
	})
}

// An Exporter that NewExporter did not make reports it, instead of waiting for workers.
func TestZeroExporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		for _, err := range new(Exporter[Payment]).All(t.Context()) {
			if n++; !errors.Is(err, errNoExporter) {
				t.Errorf("got %v", err)
			}
		}
		if n != 1 {
			t.Errorf("%d results", n)
		}
	})
}
