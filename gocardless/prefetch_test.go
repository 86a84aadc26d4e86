package gocardless

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var fakeNow = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func TestPrefetchYieldsTheSame(t *testing.T) {
	f := newFakeList(every(237, time.Second, fakeNow))
	for _, pages := range []int{0, 1, 3, 16} {
		synctest.Test(t, func(t *testing.T) {
			var response Response
			var got []string
			all := fakeClient(t, f).Payments.All(t.Context(), PaymentListParams{Limit: 10}, WithPrefetch(pages), WithResponse(&response))
			for range 2 { // it can be ranged over again
				got = got[:0]
				for p, err := range all {
					if err != nil {
						t.Fatal(err)
					}
					if response.StatusCode != 200 {
						t.Fatalf("response record: got %+v", response)
					}
					got = append(got, p.ID)
				}
				if !slices.Equal(got, f.ids()) {
					t.Errorf("prefetch %d: got %d items, want %d in the order of the API", pages, len(got), len(f.items))
				}
			}
		})
	}
}

// TestPrefetchOverlapsWork: a page takes 50 ms to fetch and 50 ms to work on.
func TestPrefetchOverlapsWork(t *testing.T) {
	for pages, want := range map[int]time.Duration{0: 20 * 50 * time.Millisecond, 1: 11 * 50 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeList(every(100, time.Second, fakeNow))
			f.latency = 50 * time.Millisecond
			began, n := time.Now(), 0
			for _, err := range fakeClient(t, f).Payments.All(t.Context(), PaymentListParams{Limit: 10}, WithPrefetch(pages)) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n%10 == 0 {
					time.Sleep(50 * time.Millisecond)
				}
			}
			if took := time.Since(began); took != want {
				t.Errorf("prefetch %d: took %v, want %v", pages, took, want)
			}
		})
	}
}

func TestPrefetchIsBoundedAndEndsWithTheLoop(t *testing.T) {
	for _, pages := range []int{1, 2, 5} {
		// The bubble of the test does not end before all of its goroutines have.
		synctest.Test(t, func(t *testing.T) {
			f := newFakeList(every(1000, time.Second, fakeNow))
			f.latency = time.Millisecond
			n := 0
			for _, err := range fakeClient(t, f).Payments.All(t.Context(), PaymentListParams{Limit: 10}, WithPrefetch(pages)) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == 15 {
					time.Sleep(time.Hour)
					if got, want := f.count(), 2+pages; got != want {
						t.Errorf("prefetch %d: %d pages were fetched on the second, want %d", pages, got, want)
					}
					break
				}
			}
			time.Sleep(time.Hour)
			if got, most := f.count(), 3+pages; got > most {
				t.Errorf("prefetch %d: %d requests after the end, want at most %d", pages, got, most)
			}
			if got := f.most.Load(); got != 1 {
				t.Errorf("%d requests at once, want one after the other", got)
			}
		})
	}
}

func TestPrefetchBreakDoesNotWaitForAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeList(every(1000, time.Second, fakeNow))
		f.latency = time.Minute / 2
		var left time.Time
		for range fakeClient(t, f).Payments.All(t.Context(), PaymentListParams{Limit: 10}, WithPrefetch(1)) {
			left = time.Now()
			break
		}
		if waited := time.Since(left); waited != 0 {
			t.Errorf("break waited %v for the page that was being fetched", waited)
		}
	})
}

func TestPrefetchError(t *testing.T) {
	broken := errors.New("broken")
	synctest.Test(t, func(t *testing.T) {
		f := newFakeList(every(100, time.Second, fakeNow))
		f.before = func(f *fakeList, _ *http.Request) error {
			if len(f.requests) > 3 {
				return broken
			}
			return nil
		}
		n, failed := 0, 0
		for p, err := range fakeClient(t, f, WithRetries(0)).Payments.All(t.Context(), PaymentListParams{Limit: 10}, WithPrefetch(4)) {
			if err == nil {
				n++
				continue
			}
			if failed++; p != nil || !errors.Is(err, broken) {
				t.Errorf("got %v, %v, want no item and the error", p, err)
			}
		}
		if n != 30 || failed != 1 {
			t.Errorf("got %d items and %d errors, want the 30 before the error, and it once", n, failed)
		}
	})
}

func TestPrefetchCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f := newFakeList(every(1000, time.Second, fakeNow))
		f.latency = time.Second
		var last error
		n := 0
		for _, err := range fakeClient(t, f).Payments.All(ctx, PaymentListParams{Limit: 10}, WithPrefetch(2)) {
			if n++; n == 5 {
				cancel()
			}
			last = err
		}
		if !errors.Is(last, context.Canceled) || n > 40 {
			t.Errorf("got %v after %d items, want the context's error soon", last, n)
		}
	})
}

func TestPrefetchPanicReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeList(every(100, time.Second, fakeNow))
		f.before = func(f *fakeList, _ *http.Request) error {
			if len(f.requests) == 2 {
				panic("transport")
			}
			return nil
		}
		defer func() {
			if p := recover(); p != "transport" {
				t.Errorf("recovered %v, want the transport's panic", p)
			}
		}()
		for range fakeClient(t, f).Payments.All(t.Context(), PaymentListParams{Limit: 10}, WithPrefetch(1)) {
		}
		t.Error("the loop ended without the panic")
	})
}

func TestPrefetchRefusesBadNumbers(t *testing.T) {
	for _, pages := range []int{-1, maxPrefetch + 1} {
		if _, err := New("token", EnvironmentSandbox, WithPrefetch(pages)); err == nil {
			t.Errorf("%d pages for a client: no error", pages)
		}
		f := newFakeList(nil)
		var last error
		for _, err := range fakeClient(t, f).Payments.All(t.Context(), PaymentListParams{}, WithPrefetch(pages)) {
			last = err
		}
		var problem *ParamsError
		if !errors.As(last, &problem) || f.count() != 0 {
			t.Errorf("%d pages: got %v after %d requests, want a *ParamsError before the first", pages, last, f.count())
		}
	}
}

// If a transport ends its goroutine, as FailNow does, the pages read so far must not look like the
// whole list.
func TestPrefetchNoticesAGoroutineThatEnded(t *testing.T) {
	c := clientOver(t, roundTripper(func(*http.Request) (*http.Response, error) {
		runtime.Goexit()
		return nil, nil
	}))
	var got error
	for _, err := range c.Payments.All(t.Context(), PaymentListParams{}, WithPrefetch(1)) {
		got = err
	}
	if !errors.Is(got, errReaderGone) {
		t.Errorf("got %v", got)
	}
}
