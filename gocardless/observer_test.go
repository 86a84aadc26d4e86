package gocardless

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// watcher is an observer that writes down what it sees.
type watcher struct {
	name string
	log  []string
}

type watcherKey struct{ name string }

func (w *watcher) observer() Observer {
	note := func(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }
	seen := func(ctx context.Context) any { return ctx.Value(watcherKey{w.name}) }
	return Observer{
		CallStarted: func(ctx context.Context, s CallStart) context.Context {
			note("call %s %s %s", s.Operation.Name, s.Lane, s.BaseURL)
			return context.WithValue(ctx, watcherKey{w.name}, "call")
		},
		AttemptStarted: func(ctx context.Context, s AttemptStart) context.Context {
			op, _ := OperationFromContext(ctx)
			note("attempt %d of %s (%s) in %v after %v", s.Attempt, s.Operation.Name, op.Name, seen(ctx), s.LimiterWait)
			return context.WithValue(ctx, watcherKey{w.name}, "attempt")
		},
		AttemptEnded: func(ctx context.Context, e AttemptEnd) {
			note("ended %d %d %s %d left in %v: %s, retry %t %s", e.Attempt, e.StatusCode, e.RequestID, e.RateLimit.Remaining, seen(ctx), ErrorClass(e.Err), e.Retry, e.Reason)
		},
		CallEnded: func(ctx context.Context, e CallEnd) {
			note("done %s %d %s after %d in %v: %s, existing %t, may have run %t", e.Operation.Name, e.StatusCode, e.RequestID, e.Attempts, seen(ctx), ErrorClass(e.Err), e.Existing, e.MayHaveRun)
		},
	}
}

func (w *watcher) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.log, want) {
		t.Errorf("saw\n%s\nwant\n%s", strings.Join(w.log, "\n"), strings.Join(want, "\n"))
	}
	w.log = nil
}

func TestObserver(t *testing.T) {
	w := &watcher{name: "client"}
	s := &script{replies: []replier{
		replyWith(503, "", "X-Request-Id", "R1", "RateLimit-Limit", "9", "RateLimit-Remaining", "8"),
		func(req *http.Request) (*http.Response, error) {
			if op, ok := OperationFromContext(req.Context()); !ok || op.Name != "payments.create" || req.Context().Value(watcherKey{"client"}) != "attempt" {
				t.Errorf("the transport's context has %v %t", op, ok)
			}
			return replyWith(409, conflictBody)(req)
		},
		replyWith(200, paymentReply, "X-Request-Id", "R3"),
	}}
	c := clientOver(t, s, WithRetryPolicy(atOnce), WithObserver(w.observer()))
	params := PaymentCreateParams{Amount: 1000, Currency: CurrencyGBP, Links: PaymentCreateParamsLinks{Mandate: "MD1"}}
	if _, err := c.Payments.Create(t.Context(), params, WithBulkLane()); err != nil {
		t.Fatal(err)
	}
	w.expect(t,
		"call payments.create bulk https://api-sandbox.gocardless.com",
		"attempt 1 of payments.create (payments.create) in call after 0s",
		"ended 1 503 R1 8 left in attempt: unsuccessful reply, retry true status 503",
		"attempt 2 of payments.create (payments.create) in call after 0s",
		"ended 2 409  0 left in attempt: idempotent_creation_conflict, retry false ",
		"attempt 1 of payments.get (payments.get) in call after 0s",
		"ended 1 200 R3 0 left in attempt: , retry false ",
		"done payments.create 200 R3 after 3 in call: , existing true, may have run false")

	// What is refused before it is sent is a call, too.
	if _, err := c.Payments.Create(t.Context(), PaymentCreateParams{}); err == nil {
		t.Fatal("not refused")
	}
	w.expect(t,
		"call payments.create interactive https://api-sandbox.gocardless.com",
		"done payments.create 0  after 0 in call: refused before sending, existing false, may have run false")
}

// The observer of a call works inside that of the client, and one without functions does nothing.
func TestObserversNest(t *testing.T) {
	var order []string
	o := func(name string) Observer {
		return Observer{
			CallStarted:    func(context.Context, CallStart) context.Context { order = append(order, name+" starts"); return nil },
			AttemptStarted: func(context.Context, AttemptStart) context.Context { order = append(order, name+" tries"); return nil },
			AttemptEnded:   func(context.Context, AttemptEnd) { order = append(order, name+" tried") },
			CallEnded:      func(context.Context, CallEnd) { order = append(order, name+" ends") },
		}
	}
	c := clientOver(t, &script{replies: []replier{replyWith(200, paymentReply)}}, WithObserver(o("a")), WithObserver(Observer{}))
	if _, err := c.Payments.Get(t.Context(), "PM1", WithObserver(o("b"))); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a starts", "b starts", "a tries", "b tries", "b tried", "a tried", "b ends", "a ends"}; !slices.Equal(order, want) {
		t.Errorf("order %q", order)
	}
	order = nil
	_, _ = c.Payments.Get(t.Context(), "PM1")
	if len(order) != 4 {
		t.Errorf("the observer of a call stayed: %q", order)
	}
}

// Each start has an end, even if the transport panics or ends its goroutine.
func TestObserverOfAPanic(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		var ended []error
		c := clientOver(t, roundTripper(func(*http.Request) (*http.Response, error) { end(); return nil, nil }), WithObserver(Observer{
			AttemptEnded: func(_ context.Context, e AttemptEnd) { ended = append(ended, e.Err) },
			CallEnded:    func(_ context.Context, e CallEnd) { ended = append(ended, e.Err) },
		}))
		outlive(func() { _, _ = c.Payments.Get(t.Context(), "PM1") })
		if len(ended) != 2 || ended[0] == nil || ended[1] == nil {
			t.Errorf("%s: %v", name, ended)
		}
	}
}

func TestObserverTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midMinute(30)
		var limiterWaits, attempts, waits, calls []time.Duration
		c := clientOver(t, &windowAPI{limit: 1, latency: 100 * time.Millisecond}, WithRateLimitWait(), WithObserver(Observer{
			AttemptStarted: func(_ context.Context, s AttemptStart) context.Context {
				limiterWaits = append(limiterWaits, s.LimiterWait)
				return nil
			},
			AttemptEnded: func(_ context.Context, e AttemptEnd) {
				attempts, waits = append(attempts, e.Duration), append(waits, e.Wait)
			},
			CallEnded: func(_ context.Context, e CallEnd) { calls = append(calls, e.Duration) },
		}))
		for range 2 {
			_, _ = c.Payments.Get(t.Context(), "PM1")
		}
		tenth := 100 * time.Millisecond
		if want := []time.Duration{0, 30*time.Second - tenth}; !slices.Equal(limiterWaits, want) {
			t.Errorf("the limiter waited %v", limiterWaits)
		}
		if want := []time.Duration{tenth, tenth}; !slices.Equal(attempts, want) || !slices.Equal(waits, []time.Duration{0, 0}) {
			t.Errorf("attempts took %v, waits %v", attempts, waits)
		}
		if want := []time.Duration{tenth, 30 * time.Second}; !slices.Equal(calls, want) {
			t.Errorf("calls took %v", calls)
		}
	})
}

func TestErrorClass(t *testing.T) {
	for want, err := range map[string]error{
		"":                       nil,
		"other":                  errors.New("PM123 of frank@acmeplc.com"),
		"timeout":                &ConnectionError{Err: ErrTimeout},
		"canceled":               &ConnectionError{Err: context.Canceled},
		"unsuccessful reply":     &Error{StatusCode: 502},
		"connection":             &ConnectionError{Err: dialError()},
		"unreadable reply":       &MalformedResponseError{},
		"refused before sending": &ParamsError{},
		"not signed":             &SigningError{},
		"validation_failed":      &Error{Type: ErrorTypeValidationFailed},
		"mandate_is_inactive":    &Error{Details: []ErrorDetail{{Reason: ReasonMandateIsInactive}}},
	} {
		if got := ErrorClass(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	// The error that ended a call counts, not one that it wraps.
	if got := ErrorClass(&ConnectionError{Err: context.DeadlineExceeded, Previous: &Error{Type: ErrorTypeGoCardless}}); got != "timeout" {
		t.Errorf("a wait that ended: %q", got)
	}
}

func TestOperationFromContextOfAnother(t *testing.T) {
	if op, ok := OperationFromContext(t.Context()); ok || op.Name != "" {
		t.Errorf("%v", op)
	}
}

// Without an observer nothing is allocated for one, nor for the operation in the context: the
// call is measured against its parts that know neither.
func TestObserverAllocations(t *testing.T) {
	withoutRace(t)
	c := benchClient(t, benchEnvelope).core
	out := func() replyReader { return &resourceReply{new(Payment)} }
	newExchange := func() *exchange {
		return &exchange{core: c, op: &opPaymentsGet, settings: &c.settings, out: out()}
	}
	ctx := t.Context()
	in := &input{id: "PM000000000001"}
	call := testing.AllocsPerRun(100, func() {
		if err := c.call(ctx, &opPaymentsGet, *in, nil, out()); err != nil {
			t.Fatal(err)
		}
	})
	parts := testing.AllocsPerRun(100, func() {
		x := newExchange()
		if err := x.prepare(in); err != nil {
			t.Fatal(err)
		}
		if _, err := x.attempt(ctx); err != nil {
			t.Fatal(err)
		}
	})
	if call > parts {
		t.Errorf("a call allocates %v times, its parts %v times", call, parts)
	}
	x := newExchange()
	x.context = operationContext{ctx, x.op}
	if n := testing.AllocsPerRun(100, func() {
		if op, ok := OperationFromContext(&x.context); !ok || op.Name != "payments.get" {
			t.Fatal("no operation")
		}
	}); n > 0 {
		t.Errorf("OperationFromContext allocates %v times", n)
	}
}
