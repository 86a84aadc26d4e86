package gocardless

import (
	"context"
	"errors"
	"time"
)

// EventStore records which events were handled, so that an event that is delivered more than once,
// or to several workers at the same time, is handled once. [MemoryEventStore] does so within one
// process; package eventsql keeps the record in PostgreSQL or SQLite.
//
// An event is in one of four states:
//
//   - claimed: a worker is handling it. The claim ends with the worker: a store that outlives
//     its workers gives it a time limit
//   - done: it is not handled again
//   - failed: the handler returned an error, and is called again at the next delivery
//   - parked: it was started as often as the store allows without success, because it failed
//     each time or stopped the worker. It is acknowledged and not handled until it is released
//
// An implementation must be safe for concurrent use.
type EventStore interface {
	// HandleOnce calls handle unless the event is done, parked, or claimed by another worker,
	// and records the outcome. It calls handle at most once, in the calling goroutine,
	// with a context that derives from ctx.
	//
	// The error is either that of handle, with the outcome EventOutcomeFailed, or one of the store
	// itself, with any outcome but EventOutcomeHandled. The event then has to be delivered again.
	HandleOnce(ctx context.Context, event Event, handle func(context.Context) error) (EventOutcome, error)
}

// EventOutcome is the result of [EventStore.HandleOnce].
type EventOutcome int

// The outcomes.
const (
	// EventOutcomeUnknown means that the store failed before it knew the event's state.
	EventOutcomeUnknown EventOutcome = iota
	// EventOutcomeHandled means that the event was handled now and is done.
	EventOutcomeHandled
	// EventOutcomeDuplicate means that the event was done before.
	EventOutcomeDuplicate
	// EventOutcomeBusy means that another worker has the event.
	EventOutcomeBusy
	// EventOutcomeFailed means that the handler was called, and the event is not done.
	EventOutcomeFailed
	// EventOutcomeParked means that the event was parked earlier.
	EventOutcomeParked
)

// String returns the outcome as one word.
func (o EventOutcome) String() string {
	switch o {
	case EventOutcomeHandled:
		return "handled"
	case EventOutcomeDuplicate:
		return "duplicate"
	case EventOutcomeBusy:
		return "busy"
	case EventOutcomeFailed:
		return "failed"
	case EventOutcomeParked:
		return "parked"
	}
	return "unknown"
}

// DefaultEventAttempts is the number of attempts after which the stores of this module park an
// event. It is one more than the number of times that GoCardless sends a delivery, so it affects
// events that also arrive in another way, such as through [EventCatchUp].
const DefaultEventAttempts = 10

// ErrClaimLost means that an event was handled, but another worker took it over in the meantime,
// because this one did not renew its claim in time. The handler's writes in the store's transaction
// are rolled back.
var ErrClaimLost = errors.New("gocardless: the claim on the event was lost to another worker")

// Once returns a handler that passes an event to handler unless the store has recorded it as
// done, so that an event is handled once however often it is delivered. Duplicates and parked
// events are acknowledged. An event that failed is handled again with its next delivery, without
// the other events of that delivery. For an event that another worker is handling, the handler
// returns [ErrEventBusy].
//
// An event is handled exactly once if the handler writes only in the database transaction of the
// store (see the package eventsql). Anything else, such as an e-mail or another API call, happens
// again if the worker stops between that step and the record in the store. Give such calls an
// idempotency key derived from Event.ID.
//
// Once panics if the store or the handler is nil.
func Once(store EventStore, handler EventHandler) EventHandler {
	if store == nil || handler == nil {
		panic("gocardless: Once: nil store or handler")
	}
	return EventHandlerFunc(func(ctx context.Context, event Event) error {
		outcome, err := handleOnce(ctx, store, handler, event)
		if err == nil && outcome == EventOutcomeBusy {
			return ErrEventBusy
		}
		return err
	})
}

// handleOnce hands the event to the store with panics turned into errors, so that stores need
// not handle them.
func handleOnce(ctx context.Context, store EventStore, handler EventHandler, event Event) (EventOutcome, error) {
	return store.HandleOnce(ctx, event, func(ctx context.Context) error {
		return contain(func() error { return handler.HandleEvent(ctx, event) })
	})
}

// EventCheckpoint is a point in the history of events.
type EventCheckpoint struct {
	// CreatedAt is the time up to which every event is done or parked.
	CreatedAt time.Time
	// EventID is the id of the newest event up to then, or empty if there was none.
	EventID string
}

// EventCheckpoints stores the checkpoints of [EventCatchUp]. The stores of this module implement
// it.
type EventCheckpoints interface {
	// EventCheckpoint returns the checkpoint with a name, or the zero value if there is none.
	EventCheckpoint(ctx context.Context, name string) (EventCheckpoint, error)
	// SetEventCheckpoint sets the checkpoint with a name. It ignores one that is earlier than the
	// current one, so that two catch-ups at the same time do no harm.
	SetEventCheckpoint(ctx context.Context, name string, checkpoint EventCheckpoint) error
	// EventHorizon returns the time since which the store has forgotten no event that is done, or
	// the zero time if it never forgot one.
	EventHorizon(ctx context.Context) (time.Time, error)
}
