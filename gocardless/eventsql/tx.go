package eventsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

type claimKey struct{}

// errNoClaim is the error of functions that only a handler may call.
var errNoClaim = errors.New("eventsql: the context does not come from a handler that a Store called")

// Tx returns the transaction that the store began for the event being handled, or nil if
// [Options.Transaction] is not set. The handler's writes in it are committed together with the mark
// that the event is done, and rolled back if the handler returns an error. The handler must not
// commit it or roll it back.
func Tx(ctx context.Context) *sql.Tx {
	if c, ok := ctx.Value(claimKey{}).(*claim); ok {
		return c.tx
	}
	return nil
}

// TxHandler returns a handler that calls the function with the store's transaction; see [Tx].
// It needs a store with Options.Transaction, and fails otherwise.
func TxHandler(handle func(ctx context.Context, tx *sql.Tx, event gocardless.Event) error) gocardless.EventHandlerFunc {
	return func(ctx context.Context, event gocardless.Event) error {
		tx := Tx(ctx)
		if tx == nil {
			return errors.New("eventsql: TxHandler needs a Store with Options.Transaction")
		}
		return handle(ctx, tx, event)
	}
}

// MarkDone marks the event being handled as done in a transaction of the handler's own, which must
// be a transaction of the store's database. The handler must then commit it and return nil. If
// another worker has taken the event over in the meantime, MarkDone returns
// [gocardless.ErrClaimLost], and the handler must roll the transaction back.
func MarkDone(ctx context.Context, tx *sql.Tx) error {
	return MarkDoneFunc(ctx, func(ctx context.Context, query string, args ...any) (int64, error) {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
}

// MarkDoneFunc is [MarkDone] for transactions of other packages than database/sql. The function must
// execute the statement in the transaction and return the number of rows that it changed. With pgx:
//
//	err := eventsql.MarkDoneFunc(ctx, func(ctx context.Context, query string, args ...any) (int64, error) {
//		tag, err := tx.Exec(ctx, query, args...)
//		return tag.RowsAffected(), err
//	})
func MarkDoneFunc(ctx context.Context, exec func(ctx context.Context, query string, args ...any) (int64, error)) error {
	c, ok := ctx.Value(claimKey{}).(*claim)
	if !ok {
		return errNoClaim
	}
	if c.tx != nil {
		return errors.New("eventsql: MarkDone must not be called with Options.Transaction: the Store marks the event itself")
	}
	c.marked.Store(true)
	n, err := exec(ctx, c.store.q.done, c.id, c.token)
	if err != nil {
		return fmt.Errorf("eventsql: marking event as done: %w", err)
	}
	if n == 0 {
		return gocardless.ErrClaimLost
	}
	return nil
}
