package gocardless

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// Response records the HTTP side of a call. Request one with [WithResponse]:
//
//	var r gocardless.Response
//	payment, err := client.Payments.Create(ctx, params, gocardless.WithResponse(&r))
//
// It is filled when the call ends, with or without an error; fields without a value are zero. For
// lists and iterators it describes the last page that was fetched. Concurrent calls must not share
// a record.
//
// Body and Header may hold personal data. A Response prints itself without them.
type Response struct {
	// StatusCode is the HTTP status of the last reply, or 0 when there was none.
	StatusCode int
	// Header holds the headers of the last reply.
	Header http.Header
	// RequestID identifies the request to GoCardless support.
	RequestID string
	// RateLimit is the state of the rate limit according to the reply.
	RateLimit RateLimit
	// Attempts counts the requests that were sent, including retries and the read of an existing
	// resource.
	Attempts int
	// IdempotencyKey is the key that was sent with a POST. A create request with the same key
	// ([WithIdempotencyKey]) creates nothing twice.
	IdempotencyKey string
	// Existing reports that the idempotency key of a create was used before: the result is the
	// resource that the earlier request created. That request may be an earlier attempt of the same
	// call whose reply was lost (Attempts is then more than 1) or an earlier call.
	Existing bool
	// Misfits are the values of the reply that do not fit their fields, which keep their zero value;
	// see [Misfit]. Replies as the API documents them have none.
	Misfits []Misfit
	// Body is the raw body of the last reply, after decompression.
	Body []byte
}

// String describes the response without its headers and body.
func (r Response) String() string {
	text := fmt.Sprintf("%d, attempts %d, existing %t, request id %q", r.StatusCode, r.Attempts, r.Existing, scrub.ID(r.RequestID))
	if n := len(r.Misfits); n > 0 {
		text += fmt.Sprintf(", misfits %d (%s)", n, r.Misfits[0])
	}
	return text
}

// GoString is like String: it keeps %#v from printing the body.
func (r Response) GoString() string { return "gocardless.Response{" + r.String() + "}" }

// Format is like String, whatever the verb: it keeps %+v from printing the body.
func (r Response) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// MarshalText is like String: it keeps the body out of a JSON document.
func (r Response) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// LogValue gives a logger the parts that are safe to log.
func (r Response) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int("status", r.StatusCode),
		slog.Int("attempts", r.Attempts),
		slog.Bool("existing", r.Existing),
		slog.Int("misfits", len(r.Misfits)),
		slog.String("request_id", scrub.ID(r.RequestID)),
	)
}

// requestIDHeader is the header that identifies a request, in canonical form.
const requestIDHeader = "X-Request-Id"

// headerValue reads a header by its canonical name. A RoundTripper other than net/http's may not
// have made the names canonical, so a second search ignores their case.
func headerValue(h http.Header, canonical string) string {
	if v := h[canonical]; len(v) > 0 {
		return v[0]
	}
	for name, v := range h {
		if len(v) > 0 && len(name) == len(canonical) && http.CanonicalHeaderKey(name) == canonical {
			return v[0]
		}
	}
	return ""
}
