package riverinbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/riverdb"
)

// Defaults of [Options].
const (
	DefaultQueue     = "gocardless_events"
	DefaultWorkers   = 8
	DefaultTimeout   = time.Minute
	DefaultRetention = 30 * 24 * time.Hour
)

// rescueAfter is how long after its timeout the job of a dead worker is taken over. If the clocks of
// two machines differ by more, the job of a live worker can be begun again. That is harmless: only
// one of the two transactions is committed.
const rescueAfter = 5 * time.Minute

// Options are the settings of an [Inbox].
type Options struct {
	// Handler handles the events, several at the same time. Nil makes an inbox that only
	// receives events: Start is an error.
	Handler gocardless.EventHandler
	// Workers is how many events this process handles at the same time; zero means
	// DefaultWorkers.
	Workers int
	// PerResource handles the events of a resource, such as those of one payment, one at a time,
	// in the order in which they were created. An event that fails holds up the later ones of
	// its resource until it succeeds or is parked.
	PerResource bool
	// MaxAttempts is the number of attempts after which an event is parked; zero means
	// gocardless.DefaultEventAttempts.
	MaxAttempts int
	// Timeout is how long a handler may take; zero means DefaultTimeout. Its context ends then.
	Timeout time.Duration
	// Retention is how long events that are done can be replayed; zero means DefaultRetention.
	// Parked events are kept until they are released.
	Retention time.Duration
	// Queue is the name of River's queue; empty means DefaultQueue.
	Queue string
	// Logger is River's logger; nil means River's default.
	Logger *slog.Logger
	// Configure changes the configuration of the River client before it is made, for instance
	// to add workers and queues of your own. Nil leaves it as it is.
	Configure func(*river.Config)
}

// schema creates the inbox's own tables. The first lists the events that are done, for longer than
// River keeps its jobs, and ensures that only one worker marks an event.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS gocardless_inbox_done (
	event_id text NOT NULL PRIMARY KEY,
	created_at bigint NOT NULL,
	done_at bigint NOT NULL
)`,
	`CREATE INDEX IF NOT EXISTS gocardless_inbox_done_at ON gocardless_inbox_done (done_at)`,
	`CREATE TABLE IF NOT EXISTS gocardless_inbox_checkpoints (
	name text NOT NULL PRIMARY KEY,
	created_at bigint NOT NULL,
	event_id text NOT NULL
)`,
}

// Inbox receives events and handles them. TTx is the transaction of its database, pgx.Tx or *sql.Tx.
// It is safe for concurrent use.
type Inbox[TTx any] struct {
	options  Options
	client   *river.Client[TTx]
	db       riverdb.Database[TTx]
	migrator *rivermigrate.Migrator[TTx]
}

// NewPostgres returns an inbox in PostgreSQL. The caller keeps ownership of pool.
func NewPostgres(pool *pgxpool.Pool, options Options) (*Inbox[pgx.Tx], error) {
	if pool == nil {
		return nil, errors.New("riverinbox: NewPostgres: nil pool")
	}
	return newInbox[pgx.Tx](riverpgxv5.New(pool), riverdb.Postgres(pool), options)
}

// NewSQLite returns an inbox in SQLite. The caller keeps ownership of db.
func NewSQLite(db *sql.DB, options Options) (*Inbox[*sql.Tx], error) {
	if db == nil {
		return nil, errors.New("riverinbox: NewSQLite: nil database")
	}
	return newInbox[*sql.Tx](riversqlite.New(db), riverdb.SQLite(db), options)
}

func newInbox[TTx any](driver riverdriver.Driver[TTx], db riverdb.Database[TTx], options Options) (*Inbox[TTx], error) {
	if options.Workers < 0 || options.MaxAttempts < 0 || options.Timeout < 0 || options.Retention < 0 {
		return nil, errors.New("riverinbox: Options.Workers, MaxAttempts, Timeout and Retention must not be negative")
	}
	options.Queue = cmp.Or(options.Queue, DefaultQueue)
	options.Workers = cmp.Or(options.Workers, DefaultWorkers)
	options.MaxAttempts = cmp.Or(options.MaxAttempts, gocardless.DefaultEventAttempts)
	options.Timeout = cmp.Or(options.Timeout, DefaultTimeout)
	options.Retention = cmp.Or(options.Retention, DefaultRetention)

	b := &Inbox[TTx]{options: options, db: db}
	var err error
	if b.client, err = river.NewClient(driver, b.config()); err != nil {
		return nil, fmt.Errorf("riverinbox: %w", err)
	}
	if b.migrator, err = rivermigrate.New(driver, &rivermigrate.Config{Logger: options.Logger, Schema: b.client.Schema()}); err != nil {
		return nil, fmt.Errorf("riverinbox: %w", err)
	}
	return b, nil
}

// config returns the configuration of the River client.
func (b *Inbox[TTx]) config() *river.Config {
	o := b.options
	config := &river.Config{
		Logger:                      o.Logger,
		JobTimeout:                  o.Timeout,
		RescueStuckJobsAfter:        o.Timeout + rescueAfter,
		CompletedJobRetentionPeriod: o.Retention,
		DiscardedJobRetentionPeriod: -1, // an operator releases parked events
	}
	if o.Handler != nil {
		config.Workers = river.NewWorkers()
		river.AddWorker(config.Workers, &worker[TTx]{inbox: b})
		config.Queues = map[string]river.QueueConfig{o.Queue: {MaxWorkers: o.Workers}}
	}
	if o.Configure != nil {
		o.Configure(config)
	}
	return config
}

// Client returns the River client, for jobs of your own in the same database.
func (b *Inbox[TTx]) Client() *river.Client[TTx] { return b.client }

// Migrate creates or updates the tables of River and of the inbox. With PostgreSQL several workers
// may call it at the same time.
func (b *Inbox[TTx]) Migrate(ctx context.Context) error {
	unlock, err := b.db.Lock(ctx)
	if err != nil {
		return fmt.Errorf("riverinbox: locking the schema: %w", err)
	}
	defer unlock()
	if _, err := b.migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("riverinbox: migrating River: %w", err)
	}
	for _, statement := range schema {
		if _, err := b.db.Exec(ctx, nil, statement); err != nil {
			return fmt.Errorf("riverinbox: creating tables: %w", err)
		}
	}
	if err := b.db.Tune(ctx); err != nil {
		return fmt.Errorf("riverinbox: setting River's indexes: %w", err)
	}
	return nil
}

// Start starts the workers and returns. They run until the context ends or Stop is called.
func (b *Inbox[TTx]) Start(ctx context.Context) error {
	if b.options.Handler == nil {
		return errors.New("riverinbox: Start needs Options.Handler")
	}
	if err := b.client.Start(ctx); err != nil {
		return fmt.Errorf("riverinbox: %w", err)
	}
	return nil
}

// Stop takes no further events and waits for those being handled, until the context ends.
func (b *Inbox[TTx]) Stop(ctx context.Context) error {
	if err := b.client.Stop(ctx); err != nil {
		return fmt.Errorf("riverinbox: %w", err)
	}
	return nil
}
