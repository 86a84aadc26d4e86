package bulksqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// kind is a kind of database.
type kind struct {
	name    string
	dialect bulk.Dialect
	driver  string
}

var kinds = []kind{{"SQLite", bulk.SQLite, "sqlite"}, {"PostgreSQL", bulk.PostgreSQL, "pgx"}}

var schemas atomic.Int64

// source returns the data source name of an empty database: a file, or a schema of its own that is
// dropped after the test.
func (k kind) source(t *testing.T) string {
	if k.dialect == bulk.SQLite {
		return "file:" + filepath.Join(t.TempDir(), "journal.db") + "?_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
	}
	dsn := os.Getenv("GOCARDLESS_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("GOCARDLESS_TEST_POSTGRES is not set: see scripts/postgres.sh")
	}
	schema := fmt.Sprintf("bulk%d_%d", os.Getpid(), schemas.Add(1))
	db := k.open(t, dsn)
	if _, err := db.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
	})
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "search_path=" + schema
}

func (k kind) open(t *testing.T, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(k.driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (k kind) journal(t *testing.T, db *sql.DB, run string) *bulk.SQLJournal {
	t.Helper()
	j, err := bulk.NewSQLJournal(db, k.dialect, bulk.SQLOptions{Run: run})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

// each runs a test with every journal, empty.
func each(t *testing.T, f func(t *testing.T, j bulk.Journal)) {
	t.Run("memory", func(t *testing.T) { f(t, new(bulk.MemoryJournal)) })
	t.Run("file", func(t *testing.T) {
		j, err := bulk.OpenFile(filepath.Join(t.TempDir(), "run.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		f(t, j)
	})
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { f(t, k.journal(t, k.open(t, k.source(t)), "run 1")) })
	}
}

func claim(t *testing.T, j bulk.Journal, lease time.Duration, retryFailed bool, claims ...bulk.Claim) []bulk.Verdict {
	t.Helper()
	v, err := j.Claim(t.Context(), claims, time.Now().Add(lease), retryFailed)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func record(t *testing.T, j bulk.Journal, entries ...bulk.Entry) {
	t.Helper()
	if err := j.Record(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

func entries(t *testing.T, j bulk.Journal) map[string]bulk.Entry {
	t.Helper()
	all := map[string]bulk.Entry{}
	for e, err := range j.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[e.Key] = e
	}
	return all
}

// All journals have the same rules.
func TestJournals(t *testing.T) {
	each(t, func(t *testing.T, j bulk.Journal) {
		first := bulk.Header{Operation: "payments.create", Environment: "sandbox", Started: time.UnixMilli(1700000000000).UTC()}
		for _, h := range []bulk.Header{first, {Operation: "refunds.create", Environment: "live", Started: time.Now()}} {
			if stored, err := j.Begin(t.Context(), h); err != nil || stored != first {
				t.Fatalf("%+v: %v", stored, err)
			}
		}
		const granted, settled, busy, changed = bulk.Granted, bulk.Settled, bulk.Busy, bulk.Changed
		var all []bulk.Claim
		for _, key := range []string{"d", "a", "c", "b"} {
			all = append(all, bulk.Claim{Key: key, Fingerprint: "1"})
		}
		expect := func(what string, got []bulk.Verdict, want ...bulk.Verdict) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		expect("new", claim(t, j, time.Hour, false, all...), granted, granted, granted, granted)
		expect("claimed", claim(t, j, time.Hour, false, append(all, bulk.Claim{Key: "e", Fingerprint: "1"})...), busy, busy, busy, busy, granted)
		at := time.UnixMilli(1700000001234).UTC()
		a := bulk.Entry{Key: "a", State: bulk.Created, ID: "PM1", RequestID: "R1", Attempts: 2, At: at, Fingerprint: "1"}
		d := bulk.Entry{Key: "d", State: bulk.Failed, Error: "mandate_is_inactive", Message: "it's \"inactive\"", At: at, Fingerprint: "1"}
		record(t, j, d, a,
			bulk.Entry{Key: "b", State: bulk.Existing, ID: "PM2", At: at, Fingerprint: "1"},
			bulk.Entry{Key: "c", State: bulk.Open, Error: "timeout", At: at, Fingerprint: "1"})
		if got := entries(t, j); len(got) != 5 || got["a"] != a || got["d"] != d || got["e"].State != bulk.Open {
			t.Errorf("%+v", got)
		}
		expect("recorded", claim(t, j, -time.Hour, false, all...), settled, settled, granted, settled)
		expect("claim that ran out", claim(t, j, time.Hour, false, all...), settled, settled, granted, settled)
		expect("changed", claim(t, j, time.Hour, false, bulk.Claim{Key: "a", Fingerprint: "2"}, bulk.Claim{Key: "c", Fingerprint: "2"}), changed, changed)
		expect("failed, again", claim(t, j, time.Hour, true, all...), granted, settled, busy, settled)
		record(t, j, d)
		expect("failed, corrected", claim(t, j, time.Hour, false, bulk.Claim{Key: "d", Fingerprint: "2"}), granted)

		// A slow process does not replace the outcome of another one.
		record(t, j, bulk.Entry{Key: "a", State: bulk.Open, Fingerprint: "1"}, bulk.Entry{Key: "x", State: bulk.Created, ID: "PM9", Fingerprint: "1"})
		if got := entries(t, j); got["a"] != a || got["x"].ID != "PM9" {
			t.Errorf("%+v", got)
		}
	})
}

// Runs in one table are independent, and many processes can create the tables at once.
func TestRunsInOneTable(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			source := k.source(t)
			var all sync.WaitGroup
			for i := range 8 {
				db := k.open(t, source)
				all.Go(func() {
					j := k.journal(t, db, fmt.Sprint("run ", i))
					if v := claim(t, j, time.Hour, false, bulk.Claim{Key: "a", Fingerprint: fmt.Sprint(i)}); v[0] != bulk.Granted {
						t.Errorf("run %d: %v", i, v)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestSQLJournalRefuses(t *testing.T) {
	db := kinds[0].open(t, kinds[0].source(t))
	for want, make := range map[string]func() error{
		"Table": func() error {
			_, err := bulk.NewSQLJournal(db, bulk.SQLite, bulk.SQLOptions{Run: "r", Table: `a"b`})
			return err
		},
		"Run":      func() error { _, err := bulk.NewSQLJournal(db, bulk.SQLite, bulk.SQLOptions{}); return err },
		"dialect":  func() error { _, err := bulk.NewSQLJournal(db, 0, bulk.SQLOptions{Run: "r"}); return err },
		"database": func() error { _, err := bulk.NewSQLJournal(nil, bulk.SQLite, bulk.SQLOptions{Run: "r"}); return err },
		"schema":   func() error { _, err := bulk.Schema("a.b.c"); return err },
	} {
		if err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	text, err := bulk.Schema("billing.runs")
	if err != nil || strings.Count(text, ";\n") != 2 || !strings.Contains(text, `"billing"."runs_runs"`) {
		t.Errorf("%v\n%s", err, text)
	}
	// Without its tables a journal fails, and the run with it.
	j, err := bulk.NewSQLJournal(db, bulk.SQLite, bulk.SQLOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bulk.Run(t.Context(), gocardlesstest.New().Client(), bulk.Customers, lines(1), j, bulk.Options{}); err == nil {
		t.Error("a run without tables")
	}
}

func lines(n int) func(func(bulk.Line[gocardless.CustomerCreateParams]) bool) {
	return func(yield func(bulk.Line[gocardless.CustomerCreateParams]) bool) {
		for i := range n {
			params := gocardless.CustomerCreateParams{CompanyName: new("Acme"), Email: new("office@acmeplc.com"), Metadata: gocardless.Metadata{"line": fmt.Sprint(i)}}
			if !yield(bulk.Line[gocardless.CustomerCreateParams]{Key: fmt.Sprint("line-", i), Params: params}) {
				return
			}
		}
	}
}

// machine is the host of processes that crash.
type machine struct {
	mu      sync.Mutex
	random  *rand.Rand
	crashes int
}

// process is a process until it crashes: a transport that ends it at random points.
type process struct {
	machine *machine
	under   http.RoundTripper
	dead    atomic.Bool
	kill    context.CancelFunc
}

var errCrashed = errors.New("the process has crashed")

func (p *process) point() bool {
	p.machine.mu.Lock()
	defer p.machine.mu.Unlock()
	if p.machine.crashes > 0 && p.machine.random.IntN(10) == 0 {
		p.machine.crashes--
		p.dead.Store(true)
		p.kill()
	}
	return p.dead.Load()
}

func (p *process) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.point() {
		return nil, errCrashed
	}
	resp, err := p.under.RoundTrip(req)
	if p.point() {
		return nil, errCrashed
	}
	return resp, err
}

type mortal struct {
	bulk.Journal
	process *process
}

func (j mortal) Record(ctx context.Context, entries []bulk.Entry) error {
	if j.process.point() {
		return errCrashed
	}
	return j.Journal.Record(ctx, entries)
}

// Four processes share a database and crash repeatedly.
func TestCrashesWithADatabase(t *testing.T) {
	n, crashes := 1000, 100
	if testing.Short() {
		n, crashes = 200, 20
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			source := k.source(t)
			sandbox := gocardlesstest.New(gocardlesstest.WithRateLimit(1_000_000))
			m := &machine{random: rand.New(rand.NewPCG(3, 4)), crashes: crashes}
			k.journal(t, k.open(t, source), "november")
			var running sync.WaitGroup
			for range 4 {
				db := k.open(t, source)
				running.Go(func() {
					err := errCrashed
					for errors.Is(err, errCrashed) || errors.Is(err, context.Canceled) {
						err = live(t, m, sandbox, k.journal(t, db, "november"), n)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			running.Wait()
			ids := customerIDs(t, sandbox)
			journal := entries(t, k.journal(t, k.open(t, source), "november"))
			for key, e := range journal {
				if e.State != bulk.Created && e.State != bulk.Existing || !ids[e.ID] {
					t.Errorf("%s: %+v", key, e)
				}
				delete(ids, e.ID)
			}
			if len(journal) != n || len(ids) > 0 || m.crashes > 0 {
				t.Errorf("%d entries of %d lines, %d customers without one, %d crashes to come", len(journal), n, len(ids), m.crashes)
			}
		})
	}
}

// customerIDs returns the ids of the sandbox's customers.
func customerIDs(t *testing.T, sandbox *gocardlesstest.Sandbox) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for customer, err := range sandbox.Client().Customers.All(t.Context(), gocardless.CustomerListParams{Limit: 500}) {
		if err != nil {
			t.Fatal(err)
		}
		ids[customer.ID] = true
	}
	return ids
}

// live runs a process until it is done or crashes.
func live(t *testing.T, m *machine, sandbox *gocardlesstest.Sandbox, journal bulk.Journal, n int) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &process{machine: m, under: sandbox.Transport(), kill: cancel}
	client := sandbox.Client(gocardless.WithHTTPClient(&http.Client{Transport: p}))
	_, err := bulk.Run(ctx, client, bulk.Customers, lines(n), mortal{journal, p}, bulk.Options{Lease: 200 * time.Millisecond})
	return err
}
