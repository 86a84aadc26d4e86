package gate

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// rateGroup is one budget of requests.
type rateGroup uint8

const (
	rateAll rateGroup = iota
	rateBalances
	rateOutboundWrites
	rateOutboundReads
	rateGroups
)

// Rates counts requests per token, group and minute of the sandbox's clock.
type Rates struct {
	mu      sync.Mutex
	budget  [rateGroups]int
	windows map[string]*rateWindow
}

type rateWindow struct {
	minute int64
	used   [rateGroups]int
}

// manyTokens is how many windows are kept before old ones are removed.
const manyTokens = 1024

// RateNote is what the headers of a reply report.
type RateNote struct {
	limit, remaining int
	reset            time.Time
	Exceeded         bool
}

// Init sets the budgets of the API.
func (l *Rates) Init() {
	for _, r := range api.Rates {
		switch {
		case strings.HasSuffix(r.Paths, "/balances"):
			l.budget[rateBalances] = r.PerMinute
		case strings.HasPrefix(r.Paths, "POST /outbound_payments"):
			l.budget[rateOutboundWrites] = r.PerMinute
		case strings.Contains(r.Paths, "/outbound_payments"):
			l.budget[rateOutboundReads] = r.PerMinute
		}
	}
	l.Clear()
}

// SetBudget sets how many requests a token may make in a minute; zero or less removes the limit.
func (l *Rates) SetBudget(perMinute int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget[rateAll] = perMinute
}

// Clear forgets the requests so far.
func (l *Rates) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.windows = map[string]*rateWindow{}
}

// groupOf is the narrower budget that an operation also draws from.
func groupOf(op *api.Operation) rateGroup {
	if op == nil {
		return rateAll
	}
	switch op.Resource() {
	case "balances":
		return rateBalances
	case "outbound_payments":
		if op.Method == http.MethodPost {
			return rateOutboundWrites
		}
		return rateOutboundReads
	}
	return rateAll
}

// Take counts a request. The note describes the narrowest budget that the request draws from, or
// the one that is used up.
func (l *Rates) Take(token string, op *api.Operation, now time.Time) RateNote {
	minute := now.Unix() / 60
	l.mu.Lock()
	defer l.mu.Unlock()
	note := RateNote{limit: l.budget[rateAll], reset: time.Unix((minute+1)*60, 0).UTC()}
	if note.limit <= 0 {
		note.limit, note.remaining = 1000, 999
		return note
	}
	w := l.window(token, minute)
	groups := []rateGroup{rateAll}
	if g := groupOf(op); g != rateAll {
		groups = append(groups, g)
	}
	for _, g := range groups {
		if w.used[g] >= l.budget[g] {
			note.limit, note.Exceeded = l.budget[g], true
			return note
		}
	}
	for _, g := range groups {
		w.used[g]++
		note.limit, note.remaining = l.budget[g], l.budget[g]-w.used[g]
	}
	return note
}

// window is the count of a token in a minute. Any token is accepted by default, so tokens of past
// minutes are forgotten.
func (l *Rates) window(token string, minute int64) *rateWindow {
	w := l.windows[token]
	if w == nil {
		if len(l.windows) >= manyTokens {
			maps.DeleteFunc(l.windows, func(_ string, w *rateWindow) bool { return w.minute != minute })
		}
		w = &rateWindow{}
		l.windows[token] = w
	}
	if w.minute != minute {
		*w = rateWindow{minute: minute}
	}
	return w
}

// Write sets the headers of a reply.
func (n RateNote) Write(h http.Header) {
	h["Ratelimit-Limit"] = []string{strconv.Itoa(n.limit)}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(n.remaining)}
	h["Ratelimit-Reset"] = []string{n.reset.Format(http.TimeFormat)}
}
