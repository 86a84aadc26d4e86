package gocardlesstest

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// tokenState is what a known access token may do.
type tokenState uint8

const (
	tokenUnknown tokenState = iota
	tokenActive
	tokenReadOnly
	tokenRevoked
	tokenInactive
)

// tokenTable knows the access tokens. When none was set, any is accepted.
type tokenTable struct {
	mu    sync.RWMutex
	open  bool
	known map[string]tokenState
}

func (t *tokenTable) init() { t.open, t.known = true, map[string]tokenState{} }

// admit makes a token one of those that the sandbox knows, so that it knows no others.
func (t *tokenTable) admit(token string, s tokenState) {
	t.set(token, s)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = false
}

func (t *tokenTable) isOpen() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.open
}

func (t *tokenTable) state(token string) tokenState {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.known[token]; ok {
		return s
	}
	if t.open {
		return tokenActive
	}
	return tokenUnknown
}

func (t *tokenTable) set(token string, s tokenState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[token] = s
}

// RevokeToken makes requests with a token answer 401 access_token_revoked, as after a merchant
// disconnected an app.
func (sb *Sandbox) RevokeToken(token string) { sb.tokens.set(token, tokenRevoked) }

// DeactivateToken makes requests with a token answer 401 access_token_not_active.
func (sb *Sandbox) DeactivateToken(token string) { sb.tokens.set(token, tokenInactive) }

// authorise checks the Authorization header and returns the token.
func (sb *Sandbox) authorise(h http.Header, op *api.Operation) (string, *api.Error) {
	auth := h.Get("Authorization")
	if auth == "" {
		return "", api.Refuse("missing_authorization_header", "Missing authorization header")
	}
	kind, token, ok := strings.Cut(auth, " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(kind, "bearer") || token == "" {
		return "", api.Refuse("invalid_authorization_header", "Invalid authorization header")
	}
	switch sb.tokens.state(token) {
	case tokenUnknown:
		return "", api.Refuse("access_token_not_found", "The access token you've used is not a valid sandbox API access token")
	case tokenRevoked:
		return "", api.Refuse("access_token_revoked", "The access token has been revoked")
	case tokenInactive:
		return "", api.Refuse("access_token_not_active", "The access token is not active")
	case tokenReadOnly:
		if op != nil && op.Kind != api.OpRead {
			return token, api.Refuse("insufficient_permissions", "The access token is read-only")
		}
	}
	return token, nil
}

// rateGroup is one budget of requests.
type rateGroup uint8

const (
	rateAll rateGroup = iota
	rateBalances
	rateOutboundWrites
	rateOutboundReads
	rateGroups
)

// rateLimiter counts requests per token, group and minute of the sandbox's clock.
type rateLimiter struct {
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

// rateNote is what the headers of a reply report.
type rateNote struct {
	limit, remaining int
	reset            time.Time
	exceeded         bool
}

func (l *rateLimiter) init() {
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
	l.clear()
}

// setBudget sets how many requests a token may make in a minute; zero or less removes the limit.
func (l *rateLimiter) setBudget(perMinute int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget[rateAll] = perMinute
}

func (l *rateLimiter) clear() {
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

// take counts a request. The note describes the narrowest budget that the request draws from, or
// the one that is used up.
func (l *rateLimiter) take(token string, op *api.Operation, now time.Time) rateNote {
	minute := now.Unix() / 60
	l.mu.Lock()
	defer l.mu.Unlock()
	note := rateNote{limit: l.budget[rateAll], reset: time.Unix((minute+1)*60, 0).UTC()}
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
			note.limit, note.exceeded = l.budget[g], true
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
func (l *rateLimiter) window(token string, minute int64) *rateWindow {
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

func (n rateNote) write(h http.Header) {
	h["Ratelimit-Limit"] = []string{strconv.Itoa(n.limit)}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(n.remaining)}
	h["Ratelimit-Reset"] = []string{n.reset.Format(http.TimeFormat)}
}
