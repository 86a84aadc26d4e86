package eventsqltest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
	"github.com/gocardless-community/gocardless-go/gocardless/eventstoretest"
)

// The suite for all stores, with the mark after the handler and in the store's transaction.
func TestStore(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		deliveries := 2_500
		if d.driver == "postgres" {
			deliveries = 500
		}
		if testing.Short() {
			deliveries = 120
		}
		for _, transaction := range []bool{false, true} {
			t.Run(map[bool]string{false: "After", true: "Transaction"}[transaction], func(t *testing.T) {
				eventstoretest.Run(t, eventstoretest.Config{
					New: func(t *testing.T, attempts int) gocardless.EventStore {
						store, _ := d.store(t, eventsql.Options{MaxAttempts: attempts, Transaction: transaction})
						return store
					},
					Deliveries: deliveries,
				})
			})
		}
	})
}

// The writes of handlers in the store's transaction are committed once for each event.
func TestLedger(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{Transaction: true, MaxAttempts: 100})
		ledger(t, db)
		n := 1000
		if testing.Short() {
			n = 120
		}
		eventstoretest.Deliver(t, store, n, 8, func(ctx context.Context, e gocardless.Event) error {
			_, err := eventsql.Tx(ctx).ExecContext(ctx, d.insert(), e.ID, "w")
			return err
		})
		for event, count := range rows(t, db) {
			if count != 1 {
				t.Errorf("event %s is in the ledger %d times", event, count)
			}
		}
		if got, want := len(rows(t, db)), eventstoretest.NewPlan(n, 42).Events; got != want {
			t.Errorf("%d events in the ledger, want %d", got, want)
		}
	})
}

func TestTransactionIsUndone(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{Transaction: true})
		ledger(t, db)
		failure := errors.New("failed")
		for name, end := range map[string]func(tx *sql.Tx) error{
			"error": func(*sql.Tx) error { return failure },
			"panic": func(*sql.Tx) error { panic(failure) },
			"broken transaction": func(tx *sql.Tx) error {
				_, _ = tx.Exec("SELECT nonsense FROM nowhere")
				if d.dialect == eventsql.SQLite {
					return failure // where it does not break the transaction
				}
				return nil
			},
			"rolled back by the handler": func(tx *sql.Tx) error { return tx.Rollback() },
		} {
			h := gocardless.Once(store, eventsql.TxHandler(func(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
				if _, err := tx.ExecContext(ctx, d.insert(), e.ID, "w"); err != nil {
					t.Error(err)
				}
				return end(tx)
			}))
			if err := h.HandleEvent(t.Context(), eventstoretest.NewEvent(name)); err == nil {
				t.Errorf("%s: no error", name)
			}
			if err := h.HandleEvent(t.Context(), eventstoretest.NewEvent(name)); err == nil {
				t.Errorf("%s: acknowledged", name)
			}
		}
		if counts := rows(t, db); len(counts) != 0 {
			t.Errorf("ledger = %v, want nothing", counts)
		}
		list, err := store.Unfinished(t.Context(), 10)
		if err != nil || len(list) != 4 {
			t.Errorf("unfinished = %v, %v", list, err)
		}
		for _, r := range list {
			if r.State != eventsql.StateFailed || r.Attempts != 2 || r.LastError == "" {
				t.Errorf("record = %+v", r)
			}
		}
	})
}

func TestTxHandlerNeedsATransaction(t *testing.T) {
	d := databases()[0]
	store, _ := d.store(t, eventsql.Options{})
	h := eventsql.TxHandler(func(context.Context, *sql.Tx, gocardless.Event) error { return nil })
	if err := gocardless.Once(store, h).HandleEvent(t.Context(), eventstoretest.NewEvent("EV1")); err == nil {
		t.Error("no error without Options.Transaction")
	}
	if err := h(t.Context(), gocardless.Event{}); err == nil || eventsql.Tx(t.Context()) != nil {
		t.Error("a transaction outside of a handler")
	}
	if err := eventsql.MarkDone(t.Context(), nil); err == nil {
		t.Error("MarkDone outside of a handler")
	}
	store, _ = d.store(t, eventsql.Options{Transaction: true})
	_, err := store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), func(ctx context.Context) error {
		return eventsql.MarkDone(ctx, eventsql.Tx(ctx))
	})
	if err == nil {
		t.Error("MarkDone with Options.Transaction")
	}
}

// An event that stops its worker each time is parked, although no worker survived to report it.
func TestPoison(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{MaxAttempts: 3})
		event := eventstoretest.NewEvent("EV1")
		begun := 0
		for range 5 {
			if o, err := store.HandleOnce(t.Context(), event, func(context.Context) error { return nil }); err != nil || o == gocardless.EventOutcomeHandled {
				begun++
			}
			// The row of a killed worker.
			if _, err := db.Exec("UPDATE gocardless_events SET state = 'claimed' WHERE state = 'done'"); err != nil {
				t.Fatal(err)
			}
			expire(t, d, db)
		}
		if begun != 3 {
			t.Errorf("begun %d times, want 3", begun)
		}
		list, err := store.Unfinished(t.Context(), 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("unfinished = %v, %v", list, err)
		}
		r := list[0]
		if r.ID != "EV1" || r.Type != gocardless.EventPaymentsFailed || r.Organisation != "OR1" || r.State != eventsql.StateParked ||
			r.Attempts != 3 || !strings.Contains(r.LastError, "worker stopped") || !r.CreatedAt.Equal(event.CreatedAt) ||
			time.Since(r.FirstSeenAt).Abs() > time.Hour || time.Since(r.UpdatedAt).Abs() > time.Hour {
			t.Errorf("record = %+v", r)
		}
		if ok, err := store.Release(t.Context(), "EV2"); ok || err != nil {
			t.Errorf("releasing another: %v, %v", ok, err)
		}
		if ok, err := store.Release(t.Context(), "EV1"); !ok || err != nil {
			t.Errorf("releasing: %v, %v", ok, err)
		}
		if o, err := store.HandleOnce(t.Context(), event, func(context.Context) error { return nil }); o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("after its release: %s, %v", o, err)
		}
	})
}

func TestPurge(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx := t.Context()
		store, db := d.store(t, eventsql.Options{})
		now := time.Now().UTC().Truncate(time.Millisecond)
		age := func(id string, days int) {
			t.Helper()
			at := now.AddDate(0, 0, -days)
			var arg any = at
			q := "UPDATE gocardless_events SET updated_at = $1 WHERE id = $2"
			if d.dialect == eventsql.SQLite {
				arg, q = at.UnixMilli(), "UPDATE gocardless_events SET updated_at = ?1 WHERE id = ?2"
			}
			if _, err := db.Exec(q, arg, id); err != nil {
				t.Fatal(err)
			}
		}
		add := func(id string, days int, result error) {
			t.Helper()
			e := eventstoretest.NewEvent(id)
			e.CreatedAt = now.AddDate(0, 0, -days)
			_, _ = store.HandleOnce(ctx, e, func(context.Context) error { return result })
			age(id, days)
		}
		purge := func(want int64) {
			t.Helper()
			if n, err := store.Purge(ctx, 30*24*time.Hour); n != want || err != nil {
				t.Errorf("purged %d, %v, want %d", n, err, want)
			}
		}
		add("new", 1, nil)
		add("old", 40, nil)
		add("failed", 50, errors.New("failed"))
		purge(1)
		if h, err := store.EventHorizon(ctx); err != nil || !h.Equal(now.AddDate(0, 0, -40)) {
			t.Errorf("horizon = %s, %v, want 40 days ago", h, err)
		}
		purge(0)

		// An old checkpoint keeps the newer events.
		for name, days := range map[string]int{"default": 5, "OR1": 60} {
			if err := store.SetEventCheckpoint(ctx, name, gocardless.EventCheckpoint{CreatedAt: now.AddDate(0, 0, -days)}); err != nil {
				t.Error(err)
			}
		}
		add("older", 61, nil)
		add("oldest", 62, nil)
		purge(1)
		if err := store.DeleteEventCheckpoint(ctx, "OR1"); err != nil {
			t.Error(err)
		}
		purge(1)
		if h, err := store.EventHorizon(ctx); err != nil || !h.Equal(now.AddDate(0, 0, -40)) {
			t.Errorf("horizon = %s, %v: it must not move back", h, err)
		}
		for _, age := range []time.Duration{0, -time.Hour} {
			if _, err := store.Purge(ctx, age); err == nil {
				t.Errorf("Purge(%s): no error", age)
			}
		}
		for _, name := range []string{"", "(purged)"} {
			if err := store.SetEventCheckpoint(ctx, name, gocardless.EventCheckpoint{}); err == nil {
				t.Errorf("checkpoint %q: no error", name)
			}
		}
		catchUp := gocardless.EventCatchUp{
			Client: client(t), Store: store, Handler: gocardless.NewEventMux(), From: now.AddDate(0, 0, -45), Organisation: "OR2",
		}
		if _, err := catchUp.Run(ctx); !errors.Is(err, gocardless.ErrEventsForgotten) {
			t.Errorf("catch-up from before the horizon: %v", err)
		}
	})
}

func TestPurgeInBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of rows, and one goroutine")
	}
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{})
		at := "clock_timestamp() - interval '9 days'"
		numbers := "generate_series(1, 12000) AS n"
		if d.dialect == eventsql.SQLite {
			at, numbers = "0", "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 12000) SELECT n FROM c)"
		}
		if _, err := db.Exec("INSERT INTO gocardless_events SELECT 'EV' || n, 'a.b', '', 'done', 1, '', " + at + ", " + at + ", " + at + ", " + at + ", '', '' FROM " + numbers); err != nil {
			t.Fatal(err)
		}
		if n, err := store.Purge(t.Context(), 24*time.Hour); n != 12000 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
	})
}

// Many workers start at once on an empty database, with every spelling of the table.
func TestCreateSchemaConcurrently(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source := d.dataSource(t)
		tables := []string{"", eventsql.DefaultTable}
		if d.dialect == eventsql.PostgreSQL {
			var schema string
			if err := d.open(t, source).QueryRow("SELECT current_schema()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
			tables = append(tables, schema+"."+eventsql.DefaultTable)
		}
		var wg sync.WaitGroup
		for i := range 12 {
			db := d.open(t, source)
			store, err := eventsql.New(db, d.dialect, eventsql.Options{Table: tables[i%len(tables)]})
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if err := store.CreateSchema(t.Context()); err != nil {
					t.Error(err)
				}
				if err := store.CreateSchema(t.Context()); err != nil {
					t.Errorf("again: %v", err)
				}
			})
		}
		wg.Wait()
	})
}

// A table with another name, in another schema, and the statements for a migration.
func TestTable(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db := d.open(t, d.dataSource(t))
		table := "Order" // reserved, and with a capital
		if d.dialect == eventsql.PostgreSQL {
			var schema string
			if err := db.QueryRow("SELECT current_schema()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
			table = schema + ".Order"
		}
		text, err := eventsql.Schema(d.dialect, table)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range strings.SplitAfter(text, ";\n") {
			if _, err := db.Exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		store := d.storeIn(t, db, eventsql.Options{Table: table})
		if o, err := store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), func(context.Context) error { return nil }); o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("outcome = %s, %v", o, err)
		}
		if err := store.SetEventCheckpoint(t.Context(), "a", gocardless.EventCheckpoint{CreatedAt: time.Now()}); err != nil {
			t.Error(err)
		}
		if err := store.SetEventCheckpoint(t.Context(), "a", gocardless.EventCheckpoint{CreatedAt: time.Now()}); err != nil {
			t.Error(err)
		}
	})
}

// Databases whose default is the strictest isolation make statements fail, which are retried.
func TestSerializable(t *testing.T) {
	d := databases()[1]
	if d.dsn == "" {
		t.Skip("GOCARDLESS_TEST_POSTGRES is not set: see scripts/postgres.sh")
	}
	db := d.open(t, d.dataSource(t)+"&default_transaction_isolation=serializable")
	eventstoretest.Deliver(t, d.storeIn(t, db, eventsql.Options{MaxAttempts: 100}), 300, 8, nil)

	// The store cannot retry a handler's transaction; the next delivery does.
	store := d.storeIn(t, db, eventsql.Options{Table: "strict", Transaction: true})
	ledger(t, db)
	handler := gocardless.Once(store, eventsql.TxHandler(func(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
		_, err := tx.ExecContext(ctx, d.insert(), e.ID, "w")
		return err
	}))
	plan := eventstoretest.NewPlan(300, 1)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < len(plan.Deliveries); i += 8 {
				for _, id := range plan.Deliveries[i] {
					for handler.HandleEvent(t.Context(), eventstoretest.NewEvent(id)) != nil {
					}
				}
			}
		})
	}
	wg.Wait()
	counts := rows(t, db)
	if len(counts) != plan.Events {
		t.Errorf("%d of %d events in the ledger", len(counts), plan.Events)
	}
	for id, n := range counts {
		if n != 1 {
			t.Errorf("event %s is in the ledger %d times", id, n)
		}
	}
}

// A handler may take longer than the lease, with any isolation level, in the store's transaction or in
// its own: extending the lease does not conflict with the mark.
func TestLongHandlerInEveryIsolationLevel(t *testing.T) {
	levels := []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable}
	each(t, func(t *testing.T, d database) {
		for _, level := range levels {
			if d.dialect == eventsql.SQLite && level != sql.LevelDefault {
				continue // it has one level
			}
			for _, own := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, own transaction %v", level, own), func(t *testing.T) {
					t.Parallel() // they wait
					testLongHandler(t, d, level, own)
				})
			}
		}
	})
}

func testLongHandler(t *testing.T, d database, level sql.IsolationLevel, own bool) {
	const lease = 150 * time.Millisecond
	options := &sql.TxOptions{Isolation: level}
	store, db := d.store(t, eventsql.Options{Lease: lease, Transaction: !own, TxOptions: options})
	ledger(t, db)
	write := func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, d.insert(), "EV1", "w")
		time.Sleep(2 * lease)
		return err
	}
	handle := func(ctx context.Context) error { return write(ctx, eventsql.Tx(ctx)) }
	if own {
		handle = func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, options)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if err := write(ctx, tx); err != nil {
				return err
			}
			if err := eventsql.MarkDone(ctx, tx); err != nil {
				return err
			}
			return tx.Commit()
		}
	}
	if outcome, err := store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), handle); outcome != gocardless.EventOutcomeHandled || err != nil {
		t.Errorf("outcome = %s, %v", outcome, err)
	}
	if counts := rows(t, db); counts["EV1"] != 1 {
		t.Errorf("ledger = %v", counts)
	}
	if n := leases(t, db); n != 0 {
		t.Errorf("%d leases are left", n)
	}
}

// An attempt that the database rolled back because of another transaction does not count.
func TestConflictsDoNotPark(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, _ := d.store(t, eventsql.Options{MaxAttempts: 2})
		event := eventstoretest.NewEvent("EV1")
		for range 5 {
			o, err := store.HandleOnce(t.Context(), event, func(context.Context) error {
				return fmt.Errorf("writing: %w", conflict{})
			})
			if o != gocardless.EventOutcomeFailed || !errors.As(err, new(conflict)) {
				t.Fatalf("outcome = %s, %v", o, err)
			}
		}
		if o, err := store.HandleOnce(t.Context(), event, func(context.Context) error { return nil }); o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("outcome = %s, %v", o, err)
		}
	})
}

// conflict is the error of a driver for a transaction that cannot be serialized.
type conflict struct{}

func (conflict) Error() string    { return "could not serialize access" }
func (conflict) SQLState() string { return "40001" }
func (conflict) Code() int        { return 5 }

// A parked event keeps its error, and its body so that Retry can handle it.
func TestRetryWithTheBody(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, _ := d.store(t, eventsql.Options{MaxAttempts: 2})
		var links []string
		failure := errors.New("the mandate is unknown")
		broken := true
		handler := gocardless.EventHandlerFunc(func(_ context.Context, e gocardless.Event) error {
			if broken && e.ID == "EV1" {
				return failure
			}
			links = append(links, e.ID+" "+e.Link("payment")+" "+e.Link("new_thing"))
			return nil
		})
		hook, err := gocardless.NewWebhookHandler(gocardless.Once(store, handler), "secret")
		if err != nil {
			t.Fatal(err)
		}
		body := []byte(`{"events":[{"id":"EV0","resource_type":"payments","action":"failed"},` +
			`{"id":"EV1","created_at":"2026-05-04T09:00:00.000Z","resource_type":"payments","action":"failed","links":{"payment":"PM1","new_thing":"NT1"},"note":"caf` + "\xe9" + `"}]}`)
		for range 3 {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook(body, "secret"))
			hook.ServeHTTP(httptest.NewRecorder(), r)
		}
		list, err := store.Unfinished(t.Context(), 10)
		if err != nil || len(list) != 1 || list[0].ID != "EV1" || list[0].State != eventsql.StateParked || list[0].LastError != failure.Error() {
			t.Fatalf("unfinished = %+v, %v", list, err)
		}
		if o, err := store.Retry(t.Context(), "EV1", handler); o != gocardless.EventOutcomeFailed || !errors.Is(err, failure) {
			t.Errorf("still broken: %s, %v", o, err)
		}
		broken, links = false, nil
		if o, err := store.Retry(t.Context(), "EV1", handler); o != gocardless.EventOutcomeHandled || err != nil {
			t.Errorf("mended: %s, %v", o, err)
		}
		if len(links) != 1 || links[0] != "EV1 PM1 NT1" {
			t.Errorf("handled %q: not the event as delivered", links)
		}
		for _, id := range []string{"EV0", "EV1", "EV2"} { // done, done, unknown
			if e, err := store.Event(t.Context(), id); e != nil || err != nil {
				t.Errorf("event %s: %v, %v", id, e, err)
			}
			if o, err := store.Retry(t.Context(), id, handler); o != gocardless.EventOutcomeUnknown || err == nil {
				t.Errorf("retrying %s: %s, %v", id, o, err)
			}
		}

		// An event that was not delivered by webhook is stored with its fields.
		event := eventstoretest.NewEvent("EV3")
		_, _ = store.HandleOnce(t.Context(), event, func(context.Context) error { return failure })
		if kept, err := store.Event(t.Context(), "EV3"); err != nil || kept == nil || !reflect.DeepEqual(*kept, event) {
			t.Errorf("kept %+v, %v, want %+v", kept, err, event)
		}
	})
}

// If the database fails, HandleOnce returns an error and does not call the handler.
func TestDatabaseGone(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{Transaction: true})
		called := false
		o, err := store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV1"), func(context.Context) error {
			db.Close()
			return nil
		})
		if o != gocardless.EventOutcomeFailed && err != nil {
			t.Errorf("closed while handling: %s, %v", o, err)
		}
		o, err = store.HandleOnce(t.Context(), eventstoretest.NewEvent("EV2"), func(context.Context) error { called = true; return nil })
		if err == nil || called {
			t.Errorf("closed: %s, %v, handler called: %v", o, err, called)
		}
	})
}
