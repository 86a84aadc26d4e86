// Package eventstoretest checks implementations of [gocardless.EventStore]. Call [Run] from a
// test of your own store:
//
//	func TestStore(t *testing.T) {
//		eventstoretest.Run(t, eventstoretest.Config{
//			New: func(t *testing.T, attempts int) gocardless.EventStore { return newStore(t, attempts) },
//		})
//	}
package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Config describes what to test and how much.
type Config struct {
	// New returns an empty store that parks an event after this number of attempts. It is called for
	// each test.
	New func(t *testing.T, attempts int) gocardless.EventStore
	// Deliveries is how many deliveries the large test sends; zero means 10,000.
	Deliveries int
	// Workers is how many of them arrive at the same time; zero means 8.
	Workers int
}

// Run tests that a store handles events once, that a failed event is handled again and finally
// parked, that claims exclude each other and end with the handler however it ends, and that
// checkpoints, if the store has them, only move forward. It also tests that thousands of repeated,
// shuffled and concurrent deliveries, whose handlers fail and panic, neither lose an event nor handle
// one twice.
func Run(t *testing.T, c Config) {
	t.Helper()
	if c.Deliveries == 0 {
		c.Deliveries = 10_000
	}
	if c.Workers == 0 {
		c.Workers = 8
	}
	t.Run("Once", func(t *testing.T) { testOnce(t, c.New(t, 100)) })
	t.Run("FailedAgain", func(t *testing.T) { testFailed(t, c.New(t, 100)) })
	t.Run("Panic", func(t *testing.T) { testPanic(t, c.New(t, 100)) })
	t.Run("Goexit", func(t *testing.T) { testGoexit(t, c.New(t, 100)) })
	t.Run("Busy", func(t *testing.T) { testBusy(t, c.New(t, 100)) })
	t.Run("Cancelled", func(t *testing.T) { testCancelled(t, c.New(t, 100)) })
	t.Run("Parked", func(t *testing.T) { testParked(t, c.New(t, 3)) })
	t.Run("NoID", func(t *testing.T) { testNoID(t, c.New(t, 100)) })
	t.Run("Race", func(t *testing.T) { testRace(t, c.New(t, 100)) })
	t.Run("Checkpoints", func(t *testing.T) { testCheckpoints(t, c.New(t, 100)) })
	t.Run("Deliveries", func(t *testing.T) {
		Deliver(t, c.New(t, 100), c.Deliveries, c.Workers, nil)
	})
}

// NewEvent returns an event with an id.
func NewEvent(id string) gocardless.Event {
	return gocardless.Event{
		ID: id, ResourceType: gocardless.EventResourceTypePayments, Action: "failed",
		CreatedAt: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), OrganisationID: "OR1",
	}
}

func expect(t *testing.T, store gocardless.EventStore, id string, result error, want gocardless.EventOutcome) {
	t.Helper()
	called := false
	outcome, err := store.HandleOnce(t.Context(), NewEvent(id), func(context.Context) error {
		called = true
		return result
	})
	if outcome != want {
		t.Errorf("event %s: outcome %s (%v), want %s", id, outcome, err, want)
	}
	runs := want == gocardless.EventOutcomeHandled || want == gocardless.EventOutcomeFailed
	if called != runs {
		t.Errorf("event %s: handler called: %v, want %v", id, called, runs)
	}
	if want == gocardless.EventOutcomeFailed && !errors.Is(err, result) {
		t.Errorf("event %s: error %v does not wrap the handler's", id, err)
	}
	if want != gocardless.EventOutcomeFailed && err != nil {
		t.Errorf("event %s: %v", id, err)
	}
}

func testOnce(t *testing.T, s gocardless.EventStore) {
	expect(t, s, "EV1", nil, gocardless.EventOutcomeHandled)
	expect(t, s, "EV1", nil, gocardless.EventOutcomeDuplicate)
	expect(t, s, "EV1", nil, gocardless.EventOutcomeDuplicate)
	expect(t, s, "ev1", nil, gocardless.EventOutcomeHandled) // ids are not folded
	expect(t, s, "EV1'; --", nil, gocardless.EventOutcomeHandled)
}

func testFailed(t *testing.T, s gocardless.EventStore) {
	failure := errors.New("failed \x00 \xff")
	expect(t, s, "EV1", failure, gocardless.EventOutcomeFailed)
	expect(t, s, "EV2", nil, gocardless.EventOutcomeHandled)
	expect(t, s, "EV1", failure, gocardless.EventOutcomeFailed)
	expect(t, s, "EV2", nil, gocardless.EventOutcomeDuplicate)
	expect(t, s, "EV1", nil, gocardless.EventOutcomeHandled)
	expect(t, s, "EV1", nil, gocardless.EventOutcomeDuplicate)
}

func testPanic(t *testing.T, s gocardless.EventStore) {
	func() {
		defer func() { _ = recover() }()
		_, _ = s.HandleOnce(t.Context(), NewEvent("EV1"), func(context.Context) error { panic("handler") })
	}()
	expect(t, s, "EV1", nil, gocardless.EventOutcomeHandled)
}

func testGoexit(t *testing.T, s gocardless.EventStore) {
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = s.HandleOnce(t.Context(), NewEvent("EV1"), func(context.Context) error { goexit(); return nil })
	})
	wg.Wait()
	expect(t, s, "EV1", nil, gocardless.EventOutcomeHandled)
}

func testBusy(t *testing.T, s gocardless.EventStore) {
	outcome, err := s.HandleOnce(t.Context(), NewEvent("EV1"), func(context.Context) error {
		expect(t, s, "EV1", nil, gocardless.EventOutcomeBusy)
		expect(t, s, "EV1", nil, gocardless.EventOutcomeBusy)
		return nil
	})
	if outcome != gocardless.EventOutcomeHandled || err != nil {
		t.Errorf("outcome %s, %v", outcome, err)
	}
	expect(t, s, "EV1", nil, gocardless.EventOutcomeDuplicate)
}

// testCancelled checks that a request that ends while its event is being handled leaves neither a
// claim nor a mark.
func testCancelled(t *testing.T, s gocardless.EventStore) {
	ctx, cancel := context.WithCancel(t.Context())
	outcome, err := s.HandleOnce(ctx, NewEvent("EV1"), func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	})
	if outcome != gocardless.EventOutcomeFailed || !errors.Is(err, context.Canceled) {
		t.Errorf("outcome %s, %v", outcome, err)
	}
	expect(t, s, "EV1", nil, gocardless.EventOutcomeHandled)
}

func testParked(t *testing.T, s gocardless.EventStore) {
	failure := errors.New("failed")
	for range 3 {
		expect(t, s, "EV1", failure, gocardless.EventOutcomeFailed)
	}
	expect(t, s, "EV1", failure, gocardless.EventOutcomeParked)
	expect(t, s, "EV1", nil, gocardless.EventOutcomeParked)
	expect(t, s, "EV2", nil, gocardless.EventOutcomeHandled)
	if err := gocardless.Once(s, gocardless.NewEventMux()).HandleEvent(t.Context(), NewEvent("EV1")); err != nil {
		t.Errorf("a parked event is not acknowledged: %v", err)
	}
}

func testNoID(t *testing.T, s gocardless.EventStore) {
	if outcome, err := s.HandleOnce(t.Context(), NewEvent(""), func(context.Context) error { return nil }); err == nil {
		t.Errorf("an event without an id: %s", outcome)
	}
}

// testRace lets many workers begin the same event at once.
func testRace(t *testing.T, s gocardless.EventStore) {
	for round := range 20 {
		id := fmt.Sprintf("EV%d", round)
		var mu sync.Mutex
		counts := map[gocardless.EventOutcome]int{}
		inside := 0
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-start
				outcome, err := s.HandleOnce(t.Context(), NewEvent(id), func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					inside++
					return nil
				})
				if err != nil {
					t.Errorf("event %s: %v", id, err)
				}
				mu.Lock()
				defer mu.Unlock()
				counts[outcome]++
			})
		}
		close(start)
		wg.Wait()
		if inside != 1 || counts[gocardless.EventOutcomeHandled] != 1 ||
			counts[gocardless.EventOutcomeDuplicate]+counts[gocardless.EventOutcomeBusy] != 7 {
			t.Fatalf("event %s: handled %d times, outcomes %v", id, inside, counts)
		}
	}
}

func testCheckpoints(t *testing.T, s gocardless.EventStore) {
	points, ok := s.(gocardless.EventCheckpoints)
	if !ok {
		t.Skip("the store keeps no checkpoints")
	}
	ctx := t.Context()
	at := time.Date(2026, 5, 4, 9, 0, 0, 123e6, time.UTC)
	want := func(name string, want gocardless.EventCheckpoint) {
		t.Helper()
		got, err := points.EventCheckpoint(ctx, name)
		if err != nil || !got.CreatedAt.Equal(want.CreatedAt) || got.EventID != want.EventID {
			t.Errorf("checkpoint %s = %v, %v, want %v", name, got, err, want)
		}
	}
	set := func(name string, p gocardless.EventCheckpoint) {
		t.Helper()
		if err := points.SetEventCheckpoint(ctx, name, p); err != nil {
			t.Errorf("setting %s: %v", name, err)
		}
	}
	want("a", gocardless.EventCheckpoint{})
	first := gocardless.EventCheckpoint{CreatedAt: at, EventID: "EV1"}
	later := gocardless.EventCheckpoint{CreatedAt: at.Add(time.Millisecond), EventID: "EV2"}
	set("a", first)
	want("a", first)
	want("b", gocardless.EventCheckpoint{})
	set("a", later)
	want("a", later)
	set("a", first)
	want("a", later)
	if horizon, err := points.EventHorizon(ctx); err != nil || !horizon.IsZero() {
		t.Errorf("horizon of a store that forgot nothing = %v, %v", horizon, err)
	}
}
