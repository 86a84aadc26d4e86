package eventsqltest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
)

// database is a kind of database to test with.
type database struct {
	name    string
	dialect eventsql.Dialect
	driver  string
	dsn     string // empty: a new SQLite file for each test
}

func databases() []database {
	dsn := os.Getenv("GOCARDLESS_TEST_POSTGRES")
	list := []database{{"SQLite", eventsql.SQLite, "sqlite", ""}}
	return append(list,
		database{"PostgreSQL-pgx", eventsql.PostgreSQL, "pgx", dsn},
		database{"PostgreSQL-pq", eventsql.PostgreSQL, "postgres", dsn})
}

// each runs a test with every kind of database.
func each(t *testing.T, f func(t *testing.T, d database)) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			if d.dialect == eventsql.PostgreSQL && d.dsn == "" {
				t.Skip("GOCARDLESS_TEST_POSTGRES is not set: see scripts/postgres.sh")
			}
			f(t, d)
		})
	}
}

var schemas atomic.Int64

// dataSource returns the data source name of an empty database: a file, or a schema of its own
// that is dropped after the test.
func (d database) dataSource(t *testing.T) string {
	if d.dialect == eventsql.SQLite {
		return "file:" + filepath.Join(t.TempDir(), "events.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
	}
	schema := fmt.Sprintf("t%d_%d", os.Getpid(), schemas.Add(1))
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	separator := "?"
	if strings.Contains(d.dsn, "?") {
		separator = "&"
	}
	return d.dsn + separator + "search_path=" + schema
}

func (d database) open(t *testing.T, dataSource string) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, dataSource)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	return db
}

// store returns a store in an empty database.
func (d database) store(t *testing.T, options eventsql.Options) (*eventsql.Store, *sql.DB) {
	t.Helper()
	db := d.open(t, d.dataSource(t))
	return d.storeIn(t, db, options), db
}

func (d database) storeIn(t *testing.T, db *sql.DB, options eventsql.Options) *eventsql.Store {
	t.Helper()
	store, err := eventsql.New(db, d.dialect, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// ledger creates a table for the writes of handlers. It has no key: only the store keeps a row from
// being in it twice.
func ledger(t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.Exec("CREATE TABLE ledger (event text NOT NULL, worker text NOT NULL)"); err != nil {
		t.Fatal(err)
	}
}

// rows returns how often each event is in the ledger.
func rows(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	found, err := db.Query("SELECT event, count(*) FROM ledger GROUP BY event")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	counts := map[string]int{}
	for found.Next() {
		var event string
		var n int
		if err := found.Scan(&event, &n); err != nil {
			t.Fatal(err)
		}
		counts[event] = n
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}

// insert is the statement that writes to the ledger.
func (d database) insert() string {
	if d.dialect == eventsql.SQLite {
		return "INSERT INTO ledger (event, worker) VALUES (?1, ?2)"
	}
	return "INSERT INTO ledger (event, worker) VALUES ($1, $2)"
}

// expire ends all leases, as if their time had passed.
func expire(t *testing.T, d database, db *sql.DB) {
	t.Helper()
	past := "clock_timestamp() - interval '1 second'"
	if d.dialect == eventsql.SQLite {
		past = "0"
	}
	if _, err := db.Exec("UPDATE gocardless_events SET claimed_until = " + past + " WHERE state = 'claimed'"); err != nil {
		t.Fatal(err)
	}
}
