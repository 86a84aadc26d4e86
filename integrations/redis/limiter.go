package redislimit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Options configures a [Limiter]. Budget must be set.
type Options struct {
	// Budget names the access token: all processes that use the same token use the same name. It is
	// part of Redis keys, so it must not be the token itself.
	Budget string
	// ReservePercent is the part of each minute's requests that bulk calls leave to interactive ones,
	// up to 90: 20 when zero, none when negative. See [gocardless.WithRateLimitReserve].
	ReservePercent int
	// Timeout limits a call to Redis: 250 ms when zero. An API call waits at most this long before
	// Redis counts as lost.
	Timeout time.Duration
	// Logger receives a warning when Redis is lost, and a line when it can be reached again:
	// [slog.Default] when nil.
	Logger *slog.Logger
	// OnChange is called at the same times: with the error, and then with nil.
	OnChange func(error)
}

const (
	defaultTimeout = 250 * time.Millisecond
	window         = time.Minute
	// The pause before Redis is tried again, at first and at most.
	firstPause, maxPause = time.Second, 30 * time.Second
)

// Limiter is a [gocardless.Limiter] that keeps its budgets in Redis. While Redis
// cannot be reached, each process uses a limiter of its own.
type Limiter struct {
	redis   redis.Scripter
	options Options
	groups  [len(groups)]group
	clock   func() int64 // in ms, for tests; 0 means Redis's own time

	mu     sync.Mutex
	local  gocardless.Limiter // nil unless Redis is lost
	until  time.Time          // the end of the pause
	pause  time.Duration
	reason error
}

//go:embed take.lua
var takeScript string

var take = redis.NewScript(takeScript)

// New returns a limiter for [gocardless.WithLimiter]. The client may be one for a single server, a
// cluster or sentinels. New does not call Redis.
func New(client redis.Scripter, options Options) (*Limiter, error) {
	switch {
	case client == nil:
		return nil, errors.New("redislimit: the client must not be nil")
	case options.Budget == "" || strings.ContainsAny(options.Budget, "{}"):
		return nil, errors.New("redislimit: Options.Budget: must be a name without braces")
	case options.ReservePercent > 90:
		return nil, errors.New("redislimit: Options.ReservePercent: must be at most 90")
	case options.Timeout < 0:
		return nil, errors.New("redislimit: Options.Timeout: must not be negative")
	}
	switch {
	case options.ReservePercent == 0:
		options.ReservePercent = gocardless.DefaultRateLimitReserve
	case options.ReservePercent < 0:
		options.ReservePercent = 0
	}
	if options.Timeout == 0 {
		options.Timeout = defaultTimeout
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	return &Limiter{redis: client, options: options, clock: func() int64 { return 0 }}, nil
}

// kind is one of the budgets of the API; 0 is the general one.
type kind int

var groups = [...]gocardless.RateLimitGroup{
	gocardless.GroupGeneral, gocardless.GroupBalances, gocardless.GroupOutboundWrites, gocardless.GroupOutboundReads,
}

// kindOf returns the narrowest budget of an operation. Every operation also uses the general one.
func kindOf(op *gocardless.Operation) kind { return kind(slices.Index(groups[:], op.RateLimitGroup())) }

// group is this process's view of a budget.
type group struct {
	queues [2]queue // by lane

	mu    sync.Mutex
	ended int                  // requests that have ended since the last call to Redis
	local int                  // requests in progress that the local limiter let through
	last  gocardless.RateLimit // the latest limit in a reply
}

// Wait implements [gocardless.Limiter].
func (l *Limiter) Wait(ctx context.Context, op gocardless.Operation, lane gocardless.Lane) error {
	g := &l.groups[kindOf(&op)]
	q := &g.queues[min(lane, gocardless.LaneBulk)]
	if err := q.enter(ctx); err != nil {
		return err
	}
	passed := false
	defer func() {
		if !passed {
			q.next()
		}
	}()
	for {
		if local := l.fallback(); local != nil {
			passed = true
			q.next() // the local limiter has its own queues
			return g.waitLocally(ctx, local, op, lane)
		}
		a, err := l.ask(ctx, kindOf(&op), lane)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			l.lost(err)
			continue
		}
		l.reached()
		deadline, limited := ctx.Deadline()
		if limited && a.wait > 0 && time.Until(deadline) <= a.wait {
			return context.DeadlineExceeded
		}
		q.expect(a)
		if err := sleep(ctx, a.wait); err != nil {
			return err
		}
		if a.taken {
			return nil
		}
	}
}

// answer is the result of the script.
type answer struct {
	taken      bool
	wait, step time.Duration
}

// ask runs the script.
func (l *Limiter) ask(ctx context.Context, k kind, lane gocardless.Lane) (answer, error) {
	bulk, longest := 0, int64(-1)
	if lane == gocardless.LaneBulk {
		bulk = 1
	}
	if deadline, ok := ctx.Deadline(); ok {
		longest = max(time.Until(deadline).Milliseconds(), 0)
	}
	args := []any{l.clock(), window.Milliseconds(), bulk, l.options.ReservePercent, longest}
	var keys []string
	for _, k := range []kind{0, k}[:min(int(k), 1)+1] {
		keys = append(keys, "gocardless:{"+l.options.Budget+"}:"+string(groups[k]))
		args = append(args, l.groups[k].report(groups[k].DefaultLimit())...)
	}
	ctx, cancel := context.WithTimeout(ctx, l.options.Timeout)
	defer cancel()
	// go-redis observes the context's deadline only with ContextTimeoutEnabled.
	type reply struct {
		answer
		err error
	}
	replies := make(chan reply, 1)
	go func() {
		a, err := l.run(ctx, keys, args)
		replies <- reply{a, err}
	}()
	select {
	case r := <-replies:
		return r.answer, r.err
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

func (l *Limiter) run(ctx context.Context, keys []string, args []any) (answer, error) {
	r, err := take.Run(ctx, l.redis, keys, args...).Int64Slice()
	if err == nil && len(r) != 3 {
		err = fmt.Errorf("the script returned %d numbers", len(r))
	}
	if err != nil {
		return answer{}, err
	}
	return answer{r[0] == 1, time.Duration(r[1]) * time.Millisecond, time.Duration(r[2]) * time.Millisecond}, nil
}

// report returns the arguments of the script for a budget.
func (g *group) report(limit int) []any {
	g.mu.Lock()
	defer g.mu.Unlock()
	ended := g.ended
	g.ended = 0
	// The last limit is sent until its window ends, so that a Redis that lost its data has it again.
	left := time.Until(g.last.Reset)
	if g.last.Limit <= 0 || left <= 0 || left > window+time.Second {
		return []any{limit, ended, 0, 0, 0}
	}
	return []any{limit, ended, g.last.Limit, g.last.Remaining, left.Milliseconds()}
}

// Observe implements [gocardless.Limiter].
func (l *Limiter) Observe(op gocardless.Operation, lane gocardless.Lane, limit gocardless.RateLimit) {
	k := kindOf(&op)
	if k != 0 {
		// The limit in the reply is that of the narrower budget.
		l.groups[0].observe(gocardless.RateLimit{})
	}
	g := &l.groups[k]
	if g.observe(limit) {
		if local := l.current(); local != nil {
			local.Observe(op, lane, limit)
		}
	}
}

// observe records the end of a request, and reports whether the local limiter let it through.
func (g *group) observe(limit gocardless.RateLimit) (local bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if limit.Limit > 0 && !limit.Reset.IsZero() {
		// Replies can overtake each other. Within a window, the smaller number is the newer one.
		newer := limit.Reset.Sub(g.last.Reset) > time.Second
		if newer || limit.Remaining < g.last.Remaining || limit.Limit != g.last.Limit {
			g.last = limit
		}
	}
	if g.local > 0 {
		g.local--
		return true
	}
	g.ended++
	return false
}

// waitLocally waits for the local limiter.
func (g *group) waitLocally(ctx context.Context, local gocardless.Limiter, op gocardless.Operation, lane gocardless.Lane) error {
	err := local.Wait(ctx, op, lane)
	if err == nil {
		g.mu.Lock()
		g.local++
		g.mu.Unlock()
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
