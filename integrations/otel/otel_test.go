package gcotel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// collector keeps spans and metrics in memory.
type collector struct {
	*Telemetry
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

func collect(t testing.TB) *collector {
	t.Helper()
	c := &collector{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	var err error
	c.Telemetry, err = New(Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(c.spans)),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// metrics returns the data points by the name of their metric.
func (c *collector) metrics(t testing.TB) map[string][]point {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := c.reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	all := map[string][]point{}
	for _, s := range data.ScopeMetrics {
		for _, m := range s.Metrics {
			all[m.Name] = points(t, m.Data)
		}
	}
	return all
}

type point struct {
	attributes attribute.Set
	value      float64 // of a histogram: the number of observations
}

func points(t testing.TB, data metricdata.Aggregation) (list []point) {
	switch d := data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			list = append(list, point{p.Attributes, float64(p.Count)})
		}
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			list = append(list, point{p.Attributes, float64(p.Value)})
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			list = append(list, point{p.Attributes, float64(p.Value)})
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			list = append(list, point{p.Attributes, p.Value})
		}
	default:
		t.Errorf("a metric of the form %T", data)
	}
	return list
}

// text returns a span on one line: name, kind, attributes, status.
func text(s tracetest.SpanStub) string {
	var list []string
	for _, a := range s.Attributes {
		if a.Key != "http.response.header.x-request-id" && a.Key != waitKey {
			list = append(list, string(a.Key)+"="+a.Value.String())
		}
	}
	slices.Sort(list)
	line := fmt.Sprintf("%s (%s) %s", s.Name, s.SpanKind, strings.Join(list, " "))
	if s.Status.Code == codes.Error {
		line += " ERROR " + s.Status.Description
	}
	return line
}

func expectSpans(t *testing.T, c *collector, want ...string) []tracetest.SpanStub {
	t.Helper()
	spans := c.spans.GetSpans()
	var got []string
	for _, s := range spans {
		got = append(got, text(s))
	}
	if !slices.Equal(got, want) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	c.spans.Reset()
	return spans
}

func customer(email string) gocardless.CustomerCreateParams {
	return gocardless.CustomerCreateParams{GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new(email)}
}

func atOnce(a gocardless.RetryAttempt) gocardless.RetryDecision {
	d := gocardless.DefaultRetry(a)
	d.Wait = 0
	return d
}

func TestSpansOfACall(t *testing.T) {
	c := collect(t)
	sandbox := gocardlesstest.New()
	client := sandbox.Client(gocardless.WithObserver(c.Observer()), gocardless.WithRetryPolicy(atOnce))
	// The reply to the first attempt is lost after the customer is created; the second one finds it.
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", Status: 502, After: true})
	if _, err := client.Customers.Create(t.Context(), customer("frank@acmeplc.com"), gocardless.WithBulkLane()); err != nil {
		t.Fatal(err)
	}
	const to = " server.address=api-sandbox.gocardless.com server.port=443"
	post := "http.request.method=POST"
	spans := expectSpans(t, c,
		"POST /customers (client) error.type=502 "+post+" http.response.status_code=502"+to+" url.full=https://api-sandbox.gocardless.com/customers url.template=/customers ERROR 502",
		"POST /customers (client) error.type=409 "+post+" http.request.resend_count=1 http.response.status_code=409"+to+" url.full=https://api-sandbox.gocardless.com/customers url.template=/customers ERROR 409",
		"GET /customers/{identity} (client) http.request.method=GET http.response.status_code=200"+to+" url.full=https://api-sandbox.gocardless.com/customers/{identity} url.template=/customers/{identity}",
		"customers.create (internal) gocardless.idempotency.outcome=existing gocardless.lane=bulk gocardless.operation=customers.create "+post+" http.request.resend_count=1 http.response.status_code=200"+to+" url.template=/customers")
	for _, s := range spans[:3] {
		if s.Parent.SpanID() != spans[3].SpanContext.SpanID() {
			t.Errorf("%s is no child of the call", s.Name)
		}
	}
	if !slices.ContainsFunc(spans[3].Attributes, func(a attribute.KeyValue) bool { return a.Key == "http.response.header.x-request-id" }) {
		t.Error("the call has no request id")
	}

	if _, err := client.Payments.Create(t.Context(), gocardless.PaymentCreateParams{Amount: 100, Currency: "GBP", Links: gocardless.PaymentCreateParamsLinks{Mandate: "MD404"}}); err == nil {
		t.Fatal("no error")
	}
	last := c.spans.GetSpans()[1]
	if !strings.Contains(text(last), "error.type=") || strings.Contains(text(last), "idempotency") || last.Status.Code != codes.Error {
		t.Error(text(last))
	}

	got := c.metrics(t)
	for name, want := range map[string]float64{"http.client.request.duration": 4, "gocardless.client.call.duration": 2, "gocardless.client.retries": 1, "gocardless.client.limiter.wait": 4} {
		sum := 0.0
		for _, p := range got[name] {
			sum += p.value
		}
		if sum != want {
			t.Errorf("%s: %v, want %v", name, sum, want)
		}
	}
	if p := got["gocardless.client.rate_limit.remaining"]; len(p) != 1 || p[0].value < 900 || p[0].value > 999 {
		t.Errorf("rate limit %+v", p)
	}
}

// A path of Client.Do contains ids, so its spans and metrics have only the method.
func TestUnknownOperation(t *testing.T) {
	c := collect(t)
	client := gocardlesstest.New().Client(gocardless.WithObserver(c.Observer()))
	_ = client.Do(t.Context(), "GET", "/customers/CU404?email=frank@acmeplc.com", nil, nil)
	for _, s := range c.spans.GetSpans() {
		if s.Name != "GET" {
			t.Error(s.Name)
		}
	}
	noIDs(t, c, "CU404", "frank")
}

// noIDs asserts that no metric contains an id or personal data, and no span the given words.
func noIDs(t *testing.T, c *collector, words ...string) {
	t.Helper()
	id := regexp.MustCompile(`\b[A-Z]{2,4}[0-9A-Z]{3,}\b|@|\?`)
	for name, list := range c.metrics(t) {
		for _, p := range list {
			for _, a := range p.attributes.ToSlice() {
				if id.MatchString(a.Value.String()) {
					t.Errorf("%s has %s=%s", name, a.Key, a.Value.String())
				}
			}
		}
	}
	for _, s := range c.spans.GetSpans() {
		for _, word := range append(words, "?", "@") {
			if strings.Contains(text(s), word) {
				t.Errorf("%q in %s", word, text(s))
			}
		}
	}
}

// tour makes calls of many kinds, good and bad, and handles events.
func tour(t *testing.T, c *collector) {
	t.Helper()
	sandbox := gocardlesstest.New()
	client := sandbox.Client(gocardless.WithObserver(c.Observer()), gocardless.WithRetryPolicy(atOnce), gocardless.WithRateLimitWait())
	ctx := t.Context()
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.list", Drop: true})
	created, err := client.Customers.Create(ctx, customer("frank@acmeplc.com"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range client.Customers.All(ctx, gocardless.CustomerListParams{}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _ = client.Customers.Get(ctx, created.ID)
	_, _ = client.Customers.Get(ctx, "CU404")
	_, _ = client.Customers.Create(ctx, customer("frank"))
	_, _ = client.Payments.Create(ctx, gocardless.PaymentCreateParams{})
	_, _ = client.Balances.List(ctx, gocardless.BalanceListParams{Creditor: "CR123"})
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = client.Payments.Cancel(ended, "PM123", gocardless.PaymentCancelParams{})
	_ = client.Do(ctx, "GET", "/customers/"+created.ID+"?x=frank@acmeplc.com", nil, nil)
	handler := c.Events(gocardless.EventHandlerFunc(func(ctx context.Context, e gocardless.Event) error {
		if e.ID == "EV2" {
			return errors.New("EV2 of frank@acmeplc.com")
		}
		return nil
	}))
	for i, resource := range []gocardless.EventResourceType{"payments", "customers", "frank@acmeplc.com"} {
		_ = handler.HandleEvent(ctx, gocardless.Event{ID: "EV" + strconv.Itoa(i+1), ResourceType: resource, Action: "confirmed"})
	}
	if _, err := c.ObserveInbox("webhooks", inbox{3, 40 * time.Second}); err != nil {
		t.Fatal(err)
	}
}

type inbox struct {
	depth int64
	age   time.Duration
}

func (i inbox) Backlog(context.Context) (int64, time.Duration, error) { return i.depth, i.age, nil }

func TestNoPersonalData(t *testing.T) {
	c := collect(t)
	tour(t, c)
	noIDs(t, c, "frank", "Osborne", "CU0", "PM123", "CR123", "CU404")
}

// library is the directory of OpenTelemetry's source.
func library(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.opentelemetry.io/otel").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

var conventions = regexp.MustCompile(`otel/semconv/(v1\.\d+\.\d+)`)

// used returns the version of the semantic conventions that this package imports.
func used(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("telemetry.go")
	if err != nil {
		t.Fatal(err)
	}
	return conventions.FindStringSubmatch(string(data))[1]
}

// registry returns the keys of all attributes of the semantic conventions.
func registry(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(library(t), "semconv", used(t), "attribute_group.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 1 {
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Key" {
				if key, ok := call.Args[0].(*ast.BasicLit); ok {
					name, _ := strconv.Unquote(key.Value)
					keys[name] = true
				}
			}
		}
		return true
	})
	if len(keys) < 500 {
		t.Fatalf("only %d attributes in the registry", len(keys))
	}
	return keys
}

// Attributes and metrics are those of the newest semantic conventions that the library has, or begin
// with "gocardless.".
func TestSemanticConventions(t *testing.T) {
	versions, err := filepath.Glob(filepath.Join(library(t), "semconv", "v1.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if a, b := minor(filepath.Base(v)), minor(used(t)); a > b {
			t.Errorf("the library has %s; this package uses %s", filepath.Base(v), used(t))
		}
	}
	known := registry(t)
	check := func(where string, attributes []attribute.KeyValue) {
		for _, a := range attributes {
			key := string(a.Key)
			if !known[key] && !strings.HasPrefix(key, "gocardless.") && key != "http.response.header.x-request-id" {
				t.Errorf("%s: the registry has no attribute %s", where, key)
			}
			if known[key] && strings.HasPrefix(key, "gocardless.") {
				t.Errorf("%s: the registry has %s now", where, key)
			}
		}
	}
	c := collect(t)
	tour(t, c)
	for _, s := range c.spans.GetSpans() {
		check("span "+s.Name, s.Attributes)
		if s.SpanKind == trace.SpanKindClient {
			required(t, s)
		}
	}
	metrics := c.metrics(t)
	for _, name := range []string{"http.client.request.duration", "gocardless.client.call.duration", "gocardless.client.retries", "gocardless.client.limiter.wait",
		"gocardless.client.rate_limit.remaining", "gocardless.client.rate_limit.limit", "gocardless.event.duration", "gocardless.inbox.depth", "gocardless.inbox.age"} {
		if len(metrics[name]) == 0 {
			t.Errorf("no data of %s", name)
		}
	}
	for name, list := range metrics {
		for _, p := range list {
			check("metric "+name, p.attributes.ToSlice())
		}
	}
}

func minor(version string) int {
	n, _ := strconv.Atoi(strings.Split(version, ".")[1])
	return n
}

// required asserts what the conventions require of an HTTP client span.
func required(t *testing.T, s tracetest.SpanStub) {
	t.Helper()
	has := map[attribute.Key]string{}
	for _, a := range s.Attributes {
		has[a.Key] = a.Value.String()
	}
	for _, key := range []attribute.Key{"http.request.method", "server.address", "server.port"} {
		if has[key] == "" {
			t.Errorf("%s has no %s", s.Name, key)
		}
	}
	if (has["url.full"] == "") != (has["url.template"] == "") {
		t.Errorf("%s has url.full %q and url.template %q", s.Name, has["url.full"], has["url.template"])
	}
	if (s.Status.Code == codes.Error) != (has["error.type"] != "") {
		t.Errorf("%s has the status %v and error.type %q", s.Name, s.Status, has["error.type"])
	}
}

// The span of an event continues from its delivery's, also when it is handled elsewhere.
func TestSpansOfADelivery(t *testing.T) {
	c := collect(t)
	var captured string
	events := c.Events(gocardless.EventHandlerFunc(func(ctx context.Context, e gocardless.Event) error {
		captured = Capture(ctx)
		if e.ID == "EV2" {
			panic("boom")
		}
		return nil
	}))
	const secret = "secret"
	handler, err := gocardless.NewWebhookHandler(events, secret)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"events":[{"id":"EV1","resource_type":"payments","action":"confirmed"},{"id":"EV2","resource_type":"mandates","action":"active"}]}`)
	req := httptest.NewRequest(http.MethodPost, "/webhooks?x=1", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	req.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook(body, secret))
	w := httptest.NewRecorder()
	c.Delivery(handler).ServeHTTP(w, req)
	if w.Code != http.StatusInternalServerError {
		t.Fatalf("status %d", w.Code)
	}
	spans := expectSpans(t, c,
		"handle payments.confirmed (consumer) gocardless.event.action=confirmed gocardless.event.id=EV1 gocardless.event.resource_type=payments",
		"handle mandates.active (consumer) error.type=panic gocardless.event.action=active gocardless.event.id=EV2 gocardless.event.resource_type=mandates ERROR panic",
		"POST webhook (server) error.type=500 http.request.method=POST http.response.status_code=500 ERROR 500")
	delivery := spans[2]
	if delivery.Parent.IsValid() || delivery.SpanContext.TraceID().String() == "0af7651916cd43dd8448eb211c80319c" {
		t.Error("the delivery continues a trace of the sender's")
	}
	for _, s := range spans[:2] {
		if s.Parent.SpanID() != delivery.SpanContext.SpanID() {
			t.Errorf("%s does not continue from the delivery", s.Name)
		}
	}

	// Later, in another process.
	_ = c.Events(gocardless.EventHandlerFunc(func(context.Context, gocardless.Event) error { return nil })).
		HandleEvent(Continue(context.Background(), captured), gocardless.Event{ID: "EV2", ResourceType: "mandates", Action: "active"})
	later := c.spans.GetSpans()[0]
	if later.SpanContext.TraceID() != delivery.SpanContext.TraceID() || !later.Parent.IsRemote() {
		t.Errorf("the trace does not continue: %v", later.Parent)
	}
	for _, rubbish := range []string{"", "x", "00-0-0-0"} {
		if Continue(context.Background(), rubbish) == nil || trace.SpanContextFromContext(Continue(context.Background(), rubbish)).IsValid() {
			t.Errorf("continued from %q", rubbish)
		}
	}
	if Capture(context.Background()) != "" {
		t.Error("captured something of nothing")
	}
}

func TestInboxMetrics(t *testing.T) {
	c := collect(t)
	registration, err := c.ObserveInbox("webhooks", InboxFunc(inbox{7, 90 * time.Second}.Backlog))
	if err != nil {
		t.Fatal(err)
	}
	got := c.metrics(t)
	if got["gocardless.inbox.depth"][0].value != 7 || got["gocardless.inbox.age"][0].value != 90 {
		t.Errorf("%+v", got)
	}
	if err := registration.Unregister(); err != nil {
		t.Fatal(err)
	}
}

// A span ends even if the transport panics.
func TestSpansOfAPanic(t *testing.T) {
	c := collect(t)
	client := gocardlesstest.New().Client(gocardless.WithObserver(c.Observer()), gocardless.WithHTTPClient(&http.Client{Transport: panics{}}))
	func() {
		defer func() { _ = recover() }()
		_, _ = client.Customers.Get(t.Context(), "CU1")
	}()
	if n := len(c.spans.GetSpans()); n != 2 {
		t.Errorf("%d spans have ended", n)
	}
}

type panics struct{}

func (panics) RoundTrip(*http.Request) (*http.Response, error) { panic("boom") }

func TestServer(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.gocardless.com": "api.gocardless.com 443", "http://127.0.0.1:8080/x": "127.0.0.1 8080", "http://sandbox": "sandbox 80", "https://[::1]:9": "::1 9", ":": " 0",
	} {
		address, port := server(base)
		if got := address + " " + strconv.Itoa(port); got != want {
			t.Errorf("%s: %q", base, got)
		}
	}
}

// Every metric that the dashboard asks for is one that this package makes, under the name that
// Prometheus gives it.
func TestDashboard(t *testing.T) {
	d := loadDashboard(t)
	c := collect(t)
	tour(t, c)
	names := scrape(t, c)
	metric := regexp.MustCompile(`\b(?:http|gocardless)_\w+`)
	label := regexp.MustCompile(`by \(([^)]*)\)`)
	known := map[string]bool{"le": true}
	for _, list := range c.metrics(t) {
		for _, p := range list {
			for _, a := range p.attributes.ToSlice() {
				known[strings.ReplaceAll(string(a.Key), ".", "_")] = true
			}
		}
	}
	asked := map[string]bool{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			for _, name := range metric.FindAllString(label.ReplaceAllString(target.Expr, ""), -1) {
				if asked[name] = true; names[name] == nil && !known[name] {
					t.Errorf("%s: there is no metric or label %s", p.Title, name)
				}
			}
			for _, m := range label.FindAllStringSubmatch(target.Expr, -1) {
				for _, l := range strings.Split(m[1], ",") {
					if !known[strings.TrimSpace(l)] {
						t.Errorf("%s: there is no label %s", p.Title, l)
					}
				}
			}
		}
	}
	if len(asked) < 8 || len(d.Panels) < 8 {
		t.Errorf("%d panels ask for %d metrics", len(d.Panels), len(asked))
	}
}

type dashboard struct {
	Title  string
	UID    string
	Panels []struct {
		Title       string
		Description string
		Type        string
		GridPos     struct{ H, W, X, Y int }
		FieldConfig struct{ Defaults struct{ Unit string } }
		Targets     []struct{ Expr, LegendFormat string }
	}
}

func loadDashboard(t testing.TB) (d dashboard) {
	t.Helper()
	data, err := os.ReadFile("dashboard.json")
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}
