package riverbulk_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/rivertest"
	"github.com/gocardless-community/gocardless-go/integrations/river/riverbulk"
)

type (
	payment = gocardless.PaymentCreateParams
	line    = bulk.Line[payment]
	lines   = iter.Seq[line]
)

// queue is the part of a River client that the tests need, for any database.
type queue interface {
	Start(context.Context) error
	Stop(context.Context) error
	QueueResume(context.Context, string, *river.QueuePauseOpts) error
	JobList(context.Context, *river.JobListParams) (*river.JobListResult, error)
	JobRetry(context.Context, int64) (*rivertype.JobRow, error)
}

// bed is a run in any database.
type bed struct {
	queue
	run interface {
		bulk.Entries
		Report(context.Context) (riverbulk.Report, error)
		Wait(context.Context, time.Duration, func(riverbulk.Report)) (riverbulk.Report, error)
		Cancel(context.Context) (int, error)
	}
	insert func(*gocardless.Client, lines) (riverbulk.Report, error)
	dryRun func(*gocardless.Client, lines, bulk.Options) (bulk.Report, error)
	exec   func(statement string)
}

// newBed returns a run whose worker has the client.
func newBed[TTx any](t testing.TB, driver riverdriver.Driver[TTx], client *gocardless.Client, worker riverbulk.WorkerOptions,
	newRun func(*river.Client[TTx]) (*riverbulk.Run[TTx], error), exec func(string) error) *bed {
	w, err := riverbulk.NewWorker[TTx](client, worker)
	if err != nil {
		t.Fatal(err)
	}
	config := &river.Config{}
	rivertest.Quick(config)
	config.JobTimeout, config.RescueStuckJobsAfter = 2*time.Second, 3*time.Second // the jobs of a killed worker are soon taken over
	w.Configure(config)
	queue, err := river.NewClient(driver, config)
	if err != nil {
		t.Fatal(err)
	}
	run, err := newRun(queue)
	if err != nil {
		t.Fatal(err)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: config.Logger})
	if err == nil {
		_, err = migrator.Migrate(context.Background(), rivermigrate.DirectionUp, nil)
	}
	for range 2 { // the second time it does nothing
		if err == nil {
			err = run.Migrate(context.Background())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return &bed{
		queue: queue, run: run,
		insert: func(c *gocardless.Client, l lines) (riverbulk.Report, error) {
			return riverbulk.Insert(context.Background(), c, bulk.Payments, l, run)
		},
		dryRun: func(c *gocardless.Client, l lines, o bulk.Options) (bulk.Report, error) {
			return riverbulk.DryRun(context.Background(), c, bulk.Payments, l, run, o)
		},
		exec: func(statement string) {
			if err := exec(statement); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// openBed returns a run in the database of an address.
func openBed(t testing.TB, source string, client *gocardless.Client, worker riverbulk.WorkerOptions, options riverbulk.Options) *bed {
	options.Run = "2026-11"
	if strings.HasPrefix(source, "file:") {
		db, err := sql.Open("sqlite", source)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = db.Close() })
		return newBed(t, riversqlite.New(db), client, worker,
			func(q *river.Client[*sql.Tx]) (*riverbulk.Run[*sql.Tx], error) {
				return riverbulk.NewSQLite(db, q, options)
			},
			func(s string) error { _, err := db.Exec(s); return err })
	}
	pool, err := pgxpool.New(context.Background(), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return newBed(t, riverpgxv5.New(pool), client, worker,
		func(q *river.Client[pgx.Tx]) (*riverbulk.Run[pgx.Tx], error) {
			return riverbulk.NewPostgres(pool, q, options)
		},
		func(s string) error { _, err := pool.Exec(context.Background(), s); return err })
}

// each runs a test with both databases.
func each(t *testing.T, f func(t *testing.T, source string)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel() // they wait for River's polls
		f(t, rivertest.SQLite(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		f(t, rivertest.Postgres(t))
	})
}

func (b *bed) start(t testing.TB) {
	t.Helper()
	if err := b.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// wait waits for the workers and compares the report.
func (b *bed) wait(t testing.TB, want riverbulk.Report) {
	t.Helper()
	got, err := b.run.Wait(t.Context(), 20*time.Millisecond, nil)
	if err != nil || got != want {
		t.Fatalf("report: %v, %v, want %v", got, err, want)
	}
}

// at waits until the run has the report.
func (b *bed) at(t testing.TB, want riverbulk.Report) {
	t.Helper()
	var got riverbulk.Report
	rivertest.Until(t, fmt.Sprint(want), func() bool {
		var err error
		if got, err = b.run.Report(t.Context()); err != nil {
			t.Fatal(err)
		}
		return got == want
	})
}

func (b *bed) entries(t testing.TB) map[string]bulk.Entry {
	t.Helper()
	all := map[string]bulk.Entry{}
	for e, err := range b.run.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[e.Key] = e
	}
	return all
}

// bill returns a line for each amount, with a key made of it.
func bill(mandate string, amounts ...int64) []line {
	var list []line
	for _, amount := range amounts {
		list = append(list, line{Key: fmt.Sprint("2026-11-", amount), Params: payment{
			Amount: amount, Currency: gocardless.CurrencyGBP, ChargeDate: &gocardless.Date{Year: 2027, Month: 3, Day: 1},
			Metadata: gocardless.Metadata{"invoice": "<ü>"}, Links: gocardless.PaymentCreateParamsLinks{Mandate: mandate},
		}})
	}
	return list
}

// sandbox returns a sandbox with a mandate.
func sandbox(t testing.TB) (*gocardlesstest.Sandbox, *gocardless.Client, string) {
	s := gocardlesstest.New()
	client := s.Client(gocardless.WithRetries(0))
	return s, client, newMandate(t, client)
}

func newMandate(t testing.TB, client *gocardless.Client) string {
	ctx := context.Background()
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new("frank@acmeplc.com"), CountryCode: new("GB"),
	})
	if err != nil {
		t.Fatal(err)
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Frank Osborne"), IBAN: new("GB60BARC20000055779911"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	mandate, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID}})
	if err != nil {
		t.Fatal(err)
	}
	return mandate.ID
}

// amounts returns the amounts of all payments, in order.
func amounts(t testing.TB, client *gocardless.Client) (list []int64) {
	t.Helper()
	for p, err := range client.Payments.All(context.Background(), gocardless.PaymentListParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p.Amount)
	}
	slices.Sort(list)
	return list
}

// A run from the dry run to its report, with lines that repeat, are refused, and fail at first.
func TestRun(t *testing.T) {
	each(t, func(t *testing.T, source string) {
		s, client, mandate := sandbox(t)
		b := openBed(t, source, client, riverbulk.WorkerOptions{MaxErrorRate: 1, Workers: 1}, riverbulk.Options{})
		all := slices.Concat(bill(mandate, 100, 101, 102), bill("MD404", 103), bill(mandate, 104, 101))
		all[4].Params.Metadata = gocardless.Metadata{"a": "", "b": "", "c": "", "d": ""}
		all[0].Params.Description = new("a payment <&> of a “month”")

		refused := map[string]string{}
		dry, err := b.dryRun(client, slices.Values(all), bulk.Options{OnEntry: func(e bulk.Entry) {
			if e.State == bulk.Failed {
				refused[e.Key] = e.Message
			}
		}})
		if err != nil || dry.Created != 4 || dry.Failed != 1 || dry.Repeated != 1 || !strings.Contains(refused["2026-11-104"], "metadata") {
			t.Errorf("dry run: %v, %v, %v", dry, err, refused)
		}
		if n := len(b.entries(t)); n != 0 {
			t.Errorf("the dry run inserted %d lines", n)
		}

		s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 502, After: true})
		s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 503, Times: 2})
		if got, err := b.insert(client, slices.Values(all)); err != nil || got != (riverbulk.Report{Lines: 5, Waiting: 5}) {
			t.Errorf("inserted: %v, %v", got, err)
		}
		b.start(t)
		b.wait(t, riverbulk.Report{Lines: 5, Created: 2, Existing: 1, Failed: 2})
		if got, err := b.insert(client, slices.Values(all)); err != nil || got != (riverbulk.Report{Lines: 5, Created: 2, Existing: 1, Failed: 2}) {
			t.Errorf("inserted again: %v, %v", got, err)
		}
		if got := amounts(t, client); !slices.Equal(got, []int64{100, 101, 102}) {
			t.Errorf("payments of %v", got)
		}

		entries := b.entries(t)
		if e := entries["2026-11-100"]; e.ID == "" || e.RequestID == "" || e.At.IsZero() || e.Fingerprint == "" {
			t.Errorf("entry %+v", e)
		}
		if e := entries["2026-11-103"]; e.State != bulk.Failed || !strings.Contains(e.Message, "mandate") {
			t.Errorf("entry %+v", e)
		}
		var csv bytes.Buffer
		if err := bulk.WriteCSV(t.Context(), &csv, b.run); err != nil || strings.Count(csv.String(), "\n") != 6 {
			t.Errorf("%s, %v", &csv, err)
		}
		p, err := client.Payments.Get(t.Context(), entries["2026-11-100"].ID)
		if err != nil || p.Description != *all[0].Params.Description || p.Metadata["invoice"] != "<ü>" || p.ChargeDate != *all[0].Params.ChargeDate {
			t.Errorf("payment %+v, %v", p, err)
		}

		// A refused line can be corrected, a created one cannot.
		dry, err = b.dryRun(client, slices.Values(bill(mandate, 103)), bulk.Options{})
		if err != nil || dry.Created != 1 {
			t.Errorf("dry run: %v, %v", dry, err)
		}
		if _, err := b.insert(client, slices.Values(bill(mandate, 103))); err != nil {
			t.Error(err)
		}
		b.wait(t, riverbulk.Report{Lines: 5, Created: 3, Existing: 1, Failed: 1})
		changed := bill(mandate, 101)
		changed[0].Params.Amount++
		if _, err := b.insert(client, slices.Values(changed)); !errors.Is(err, bulk.ErrKeyReused) {
			t.Errorf("other params: %v", err)
		}
		if _, err := b.insert(client, slices.Values(slices.Concat(bill(mandate, 500), bill("MD1", 500)))); !errors.Is(err, bulk.ErrKeyReused) {
			t.Errorf("other params in a batch: %v", err)
		}

		// A job that is done stays done, even if it is retried.
		s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 500, Times: -1})
		b.retryAll(t)
		b.at(t, riverbulk.Report{Lines: 5, Created: 3, Existing: 1, Failed: 1})
	})
}

// retryAll does what the button of River's page does, for the jobs that are done.
func (b *bed) retryAll(t *testing.T) {
	t.Helper()
	done, err := b.JobList(t.Context(), river.NewJobListParams().States(rivertype.JobStateCompleted))
	if err != nil || len(done.Jobs) == 0 {
		t.Fatal(err)
	}
	for _, job := range done.Jobs {
		if _, err := b.JobRetry(t.Context(), job.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// Too many errors pause the queue; resumed, the run finishes.
func TestErrorRate(t *testing.T) {
	each(t, func(t *testing.T, source string) {
		s, client, mandate := sandbox(t)
		b := openBed(t, source, client, riverbulk.WorkerOptions{MaxErrorRate: 0.05, Workers: 2}, riverbulk.Options{MaxAttempts: 1000})
		outage := s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 503, Times: -1})
		if _, err := b.insert(client, slices.Values(bill(mandate, 100, 101, 102))); err != nil {
			t.Fatal(err)
		}
		b.start(t)
		if r, err := b.run.Wait(t.Context(), 10*time.Millisecond, nil); !errors.Is(err, riverbulk.ErrPaused) || r.Open() != 3 {
			t.Fatalf("%v, %v", r, err)
		}
		outage.Remove()
		if err := b.QueueResume(t.Context(), riverbulk.DefaultQueue, nil); err != nil {
			t.Fatal(err)
		}
		b.wait(t, riverbulk.Report{Lines: 3, Created: 3})
	})
}

// Another Insert restarts lines that were cancelled or failed too often.
func TestStopped(t *testing.T) {
	each(t, func(t *testing.T, source string) {
		s, client, mandate := sandbox(t)
		b := openBed(t, source, client, riverbulk.WorkerOptions{MaxErrorRate: 1}, riverbulk.Options{MaxAttempts: 2})
		all := bill(mandate, 100, 101, 102)
		if _, err := b.insert(client, slices.Values(all)); err != nil {
			t.Fatal(err)
		}
		if n, err := b.run.Cancel(t.Context()); n != 3 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		b.at(t, riverbulk.Report{Lines: 3, Stopped: 3})
		outage := s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 503, Times: -1})
		if _, err := b.insert(client, slices.Values(all)); err != nil {
			t.Fatal(err)
		}
		b.start(t)
		b.wait(t, riverbulk.Report{Lines: 3, Stopped: 3})
		if e := b.entries(t)["2026-11-100"]; e.State != bulk.Open || e.Message == "" {
			t.Errorf("%+v", e)
		}
		outage.Remove()
		if _, err := b.insert(client, slices.Values(all)); err != nil {
			t.Fatal(err)
		}
		b.wait(t, riverbulk.Report{Lines: 3, Created: 3})
	})
}

// With RetryFailed, refused lines are sent again.
func TestRetryFailed(t *testing.T) {
	s, client, mandate := sandbox(t)
	b := openBed(t, rivertest.SQLite(t), client, riverbulk.WorkerOptions{}, riverbulk.Options{RetryFailed: true})
	s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 422})
	b.start(t)
	for _, want := range []riverbulk.Report{{Lines: 1, Failed: 1}, {Lines: 1, Created: 1}} {
		if _, err := b.insert(client, slices.Values(bill(mandate, 100))); err != nil {
			t.Fatal(err)
		}
		b.wait(t, want)
	}
}

// After 29 days, a line that may have been sent before is not sent again.
func TestTooOld(t *testing.T) {
	each(t, func(t *testing.T, source string) {
		s, client, mandate := sandbox(t)
		b := openBed(t, source, client, riverbulk.WorkerOptions{MaxErrorRate: 1}, riverbulk.Options{MaxAttempts: 1})
		s.Inject(gocardlesstest.Fault{Operation: "payments.create", Status: 502, After: true})
		b.start(t)
		if _, err := b.insert(client, slices.Values(bill(mandate, 100))); err != nil {
			t.Fatal(err)
		}
		b.wait(t, riverbulk.Report{Lines: 1, Stopped: 1})
		b.exec("UPDATE river_job SET created_at = '2020-01-01 00:00:00'")
		if _, err := b.insert(client, slices.Values(bill(mandate, 100, 101))); err != nil {
			t.Fatal(err)
		}
		b.wait(t, riverbulk.Report{Lines: 2, Created: 1, Stopped: 1})
		b.exec("UPDATE gocardless_runs SET started_ms = 0")
		if _, err := b.insert(client, slices.Values(bill(mandate, 102))); !errors.Is(err, bulk.ErrTooOld) {
			t.Errorf("a run of 1970: %v", err)
		}
		if got := amounts(t, client); !slices.Equal(got, []int64{100, 101}) {
			t.Errorf("payments of %v", got)
		}
	})
}

// Lines for the live API are not sent by a worker of the sandbox.
func TestEnvironment(t *testing.T) {
	_, client, mandate := sandbox(t)
	live, err := gocardless.New("token", gocardless.EnvironmentLive)
	if err != nil {
		t.Fatal(err)
	}
	b := openBed(t, rivertest.SQLite(t), client, riverbulk.WorkerOptions{MaxErrorRate: 0.01}, riverbulk.Options{MaxAttempts: 1000})
	if _, err := b.insert(live, slices.Values(bill(mandate, 100))); err != nil {
		t.Fatal(err)
	}
	if _, err := b.insert(client, slices.Values(bill(mandate, 101))); err == nil {
		t.Error("lines of two environments in a run")
	}
	b.start(t)
	if r, err := b.run.Wait(t.Context(), 10*time.Millisecond, nil); !errors.Is(err, riverbulk.ErrPaused) || r.Open() != 1 {
		t.Errorf("%v, %v", r, err)
	}
	if got := amounts(t, client); len(got) > 0 {
		t.Errorf("payments of %v", got)
	}
}

func TestRefuses(t *testing.T) {
	_, client, mandate := sandbox(t)
	b := openBed(t, rivertest.SQLite(t), client, riverbulk.WorkerOptions{}, riverbulk.Options{})
	nul := bill(mandate, 100)
	nul[0].Params.Description = new("\x00")
	unread := errors.New("unread")
	for name, l := range map[string][]line{"bad key": {{Key: "a\nb"}}, "NUL": nul, "unread": {{Err: unread}}} {
		if _, err := b.insert(client, slices.Values(l)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := b.insert(nil, slices.Values(nul)); err == nil {
		t.Error("nil client: no error")
	}
	if _, err := b.run.Wait(t.Context(), 0, nil); err == nil {
		t.Error("no interval: no error")
	}
	for _, o := range []riverbulk.WorkerOptions{{Workers: -1}, {MaxErrorRate: 2}, {Timeout: -1}} {
		if _, err := riverbulk.NewWorker[*sql.Tx](client, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := riverbulk.NewWorker[*sql.Tx](nil, riverbulk.WorkerOptions{}); err == nil {
		t.Error("nil client: no error")
	}
	if _, err := riverbulk.NewSQLite(nil, nil, riverbulk.Options{Run: "x"}); err == nil {
		t.Error("nil database: no error")
	}
	if _, err := riverbulk.NewPostgres(nil, nil, riverbulk.Options{Run: "x"}); err == nil {
		t.Error("nil pool: no error")
	}
}
