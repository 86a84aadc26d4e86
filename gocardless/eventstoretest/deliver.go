package eventstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

const secret gocardless.WebhookSecret = "eventstoretest"

// goexit ends the goroutine, as FailNow does.
func goexit() { runtime.Goexit() }

// Plan is a set of deliveries in which events repeat.
type Plan struct {
	Events     int        // how many different events there are
	Deliveries [][]string // the ids of the events of each delivery
}

// NewPlan returns n deliveries of one to five events each, shuffled. Each event is in at least
// one of them, most are in several, some twice in the same. The same seed gives the same plan.
func NewPlan(n int, seed uint64) Plan {
	random := rand.New(rand.NewPCG(seed, 1))
	p := Plan{Events: n * 3 / 5, Deliveries: make([][]string, n)}
	for i := range p.Events {
		at := random.IntN(n)
		p.Deliveries[at] = append(p.Deliveries[at], eventID(i))
	}
	for i := range p.Deliveries {
		for len(p.Deliveries[i]) == 0 || random.IntN(2) == 0 && len(p.Deliveries[i]) < 5 {
			p.Deliveries[i] = append(p.Deliveries[i], eventID(random.IntN(p.Events)))
		}
		random.Shuffle(len(p.Deliveries[i]), func(a, b int) {
			p.Deliveries[i][a], p.Deliveries[i][b] = p.Deliveries[i][b], p.Deliveries[i][a]
		})
	}
	return p
}

func eventID(i int) string { return fmt.Sprintf("EV%08d", i) }

// Body returns the body of a delivery of the given events.
func Body(webhook string, ids []string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"events":[`)
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%q,"created_at":"2026-05-04T09:00:00.000Z","resource_type":"payments","action":"failed","links":{"payment":"PM1"}}`, id)
	}
	fmt.Fprintf(&b, `],"meta":{"webhook_id":%q}}`, webhook)
	return b.Bytes()
}

// Request returns a signed request with a body, and the secret to check it with.
func Request(body []byte) (*http.Request, gocardless.WebhookSecret) {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook(body, secret))
	return r, secret
}

// Deliver sends n deliveries with repeated events to a webhook handler in front of the store, several
// at the same time, each until it is acknowledged, as GoCardless does. When it is first handled, one
// event in eleven fails and one in thirteen panics. Deliver checks that every event was handled once,
// and that none was passed to the handler again afterwards or twice at the same time. If also is not
// nil, the handler calls it when it neither fails nor panics, and returns its error.
func Deliver(t *testing.T, store gocardless.EventStore, n, workers int, also func(ctx context.Context, e gocardless.Event) error) {
	t.Helper()
	plan := NewPlan(n, 42)
	h := &countingHandler{t: t, also: also, counts: map[string]*handled{}}
	handler, err := gocardless.NewWebhookHandler(gocardless.Once(store, gocardless.EventHandlerFunc(h.handle)), secret)
	if err != nil {
		t.Fatal(err)
	}

	var sent, refused atomic.Int64
	queue := make(chan int, 2*n)
	for i := range n {
		queue <- i
	}
	var open sync.WaitGroup
	open.Add(n)
	for range workers {
		go func() {
			for i := range queue {
				r, _ := Request(Body(fmt.Sprintf("WB%d", i), plan.Deliveries[i]))
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r.WithContext(t.Context()))
				sent.Add(1)
				switch w.Code {
				case http.StatusNoContent:
					open.Done()
				case http.StatusInternalServerError, http.StatusServiceUnavailable:
					refused.Add(1)
					queue <- i
				default:
					t.Errorf("delivery %d: reply %d", i, w.Code)
					open.Done()
				}
			}
		}()
	}
	open.Wait()
	close(queue)

	h.check(plan.Events)
	if refused.Load() == 0 {
		t.Error("no delivery was refused: the failures did not happen")
	}
	t.Logf("%d deliveries of %d events, sent %d times", n, plan.Events, sent.Load())
}

// countingHandler counts how often it receives each event. For some events, it fails or panics the
// first time.
type countingHandler struct {
	t    *testing.T
	also func(ctx context.Context, e gocardless.Event) error

	mu     sync.Mutex
	counts map[string]*handled
}

// handled counts how often the handling of an event has begun and succeeded, and how many handlers
// are running.
type handled struct{ begun, done, inside int }

func (h *countingHandler) handle(ctx context.Context, e gocardless.Event) error {
	c, first := h.begin(e.ID)
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		c.inside--
	}()
	var number int
	_, _ = fmt.Sscanf(e.ID, "EV%d", &number)
	switch {
	case first && number%11 == 0:
		return errors.New("failed the first time")
	case first && number%13 == 0:
		panic("panicked the first time")
	case h.also != nil:
		if err := h.also(ctx, e); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c.done++
	return nil
}

// begin counts that the handling of an event begins, and reports whether it is the first time.
func (h *countingHandler) begin(id string) (c *handled, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c = h.counts[id]
	if c == nil {
		c = new(handled)
		h.counts[id] = c
	}
	c.begun++
	c.inside++
	if c.inside > 1 || c.done > 0 {
		h.t.Errorf("event %s: handed over again, %d at the same time, done %d times", id, c.inside, c.done)
	}
	return c, c.begun == 1
}

// check reports events that were not handled exactly once.
func (h *countingHandler) check(events int) {
	if len(h.counts) != events {
		h.t.Errorf("%d of %d events were handed over", len(h.counts), events)
	}
	for id, c := range h.counts {
		if c.done != 1 {
			h.t.Errorf("event %s: done %d times", id, c.done)
		}
	}
}
