package gocardlesstest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// viewer acts as a browser with the dashboard open, without a socket. Like the dashboard's script, it
// loads the page when the stream reports a change, and then waits for viewerPause.
type viewer struct {
	handler http.Handler
	load    chan struct{}
	http.ResponseWriter

	mu    sync.Mutex
	told  []time.Time // when the stream reported changes
	pages int
}

// seen returns when the stream reported changes, and how many pages were loaded.
func (v *viewer) seen() (told []time.Time, pages int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.told, v.pages
}

const viewerPause = 400 * time.Millisecond

func (v *viewer) get(ctx context.Context, w http.ResponseWriter, path string) {
	r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost"+path, nil)
	r.Header.Set("Accept", "text/html")
	v.handler.ServeHTTP(w, r)
}

// Write receives a part of the stream.
func (v *viewer) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), "event: change\n") {
		v.mu.Lock()
		v.told = append(v.told, time.Now())
		v.mu.Unlock()
		select {
		case v.load <- struct{}{}:
		default: // the script will load the page anyway
		}
	}
	return len(b), nil
}

func (v *viewer) Flush() {}

// openDashboard opens a page of the dashboard, in a synctest bubble.
func openDashboard(sb *Sandbox, path string) (v *viewer, closeIt func()) {
	ctx, cancel := context.WithCancel(context.Background())
	v = &viewer{handler: sb.besideControl(nil), load: make(chan struct{}, 1), ResponseWriter: httptest.NewRecorder()}
	var wg sync.WaitGroup
	wg.Go(func() { v.get(ctx, v, "/_sandbox/stream") })
	wg.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-v.load:
				v.mu.Lock()
				v.pages++
				v.mu.Unlock()
				v.get(ctx, discard{http.Header{}}, path)
				select {
				case <-ctx.Done():
				case <-time.After(viewerPause):
				}
			}
		}
	})
	synctest.Wait()
	return v, func() {
		cancel()
		wg.Wait()
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// payer creates 10,000 payments in a second of the bubble's time.
type payer struct {
	t    testing.TB
	rt   http.RoundTripper
	body string
}

func newPayer(t testing.TB, sb *Sandbox) *payer {
	m := sb.ActiveMandate()
	return &payer{t, sb.Transport(), `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + m.ID + `"}}}`}
}

func (p *payer) second() {
	for i := range 10_000 {
		req, err := http.NewRequest("POST", "http://localhost/payments", strings.NewReader(p.body))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer t"}, "Gocardless-Version": {"2015-07-06"}, "Content-Type": {"application/json"}}
		resp, err := p.rt.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusCreated {
			p.t.Fatalf("%v, %v", resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if i%10 == 9 {
			time.Sleep(time.Millisecond)
		}
	}
}

// However much happens, the stream reports it at most every 300 ms, and a page is loaded at most every
// 400 ms. No change is reported later.
func TestOpenDashboardHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb := New(WithRateLimit(0))
		p := newPayer(t, sb)
		v, closeIt := openDashboard(sb, "/_sandbox/ui/requests")
		defer closeIt()
		p.second()
		if told, pages := v.seen(); len(told) > 4 || pages > 3 || len(told) == 0 || pages == 0 {
			t.Errorf("10,000 requests in a second: the stream told of %d changes, and %d pages were loaded", len(told), pages)
		}
		time.Sleep(time.Minute) // all quiet
		before, _ := v.seen()
		quiet := len(before)
		for _, change := range []func(){func() { sb.Inject(Fault{Drop: true}) }, sb.ClearFaults, func() { sb.Advance(time.Hour) }, sb.Freeze} {
			at := time.Now()
			change()
			time.Sleep(time.Second)
			told, _ := v.seen()
			if quiet++; len(told) != quiet || told[len(told)-1].Sub(at) > streamGap {
				t.Errorf("%d changes were told, want %d, the last %v late", len(told), quiet, told[len(told)-1].Sub(at))
			}
		}
	})
}

// opener changes the sandbox as soon as the stream opens.
type opener struct {
	*viewer
	change func()
}

func (o opener) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), "retry:") {
		o.change()
	}
	return o.viewer.Write(b)
}

// A page is loaded when the stream opens, and later changes are reported.
func TestStreamMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb := New()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		v := &viewer{handler: sb.besideControl(nil), load: make(chan struct{}, 1), ResponseWriter: httptest.NewRecorder()}
		go v.get(ctx, opener{v, func() { sb.Inject(Fault{Drop: true}) }}, "/_sandbox/stream")
		time.Sleep(time.Second)
		if told, _ := v.seen(); len(told) != 1 {
			t.Errorf("%d changes were told, want 1", len(told))
		}
	})
}

// A change is on the page within a second: the script pauses as long as the viewer, which together with
// the stream's interval leaves time to load the page.
func TestDashboardPauses(t *testing.T) {
	script, err := dashboardFiles.ReadFile("dashboard/app.js")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("setTimeout(done, %d)", viewerPause.Milliseconds()); strings.Count(string(script), "setTimeout(done,") != 1 || !strings.Contains(string(script), want) {
		t.Errorf("the script does not pause with %s", want)
	}
	if pause := streamGap + viewerPause; pause > 750*time.Millisecond {
		t.Errorf("a change can be told %v late", pause)
	}
}
