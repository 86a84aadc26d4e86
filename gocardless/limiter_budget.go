package gocardless

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The API counts requests in windows of one clock minute.
const window = time.Minute

// maxLimit bounds the limit that a reply can report, so that arithmetic on it
// stays in range.
const maxLimit = 1 << 30

// budget counts the requests of one group in the current window, and queues those
// that have to wait.
type budget struct {
	mu        sync.Mutex
	limit     int
	reserve   int // percent of the limit that the bulk lane leaves alone
	remaining int
	reset     time.Time // the end of the window; zero before the first request
	flying    int       // sent and not yet answered
	queues    [lanes][]*waiter
	pace      pace        // of the bulk lane
	alarm     *time.Timer // serves the queues at the next time that matters
}

// waiter is a call in a queue.
type waiter struct {
	ready    chan error // receives one value, without blocking
	deadline time.Time  // zero for none
}

func (b *budget) init(limit, reserve int) { b.limit, b.reserve = limit, reserve }

// wait takes one request from the budget, in turn.
func (b *budget) wait(ctx context.Context, lane Lane) error {
	b.mu.Lock()
	now := time.Now()
	b.roll(now)
	if len(b.queues[lane]) == 0 && b.delay(lane, 1, now) <= 0 {
		b.take(lane, now)
		b.mu.Unlock()
		return nil
	}
	w := &waiter{ready: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	if w.tooLate(now.Add(b.delay(lane, len(b.queues[lane])+1, now))) {
		b.mu.Unlock()
		return context.DeadlineExceeded
	}
	b.queues[lane] = append(b.queues[lane], w)
	b.setAlarm(now)
	b.mu.Unlock()
	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
		b.leave(lane, w)
		return ctx.Err()
	}
}

// tooLate reports whether a wait until t could only end in the deadline.
func (w *waiter) tooLate(t time.Time) bool { return !w.deadline.IsZero() && !w.deadline.After(t) }

// leave takes a waiter whose context has ended out of its queue.
func (b *budget) leave(lane Lane, w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queues[lane], w); i >= 0 {
		b.queues[lane] = slices.Delete(b.queues[lane], i, i+1)
	} else if err := <-w.ready; err == nil {
		b.refund() // it was let go at the same moment, and will not be sent
	}
	b.serve(time.Now())
}

// serve releases the queued requests that may be sent now, the interactive ones first.
func (b *budget) serve(now time.Time) {
	b.roll(now)
	for lane := range b.queues {
		for len(b.queues[lane]) > 0 && b.delay(Lane(lane), 1, now) <= 0 {
			b.take(Lane(lane), now)
			b.queues[lane][0].ready <- nil
			b.queues[lane] = slices.Delete(b.queues[lane], 0, 1)
		}
	}
	b.setAlarm(now)
}

// refuse ends the waits that can no longer end in time.
func (b *budget) refuse(now time.Time) {
	for lane, queue := range b.queues {
		position := 0
		b.queues[lane] = slices.DeleteFunc(queue, func(w *waiter) bool {
			position++
			if !w.tooLate(now.Add(b.delay(Lane(lane), position, now))) {
				return false
			}
			position--
			w.ready <- context.DeadlineExceeded
			return true
		})
	}
}

// setAlarm arranges for serve to be called when the first queued request may be sent.
func (b *budget) setAlarm(now time.Time) {
	next := time.Duration(-1)
	for lane := range b.queues {
		if len(b.queues[lane]) == 0 {
			continue
		}
		if d := max(b.delay(Lane(lane), 1, now), time.Nanosecond); next < 0 || d < next {
			next = d
		}
	}
	switch {
	case next < 0 && b.alarm != nil:
		b.alarm.Stop()
	case next < 0:
	case b.alarm == nil:
		b.alarm = time.AfterFunc(next, b.ring)
	default:
		b.alarm.Reset(next)
	}
}

func (b *budget) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serve(time.Now())
}

// roll begins the next window when the current one has ended. Its end keeps the
// phase that the replies reported, which a wrong clock here does not have.
func (b *budget) roll(now time.Time) {
	if now.Before(b.reset) {
		return
	}
	if b.reset.IsZero() {
		b.reset = now.Truncate(window)
	}
	b.reset = b.reset.Add((now.Sub(b.reset)/window + 1) * window)
	b.remaining = b.limit
	b.pace.begin(b.reset.Add(-window), 0)
}

// delay is how long the nth in a lane's queue, counted from 1, has to wait at least
// if no other request spends from the budget; 0 or less means that it may go now.
func (b *budget) delay(lane Lane, n int, now time.Time) time.Duration {
	left := b.reset.Sub(now)
	if lane == LaneInteractive {
		if n <= b.remaining {
			return 0
		}
		return left + time.Duration((n-b.remaining-1)/b.limit)*window
	}
	available := b.remaining - b.reserved(left)
	switch {
	case available > 0:
	case b.remaining > b.reserved(0):
		// Only the reserve is left, and more of it is released soon.
		return min(left, time.Second)
	default:
		available = 0
	}
	if n <= available {
		return b.pace.next.Sub(now) + time.Duration(float64(n-1)*float64(left)/float64(available))
	}
	return left + time.Duration(float64(n-available-1)*float64(window)/float64(b.bulkShare(b.limit)))
}

// reserved is the number of requests that bulk calls leave alone when the window
// still lasts for the given time. Half of the reserve is released in its course.
func (b *budget) reserved(left time.Duration) int {
	return int(float64(b.limit) * float64(b.reserve) / 200 * (1 + float64(max(left, 0))/float64(window)))
}

// bulkShare is how many of the remaining requests are for bulk calls, all in all.
func (b *budget) bulkShare(remaining int) int { return max(remaining-b.reserved(0), 1) }

// target is the rate at which bulk calls use up their share evenly.
func (b *budget) target(now time.Time) float64 {
	return float64(b.bulkShare(b.remaining)) / max(b.reset.Sub(now), time.Second).Seconds()
}

// take counts a request.
func (b *budget) take(lane Lane, now time.Time) {
	b.remaining--
	b.flying++
	if lane == LaneBulk {
		b.pace.sent(now, b.target(now))
	}
}

// giveBack returns a request that was taken and will not be sent.
func (b *budget) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refund()
	b.serve(time.Now())
}

func (b *budget) refund() {
	b.flying = max(b.flying-1, 0)
	b.remaining = min(b.remaining+1, b.limit)
}

// observe notes that a request has been answered or lost, and adopts what the
// reply reports.
func (b *budget) observe(lane Lane, r RateLimit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying = max(b.flying-1, 0)
	if r.Limit <= 0 || r.Reset.IsZero() {
		return
	}
	now := time.Now()
	b.roll(now)
	b.limit = min(r.Limit, maxLimit)
	if b.adopt(r, now) && b.reset.Sub(now) > paceTail {
		b.pace.observe(lane, b.limit-min(r.Remaining, b.limit), now, b.target(now))
	}
	b.refuse(now)
	b.serve(now)
}

// adopt takes over what is left of the window, and reports whether the reply was
// about this one. Others may have overtaken the reply, so within a window the
// smaller number counts.
func (b *budget) adopt(r RateLimit, now time.Time) bool {
	// The requests on their way will be counted in the same window.
	left := max(min(r.Remaining, b.limit)-b.flying, 0)
	switch {
	case !r.Reset.After(now):
		// The window of the reply is over.
		b.remaining = min(b.remaining, b.limit)
		return false
	case r.Reset.Sub(now) > window+time.Second:
		// No window is that long: the clocks disagree in a way that the Date of the
		// reply did not explain. The count is good anyway.
		b.remaining = min(b.remaining, left)
	case r.Reset.Sub(b.reset).Abs() < time.Second:
		b.remaining = min(b.remaining, left)
	default:
		b.reset, b.remaining = r.Reset, left
		b.pace.begin(r.Reset.Add(-window), 0)
	}
	return true
}
