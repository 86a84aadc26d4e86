package gocardlesstest

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// The benchmarks measure the sandbox, not the caller's work on the reply.

func benchRequest(b *testing.B, method, path, body string) func() int {
	b.Helper()
	sb := New(WithRateLimit(0))
	rt := sb.Transport()
	c := &world{caller: &caller{b, sb, rt, false}}
	c.customer = c.ok("POST", "/customers", customerBody).Str("id")
	c.account = c.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+c.customer+`"}}}`).Str("id")
	c.mandate = c.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+c.account+`"}}}`).Str("id")
	for range 600 {
		c.pay("100")
	}
	path = strings.ReplaceAll(path, "PAYMENT", c.pay("100"))
	body = strings.ReplaceAll(body, "MANDATE", c.mandate)
	h := http.Header{"Authorization": {"Bearer t"}, "Gocardless-Version": {"2015-07-06"}}
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	return func() int {
		req, err := http.NewRequest(method, "https://api-sandbox.gocardless.com"+path, strings.NewReader(body))
		if err != nil {
			b.Error(err)
			return 0
		}
		if body == "" {
			req.Body = nil
		}
		req.Header = h
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Error(err)
			return 0
		}
		return resp.StatusCode
	}
}

func bench(b *testing.B, status int, method, path, body string) {
	do := benchRequest(b, method, path, body)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got := do(); got != status {
				b.Errorf("%s %s: %d", method, path, got)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkGet(b *testing.B)     { bench(b, 200, "GET", "/payments/PAYMENT", "") }
func BenchmarkList500(b *testing.B) { bench(b, 200, "GET", "/payments?limit=500", "") }
func BenchmarkCreate(b *testing.B) {
	bench(b, 201, "POST", "/payments", `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"MANDATE"},"metadata":{"order":"A-1"}}}`)
}

func BenchmarkAdvance(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		w.strict = false
		for range 1000 {
			w.pay("100")
		}
		b.StartTimer()
		w.sb.Advance(30 * days)
	}
}

// Memory grows only with what is stored: reads and refused calls leave nothing behind, and a payment
// with its event takes a few kilobytes.
func TestMemory(t *testing.T) {
	withoutRace(t)
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	w := newWorld(t, WithRequestLog(100))
	w.strict = false
	const n = 2000
	pm := w.pay("100")
	w.do("GET", "/payments?limit=500", "")
	before := heap()
	for range n {
		w.pay("100")
	}
	per := (heap() - before) / n
	t.Logf("a payment with its event and its reply takes %d bytes", per)
	if per > 8000 {
		t.Errorf("a payment takes %d bytes", per)
	}
	before = heap()
	for range n {
		w.do("GET", "/payments/"+pm, "")
		w.do("POST", "/payments", `{"payments":{}}`)
		w.do("GET", "/nothing", "")
	}
	if grown := heap() - before; grown > 500_000 {
		t.Errorf("%d reads and refused calls left %d bytes behind", 3*n, grown)
	}
	runtime.KeepAlive(w)
}

// withoutRace skips a test under the race detector, where its bounds do not hold or where it would show
// nothing for its time. make test runs it in another step.
func withoutRace(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("runs without the race detector")
	}
}
