package gocardless

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// DefaultEventRetention is how long [MemoryEventStore] remembers an event that is done: 30 days.
const DefaultEventRetention = 30 * 24 * time.Hour

// MemoryEventStore is an [EventStore] in the memory of the process. It is for tests, tools, and
// services with a single process that may handle an event again after a restart. The zero
// MemoryEventStore is ready for use; it must not be copied after first use.
//
// Its claims have no time limit: they end when the handler returns, panics or ends its goroutine.
// It remembers an event that failed or is parked until it is done.
type MemoryEventStore struct {
	// MaxAttempts is the number of attempts after which an event is parked; zero means
	// DefaultEventAttempts, and a negative number means no limit. Set it before the first use.
	MaxAttempts int
	// Retention is the minimum time that the store remembers an event that is done; zero means
	// DefaultEventRetention, and a negative value means no limit. The store also keeps the events
	// that a catch-up may read again, unless the catch-up's checkpoint was not updated for this
	// time. Set it before the first use.
	Retention time.Duration

	mu          sync.Mutex
	events      map[string]*memoryEvent
	done        []*memoryEvent // in the order in which they were done
	checkpoints map[string]memoryCheckpoint
	horizon     time.Time
}

type memoryCheckpoint struct {
	EventCheckpoint
	setAt time.Time
}

type memoryState int

const (
	memoryClaimed memoryState = iota
	memoryDone
	memoryFailed
	memoryParked
)

type memoryEvent struct {
	id        string
	state     memoryState
	attempts  int
	createdAt time.Time
	doneAt    time.Time
}

// HandleOnce implements [EventStore].
func (s *MemoryEventStore) HandleOnce(ctx context.Context, event Event, handle func(context.Context) error) (EventOutcome, error) {
	if event.ID == "" {
		return EventOutcomeUnknown, errors.New("gocardless: MemoryEventStore: the event has no id")
	}
	e, outcome := s.claim(event)
	if e == nil {
		return outcome, nil
	}
	returned := false
	defer func() {
		// The claim must end even after a panic or runtime.Goexit.
		if !returned {
			s.finish(e, false)
		}
	}()
	err := handle(ctx)
	returned = true
	s.finish(e, err == nil)
	if err != nil {
		return EventOutcomeFailed, err
	}
	return EventOutcomeHandled, nil
}

// claim claims the event, or returns the outcome that prevents it.
func (s *MemoryEventStore) claim(event Event) (*memoryEvent, EventOutcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(time.Now())
	e := s.events[event.ID]
	if e == nil {
		// The id may share memory with the event's whole delivery.
		id := strings.Clone(event.ID)
		e = &memoryEvent{id: id, createdAt: event.CreatedAt, state: memoryFailed}
		if s.events == nil {
			s.events = map[string]*memoryEvent{}
		}
		s.events[id] = e
	}
	switch e.state {
	case memoryClaimed:
		return nil, EventOutcomeBusy
	case memoryDone:
		return nil, EventOutcomeDuplicate
	case memoryParked:
		return nil, EventOutcomeParked
	}
	e.state = memoryClaimed
	e.attempts++
	return e, EventOutcomeUnknown
}

func (s *MemoryEventStore) finish(e *memoryEvent, done bool) {
	limit := s.MaxAttempts
	if limit == 0 {
		limit = DefaultEventAttempts
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case done:
		e.state = memoryDone
		e.doneAt = time.Now()
		s.done = append(s.done, e)
	case limit > 0 && e.attempts >= limit:
		e.state = memoryParked
	default:
		e.state = memoryFailed
	}
}

// forget removes the events that were done long enough ago, except those that a catch-up may read
// again.
func (s *MemoryEventStore) forget(now time.Time) {
	retention := s.Retention
	if retention == 0 {
		retention = DefaultEventRetention
	}
	if retention < 0 {
		return
	}
	since, kept := s.neededSince(now.Add(-retention))
	for len(s.done) > 0 {
		e := s.done[0]
		if now.Sub(e.doneAt) < retention || kept && !e.createdAt.Before(since) {
			return
		}
		if e.createdAt.After(s.horizon) {
			s.horizon = e.createdAt
		}
		s.done[0] = nil
		s.done = s.done[1:] // append moves the rest to new memory in time
		delete(s.events, e.id)
	}
}

// neededSince returns the time since which a catch-up may read events again, if there is a
// checkpoint that is not stale.
func (s *MemoryEventStore) neededSince(stale time.Time) (since time.Time, ok bool) {
	for _, c := range s.checkpoints {
		if c.setAt.Before(stale) {
			continue
		}
		if at := c.CreatedAt.Add(-catchUpKeep); !ok || at.Before(since) {
			since, ok = at, true
		}
	}
	return since, ok
}

// Parked returns the ids of the events that are parked, in no particular order.
func (s *MemoryEventStore) Parked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, e := range s.events {
		if e.state == memoryParked {
			ids = append(ids, id)
		}
	}
	return ids
}

// Release resets a parked event, so that its next delivery is handled. It reports whether the
// event was parked.
func (s *MemoryEventStore) Release(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.events[id]
	if e == nil || e.state != memoryParked {
		return false
	}
	e.state, e.attempts = memoryFailed, 0
	return true
}

// EventCheckpoint implements [EventCheckpoints].
func (s *MemoryEventStore) EventCheckpoint(_ context.Context, name string) (EventCheckpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkpoints[name].EventCheckpoint, nil
}

// SetEventCheckpoint implements [EventCheckpoints].
func (s *MemoryEventStore) SetEventCheckpoint(_ context.Context, name string, checkpoint EventCheckpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if checkpoint.CreatedAt.Before(s.checkpoints[name].CreatedAt) {
		return nil
	}
	if s.checkpoints == nil {
		s.checkpoints = map[string]memoryCheckpoint{}
	}
	checkpoint.EventID = strings.Clone(checkpoint.EventID)
	s.checkpoints[name] = memoryCheckpoint{checkpoint, time.Now()}
	return nil
}

// DeleteEventCheckpoint removes a checkpoint and reports whether there was one.
func (s *MemoryEventStore) DeleteEventCheckpoint(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.checkpoints[name]
	delete(s.checkpoints, name)
	return ok
}

// EventHorizon implements [EventCheckpoints].
func (s *MemoryEventStore) EventHorizon(context.Context) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(time.Now()) // as the next claim would
	return s.horizon, nil
}
