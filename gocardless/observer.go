package gocardless

import (
	"context"
	"errors"
	"time"
)

// An Observer is notified of the calls of a client and of their attempts, for traces and metrics;
// integrations/otel has one for OpenTelemetry. Nil functions are skipped. The functions run in the
// goroutine of the call, so they must be quick, and they must be safe for concurrent use.
//
// CallStarted returns a context for AttemptStarted and CallEnded, and AttemptStarted one for the
// transport and AttemptEnded. A nil context is ignored. For each start there is an end, even if the
// transport panics.
type Observer struct {
	// CallStarted is called before the params are checked.
	CallStarted func(context.Context, CallStart) context.Context
	// AttemptStarted is called before each request.
	AttemptStarted func(context.Context, AttemptStart) context.Context
	// AttemptEnded is called when the reply has been read and the client has decided whether to make
	// another attempt.
	AttemptEnded func(context.Context, AttemptEnd)
	// CallEnded is called before the call returns.
	CallEnded func(context.Context, CallEnd)
}

// CallStart describes a call at its start.
type CallStart struct {
	Operation Operation
	Lane      Lane
	// BaseURL is the address to which the operation's path is appended.
	BaseURL string
}

// AttemptStart describes a request that is about to be sent.
type AttemptStart struct {
	// Operation is the operation of this request. It differs from that of the call if the request
	// reads the resource that an earlier create request made.
	Operation Operation
	// Attempt is the number of the attempt, from 1.
	Attempt int
	// LimiterWait is how long the limiter delayed the request.
	LimiterWait time.Duration
}

// AttemptEnd describes a request that was answered or lost.
type AttemptEnd struct {
	Operation Operation
	Attempt   int
	// Duration is the time from the start of the attempt to the end of its reply.
	Duration time.Duration
	// StatusCode is the status of the reply, or 0 when there was none.
	StatusCode int
	RequestID  string
	RateLimit  RateLimit
	// Err is nil after a success. Its message may contain ids; see [ErrorClass].
	Err error
	// Retry reports that there is another attempt, after Wait, for Reason.
	Retry  bool
	Wait   time.Duration
	Reason string
}

// CallEnd describes a call that returns.
type CallEnd struct {
	Operation Operation
	// Duration is the time of all attempts and the waits between them.
	Duration time.Duration
	// StatusCode, RequestID and RateLimit are those of the last reply.
	StatusCode int
	RequestID  string
	RateLimit  RateLimit
	// Attempts counts the requests that were sent.
	Attempts int
	// Existing is Response.Existing.
	Existing bool
	// MayHaveRun reports, after an error, that the API may have carried out the call.
	MayHaveRun bool
	// Err is nil after a success. Its message may contain ids; see [ErrorClass].
	Err error
}

// WithObserver adds an observer. An observer of a single call is notified in addition to the
// client's, after them at each start and before them at each end.
func WithObserver(o Observer) Option {
	return option(func(s *settings) {
		if s.observer == nil {
			s.observer = &o
			return
		}
		s.observer = s.observer.around(&o)
	})
}

// around returns an observer that notifies both o and inner, with inner inside o.
func (o *Observer) around(inner *Observer) *Observer {
	return &Observer{
		CallStarted: func(ctx context.Context, s CallStart) context.Context {
			return inner.callStarted(o.callStarted(ctx, s), s)
		},
		AttemptStarted: func(ctx context.Context, s AttemptStart) context.Context {
			return inner.attemptStarted(o.attemptStarted(ctx, s), s)
		},
		AttemptEnded: func(ctx context.Context, e AttemptEnd) { inner.attemptEnded(ctx, e); o.attemptEnded(ctx, e) },
		CallEnded:    func(ctx context.Context, e CallEnd) { inner.callEnded(ctx, e); o.callEnded(ctx, e) },
	}
}

func (o *Observer) callStarted(ctx context.Context, s CallStart) context.Context {
	if o.CallStarted != nil {
		if own := o.CallStarted(ctx, s); own != nil {
			return own
		}
	}
	return ctx
}

func (o *Observer) attemptStarted(ctx context.Context, s AttemptStart) context.Context {
	if o.AttemptStarted != nil {
		if own := o.AttemptStarted(ctx, s); own != nil {
			return own
		}
	}
	return ctx
}

func (o *Observer) attemptEnded(ctx context.Context, e AttemptEnd) {
	if o.AttemptEnded != nil {
		o.AttemptEnded(ctx, e)
	}
}

func (o *Observer) callEnded(ctx context.Context, e CallEnd) {
	if o.CallEnded != nil {
		o.CallEnded(ctx, e)
	}
}

// ErrorClass returns a short name for the kind of an error of this package, without ids or personal
// data: the API's reason or type, such as "mandate_is_inactive", or "timeout", "canceled",
// "connection", "unsuccessful reply", "unreadable reply", "refused before sending", "not signed" or
// "other". It returns "" for nil.
func ErrorClass(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return errorClass(err)
}

// errAbandoned is the error that observers see when a transport panics or ends its
// goroutine.
var errAbandoned = errors.New("gocardless: the transport panicked or ended its goroutine")

// performObserved is perform, watched by the observer if there is one.
func (x *exchange) performObserved(ctx context.Context, in *input) (err error) {
	o := x.settings.observer
	if o == nil {
		return x.perform(ctx, in)
	}
	began := time.Now()
	ctx = o.callStarted(ctx, CallStart{Operation: *x.op, Lane: x.settings.lane, BaseURL: x.core.base.String()})
	err = errAbandoned
	defer func() {
		o.callEnded(ctx, CallEnd{
			Operation: *x.op, Duration: time.Since(began), StatusCode: x.status, RequestID: x.requestID, RateLimit: x.rateLimit,
			Attempts: x.attempts, Existing: x.existing, MayHaveRun: err != nil && x.mayHaveRun, Err: err,
		})
	}()
	err = x.perform(ctx, in)
	return err
}

// tryObserved is tryOnce, watched by the observer if there is one.
func (x *exchange) tryObserved(ctx context.Context) (decision RetryDecision, err error) {
	// The limiter must hear of the end even if the transport or the observer panics or ends the
	// goroutine.
	defer x.landed(RateLimit{})
	o := x.settings.observer
	if o == nil {
		return x.tryOnce(ctx)
	}
	began := time.Now()
	inner := o.attemptStarted(ctx, AttemptStart{Operation: *x.op, Attempt: x.attempts + 1, LimiterWait: x.limiterWait})
	err = errAbandoned
	defer func() {
		o.attemptEnded(inner, AttemptEnd{
			Operation: *x.op, Attempt: x.attempts, Duration: time.Since(began), StatusCode: x.status, RequestID: x.requestID,
			RateLimit: x.rateLimit, Err: err, Retry: decision.Retry, Wait: decision.Wait, Reason: decision.Reason,
		})
	}()
	decision, err = x.tryOnce(inner)
	return decision, err
}

// OperationFromContext returns the operation of a request, given the request's context. It is for
// transports; ok is false for other contexts.
func OperationFromContext(ctx context.Context) (op Operation, ok bool) {
	p, ok := ctx.Value(operationKey{}).(*Operation)
	if !ok {
		return Operation{}, false
	}
	return *p, true
}

type operationKey struct{}

// operationContext adds the operation to a context. It is a field of the exchange, because
// context.WithValue would allocate for each call.
type operationContext struct {
	context.Context
	op *Operation
}

// Value implements [context.Context].
func (c *operationContext) Value(key any) any {
	if key == (operationKey{}) {
		return c.op
	}
	return c.Context.Value(key)
}
