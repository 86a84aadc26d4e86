package gocardless

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fleet is several processes, each with its own limiter, that share only a token.
type fleet struct {
	api     *windowAPI
	clients []*Client
	stop    func()
}

// startFleet runs bulk workers in each process until the fleet is stopped.
func startFleet(t *testing.T, processes, workers int) *fleet {
	f := &fleet{api: &windowAPI{limit: 1000, latency: 200 * time.Millisecond}}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range processes {
		c := clientOver(t, f.api, WithRateLimitWait())
		f.clients = append(f.clients, c)
		for range workers {
			running.Go(func() {
				for ctx.Err() == nil {
					if _, err := c.Payments.Get(ctx, "PM1", WithBulkLane(), WithHeader("X-Name", "bulk")); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
			})
		}
	}
	f.stop = func() { cancel(); running.Wait() }
	return f
}

// interactive makes a number of calls with a deadline of ten seconds, at a distance from each other,
// and returns how many failed.
func (f *fleet) interactive(ctx context.Context, n int, distance time.Duration) (failed int) {
	var mu sync.Mutex
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			if _, err := f.clients[i%len(f.clients)].Payments.Get(ctx, "PM1"); err != nil {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
		time.Sleep(distance)
	}
	calls.Wait()
	return failed
}

// Next to 64 bulk workers every interactive call is answered in time, and the bulk calls use
// three quarters of the limit, in however many processes.
func TestLanes(t *testing.T) {
	for _, processes := range []int{1, 4, 64} {
		t.Run(fmt.Sprint(processes, " processes"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				midMinute(40)
				f := startFleet(t, processes, 64)
				defer f.stop()
				// At once, while the processes have not yet learned of each other.
				failed := f.interactive(t.Context(), 60, 0)
				midMinute(0)
				for minute := range 3 {
					_, before := f.api.seen()
					failed += f.interactive(t.Context(), 60, time.Second)
					if _, bulk := f.api.seen(); bulk-before < 750 {
						t.Errorf("minute %d: %d bulk requests of 1000", minute, bulk-before)
					}
				}
				for _, second := range []time.Duration{1, 20, 57} {
					midMinute(second)
					failed += f.interactive(t.Context(), 60, 0)
				}
				f.stop()
				if failed > 0 || f.api.refused > 0 {
					t.Errorf("%d interactive calls failed; %d of %d requests were refused", failed, f.api.refused, f.api.total)
				}
			})
		})
	}
}

// Bulk requests are spread over the minute, in the order in which they came.
func TestBulkLaneIsPacedAndFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(0)
		f := startFleet(t, 1, 8)
		time.Sleep(time.Minute)
		last, _ := f.api.seen()
		for range 110 {
			time.Sleep(time.Second)
			total, _ := f.api.seen()
			if n := total - last; n < 12 || n > 18 {
				t.Errorf("%d requests in a second", n)
			}
			last = total
		}
		f.stop()

		var order []int
		var mu sync.Mutex
		var calls sync.WaitGroup
		for i := range 20 {
			calls.Go(func() {
				if _, err := f.clients[0].Payments.Get(t.Context(), "PM1", WithBulkLane()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
			})
			synctest.Wait()
		}
		calls.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("order %v", order)
		}
	})
}

// A call that cannot be sent before its deadline fails at once, wherever it is in the queue, and does
// not delay those behind it. If that becomes clear later, the call fails then.
func TestDeadlineAnywhereInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(30)
		api := &windowAPI{limit: 10}
		c := clientOver(t, api, WithRateLimitWait())
		for range 10 {
			_, _ = c.Payments.Get(t.Context(), "PM1")
		}
		began := time.Now()
		call := func(deadline time.Duration, opts ...RequestOption) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			_, err := c.Payments.Get(ctx, "PM1", opts...)
			return time.Since(began), err
		}
		var waiting sync.WaitGroup
		for range 9 {
			waiting.Go(func() {
				if after, err := call(31 * time.Second); err != nil || after != 30*time.Second {
					t.Errorf("%v after %v", err, after)
				}
			})
		}
		synctest.Wait()
		// The tenth in the queue is served in the next window, the eleventh in the one after it.
		if after, err := call(10 * time.Second); !errors.Is(err, context.DeadlineExceeded) || after != 0 {
			t.Errorf("no window begins before the deadline: %v after %v", err, after)
		}
		waiting.Go(func() {
			if after, err := call(31 * time.Second); err != nil || after != 30*time.Second {
				t.Errorf("the tenth: %v after %v", err, after)
			}
		})
		synctest.Wait()
		if after, err := call(80 * time.Second); !errors.Is(err, context.DeadlineExceeded) || after != 0 {
			t.Errorf("the eleventh: %v after %v", err, after)
		}
		if after, err := call(20*time.Second, WithBulkLane()); !errors.Is(err, context.DeadlineExceeded) || after != 0 {
			t.Errorf("in the bulk lane: %v after %v", err, after)
		}
		// The ten use up the next window, so a bulk call is served in the one after it.
		if after, err := call(80*time.Second, WithBulkLane()); !errors.Is(err, context.DeadlineExceeded) || after != 0 {
			t.Errorf("in the bulk lane behind the others: %v after %v", err, after)
		}
		waiting.Go(func() {
			if after, err := call(91*time.Second, WithBulkLane()); err != nil || after != 90*time.Second {
				t.Errorf("in the bulk lane with time: %v after %v", err, after)
			}
		})
		waiting.Wait()

		// Others use up the window in which a waiter was to be served.
		midMinute(50)
		l := newWindowLimiter(20)
		b := &l.general
		reset := time.Now().Truncate(time.Minute).Add(time.Minute)
		b.limit = 10
		for range 10 {
			if err := b.wait(t.Context(), LaneInteractive); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithDeadline(t.Context(), reset.Add(5*time.Second))
		defer cancel()
		for i := range 2 {
			waiting.Go(func() {
				err := b.wait(ctx, LaneInteractive)
				if late := !time.Now().Before(reset); (err != nil) != (i == 1) || late != (i == 0) {
					t.Errorf("waiter %d: %v, after the window %t", i, err, late)
				}
			})
			synctest.Wait()
		}
		b.observe(LaneInteractive, RateLimit{Limit: 1, Reset: reset})
		waiting.Wait()
	})
}

// A transport or an observer that panics or ends its goroutine does not keep its part of the budget.
func TestLimiterAfterAPanic(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		for place, opt := range map[string]ClientOption{
			"transport": WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { end(); return nil, nil })}),
			"observer":  WithObserver(Observer{AttemptStarted: func(context.Context, AttemptStart) context.Context { end(); return nil }}),
		} {
			l := newWindowLimiter(20)
			c := clientOver(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, context.Canceled }), WithLimiter(l), opt)
			for range 3 {
				outlive(func() { _, _ = c.Payments.Get(t.Context(), "PM1") })
			}
			if l.general.flying != 0 || l.general.remaining != l.general.limit-3 {
				t.Errorf("%s in the %s: %d requests are still in flight, %d remain", name, place, l.general.flying, l.general.remaining)
			}
		}
	}
}

// No header of a reply blocks the limiter or disables it.
func TestLimiterOfOddReplies(t *testing.T) {
	far, past := "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"
	for name, headers := range map[string][]string{
		"reset far off":     {"RateLimit-Limit", "3", "RateLimit-Remaining", "0", "RateLimit-Reset", far},
		"both far off":      {"RateLimit-Limit", "3", "RateLimit-Remaining", "0", "RateLimit-Reset", far, "Date", far},
		"date in the past":  {"RateLimit-Limit", "3", "RateLimit-Remaining", "0", "RateLimit-Reset", far, "Date", past},
		"reset in the past": {"RateLimit-Limit", "3", "RateLimit-Remaining", "0", "RateLimit-Reset", past},
		"both in the past":  {"RateLimit-Limit", "3", "RateLimit-Remaining", "0", "RateLimit-Reset", past, "Date", past},
		"huge numbers":      {"RateLimit-Limit", fmt.Sprint(math.MaxInt), "RateLimit-Remaining", fmt.Sprint(math.MaxInt), "RateLimit-Reset", far},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				midMinute(20)
				c := clientOver(t, &script{replies: []replier{replyWith(200, paymentReply, headers...)}}, WithRateLimitWait())
				for _, lane := range []RequestOption{nil, WithBulkLane()} {
					began := time.Now()
					for range 10 {
						if _, err := c.Payments.Get(t.Context(), "PM1", lane); err != nil {
							t.Fatal(err)
						}
					}
					if took := time.Since(began); took > 11*time.Minute {
						t.Errorf("ten calls took %v", took)
					}
				}
			})
		})
	}
}

// A few bulk calls by a client that is alone do not wait long, after a pause either.
func TestBulkLaneStartsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(20)
		c := clientOver(t, &windowAPI{limit: 1000, latency: 50 * time.Millisecond}, WithRateLimitWait(), WithBulkLane())
		for range 3 {
			began := time.Now()
			for range 20 {
				if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began); took < time.Second || took > 6*time.Second {
				t.Errorf("20 calls took %v", took)
			}
			time.Sleep(5 * time.Minute)
		}
	})
}

func TestReserve(t *testing.T) {
	for _, percent := range []int{-1, 91} {
		if _, err := NewLimiter(percent); err == nil {
			t.Errorf("a reserve of %d %% was accepted", percent)
		}
		if _, err := New(testToken, EnvironmentSandbox, WithRateLimitReserve(percent)); as[*ParamsError](t, err).Problems[0].Field != "WithRateLimitReserve" {
			t.Errorf("%v", err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		midMinute(0)
		for percent, want := range map[int]int{0: 100, 20: 80, 90: 10} {
			l := newWindowLimiter(percent)
			l.general.limit = 100
			// No more than the reserve leaves, however fast the pace would be.
			let := 0
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
				l.general.pace.next = time.Time{}
				if l.general.wait(ctx, LaneBulk) == nil {
					let++
				}
				cancel()
			}
			if let != want {
				t.Errorf("%d %%: %d bulk requests at once, want %d", percent, let, want)
			}
			for range 100 - want {
				if err := l.general.wait(t.Context(), LaneInteractive); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	if LaneBulk.String() != "bulk" || LaneInteractive.String() != "interactive" {
		t.Error("names of lanes")
	}
}
