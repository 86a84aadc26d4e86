package gocardless

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// signed returns a request as GoCardless makes it.
func signed(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "gocardless-webhook-service/1.1")
	r.Header.Set(WebhookSignatureHeader, SignWebhook([]byte(body), endpointSecret))
	return r
}

func mustHandler(t *testing.T, f EventHandlerFunc) *WebhookHandler {
	t.Helper()
	h, err := NewWebhookHandler(f, endpointSecret)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWebhookHandlerHandsOverEvents(t *testing.T) {
	type key struct{}
	var seen []string
	h := mustHandler(t, func(ctx context.Context, e Event) error {
		if ctx.Value(key{}) != "request" {
			t.Error("not the request's context")
		}
		if d := WebhookDeliveryFromContext(ctx); d == nil || d.ID != "WB01" || string(d.Body) != sampleDelivery {
			t.Errorf("delivery in the context = %v", d)
		}
		seen = append(seen, e.ID)
		return nil
	})
	r := signed(sampleDelivery)
	w := serve(h, r.WithContext(context.WithValue(r.Context(), key{}, "request")))
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("reply = %d %q, want 204 without a body", w.Code, w.Body)
	}
	if fmt.Sprint(seen) != "[EV01 EV02]" {
		t.Errorf("events = %v", seen)
	}
	if WebhookDeliveryFromContext(t.Context()) != nil {
		t.Error("a delivery outside of a handler")
	}
}

func TestWebhookHandlerStatus(t *testing.T) {
	edit := func(f func(*http.Request)) *http.Request {
		r := signed(sampleDelivery)
		f(r)
		return r
	}
	reread := func(r *http.Request, body string) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	for _, c := range []struct {
		name    string
		request *http.Request
		want    int
	}{
		{"good", signed(sampleDelivery), 204},
		{"charset", edit(func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }), 204},
		{"identity", edit(func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") }), 204},
		{"GET", edit(func(r *http.Request) { r.Method = "GET" }), 405},
		{"PUT", edit(func(r *http.Request) { r.Method = "PUT" }), 405},
		{"text", edit(func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), 415},
		{"form", edit(func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }), 415},
		{"no type", edit(func(r *http.Request) { r.Header.Del("Content-Type") }), 415},
		{"compressed", edit(func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }), 415},
		{"no signature", edit(func(r *http.Request) { r.Header.Del(WebhookSignatureHeader) }), 498},
		{"forged", edit(func(r *http.Request) {
			r.Header.Set(WebhookSignatureHeader, SignWebhook([]byte(sampleDelivery), "guess"))
		}), 498},
		{"two signatures", edit(func(r *http.Request) {
			r.Header.Add(WebhookSignatureHeader, r.Header.Get(WebhookSignatureHeader))
		}), 498},
		{"changed", edit(func(r *http.Request) { reread(r, strings.Replace(sampleDelivery, "PM01", "PM02", 1)) }), 498},
		{"truncated", edit(func(r *http.Request) { reread(r, sampleDelivery[:100]) }), 498},
		{"doubled", edit(func(r *http.Request) { reread(r, sampleDelivery+sampleDelivery) }), 498},
		{"re-signed, doubled", signed(sampleDelivery + sampleDelivery), 400},
		{"signed, not a webhook", signed(`{"payments":[]}`), 400},
		{"oversized, declared", edit(func(r *http.Request) { r.ContentLength = 2001 }), 413},
		{"oversized, undeclared", edit(func(r *http.Request) {
			reread(r, strings.Repeat(" ", 2001))
			r.ContentLength = -1
		}), 413},
		{"nil body", edit(func(r *http.Request) { r.Body, r.ContentLength = nil, 0 }), 498},
		{"connection lost", edit(func(r *http.Request) { r.Body = io.NopCloser(brokenReader{}) }), 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := 0
			h := mustHandler(t, func(context.Context, Event) error { called++; return nil })
			h.MaxBytes = 2000
			var log bytes.Buffer
			h.Logger = slog.New(slog.NewTextHandler(&log, nil))
			w := serve(h, c.request)
			if w.Code != c.want || w.Body.Len() != 0 {
				t.Errorf("reply = %d %q, want %d without a body", w.Code, w.Body, c.want)
			}
			if (called > 0) != (c.want == 204) {
				t.Errorf("handler called %d times", called)
			}
			if c.want == 405 && w.Header().Get("Allow") != "POST" {
				t.Errorf("Allow = %q", w.Header().Get("Allow"))
			}
			if (log.Len() > 0) != (c.want >= 406 || c.want == 400) {
				t.Errorf("log = %q", &log)
			}
			if strings.Contains(log.String(), "PM0") || strings.Contains(log.String(), string(endpointSecret)) {
				t.Errorf("log shows the request: %s", &log)
			}
		})
	}
}

// A delivery as large as DefaultWebhookMaxBytes promises is not refused.
func TestWebhookHandlerLargestDelivery(t *testing.T) {
	escaped := func(n int) string { return strings.Repeat(`\u0141`, n) }
	var members []string
	for i := range MaxMetadataKeys {
		members = append(members, fmt.Sprintf(`"%d%s":"%s"`, i, escaped(MaxMetadataKeyLength-1), escaped(MaxMetadataValueLength)))
	}
	metadata := "{" + strings.Join(members, ",") + "}"
	event := strings.NewReplacer(`"metadata":{}`, `"metadata":`+metadata, `"resource_metadata":{"order":"7"}`, `"resource_metadata":`+metadata).
		Replace(sampleDelivery[len(`{"events":[`):strings.Index(sampleDelivery, `,{"id":"EV02"`)])
	body := `{"events":[` + strings.Repeat(event+",", maxEvents-1) + event + "]}"
	var found Metadata
	h := mustHandler(t, func(_ context.Context, e Event) error { found = e.ResourceMetadata; return nil })
	if w := serve(h, signed(body)); w.Code != 204 || len(found) != MaxMetadataKeys {
		t.Errorf("%d bytes: reply = %d, metadata = %d keys", len(body), w.Code, len(found))
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWebhookHandlerFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func() error
		want int
	}{
		{"error", func() error { return errors.New("secret inner text") }, 500},
		{"panic", func() error { panic("secret inner text") }, 500},
		{"panic with an error", func() error { panic(errors.New("secret inner text")) }, 500},
		{"abort", func() error { panic(http.ErrAbortHandler) }, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			var seen []string
			h := mustHandler(t, func(_ context.Context, e Event) error {
				seen = append(seen, e.ID)
				if e.ID == "EV01" {
					return c.fail()
				}
				return nil
			})
			h.Logger = slog.New(slog.NewTextHandler(&log, nil))
			w := serve(h, signed(sampleDelivery))
			if w.Code != c.want || w.Body.Len() != 0 {
				t.Errorf("reply = %d %q, want %d without inner text", w.Code, w.Body, c.want)
			}
			if fmt.Sprint(seen) != "[EV01 EV02]" {
				t.Errorf("events = %v: the neighbour was not handled", seen)
			}
			for _, want := range []string{"EV01", "WB01", "payments.failed"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("log lacks %s: %s", want, &log)
				}
			}
			if strings.Contains(log.String(), "EV02") {
				t.Errorf("log blames the neighbour: %s", &log)
			}
		})
	}
}

func TestPanicErrorUnwraps(t *testing.T) {
	inner := errors.New("inner")
	err := contain(func() error { panic(fmt.Errorf("outer: %w", inner)) })
	p, ok := errors.AsType[*PanicError](err)
	if !errors.Is(err, inner) || !ok || !bytes.Contains(p.Stack, []byte("TestPanicErrorUnwraps")) {
		t.Errorf("got %#v", err)
	}
	if strings.Contains(err.Error(), "inner") {
		t.Errorf("text shows the value: %v", err)
	}
}

func TestNewWebhookHandlerRefuses(t *testing.T) {
	ok := EventHandlerFunc(func(context.Context, Event) error { return nil })
	for _, secrets := range [][]WebhookSecret{nil, {""}, {endpointSecret, ""}, {" x"}, {"x\n"}} {
		if h, err := NewWebhookHandler(ok, secrets...); !errors.Is(err, ErrWebhookSecret) || h != nil {
			t.Errorf("%d secrets: %v", len(secrets), err)
		}
		f := func(context.Context, *WebhookDelivery) error { return nil }
		if h, err := NewWebhookDeliveryHandler(f, secrets...); !errors.Is(err, ErrWebhookSecret) || h != nil {
			t.Errorf("delivery handler, %d secrets: %v", len(secrets), err)
		}
	}
	if _, err := NewWebhookHandler(nil, endpointSecret); err == nil {
		t.Error("nil handler accepted")
	}
	if _, err := NewWebhookDeliveryHandler(nil, endpointSecret); err == nil {
		t.Error("nil function accepted")
	}
	// The handler does not keep the caller's slice.
	secrets := []WebhookSecret{endpointSecret}
	h, _ := NewWebhookHandler(ok, secrets...)
	secrets[0] = "changed"
	if w := serve(h, signed(sampleDelivery)); w.Code != 204 {
		t.Errorf("reply = %d after the slice was changed", w.Code)
	}
}

func TestWebhookDeliveryHandler(t *testing.T) {
	var queue [][]byte
	fail := false
	h, err := NewWebhookDeliveryHandler(func(_ context.Context, d *WebhookDelivery) error {
		if fail {
			panic("queue is full")
		}
		queue = append(queue, d.Body)
		return nil
	}, endpointSecret)
	if err != nil {
		t.Fatal(err)
	}
	if w := serve(h, signed(sampleDelivery)); w.Code != 204 || string(queue[0]) != sampleDelivery {
		t.Errorf("reply = %d, queue = %q", w.Code, queue)
	}
	fail = true
	if w := serve(h, signed(sampleDelivery)); w.Code != 500 {
		t.Errorf("reply = %d, want 500", w.Code)
	}
}

// An event that another worker has is waited for; one that stays busy is asked for again.
func TestWebhookHandlerBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var order []string
		h := mustHandler(t, func(_ context.Context, e Event) error {
			order = append(order, e.ID)
			if e.ID == "EV01" && time.Since(start) < time.Second {
				return fmt.Errorf("wrapped: %w", ErrEventBusy)
			}
			return nil
		})
		if w := serve(h, signed(sampleDelivery)); w.Code != 204 {
			t.Errorf("reply = %d, want 204", w.Code)
		}
		if order[0] != "EV01" || order[1] != "EV02" || order[len(order)-1] != "EV01" {
			t.Errorf("order = %v", order)
		}

		start = time.Now()
		calls := 0
		h = mustHandler(t, func(context.Context, Event) error { calls++; return ErrEventBusy })
		if w := serve(h, signed(sampleDelivery)); w.Code != 503 {
			t.Errorf("reply = %d, want 503", w.Code)
		}
		if waited := time.Since(start); waited < time.Second || waited > 3*time.Second || calls > 200 {
			t.Errorf("waited %s with %d calls", waited, calls)
		}

		// A failure among them decides: no reason to wait.
		start = time.Now()
		h = mustHandler(t, func(_ context.Context, e Event) error {
			if e.ID == "EV02" {
				return errors.New("failed")
			}
			return ErrEventBusy
		})
		if w := serve(h, signed(sampleDelivery)); w.Code != 500 || time.Since(start) > 0 {
			t.Errorf("reply = %d after %s, want 500 at once", w.Code, time.Since(start))
		}
	})
}

// When GoCardless hangs up, the remaining events are not handled.
func TestWebhookHandlerStopsWithTheRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	h := mustHandler(t, func(context.Context, Event) error { calls++; cancel(); return nil })
	if w := serve(h, signed(sampleDelivery).WithContext(ctx)); w.Code != 500 || calls != 1 {
		t.Errorf("reply = %d after %d calls, want 500 after 1", w.Code, calls)
	}
}

// A body that does not arrive ends with 408, and does not hold the server's goroutine; one that
// arrives slowly but in time is handled, with a context that lives on.
func TestWebhookHandlerSlowBody(t *testing.T) {
	var calls atomic.Int32
	serverWith := func(timeout time.Duration) *httptest.Server {
		h := mustHandler(t, func(ctx context.Context, _ Event) error {
			calls.Add(1)
			return ctx.Err()
		})
		h.ReadTimeout = timeout
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server
	}

	send := func(server *httptest.Server, first, rest string) string {
		t.Helper()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			WebhookSignatureHeader, SignWebhook([]byte(sampleDelivery), endpointSecret), len(sampleDelivery), first)
		if rest != "" {
			time.Sleep(20 * time.Millisecond)
			io.WriteString(conn, rest)
		}
		reply, _ := io.ReadAll(conn)
		line, _, _ := strings.Cut(string(reply), "\r\n")
		return line
	}

	if line := send(serverWith(30*time.Millisecond), sampleDelivery[:50], ""); !strings.Contains(line, "408") {
		t.Errorf("reply = %q, want 408", line)
	}
	if calls.Load() != 0 {
		t.Errorf("%d events handled of a body that did not arrive", calls.Load())
	}
	if line := send(serverWith(time.Minute), sampleDelivery[:50], sampleDelivery[50:]); !strings.Contains(line, "204") {
		t.Errorf("reply = %q, want 204", line)
	}
	if calls.Load() != 2 {
		t.Errorf("%d events handled, want 2", calls.Load())
	}
}

// deadlineRecorder is a response writer that supports read deadlines.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (r *deadlineRecorder) SetReadDeadline(t time.Time) error {
	r.deadlines = append(r.deadlines, t)
	return nil
}

// The deadline for reading must not reach into the handling: the server goes on reading to see
// whether the client is still there.
func TestWebhookHandlerReadDeadlineIsLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			timeout time.Duration
			want    []time.Time
		}{
			{0, []time.Time{time.Now().Add(DefaultWebhookReadTimeout), {}}},
			{time.Second, []time.Time{time.Now().Add(time.Second), {}}},
			{-1, nil},
		} {
			w := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
			h := mustHandler(t, func(context.Context, Event) error {
				if !slices.EqualFunc(w.deadlines, c.want, time.Time.Equal) {
					t.Errorf("timeout %s: deadlines %v, want %v", c.timeout, w.deadlines, c.want)
				}
				return nil
			})
			h.ReadTimeout = c.timeout
			h.ServeHTTP(w, signed(sampleDelivery))
			if w.Code != http.StatusNoContent {
				t.Errorf("timeout %s: reply %d", c.timeout, w.Code)
			}
		}
	})
}
