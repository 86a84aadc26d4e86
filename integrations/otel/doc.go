// Package gcotel records the calls of a client and the events of webhooks as OpenTelemetry spans
// and metrics:
//
//	telemetry, err := gcotel.New(gcotel.Options{})
//	…
//	client, err := gocardless.New(token, gocardless.EnvironmentLive, gocardless.WithObserver(telemetry.Observer()))
//	handler, err := gocardless.NewWebhookHandler(telemetry.Events(mux), secret)
//	http.Handle("/webhooks", telemetry.Delivery(handler))
//
// A call has a span with the name of its operation, such as "payments.create", and a child span for
// each attempt, which is an HTTP client span. Attributes follow version 1.43 of the semantic
// conventions; the names of additional attributes begin with "gocardless.".
//
// Spans and metrics do not contain personal data, query strings or bodies. Addresses do not contain
// the ids of resources: url.full has the template's braces instead. Request ids and the ids of events
// are in spans, never in metrics.
//
// The metrics:
//
//   - http.client.request.duration: attempts, by method, url.template, status and error
//   - gocardless.client.call.duration: calls, with retries and waits, by operation and error
//   - gocardless.client.retries: retries, by operation and error
//   - gocardless.client.limiter.wait: how long the limiter held requests back, by lane
//   - gocardless.client.rate_limit.remaining and gocardless.client.rate_limit.limit, by budget
//   - gocardless.event.duration: events handled, by type, action and error
//   - gocardless.inbox.depth and gocardless.inbox.age; see [Telemetry.ObserveInbox]
//
// The file dashboard.json is a Grafana dashboard for these metrics, with a Prometheus data source.
// A test runs each of its queries against Prometheus. The pictures dashboard.png and trace.png show
// it and a trace with the data of a simulated hour. A test draws them from the dashboard's queries,
// without Grafana.
package gcotel
