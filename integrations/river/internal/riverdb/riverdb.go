// Package riverdb gives the packages of this module access to the two databases alongside River.
package riverdb

import (
	"context"
	"database/sql"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Database has the operations that differ between the databases. Statements number their parameters
// as in SQLite: ?1. A nil transaction means none.
type Database[TTx any] interface {
	Begin(ctx context.Context) (TTx, error)
	// Lock keeps other processes from migrating until unlock is called.
	Lock(ctx context.Context) (unlock func(), err error)
	Commit(ctx context.Context, tx TTx) error
	Rollback(ctx context.Context, tx TTx)
	Exec(ctx context.Context, tx *TTx, statement string, args ...any) (changed int64, err error)
	Query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error
	// Tune sets the database options that keep inserting many jobs fast, unless they are set.
	Tune(ctx context.Context) error
	// Millis returns an expression for a time column in milliseconds since 1970.
	Millis(column string) string
}

// Postgres returns a database in PostgreSQL.
func Postgres(pool *pgxpool.Pool) Database[pgx.Tx] { return postgres{pool} }

// SQLite returns a database in SQLite.
func SQLite(db *sql.DB) Database[*sql.Tx] { return sqlite{db} }

type postgres struct{ pool *pgxpool.Pool }

var parameter = regexp.MustCompile(`\?(\d+)`)

func numbered(statement string) string { return parameter.ReplaceAllString(statement, `$$$1`) }

func (p postgres) Begin(ctx context.Context) (pgx.Tx, error)   { return p.pool.Begin(ctx) }
func (p postgres) Commit(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }
func (p postgres) Rollback(ctx context.Context, tx pgx.Tx) {
	_ = tx.Rollback(context.WithoutCancel(ctx))
}
func (p postgres) Millis(column string) string {
	return "(1000 * extract(epoch FROM " + column + "))::bigint"
}

func (p postgres) Lock(ctx context.Context) (func(), error) {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	unlock := func() { p.Rollback(ctx, tx) }
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('gocardless riverinbox'))`); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// Tune shortens the pending lists of River's GIN indexes. An INSERT that fills such a list writes all
// of it to the index: with PostgreSQL's default of 4 MB that takes 50 ms for every 50th delivery, and
// with 256 kB 5 ms for every third.
func (p postgres) Tune(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, `DO $$
		DECLARE index regclass;
		BEGIN
			FOR index IN
				SELECT i.oid FROM pg_class i JOIN pg_index x ON x.indexrelid = i.oid JOIN pg_am a ON a.oid = i.relam
				WHERE x.indrelid = 'river_job'::regclass AND a.amname = 'gin' AND NOT coalesce(array_to_string(i.reloptions, ' '), '') LIKE '%gin_pending_list_limit%'
			LOOP
				EXECUTE format('ALTER INDEX %s SET (gin_pending_list_limit = 256)', index);
			END LOOP;
		END $$`)
	return err
}

func (p postgres) Exec(ctx context.Context, tx *pgx.Tx, statement string, args ...any) (int64, error) {
	run := p.pool.Exec
	if tx != nil {
		run = (*tx).Exec
	}
	tag, err := run(ctx, numbered(statement), args...)
	return tag.RowsAffected(), err
}

func (p postgres) Query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error {
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

func (s sqlite) Begin(ctx context.Context) (*sql.Tx, error) { return s.db.BeginTx(ctx, nil) }
func (s sqlite) Commit(_ context.Context, tx *sql.Tx) error { return tx.Commit() }
func (s sqlite) Rollback(_ context.Context, tx *sql.Tx)     { _ = tx.Rollback() }
func (s sqlite) Millis(column string) string {
	return "CAST((julianday(" + column + ") - 2440587.5) * 86400000 AS integer)"
}

func (s sqlite) Tune(context.Context) error { return nil }

func (s sqlite) Lock(context.Context) (func(), error) { return func() {}, nil }

func (s sqlite) Exec(ctx context.Context, tx **sql.Tx, statement string, args ...any) (int64, error) {
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

func (s sqlite) Query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error {
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
