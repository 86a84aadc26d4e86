// Package rivertest has helpers for tests of River jobs.
package rivertest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

var schemas atomic.Int64

// Postgres returns the address of an empty schema on a real server. It is dropped after the test.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv("GOCARDLESS_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("GOCARDLESS_TEST_POSTGRES is not set: see scripts/postgres.sh")
	}
	schema := fmt.Sprintf("river%d_%d", os.Getpid(), schemas.Add(1))
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(context.Background(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Error(err)
		}
		_ = conn.Close(context.Background())
	})
	return dsn + "&search_path=" + schema
}

// SQLite returns the address of an empty database. It is deleted after the test.
func SQLite(t testing.TB) string {
	return "file:" + filepath.Join(t.TempDir(), "river.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
}

// Quick makes River retry at once and poll often, and discards its log.
func Quick(c *river.Config) {
	c.FetchCooldown, c.FetchPollInterval = 5*time.Millisecond, 20*time.Millisecond
	c.RetryPolicy = AtOnce(time.Now)
	c.Logger = slog.New(slog.DiscardHandler)
}

// AtOnce is a retry policy without a wait, by a clock.
type AtOnce func() time.Time

// NextRetry implements [river.ClientRetryPolicy].
func (now AtOnce) NextRetry(*rivertype.JobRow) time.Time { return now() }

// Until waits for a condition, up to five minutes, which suffices on any machine.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after five minutes still not: %s", what)
		}
	}
}
