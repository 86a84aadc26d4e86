package eventsqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
	"github.com/gocardless-community/gocardless-go/gocardless/eventstoretest"
)

// A handler marks the event in a transaction of its own.
func TestMarkDone(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{})
		ledger(t, db)
		failure := errors.New("failed")
		handle := func(id string, end func(*sql.Tx) error) (gocardless.EventOutcome, error) {
			return store.HandleOnce(t.Context(), eventstoretest.NewEvent(id), func(ctx context.Context) error {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer tx.Rollback()
				if _, err := tx.ExecContext(ctx, d.insert(), id, "w"); err != nil {
					return err
				}
				if err := eventsql.MarkDone(ctx, tx); err != nil {
					return err
				}
				return end(tx)
			})
		}
		commit := func(tx *sql.Tx) error { return tx.Commit() }
		forget := func(tx *sql.Tx) error { return nil } // rolled back by the defer, and nil returned
		if o, err := handle("EV1", commit); o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("committed: %s, %v", o, err)
		}
		if o, err := handle("EV1", commit); o != gocardless.EventOutcomeDuplicate || err != nil {
			t.Errorf("again: %s, %v", o, err)
		}
		if o, err := handle("EV2", forget); o != gocardless.EventOutcomeFailed || err == nil {
			t.Errorf("not committed: %s, %v", o, err)
		}
		if o, err := handle("EV2", func(*sql.Tx) error { return failure }); o != gocardless.EventOutcomeFailed || !errors.Is(err, failure) {
			t.Errorf("failed: %s, %v", o, err)
		}
		if o, err := handle("EV2", commit); o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("in the end: %s, %v", o, err)
		}
		// An error after the commit does not undo it.
		if o, err := handle("EV3", func(tx *sql.Tx) error { return errors.Join(tx.Commit(), failure) }); o != gocardless.EventOutcomeFailed || !errors.Is(err, failure) {
			t.Errorf("error after the commit: %s, %v", o, err)
		}
		if o, _ := handle("EV3", commit); o != gocardless.EventOutcomeDuplicate {
			t.Errorf("after an error after the commit: %s", o)
		}
		if counts := rows(t, db); counts["EV1"] != 1 || counts["EV2"] != 1 || counts["EV3"] != 1 {
			t.Errorf("ledger = %v", counts)
		}
	})
}

// A worker that lost its claim continues: its writes are rolled back together with its mark.
func TestLeaseRunsOut(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		for name, c := range map[string]struct {
			transaction bool
			want        int // rows of the one that comes back
		}{"after": {false, 1}, "transaction": {true, 0}} {
			t.Run(name, func(t *testing.T) {
				if d.dialect == eventsql.SQLite && c.transaction {
					t.Skip("in SQLite nobody can take over while a transaction holds the write lock")
				}
				store, db := d.store(t, eventsql.Options{Transaction: c.transaction})
				ledger(t, db)
				event := eventstoretest.NewEvent("EV1")
				write := func(ctx context.Context, worker string) error {
					if tx := eventsql.Tx(ctx); tx != nil {
						_, err := tx.ExecContext(ctx, d.insert(), "EV1 "+worker, worker)
						return err
					}
					_, err := db.ExecContext(ctx, d.insert(), "EV1 "+worker, worker)
					return err
				}
				o, err := store.HandleOnce(t.Context(), event, func(ctx context.Context) error {
					if err := write(ctx, "slow"); err != nil {
						return err
					}
					expire(t, d, db)
					o, err := store.HandleOnce(t.Context(), event, func(ctx context.Context) error { return write(ctx, "quick") })
					if o != gocardless.EventOutcomeHandled || err != nil {
						t.Errorf("taking over: %s, %v", o, err)
					}
					return nil
				})
				if o != gocardless.EventOutcomeFailed || !errors.Is(err, gocardless.ErrClaimLost) {
					t.Errorf("coming back: %s, %v, want ErrClaimLost", o, err)
				}
				if counts := rows(t, db); counts["EV1 quick"] != 1 || counts["EV1 slow"] != c.want {
					t.Errorf("ledger = %v", counts)
				}
				if o, _ := store.HandleOnce(t.Context(), event, nil); o != gocardless.EventOutcomeDuplicate {
					t.Errorf("afterwards: %s", o)
				}
			})
		}
	})
}

// While a handler runs its lease is extended, and its context ends when the claim is lost.
func TestLeaseIsExtended(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{Lease: 90 * time.Millisecond})
		event := eventstoretest.NewEvent("EV1")
		until := func() string {
			var s string
			err := db.QueryRow("SELECT claimed_until FROM gocardless_events_leases").Scan(&s)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				t.Fatal(err)
			}
			return s
		}
		o, err := store.HandleOnce(t.Context(), event, func(ctx context.Context) error {
			first := until()
			for range 1000 {
				if until() != first {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			if until() == first {
				t.Error("the lease was not extended in 5 seconds")
			}
			// Another worker takes it over.
			if _, err := db.Exec("UPDATE gocardless_events SET claim = 'another'"); err != nil {
				t.Error(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
				t.Error("the context did not end in 10 seconds")
			}
			return ctx.Err()
		})
		if o != gocardless.EventOutcomeFailed || !errors.Is(err, gocardless.ErrClaimLost) {
			t.Errorf("outcome = %s, %v", o, err)
		}
	})
}

// A request that ends after its handler succeeded does not undo what the handler did.
func TestRequestEndsBeforeTheMark(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		for _, transaction := range []bool{false, true} {
			store, _ := d.store(t, eventsql.Options{Transaction: transaction})
			ctx, cancel := context.WithCancel(t.Context())
			o, err := store.HandleOnce(ctx, eventstoretest.NewEvent("EV1"), func(context.Context) error { cancel(); return nil })
			if o != gocardless.EventOutcomeHandled || err != nil {
				t.Errorf("transaction %v: %s, %v", transaction, o, err)
			}
			if o, err := store.HandleOnce(ctx, eventstoretest.NewEvent("EV2"), nil); err == nil {
				t.Errorf("a new event with an ended request: %s", o)
			}
		}
	})
}

func leases(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM gocardless_events_leases").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// An event whose lease was extended cannot be taken over, although its first lease has expired. Purge
// deletes the leases of killed workers.
func TestExtendedLeaseExcludes(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{Lease: 200 * time.Millisecond})
		event := eventstoretest.NewEvent("EV1")
		o, err := store.HandleOnce(t.Context(), event, func(ctx context.Context) error {
			for leases(t, db) == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			far := "clock_timestamp() + interval '1 hour'"
			if d.dialect == eventsql.SQLite {
				far = fmt.Sprint(time.Now().Add(time.Hour).UnixMilli())
			}
			// The worker is slow to extend it again, and no other worker may take the event.
			if _, err := db.Exec("UPDATE gocardless_events_leases SET claimed_until = " + far); err != nil {
				t.Error(err)
			}
			expire(t, d, db)
			if o, err := store.HandleOnce(t.Context(), event, nil); o != gocardless.EventOutcomeBusy || err != nil {
				t.Errorf("another worker: %s, %v", o, err)
			}
			return nil
		})
		if o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("outcome = %s, %v", o, err)
		}
		past := "clock_timestamp() - interval '40 days'"
		if d.dialect == eventsql.SQLite {
			past = "0"
		}
		if _, err := db.Exec("INSERT INTO gocardless_events_leases VALUES ('killed', " + past + ")"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Purge(t.Context(), 30*24*time.Hour); err != nil || leases(t, db) != 0 {
			t.Errorf("after Purge: %d leases, %v", leases(t, db), err)
		}
	})
}
