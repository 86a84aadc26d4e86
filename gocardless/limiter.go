package gocardless

import (
	"context"
	"errors"
)

// A Limiter delays requests so that the API's rate limit is not exceeded. Processes that use the same
// access token share one budget if their Limiters share their state; the module integrations/redis
// has such a Limiter. A Limiter must be safe for concurrent use.
type Limiter interface {
	// Wait returns nil when a request of the operation may be sent, and an error
	// when it may not: the context's error once the context ends, or
	// [context.DeadlineExceeded] as soon as the wait cannot end before the
	// context's deadline. The client calls it before each attempt.
	Wait(ctx context.Context, op Operation, lane Lane) error
	// Observe reports the end of an attempt that Wait let through. The client calls it exactly once
	// for each, with the rate limit that the reply reported, whose Reset is converted to this
	// machine's clock. The limit is zero if the reply reported none, or if there was no reply.
	Observe(op Operation, lane Lane, limit RateLimit)
}

// A Lane is the priority of a request under a [Limiter].
type Lane uint8

// The lanes.
const (
	// LaneInteractive is for calls that a user waits for. It is the default.
	LaneInteractive Lane = iota
	// LaneBulk is for billing runs, exports and other work in the background;
	// see [WithBulkLane].
	LaneBulk

	lanes = iota
)

// String returns "interactive" or "bulk".
func (l Lane) String() string {
	if l == LaneBulk {
		return "bulk"
	}
	return "interactive"
}

// WithBulkLane marks calls as background work, for a client with a limiter ([WithRateLimitWait],
// [WithLimiter]). Bulk requests are spread evenly over each minute and leave a reserve to the other
// calls, which always go first. Without a limiter the option has no effect.
func WithBulkLane() Option {
	return option(func(s *settings) { s.lane = LaneBulk })
}

// WithLimiter sets a limiter, which the client calls before and after each attempt.
func WithLimiter(l Limiter) ClientOption {
	return clientOption(func(c *clientConfig) {
		if c.limiter = l; l == nil {
			c.refuse("WithLimiter", "must not be nil")
		}
	})
}

// WithRateLimitWait makes calls wait for the next minute when the rate limit is used up. The client
// counts its own requests and reads the limit in the replies, so it takes the requests of other
// clients with the same token into account. Balances and outbound payments have their own budgets;
// calls that wait for one of these do not delay other calls.
//
// Calls of one lane are sent in the order in which they arrive. Interactive calls, the default, may
// use the whole limit. Bulk calls ([WithBulkLane]) leave a reserve of 20 % to the interactive ones
// ([WithRateLimitReserve] changes it) and are spread over the minute. Processes that share a token
// divide the bulk budget among themselves, using the limits in the replies. A wait that cannot end
// before the deadline of the call's context fails at once with [context.DeadlineExceeded], whatever
// the call's position in the queue.
//
// The wait counts against the context of a call, not against [WithTimeout].
func WithRateLimitWait() ClientOption { return WithRateLimitReserve(DefaultRateLimitReserve) }

// DefaultRateLimitReserve is the reserve of [WithRateLimitWait], in percent.
const DefaultRateLimitReserve = 20

// WithRateLimitReserve is [WithRateLimitWait] with another reserve: the percentage of each window,
// 0 to 90, that bulk calls leave to interactive ones. Half of the reserve is released to the bulk
// calls, evenly over the window, since less time is left to need it.
func WithRateLimitReserve(percent int) ClientOption {
	return clientOption(func(c *clientConfig) {
		l, err := NewLimiter(percent)
		if err != nil {
			c.refuse("WithRateLimitReserve", reserveProblem)
			return
		}
		c.limiter = l
	})
}

// NewLimiter returns the limiter of [WithRateLimitReserve], for [WithLimiter]. Pass it to all
// clients of one access token in the process, which then share a budget.
func NewLimiter(reservePercent int) (Limiter, error) {
	if reservePercent < 0 || reservePercent > 90 {
		return nil, errors.New("gocardless: the reserve of a limiter " + reserveProblem)
	}
	return newWindowLimiter(reservePercent), nil
}

const reserveProblem = "must be between 0 and 90 percent"

// windowLimiter is the limiter of [NewLimiter].
type windowLimiter struct {
	general budget
	narrow  map[RateLimitGroup]*budget // of the groups that also count against the general one
}

func newWindowLimiter(reserve int) *windowLimiter {
	l := &windowLimiter{narrow: map[RateLimitGroup]*budget{}}
	for _, b := range rateBudgets {
		into := &l.general
		if b.group != GroupGeneral {
			into = new(budget)
			l.narrow[b.group] = into
		}
		into.init(b.perMinute, reserve)
	}
	return l
}

// special returns the budget that an operation has besides the general one, or nil.
func (l *windowLimiter) special(op *Operation) *budget { return l.narrow[op.RateLimitGroup()] }

func (l *windowLimiter) Wait(ctx context.Context, op Operation, lane Lane) error {
	lane = min(lane, LaneBulk)
	special := l.special(&op)
	if special != nil {
		if err := special.wait(ctx, lane); err != nil {
			return err
		}
	}
	err := l.general.wait(ctx, lane)
	if err != nil && special != nil {
		special.giveBack() // nothing will be sent, so Observe is not called
	}
	return err
}

func (l *windowLimiter) Observe(op Operation, lane Lane, limit RateLimit) {
	lane = min(lane, LaneBulk)
	b := &l.general
	if special := l.special(&op); special != nil {
		// The reply reports the special budget.
		l.general.observe(lane, RateLimit{})
		b = special
	}
	b.observe(lane, limit)
}
