package gcotel

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Delivery wraps a webhook handler: each delivery gets a server span. You do not need it if another
// handler in front already creates one.
func (t *Telemetry) Delivery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The span starts a new trace, because anyone can send a traceparent header.
		ctx, span := t.tracer.Start(r.Context(), "POST webhook", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method(r.Method))))
		status := &statusWriter{ResponseWriter: w}
		defer func() {
			code := status.code
			if code == 0 {
				code = http.StatusOK
			}
			span.SetAttributes(semconv.HTTPResponseStatusCode(code))
			if code >= 500 {
				fail(span, errDelivery, strconv.Itoa(code))
			}
			span.End()
		}()
		next.ServeHTTP(status, r.WithContext(ctx))
	})
}

var errDelivery = errors.New("gcotel: the delivery was not accepted")

// method returns a known method, or "_OTHER", as the semantic conventions require.
func method(m string) string {
	switch m {
	case http.MethodPost, http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "_OTHER"
}

// statusWriter remembers the status of a reply.
type statusWriter struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(code int) {
	if w.code == 0 && code >= 200 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap returns the underlying writer, for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Events wraps an event handler: each event gets a span, a child of its delivery's. For an event that
// is handled later, from a store or a queue, see [Capture] and [Continue].
func (t *Telemetry) Events(next gocardless.EventHandler) gocardless.EventHandler {
	return gocardless.EventHandlerFunc(func(ctx context.Context, event gocardless.Event) (err error) {
		kind := []attribute.KeyValue{eventTypeKey.String(known(event.ResourceType.Known(), string(event.ResourceType))), eventActionKey.String(known(event.Action.Known(), string(event.Action)))}
		ctx, span := t.tracer.Start(ctx, "handle "+kind[0].Value.AsString()+"."+kind[1].Value.AsString(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(kind...))
		span.SetAttributes(eventIDKey.String(event.ID))
		began := time.Now()
		err = errHandler // until the handler has returned
		defer func() {
			class := ""
			if err != nil {
				class = eventError(err)
			}
			attributes := append(kind, fail(span, err, class)...)
			t.instruments.events.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(attributes...))
			span.End()
		}()
		err = next.HandleEvent(ctx, event)
		return err
	})
}

var errHandler = errors.New("gcotel: the handler panicked or ended its goroutine")

// known returns "other" for a value that the SDK does not know, so that the API's new values do not
// add attributes without limit.
func known(ok bool, value string) string {
	if ok {
		return value
	}
	return "other"
}

// eventError returns the class of a handler's error.
func eventError(err error) string {
	switch {
	case errors.Is(err, errHandler):
		return "panic"
	case errors.Is(err, gocardless.ErrEventBusy):
		return "busy"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "context"
	}
	return errorType(err, 0)
}

// Capture returns the current span in a form that can be stored with an event or a job, or "" if
// there is none; see [Continue].
func Capture(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// Continue returns a context whose spans are children of the captured one, in another process or at
// another time. It ignores a string that [Capture] did not return.
func Continue(ctx context.Context, captured string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": captured})
}

// An Inbox holds events until they are handled, such as that of integrations/river.
type Inbox interface {
	// Backlog returns how many events are waiting to be handled, and how long the oldest of them has
	// been waiting, or 0 if there is none.
	Backlog(ctx context.Context) (depth int64, oldest time.Duration, err error)
}

// InboxFunc is a function that implements [Inbox].
type InboxFunc func(ctx context.Context) (depth int64, oldest time.Duration, err error)

// Backlog calls f.
func (f InboxFunc) Backlog(ctx context.Context) (depth int64, oldest time.Duration, err error) {
	return f(ctx)
}

// ObserveInbox reports the depth and the age of an inbox whenever metrics are collected, until you
// call Unregister on the registration. The name identifies the inbox and must not contain personal
// data.
func (t *Telemetry) ObserveInbox(name string, inbox Inbox) (metric.Registration, error) {
	depth, err := t.meter.Int64ObservableGauge("gocardless.inbox.depth", metric.WithUnit("{event}"), metric.WithDescription("Events that wait to be handled."))
	if err != nil {
		return nil, err
	}
	age, err := t.meter.Float64ObservableGauge("gocardless.inbox.age", metric.WithUnit("s"), metric.WithDescription("How long the oldest event has been waiting."))
	if err != nil {
		return nil, err
	}
	attributes := metric.WithAttributes(inboxKey.String(name))
	return t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		n, oldest, err := inbox.Backlog(ctx)
		if err != nil {
			return err
		}
		o.ObserveInt64(depth, n, attributes)
		o.ObserveFloat64(age, oldest.Seconds(), attributes)
		return nil
	}, depth, age)
}
