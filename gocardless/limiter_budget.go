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

// budget counts the requests of one group in the current window, and queues those that have to wait.
type budget struct {
	mu        sync.Mutex
	limit     int
	reserve   int // percent of the limit that the bulk lane leaves alone
	remaining int
	reset     time.Time // the end of the window; zero before the first request
	flying    int       // sent and not yet answered
	queues    [lanes][]*waiter
	pace      pace        // of the bulk lane
	alarm     *time.Timer // serves the queues when the first queued request may be sent
}

// waiter is a call in a queue.
type waiter struct {
	ready    chan error // receives one value, without blocking
	deadline time.Time  // zero for none
}

func (b *budget) init(limit, reserve int) { b.limit, b.reserve = limit, reserve }

// wait takes one request from the budget, in the order of the calls.
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

// tooLate reports whether the deadline comes before t.
func (w *waiter) tooLate(t time.Time) bool { return !w.deadline.IsZero() && !w.deadline.After(t) }

// leave removes a waiter whose context has ended from its queue.
func (b *budget) leave(lane Lane, w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queues[lane], w); i >= 0 {
		b.queues[lane] = slices.Delete(b.queues[lane], i, i+1)
	} else if err := <-w.ready; err == nil {
		b.refund() // it was released at the same moment, and will not be sent
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

// setAlarm sets the alarm for the time at which the first queued request may be sent.
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

// roll begins the next window if the current one has ended. Windows keep the phase that the replies
// reported, in case the local clock is wrong.
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

// delay returns how long the nth request in a lane's queue, counted from 1, has to wait at least, if
// no request but the queued ones uses the budget. If it is 0 or less, the request may be sent now.
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
	// The interactive requests that are queued go first. They use up this many whole windows.
	before := max(len(b.queues[LaneInteractive])-b.remaining, 0)
	whole := time.Duration((before+b.reserved(0))/b.limit) * window
	return left + whole + time.Duration(float64(n-available-1)*float64(window)/float64(b.bulkShare(b.limit)))
}

// reserved returns the number of requests that bulk calls leave to others while the window has the
// given time left. Half of the reserve is released in the course of the window.
func (b *budget) reserved(left time.Duration) int {
	return int(float64(b.limit) * float64(b.reserve) / 200 * (1 + float64(max(left, 0))/float64(window)))
}

// bulkShare returns how many of the remaining requests bulk calls may use by the end of the window.
func (b *budget) bulkShare(remaining int) int { return max(remaining-b.reserved(0), 1) }

// target returns the rate at which bulk calls use up their share evenly, in requests a second.
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

// observe records that a request was answered or lost, and adopts the limit that the reply reports.
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

// adopt sets the budget from a reply, and reports whether the reply was about the current window.
// Replies may arrive out of order, so within a window the smaller number counts.
func (b *budget) adopt(r RateLimit, now time.Time) bool {
	// The API will count the requests in flight in the same window.
	left := max(min(r.Remaining, b.limit)-b.flying, 0)
	switch {
	case !r.Reset.After(now):
		// The window of the reply is over.
		b.remaining = min(b.remaining, b.limit)
		return false
	case r.Reset.Sub(now) > window+time.Second:
		// No window is that long: the clocks disagree, and the Date of the reply does not show by
		// how much. The number is right anyway.
		b.remaining = min(b.remaining, left)
	case r.Reset.Sub(b.reset).Abs() < time.Second:
		b.remaining = min(b.remaining, left)
	default:
		b.reset, b.remaining = r.Reset, left
		b.pace.begin(r.Reset.Add(-window), 0)
	}
	return true
}
