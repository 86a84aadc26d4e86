package main

import (
	"context"
	"database/sql"
	"errors"
)

type member struct {
	ID                    int64
	Name, Email, State    string
	Mandate, Subscription sql.NullString
}

type charge struct {
	ID, Amount           int64
	Description, Mandate string
}

type payment struct {
	ID, Status, Member string
	Amount, Refunded   int64
}

// query returns all rows of a query. It reads them before the caller works on them, so that no
// connection is in use during an API call.
func query[T any](ctx context.Context, db *sql.DB, text string, columns func(*T) []any, args ...any) (list []T, err error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v T
		if err := rows.Scan(columns(&v)...); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

func (c *Club) members(ctx context.Context) ([]member, error) {
	return query(ctx, c.db, `SELECT id, name, email, state, mandate, subscription FROM members ORDER BY id DESC`,
		func(m *member) []any { return []any{&m.ID, &m.Name, &m.Email, &m.State, &m.Mandate, &m.Subscription} })
}

func (c *Club) payments(ctx context.Context) ([]payment, error) {
	return query(ctx, c.db, `SELECT payments.id, status, coalesce(name, ''), coalesce(amount, 0), refunded FROM payments
		LEFT JOIN members ON members.mandate = payments.mandate ORDER BY changed DESC, payments.id DESC`,
		func(p *payment) []any { return []any{&p.ID, &p.Status, &p.Member, &p.Amount, &p.Refunded} })
}
