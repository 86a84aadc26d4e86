package gocardless

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// RateLimit is the state of the API's rate limit as a reply told it. The API
// counts requests, failed ones too, in windows of one clock minute.
type RateLimit struct {
	// Limit is the number of requests allowed in a window, or 0 when the reply
	// did not say.
	Limit int
	// Remaining is the number of requests left in the window.
	Remaining int
	// Reset is when the next window begins; zero when the reply did not say.
	Reset time.Time
}

// IsZero reports whether nothing is known.
func (r RateLimit) IsZero() bool { return r.Limit == 0 && r.Reset.IsZero() }

// Names of the rate limit headers in canonical form.
const (
	limitHeader     = "Ratelimit-Limit"
	remainingHeader = "Ratelimit-Remaining"
	resetHeader     = "Ratelimit-Reset"
)

func parseRateLimit(h http.Header) RateLimit {
	var r RateLimit
	r.Limit = headerNumber(h, limitHeader)
	r.Remaining = headerNumber(h, remainingHeader)
	if v := headerValue(h, resetHeader); v != "" {
		r.Reset = parseHTTPTime(v)
	}
	return r
}

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

// onOurClock translates an instant from the server's clock to ours, when the Date
// of the reply shows that they differ. Up to two seconds are the rounding of that
// header and the time that a reply takes.
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

// RateLimit returns the rate limit as the last reply to this client told it, and
// false when no reply has told it yet. Other clients and processes that use the
// same access token spend from the same budget.
func (c *Client) RateLimit() (RateLimit, bool) {
	if r := c.core.rateLimit.Load(); r != nil {
		return *r, true
	}
	return RateLimit{}, false
}

// rateLimitCell holds the last state seen.
type rateLimitCell struct{ atomic.Pointer[RateLimit] }
