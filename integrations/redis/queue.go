package redislimit

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue lets the calls of a lane ask Redis one after the other, in the order of their arrival.
type queue struct {
	mu      sync.Mutex
	busy    bool // a call is asking
	waiting []*waiter
	from    time.Time     // the earliest time for the first in the queue
	step    time.Duration // the time from one to the next
}

type waiter struct {
	turn     chan error // receives one value, without blocking
	deadline time.Time  // zero for none
}

// enter waits until it is the caller's turn to ask. If it returns nil, the caller must call next
// afterwards.
func (q *queue) enter(ctx context.Context) error {
	q.mu.Lock()
	if !q.busy {
		q.busy = true
		q.mu.Unlock()
		return nil
	}
	w := &waiter{turn: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	if q.tooLate(w, len(q.waiting)) {
		q.mu.Unlock()
		return context.DeadlineExceeded
	}
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()
	select {
	case err := <-w.turn:
		return err
	case <-ctx.Done():
		q.leave(w)
		return ctx.Err()
	}
}

// leave removes a waiter whose context has ended.
func (q *queue) leave(w *waiter) {
	q.mu.Lock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.mu.Unlock()
		return
	}
	q.mu.Unlock()
	if err := <-w.turn; err == nil {
		q.next() // its turn came at the same moment
	}
}

// next ends the caller's turn and begins that of the next waiter.
func (q *queue) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.busy = false
		return
	}
	q.waiting[0].turn <- nil
	q.waiting = slices.Delete(q.waiting, 0, 1)
}

// expect records the answer of Redis to the caller whose turn it is, and refuses the waiters that
// cannot meet their deadlines.
func (q *queue) expect(a answer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.from, q.step = time.Now().Add(a.wait), a.step
	position := 0
	q.waiting = slices.DeleteFunc(q.waiting, func(w *waiter) bool {
		if !q.tooLate(w, position) {
			position++
			return false
		}
		w.turn <- context.DeadlineExceeded
		return true
	})
}

// tooLate reports whether the wait of a waiter at a position, counted from 0, could only end with its
// deadline.
func (q *queue) tooLate(w *waiter, position int) bool {
	if w.deadline.IsZero() {
		return false
	}
	at := q.from
	if now := time.Now(); at.Before(now) {
		at = now
	}
	// Half the step, because the waits become shorter when other callers stop.
	return !w.deadline.After(at.Add(time.Duration(position) * q.step / 2))
}
