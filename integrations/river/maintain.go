package riverinbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Stats has the numbers of events that are not done, for metrics.
type Stats struct {
	// Waiting events are to be handled now, Running ones are being handled, Retrying ones failed
	// and wait for their next attempt, and Parked ones need attention.
	Waiting, Running, Retrying, Parked int
	// Oldest is the age of the oldest event that is waiting, running or retrying, since it was
	// stored; zero if there is none.
	Oldest time.Duration
}

// Stats returns the numbers of events that are not done.
func (b *Inbox[TTx]) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	now := b.db.Millis("CURRENT_TIMESTAMP")
	err := b.db.Query(ctx, func(scan func(...any) error) error {
		var state string
		var n int
		var oldest int64
		if err := scan(&state, &n, &oldest); err != nil {
			return err
		}
		switch state {
		case "running":
			s.Running += n
		case "retryable":
			s.Retrying += n
		case "discarded":
			s.Parked += n
			return nil
		default:
			s.Waiting += n
		}
		s.Oldest = max(s.Oldest, time.Duration(oldest)*time.Millisecond)
		return nil
	}, `SELECT state, count(*), `+now+` - min(`+b.db.Millis("created_at")+`) FROM river_job
		WHERE kind = '`+Kind+`' AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled', 'discarded') GROUP BY state`)
	if err != nil {
		return Stats{}, fmt.Errorf("riverinbox: counting events: %w", err)
	}
	return s, nil
}

// Backlog returns how many events are to be handled, without the parked ones, and how long ago the
// oldest of them was stored. With it an inbox can be observed by integrations/otel:
//
//	registration, err := telemetry.ObserveInbox("webhooks", inbox)
func (b *Inbox[TTx]) Backlog(ctx context.Context) (depth int64, oldest time.Duration, err error) {
	s, err := b.Stats(ctx)
	return int64(s.Waiting + s.Running + s.Retrying), s.Oldest, err
}

// ParkedEvent is an event that used up its attempts.
type ParkedEvent struct {
	gocardless.Event
	Attempts  int
	LastError string
	ParkedAt  time.Time
}

// Parked returns up to limit events that are parked, those parked longest first.
func (b *Inbox[TTx]) Parked(ctx context.Context, limit int) ([]ParkedEvent, error) {
	var ids []int64
	err := b.db.Query(ctx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM river_job WHERE kind = '`+Kind+`' AND state = 'discarded' ORDER BY finalized_at, id LIMIT ?1`, limit)
	if err != nil {
		return nil, fmt.Errorf("riverinbox: listing parked events: %w", err)
	}
	var list []ParkedEvent
	for _, id := range ids {
		p, err := b.parked(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (b *Inbox[TTx]) parked(ctx context.Context, id int64) (ParkedEvent, error) {
	job, err := b.client.JobGet(ctx, id)
	if err != nil {
		return ParkedEvent{}, fmt.Errorf("riverinbox: reading job %d: %w", id, err)
	}
	args, err := decodeArgs(job.EncodedArgs)
	if err != nil {
		return ParkedEvent{}, err
	}
	p := ParkedEvent{Attempts: job.Attempt, Event: gocardless.Event{ID: args.ID}}
	if event, err := args.event(); err == nil {
		p.Event = *event
	}
	if n := len(job.Errors); n > 0 {
		p.LastError = job.Errors[n-1].Error
	}
	if job.FinalizedAt != nil {
		p.ParkedAt = *job.FinalizedAt
	}
	return p, nil
}

// Release makes parked events available to the workers again. It returns how many of the ids were
// parked.
func (b *Inbox[TTx]) Release(ctx context.Context, ids ...string) (int, error) {
	return b.again(ctx, Filter{IDs: ids}, "state = 'discarded'")
}

// Filter selects events. Conditions that are zero select all; at least one must be set.
type Filter struct {
	// IDs are the ids of events.
	IDs []string
	// Types are types of events.
	Types []gocardless.EventType
	// From and To limit when the event was created: at or after From, and before To.
	From, To time.Time
}

// settled is how long ago an event must have become done to be replayed. River writes the end of a
// job a moment after the inbox's transaction, and must not take a replay for that job.
const settled = 5 * time.Second

// Replay handles events again that are done, parked or waiting for a retry, for example after a
// mistake in a handler. It returns their number. It leaves out events that were done within the
// last five seconds, and those that are being handled.
func (b *Inbox[TTx]) Replay(ctx context.Context, filter Filter) (int, error) {
	if len(filter.IDs) == 0 && len(filter.Types) == 0 && filter.From.IsZero() && filter.To.IsZero() {
		return 0, fmt.Errorf("riverinbox: Replay needs a condition: IDs, Types, From or To")
	}
	before := time.Now().Add(-settled).UnixMilli()
	return b.again(ctx, filter, fmt.Sprintf("(state IN ('discarded', 'cancelled', 'retryable') OR state = 'completed' AND %s < %d)",
		b.db.Millis("finalized_at"), before))
}

// again makes the jobs available that match a filter and a condition.
func (b *Inbox[TTx]) again(ctx context.Context, filter Filter, condition string) (int, error) {
	where, args := b.where(filter)
	type found struct {
		job   int64
		event string
	}
	var list []found
	err := b.db.Query(ctx, func(scan func(...any) error) error {
		var f found
		err := scan(&f.job, &f.event)
		list = append(list, f)
		return err
	}, `SELECT id, args->>'id' FROM river_job WHERE kind = '`+Kind+`' AND `+condition+where+` ORDER BY args->>'created_at', id`, args...)
	if err != nil {
		return 0, fmt.Errorf("riverinbox: selecting events: %w", err)
	}
	for n, f := range list {
		if err := b.retry(ctx, f.job, f.event); err != nil {
			return n, err
		}
	}
	return len(list), nil
}

// retry removes the mark that an event is done and makes its job available, in one transaction.
func (b *Inbox[TTx]) retry(ctx context.Context, job int64, event string) error {
	tx, err := b.db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("riverinbox: beginning a transaction: %w", err)
	}
	defer b.db.Rollback(ctx, tx)
	if _, err := b.db.Exec(ctx, &tx, `DELETE FROM gocardless_inbox_done WHERE event_id = ?1`, event); err != nil {
		return fmt.Errorf("riverinbox: replaying event %s: %w", event, err)
	}
	if _, err := b.client.JobRetryTx(ctx, tx, job); err != nil {
		return fmt.Errorf("riverinbox: replaying event %s: %w", event, err)
	}
	if err := b.db.Commit(ctx, tx); err != nil {
		return fmt.Errorf("riverinbox: replaying event %s: %w", event, err)
	}
	return nil
}

// where returns the conditions of a filter, each with AND in front, and their parameters.
func (b *Inbox[TTx]) where(f Filter) (string, []any) {
	var where strings.Builder
	var args []any
	param := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("?%d", len(args))
	}
	if len(f.IDs) > 0 {
		fmt.Fprintf(&where, " AND args->>'id' IN (%s)", params(param, f.IDs))
	}
	if len(f.Types) > 0 {
		fmt.Fprintf(&where, " AND args->>'type' IN (%s)", params(param, f.Types))
	}
	if !f.From.IsZero() {
		fmt.Fprintf(&where, " AND args->>'created_at' >= %s", param(sortableTime(f.From)))
	}
	if !f.To.IsZero() {
		fmt.Fprintf(&where, " AND args->>'created_at' < %s", param(sortableTime(f.To)))
	}
	return where.String(), args
}

func params[T ~string](param func(any) string, values []T) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = param(string(v))
	}
	return strings.Join(list, ", ")
}

// Purge forgets the events that were done longer ago than the given time, and returns their number.
// An event that is forgotten, and delivered again after River has removed its job, is handled
// again, so keep events for at least 30 days. Purge keeps the events that a catch-up may read
// again: those that are not at least 25 hours older than the earliest checkpoint.
func (b *Inbox[TTx]) Purge(ctx context.Context, olderThan time.Duration) (int64, error) {
	if olderThan <= 0 {
		return 0, fmt.Errorf("riverinbox: Purge needs a positive age")
	}
	now := time.Now()
	earliest, newest := now.UnixMilli(), int64(0)
	one := func(to *int64) func(func(...any) error) error {
		return func(scan func(...any) error) error { return scan(to) }
	}
	err := b.db.Query(ctx, one(&earliest), `SELECT coalesce(min(created_at), ?1) FROM gocardless_inbox_checkpoints WHERE name <> ?2`, earliest, horizonName)
	if err != nil {
		return 0, fmt.Errorf("riverinbox: purging: %w", err)
	}
	done, created := now.Add(-olderThan).UnixMilli(), earliest-(gocardless.MaxCatchUpOverlap+time.Hour).Milliseconds()
	const old = ` FROM gocardless_inbox_done WHERE done_at < ?1 AND created_at < ?2`
	if err := b.db.Query(ctx, one(&newest), `SELECT coalesce(max(created_at), 0)`+old, done, created); err != nil {
		return 0, fmt.Errorf("riverinbox: purging: %w", err)
	}
	// The horizon is set first: it may be too late, but never too early.
	if newest > 0 {
		if err := b.setPoint(ctx, horizonName, newest, ""); err != nil {
			return 0, err
		}
	}
	n, err := b.db.Exec(ctx, nil, `DELETE`+old, done, created)
	if err != nil {
		return n, fmt.Errorf("riverinbox: purging: %w", err)
	}
	return n, nil
}
