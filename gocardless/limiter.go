package gocardless

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Limiter holds requests back before the API's rate limit is reached. Many
// processes that use one access token can share a budget by an implementation
// that keeps its state in a place they all reach. It must be safe for concurrent
// use.
type Limiter interface {
	// Wait returns when a request of the operation may be sent, or the context's
	// error when that ends first. It is called before each attempt.
	Wait(ctx context.Context, op Operation) error
	// Observe tells what a reply to the operation said of the rate limit. Reset
	// is in terms of this machine's clock, whatever the server's says. The value
	// is zero when the reply said nothing.
	Observe(op Operation, limit RateLimit)
}

// WithLimiter asks the given limiter before each attempt.
func WithLimiter(l Limiter) ClientOption {
	return clientOption(func(c *clientConfig) {
		if c.limiter = l; l == nil {
			c.refuse("WithLimiter", "must not be nil")
		}
	})
}

// WithRateLimitWait holds requests back, in the order in which they come, while
// the rate limit has nothing left, until the next window begins. The client
// counts what it sends and listens to what the replies say, so that it notices
// what other clients of the same token use up. Balances and outbound payments have
// budgets of their own, and wait without holding up the rest.
//
// The waiting counts against the context of a call, not against [WithTimeout].
func WithRateLimitWait() ClientOption {
	return clientOption(func(c *clientConfig) { c.limiter = newWindowLimiter() })
}

// The API counts requests in windows of one clock minute.
const window = time.Minute

// Documented numbers of requests in a window. They stand in until a reply tells
// the real one.
const (
	generalBudget          = 1000
	balancesBudget         = 60
	outboundPostBudget     = 300
	outboundOtherBudget    = 500
	outboundPaymentsPrefix = "/outbound_payments"
)

// windowLimiter is the limiter of [WithRateLimitWait].
type windowLimiter struct {
	general, balances, outboundPosts, outboundOthers budget
}

func newWindowLimiter() *windowLimiter {
	l := new(windowLimiter)
	l.general.init(generalBudget)
	l.balances.init(balancesBudget)
	l.outboundPosts.init(outboundPostBudget)
	l.outboundOthers.init(outboundOtherBudget)
	return l
}

// special is the budget that an operation has beside the general one, or nil.
func (l *windowLimiter) special(op *Operation) *budget {
	switch rest, ok := strings.CutPrefix(op.Path, outboundPaymentsPrefix); {
	case op.Path == "/balances" && op.Method == http.MethodGet:
		return &l.balances
	case !ok || rest != "" && rest[0] != '/':
		return nil
	case op.Method == http.MethodPost:
		return &l.outboundPosts
	}
	return &l.outboundOthers
}

func (l *windowLimiter) Wait(ctx context.Context, op Operation) error {
	special := l.special(&op)
	if special != nil {
		if err := special.wait(ctx); err != nil {
			return err
		}
	}
	err := l.general.wait(ctx)
	if err != nil && special != nil {
		special.landed() // it will not be sent, and nothing will be observed
	}
	return err
}

func (l *windowLimiter) Observe(op Operation, limit RateLimit) {
	b := &l.general
	if special := l.special(&op); special != nil {
		l.general.landed()
		b = special
	}
	b.observe(limit)
}

// budget counts the requests of one group in the current window.
type budget struct {
	// turn is held by the one who is next. A channel hands over in the order of
	// arrival, so nobody is overtaken, and a wait for it can be given up.
	turn chan struct{}

	mu        sync.Mutex
	limit     int
	remaining int
	reset     time.Time // the end of the window; zero before the first request
	flying    int       // sent and not yet answered
}

func (b *budget) init(limit int) {
	b.turn = make(chan struct{}, 1)
	b.limit = limit
}

// wait takes one request from the budget, in turn.
func (b *budget) wait(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	for {
		delay := b.take()
		if delay <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
			// It could only end in the deadline: say so now.
			return context.DeadlineExceeded
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// take counts a request, or returns how long the window still lasts when there is
// nothing left in it.
func (b *budget) take() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !now.Before(b.reset) {
		b.reset = now.Truncate(window).Add(window)
		b.remaining = b.limit
	}
	if b.remaining <= 0 {
		return b.reset.Sub(now)
	}
	b.remaining--
	b.flying++
	return 0
}

// landed notes that a request has been answered or lost.
func (b *budget) landed() {
	b.mu.Lock()
	b.flying = max(b.flying-1, 0)
	b.mu.Unlock()
}

// observe takes over what a reply says. It may have been overtaken by others, so
// within a window the smaller number counts.
func (b *budget) observe(r RateLimit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying = max(b.flying-1, 0)
	if r.Limit <= 0 || r.Reset.IsZero() {
		return
	}
	b.limit = r.Limit
	// The requests on their way will be counted in the same window.
	left := max(r.Remaining-b.flying, 0)
	now := time.Now()
	switch {
	case !r.Reset.After(now):
		// The window of the reply is over.
	case r.Reset.Sub(now) > window+time.Second:
		// No window is that long: the clocks disagree in a way that the Date of
		// the reply did not explain. The count is good all the same.
		b.remaining = min(b.remaining, left)
	case r.Reset.Sub(b.reset).Abs() < time.Second:
		b.remaining = min(b.remaining, left)
	default:
		b.reset, b.remaining = r.Reset, left
	}
}
