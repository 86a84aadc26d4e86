package gocardless

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// RateLimit is the state of the API's rate limit as reported by a reply. The API
// counts requests, including failed ones, in windows of one clock minute.
type RateLimit struct {
	// Limit is the number of requests allowed in a window, or 0 when the reply
	// reported none.
	Limit int
	// Remaining is the number of requests left in the window.
	Remaining int
	// Reset is when the next window begins; zero when the reply reported none.
	Reset time.Time
}

// IsZero reports whether the reply reported no rate limit.
func (r RateLimit) IsZero() bool { return r.Limit == 0 && r.Reset.IsZero() }

// Names of the rate limit headers in canonical form.
const (
	limitHeader     = "Ratelimit-Limit"
	remainingHeader = "Ratelimit-Remaining"
	resetHeader     = "Ratelimit-Reset"
)

// headerNumber reads a header as a number that is not negative.
func headerNumber(h http.Header, canonical string) int {
	n, err := strconv.Atoi(headerValue(h, canonical))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// parseHTTPTime reads an HTTP date; anything else is the zero time.
func parseHTTPTime(v string) time.Time {
	t, err := http.ParseTime(v)
	if err != nil {
		return time.Time{}
	}
	return t
}

// onOurClock converts an instant from the server's clock to ours, if the Date of the reply shows that
// they differ. A difference of up to two seconds may come from the rounding of that header and the
// time that a reply takes.
func onOurClock(t time.Time, h http.Header) time.Time {
	date := parseHTTPTime(headerValue(h, "Date"))
	if date.IsZero() {
		return t
	}
	if ahead := time.Since(date); ahead.Abs() > 2*time.Second {
		return t.Add(ahead)
	}
	return t
}

// RateLimit returns the rate limit that the last reply to this client reported, and false if none has
// reported one yet. Other clients and processes with the same access token use the same budget.
func (c *Client) RateLimit() (RateLimit, bool) {
	seen := c.core.rateLimit.load()
	return seen, !seen.IsZero()
}

// rateLimitCell holds the last state seen.
type rateLimitCell struct {
	mu   sync.Mutex
	seen RateLimit

	resetText string    // a reset header, which is the same for all replies of a minute
	reset     time.Time // its time
}

func (c *rateLimitCell) load() RateLimit {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// read returns the rate limit that a reply reports, and keeps it if there is one.
func (c *rateLimitCell) read(h http.Header) RateLimit {
	r := RateLimit{Limit: headerNumber(h, limitHeader), Remaining: headerNumber(h, remainingHeader)}
	reset := headerValue(h, resetHeader)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case reset == "":
	case reset == c.resetText:
		r.Reset = c.reset
	default:
		if r.Reset = parseHTTPTime(reset); !r.Reset.IsZero() {
			c.resetText, c.reset = strings.Clone(reset), r.Reset
		}
	}
	if !r.IsZero() {
		c.seen = r
	}
	return r
}

// A RateLimitGroup is a budget of requests. Every request counts against the general budget.
// Requests of the other groups also count against their own, smaller budget, which their replies
// report.
type RateLimitGroup string

// A rateBudget is the number of requests that a group may make in a minute. If the path ends in "*",
// the group includes the paths below it.
type rateBudget struct {
	group         RateLimitGroup
	methods, path string
	perMinute     int
}

func (b *rateBudget) covers(op *Operation) bool {
	path, below := strings.CutSuffix(b.path, "*")
	rest, ok := strings.CutPrefix(op.Path, path)
	return ok && (rest == "" || below && rest[0] == '/') && strings.Contains(b.methods, op.Method)
}

// DefaultLimit is the documented number of requests in a minute, or 0 if the API documents no
// such group. A reply reports the actual one.
func (g RateLimitGroup) DefaultLimit() int {
	for i := range rateBudgets {
		if b := &rateBudgets[i]; b.group == g {
			return b.perMinute
		}
	}
	return 0
}

// RateLimitGroup returns the narrowest budget that the operation counts against.
func (op *Operation) RateLimitGroup() RateLimitGroup {
	for i := range rateBudgets {
		if b := &rateBudgets[i]; b.group != GroupGeneral && b.covers(op) {
			return b.group
		}
	}
	return GroupGeneral
}
