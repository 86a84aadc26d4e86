package gocardlesstest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkOpenDashboard creates payments over a socket, in turns with nobody looking and with the
// dashboard open, and reports what that costs: "share" is the throughput with it, of that without.
func BenchmarkOpenDashboard(b *testing.B) {
	s := NewServer(b, WithControl(), WithRateLimit(0))
	m := s.ActiveMandate()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	body := `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + m.ID + `"}}}`
	pay := func(n int) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range n / 8 {
					req, err := http.NewRequest("POST", s.URL+"/payments", strings.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					req.Header = http.Header{"Authorization": {"Bearer t"}, "Gocardless-Version": {"2015-07-06"}, "Content-Type": {"application/json"}}
					resp, err := client.Do(req)
					if err != nil || resp.StatusCode != http.StatusCreated {
						b.Errorf("%v, %v", resp, err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
		wg.Wait()
	}
	const turn = 4000
	pay(turn)
	var took [2]time.Duration
	for i := 0; b.Loop(); i++ {
		for _, open := range []int{i % 2, 1 - i%2} {
			stop := func() {}
			if open == 1 {
				stop = watch(b, s)
			}
			began := time.Now()
			pay(turn)
			took[open] += time.Since(began)
			stop()
		}
	}
	turns := float64(b.N) * turn
	b.ReportMetric(turns/took[0].Seconds(), "req/s-closed")
	b.ReportMetric(turns/took[1].Seconds(), "req/s-open")
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "share")
}

// watch does what the dashboard's script does: it loads the page when the stream tells of a change,
// and then waits for 400 ms.
func watch(b *testing.B, s *Server) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	get := func(path string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil
		}
		return resp
	}
	stream := get("/_sandbox/stream")
	if stream == nil {
		b.Fatal("no stream")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = stream.Body.Close() }()
		for in := bufio.NewScanner(stream.Body); in.Scan(); {
			if in.Text() != "event: change" {
				continue
			}
			if page := get("/_sandbox/ui/requests"); page != nil {
				_, _ = io.Copy(io.Discard, page.Body)
				_ = page.Body.Close()
			}
			select {
			case <-time.After(400 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
