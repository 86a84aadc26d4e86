package riverinbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// CatchUp returns a catch-up that stores the events which webhooks missed in the inbox, where they
// are handled like any others. Its first run begins at from; run it periodically. Set the fields
// Organisation, Overlap and Logger as you need them. The inbox keeps the checkpoint.
//
// In its report, Handled counts the events that were stored.
func (b *Inbox[TTx]) CatchUp(client *gocardless.Client, from time.Time) *gocardless.EventCatchUp {
	handled := gocardless.EventHandlerFunc(func(context.Context, gocardless.Event) error { return nil })
	return &gocardless.EventCatchUp{Client: client, From: from, Store: catchUpStore[TTx]{b}, Handler: handled}
}

// catchUpStore stores events in the inbox instead of handling them.
type catchUpStore[TTx any] struct{ inbox *Inbox[TTx] }

var _ gocardless.EventCheckpoints = catchUpStore[any]{}

// HandleOnce stores the event. It is new unless its job is there, or it was done so long ago that
// River has removed the job.
func (s catchUpStore[TTx]) HandleOnce(ctx context.Context, event gocardless.Event, _ func(context.Context) error) (gocardless.EventOutcome, error) {
	if event.ID == "" {
		return gocardless.EventOutcomeUnknown, errors.New("riverinbox: event without an id")
	}
	if done, err := s.inbox.isDone(ctx, event.ID); err != nil {
		return gocardless.EventOutcomeUnknown, err
	} else if done {
		return gocardless.EventOutcomeDuplicate, nil
	}
	inserted, err := s.inbox.insert(ctx, event)
	switch {
	case err != nil:
		return gocardless.EventOutcomeUnknown, err
	case inserted:
		return gocardless.EventOutcomeHandled, nil
	}
	return gocardless.EventOutcomeDuplicate, nil
}

// horizonName is the row in the table of checkpoints that records what was purged.
const horizonName = "(purged)"

// EventCheckpoint implements [gocardless.EventCheckpoints].
func (s catchUpStore[TTx]) EventCheckpoint(ctx context.Context, name string) (gocardless.EventCheckpoint, error) {
	var p gocardless.EventCheckpoint
	err := s.inbox.db.Query(ctx, func(scan func(...any) error) error {
		var at int64
		err := scan(&at, &p.EventID)
		p.CreatedAt = time.UnixMilli(at).UTC()
		return err
	}, `SELECT created_at, event_id FROM gocardless_inbox_checkpoints WHERE name = ?1`, name)
	if err != nil {
		return gocardless.EventCheckpoint{}, fmt.Errorf("riverinbox: reading checkpoint: %w", err)
	}
	return p, nil
}

// SetEventCheckpoint implements [gocardless.EventCheckpoints].
func (s catchUpStore[TTx]) SetEventCheckpoint(ctx context.Context, name string, p gocardless.EventCheckpoint) error {
	if name == "" || name == horizonName {
		return fmt.Errorf("riverinbox: %q cannot name a checkpoint", name)
	}
	return s.inbox.setPoint(ctx, name, p.CreatedAt.UnixMilli(), p.EventID)
}

// EventHorizon implements [gocardless.EventCheckpoints].
func (s catchUpStore[TTx]) EventHorizon(ctx context.Context) (time.Time, error) {
	p, err := s.EventCheckpoint(ctx, horizonName)
	return p.CreatedAt, err
}

// setPoint writes a checkpoint, which only moves forward.
func (b *Inbox[TTx]) setPoint(ctx context.Context, name string, at int64, event string) error {
	_, err := b.db.Exec(ctx, nil, `INSERT INTO gocardless_inbox_checkpoints AS p (name, created_at, event_id) VALUES (?1, ?2, ?3)
		ON CONFLICT (name) DO UPDATE SET created_at = excluded.created_at, event_id = excluded.event_id
		WHERE p.created_at <= excluded.created_at`, name, at, event)
	if err != nil {
		return fmt.Errorf("riverinbox: writing checkpoint: %w", err)
	}
	return nil
}
