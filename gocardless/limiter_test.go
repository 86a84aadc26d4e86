package gocardless

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// windowAPI is a transport that counts requests in clock minutes as the API does,
// and answers 429 beyond the limit.
type windowAPI struct {
	limit   int
	latency time.Duration
	skew    time.Duration // of the server's clock
	silent  bool          // says nothing of the limit

	mu      sync.Mutex
	window  time.Time
	used    int
	total   int
	refused int
	others  int // requests of other processes, each window
	order   []string
}

func (a *windowAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(a.latency / 2)
	a.mu.Lock()
	now := time.Now().Add(a.skew)
	if w := now.Truncate(time.Minute); !w.Equal(a.window) {
		a.window, a.used = w, a.others
	}
	a.used++
	a.total++
	a.order = append(a.order, req.Header.Get("X-Name"))
	status, remaining, reset := 200, a.limit-a.used, a.window.Add(time.Minute)
	if remaining < 0 {
		status, remaining = 429, 0
		a.refused++
	}
	a.mu.Unlock()
	time.Sleep(a.latency / 2)
	headers := []string{"RateLimit-Limit", strconv.Itoa(a.limit), "RateLimit-Remaining", strconv.Itoa(remaining), "RateLimit-Reset", httpDate(reset), "Date", httpDate(now)}
	if a.silent {
		headers = nil
	}
	return replyWith(status, `{"payments":{"id":"PM1"},"balances":[]}`, headers...)(req)
}

// seen returns how many requests there were, and how many of them were from the bulk lane.
func (a *windowAPI) seen() (total, bulk int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range a.order {
		if name == "bulk" {
			bulk++
		}
	}
	return a.total, bulk
}

// midMinute moves the fake clock to the given second of a minute.
func midMinute(second time.Duration) {
	now := time.Now()
	time.Sleep(now.Truncate(time.Minute).Add(time.Minute + second*time.Second).Sub(now))
}

func TestRateLimitWaitOverrunsNoWindow(t *testing.T) {
	for name, api := range map[string]*windowAPI{
		"alone":             {limit: 100, latency: 200 * time.Millisecond},
		"with others":       {limit: 100, latency: 200 * time.Millisecond, others: 40},
		"clock ahead":       {limit: 100, latency: 200 * time.Millisecond, skew: 3 * time.Hour},
		"clock behind":      {limit: 100, latency: 200 * time.Millisecond, skew: -17 * time.Second},
		"unanswered budget": {limit: 1000, latency: time.Millisecond, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				midMinute(10)
				c := clientOver(t, api, WithRateLimitWait())
				n := 3 * (api.limit - api.others)
				// One reply reports the limit, if it is not the documented one.
				if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				var wg sync.WaitGroup
				for range 16 {
					wg.Go(func() {
						for range n / 16 {
							if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if api.refused > 0 {
					t.Errorf("%d of %d requests were one too many", api.refused, api.total)
				}
				if took := time.Since(began); took < time.Minute || took > 4*time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// Waiting calls are sent in the order in which they arrived.
func TestRateLimitWaitIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(30)
		api := &windowAPI{limit: 5}
		c := clientOver(t, api, WithRateLimitWait())
		for range 5 {
			_, _ = c.Payments.Get(t.Context(), "PM1")
		}
		api.order = nil
		var want []string
		var wg sync.WaitGroup
		for i := range 14 {
			name := fmt.Sprint(i)
			want = append(want, name)
			wg.Go(func() {
				if _, err := c.Payments.Get(t.Context(), "PM1", WithHeader("X-Name", name)); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
		}
		wg.Wait()
		// Within a window those let go together may arrive in any order.
		for window := range slices.Chunk(api.order, api.limit) {
			slices.Sort(window)
		}
		for window := range slices.Chunk(want, api.limit) {
			slices.Sort(window)
		}
		if !slices.Equal(api.order, want) || api.refused > 0 {
			t.Errorf("order by window %v, want %v, %d refused", api.order, want, api.refused)
		}
	})
}

func TestRateLimitWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(30)
		api := &windowAPI{limit: 1}
		c := clientOver(t, api, WithRateLimitWait())
		_, _ = c.Payments.Get(t.Context(), "PM1")

		// A deadline before the window ends is reported at once.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.Payments.Get(ctx, "PM1")
		if e := as[*ConnectionError](t, err); !errors.Is(err, context.DeadlineExceeded) || e.Attempts != 0 || e.MayHaveRun || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}

		// A cancel ends the wait of the one who is next, and of one behind.
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				began := time.Now()
				if _, err := c.Payments.Get(ctx, "PM1"); !errors.Is(err, context.Canceled) || time.Since(began) != 5*time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		}
		wg.Wait()
		// And calls that gave up do not hold up later ones.
		if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil || api.refused > 0 {
			t.Errorf("%v, %d refused", err, api.refused)
		}
	})
}

// Balances and outbound payments have budgets of their own.
func TestRateLimitGroups(t *testing.T) {
	l := newWindowLimiter(DefaultRateLimitReserve)
	if err := l.Wait(t.Context(), opBalancesList, LaneInteractive); err != nil || l.general.flying != 1 || l.narrow[GroupBalances].flying != 1 {
		t.Fatalf("%v, %d and %d in flight", err, l.general.flying, l.narrow[GroupBalances].flying)
	}
	l.Observe(opBalancesList, LaneInteractive, RateLimit{})
	if l.general.flying != 0 || l.narrow[GroupBalances].flying != 0 {
		t.Errorf("%d and %d on their way after the reply", l.general.flying, l.narrow[GroupBalances].flying)
	}
	for name, want := range map[string]*budget{
		"payments.list": nil, "balances.list": l.narrow[GroupBalances], "outbound_payments.create": l.narrow[GroupOutboundWrites], "outbound_payments.withdraw": l.narrow[GroupOutboundWrites],
		"outbound_payments.approve": l.narrow[GroupOutboundWrites], "outbound_payments.list": l.narrow[GroupOutboundReads], "outbound_payments.update": l.narrow[GroupOutboundReads],
		"outbound_payment_imports.create": nil, "outbound_payment_import_entries.list": nil,
	} {
		i := slices.IndexFunc(operations[:], func(op *Operation) bool { return op.Name == name })
		if i < 0 {
			t.Errorf("no operation %s", name)
			continue
		}
		if got := l.special(operations[i]); got != want {
			t.Errorf("%s has the wrong budget", name)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		midMinute(20)
		c := clientOver(t, &windowAPI{limit: 60}, WithRateLimitWait())
		for range 60 {
			if _, err := c.Balances.List(t.Context(), BalanceListParams{Creditor: "CR1"}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		waiting := make(chan time.Duration)
		go func() {
			_, _ = c.Balances.List(t.Context(), BalanceListParams{Creditor: "CR1"})
			waiting <- time.Since(began)
		}()
		synctest.Wait()
		// The others do not wait behind a spent budget that is not theirs.
		c2 := c.core.limiter
		if err := c2.Wait(t.Context(), opPaymentsGet, LaneInteractive); err != nil || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if took := <-waiting; took != 40*time.Second {
			t.Errorf("the 61st balance came after %v", took)
		}
	})
}

// A request that its special budget releases and the general one does not is not sent, so it must not
// stay counted as in flight.
func TestRateLimitOfARequestThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(20)
		l := newWindowLimiter(DefaultRateLimitReserve)
		balances := opBalancesList
		if err := l.general.wait(t.Context(), LaneInteractive); err != nil {
			t.Fatal(err)
		}
		l.general.observe(LaneInteractive, RateLimit{Limit: 1000, Remaining: 0, Reset: time.Now().Truncate(time.Minute).Add(time.Minute)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 5 {
			if err := l.Wait(ctx, balances, LaneInteractive); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
		}
		if l.narrow[GroupBalances].flying != 0 {
			t.Errorf("%d on their way", l.narrow[GroupBalances].flying)
		}
	})
}

// Replies about windows that are over, or that no window can be, do not move the end of this one.
func TestRateLimitOfAnotherWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(20)
		for name, reset := range map[string]time.Duration{"over": -time.Second, "far": time.Hour} {
			var b budget
			b.init(10, 20)
			for range 4 {
				if err := b.wait(t.Context(), LaneInteractive); err != nil {
					t.Fatal(err)
				}
			}
			end := b.reset
			b.observe(LaneInteractive, RateLimit{Limit: 10, Remaining: 9, Reset: time.Now().Add(reset)})
			if !b.reset.Equal(end) || b.remaining != 6 {
				t.Errorf("%s: ends at %s with %d left, want %s with 6", name, b.reset, b.remaining, end)
			}
		}
	})
}

// A limiter of the caller's own is asked before each attempt and observes each reply.
func TestLimiter(t *testing.T) {
	l := &recordingLimiter{}
	s := &script{replies: []replier{replyWith(500, "", "RateLimit-Limit", "7"), failWith(dialError()), replyWith(200, paymentReply, "RateLimit-Limit", "8")}}
	c := clientOver(t, s, WithLimiter(l), WithRetryPolicy(atOnce))
	if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"wait payments.get", "observe 7", "wait payments.get", "observe 0", "wait payments.get", "observe 8"}; !slices.Equal(l.log, want) {
		t.Errorf("got %q", l.log)
	}
	l.err = errors.New("the budget is closed")
	_, err := c.Payments.Get(t.Context(), "PM1")
	if as[*ConnectionError](t, err); !errors.Is(err, l.err) || len(s.requests()) != 3 {
		t.Errorf("%v", err)
	}
}

type recordingLimiter struct {
	log []string
	err error
}

func (l *recordingLimiter) Wait(_ context.Context, op Operation, _ Lane) error {
	l.log = append(l.log, "wait "+op.Name)
	return l.err
}

func (l *recordingLimiter) Observe(_ Operation, _ Lane, r RateLimit) {
	l.log = append(l.log, "observe "+strconv.Itoa(r.Limit))
}

// When the budget closes between two attempts, the failure of the first is still reported.
func TestLimiterThatStopsARetry(t *testing.T) {
	l := &recordingLimiter{}
	s := &script{replies: []replier{func(req *http.Request) (*http.Response, error) {
		l.err = errors.New("the budget is closed")
		return replyWith(502, "")(req)
	}}}
	_, err := clientOver(t, s, WithLimiter(l), WithRetryPolicy(atOnce)).Payments.Get(t.Context(), "PM1")
	if e := as[*Error](t, err); e.StatusCode != 502 || !errors.Is(err, l.err) || as[*ConnectionError](t, err).Attempts != 1 {
		t.Errorf("%v", err)
	}
}

// The reset header of a reply is read once, and again when it changes.
func TestRateLimitOfManyReplies(t *testing.T) {
	var cell rateLimitCell
	minute := func(m int) time.Time { return time.Date(2023, 4, 19, 16, m, 0, 0, time.UTC) }
	for i, reset := range []time.Time{minute(10), minute(10), minute(11), {}, minute(11), minute(10)} {
		h := http.Header{"Ratelimit-Limit": {"1000"}, "Ratelimit-Remaining": {strconv.Itoa(i)}}
		if !reset.IsZero() {
			h["Ratelimit-Reset"] = []string{reset.Format(http.TimeFormat)}
		}
		want := RateLimit{1000, i, reset}
		if got := cell.read(h); got != want || cell.load() != want {
			t.Errorf("reply %d: %v, kept %v, want %v", i, got, cell.load(), want)
		}
	}
	last := cell.load()
	if got := cell.read(http.Header{}); !got.IsZero() || cell.load() != last {
		t.Errorf("a reply without headers: %v, kept %v", got, cell.load())
	}
}

func TestRateLimitHeaders(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   RateLimit
	}{
		"all":        {http.Header{"Ratelimit-Limit": {"1000"}, "Ratelimit-Remaining": {"3"}, "Ratelimit-Reset": {"Wed, 19 Apr 2023 16:10:00 GMT"}}, RateLimit{1000, 3, time.Date(2023, 4, 19, 16, 10, 0, 0, time.UTC)}},
		"as written": {http.Header{"RateLimit-Limit": {"1000"}, "ratelimit-remaining": {"3"}}, RateLimit{Limit: 1000, Remaining: 3}},
		"none":       {http.Header{}, RateLimit{}},
		"nonsense":   {http.Header{"Ratelimit-Limit": {"-5"}, "Ratelimit-Remaining": {"x"}, "Ratelimit-Reset": {"30"}}, RateLimit{}},
	} {
		if got := new(rateLimitCell).read(test.header); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
