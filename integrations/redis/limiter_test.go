package redislimit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// api counts requests in clock minutes as the API does, and answers 429 beyond the limit.
type api struct {
	limit   int
	latency time.Duration

	mu      sync.Mutex
	minute  time.Time
	used    int
	total   int
	bulk    int
	refused int
}

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(a.latency / 2)
	a.mu.Lock()
	now := time.Now()
	if m := now.Truncate(time.Minute); !m.Equal(a.minute) {
		a.minute, a.used = m, 0
	}
	a.total++
	a.used++
	if req.Header.Get("X-Lane") == "bulk" {
		a.bulk++
	}
	status, remaining, reset := 200, a.limit-a.used, a.minute.Add(time.Minute)
	if remaining < 0 {
		status, remaining = 429, 0
		a.refused++
	}
	a.mu.Unlock()
	time.Sleep(a.latency / 2)
	return &http.Response{
		StatusCode: status, Request: req, Body: io.NopCloser(strings.NewReader(`{"payments":{"id":"PM1"},"balances":[]}`)),
		Header: http.Header{
			"Ratelimit-Limit": {strconv.Itoa(a.limit)}, "Ratelimit-Remaining": {strconv.Itoa(remaining)},
			"Ratelimit-Reset": {reset.UTC().Format(http.TimeFormat)}, "Date": {now.UTC().Format(http.TimeFormat)},
		},
	}, nil
}

func (a *api) count() (total, bulk, refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total, a.bulk, a.refused
}

// server is a Redis to test with. Its address stays the same after a restart.
type server struct {
	addr       string
	stop, back func()
}

// each runs a test in a bubble of fake time with miniredis and, where there is one, a real Redis. A
// short test prefers the real one: miniredis, which interprets the script, is slow under the race detector.
func each(t *testing.T, f func(t *testing.T, s server)) {
	if !testing.Short() || os.Getenv("GOCARDLESS_TEST_REDIS") == "" {
		t.Run("miniredis", func(t *testing.T) { bubble(t, ownMiniredis(t), f) })
	}
	t.Run("Redis", func(t *testing.T) { bubble(t, realRedis(t), f) })
}

// process returns a client and a limiter that stand for a process.
func process(t *testing.T, a http.RoundTripper, addr, budget string, options ...func(*Options)) (*gocardless.Client, *Limiter) {
	t.Helper()
	r := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: -1, WriteTimeout: -1, PoolSize: 4, MaxRetries: -1})
	t.Cleanup(func() { _ = r.Close() })
	o := Options{Budget: budget, Logger: slog.New(slog.DiscardHandler), Timeout: time.Hour}
	for _, f := range options {
		f(&o)
	}
	l, err := New(r, o)
	if err != nil {
		t.Fatal(err)
	}
	l.clock = func() int64 { return time.Now().UnixMilli() } // that of the bubble
	c, err := gocardless.New("token", gocardless.EnvironmentSandbox, gocardless.WithHTTPClient(&http.Client{Transport: a}), gocardless.WithLimiter(l))
	if err != nil {
		t.Fatal(err)
	}
	return c, l
}

// toSecond moves the fake clock to the given second of a minute.
func toSecond(second time.Duration) {
	now := time.Now()
	time.Sleep(now.Truncate(time.Minute).Add(time.Minute + second*time.Second).Sub(now))
}

// 64 processes make 5,000 requests and never exceed the limit.
func TestOneBudget(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		processes, reads := 64, 5000
		if testing.Short() {
			processes, reads = 8, 1100
		}
		budget := budgetName()
		toSecond(20)
		a := &api{limit: 1000, latency: 100 * time.Millisecond}
		began := time.Now()
		var all sync.WaitGroup
		for i := range processes {
			c, _ := process(t, a, s.addr, budget)
			for half := range 2 {
				all.Go(func() {
					for n := i + half*processes; n < reads; n += 2 * processes {
						if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		all.Wait()
		if total, _, refused := a.count(); total != reads || refused > 0 {
			t.Errorf("%d requests, %d replies of 429", total, refused)
		}
		if took := time.Since(began); took > 5*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// Alongside bulk workers in eight processes, every interactive call is answered in time, and the bulk
// calls use three quarters of the limit.
func TestLanes(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		budget := budgetName()
		toSecond(40)
		a := &api{limit: 1000, latency: 200 * time.Millisecond}
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		var clients []*gocardless.Client
		for range 8 {
			c, _ := process(t, a, s.addr, budget)
			clients = append(clients, c)
			for range 4 {
				workers.Go(func() {
					for ctx.Err() == nil {
						if _, err := c.Payments.Get(ctx, "PM1", gocardless.WithBulkLane(), gocardless.WithHeader("X-Lane", "bulk")); err != nil && ctx.Err() == nil {
							t.Error(err)
						}
					}
				})
			}
		}
		interactive := func(n int, distance time.Duration) {
			var calls sync.WaitGroup
			for i := range n {
				calls.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					if _, err := clients[i%len(clients)].Payments.Get(ctx, "PM1"); err != nil {
						t.Error(err)
					}
				})
				time.Sleep(distance)
			}
			calls.Wait()
		}
		interactive(60, 0)
		toSecond(0)
		minutes := 2
		if testing.Short() {
			minutes = 1
		}
		for minute := range minutes {
			_, before, _ := a.count()
			interactive(60, time.Second)
			if _, bulk, _ := a.count(); bulk-before < 750 {
				t.Errorf("minute %d: %d bulk requests of 1000", minute, bulk-before)
			}
		}
		toSecond(57)
		interactive(60, 0)
		cancel()
		workers.Wait()
		if total, _, refused := a.count(); refused > 0 {
			t.Errorf("%d of %d requests were refused", refused, total)
		}
	})
}

// A call that cannot meet its deadline fails at once, wherever it is in the queue.
func TestDeadlines(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		toSecond(30)
		a := &api{limit: 10}
		c, _ := process(t, a, s.addr, budgetName())
		for range 10 {
			if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		call := func(deadline time.Duration, opts ...gocardless.RequestOption) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			_, err := c.Payments.Get(ctx, "PM1", opts...)
			return time.Since(began).Round(time.Second), err
		}
		var waiting sync.WaitGroup
		for range 5 {
			waiting.Go(func() {
				if after, err := call(32 * time.Second); err != nil || after != 30*time.Second {
					t.Errorf("%v after %v", err, after)
				}
			})
		}
		time.Sleep(time.Millisecond)
		for _, opts := range [][]gocardless.RequestOption{nil, {gocardless.WithBulkLane()}} {
			if after, err := call(20*time.Second, opts...); !errors.Is(err, context.DeadlineExceeded) || after != 0 {
				t.Errorf("%v after %v", err, after)
			}
		}
		// A call that gives up does not block the others.
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		if _, err := c.Payments.Get(ctx, "PM1"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		waiting.Wait()
	})
}

// Balances have their own budget, and wait without delaying other calls.
func TestBudgetOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		toSecond(20)
		c, l := process(t, &api{limit: 60}, s.addr, budgetName())
		began := time.Now()
		var all sync.WaitGroup
		for range 61 {
			all.Go(func() {
				if _, err := c.Balances.List(t.Context(), gocardless.BalanceListParams{Creditor: "CR1"}); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		if err := l.Wait(t.Context(), gocardless.Operation{Method: "GET", Path: "/payments"}, gocardless.LaneInteractive); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		all.Wait()
		if took := time.Since(began).Round(time.Second); took != 40*time.Second {
			t.Errorf("the 61st balance came after %v", took)
		}
	})
	for k, op := range example {
		if got := kindOf(&op); got != kind(k) {
			t.Errorf("%s %s is of kind %d", op.Method, op.Path, got)
		}
	}
}

// When Redis is lost, each process continues with its own limiter and reports it. When Redis is back,
// without its data, the processes share the budget again. They never exceed the limit.
func TestRestarts(t *testing.T) {
	eachOwn(t, func(t *testing.T, s server) {
		toSecond(0)
		a := &api{limit: 1000, latency: 100 * time.Millisecond}
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		var mu sync.Mutex
		changes := map[bool]int{}
		var limiters []*Limiter
		for range 4 {
			c, l := process(t, a, s.addr, "restarts", func(o *Options) {
				o.OnChange = func(err error) {
					mu.Lock()
					changes[err != nil]++
					mu.Unlock()
				}
			})
			limiters = append(limiters, l)
			for range 4 {
				workers.Go(func() {
					for ctx.Err() == nil {
						if _, err := c.Payments.Get(ctx, "PM1", gocardless.WithBulkLane(), gocardless.WithHeader("X-Lane", "bulk")); err != nil && ctx.Err() == nil {
							t.Error(err)
						}
					}
				})
			}
		}
		restarts := 3
		if testing.Short() {
			restarts = 1
		}
		for range restarts {
			time.Sleep(25 * time.Second)
			s.stop()
			time.Sleep(20 * time.Second)
			for _, l := range limiters {
				if l.Err() == nil {
					t.Error("Redis is gone, and Err returns nil")
				}
			}
			_, before, _ := a.count()
			time.Sleep(20 * time.Second)
			if _, bulk, _ := a.count(); bulk-before < 100 {
				t.Errorf("%d requests in 20 s without Redis", bulk-before)
			}
			s.back()
			time.Sleep(45 * time.Second)
			for _, l := range limiters {
				if err := l.Err(); err != nil {
					t.Error(err)
				}
			}
		}
		cancel()
		workers.Wait()
		if total, _, refused := a.count(); refused > 0 {
			t.Errorf("%d of %d requests were refused", refused, total)
		}
		mu.Lock()
		defer mu.Unlock()
		if changes[true] != 4*restarts || changes[false] != 4*restarts {
			t.Errorf("told of %d losses and %d returns", changes[true], changes[false])
		}
	})
}

// A Redis that accepts connections but does not answer counts as lost.
func TestSilentRedis(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			if _, err := listener.Accept(); err != nil {
				return
			}
		}
	}()
	var log strings.Builder
	c, l := process(t, &api{limit: 1000}, listener.Addr().String(), "silent", func(o *Options) {
		o.Timeout, o.Logger = 20*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil))
	})
	if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
		t.Fatal(err)
	}
	if l.Err() == nil || !strings.Contains(log.String(), "Redis cannot be reached") || !strings.Contains(log.String(), "budget=silent") {
		t.Errorf("%v, log %q", l.Err(), log.String())
	}
}

// By default the script uses the clock of Redis.
func TestRedisClock(t *testing.T) {
	m := miniredis.RunT(t)
	r := redis.NewClient(&redis.Options{Addr: m.Addr()})
	defer func() { _ = r.Close() }()
	l, err := New(r, Options{Budget: "clock", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 25, 12, 0, 20, 0, time.UTC)
	m.SetTime(at)
	op := gocardless.Operation{Method: "GET", Path: "/payments"}
	for range 1000 {
		if a, err := l.ask(t.Context(), 0, gocardless.LaneInteractive); err != nil || !a.taken {
			t.Fatalf("%+v %v", a, err)
		}
		l.Observe(op, gocardless.LaneInteractive, gocardless.RateLimit{})
	}
	if a, err := l.ask(t.Context(), 0, gocardless.LaneInteractive); err != nil || a.taken || a.wait != 40*time.Second {
		t.Errorf("%+v %v", a, err)
	}
	m.SetTime(at.Add(40 * time.Second))
	if a, err := l.ask(t.Context(), 0, gocardless.LaneInteractive); err != nil || !a.taken {
		t.Errorf("%+v %v", a, err)
	}
}

func TestNewRefuses(t *testing.T) {
	r := redis.NewClient(&redis.Options{})
	defer func() { _ = r.Close() }()
	for want, make := range map[string]func() (*Limiter, error){
		"client":         func() (*Limiter, error) { return New(nil, Options{Budget: "b"}) },
		"Budget":         func() (*Limiter, error) { return New(r, Options{}) },
		"braces":         func() (*Limiter, error) { return New(r, Options{Budget: "{b}"}) },
		"ReservePercent": func() (*Limiter, error) { return New(r, Options{Budget: "b", ReservePercent: 91}) },
		"Timeout":        func() (*Limiter, error) { return New(r, Options{Budget: "b", Timeout: -1}) },
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
