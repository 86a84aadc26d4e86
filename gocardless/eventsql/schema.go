package eventsql

import (
	"context"
	"fmt"
	"strings"
)

// Schema returns the statements that create the tables of a store, for a migration of your own:
// each ends with a semicolon and a line end. An empty table means DefaultTable.
func Schema(dialect Dialect, table string) (string, error) {
	names, err := tableNames(table)
	if err != nil {
		return "", err
	}
	q, err := dialect.queries(names)
	if err != nil {
		return "", err
	}
	return strings.Join(q.schema, ";\n") + ";\n", nil
}

// CreateSchema creates the tables of the store where they do not exist. Several workers may do
// so at the same time. It leaves existing tables as they are.
func (s *Store) CreateSchema(ctx context.Context) error {
	err := s.retry(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if s.dialect == PostgreSQL {
			// IF NOT EXISTS alone does not keep two sessions from creating the same table:
			// the second one fails on the catalogue's unique index.
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, "gocardless eventsql "+s.options.Table); err != nil {
				return err
			}
		}
		for _, statement := range s.q.schema {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
	if err != nil {
		return fmt.Errorf("eventsql: creating the schema: %w", err)
	}
	return nil
}
