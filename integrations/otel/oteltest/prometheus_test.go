package oteltest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	_ "modernc.org/sqlite"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	gcotel "github.com/gocardless-community/gocardless-go/integrations/otel"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
)

const secret gocardless.WebhookSecret = "of the endpoint"

// program is a program with a client, an inbox and metrics.
type program struct {
	client   *gocardless.Client
	sandbox  *gocardlesstest.Sandbox
	inbox    *riverinbox.Inbox[*sql.Tx]
	endpoint http.Handler
	metrics  http.Handler
	events   int
}

func newProgram(t *testing.T) *program {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	telemetry, err := gcotel.New(gcotel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "inbox.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	handler := telemetry.Events(gocardless.EventHandlerFunc(func(_ context.Context, e gocardless.Event) error {
		if strings.HasSuffix(e.ID, "7") {
			return errors.New("fails")
		}
		return nil
	}))
	inbox, err := riverinbox.NewSQLite(db, riverinbox.Options{Handler: handler, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = inbox.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := telemetry.ObserveInbox("webhooks", inbox); err != nil {
		t.Fatal(err)
	}
	endpoint, err := riverinbox.NewInboxHandler(inbox, secret)
	if err != nil {
		t.Fatal(err)
	}
	sandbox := gocardlesstest.New()
	return &program{
		sandbox: sandbox, inbox: inbox, endpoint: endpoint, metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		client: sandbox.Client(gocardless.WithObserver(telemetry.Observer()), gocardless.WithRateLimitWait(),
			gocardless.WithRetryPolicy(func(a gocardless.RetryAttempt) gocardless.RetryDecision {
				d := gocardless.DefaultRetry(a)
				d.Wait = 0
				return d
			})),
	}
}

// deliver delivers ten new events.
func (p *program) deliver(t *testing.T) {
	t.Helper()
	var events []string
	for range 10 {
		p.events++
		events = append(events, fmt.Sprintf(`{"id":"EV%d","created_at":"2026-05-04T09:00:00.000Z","resource_type":"payments","action":"failed","links":{"payment":"PM1"}}`, p.events))
	}
	body := []byte(`{"events":[` + strings.Join(events, ",") + `]}`)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook(body, secret))
	w := httptest.NewRecorder()
	if p.endpoint.ServeHTTP(w, r); w.Code != http.StatusNoContent {
		t.Fatalf("status %d", w.Code)
	}
}

// The metrics have the depth and the age of a real inbox.
func TestInboxMetrics(t *testing.T) {
	p := newProgram(t)
	value := func(name string) (v float64) {
		t.Helper()
		w := httptest.NewRecorder()
		p.metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		m := regexp.MustCompile(`(?m)^` + name + `\{gocardless_inbox_name="webhooks",.*\} (\S+)$`).FindStringSubmatch(w.Body.String())
		if m == nil {
			t.Fatalf("no %s in\n%s", name, w.Body)
		}
		if _, err := fmt.Sscan(m[1], &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if depth, age := value("gocardless_inbox_depth"), value("gocardless_inbox_age_seconds"); depth != 0 || age != 0 {
		t.Errorf("empty: depth %v, age %v", depth, age)
	}
	p.deliver(t)
	time.Sleep(1100 * time.Millisecond) // in SQLite, River's times are whole seconds
	if depth, age := value("gocardless_inbox_depth"), value("gocardless_inbox_age_seconds"); depth != 10 || age <= 0 || age > 3600 {
		t.Errorf("depth %v, age %v", depth, age)
	}
}

// Every query of the dashboard has an answer from Prometheus.
func TestDashboard(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for Prometheus to scrape")
	}
	p := newProgram(t)
	server := httptest.NewServer(p.metrics)
	t.Cleanup(server.Close)
	api := startPrometheus(t, server.Listener.Addr().String())
	if err := p.inbox.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.inbox.Stop(context.Background()) })

	open := dashboard(t)
	for deadline := time.Now().Add(2 * time.Minute); len(open) > 0; time.Sleep(300 * time.Millisecond) {
		p.deliver(t)
		p.sandbox.Inject(gocardlesstest.Fault{Operation: "customers.list", Status: http.StatusServiceUnavailable})
		_, _ = p.client.Customers.List(t.Context(), gocardless.CustomerListParams{})
		_, _ = p.client.Payments.Get(t.Context(), "PM404", gocardless.WithBulkLane())
		for expr, panel := range open {
			if n := ask(t, api, strings.ReplaceAll(expr, "$__rate_interval", "5s")); n > 0 {
				t.Logf("%s: %d series", panel, n)
				delete(open, expr)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no data for %v", open)
		}
	}
}

// dashboard returns the panels by their queries.
func dashboard(t *testing.T) map[string]string {
	t.Helper()
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	data, err := os.ReadFile("../dashboard.json")
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	panels := map[string]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			panels[target.Expr] = p.Title
		}
	}
	if len(panels) < 12 {
		t.Fatalf("%d queries", len(panels))
	}
	return panels
}

// startPrometheus starts Prometheus, which scrapes an address every second, and returns its own.
func startPrometheus(t *testing.T, target string) string {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("Prometheus is not installed; Debian has it in the package prometheus")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: program, static_configs: [{targets: ['" + target + "']}]}]\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	var log bytes.Buffer
	cmd := exec.Command(path, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if resp, err := http.Get("http://" + address + "/-/ready"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return address
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("Prometheus does not start")
		}
	}
}

// ask returns how many series with a number in them a query has.
func ask(t *testing.T, address, query string) int {
	t.Helper()
	resp, err := http.Get("http://" + address + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, &reply)
	}
	if err != nil || reply.Status != "success" {
		t.Fatalf("%s: %v %s", query, err, body)
	}
	n := 0
	for _, r := range reply.Data.Result {
		if r.Value[1] != "NaN" {
			n++
		}
	}
	return n
}
