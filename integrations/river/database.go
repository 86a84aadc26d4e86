package riverinbox

import (
	"context"
	"database/sql"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// schema are the inbox's own tables. River's list what is to be done; the first of these lists
// what is done, for longer than River keeps its jobs, and by whatever worker came first.
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

// database is what the two databases do differently. Statements have parameters as SQLite numbers
// them: ?1. A nil transaction means none.
type database[TTx any] interface {
	begin(ctx context.Context) (TTx, error)
	// lock keeps others from migrating at the same time, until unlock is called.
	lock(ctx context.Context) (unlock func(), err error)
	commit(ctx context.Context, tx TTx) error
	rollback(ctx context.Context, tx TTx)
	exec(ctx context.Context, tx *TTx, statement string, args ...any) (changed int64, err error)
	query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error
	// json returns an expression for a member of a job's arguments, as a string.
	json(member string) string
	// millis returns an expression for a time column in milliseconds since 1970.
	millis(column string) string
}

type postgres struct{ pool *pgxpool.Pool }

var parameter = regexp.MustCompile(`\?(\d+)`)

func numbered(statement string) string { return parameter.ReplaceAllString(statement, `$$$1`) }

func (p postgres) begin(ctx context.Context) (pgx.Tx, error)   { return p.pool.Begin(ctx) }
func (p postgres) commit(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }
func (p postgres) rollback(ctx context.Context, tx pgx.Tx) {
	_ = tx.Rollback(context.WithoutCancel(ctx))
}
func (p postgres) json(member string) string { return "args->>'" + member + "'" }
func (p postgres) millis(column string) string {
	return "(1000 * extract(epoch FROM " + column + "))::bigint"
}

func (p postgres) lock(ctx context.Context) (func(), error) {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	unlock := func() { p.rollback(ctx, tx) }
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('gocardless riverinbox'))`); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func (p postgres) exec(ctx context.Context, tx *pgx.Tx, statement string, args ...any) (int64, error) {
	run := p.pool.Exec
	if tx != nil {
		run = (*tx).Exec
	}
	tag, err := run(ctx, numbered(statement), args...)
	return tag.RowsAffected(), err
}

func (p postgres) query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error {
	rows, err := p.pool.Query(ctx, numbered(statement), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

type sqlite struct{ db *sql.DB }

func (s sqlite) begin(ctx context.Context) (*sql.Tx, error) { return s.db.BeginTx(ctx, nil) }
func (s sqlite) commit(_ context.Context, tx *sql.Tx) error { return tx.Commit() }
func (s sqlite) rollback(_ context.Context, tx *sql.Tx)     { _ = tx.Rollback() }
func (s sqlite) json(member string) string                  { return "args->>'$." + member + "'" }
func (s sqlite) millis(column string) string {
	return "CAST((julianday(" + column + ") - 2440587.5) * 86400000 AS integer)"
}

func (s sqlite) lock(context.Context) (func(), error) { return func() {}, nil }

func (s sqlite) exec(ctx context.Context, tx **sql.Tx, statement string, args ...any) (int64, error) {
	run := s.db.ExecContext
	if tx != nil {
		run = (*tx).ExecContext
	}
	result, err := run(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s sqlite) query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error {
	rows, err := s.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
