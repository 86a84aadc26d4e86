package gocardless

import (
	"context"
	"testing"
	"time"
)

// BenchmarkObserver is a get with an observer that does nothing, compared with one without.
func BenchmarkObserver(b *testing.B) {
	transport := benchEnvelope
	watched := benchClient(b, transport, WithObserver(Observer{
		CallStarted:    func(ctx context.Context, _ CallStart) context.Context { return ctx },
		AttemptStarted: func(ctx context.Context, _ AttemptStart) context.Context { return ctx },
		AttemptEnded:   func(context.Context, AttemptEnd) {},
		CallEnded:      func(context.Context, CallEnd) {},
	}))
	plain := benchClient(b, transport)
	get := func(c *Client) func() error {
		return func() error {
			_, err := c.Payments.Get(b.Context(), "PM000000000001")
			return err
		}
	}
	benchOp(b, "sdk", get(watched))
	benchOp(b, "floor", get(plain))
}

// BenchmarkObserverUnset is what a call without an observer spends on observers and on the
// operation in its context. It must not allocate.
func BenchmarkObserverUnset(b *testing.B) {
	x := &exchange{core: &core{}, op: &opPaymentsGet, settings: &settings{}}
	parent := b.Context()
	benchOp(b, "sdk", func() error {
		x.context = operationContext{parent, x.op}
		if x.settings.observer != nil {
			b.Fatal("an observer is set")
		}
		if op, ok := OperationFromContext(&x.context); !ok || op.List {
			b.Fatal("no operation")
		}
		return nil
	})
}

// BenchmarkLimiter is what the limiter of a client spends on a request that it lets through.
func BenchmarkLimiter(b *testing.B) {
	for _, lane := range []Lane{LaneInteractive, LaneBulk} {
		l := newWindowLimiter(DefaultRateLimitReserve)
		ctx := b.Context()
		benchOp(b, lane.String()+"/sdk", func() error {
			l.general.remaining, l.general.pace.next = maxLimit, time.Time{} // never a wait
			err := l.Wait(ctx, opPaymentsGet, lane)
			l.Observe(opPaymentsGet, lane, RateLimit{Limit: maxLimit, Remaining: maxLimit, Reset: l.general.reset})
			return err
		})
	}
}
