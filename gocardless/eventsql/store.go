package eventsql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// DefaultLease is how long a claim lasts without being extended: one minute. GoCardless sends a
// failed delivery again after about that time.
const DefaultLease = time.Minute

// DefaultTable is the table of a store.
const DefaultTable = "gocardless_events"

// Options are the settings of a [Store]. The zero value has the defaults.
type Options struct {
	// Table is the name of the table; empty means DefaultTable. It may include a schema, as in
	// "billing.events". Two more tables have the suffixes "_checkpoints" and "_leases". Names may
	// contain letters, digits and underscores.
	Table string
	// Lease is how long a claim lasts without being extended; zero means DefaultLease. It is
	// extended three times in that time while the handler runs, so it limits how long an event
	// waits after a crash, not how long a handler may take.
	Lease time.Duration
	// MaxAttempts is the number of attempts after which an event is parked; zero means
	// gocardless.DefaultEventAttempts, a negative number means no limit. Attempts that failed count,
	// and so do those that were killed, so that an event that crashes its worker does not do so
	// indefinitely. Attempts that the database rolled back because of another transaction do not
	// count.
	MaxAttempts int
	// Transaction makes the store begin a transaction for each event. The handler gets it from
	// Tx, and the event is marked as done in it.
	Transaction bool
	// TxOptions are the options of that transaction; nil means the driver's.
	TxOptions *sql.TxOptions
}

// Store is a [gocardless.EventStore], and [gocardless.EventCheckpoints], in a database. It is
// safe for concurrent use, by any number of processes.
type Store struct {
	db      *sql.DB
	dialect Dialect
	options Options
	q       queries
}

var (
	_ gocardless.EventStore       = (*Store)(nil)
	_ gocardless.EventCheckpoints = (*Store)(nil)
)

// New returns a store in db. The caller keeps ownership of db. New does not touch the database; see
// [Store.CreateSchema].
func New(db *sql.DB, dialect Dialect, options Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("eventsql: New: the database must not be nil")
	}
	if options.Lease < 0 {
		return nil, errors.New("eventsql: Options.Lease must not be negative")
	}
	if options.Lease == 0 {
		options.Lease = DefaultLease
	}
	if options.MaxAttempts == 0 {
		options.MaxAttempts = gocardless.DefaultEventAttempts
	}
	names, err := tableNames(options.Table)
	if err != nil {
		return nil, err
	}
	q, err := dialect.queries(names)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, dialect: dialect, options: options, q: q}, nil
}

// HandleOnce implements [gocardless.EventStore].
func (s *Store) HandleOnce(ctx context.Context, event gocardless.Event, handle func(context.Context) error) (gocardless.EventOutcome, error) {
	if event.ID == "" {
		return gocardless.EventOutcomeUnknown, errors.New("eventsql: the event has no id")
	}
	c := &claim{store: s, id: event.ID, token: rand.Text()}
	outcome, err := c.take(ctx, event)
	if err != nil {
		return outcome, fmt.Errorf("eventsql: claiming event: %w", err)
	}
	if outcome != gocardless.EventOutcomeUnknown {
		return outcome, nil
	}
	if err := c.run(ctx, handle); err != nil {
		return gocardless.EventOutcomeFailed, err
	}
	return gocardless.EventOutcomeHandled, nil
}

// take claims the event. The outcome is EventOutcomeUnknown when it is claimed, and otherwise the
// reason why not.
func (c *claim) take(ctx context.Context, event gocardless.Event) (gocardless.EventOutcome, error) {
	s := c.store
	lease := s.options.Lease.Milliseconds()
	limit := s.options.MaxAttempts
	// Each turn reads the state and then changes it on condition that it is still the same. If
	// it is not, another worker was quicker; two turns later there is something to report, unless
	// the event keeps changing hands, which counts as busy.
	for range 5 {
		var state State
		var attempts int
		var expired bool
		err := s.retry(ctx, func() error {
			return s.db.QueryRowContext(ctx, s.q.look, event.ID).Scan(&state, &attempts, &expired)
		})
		var n int64
		switch {
		case errors.Is(err, sql.ErrNoRows):
			n, err = s.exec(ctx, s.q.insert, event.ID, string(event.Type()), event.Organisation(),
				c.token, lease, s.dialect.time(event.CreatedAt), body(ctx, event))
		case err != nil:
			return gocardless.EventOutcomeUnknown, err
		case state == StateDone:
			return gocardless.EventOutcomeDuplicate, nil
		case state == StateParked:
			return gocardless.EventOutcomeParked, nil
		case state == StateClaimed && !expired:
			return gocardless.EventOutcomeBusy, nil
		case limit > 0 && attempts >= limit:
			// The last attempt was made, and its worker died.
			n, err = s.exec(ctx, s.q.park, event.ID, attempts)
			if n == 1 && err == nil {
				return gocardless.EventOutcomeParked, nil
			}
		default:
			n, err = s.exec(ctx, s.q.takeOver, event.ID, c.token, lease, attempts)
		}
		if err != nil {
			return gocardless.EventOutcomeUnknown, err
		}
		if n == 1 {
			return gocardless.EventOutcomeUnknown, nil
		}
	}
	return gocardless.EventOutcomeBusy, nil
}
