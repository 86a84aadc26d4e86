package gcotel

import (
	"context"
	"flag"
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

var pictures = flag.String("pictures", "", "directory for pages that show a trace and the dashboard")

// busyAPI answers as the API does on a day with an outage.
type busyAPI struct {
	mu     sync.Mutex
	random *rand.Rand
	minute time.Time
	used   int
	outage bool
}

func (a *busyAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	now := time.Now()
	if m := now.Truncate(time.Minute); !m.Equal(a.minute) {
		a.minute, a.used = m, 0
	}
	a.used++
	status, latency := 200, 60+a.random.IntN(60)
	switch p := a.random.IntN(100); {
	case a.used > 1000:
		status = 429
	case a.outage && p < 60:
		status, latency = 503, 900
	case p < 1:
		status = 502
	case p < 3 && req.Method == http.MethodGet:
		status = 404
	case p > 95:
		latency *= 8
	}
	remaining, reset := max(1000-a.used, 0), a.minute.Add(time.Minute)
	a.mu.Unlock()
	time.Sleep(time.Duration(latency) * time.Millisecond)
	body := `{"payments":{"id":"PM1"},"customers":{"id":"CU1"},"meta":{}}`
	switch {
	case status == 404:
		body = `{"error":{"type":"invalid_api_usage","code":404,"errors":[{"reason":"resource_not_found"}]}}`
	case status >= 400:
		body = `{"error":{"type":"gocardless","code":` + strconv.Itoa(status) + `,"errors":[{"reason":"internal_server_error"}]}}`
	}
	return &http.Response{StatusCode: status, Request: req, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{
		"Ratelimit-Limit": {"1000"}, "Ratelimit-Remaining": {strconv.Itoa(remaining)},
		"Ratelimit-Reset": {reset.UTC().Format(http.TimeFormat)}, "X-Request-Id": {"0AA4DE5F"},
	}}, nil
}

// slowInbox fills during the outage.
type slowInbox struct{ depth, since float64 }

func (i *slowInbox) Backlog(context.Context) (int64, time.Duration, error) {
	return int64(i.depth), time.Duration(i.since) * time.Second, nil
}

// sample is a scrape: values by name and labels, as Prometheus has them.
type sample map[string]map[string]float64

// simulate runs the programs of a company for an hour, with an outage in the middle, and scrapes their
// metrics every 30 seconds.
func simulate(t *testing.T, c *collector) (samples []sample) {
	api := &busyAPI{random: rand.New(rand.NewPCG(1, 2))}
	client, err := gocardless.New("token", gocardless.EnvironmentLive, gocardless.WithHTTPClient(&http.Client{Transport: api}),
		gocardless.WithRateLimitWait(), gocardless.WithObserver(c.Observer()))
	if err != nil {
		t.Fatal(err)
	}
	box := new(slowInbox)
	if _, err := c.ObserveInbox("webhooks", box); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for range 3 { // the web site
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if i%3 > 0 {
					_, _ = client.Payments.Get(ctx, "PM1")
				} else {
					_, _ = client.Customers.Get(ctx, "CU1")
				}
				time.Sleep(2 * time.Second)
			}
		})
	}
	bulk, stop := context.WithCancel(ctx)
	time.AfterFunc(15*time.Minute, func() { // a billing run
		for range 8 {
			workers.Go(func() {
				for bulk.Err() == nil {
					_, _ = client.Payments.Create(bulk, gocardless.PaymentCreateParams{Amount: 1000, Currency: "GBP", Links: gocardless.PaymentCreateParamsLinks{Mandate: "MD1"}}, gocardless.WithBulkLane())
				}
			})
		}
	})
	events := c.Events(gocardless.EventHandlerFunc(func(context.Context, gocardless.Event) error {
		time.Sleep(30 * time.Millisecond)
		api.mu.Lock()
		defer api.mu.Unlock()
		if api.outage {
			return context.DeadlineExceeded
		}
		return nil
	}))
	workers.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			_ = events.HandleEvent(ctx, gocardless.Event{ID: "EV1", ResourceType: "payments", Action: []gocardless.EventAction{"confirmed", "paid_out"}[i%2]})
			time.Sleep(3 * time.Second)
		}
	})
	for i := range 120 {
		time.Sleep(30 * time.Second)
		api.mu.Lock()
		api.outage = i >= 60 && i < 70
		if api.outage {
			box.depth, box.since = box.depth+10, box.since+30
		} else {
			box.depth, box.since = math.Floor(box.depth/2), math.Floor(box.since/3)
		}
		api.mu.Unlock()
		if i == 90 {
			stop()
		}
		samples = append(samples, scrape(t, c))
	}
	stop()
	cancel()
	workers.Wait()
	return samples
}

// scrape collects the metrics under the names that Prometheus gives them.
func scrape(t *testing.T, c *collector) sample {
	var data metricdata.ResourceMetrics
	if err := c.reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	s := sample{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := strings.ReplaceAll(m.Name, ".", "_")
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					s.putHistogram(name+"_seconds", p)
				}
			case metricdata.Sum[int64]:
				putAll(s, name+"_total", d.DataPoints)
			case metricdata.Gauge[int64]:
				putAll(s, name, d.DataPoints)
			case metricdata.Gauge[float64]:
				putAll(s, name+"_seconds", d.DataPoints)
			}
		}
	}
	return s
}

func putAll[N int64 | float64](s sample, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		s.put(name, p.Attributes, "", float64(p.Value))
	}
}

func (s sample) putHistogram(name string, p metricdata.HistogramDataPoint[float64]) {
	sum := 0.0
	for i, n := range p.BucketCounts {
		sum += float64(n)
		le := "+Inf"
		if i < len(p.Bounds) {
			le = strconv.FormatFloat(p.Bounds[i], 'g', -1, 64)
		}
		s.put(name+"_bucket", p.Attributes, le, sum)
	}
	s.put(name+"_count", p.Attributes, "", sum)
	s.put(name+"_sum", p.Attributes, "", p.Sum)
}

func (s sample) put(name string, set attribute.Set, le string, value float64) {
	if s[name] == nil {
		s[name] = map[string]float64{}
	}
	labels := map[string]string{}
	for _, a := range set.ToSlice() {
		labels[strings.ReplaceAll(string(a.Key), ".", "_")] = a.Value.String()
	}
	if le != "" {
		labels["le"] = le
	}
	s[name][joinLabels(labels)] = value
}

func joinLabels(labels map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		list = append(list, k+"="+labels[k])
	}
	return strings.Join(list, "\n")
}

func splitLabels(s string) map[string]string {
	labels := map[string]string{}
	for _, l := range strings.Split(s, "\n") {
		k, v, _ := strings.Cut(l, "=")
		labels[k] = v
	}
	return labels
}

// The forms of the dashboard's queries.
var (
	quantileQuery = regexp.MustCompile(`^histogram_quantile\(([\d.]+), sum by \(([^)]*)\) \(rate\((\w+)\[\$__rate_interval\]\)\)\)$`)
	ratioQuery    = regexp.MustCompile(`^(sum by .*) / scalar\(sum\(rate\((\w+)\[\$__rate_interval\]\)\)\)$`)
	rateQuery     = regexp.MustCompile(`^sum by \(([^)]*)\) \(rate\((\w+)(?:\{(\w+)!=""\})?\[\$__rate_interval\]\)\)$`)
	gaugeQuery    = regexp.MustCompile(`^(min|max) by \(([^)]*)\) \((\w+)\)$`)
)

const rateWindow = 4 // samples

// rates returns the increase a second of each series at a sample, summed by labels.
func rates(samples []sample, at int, name, by, without string) map[string]float64 {
	sums := map[string]float64{}
	from := max(at-rateWindow, 0)
	for key, value := range samples[at][name] {
		labels := splitLabels(key)
		if without != "" && labels[without] == "" {
			continue
		}
		group := map[string]string{}
		for _, l := range strings.Split(by, ",") {
			if l = strings.TrimSpace(l); l != "" {
				group[l] = labels[l]
			}
		}
		if at > from {
			sums[joinLabels(group)] += (value - samples[from][name][key]) / (30 * float64(at-from))
		}
	}
	return sums
}

// query evaluates an expression of the dashboard at a sample; ok is false for a form that this
// does not know.
func query(samples []sample, at int, expr string) (result map[string]float64, ok bool) {
	if m := quantileQuery.FindStringSubmatch(expr); m != nil {
		q, _ := strconv.ParseFloat(m[1], 64)
		return quantiles(rates(samples, at, m[3], m[2], ""), q), true
	}
	if m := ratioQuery.FindStringSubmatch(expr); m != nil {
		result, ok := query(samples, at, m[1])
		total := rates(samples, at, m[2], "", "")[""]
		for k := range result {
			result[k] /= max(total, 1e-9)
		}
		return result, ok
	}
	if m := rateQuery.FindStringSubmatch(expr); m != nil {
		return rates(samples, at, m[2], m[1], m[3]), true
	}
	if m := gaugeQuery.FindStringSubmatch(expr); m != nil {
		result := map[string]float64{}
		for key, v := range samples[at][m[3]] {
			group := joinLabels(map[string]string{m[2]: splitLabels(key)[m[2]]})
			if old, seen := result[group]; !seen || (m[1] == "min") == (v < old) {
				result[group] = v
			}
		}
		return result, true
	}
	return nil, false
}

// quantiles estimates as Prometheus does: linearly within a bucket.
func quantiles(buckets map[string]float64, q float64) map[string]float64 {
	type bucket struct{ le, count float64 }
	groups := map[string][]bucket{}
	for key, count := range buckets {
		labels := splitLabels(key)
		le, err := strconv.ParseFloat(labels["le"], 64)
		if err != nil {
			le = math.Inf(1)
		}
		delete(labels, "le")
		groups[joinLabels(labels)] = append(groups[joinLabels(labels)], bucket{le, count})
	}
	result := map[string]float64{}
	for key, list := range groups {
		slices.SortFunc(list, func(a, b bucket) int { return int(math.Copysign(1, a.le-b.le)) })
		want := q * list[len(list)-1].count
		low, below := 0.0, 0.0
		for _, b := range list {
			if b.count >= want && want > 0 {
				if math.IsInf(b.le, 1) {
					result[key] = low
				} else {
					result[key] = low + (b.le-low)*(want-below)/max(b.count-below, 1e-9)
				}
				break
			}
			low, below = b.le, b.count
		}
	}
	return result
}

var colours = []string{"#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#b877d9", "#f2495c", "#37872d", "#8ab8ff"}

// Every query of the dashboard has data after a simulated hour. With -pictures the test draws the
// dashboard and a trace.
func TestPictures(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates an hour")
	}
	c := collect(t)
	var samples []sample
	synctest.Test(t, func(t *testing.T) { samples = simulate(t, c) })
	d := loadDashboard(t)
	page := `<!doctype html><meta charset="utf-8"><style>body{background:#111217;color:#ccccdc;font:12px sans-serif;margin:0;width:1440px}h1{font-size:18px;margin:12px 16px}
.p{position:absolute;background:#181b1f;border:1px solid #2a2d33;box-sizing:border-box;padding:6px 8px;overflow:hidden}b{display:block;margin-bottom:2px}i{font-style:normal;margin-right:10px;white-space:nowrap}</style>
<h1>` + d.Title + ` <small style="font-weight:normal">an hour of a simulated company: a billing run from minute 15, an outage of the API in minutes 30 to 35</small></h1>`
	for _, p := range d.Panels {
		page += fmt.Sprintf(`<div class="p" style="left:%dpx;top:%dpx;width:%dpx;height:%dpx"><b>%s</b>%s</div>`,
			8+p.GridPos.X*59, 48+p.GridPos.Y*27, p.GridPos.W*59-6, p.GridPos.H*27-6, html.EscapeString(p.Title), panel(t, samples, d, p.Title))
	}
	if *pictures == "" {
		return
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(*pictures, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("dashboard.html", page)
	write("trace.html", trail(slowest(c.spans.GetSpans())))
}

// panel draws the series of a panel.
func panel(t *testing.T, samples []sample, d dashboard, title string) string {
	series, order := map[string][]float64{}, []string{}
	top, unit := 0.0, ""
	for _, p := range d.Panels {
		if p.Title != title {
			continue
		}
		unit = p.FieldConfig.Defaults.Unit
		for _, target := range p.Targets {
			for at := range samples {
				values, ok := query(samples, at, target.Expr)
				if !ok {
					t.Fatalf("%s: a query of unknown form: %s", title, target.Expr)
				}
				for key, v := range values {
					name := target.LegendFormat
					for label, value := range splitLabels(key) {
						name = strings.ReplaceAll(name, "{{"+label+"}}", value)
					}
					if series[name] == nil {
						series[name] = make([]float64, len(samples))
						order = append(order, name)
					}
					series[name][at] = v
					top = max(top, v)
				}
			}
		}
	}
	if len(series) == 0 {
		t.Errorf("%s: no data", title)
	}
	slices.Sort(order)
	const width, height = 420.0, 140.0
	svg := `<svg width="456" height="160" font-size="10" fill="#9a9aab">`
	for i := range 3 {
		y := height - height*float64(i)/2 + 6
		svg += fmt.Sprintf(`<line x1="34" x2="454" y1="%.0f" y2="%.0f" stroke="#2a2d33"/><text x="0" y="%.0f">%s</text>`, y, y, y+3, short(top*float64(i)/2, unit))
	}
	legend := ""
	for n, name := range order {
		points := ""
		for i, v := range series[name] {
			points += fmt.Sprintf("%.1f,%.1f ", 34+width*float64(i)/float64(len(samples)-1), 6+height-height*v/max(top, 1e-9))
		}
		colour := colours[n%len(colours)]
		svg += `<polyline fill="none" stroke-width="1.3" stroke="` + colour + `" points="` + points + `"/>`
		if name == "" {
			name = "none"
		}
		legend += `<i><span style="color:` + colour + `">&#9644;</span> ` + html.EscapeString(name) + `</i>`
	}
	return svg + `</svg><div>` + legend + `</div>`
}

func short(v float64, unit string) string {
	switch {
	case unit == "percentunit":
		return fmt.Sprintf("%.0f%%", 100*v)
	case unit == "s" && v > 0 && v < 1:
		return fmt.Sprintf("%.0fms", 1000*v)
	case unit == "s":
		return fmt.Sprintf("%.1fs", v)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// slowest returns the spans of the trace with the most attempts.
func slowest(spans tracetest.SpanStubs) tracetest.SpanStubs {
	traces := map[string]tracetest.SpanStubs{}
	best := ""
	for _, s := range spans {
		id := s.SpanContext.TraceID().String()
		if traces[id] = append(traces[id], s); best == "" || len(traces[id]) > len(traces[best]) {
			best = id
		}
	}
	list := traces[best]
	slices.SortStableFunc(list, func(a, b tracetest.SpanStub) int {
		if c := a.StartTime.Compare(b.StartTime); c != 0 {
			return c
		}
		return b.EndTime.Compare(a.EndTime)
	})
	return list
}

// trail draws a trace.
func trail(spans tracetest.SpanStubs) string {
	page := `<!doctype html><meta charset="utf-8"><style>body{background:#111217;color:#ccccdc;font:13px sans-serif;width:1200px;margin:12px}td{padding:3px 8px;vertical-align:top}small{color:#9a9aab}</style><h3>A trace in the simulated outage</h3><table>`
	began, end := spans[0].StartTime, spans[0].EndTime
	for _, s := range spans {
		colour, indent := "#5794f2", 0
		if s.Status.Description != "" {
			colour = "#f2495c"
		}
		if s.Parent.IsValid() {
			indent = 20
		}
		scale := 400 / end.Sub(began).Seconds()
		page += fmt.Sprintf(`<tr><td style="padding-left:%dpx;white-space:nowrap">%s</td><td style="width:420px"><div style="background:%s;height:12px;margin-left:%.0fpx;width:%.0fpx"></div><small>%s after %s</small></td><td><small>%s</small></td></tr>`,
			8+indent, html.EscapeString(s.Name), colour, s.StartTime.Sub(began).Seconds()*scale, max(s.EndTime.Sub(s.StartTime).Seconds()*scale, 2),
			s.EndTime.Sub(s.StartTime).Round(time.Millisecond), s.StartTime.Sub(began).Round(time.Millisecond), html.EscapeString(text(s)))
	}
	return page + `</table>`
}
