package gcotel

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Observer returns an observer for [gocardless.WithObserver].
func (t *Telemetry) Observer() gocardless.Observer {
	return gocardless.Observer{
		CallStarted:    t.callStarted,
		AttemptStarted: t.attemptStarted,
		AttemptEnded:   t.attemptEnded,
		CallEnded:      t.callEnded,
	}
}

// call is the state that the attempts of a call share.
type call struct {
	lane    gocardless.Lane
	base    string
	address string
	port    int
	retries int
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return new(call)
}

func (t *Telemetry) callStarted(ctx context.Context, s gocardless.CallStart) context.Context {
	c := &call{lane: s.Lane, base: strings.TrimSuffix(s.BaseURL, "/")}
	c.address, c.port = server(s.BaseURL)
	ctx, _ = t.tracer.Start(ctx, t.name(&s.Operation), trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(
		append(t.request(c, &s.Operation), operationKey.String(t.name(&s.Operation)), laneKey.String(s.Lane.String()))...,
	))
	return context.WithValue(ctx, callKey{}, c)
}

// request returns the attributes that describe a request.
func (t *Telemetry) request(c *call, op *gocardless.Operation) []attribute.KeyValue {
	list := make([]attribute.KeyValue, 0, 10)
	list = append(list, semconv.HTTPRequestMethodKey.String(op.Method), semconv.ServerAddress(c.address), semconv.ServerPort(c.port))
	if template := t.template(op); template != "" {
		list = append(list, semconv.URLTemplate(template))
	}
	return list
}

func (t *Telemetry) callEnded(ctx context.Context, e gocardless.CallEnd) {
	span := trace.SpanFromContext(ctx)
	c := callOf(ctx)
	span.SetAttributes(replied(e.StatusCode, e.RequestID)...)
	if c.retries > 0 {
		span.SetAttributes(semconv.HTTPRequestResendCount(c.retries))
	}
	if outcome := idempotency(&e); outcome != "" {
		span.SetAttributes(idempotencyKey.String(outcome))
	}
	class := fail(span, e.Err, strings.ReplaceAll(gocardless.ErrorClass(e.Err), " ", "_"))
	attributes := []attribute.KeyValue{operationKey.String(t.name(&e.Operation)), laneKey.String(c.lane.String())}
	t.instruments.calls.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(append(attributes, class...)...))
	span.End()
}

// idempotency returns the outcome of a create request: "created", "existing" if its key was used
// before, or "unknown" after an error that leaves the outcome open. It returns "" for other errors
// and for other operations.
func idempotency(e *gocardless.CallEnd) string {
	switch {
	case e.Operation.Kind != gocardless.KindCreate:
	case e.Existing:
		return "existing"
	case e.Err == nil:
		return "created"
	case e.MayHaveRun:
		return "unknown"
	}
	return ""
}

// replied returns the attributes of a reply.
func replied(status int, requestID string) (list []attribute.KeyValue) {
	if status != 0 {
		list = append(list, semconv.HTTPResponseStatusCode(status))
	}
	if requestID != "" {
		list = append(list, semconv.HTTPResponseHeader("x-request-id", requestID))
	}
	return list
}

// fail marks a span as failed, with the class of the error, not its message, which may contain input
// of users. It returns the class as attributes.
func fail(span trace.Span, err error, class string) []attribute.KeyValue {
	if err == nil {
		return nil
	}
	attributes := []attribute.KeyValue{semconv.ErrorTypeKey.String(class)}
	span.SetStatus(codes.Error, class)
	span.SetAttributes(attributes...)
	return attributes
}

func (t *Telemetry) attemptStarted(ctx context.Context, s gocardless.AttemptStart) context.Context {
	c := callOf(ctx)
	if s.Attempt > 1 {
		c.retries++
	}
	t.instruments.waits.Record(ctx, s.LimiterWait.Seconds(), metric.WithAttributes(laneKey.String(c.lane.String())))
	attributes := t.request(c, &s.Operation)
	name := s.Operation.Method
	if template := t.template(&s.Operation); template != "" {
		name += " " + template
		// An HTTP client span must have url.full. Here it does not contain the id of the resource.
		attributes = append(attributes, semconv.URLFull(c.base+template))
	}
	if s.Attempt > 1 {
		attributes = append(attributes, semconv.HTTPRequestResendCount(s.Attempt-1))
	}
	ctx, _ = t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	return ctx
}

func (t *Telemetry) attemptEnded(ctx context.Context, e gocardless.AttemptEnd) {
	span := trace.SpanFromContext(ctx)
	c := callOf(ctx)
	span.SetAttributes(replied(e.StatusCode, e.RequestID)...)
	class := errorType(e.Err, e.StatusCode)
	fail(span, e.Err, class)
	t.recordAttempt(ctx, c, &e, class)
	if e.Retry {
		span.SetAttributes(waitKey.Float64(e.Wait.Seconds()))
		t.instruments.retries.Add(ctx, 1, metric.WithAttributes(operationKey.String(t.name(&e.Operation)), semconv.ErrorTypeKey.String(class)))
	}
	span.End()
}

func (t *Telemetry) recordAttempt(ctx context.Context, c *call, e *gocardless.AttemptEnd, class string) {
	in := &t.instruments
	var attributes []attribute.KeyValue
	if template := t.template(&e.Operation); template != "" {
		attributes = append(attributes, in.attempts.AttrURLTemplate(template))
	}
	if e.StatusCode != 0 {
		attributes = append(attributes, in.attempts.AttrResponseStatusCode(e.StatusCode))
	}
	if class != "" {
		attributes = append(attributes, in.attempts.AttrErrorType(httpconv.ErrorTypeAttr(class)))
	}
	in.attempts.Record(ctx, e.Duration.Seconds(), httpconv.RequestMethodAttr(e.Operation.Method), c.address, c.port, attributes...)
	if e.RateLimit.Limit > 0 {
		budget := metric.WithAttributes(budgetKey.String(string(e.Operation.RateLimitGroup())))
		in.remaining.Record(ctx, int64(e.RateLimit.Remaining), budget)
		in.limit.Record(ctx, int64(e.RateLimit.Limit), budget)
	}
}
