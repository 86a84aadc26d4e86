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

// wrapUp is how long the store tries to record the outcome of a handler. It applies even if the
// request with the event has ended, because the outcome must not be lost.
const wrapUp = 10 * time.Second

// claim is a worker's right to handle an event. It lasts as long as the table has its token.
type claim struct {
	store     *Store
	id, token string
	tx        *sql.Tx // the store's transaction, if it began one

	// marked is set when the handler marks the event in its own transaction.
	marked atomic.Bool
	// extended is set when the table of leases has a row of this claim.
	extended atomic.Bool
}

// run calls the handler and records the outcome.
func (c *claim) run(ctx context.Context, handle func(context.Context) error) error {
	defer c.endLease(ctx) // only after the event is marked, or another worker could take it
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

// begin begins the store's transaction, if [Options.Transaction] is set.
func (c *claim) begin(ctx context.Context) error {
	s := c.store
	if !s.options.Transaction {
		return nil
	}
	return s.retry(ctx, func() error {
		// The end of the request may interrupt BeginTx, but not the transaction: if GoCardless hangs
		// up, the writes of a handler that succeeds must still be committed.
		life, end := context.WithCancel(context.WithoutCancel(ctx))
		begun := context.AfterFunc(ctx, end)
		tx, err := s.db.BeginTx(life, s.options.TxOptions)
		if err == nil && s.dialect == SQLite {
			// The first statement is a write: a transaction that begins with a read can no longer
			// write once another connection has written, as other workers do all the time.
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
			continue // the handler's transaction now decides what happens to the event
		}
		// An error does not mean that the claim is lost. In SQLite it is expected while the handler's
		// own transaction holds the write lock; no other worker can take the event then.
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

// endLease deletes the row that extend wrote. If a row is left behind, by a killed worker or by a
// failure here, it has no effect once the claim has ended, and the next Purge deletes it.
func (c *claim) endLease(ctx context.Context) {
	if !c.extended.Swap(false) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	_, _ = c.store.exec(ctx, c.store.q.endLease, c.token)
}

// done marks the event as done, or checks that the handler's own transaction did.
func (c *claim) done(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	s := c.store
	switch {
	case c.marked.Load():
		// The handler may have rolled back its transaction, or left it open.
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
		// If the connection was lost, the commit may have been carried out.
		return c.verify(ctx, fmt.Errorf("eventsql: committing: %w", err))
	}
	return nil
}

// verify returns nil if this claim's mark was committed, and otherwise err.
func (c *claim) verify(ctx context.Context, err error) error {
	s := c.store
	var state State
	var token string
	if lookErr := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.q.who, c.id).Scan(&state, &token)
	}); lookErr != nil {
		return errors.Join(err, fmt.Errorf("eventsql: checking whether the event is done: %w", lookErr))
	}
	if state == StateDone && token == c.token {
		return nil
	}
	return errors.Join(err, c.fail(ctx, err))
}

// fail marks the event as failed or, after the last attempt, as parked. An attempt that failed only
// because of another transaction does not count. If the claim is lost or the event is done, fail does
// nothing.
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

// clip makes a string fit for a column: valid UTF-8, without NUL, which PostgreSQL refuses, and at
// most 1000 bytes long.
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
