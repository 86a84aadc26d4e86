package gocardless

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestEventMux(t *testing.T) {
	var got string
	say := func(name string) EventHandlerFunc {
		return func(_ context.Context, e Event) error { got = name + " " + e.ID; return nil }
	}
	mux := NewEventMux()
	failure := errors.New("failed")
	mux.On(EventPaymentsFailed, say("type"))
	mux.On("rockets.launched", say("written out"))
	mux.On(EventPaymentsPaidOut, func(context.Context, Event) error { return failure })
	mux.OnResource(EventResourceTypePayments, say("resource"))

	event := func(resource EventResourceType, action EventAction) Event {
		return Event{ID: "EV1", ResourceType: resource, Action: action}
	}
	for _, c := range []struct {
		event Event
		want  string
		err   error
	}{
		{event("payments", "failed"), "type EV1", nil},
		{event("payments", "confirmed"), "resource EV1", nil},
		{event("payments", "never_heard_of"), "resource EV1", nil},
		{event("payments", "paid_out"), "", failure},
		{event("rockets", "launched"), "written out EV1", nil},
		{event("rockets", "landed"), "", nil},
		{event("mandates", "active"), "", nil},
	} {
		got = ""
		if err := mux.HandleEvent(t.Context(), c.event); !errors.Is(err, c.err) || got != c.want {
			t.Errorf("%s: %q, %v, want %q, %v", c.event.Type(), got, err, c.want, c.err)
		}
	}
	mux.OnAny(say("any"))
	if err := mux.HandleEvent(t.Context(), event("mandates", "active")); err != nil || got != "any EV1" {
		t.Errorf("fallback: %q, %v", got, err)
	}
}

func TestEventMuxPanicsOnMisuse(t *testing.T) {
	ok := func(context.Context, Event) error { return nil }
	for name, misuse := range map[string]func(*EventMux){
		"no dot":         func(m *EventMux) { m.On("payments", ok) },
		"no action":      func(m *EventMux) { m.On("payments.", ok) },
		"no resource":    func(m *EventMux) { m.On(".failed", ok) },
		"nil":            func(m *EventMux) { m.On(EventPaymentsFailed, nil) },
		"twice":          func(m *EventMux) { m.On(EventPaymentsFailed, ok); m.On(EventPaymentsFailed, ok) },
		"resource twice": func(m *EventMux) { m.OnResource("payments", ok); m.OnResource("payments", ok) },
		"empty resource": func(m *EventMux) { m.OnResource("", ok) },
		"nil resource":   func(m *EventMux) { m.OnResource("payments", nil) },
		"any twice":      func(m *EventMux) { m.OnAny(ok); m.OnAny(ok) },
		"nil any":        func(m *EventMux) { m.OnAny(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse(new(EventMux))
		})
	}
}

func TestEventMuxConcurrently(t *testing.T) {
	var mux EventMux
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mux.On(EventType("payments."+string(rune('a'+i))), func(context.Context, Event) error { return nil })
			for range 100 {
				if err := mux.HandleEvent(t.Context(), Event{ResourceType: "payments", Action: "a"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
