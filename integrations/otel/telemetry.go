package gcotel

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

const scope = "github.com/gocardless-community/gocardless-go/integrations/otel"

// Options sets the destination of spans and metrics. A nil provider means OpenTelemetry's
// global one.
type Options struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

// Telemetry makes spans and metrics. It is safe for concurrent use.
type Telemetry struct {
	tracer      trace.Tracer
	meter       metric.Meter
	instruments instruments
	operations  map[string]bool
}

// instruments are the metrics that are recorded as calls are made and events are handled.
type instruments struct {
	attempts  httpconv.ClientRequestDuration
	calls     metric.Float64Histogram
	retries   metric.Int64Counter
	waits     metric.Float64Histogram
	remaining metric.Int64Gauge
	limit     metric.Int64Gauge
	events    metric.Float64Histogram
}

// The boundaries that the semantic conventions define for the duration of HTTP requests, and longer
// ones for durations that include waits.
var (
	requestBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	callBounds    = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}
)

// New returns the telemetry of a program. Use one for all clients.
func New(options Options) (*Telemetry, error) {
	version := trace.WithInstrumentationVersion(gocardless.Version)
	t := &Telemetry{
		tracer:     cmp.Or(options.TracerProvider, otel.GetTracerProvider()).Tracer(scope, version, trace.WithSchemaURL(semconv.SchemaURL)),
		meter:      cmp.Or(options.MeterProvider, otel.GetMeterProvider()).Meter(scope, metric.WithInstrumentationVersion(gocardless.Version), metric.WithSchemaURL(semconv.SchemaURL)),
		operations: map[string]bool{},
	}
	for _, op := range gocardless.Operations() {
		t.operations[op.Name] = true
	}
	return t, t.makeInstruments()
}

func (t *Telemetry) makeInstruments() error {
	var errs [7]error
	seconds := func(i int, name, description string) metric.Float64Histogram {
		h, err := t.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(callBounds...))
		errs[i] = err
		return h
	}
	in := &t.instruments
	in.attempts, errs[0] = httpconv.NewClientRequestDuration(t.meter, metric.WithExplicitBucketBoundaries(requestBounds...))
	in.calls = seconds(1, "gocardless.client.call.duration", "Duration of calls, with their retries and waits.")
	in.waits = seconds(2, "gocardless.client.limiter.wait", "Time that the limiter held a request back.")
	in.events = seconds(3, "gocardless.event.duration", "Duration of the handling of an event.")
	in.retries, errs[4] = t.meter.Int64Counter("gocardless.client.retries", metric.WithUnit("{retry}"), metric.WithDescription("Retries of requests."))
	in.remaining, errs[5] = t.meter.Int64Gauge("gocardless.client.rate_limit.remaining", metric.WithUnit("{request}"), metric.WithDescription("Requests left in the current minute, as the last reply reported."))
	in.limit, errs[6] = t.meter.Int64Gauge("gocardless.client.rate_limit.limit", metric.WithUnit("{request}"), metric.WithDescription("Requests allowed in a minute, as the last reply reported."))
	return errors.Join(errs[:]...)
}

// Attributes that the semantic conventions do not define.
const (
	operationKey   = attribute.Key("gocardless.operation")
	laneKey        = attribute.Key("gocardless.lane")
	idempotencyKey = attribute.Key("gocardless.idempotency.outcome")
	waitKey        = attribute.Key("gocardless.retry.wait") // in seconds
	budgetKey      = attribute.Key("gocardless.rate_limit.group")
	eventIDKey     = attribute.Key("gocardless.event.id")
	eventTypeKey   = attribute.Key("gocardless.event.resource_type")
	eventActionKey = attribute.Key("gocardless.event.action")
	inboxKey       = attribute.Key("gocardless.inbox.name")
)

// name returns the name of an operation. For a [gocardless.Client.Do] call it returns only the method,
// because the name of such an operation contains its path and so the ids in it.
func (t *Telemetry) name(op *gocardless.Operation) string {
	if t.operations[op.Name] {
		return op.Name
	}
	return op.Method
}

// template returns the path with its variable segment in braces, or "" if it is not known.
func (t *Telemetry) template(op *gocardless.Operation) string {
	if t.operations[op.Name] {
		return op.Path
	}
	return ""
}

// server returns the address and port of a base URL.
func server(base string) (address string, port int) {
	u, err := url.Parse(base)
	if err != nil {
		return "", 0
	}
	if port, err = strconv.Atoi(u.Port()); err != nil {
		port = 443
		if u.Scheme == "http" {
			port = 80
		}
	}
	return u.Hostname(), port
}

// errorType returns the class of an error as the value of error.type, or "" for nil. For an error
// status it returns the status, as the semantic conventions require for HTTP.
func errorType(err error, status int) string {
	switch {
	case err == nil:
		return ""
	case status >= 400:
		return strconv.Itoa(status)
	}
	return strings.ReplaceAll(gocardless.ErrorClass(err), " ", "_")
}
