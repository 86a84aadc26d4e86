package eventsql

import (
	"context"
	"fmt"
	"strings"
)

// Schema returns the statements that create the tables of a store, for your own migration: each
// ends with a semicolon and a newline. An empty table means DefaultTable.
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

// CreateSchema creates the tables of the store if they do not exist, and leaves existing tables as
// they are. Several workers may call it at the same time, even if they spell the table differently.
func (s *Store) CreateSchema(ctx context.Context) error {
	err := s.retry(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if s.dialect == PostgreSQL {
			// IF NOT EXISTS alone does not keep two sessions from creating the same table:
			// the second one fails on the catalogue's unique index. One lock serves all
			// tables, because one table has several names: with and without its schema.
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('gocardless eventsql'))`); err != nil {
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
