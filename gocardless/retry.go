package gocardless

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/errtree"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/sendtrace"
)

// Defaults of the retry rules.
const (
	defaultRetries = 3
	firstBackoff   = 500 * time.Millisecond
	maxBackoff     = 8 * time.Second
	maxServerWait  = 60 * time.Second
	// longestAsked replaces a longer wait that a server asks for, so that arithmetic on it cannot
	// overflow.
	longestAsked = 24 * time.Hour
)

// RetryAttempt describes a failed attempt to a [RetryPolicy].
type RetryAttempt struct {
	// Operation is the operation being called.
	Operation Operation
	// Attempt is the number of the attempt that failed, from 1.
	Attempt int
	// StatusCode is the status of the reply, or 0 when there was none.
	StatusCode int
	// Header holds the headers of the reply, or nil.
	Header http.Header
	// Err is the error that the call returns unless there is another attempt:
	// an [*Error], a [*ConnectionError] or a [*MalformedResponseError].
	Err error
	// NotSent reports that the request is known not to have reached the API,
	// because no connection was established.
	NotSent bool
}

// RetryDecision is the result of a [RetryPolicy].
type RetryDecision struct {
	// Retry asks for another attempt.
	Retry bool
	// Wait is the time to wait before it.
	Wait time.Duration
	// Reason gives the reason in a few words, for the log.
	Reason string
}

// A RetryPolicy decides after a failed attempt whether to make another. It is not called once the
// number of retries that [WithRetries] sets is reached or the context has ended. It may call
// [DefaultRetry].
//
// If a policy retries operations of [KindAction] that may have run, they can be carried out twice.
type RetryPolicy func(RetryAttempt) RetryDecision

// DefaultRetry is the policy of a client that sets no other.
//
//   - GET, PUT and DELETE are retried after a failure of the network, an attempt
//     that took too long, the statuses 408, 429 and 5xx, and a successful reply
//     that cannot be read.
//   - A POST that creates is retried after the same, after a reply without the
//     resource, and after a 409 that cannot be read, with the same idempotency key.
//   - A POST that acts and a PATCH are retried only if they are known not to have
//     run: after 429, 503 with Retry-After, and if no connection could be established.
//
// Failures that would only recur are not retried: an invalid server certificate, a reply that is over
// the size limit or contains a value that the client cannot accept ([ErrMisfit]), and a request that
// cannot be signed.
//
// The wait is exponential backoff with full jitter, starting at 0.5 s and doubling up to 8 s. It is
// at least as long as Retry-After or, after 429, RateLimit-Reset ask for, up to 60 s.
func DefaultRetry(a RetryAttempt) RetryDecision {
	reason := retryReason(a)
	if reason == "" {
		return RetryDecision{}
	}
	switch a.Operation.Kind {
	case KindRead, KindUpdate, KindDelete, KindCreate:
	default:
		if !knownNotRun(a) {
			return RetryDecision{}
		}
	}
	return RetryDecision{Retry: true, Wait: retryWait(a), Reason: reason}
}

// retryReason returns why an attempt is worth retrying, or "".
func retryReason(a RetryAttempt) (reason string) {
	// The outermost of our errors counts: it may wrap another of them, and a policy may have wrapped
	// it.
	errtree.Find(a.Err, func(err error) bool {
		e, ok := err.(interface{ retryReason(RetryAttempt) string })
		if ok {
			reason = e.retryReason(a)
		}
		return ok
	})
	return reason
}

func (e *ConnectionError) retryReason(a RetryAttempt) string {
	switch {
	case a.NotSent && sendtrace.Permanent(e.Err):
		return ""
	case a.NotSent:
		return "no connection"
	case e.Timeout():
		return "timeout"
	}
	return "connection lost"
}

func (e *MalformedResponseError) retryReason(RetryAttempt) string {
	if errors.Is(e.Err, ErrMisfit) || errors.Is(e.Err, ErrReplyTooLarge) {
		return ""
	}
	return "unreadable reply"
}

func (e *Error) retryReason(a RetryAttempt) string {
	switch {
	case a.StatusCode == http.StatusRequestTimeout || a.StatusCode == http.StatusTooManyRequests || a.StatusCode >= 500:
		return "status " + strconv.Itoa(a.StatusCode)
	case e.unreadableConflict(a.Operation.Kind):
		return "unreadable conflict"
	}
	return ""
}

// unreadableConflict reports whether the error is a conflict that cannot be read. For a create, it
// may name the resource that an earlier attempt created.
func (e *Error) unreadableConflict(kind OperationKind) bool {
	return e.unreadable && e.StatusCode == http.StatusConflict && kind == KindCreate
}

// knownNotRun reports whether the API cannot have acted on the attempt.
func knownNotRun(a RetryAttempt) bool {
	switch a.StatusCode {
	case 0:
		return a.NotSent
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		_, ok := retryAfter(a.Header)
		return ok
	}
	return false
}

// retryWait is how long to wait before the attempt after a.
func retryWait(a RetryAttempt) time.Duration {
	ceiling := maxBackoff
	if a.Attempt < 5 {
		ceiling = firstBackoff << max(a.Attempt-1, 0)
	}
	// Full jitter keeps callers that failed together from retrying together.
	wait := rand.N(ceiling + 1)
	if asked := serverWait(a.StatusCode, a.Header); asked > 0 {
		wait = min(wait+min(asked, maxServerWait), maxServerWait)
	}
	return wait
}

// serverWait returns how long the reply asks to wait, or 0.
func serverWait(status int, h http.Header) time.Duration {
	if wait, ok := retryAfter(h); ok {
		return wait
	}
	if status == http.StatusTooManyRequests {
		if v := headerValue(h, resetHeader); v != "" {
			return until(parseHTTPTime(v), h)
		}
	}
	return 0
}

// retryAfter reads Retry-After, which is a number of seconds or a date.
func retryAfter(h http.Header) (time.Duration, bool) {
	v := headerValue(h, "Retry-After")
	if v == "" {
		return 0, false
	}
	// A number that is out of range is read as the largest or the smallest one.
	if n, err := strconv.ParseInt(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		if n < 0 {
			return 0, false
		}
		return time.Duration(min(n, int64(longestAsked/time.Second))) * time.Second, true
	}
	t := parseHTTPTime(v)
	if t.IsZero() {
		return 0, false
	}
	return until(t, h), true
}

// until returns the time from the reply to t, but not less than zero. It goes by the server's clock
// if the reply has a Date, because ours may be wrong.
func until(t time.Time, h http.Header) time.Duration {
	if t.IsZero() {
		return 0
	}
	now := parseHTTPTime(headerValue(h, "Date"))
	if now.IsZero() {
		now = time.Now()
	}
	return min(max(t.Sub(now), 0), longestAsked)
}

// sleep waits, or returns the context's error as soon as it ends.
func sleep(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
