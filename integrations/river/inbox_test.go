package riverinbox_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/rivertest"
)

const secret gocardless.WebhookSecret = "of the endpoint"

// inbox is the part of an inbox that the tests need, for any database.
type inbox interface {
	Migrate(context.Context) error
	Start(context.Context) error
	Stop(context.Context) error
	Stats(context.Context) (riverinbox.Stats, error)
	Backlog(context.Context) (int64, time.Duration, error)
	Parked(context.Context, int) ([]riverinbox.ParkedEvent, error)
	Release(context.Context, ...string) (int, error)
	Replay(context.Context, riverinbox.Filter) (int, error)
	Purge(context.Context, time.Duration) (int64, error)
	CatchUp(*gocardless.Client, time.Time) *gocardless.EventCatchUp
}

// bed is a database with an inbox.
type bed struct {
	inbox
	endpoint http.Handler
	// write is called by handlers to write an event to the ledger, in the inbox's transaction.
	write func(ctx context.Context, event gocardless.Event) error
	// insertTx stores a delivery in a transaction of the caller, who writes it to the ledger as well,
	// and then commits, or fails with the error.
	insertTx func(ctx context.Context, d *gocardless.WebhookDelivery, fail error) (inserted int, err error)
	// exec runs a statement, and count returns the number that a query has.
	exec  func(statement string, args ...any)
	count func(query string) int
}

func newPostgresBed(t testing.TB, source string, options riverinbox.Options) *bed {
	pool, err := pgxpool.New(context.Background(), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b, err := riverinbox.NewPostgres(pool, options)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := riverinbox.NewInboxHandler(b, secret)
	if err != nil {
		t.Fatal(err)
	}
	return &bed{
		inbox: b, endpoint: endpoint,
		write: func(ctx context.Context, e gocardless.Event) error {
			tx, ok := riverinbox.Tx[pgx.Tx](ctx)
			if !ok {
				return errors.New("no transaction")
			}
			_, err := tx.Exec(ctx, "INSERT INTO ledger VALUES ($1)", e.ID)
			return err
		},
		insertTx: func(ctx context.Context, d *gocardless.WebhookDelivery, fail error) (n int, err error) {
			err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				if n, err = b.InsertTx(ctx, tx, d); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, "INSERT INTO ledger VALUES ($1)", d.ID); err != nil {
					return err
				}
				return fail
			})
			return n, err
		},
		exec: func(statement string, args ...any) {
			t.Helper()
			if _, err := pool.Exec(context.Background(), statement, args...); err != nil {
				t.Fatal(err)
			}
		},
		count: func(query string) (n int) {
			t.Helper()
			if err := pool.QueryRow(context.Background(), query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		},
	}
}

func newSQLiteBed(t testing.TB, options riverinbox.Options) *bed {
	db, err := sql.Open("sqlite", rivertest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	b, err := riverinbox.NewSQLite(db, options)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := riverinbox.NewInboxHandler(b, secret)
	if err != nil {
		t.Fatal(err)
	}
	return &bed{
		inbox: b, endpoint: endpoint,
		write: func(ctx context.Context, e gocardless.Event) error {
			tx, ok := riverinbox.Tx[*sql.Tx](ctx)
			if !ok {
				return errors.New("no transaction")
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO ledger VALUES (?1)", e.ID)
			return err
		},
		insertTx: func(ctx context.Context, d *gocardless.WebhookDelivery, fail error) (n int, err error) {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return 0, err
			}
			defer func() { _ = tx.Rollback() }()
			if n, err = b.InsertTx(ctx, tx, d); err != nil {
				return n, err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO ledger VALUES (?1)", d.ID); err != nil {
				return n, err
			}
			if fail != nil {
				return n, fail
			}
			return n, tx.Commit()
		},
		exec: func(statement string, args ...any) {
			t.Helper()
			if _, err := db.Exec(statement, args...); err != nil {
				t.Fatal(err)
			}
		},
		count: func(query string) (n int) {
			t.Helper()
			if err := db.QueryRow(query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		},
	}
}

// each runs a test with both databases. The handler receives its bed.
func each(t *testing.T, options riverinbox.Options, handle func(b *bed, ctx context.Context, e gocardless.Event) error, f func(t *testing.T, b *bed)) {
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for River's polls
			var b *bed
			options := options
			options.Handler = gocardless.EventHandlerFunc(func(ctx context.Context, e gocardless.Event) error { return handle(b, ctx, e) })
			options.Configure = rivertest.Quick
			if name == "SQLite" {
				b = newSQLiteBed(t, options)
			} else {
				b = newPostgresBed(t, rivertest.Postgres(t), options)
			}
			b.prepare(t)
			f(t, b)
		})
	}
}

// prepare creates the tables. The ledger has no key: only the inbox keeps an event from being in it
// twice.
func (b *bed) prepare(t testing.TB) {
	for range 2 { // the second time it does nothing
		if err := b.Migrate(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	b.exec("CREATE TABLE ledger (event text NOT NULL)")
}

func (b *bed) start(t testing.TB) {
	t.Helper()
	if err := b.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := b.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// deliver posts a body to the endpoint and returns the status.
func (b *bed) deliver(body []byte) int {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook(body, secret))
	w := httptest.NewRecorder()
	b.endpoint.ServeHTTP(w, r)
	return w.Code
}

func (b *bed) mustDeliver(t testing.TB, body []byte) {
	t.Helper()
	if status := b.deliver(body); status != http.StatusNoContent {
		t.Fatalf("status = %d", status)
	}
}

// drained reports whether all events are handled or parked.
func (b *bed) drained(t testing.TB) func() bool {
	return func() bool {
		s, err := b.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return s.Waiting+s.Running+s.Retrying == 0
	}
}

func event(id string, second int, payment string) string {
	return fmt.Sprintf(`{"id":%q,"created_at":"2026-05-04T09:%02d:%02d.000Z","resource_type":"payments","action":"failed","links":{"payment":%q}}`,
		id, second/60%60, second%60, payment)
}

func delivery(events ...string) []byte {
	return []byte(`{"events":[` + strings.Join(events, ",") + `],"meta":{"webhook_id":"WB1"}}`)
}

// An event is handled once, with all that was delivered of it, in a transaction.
func TestInbox(t *testing.T) {
	type seen struct {
		sync.Mutex
		links []string
	}
	var all sync.Map
	each(t, riverinbox.Options{}, func(b *bed, ctx context.Context, e gocardless.Event) error {
		v, _ := all.LoadOrStore(b, &seen{})
		s := v.(*seen)
		s.Lock()
		defer s.Unlock()
		s.links = append(s.links, e.ID+" "+e.Link("payment")+" "+e.Link("new_thing")+" "+string(e.Type())+" "+e.Metadata["note"])
		return b.write(ctx, e)
	}, func(t *testing.T, b *bed) {
		plain := event("EV1", 0, "PM1")
		known := strings.Replace(plain, `"links":{`, `"links":{"new_thing":"NT1",`, 1)
		// Characters that PostgreSQL does not accept in JSON.
		odd := []string{`\u0000`, `\ud800`, `\\u0000`, "\xff", `1e999999`}
		body := []string{known, event("EV2", 1, "PM2"), known, event("EV2", 7, "PM2"), plain}
		for i, s := range odd {
			body = append(body, strings.Replace(event(fmt.Sprintf("OD%d", i), 2, "PM3"), `"links"`, `"metadata":{"note":"`+s+`"},"links"`, 1))
		}
		for range 3 {
			b.mustDeliver(t, delivery(body...))
		}
		b.mustDeliver(t, delivery())
		if s, err := b.Stats(t.Context()); err != nil || s.Waiting != 2+len(odd) || s.Oldest > time.Minute || s.Running+s.Retrying+s.Parked != 0 {
			t.Errorf("stats = %+v, %v", s, err)
		}
		b.start(t)
		b.mustDeliver(t, delivery(body...))
		rivertest.Until(t, "all are handled", b.drained(t))
		b.mustDeliver(t, delivery(body...))
		rivertest.Until(t, "all are handled", b.drained(t))
		if n := b.count("SELECT count(*) FROM ledger"); n != 2+len(odd) {
			t.Errorf("%d rows in the ledger", n)
		}
		v, _ := all.Load(b)
		got := v.(*seen).links
		slices.Sort(got)
		want := []string{"EV1 PM1 NT1 payments.failed ", "EV2 PM2  payments.failed ", "OD0 PM3  payments.failed \x00", "OD1 PM3  payments.failed \ufffd",
			`OD2 PM3  payments.failed \u0000`, "OD3 PM3  payments.failed \ufffd", "OD4 PM3  payments.failed 1e999999"}
		if !slices.Equal(got, want) {
			t.Errorf("handled\n%q, want\n%q", got, want)
		}
		// River deletes old jobs. An event that is delivered again after that is still not handled again.
		b.exec("DELETE FROM river_job")
		b.mustDeliver(t, delivery(known))
		rivertest.Until(t, "all are handled", b.drained(t))
		if n := b.count("SELECT count(*) FROM ledger"); n != 2+len(odd) {
			t.Errorf("%d rows in the ledger after River forgot", n)
		}
		if n, err := b.Purge(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		b.exec("UPDATE gocardless_inbox_done SET done_at = done_at - 7200000, created_at = 1000")
		if n, err := b.Purge(t.Context(), time.Hour); n != int64(2+len(odd)) || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		if _, err := b.Purge(t.Context(), 0); err == nil {
			t.Error("Purge(0): no error")
		}
	})
}

// The caller's writes in the transaction of the events are committed or rolled back with them.
func TestInsertTx(t *testing.T) {
	each(t, riverinbox.Options{}, func(*bed, context.Context, gocardless.Event) error { return nil }, func(t *testing.T, b *bed) {
		stored := func() (events, rows int) {
			return b.count("SELECT count(*) FROM river_job"), b.count("SELECT count(*) FROM ledger")
		}
		d, err := gocardless.ParseUnverifiedWebhook(delivery(event("EV1", 0, "PM1"), event("EV2", 1, "PM2")))
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("the caller's own table is broken")
		if n, err := b.insertTx(t.Context(), d, broken); n != 2 || !errors.Is(err, broken) {
			t.Errorf("%d inserted, %v", n, err)
		}
		if events, rows := stored(); events != 0 || rows != 0 {
			t.Errorf("after the rollback: %d events, %d rows", events, rows)
		}
		if n, err := b.insertTx(t.Context(), d, nil); n != 2 || err != nil {
			t.Errorf("%d inserted, %v", n, err)
		}
		if events, rows := stored(); events != 2 || rows != 1 {
			t.Errorf("after the commit: %d events, %d rows", events, rows)
		}
		if n, err := b.insertTx(t.Context(), d, nil); n != 0 || err != nil {
			t.Errorf("%d inserted again, %v", n, err)
		}
	})
}

// An event that fails is tried again, parked with its error, and released with its body.
func TestParkReleaseReplay(t *testing.T) {
	type failing struct {
		*bed
		id string
	}
	var broken sync.Map // how events fail
	each(t, riverinbox.Options{MaxAttempts: 3}, func(b *bed, ctx context.Context, e gocardless.Event) error {
		if err := b.write(ctx, e); err != nil {
			return err
		}
		switch how, _ := broken.Load(failing{b, e.ID}); how {
		case "error":
			return errors.New("the mandate is unknown")
		case "panic":
			panic("handler")
		}
		return nil
	}, func(t *testing.T, b *bed) {
		broken.Store(failing{b, "EV1"}, "error")
		broken.Store(failing{b, "EV2"}, "panic")
		b.start(t)
		b.mustDeliver(t, delivery(event("EV1", 10, "PM1"), event("EV2", 20, "PM2"), event("EV3", 30, "PM3")))
		parked := func() bool {
			s, err := b.Stats(t.Context())
			return err == nil && s.Parked == 2 && s.Waiting+s.Running+s.Retrying == 0
		}
		rivertest.Until(t, "two are parked", parked)
		list, err := b.Parked(t.Context(), 10)
		if err != nil || len(list) != 2 {
			t.Fatalf("parked = %+v, %v", list, err)
		}
		for _, p := range list {
			want := map[string]string{"EV1": "the mandate is unknown", "EV2": "handler"}[p.ID]
			if p.LastError != want || p.Attempts != 3 || p.Link("payment") == "" || time.Since(p.ParkedAt).Abs() > time.Hour {
				t.Errorf("parked = %+v", p)
			}
		}
		if n := b.count("SELECT count(*) FROM ledger"); n != 1 {
			t.Errorf("%d rows in the ledger: what failed is not undone", n)
		}
		b.mustDeliver(t, delivery(event("EV1", 10, "PM1"))) // a delivery does not release it
		if !parked() {
			t.Error("a delivery released a parked event")
		}
		broken.Delete(failing{b, "EV1"})
		broken.Delete(failing{b, "EV2"})
		if n, err := b.Release(t.Context(), "EV1", "EV3", "EV9"); n != 1 || err != nil {
			t.Errorf("released %d, %v", n, err)
		}
		rivertest.Until(t, "EV1 is handled", func() bool { return b.count("SELECT count(*) FROM ledger WHERE event = 'EV1'") == 1 })

		// A replay handles only the selected events, and none that was done a moment ago.
		if n, err := b.Replay(t.Context(), riverinbox.Filter{IDs: []string{"EV3"}}); n > 1 || err != nil {
			t.Errorf("replayed %d, %v", n, err)
		}
		rivertest.Until(t, "all are handled", b.drained(t))
		b.exec("DELETE FROM ledger")
		past := "now() - interval '1 hour'"
		if strings.Contains(t.Name(), "SQLite") {
			past = "datetime('now', '-1 hour')"
		}
		b.exec("UPDATE river_job SET finalized_at = " + past + " WHERE state = 'completed'")
		at := func(second int) time.Time { return time.Date(2026, 5, 4, 9, 0, second, 0, time.UTC) }
		for _, filter := range []riverinbox.Filter{
			{From: at(30), To: at(31)},
			{IDs: []string{"EV1"}, Types: []gocardless.EventType{gocardless.EventPaymentsFailed}},
			{Types: []gocardless.EventType{gocardless.EventPaymentsCreated}},
			{From: at(20), To: at(30), IDs: []string{"EV1", "EV3"}},
			{IDs: []string{"' OR 1=1 --"}},
		} {
			if _, err := b.Replay(t.Context(), filter); err != nil {
				t.Error(err)
			}
		}
		rivertest.Until(t, "all are handled", b.drained(t))
		if n := b.count("SELECT count(*) FROM ledger"); n != 2 || b.count("SELECT count(*) FROM ledger WHERE event = 'EV2'") != 0 {
			t.Errorf("%d rows in the ledger after the replays", n)
		}
		if n, err := b.Replay(t.Context(), riverinbox.Filter{}); n != 0 || err == nil {
			t.Errorf("a replay of everything: %d, %v", n, err)
		}
	})
}

// The events of a resource are handled one at a time, in the order in which they were created, whatever the
// order of arrival. The events of other resources do not wait for them.
func TestPerResource(t *testing.T) {
	type log struct {
		sync.Mutex
		order  map[string][]string
		inside map[string]int
		failed bool
	}
	var logs sync.Map
	each(t, riverinbox.Options{PerResource: true, Workers: 8}, func(b *bed, ctx context.Context, e gocardless.Event) error {
		v, _ := logs.LoadOrStore(b, &log{order: map[string][]string{}, inside: map[string]int{}})
		l := v.(*log)
		payment := e.Link("payment")
		l.Lock()
		if l.inside[payment]++; l.inside[payment] > 1 {
			t.Errorf("two events of %s at the same time", payment)
		}
		fail := e.ID == "EV02" && !l.failed
		l.failed = l.failed || fail
		l.Unlock()
		time.Sleep(2 * time.Millisecond)
		l.Lock()
		defer l.Unlock()
		l.inside[payment]--
		if fail {
			return errors.New("fails the first time")
		}
		l.order[payment] = append(l.order[payment], e.ID)
		return b.write(ctx, e)
	}, func(t *testing.T, b *bed) {
		const n = 12
		for i := n - 1; i >= 0; i-- { // the last first
			b.mustDeliver(t, delivery(event(fmt.Sprintf("EV%02d", i), i, fmt.Sprintf("PM%d", i%3))))
		}
		b.start(t)
		rivertest.Until(t, "all are handled", b.drained(t))
		v, _ := logs.Load(b)
		for payment, order := range v.(*log).order {
			if !slices.IsSorted(order) || len(order) != n/3 {
				t.Errorf("%s: %v", payment, order)
			}
		}
	})
}

// A catch-up stores the events that webhooks missed, and they are handled like any others.
func TestCatchUp(t *testing.T) {
	each(t, riverinbox.Options{}, func(b *bed, ctx context.Context, e gocardless.Event) error { return b.write(ctx, e) },
		func(t *testing.T, b *bed) {
			sandbox := gocardlesstest.New(gocardlesstest.WithFrozenClock(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)))
			client := sandbox.Client()
			start := sandbox.Now()
			newMandate(t, client)
			sandbox.Advance(10 * 24 * time.Hour)
			all := 0
			var first *gocardless.Event
			for e, err := range client.Events.All(t.Context(), gocardless.EventListParams{}) {
				if err != nil {
					t.Fatal(err)
				}
				first = e
				all++
			}
			if all < 2 {
				t.Fatalf("%d events", all)
			}
			b.start(t)
			b.mustDeliver(t, delivery(fmt.Sprintf(`{"id":%q,"created_at":"2026-05-04T09:00:00.000Z","resource_type":"customers","action":"created"}`, first.ID)))
			rivertest.Until(t, "one is handled", func() bool { return b.count("SELECT count(*) FROM ledger") == 1 })
			b.exec("DELETE FROM river_job")

			catchUp := b.CatchUp(client, start)
			catchUp.Organisation = "OR1"
			for i, want := range []int{all - 1, 0} {
				report, err := catchUp.Run(t.Context())
				if err != nil || report.Handled != want || report.Handled+report.Duplicates > all || !report.Checkpoint.CreatedAt.Equal(sandbox.Now()) {
					t.Errorf("run %d: %+v, %v; %d events", i, report, err, all)
				}
				sandbox.Advance(time.Minute)
			}
			rivertest.Until(t, "all are handled", b.drained(t))
			if n := b.count("SELECT count(*) FROM ledger"); n != all {
				t.Errorf("%d rows in the ledger for %d events", n, all)
			}
			if err := catchUp.Store.(gocardless.EventCheckpoints).SetEventCheckpoint(t.Context(), "(purged)", gocardless.EventCheckpoint{}); err == nil {
				t.Error("a checkpoint may have the name of the horizon")
			}
		})
}

func newMandate(t *testing.T, client *gocardless.Client) {
	t.Helper()
	ctx := t.Context()
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"), CountryCode: new("GB"),
	})
	if err != nil {
		t.Fatal(err)
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Lovelace"), IBAN: new("GB60BARC20000055779911"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{
		Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID},
	}); err != nil {
		t.Fatal(err)
	}
}

// A handler that waits for the API does not delay deliveries, even with a single database connection.
func TestSlowHandler(t *testing.T) {
	var wait sync.Map
	each(t, riverinbox.Options{Workers: 2}, func(b *bed, ctx context.Context, e gocardless.Event) error {
		api, _ := wait.Load(b)
		<-api.(chan struct{})
		return b.write(ctx, e)
	}, func(t *testing.T, b *bed) {
		api := make(chan struct{})
		wait.Store(b, api)
		b.mustDeliver(t, delivery(event("EV1", 0, "PM1"), event("EV2", 1, "PM2")))
		b.start(t)
		rivertest.Until(t, "two are being handled", func() bool {
			s, err := b.Stats(t.Context())
			return err == nil && s.Running == 2
		})
		b.mustDeliver(t, delivery(event("EV3", 2, "PM3")))
		if depth, oldest, err := b.Backlog(t.Context()); depth != 3 || oldest < 0 || oldest > time.Hour || err != nil {
			t.Errorf("backlog of %d, %v, %v", depth, oldest, err)
		}
		close(api)
		rivertest.Until(t, "all are handled", b.drained(t))
		if n := b.count("SELECT count(*) FROM ledger"); n != 3 {
			t.Errorf("%d rows in the ledger", n)
		}
	})
}

// Many workers start at once on an empty database. River's indexes on JSON get short pending lists,
// but an operator's setting stays.
func TestMigrateConcurrently(t *testing.T) {
	source := rivertest.Postgres(t)
	var workers sync.WaitGroup
	for range 4 {
		b := newPostgresBed(t, source, riverinbox.Options{Configure: rivertest.Quick})
		workers.Go(func() {
			if err := b.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	b := newPostgresBed(t, source, riverinbox.Options{Configure: rivertest.Quick})
	b.exec("ALTER INDEX river_job_args_index SET (gin_pending_list_limit = 64)")
	if err := b.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
	for limit, index := range map[int]string{64: "river_job_args_index", 256: "river_job_metadata_index"} {
		if b.count(fmt.Sprintf("SELECT count(*) FROM pg_class WHERE oid = '%s'::regclass AND 'gin_pending_list_limit=%d' = ANY(reloptions)", index, limit)) != 1 {
			t.Errorf("the limit of %s is not %d", index, limit)
		}
	}
}

func TestRefuses(t *testing.T) {
	if _, err := riverinbox.NewPostgres(nil, riverinbox.Options{}); err == nil {
		t.Error("nil pool: no error")
	}
	if _, err := riverinbox.NewSQLite(nil, riverinbox.Options{}); err == nil {
		t.Error("nil database: no error")
	}
	if _, err := riverinbox.NewInboxHandler[*sql.Tx](nil, secret); err == nil {
		t.Error("nil inbox: no error")
	}
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := riverinbox.NewSQLite(db, riverinbox.Options{Workers: -1}); err == nil {
		t.Error("-1 workers: no error")
	}
	b, err := riverinbox.NewSQLite(db, riverinbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "Handler") {
		t.Errorf("Start without a handler: %v", err)
	}
	if _, err := riverinbox.NewInboxHandler(b); !errors.Is(err, gocardless.ErrWebhookSecret) {
		t.Errorf("no secret: %v", err)
	}
	// The database has no tables: a delivery is not acknowledged.
	endpoint, err := riverinbox.NewInboxHandler(b, secret)
	if err != nil {
		t.Fatal(err)
	}
	if status := (&bed{endpoint: endpoint}).deliver(delivery(event("EV1", 0, "PM1"))); status != http.StatusInternalServerError {
		t.Errorf("status = %d", status)
	}
	if _, ok := riverinbox.Tx[*sql.Tx](t.Context()); ok {
		t.Error("a transaction outside of a handler")
	}
}
