package riverbulk

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/riverdb"
)

// ErrPaused means that the queue of the run is paused, by a worker because too many lines failed,
// or by an operator. River's QueueResume resumes it.
var ErrPaused = errors.New("riverbulk: the queue is paused")

// Options are the settings of a [Run].
type Options struct {
	// Run names the run, such as "2026-11". It must not be empty.
	Run string
	// Queue is the name of River's queue; empty means DefaultQueue.
	Queue string
	// MaxAttempts is the number of attempts for a line; zero means River's default.
	MaxAttempts int
	// RetryFailed makes [Insert] restart the lines that the API refused.
	RetryFailed bool
}

// Run is a run whose lines are jobs. It is safe for concurrent use.
type Run[TTx any] struct {
	options Options
	queue   *river.Client[TTx]
	db      riverdb.Database[TTx]
}

// NewPostgres returns a run in PostgreSQL. The queue is a River client on the same database; it need
// not have workers.
func NewPostgres(pool *pgxpool.Pool, queue *river.Client[pgx.Tx], options Options) (*Run[pgx.Tx], error) {
	if pool == nil {
		return nil, errors.New("riverbulk: NewPostgres: nil pool")
	}
	return newRun(riverdb.Postgres(pool), queue, options)
}

// NewSQLite returns a run in SQLite. The queue is a River client on the same database; it need not
// have workers.
func NewSQLite(db *sql.DB, queue *river.Client[*sql.Tx], options Options) (*Run[*sql.Tx], error) {
	if db == nil {
		return nil, errors.New("riverbulk: NewSQLite: nil database")
	}
	return newRun(riverdb.SQLite(db), queue, options)
}

func newRun[TTx any](db riverdb.Database[TTx], queue *river.Client[TTx], options Options) (*Run[TTx], error) {
	switch {
	case queue == nil:
		return nil, errors.New("riverbulk: the River client must not be nil")
	case options.Run == "":
		return nil, errors.New("riverbulk: Options.Run: must not be empty")
	case options.MaxAttempts < 0:
		return nil, errors.New("riverbulk: Options.MaxAttempts: must not be negative")
	}
	options.Queue = cmp.Or(options.Queue, DefaultQueue)
	return &Run[TTx]{options: options, queue: queue, db: db}, nil
}

// Migrate creates the table of runs. River's own tables are River's to create; see rivermigrate.
func (r *Run[TTx]) Migrate(ctx context.Context) error {
	unlock, err := r.db.Lock(ctx)
	if err == nil {
		defer unlock()
		_, err = r.db.Exec(ctx, nil, `CREATE TABLE IF NOT EXISTS gocardless_runs (
	run text NOT NULL PRIMARY KEY,
	operation text NOT NULL,
	environment text NOT NULL,
	started_ms bigint NOT NULL
)`)
	}
	return failed("creating the table", err)
}

func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("riverbulk: %s: %w", what, err)
}

// begin stores the header of the run, and refuses lines of another run.
func (r *Run[TTx]) begin(ctx context.Context, h bulk.Header) error {
	_, err := r.db.Exec(ctx, nil, `INSERT INTO gocardless_runs (run, operation, environment, started_ms) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (run) DO NOTHING`, r.options.Run, h.Operation, h.Environment, h.Started.UnixMilli())
	if err != nil {
		return failed("recording the run", err)
	}
	var stored bulk.Header
	err = r.db.Query(ctx, func(scan func(...any) error) error {
		var at int64
		err := scan(&stored.Operation, &stored.Environment, &at)
		stored.Started = time.UnixMilli(at)
		return err
	}, `SELECT operation, environment, started_ms FROM gocardless_runs WHERE run = ?1`, r.options.Run)
	if err != nil {
		return failed("reading the run", err)
	}
	return stored.Check(h, false)
}

// Report counts the lines of a run.
type Report struct {
	Lines int
	// Created, Existing and Failed lines are settled; see [bulk.State].
	Created, Existing, Failed int
	// Waiting lines are to be sent, Running ones are being sent, and Retrying ones wait for their
	// next attempt.
	Waiting, Running, Retrying int
	// Stopped lines were cancelled, or used up their attempts. [Insert] restarts them.
	Stopped int
}

// Open is how many lines River has yet to settle.
func (r Report) Open() int { return r.Waiting + r.Running + r.Retrying }

// String returns the counts.
func (r Report) String() string {
	return fmt.Sprintf("%d lines: %d created, %d existing, %d failed, %d waiting, %d running, %d retrying, %d stopped",
		r.Lines, r.Created, r.Existing, r.Failed, r.Waiting, r.Running, r.Retrying, r.Stopped)
}

// add counts lines by the state of their jobs and, once these have ended, the outcome.
func (r *Report) add(job rivertype.JobState, outcome bulk.State, n int) {
	r.Lines += n
	switch job {
	case rivertype.JobStateCompleted:
		if outcome == bulk.Existing {
			r.Existing += n
		} else {
			r.Created += n
		}
	case rivertype.JobStateCancelled, rivertype.JobStateDiscarded:
		if outcome == bulk.Failed {
			r.Failed += n
		} else {
			r.Stopped += n
		}
	case rivertype.JobStateRunning:
		r.Running += n
	case rivertype.JobStateRetryable:
		r.Retrying += n
	default:
		r.Waiting += n
	}
}

// jobs selects the jobs of the run. Its parameter is ?1.
const jobs = ` FROM river_job WHERE kind = '` + Kind + `' AND args->>'run' = ?1`

// Report counts the lines of the run.
func (r *Run[TTx]) Report(ctx context.Context) (Report, error) {
	var report Report
	err := r.db.Query(ctx, func(scan func(...any) error) error {
		var job, outcome string
		var n int
		err := scan(&job, &outcome, &n)
		report.add(rivertype.JobState(job), bulk.State(outcome), n)
		return err
	}, `SELECT state, coalesce(metadata->'output'->>'state', '') AS outcome, count(*)`+jobs+` GROUP BY state, outcome`, r.options.Run)
	return report, failed("counting the lines", err)
}

// Wait waits until no line is open, and reports the progress at intervals. It returns [ErrPaused]
// when the queue is paused.
func (r *Run[TTx]) Wait(ctx context.Context, every time.Duration, progress func(Report)) (Report, error) {
	if every <= 0 {
		return Report{}, errors.New("riverbulk: Wait needs a positive interval")
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		report, err := r.Report(ctx)
		if err != nil {
			return report, err
		}
		if progress != nil {
			progress(report)
		}
		if report.Open() == 0 {
			return report, nil
		}
		queue, err := r.queue.QueueGet(ctx, r.options.Queue)
		switch {
		case errors.Is(err, river.ErrNotFound): // no worker has started yet
		case err != nil:
			return report, failed("looking at the queue", err)
		case queue.PausedAt != nil:
			return report, fmt.Errorf("%w: %s", ErrPaused, r.options.Queue)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
}

// page is how many jobs are read or inserted at once.
const page = 500

// row is a job of the run.
type row struct {
	id    int64
	entry bulk.Entry
}

// list returns a page of the run's jobs: those after an id that meet a condition.
func (r *Run[TTx]) list(ctx context.Context, after int64, condition string) (list []row, err error) {
	err = r.db.Query(ctx, func(scan func(...any) error) error {
		var id int64
		var key, fingerprint, output string
		if err := scan(&id, &key, &fingerprint, &output); err != nil {
			return err
		}
		list = append(list, row{id, entryOf(Args{Key: key, Fingerprint: fingerprint}, []byte(output))})
		return nil
	}, `SELECT id, args->>'key', args->>'fingerprint', coalesce(CAST(metadata->'output' AS varchar), '')`+jobs+
		` AND id > ?2`+condition+` ORDER BY id LIMIT ?3`, r.options.Run, after, page)
	return list, failed("listing the lines", err)
}

// Entries iterates over the lines in the order in which they were inserted. A line that was never
// tried, or whose attempt was cut off, is open and has no message.
func (r *Run[TTx]) Entries(ctx context.Context) iter.Seq2[bulk.Entry, error] {
	return func(yield func(bulk.Entry, error) bool) {
		for last := int64(0); ; {
			rows, err := r.list(ctx, last, "")
			if err != nil {
				yield(bulk.Entry{}, err)
				return
			}
			for _, row := range rows {
				if last = row.id; !yield(row.entry, nil) {
					return
				}
			}
			if len(rows) < page {
				return
			}
		}
	}
}

// Cancel cancels the lines that are not settled, and returns their number. [Insert] restarts them. A
// line that is being sent may still be created.
func (r *Run[TTx]) Cancel(ctx context.Context) (int, error) {
	n := 0
	for last := int64(0); ; {
		rows, err := r.list(ctx, last, ` AND state NOT IN ('completed', 'cancelled', 'discarded')`)
		if err != nil {
			return n, err
		}
		for _, row := range rows {
			if _, err := r.queue.JobCancel(ctx, row.id); err != nil {
				return n, failed("cancelling the line with key "+row.entry.Key, err)
			}
			last, n = row.id, n+1
		}
		if len(rows) < page {
			return n, nil
		}
	}
}

// entryOf returns the record of a line: the output of its job, or an open one if it has none.
func entryOf(args Args, output []byte) bulk.Entry {
	entry := bulk.Entry{State: bulk.Open}
	if err := json.Unmarshal(output, &entry); err != nil {
		entry = bulk.Entry{State: bulk.Open}
	}
	entry.Key, entry.Fingerprint = args.Key, args.Fingerprint
	return entry
}

// settled reports whether the resource exists.
func settled(s bulk.State) bool { return s == bulk.Created || s == bulk.Existing }
