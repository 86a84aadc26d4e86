package eventsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// wrapUp is how long the store tries to write down how a handler ended. The request that
// brought the event may have ended by then, which must not lose the outcome.
const wrapUp = 10 * time.Second

// claim is a worker's right to handle an event, as long as token is the one in the table.
type claim struct {
	store     *Store
	id, token string
	tx        *sql.Tx // the store's transaction, if it began one

	// marked is set when the handler marks the event in a transaction of its own.
	marked atomic.Bool
	// extended is set when the lease was extended, in the table of leases.
	extended atomic.Bool
}

// run calls the handler and writes down how it ended.
func (c *claim) run(ctx context.Context, handle func(context.Context) error) error {
	defer c.endLease(ctx) // not before the event is marked, or another worker could take it
	if err := c.begin(ctx); err != nil {
		return errors.Join(fmt.Errorf("eventsql: beginning a transaction: %w", err), c.fail(ctx, err))
	}
	ended := false
	defer func() {
		if !ended { // a panic or runtime.Goexit
			_ = c.rollback()
			_ = c.fail(ctx, errors.New("handler did not return"))
		}
	}()
	handling, stop := c.keepAlive(context.WithValue(ctx, claimKey{}, c))
	defer stop()
	err := handle(handling)
	lost := context.Cause(handling)
	stop()
	ended = true
	if err != nil {
		if errors.Is(lost, gocardless.ErrClaimLost) {
			err = errors.Join(err, lost)
		}
		return errors.Join(err, c.rollback(), c.fail(ctx, err))
	}
	return c.done(ctx)
}

// begin begins the store's transaction, if there is to be one.
func (c *claim) begin(ctx context.Context) error {
	s := c.store
	if !s.options.Transaction {
		return nil
	}
	return s.retry(ctx, func() error {
		// The transaction does not end with the request, or a handler that succeeds while
		// GoCardless hangs up would be undone. Only beginning it does.
		life, end := context.WithCancel(context.WithoutCancel(ctx))
		begun := context.AfterFunc(ctx, end)
		tx, err := s.db.BeginTx(life, s.options.TxOptions)
		if err == nil && s.dialect == SQLite {
			// The first statement is a write: a transaction that begins with a read cannot
			// write once another connection has, and here others always do.
			err = expectOne(tx.ExecContext(life, s.q.renew, c.id, c.token, s.options.Lease.Milliseconds()))
		}
		if !begun() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			if tx != nil {
				_ = tx.Rollback()
			}
			end()
			return err
		}
		c.tx = tx
		return nil
	})
}

func (c *claim) rollback() error {
	if c.tx == nil {
		return nil
	}
	if err := c.tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("eventsql: rolling back: %w", err)
	}
	return nil
}

// keepAlive extends the lease until stop is called. If the claim is lost, the context ends.
func (c *claim) keepAlive(ctx context.Context) (_ context.Context, stop func()) {
	if c.tx != nil && c.store.dialect == SQLite {
		// The store's transaction holds the one write lock. No other worker can take the event, and an
		// attempt to extend the lease would wait in the driver until the transaction ends.
		return ctx, func() {}
	}
	ctx, lost := context.WithCancelCause(ctx)
	quit, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var beat sync.WaitGroup
	beat.Go(func() {
		if !c.extend(quit) {
			lost(gocardless.ErrClaimLost)
		}
	})
	return ctx, func() {
		cancel()
		beat.Wait()
		lost(nil)
	}
}

// extend extends the lease three times in its length until the context ends. It returns early,
// with false, when the claim is lost.
func (c *claim) extend(quit context.Context) bool {
	s := c.store
	ticker := time.NewTicker(max(s.options.Lease/3, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-quit.Done():
			return true
		case <-ticker.C:
		}
		if c.marked.Load() {
			continue // what happens to the event now is up to the handler's transaction
		}
		// An error says nothing about the claim. In SQLite it is expected while a transaction of
		// the handler's holds the one write lock; no other worker can take the event then.
		result, err := s.db.ExecContext(quit, s.q.extend, c.id, c.token, s.options.Lease.Milliseconds())
		if err != nil {
			continue
		}
		c.extended.Store(true)
		if n, err := result.RowsAffected(); err == nil && n == 0 && !c.marked.Load() {
			return false
		}
	}
}

// endLease removes what extend wrote. A lease that is left behind, by a worker that was killed or
// by a failure here, means nothing once the claim has ended, and goes with the next Purge.
func (c *claim) endLease(ctx context.Context) {
	if !c.extended.Swap(false) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	_, _ = c.store.exec(ctx, c.store.q.endLease, c.token)
}

// done marks the event as done, if that is still up to this claim.
func (c *claim) done(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	s := c.store
	switch {
	case c.marked.Load():
		// The handler did it, in a transaction that it may have rolled back or left open.
		if err := c.rollback(); err != nil {
			return err
		}
		return c.verify(ctx, errors.New("eventsql: the transaction in which the handler marked the event was not committed"))
	case c.tx == nil:
		n, err := s.exec(ctx, s.q.done, c.id, c.token)
		if err == nil && n == 0 {
			err = gocardless.ErrClaimLost
		}
		if err != nil {
			return fmt.Errorf("eventsql: marking event as done: %w", err)
		}
		return nil
	}
	err := expectOne(c.tx.ExecContext(ctx, s.q.done, c.id, c.token))
	if errors.Is(err, sql.ErrTxDone) {
		err = errors.New("the handler ended the store's transaction itself")
	}
	if err != nil {
		err = fmt.Errorf("eventsql: marking event as done: %w", err)
		return errors.Join(err, c.rollback(), c.fail(ctx, err))
	}
	if err := c.tx.Commit(); err != nil {
		// The connection may have been lost on the way to the database or on the way back.
		return c.verify(ctx, fmt.Errorf("eventsql: committing: %w", err))
	}
	return nil
}

// verify looks whether a commit of this claim's mark took place; err is the error if not.
func (c *claim) verify(ctx context.Context, err error) error {
	s := c.store
	var state State
	var token string
	if lookErr := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.q.who, c.id).Scan(&state, &token)
	}); lookErr != nil {
		return errors.Join(err, fmt.Errorf("eventsql: looking whether the event is done: %w", lookErr))
	}
	if state == StateDone && token == c.token {
		return nil
	}
	return errors.Join(err, c.fail(ctx, err))
}

// fail marks the event as failed or, after the last attempt, as parked. An attempt that another
// transaction was in the way of does not count. It does nothing if the claim is lost or the event
// is done.
func (c *claim) fail(ctx context.Context, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	limit, uncounted := c.store.options.MaxAttempts, 0
	if c.store.dialect.inTheWay(reason) {
		uncounted = 1
	}
	if _, err := c.store.exec(ctx, c.store.q.fail, c.id, c.token, clip(reason.Error()), limit, uncounted); err != nil {
		return fmt.Errorf("eventsql: marking event as failed: %w", err)
	}
	return nil
}

// clip makes a string fit for a column: valid UTF-8, without the NUL that PostgreSQL refuses, and
// at most 1000 bytes long.
func clip(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > 1000 {
		s = s[:1000]
	}
	return strings.ToValidUTF8(s, "")
}

// expectOne returns the error of a statement, or ErrClaimLost if it changed no row.
func expectOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = gocardless.ErrClaimLost
	}
	return err
}

// exec runs a statement outside a transaction and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.retry(ctx, func() error {
		result, err := s.db.ExecContext(ctx, query, args...)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	return n, err
}

// retry calls f again while the database reports that another transaction was in the way, for up
// to five seconds.
func (s *Store) retry(ctx context.Context, f func() error) error {
	deadline := time.Now().Add(5 * time.Second)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := f()
		if err == nil || !s.dialect.inTheWay(err) || time.Now().Add(wait).After(deadline) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}
