package riverinbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/gocardless-community/gocardless-go/gocardless"
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

// Tx returns the transaction in which the event is handled: a pgx.Tx or a *sql.Tx, depending on the
// inbox. The handler's writes in it are committed together with the mark that the event is done,
// and rolled back if the handler fails. The handler must not commit it or roll it back.
//
// The first call begins the transaction. Call the API before Tx, so that no connection and no lock
// is held during the call. Tx returns false outside a handler, and if the transaction cannot be
// begun; the handler should then return an error.
func Tx[TTx any](ctx context.Context) (TTx, bool) {
	t, ok := ctx.Value(txKey[TTx]{}).(*transaction[TTx])
	if !ok || t.begin() != nil {
		var none TTx
		return none, false
	}
	return t.tx, true
}

// transaction is the transaction of an event, begun when the handler asks for it.
type transaction[TTx any] struct {
	ctx   context.Context // of the job: the handler's may end before the transaction does
	inbox *Inbox[TTx]
	event *gocardless.Event

	once  sync.Once
	begun bool
	tx    TTx
	err   error
}

// errDone means that another worker has handled the event.
var errDone = errors.New("riverinbox: the event is done")

// begin begins the transaction and marks the event as done. Another worker with the same event,
// because River considered this one dead, waits for the mark until this transaction ends.
func (t *transaction[TTx]) begin() error {
	t.once.Do(func() {
		if t.tx, t.err = t.inbox.db.Begin(t.ctx); t.err != nil {
			t.err = fmt.Errorf("riverinbox: beginning a transaction: %w", t.err)
			return
		}
		t.begun = true
		marked, err := t.inbox.db.Exec(t.ctx, &t.tx, `INSERT INTO gocardless_inbox_done (event_id, created_at, done_at) VALUES (?1, ?2, ?3)
			ON CONFLICT (event_id) DO NOTHING`, t.event.ID, t.event.CreatedAt.UnixMilli(), time.Now().UnixMilli())
		switch {
		case err != nil:
			t.err = fmt.Errorf("riverinbox: marking event %s: %w", t.event.ID, err)
		case marked == 0:
			t.err = errDone
		}
	})
	return t.err
}

// rollback rolls the transaction back, if it was begun and not committed.
func (t *transaction[TTx]) rollback() {
	if t.begun {
		t.inbox.db.Rollback(t.ctx, t.tx)
	}
}

// handle handles an event in a transaction, unless it is done.
func (b *Inbox[TTx]) handle(ctx context.Context, args EventArgs) error {
	event, err := args.event()
	if err != nil {
		return err
	}
	if done, err := b.isDone(ctx, event.ID); done || err != nil {
		return err
	}
	t := &transaction[TTx]{ctx: ctx, inbox: b, event: event}
	defer t.rollback() // also for a panic, which River catches
	err = b.options.Handler.HandleEvent(context.WithValue(ctx, txKey[TTx]{}, t), *event)
	if err == nil {
		err = t.begin() // for a handler that has not called Tx
	}
	switch {
	case errors.Is(t.err, errDone):
		return nil
	case t.err != nil:
		return t.err // the cause of the handler's error
	case err != nil:
		return err
	}
	if err := b.db.Commit(ctx, t.tx); err != nil {
		return fmt.Errorf("riverinbox: committing event %s: %w", event.ID, err)
	}
	return nil
}

// isDone reports whether an event has been handled.
func (b *Inbox[TTx]) isDone(ctx context.Context, id string) (bool, error) {
	n := 0
	err := b.db.Query(ctx, func(scan func(...any) error) error { return scan(&n) },
		`SELECT count(*) FROM gocardless_inbox_done WHERE event_id = ?1`, id)
	if err != nil {
		return false, fmt.Errorf("riverinbox: looking for event %s: %w", id, err)
	}
	return n > 0, nil
}

// heldUp returns how long to wait before looking again if another event of the resource has to be
// handled first, and zero if there is none.
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
