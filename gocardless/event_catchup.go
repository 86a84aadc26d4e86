package gocardless

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Limits of [EventCatchUp].
const (
	// DefaultCatchUpOverlap is how far before its checkpoint a catch-up begins: one hour. The API
	// creates events asynchronously, so an event can appear after later ones were read.
	DefaultCatchUpOverlap = time.Hour
	// MaxCatchUpOverlap is the longest overlap: 24 hours. The event stores of this module remember at
	// least this much before each checkpoint that is being updated.
	MaxCatchUpOverlap = 24 * time.Hour
)

// catchUpKeep is how far before a checkpoint a store keeps everything.
const catchUpKeep = MaxCatchUpOverlap + time.Hour

// ErrEventsForgotten means that a catch-up would begin so early that it would read events that the
// store has already forgotten, and would handle them again. Begin later: delete the checkpoint, if
// there is one, and set EventCatchUp.From to a later time.
var ErrEventsForgotten = errors.New("gocardless: the catch-up would begin before the events that the store remembers")

// ErrCheckpointAhead means that a catch-up would begin in the future by the API's clock, and would
// miss the events until then. The checkpoint or EventCatchUp.From comes from a clock that was ahead.
// Delete the checkpoint and set From to an earlier time.
var ErrCheckpointAhead = errors.New("gocardless: the catch-up would begin in the future")

// EventCatchUp reads the events since its last run from the API and passes them to the handler that
// also handles the webhooks. It recovers the events of deliveries that were missed in an outage.
// Run it when the program starts and then periodically; every ten minutes is enough.
//
// Events go through the store, so those that arrived by webhook are not handled again. They are
// handled from the oldest to the newest. A checkpoint records how far a run has come. It never passes
// an event that failed or is busy: each run begins there again until the event is done or parked.
// Checkpoints are times of the API's clock, so the local clock does not matter.
//
// Unlike those in webhooks, events from the API have no customer notifications and do not name
// their organisation. The API keeps events for 18 months.
type EventCatchUp struct {
	// Client reads the events.
	Client *Client
	// Store makes sure that each event is handled once. Use the webhook handler's store.
	Store EventStore
	// Handler handles the events. It is the handler inside [Once], since the catch-up uses
	// Store itself.
	Handler EventHandler
	// From is the time at which the first run begins, when there is no checkpoint yet.
	From time.Time

	// Checkpoints keeps the checkpoint; nil means Store, which then has to implement
	// EventCheckpoints.
	Checkpoints EventCheckpoints
	// Organisation is the id of the organisation whose events Client reads. Set it if there are
	// several: it names the checkpoint, and is filled into the events.
	Organisation string
	// Overlap is how far before the checkpoint a run begins; zero means
	// DefaultCatchUpOverlap.
	Overlap time.Duration
	// Logger receives the id and type of each event that failed, with the handler's error; nil
	// means no log.
	Logger *slog.Logger
	// Clock returns the time up to which to read; nil means the Date header of the API's
	// replies. Set it in tests whose fake API sends no Date.
	Clock func() time.Time

	list eventLister // replaces Client in tests
}

// CatchUpReport is the result of a run of [EventCatchUp].
type CatchUpReport struct {
	// Since is the time at which the run began to read.
	Since time.Time
	// Handled, Duplicates, Busy, Failed and Parked count events by their outcome.
	Handled, Duplicates, Busy, Failed, Parked int
	// Checkpoint is the checkpoint after the run.
	Checkpoint EventCheckpoint
}

// Run reads and handles the events up to now. An event that fails does not end the run; the
// returned error then wraps the first failure and gives the number of failures. Run may be called
// again, and concurrently.
func (c *EventCatchUp) Run(ctx context.Context) (CatchUpReport, error) {
	r := catchUpRun{EventCatchUp: c}
	err := r.run(ctx)
	return r.report, err
}

// catchUpRun is one run of a catch-up.
type catchUpRun struct {
	*EventCatchUp
	list   eventLister
	points EventCheckpoints
	report CatchUpReport

	failed error     // the first failure of an event
	held   bool      // an event is neither done nor parked
	open   time.Time // when the first such event was created
}

func (r *catchUpRun) run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	last, err := r.points.EventCheckpoint(ctx, r.checkpointName())
	if err != nil {
		return fmt.Errorf("gocardless: catch-up: reading the checkpoint: %w", err)
	}
	r.report.Checkpoint = last
	if r.report.Since, err = r.begin(ctx, r.points, last); err != nil {
		return err
	}
	for window, err := range eventWindows(ctx, r.list, r.report.Since) {
		if err == nil {
			err = r.window(ctx, window)
		} else {
			err = fmt.Errorf("gocardless: catch-up: reading events: %w", err)
		}
		if err != nil {
			return errors.Join(r.failed, err)
		}
	}
	if n := r.report.Failed + r.report.Busy; n > 1 && r.failed != nil {
		return fmt.Errorf("%w (and %d more)", r.failed, n-1)
	}
	return r.failed
}

// window handles the events of a stretch of time and moves the checkpoint.
func (r *catchUpRun) window(ctx context.Context, window eventWindow) error {
	if begin := r.beginning(); begin.After(window.now.Add(r.overlap())) {
		return fmt.Errorf("%w: at %s, while it is %s by the API's clock", ErrCheckpointAhead,
			begin.Format(time.RFC3339), window.now.Format(time.RFC3339))
	}
	reached := EventCheckpoint{CreatedAt: window.end, EventID: r.report.Checkpoint.EventID}
	for _, event := range window.events {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch dealt := r.event(ctx, event); {
		case r.held:
		case dealt:
			reached.EventID = event.ID
		default:
			r.held, r.open = true, event.CreatedAt
		}
	}
	if r.held && r.open.Before(reached.CreatedAt) {
		reached.CreatedAt = r.open
	}
	if last := r.report.Checkpoint; reached.CreatedAt.Before(last.CreatedAt) {
		reached = last // writing it again keeps it from going stale
	}
	if err := r.points.SetEventCheckpoint(ctx, r.checkpointName(), reached); err != nil {
		return fmt.Errorf("gocardless: catch-up: writing the checkpoint: %w", err)
	}
	r.report.Checkpoint = reached
	return nil
}

// event handles one event and reports whether it is done or parked.
func (r *catchUpRun) event(ctx context.Context, event *Event) (dealt bool) {
	if event.OrganisationID == "" {
		event.OrganisationID = r.Organisation
	}
	dealt, err := r.handle(ctx, *event, &r.report)
	if r.failed == nil && err != nil {
		r.failed = fmt.Errorf("gocardless: catch-up: event %s: %w", event.ID, err)
	}
	return dealt
}

// check sets the lister and the checkpoints, or returns an error if something is missing.
func (r *catchUpRun) check() error {
	c := r.EventCatchUp
	r.list, r.points = c.list, c.Checkpoints
	if r.list == nil && c.Client != nil {
		r.list = c.Client.Events.lister(c.Clock)
	}
	if r.points == nil {
		r.points, _ = c.Store.(EventCheckpoints)
	}
	switch {
	case r.list == nil:
		return errors.New("gocardless: EventCatchUp needs a Client")
	case c.Store == nil || c.Handler == nil:
		return errors.New("gocardless: EventCatchUp needs a Store and a Handler")
	case r.points == nil:
		return errors.New("gocardless: EventCatchUp needs Checkpoints, because its Store keeps none")
	case c.Overlap < 0 || c.Overlap > MaxCatchUpOverlap:
		return fmt.Errorf("gocardless: EventCatchUp.Overlap must be between 0 and %s", MaxCatchUpOverlap)
	}
	return nil
}

// beginning returns the time that the run starts from, before the overlap: the checkpoint's, or From.
func (r *catchUpRun) beginning() time.Time {
	if last := r.report.Checkpoint.CreatedAt; !last.IsZero() {
		return last
	}
	return r.From
}

func (c *EventCatchUp) overlap() time.Duration {
	if c.Overlap == 0 {
		return DefaultCatchUpOverlap
	}
	return c.Overlap
}

func (c *EventCatchUp) checkpointName() string {
	if c.Organisation == "" {
		return "default"
	}
	return c.Organisation
}

// begin returns the time to read from.
func (c *EventCatchUp) begin(ctx context.Context, points EventCheckpoints, last EventCheckpoint) (time.Time, error) {
	since := c.From
	if !last.CreatedAt.IsZero() {
		since = last.CreatedAt.Add(-c.overlap())
	}
	if since.IsZero() {
		return since, errors.New("gocardless: EventCatchUp needs From for its first run")
	}
	since = since.UTC()
	if err := remembered(ctx, points, since); err != nil || !last.CreatedAt.IsZero() {
		return since, err
	}
	// With a checkpoint, the store keeps the events that the first run is about to read, as it does
	// for later runs. The second check notices events that it forgot just before.
	if err := points.SetEventCheckpoint(ctx, c.checkpointName(), EventCheckpoint{CreatedAt: since}); err != nil {
		return since, fmt.Errorf("gocardless: catch-up: writing the checkpoint: %w", err)
	}
	return since, remembered(ctx, points, since)
}

// remembered returns an error if the store has forgotten events since a time.
func remembered(ctx context.Context, points EventCheckpoints, since time.Time) error {
	horizon, err := points.EventHorizon(ctx)
	if err != nil {
		return fmt.Errorf("gocardless: catch-up: reading what the store remembers: %w", err)
	}
	// Events created at the horizon itself may be forgotten, and a run reads from the start of its
	// first millisecond.
	if !since.Truncate(time.Millisecond).After(horizon) {
		return fmt.Errorf("%w: it begins at %s, and the store remembers events after %s", ErrEventsForgotten,
			since.Format(time.RFC3339Nano), horizon.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// handle passes one event to the store and reports whether it is done or parked.
func (c *EventCatchUp) handle(ctx context.Context, event Event, report *CatchUpReport) (dealt bool, err error) {
	outcome, err := handleOnce(ctx, c.Store, c.Handler, event)
	switch {
	case err != nil:
		report.Failed++
		if c.Logger != nil {
			c.Logger.ErrorContext(ctx, "gocardless: catch-up: handler failed",
				"event", event.ID, "type", string(event.Type()), "error", err)
		}
		return false, err
	case outcome == EventOutcomeHandled:
		report.Handled++
	case outcome == EventOutcomeDuplicate:
		report.Duplicates++
	case outcome == EventOutcomeParked:
		report.Parked++
	default:
		report.Busy++
		return false, nil
	}
	return true, nil
}
