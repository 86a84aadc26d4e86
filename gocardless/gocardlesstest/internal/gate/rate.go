package gate

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Rates counts requests per token, group and minute of the sandbox's clock.
type Rates struct {
	mu      sync.Mutex
	general int // the budget of all requests; zero or less means no limits
	windows map[string]*rateWindow
}

type rateWindow struct {
	minute int64
	used   map[gocardless.RateLimitGroup]int
}

// manyTokens is the number of windows from which on old ones are removed.
const manyTokens = 1024

// RateNote is the rate limit as the headers of a reply report it.
type RateNote struct {
	limit, remaining int
	reset            time.Time
	Exceeded         bool
}

// SetBudget sets how many requests a token may make in a minute; zero or less removes the limit.
func (l *Rates) SetBudget(perMinute int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.general = perMinute
}

// Clear resets all counts.
func (l *Rates) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.windows = map[string]*rateWindow{}
}

// Take counts a request; op is nil for an unknown path. The note describes the exhausted budget, if
// any, or else the most specific one.
func (l *Rates) Take(token string, op *api.Operation, now time.Time) RateNote {
	minute := now.Unix() / 60
	l.mu.Lock()
	defer l.mu.Unlock()
	note := RateNote{reset: time.Unix((minute+1)*60, 0).UTC()}
	if l.general <= 0 {
		note.limit = gocardless.GroupGeneral.DefaultLimit()
		note.remaining = note.limit - 1
		return note
	}
	groups := []gocardless.RateLimitGroup{gocardless.GroupGeneral}
	if op != nil {
		called := gocardless.Operation{Method: op.Method, Path: op.Path}
		if g := called.RateLimitGroup(); g != gocardless.GroupGeneral {
			groups = append(groups, g)
		}
	}
	w := l.window(token, minute)
	for _, g := range groups {
		if limit := l.budget(g); w.used[g] >= limit {
			note.limit, note.Exceeded = limit, true
			return note
		}
	}
	for _, g := range groups {
		w.used[g]++
		note.limit = l.budget(g)
		note.remaining = note.limit - w.used[g]
	}
	return note
}

func (l *Rates) budget(g gocardless.RateLimitGroup) int {
	if g == gocardless.GroupGeneral {
		return l.general
	}
	return g.DefaultLimit()
}

// window returns the counts of a token in a minute. Any number of tokens may be accepted, so once there are
// many it removes the counts of past minutes.
func (l *Rates) window(token string, minute int64) *rateWindow {
	w := l.windows[token]
	if w == nil {
		if len(l.windows) >= manyTokens {
			maps.DeleteFunc(l.windows, func(_ string, w *rateWindow) bool { return w.minute != minute })
		}
		w = &rateWindow{used: map[gocardless.RateLimitGroup]int{}}
		l.windows[token] = w
	}
	if w.minute != minute {
		w.minute = minute
		clear(w.used)
	}
	return w
}

// Write sets the headers of a reply.
func (n RateNote) Write(h http.Header) {
	h["Ratelimit-Limit"] = []string{strconv.Itoa(n.limit)}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(n.remaining)}
	h["Ratelimit-Reset"] = []string{n.reset.Format(http.TimeFormat)}
}
