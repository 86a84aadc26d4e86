package redislimit

import (
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// fallback returns the local limiter during a pause after Redis was lost, and otherwise nil.
func (l *Limiter) fallback() gocardless.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.local == nil || !time.Now().Before(l.until) {
		return nil
	}
	return l.local
}

// current returns the local limiter if Redis is lost, and otherwise nil.
func (l *Limiter) current() gocardless.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.local
}

// lost switches to the local limiter, and logs it the first time.
func (l *Limiter) lost(err error) {
	l.mu.Lock()
	first := l.local == nil
	if first {
		l.local, _ = gocardless.NewLimiter(l.options.ReservePercent) // its reserve was checked
		l.inform()
		l.pause = firstPause
	} else if time.Now().Before(l.until) {
		l.mu.Unlock()
		return // another call has begun the pause
	} else {
		l.pause = min(2*l.pause, maxPause)
	}
	l.until = time.Now().Add(l.pause)
	l.reason = err
	l.mu.Unlock()
	if first {
		l.options.Logger.Warn("gocardless: Redis cannot be reached; each process limits its own rate", "budget", l.options.Budget, "error", err)
		l.change(err)
	}
}

// inform passes the last reported limits to the local limiter.
func (l *Limiter) inform() {
	for k := range l.groups {
		g := &l.groups[k]
		g.mu.Lock()
		last := g.last
		g.mu.Unlock()
		if last.Limit > 0 && time.Now().Before(last.Reset) {
			l.local.Observe(example[k], gocardless.LaneInteractive, last)
		}
	}
}

// example has an operation for each kind.
var example = [len(groups)]gocardless.Operation{
	{Method: "GET", Path: "/payments"}, {Method: "GET", Path: "/balances"},
	{Method: "POST", Path: "/outbound_payments"}, {Method: "GET", Path: "/outbound_payments"},
}

// reached returns to Redis after a call to it has succeeded.
func (l *Limiter) reached() {
	l.mu.Lock()
	back := l.local != nil
	l.local, l.reason = nil, nil
	l.mu.Unlock()
	if !back {
		return
	}
	for k := range l.groups {
		g := &l.groups[k]
		g.mu.Lock()
		g.local = 0
		g.mu.Unlock()
	}
	l.options.Logger.Info("gocardless: Redis can be reached again; the processes share the rate limit", "budget", l.options.Budget)
	l.change(nil)
}

func (l *Limiter) change(err error) {
	if l.options.OnChange != nil {
		l.options.OnChange(err)
	}
}

// Err returns nil while the budget is shared, and otherwise the error that ended the connection to
// Redis. Use it in a health check.
func (l *Limiter) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}
