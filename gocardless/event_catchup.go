package gocardless

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"
)

// Limits of [EventCatchUp].
const (
	// DefaultCatchUpOverlap is how far before its checkpoint a catch-up begins: one hour.
	// Events are created asynchronously, so one may show up after later ones were read.
	DefaultCatchUpOverlap = time.Hour
	// MaxCatchUpOverlap is the longest overlap: 24 hours. Event stores do not forget events
	// that are newer than this before a checkpoint.
	MaxCatchUpOverlap = 24 * time.Hour
)

// catchUpKeep is how far before a checkpoint a store keeps everything.
const catchUpKeep = MaxCatchUpOverlap + time.Hour

// ErrEventsForgotten means that a catch-up was to begin at a time from which the store has
// purged events: it would handle them again. Begin later.
var ErrEventsForgotten = errors.New("gocardless: catch-up would begin before what the event store remembers")

// EventCatchUp reads the events that happened since its last run from the API and hands them
// to the same handler as the webhooks do: for deliveries that were missed in an outage. Run it
// at start and from time to time; every ten minutes is plenty.
//
// Events go through the store, so that those which arrived by webhook are not handled again.
// They are handed over from the oldest to the newest. Where a run has come is kept as a
// checkpoint, which does not pass an event that failed or is busy: the next run begins with it
// again, until it is done or parked.
//
// Unlike those in webhooks, events from the API have no customer notifications and do not name
// their organisation. The API keeps events for 18 months.
type EventCatchUp struct {
	// Client reads the events.
	Client *Client
	// Store makes sure that each event is handled once. It has to be the one that the webhook
	// handler uses.
	Store EventStore
	// Handler handles the events. It is the handler inside of [Once], since the catch-up goes
	// through Store itself.
	Handler EventHandler
	// From is where the first run begins, when there is no checkpoint yet.
	From time.Time

	// Checkpoints keeps the checkpoint; nil means Store, which then has to implement
	// EventCheckpoints.
	Checkpoints EventCheckpoints
	// Organisation is the id of the organisation whose events Client reads. It is filled into
	// the events, and names the checkpoint: set it when there are several.
	Organisation string
	// Overlap is how far before the checkpoint a run begins; zero means
	// DefaultCatchUpOverlap.
	Overlap time.Duration
	// Logger receives which events failed, by id and type, with the error of the handler; nil
	// means no log.
	Logger *slog.Logger

	list eventLister // replaces Client in tests
}

// CatchUpReport is what a run of [EventCatchUp] did.
type CatchUpReport struct {
	// Since is where the run began.
	Since time.Time
	// Handled, Duplicates, Busy, Failed and Parked count events by their outcome.
	Handled, Duplicates, Busy, Failed, Parked int
	// Checkpoint is how far everything is dealt with.
	Checkpoint EventCheckpoint
}

// Run reads and hands over the events up to now. An event that fails does not end the run; the
// error then says how many did, and wraps the first one's. A run may be repeated, and several
// may run at once.
func (c *EventCatchUp) Run(ctx context.Context) (CatchUpReport, error) {
	var report CatchUpReport
	list, points, err := c.check()
	if err != nil {
		return report, err
	}
	last, err := points.EventCheckpoint(ctx, c.checkpointName())
	if err != nil {
		return report, fmt.Errorf("gocardless: catch-up: reading the checkpoint: %w", err)
	}
	report.Checkpoint = last
	if report.Since, err = c.begin(ctx, points, last); err != nil {
		return report, err
	}

	var firstErr error
	held := false      // whether there is an event that is not dealt with
	var open time.Time // when the first one was created
	for window, err := range eventWindows(ctx, list, report.Since, time.Now().UTC()) {
		if err != nil {
			return report, errors.Join(firstErr, fmt.Errorf("gocardless: catch-up: reading events: %w", err))
		}
		reached := EventCheckpoint{CreatedAt: window.end, EventID: report.Checkpoint.EventID}
		for _, event := range window.events {
			if err := ctx.Err(); err != nil {
				return report, errors.Join(firstErr, err)
			}
			if event.OrganisationID == "" {
				event.OrganisationID = c.Organisation
			}
			dealt, err := c.handle(ctx, *event, &report)
			if firstErr == nil && err != nil {
				firstErr = fmt.Errorf("gocardless: catch-up: event %s: %w", event.ID, err)
			}
			switch {
			case held:
			case dealt:
				reached.EventID = event.ID
			default:
				held, open = true, event.CreatedAt
			}
		}
		if held {
			reached.CreatedAt = open
		}
		if reached.CreatedAt.Before(report.Checkpoint.CreatedAt) {
			continue
		}
		if err := points.SetEventCheckpoint(ctx, c.checkpointName(), reached); err != nil {
			return report, errors.Join(firstErr, fmt.Errorf("gocardless: catch-up: writing the checkpoint: %w", err))
		}
		report.Checkpoint = reached
	}
	if n := report.Failed + report.Busy; n > 1 && firstErr != nil {
		firstErr = fmt.Errorf("%w (and %d more)", firstErr, n-1)
	}
	return report, firstErr
}

func (c *EventCatchUp) check() (eventLister, EventCheckpoints, error) {
	list := c.list
	if list == nil && c.Client != nil {
		list = func(ctx context.Context, from, to time.Time) iter.Seq2[*Event, error] {
			return c.Client.Events.between(ctx, from, to)
		}
	}
	points := c.Checkpoints
	if points == nil {
		points, _ = c.Store.(EventCheckpoints)
	}
	switch {
	case list == nil:
		return nil, nil, errors.New("gocardless: EventCatchUp without Client")
	case c.Store == nil || c.Handler == nil:
		return nil, nil, errors.New("gocardless: EventCatchUp without Store or Handler")
	case points == nil:
		return nil, nil, errors.New("gocardless: EventCatchUp without Checkpoints, and Store keeps none")
	case c.Overlap < 0 || c.Overlap > MaxCatchUpOverlap:
		return nil, nil, fmt.Errorf("gocardless: EventCatchUp.Overlap must be between 0 and %s", MaxCatchUpOverlap)
	}
	return list, points, nil
}

func (c *EventCatchUp) checkpointName() string {
	if c.Organisation == "" {
		return "default"
	}
	return c.Organisation
}

// begin returns where to begin.
func (c *EventCatchUp) begin(ctx context.Context, points EventCheckpoints, last EventCheckpoint) (time.Time, error) {
	since := c.From
	if !last.CreatedAt.IsZero() {
		overlap := c.Overlap
		if overlap == 0 {
			overlap = DefaultCatchUpOverlap
		}
		since = last.CreatedAt.Add(-overlap)
	}
	if since.IsZero() {
		return since, errors.New("gocardless: EventCatchUp needs From for its first run")
	}
	since = since.UTC()
	if err := remembered(ctx, points, since); err != nil || !last.CreatedAt.IsZero() {
		return since, err
	}
	// From now on the store keeps what the first run is going to read, as the checkpoint does
	// in later ones. What it forgot between the two looks is noticed by the second.
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
	// What was created at the horizon itself may be forgotten, and a run reads from the
	// beginning of its first millisecond.
	if !since.Truncate(time.Millisecond).After(horizon) {
		return fmt.Errorf("%w: begins at %s, remembers what came after %s", ErrEventsForgotten,
			since.Format(time.RFC3339Nano), horizon.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// handle hands over one event and reports whether it is dealt with.
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

// Since yields the events that were created after the event with the given id, from the oldest
// to the newest, up to now: what to read when events may have been missed. It fetches the event
// to learn its time, and then lists by time, at most some thousand events at once. Events
// are created asynchronously, so that one may show up among those that were read already; see
// [EventCatchUp] for a reader that allows for it.
func (s *EventService) Since(ctx context.Context, id string, opts ...RequestOption) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		last, err := s.Get(ctx, id, opts...)
		if err != nil {
			yield(nil, err)
			return
		}
		list := func(ctx context.Context, from, to time.Time) iter.Seq2[*Event, error] {
			return s.between(ctx, from, to, opts...)
		}
		for window, err := range eventWindows(ctx, list, last.CreatedAt, time.Now().UTC()) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range window.events {
				if e.ID != id && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// between lists the events created at or after from and before to, newest first.
func (s *EventService) between(ctx context.Context, from, to time.Time, opts ...RequestOption) iter.Seq2[*Event, error] {
	return s.All(ctx, EventListParams{CreatedAt: TimestampFilter{Gte: from, Lt: to}, Limit: 500}, opts...)
}

// eventLister yields the events created at or after from and before to, newest first as the
// API lists them.
type eventLister = func(ctx context.Context, from, to time.Time) iter.Seq2[*Event, error]

// eventWindow is a stretch of history.
type eventWindow struct {
	events []*Event  // oldest first
	end    time.Time // everything before it is in this window or an earlier one
}

const (
	windowFirst    = time.Hour
	windowShortest = time.Minute
	windowFull     = 5000 // so many events are too many for a window
	windowSparse   = 1000 // so few let the next one be longer
)

// eventWindows yields the history between two times in stretches that fit in memory. The API
// lists from the newest to the oldest, and reading on from an interrupted run needs the
// opposite; so each stretch is listed by itself and turned round.
func eventWindows(ctx context.Context, list eventLister, from, to time.Time) iter.Seq2[eventWindow, error] {
	return func(yield func(eventWindow, error) bool) {
		// The API has milliseconds. Rounding down loses nothing: from is included.
		from = from.Truncate(time.Millisecond)
		length := windowFirst
		for from.Before(to) {
			end := from.Add(length)
			if end.After(to) {
				end = to
			}
			var events []*Event
			full := false
			for e, err := range list(ctx, from, end) {
				if err != nil {
					yield(eventWindow{}, err)
					return
				}
				events = append(events, e)
				if full = len(events) >= windowFull && end.Sub(from) > windowShortest; full {
					break
				}
			}
			if full {
				// What was read is newer than the last of it; the next try ends there. That it
				// gets shorter must not depend on the API keeping to the range.
				read, all := events[len(events)-1].CreatedAt.Sub(from), end.Sub(from)
				if read >= all {
					read = all / 2
				}
				length = max(read, windowShortest)
				continue
			}
			slices.Reverse(events)
			slices.SortStableFunc(events, func(a, b *Event) int { return a.CreatedAt.Compare(b.CreatedAt) })
			if !yield(eventWindow{events, end}, nil) {
				return
			}
			from = end
			if len(events) < windowSparse {
				length *= 2
			}
		}
	}
}
