package eventsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Record is the store's record of an event.
type Record struct {
	ID           string
	Type         gocardless.EventType
	Organisation string
	State        State
	Attempts     int    // how often handling it was begun
	LastError    string // message of the last error, up to 1000 bytes

	CreatedAt   time.Time // when the event happened
	FirstSeenAt time.Time // when it first arrived
	UpdatedAt   time.Time // when its state last changed
}

// Unfinished returns up to limit events that need attention, those longest unchanged first: events
// that failed or are parked, and events whose worker stopped. To handle one before GoCardless
// delivers it again, call [Store.Retry].
func (s *Store) Unfinished(ctx context.Context, limit int) ([]Record, error) {
	var list []Record
	err := s.retry(ctx, func() error {
		list = nil
		rows, err := s.db.QueryContext(ctx, s.q.list, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Record
			var created sql.NullInt64
			var seen, updated int64
			if err := rows.Scan(&r.ID, &r.Type, &r.Organisation, &r.State, &r.Attempts, &r.LastError, &created, &seen, &updated); err != nil {
				return err
			}
			r.CreatedAt, r.FirstSeenAt, r.UpdatedAt = fromMillis(created), time.UnixMilli(seen).UTC(), time.UnixMilli(updated).UTC()
			list = append(list, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("eventsql: listing events: %w", err)
	}
	return list, nil
}

// Event returns an unfinished event as it was delivered. It returns nil if the event is done or
// unknown: the store keeps the body of an event only until it is done.
func (s *Store) Event(ctx context.Context, id string) (*gocardless.Event, error) {
	var body string
	err := s.retry(ctx, func() error { return s.db.QueryRowContext(ctx, s.q.body, id).Scan(&body) })
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("eventsql: reading event: %w", err)
	}
	event, err := gocardless.ParseUnverifiedEvent([]byte(body))
	if err != nil {
		return nil, fmt.Errorf("eventsql: event %s: %w", id, err)
	}
	return event, nil
}

// Retry handles an unfinished event now, with the body that the store kept; a parked event is
// released first. Pass the handler inside [gocardless.Once]. The outcome and the error are those of
// HandleOnce; for an event that the store does not know, they are EventOutcomeUnknown and an error.
func (s *Store) Retry(ctx context.Context, id string, handler gocardless.EventHandler) (gocardless.EventOutcome, error) {
	event, err := s.Event(ctx, id)
	if err != nil {
		return gocardless.EventOutcomeUnknown, err
	}
	if event == nil {
		return gocardless.EventOutcomeUnknown, fmt.Errorf("eventsql: event %q is done or unknown: no body is kept", id)
	}
	if _, err := s.Release(ctx, id); err != nil {
		return gocardless.EventOutcomeUnknown, err
	}
	return s.HandleOnce(ctx, *event, func(ctx context.Context) error { return handler.HandleEvent(ctx, *event) })
}

// body returns the JSON of an event for the table, or "" for an event that JSON has no form for.
// PostgreSQL refuses invalid UTF-8.
func body(ctx context.Context, event gocardless.Event) string {
	raw, err := gocardless.EventJSON(ctx, event)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// Release turns a parked event into a failed one that was never begun, so that its next delivery
// is handled. It reports whether the event was parked. [Store.Retry] does not wait for a delivery.
func (s *Store) Release(ctx context.Context, id string) (bool, error) {
	n, err := s.exec(ctx, s.q.release, id)
	if err != nil {
		return false, fmt.Errorf("eventsql: releasing event: %w", err)
	}
	return n == 1, nil
}

// Purge forgets the events that were done longer ago than the given time, and returns their number.
// An event that is forgotten and delivered again is handled again. Keep events for longer than
// GoCardless may send a delivery again: 30 days is a good choice.
//
// Purge keeps events that failed or are parked, and events that a catch-up may read again: those
// that are not at least 25 hours older than the earliest checkpoint. Delete the checkpoint of an
// organisation that is no longer connected with [Store.DeleteEventCheckpoint].
func (s *Store) Purge(ctx context.Context, olderThan time.Duration) (int64, error) {
	if olderThan <= 0 {
		return 0, errors.New("eventsql: Purge needs a positive age")
	}
	n, err := s.purge(ctx, olderThan)
	if err != nil {
		return n, fmt.Errorf("eventsql: purging events: %w", err)
	}
	return n, nil
}

// purgeBatch is how many events one statement deletes, so that none holds many locks for long.
const purgeBatch = 5000

func (s *Store) purge(ctx context.Context, olderThan time.Duration) (int64, error) {
	var now int64
	var earliest sql.NullInt64
	if err := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.q.limits, horizonName).Scan(&now, &earliest)
	}); err != nil {
		return 0, err
	}
	done := now - olderThan.Milliseconds()
	created := now
	if earliest.Valid {
		created = min(created, earliest.Int64-(gocardless.MaxCatchUpOverlap+time.Hour).Milliseconds())
	}
	// The horizon is set first: it may be too late, but never too early. Exactly the rows found now
	// are deleted, because no event becomes done in the past.
	var newest sql.NullInt64
	if err := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.q.purgeUpTo, done, created).Scan(&newest)
	}); err != nil {
		return 0, err
	}
	if newest.Valid {
		if _, err := s.exec(ctx, s.q.setPoint, horizonName, newest.Int64, ""); err != nil {
			return 0, err
		}
	}
	if _, err := s.exec(ctx, s.q.purgeLs, done); err != nil {
		return 0, err
	}
	var total int64
	for {
		n, err := s.exec(ctx, s.q.purge, done, created, purgeBatch)
		total += n
		if err != nil || n < purgeBatch {
			return total, err
		}
	}
}

// horizonName is the row in the table of checkpoints that records what was purged.
const horizonName = "(purged)"

// EventHorizon implements [gocardless.EventCheckpoints].
func (s *Store) EventHorizon(ctx context.Context) (time.Time, error) {
	p, err := s.point(ctx, horizonName)
	return p.CreatedAt, err
}

// EventCheckpoint implements [gocardless.EventCheckpoints].
func (s *Store) EventCheckpoint(ctx context.Context, name string) (gocardless.EventCheckpoint, error) {
	if err := checkName(name); err != nil {
		return gocardless.EventCheckpoint{}, err
	}
	return s.point(ctx, name)
}

// SetEventCheckpoint implements [gocardless.EventCheckpoints]. The time is kept in
// milliseconds.
func (s *Store) SetEventCheckpoint(ctx context.Context, name string, checkpoint gocardless.EventCheckpoint) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := s.exec(ctx, s.q.setPoint, name, checkpoint.CreatedAt.UnixMilli(), checkpoint.EventID); err != nil {
		return fmt.Errorf("eventsql: writing checkpoint: %w", err)
	}
	return nil
}

// DeleteEventCheckpoint removes a checkpoint, such as that of an organisation that is no longer
// connected: [Store.Purge] keeps what is newer than the earliest. It is not an error if there is
// none.
func (s *Store) DeleteEventCheckpoint(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := s.exec(ctx, s.q.deletePoint, name); err != nil {
		return fmt.Errorf("eventsql: deleting checkpoint: %w", err)
	}
	return nil
}

func checkName(name string) error {
	if name == "" || name == horizonName {
		return fmt.Errorf("eventsql: %q cannot name a checkpoint", name)
	}
	return nil
}

func (s *Store) point(ctx context.Context, name string) (gocardless.EventCheckpoint, error) {
	var p gocardless.EventCheckpoint
	var at sql.NullInt64
	err := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.q.point, name).Scan(&at, &p.EventID)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return gocardless.EventCheckpoint{}, nil
	}
	if err != nil {
		return gocardless.EventCheckpoint{}, fmt.Errorf("eventsql: reading checkpoint: %w", err)
	}
	p.CreatedAt = fromMillis(at)
	return p, nil
}

func fromMillis(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}
