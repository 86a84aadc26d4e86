package riverinbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
)

// worker is River's worker for events.
type worker[TTx any] struct {
	river.WorkerDefaults[EventArgs]
	inbox *Inbox[TTx]
}

// Work handles the event of a job.
func (w *worker[TTx]) Work(ctx context.Context, job *river.Job[EventArgs]) error {
	if w.inbox.options.PerResource && job.Args.Resource != "" {
		wait, err := w.inbox.heldUp(ctx, job)
		if err != nil {
			return err
		}
		if wait > 0 {
			return river.JobSnooze(wait)
		}
	}
	return w.inbox.handle(ctx, job.Args)
}

type txKey[TTx any] struct{}

// Tx returns the transaction in which the event is handled: a pgx.Tx or a *sql.Tx, as the inbox has
// it. What the handler writes in it is committed together with the mark that the event is done, and
// undone if the handler fails. The handler must not commit it or roll it back. Outside of a handler
// Tx returns false.
func Tx[TTx any](ctx context.Context) (TTx, bool) {
	tx, ok := ctx.Value(txKey[TTx]{}).(TTx)
	return tx, ok
}

// handle handles an event in a transaction, unless it is done.
func (b *Inbox[TTx]) handle(ctx context.Context, args EventArgs) error {
	event, err := args.event()
	if err != nil {
		return err
	}
	tx, err := b.db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("riverinbox: beginning a transaction: %w", err)
	}
	defer b.db.Rollback(ctx, tx) // also for a panic, which River catches
	// The mark comes first. Another worker that has the event, because River took this one for
	// dead, waits here until this transaction ends, and then finds the event done or not.
	marked, err := b.db.Exec(ctx, &tx, `INSERT INTO gocardless_inbox_done (event_id, created_at, done_at) VALUES (?1, ?2, ?3)
		ON CONFLICT (event_id) DO NOTHING`, event.ID, event.CreatedAt.UnixMilli(), time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("riverinbox: marking event %s: %w", event.ID, err)
	}
	if marked == 0 {
		return nil
	}
	if err := b.options.Handler.HandleEvent(context.WithValue(ctx, txKey[TTx]{}, tx), *event); err != nil {
		return err
	}
	if err := b.db.Commit(ctx, tx); err != nil {
		return fmt.Errorf("riverinbox: committing event %s: %w", event.ID, err)
	}
	return nil
}

// heldUp returns how long to wait before the next look if another event of the resource has to be
// handled before this one, and else zero.
//
// An event waits for every unfinished one that was created before it, and for a later one only
// while that runs. River has committed that a job runs before its worker looks here. So of two
// events at least one sees the other, and they never run at the same time.
func (b *Inbox[TTx]) heldUp(ctx context.Context, job *river.Job[EventArgs]) (time.Duration, error) {
	var earlier, running int64
	err := b.db.Query(ctx, func(scan func(...any) error) error { return scan(&earlier, &running) },
		`SELECT coalesce(sum(CASE WHEN args->>'created_at' < ?3 OR args->>'created_at' = ?3 AND args->>'id' < ?4 THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0)
		FROM river_job WHERE kind = '`+Kind+`' AND id <> ?1 AND args->>'resource' = ?2
			AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`,
		job.ID, job.Args.Resource, job.Args.CreatedAt, job.Args.ID)
	switch {
	case err != nil:
		return 0, fmt.Errorf("riverinbox: looking for earlier events of %s: %w", job.Args.Resource, err)
	case earlier > 0:
		return jitter(time.Second), nil
	case running > 0:
		return jitter(200 * time.Millisecond), nil
	}
	return 0, nil
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
