package gocardless_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventstoretest"
)

func TestMemoryEventStore(t *testing.T) {
	eventstoretest.Run(t, eventstoretest.Config{
		New: func(_ *testing.T, attempts int) gocardless.EventStore {
			return &gocardless.MemoryEventStore{MaxAttempts: attempts}
		},
	})
}

func TestOnce(t *testing.T) {
	var store gocardless.MemoryEventStore
	event := eventstoretest.NewEvent("EV1")
	failure := errors.New("failed")
	var result error = failure
	calls := 0
	var handler gocardless.EventHandler
	handler = gocardless.Once(&store, gocardless.EventHandlerFunc(func(ctx context.Context, e gocardless.Event) error {
		calls++
		if err := handler.HandleEvent(ctx, e); !errors.Is(err, gocardless.ErrEventBusy) {
			t.Errorf("inside of its own handling: %v, want ErrEventBusy", err)
		}
		if calls == 2 {
			panic("second")
		}
		return result
	}))
	if err := handler.HandleEvent(t.Context(), event); !errors.Is(err, failure) {
		t.Errorf("first: %v", err)
	}
	if _, ok := errors.AsType[*gocardless.PanicError](handler.HandleEvent(t.Context(), event)); !ok {
		t.Error("second: no PanicError")
	}
	result = nil
	for range 3 {
		if err := handler.HandleEvent(t.Context(), event); err != nil {
			t.Error(err)
		}
	}
	if calls != 3 {
		t.Errorf("handled %d times, want 3", calls)
	}
}

// Missing arguments show when the handler is made, not with the first delivery.
func TestOncePanicsOnMisuse(t *testing.T) {
	handler := gocardless.EventHandlerFunc(func(context.Context, gocardless.Event) error { return nil })
	for name, misuse := range map[string]func(){
		"store":   func() { gocardless.Once(nil, handler) },
		"handler": func() { gocardless.Once(new(gocardless.MemoryEventStore), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse()
		})
	}
}

func TestMemoryEventStoreParks(t *testing.T) {
	fail := func(context.Context) error { return errors.New("failed") }
	for _, c := range []struct{ set, want int }{{0, gocardless.DefaultEventAttempts}, {2, 2}, {-1, 50}} {
		store := gocardless.MemoryEventStore{MaxAttempts: c.set}
		failed := 0
		for range 50 {
			if o, _ := store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), fail); o == gocardless.EventOutcomeFailed {
				failed++
			}
		}
		if failed != c.want {
			t.Errorf("MaxAttempts %d: begun %d times, want %d", c.set, failed, c.want)
		}
		if parked := store.Parked(); (len(parked) == 1) != (c.set >= 0) {
			t.Errorf("MaxAttempts %d: parked %v", c.set, parked)
		}
	}
	store := gocardless.MemoryEventStore{MaxAttempts: 1}
	_, _ = store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), fail)
	if store.Release("EV2") || !store.Release("EV1") || store.Release("EV1") || len(store.Parked()) != 0 {
		t.Error("Release does not release what is parked, and only that")
	}
	ok := func(context.Context) error { return nil }
	if o, err := store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), ok); o != gocardless.EventOutcomeHandled || err != nil {
		t.Errorf("after its release: %s, %v", o, err)
	}
}

func TestMemoryEventStoreForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		store := gocardless.MemoryEventStore{Retention: time.Hour}
		handle := func(id string, created time.Time) gocardless.EventOutcome {
			e := eventstoretest.NewEvent(id)
			e.CreatedAt = created
			o, err := store.HandleOnce(ctx, e, func(context.Context) error { return nil })
			if err != nil {
				t.Error(err)
			}
			return o
		}
		created := time.Now()
		handle("EV1", created)
		time.Sleep(59 * time.Minute)
		if o := handle("EV1", created); o != gocardless.EventOutcomeDuplicate {
			t.Errorf("after 59 minutes: %s", o)
		}
		time.Sleep(time.Minute)
		if o := handle("EV1", created); o != gocardless.EventOutcomeHandled {
			t.Errorf("after 60 minutes: %s", o)
		}
		if h, _ := store.EventHorizon(ctx); !h.Equal(created) {
			t.Errorf("horizon = %s, want %s", h, created)
		}
		// Events are not done in the order in which they were created.
		handle("EV2", created.Add(-time.Hour))
		time.Sleep(time.Hour)
		if h, _ := store.EventHorizon(ctx); !h.Equal(created) {
			t.Errorf("horizon went back to %s", h)
		}
		handle("EV1", created)
		// What a catch-up may read again is kept, however old it is, as long as it runs.
		point := gocardless.EventCheckpoint{CreatedAt: created}
		for range 20 {
			if err := store.SetEventCheckpoint(ctx, "default", point); err != nil {
				t.Error(err)
			}
			time.Sleep(59 * time.Minute)
			if o := handle("EV1", created); o != gocardless.EventOutcomeDuplicate {
				t.Fatalf("with a checkpoint: %s", o)
			}
		}
		// A checkpoint that never moves does not make the store grow without limit.
		time.Sleep(2 * time.Minute)
		if h, _ := store.EventHorizon(ctx); !h.Equal(created) {
			t.Errorf("horizon = %s, want %s", h, created)
		}
		if o := handle("EV1", created); o != gocardless.EventOutcomeHandled {
			t.Errorf("with a stale checkpoint: %s", o)
		}
		forever := gocardless.MemoryEventStore{Retention: -1}
		_, _ = forever.HandleOnce(ctx, eventstoretest.NewEvent("EV1"), func(context.Context) error { return nil })
		time.Sleep(1e6 * time.Hour)
		o, _ := forever.HandleOnce(ctx, eventstoretest.NewEvent("EV1"), func(context.Context) error { return nil })
		if o != gocardless.EventOutcomeDuplicate {
			t.Errorf("with no limit: %s", o)
		}
	})
}

// The ids that a store remembers do not keep the memory of the deliveries they came in.
func TestMemoryEventStoreKeepsNoBodies(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n, size = 200, 100_000
	padding := strings.Repeat("x", size)
	for name, result := range map[string]error{"parked": errors.New("failed"), "done": nil} {
		store := gocardless.MemoryEventStore{MaxAttempts: 1}
		before := heap()
		for i := range n {
			id := fmt.Sprintf("EV%d", i)
			event := eventstoretest.NewEvent((id + padding)[:len(id)]) // cut out of a body
			_, _ = store.HandleOnce(t.Context(), event, func(context.Context) error { return result })
		}
		if kept := (heap() - before) / n; kept > size/10 {
			t.Errorf("%s: %d bytes are kept of each event of %d", name, kept, size)
		}
		runtime.KeepAlive(&store)
	}
}

func TestEventOutcomeNames(t *testing.T) {
	seen := map[string]bool{}
	for o := gocardless.EventOutcomeUnknown; o <= gocardless.EventOutcomeParked; o++ {
		if seen[o.String()] || (o.String() == "unknown") != (o == gocardless.EventOutcomeUnknown) {
			t.Errorf("outcome %d is %q", o, o)
		}
		seen[o.String()] = true
	}
}
