package gocardless

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/errtree"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// Sentinels for errors.Is. They stand for classes of an [Error]:
//
//	if errors.Is(err, gocardless.ErrInvalidState) { … }
//
// One error may belong to several: a 429 is [ErrRateLimited] and, by its type,
// [ErrInvalidUsage].
var (
	// ErrAuthentication: the access token is missing, unknown or revoked (401).
	ErrAuthentication = errors.New("gocardless: not authenticated")
	// ErrPermission: the token or the account may not do this (403).
	ErrPermission = errors.New("gocardless: not permitted")
	// ErrNotFound: there is no such resource or path (404), or its data has been
	// removed (410).
	ErrNotFound = errors.New("gocardless: not found")
	// ErrRateLimited: too many requests in this clock minute (429).
	ErrRateLimited = errors.New("gocardless: rate limited")
	// ErrValidation: parameters were refused, by the API (type validation_failed)
	// or before sending ([ParamsError]).
	ErrValidation = errors.New("gocardless: validation failed")
	// ErrInvalidState: the state of the resource does not allow this (type invalid_state).
	ErrInvalidState = errors.New("gocardless: invalid state")
	// ErrInvalidUsage: the request was malformed (type invalid_api_usage).
	ErrInvalidUsage = errors.New("gocardless: invalid API usage")
	// ErrIdempotencyConflict: the idempotency key of a create was used before.
	ErrIdempotencyConflict = errors.New("gocardless: idempotency key already used")
	// ErrInternal: something failed at GoCardless or on the way to it (any
	// 5xx, or type gocardless).
	ErrInternal = errors.New("gocardless: internal error")

	// ErrTimeout: no complete reply to an attempt arrived within the time that [WithTimeout] sets. A
	// [ConnectionError] wraps it.
	ErrTimeout = errors.New("gocardless: no complete reply in time")
	// ErrReplyTooLarge: a reply was longer than [WithMaxReplyBytes] allows. A
	// [MalformedResponseError] wraps it.
	ErrReplyTooLarge = errors.New("gocardless: reply too large")
)

// ErrorType is the class that the API gives an error. The API may add classes.
type ErrorType string

// The error types that the API documents.
const (
	// ErrorTypeGoCardless is an error at GoCardless.
	ErrorTypeGoCardless ErrorType = "gocardless"
	// ErrorTypeInvalidAPIUsage is a request that is malformed, not authenticated, not permitted, or
	// for an unknown path.
	ErrorTypeInvalidAPIUsage ErrorType = "invalid_api_usage"
	// ErrorTypeInvalidState is a request that the state of a resource does not allow.
	ErrorTypeInvalidState ErrorType = "invalid_state"
	// ErrorTypeValidationFailed is a request with invalid values.
	ErrorTypeValidationFailed ErrorType = "validation_failed"
)

// maxErrorBody is how many bytes of a reply an error keeps.
const maxErrorBody = 4 << 10

// Error is an unsuccessful reply, with any status outside 2xx. It comes from the API or from a
// server on the way, such as a proxy that replies with HTML.
//
// Message, Details and Body are copied from the reply and may hold personal data. Log the string
// that the method Error returns instead: it masks e-mail addresses, IBANs and long numbers, and
// leaves the body out.
type Error struct {
	// Operation is the operation that failed, such as "payments.create".
	Operation string
	// StatusCode is the HTTP status.
	StatusCode int
	// Type is the class of the error; empty when the reply was not an error of
	// the API.
	Type ErrorType
	// Code is the HTTP status according to the body.
	Code int
	// Message describes what went wrong, for a developer.
	Message string
	// Details are the individual problems that the API found.
	Details []ErrorDetail
	// DocumentationURL is the address of the error's documentation.
	DocumentationURL string
	// RequestID identifies the request to GoCardless support.
	RequestID string
	// RateLimit is the state of the rate limit according to the reply.
	RateLimit RateLimit
	// RetryAfter is the time that the reply asks the client to wait before another attempt, at most 24
	// hours, or zero.
	RetryAfter time.Duration
	// Attempts counts the requests that were sent, retries included.
	Attempts int
	// IdempotencyKey is the key that was sent with a POST. A later call with the
	// same key ([WithIdempotencyKey]) cannot create anything twice.
	IdempotencyKey string
	// MayHaveRun reports whether the API may have carried out the request despite the error: after a
	// 5xx, or if the reply to an earlier attempt was lost. It is false if the request is known not
	// to have run.
	MayHaveRun bool
	// Header holds the headers of the reply.
	Header http.Header
	// Body is the start of the reply's body, at most 4 KiB.
	Body []byte

	hint       string
	cause      error
	unreadable bool // the body is not an error of the API, or broke off
	secret     scrub.Mask
}

// ErrorDetail is one problem in an [Error].
type ErrorDetail struct {
	// Reason is a stable code; empty for validation errors.
	Reason Reason
	// Field is the invalid parameter.
	Field string
	// Message describes the problem.
	Message string
	// RequestPointer is the JSON pointer of the parameter in the request body, such as
	// "/payments/amount".
	RequestPointer string
	// Links are the ids of related resources by name, such as "conflicting_resource_id" or
	// "new_mandate".
	Links map[string]string
	// Metadata holds further details, such as "maximum_amount". Its whole numbers are int64;
	// those of nested lists and objects are float64.
	Metadata map[string]any
}

// Error describes the failure in one line: the operation, status, type, the first problems, the
// number of attempts and the request id. It masks e-mail addresses, IBANs and long numbers.
func (e *Error) Error() string {
	var b strings.Builder
	writeSet(&b, "", e.Operation, ": ")
	writeAll(&b, strconv.Itoa(e.StatusCode))
	if e.Type != "" {
		writeAll(&b, " ", e.scrub(string(e.Type)))
	} else {
		writeSet(&b, " ", http.StatusText(e.StatusCode), "")
	}
	e.writeDetails(&b)
	writeSet(&b, " (", e.hint, ")")
	if e.cause != nil {
		writeAll(&b, "; reading the existing resource failed: ", e.cause.Error())
	}
	writeAttempts(&b, e.Attempts)
	writeSet(&b, " [request id ", scrub.ID(e.RequestID), "]")
	return b.String()
}

// maxDetails is how many problems the message of an error lists.
const maxDetails = 3

func (e *Error) writeDetails(b *strings.Builder) {
	if len(e.Details) == 0 {
		writeSet(b, ": ", e.scrub(e.Message), "")
		return
	}
	for i, d := range e.Details {
		if i == maxDetails {
			writeAll(b, "; and ", strconv.Itoa(len(e.Details)-i), " more")
			return
		}
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		message := cmp.Or(d.Message, e.Message)
		writeAll(b, separator)
		if d.Field != "" && !strings.HasPrefix(message, d.Field) {
			join := " "
			if first := message[:min(1, len(message))]; first < "a" || first > "z" {
				join = ": " // as in "customer_id: Customer not found"
			}
			writeAll(b, e.scrub(d.Field), join)
		}
		writeAll(b, e.scrub(message))
		writeSet(b, " (", e.scrub(string(d.Reason)), ")")
		writeSet(b, " (", e.scrub(d.RequestPointer), ")")
	}
}

// writeAttempts writes the number of attempts, if there was more than one.
func writeAttempts(b *strings.Builder, n int) {
	if n > 1 {
		writeAll(b, " (", strconv.Itoa(n), " attempts)")
	}
}

// writeSet writes a part of a message between two others, or nothing if the part is empty. Neither it
// nor writeAll is inlined, because every program links the messages of all errors.
//
//go:noinline
func writeSet(b *strings.Builder, before, part, after string) {
	if part != "" {
		writeAll(b, before, part, after)
	}
}

//go:noinline
func writeAll(b *strings.Builder, parts ...string) {
	for _, part := range parts {
		b.WriteString(part)
	}
}

// scrub masks a string from the reply. A proxy may have echoed the token.
func (e *Error) scrub(text string) string { return e.secret.Text(text) }

// GoString is like Error: it keeps %#v from printing the body.
func (e Error) GoString() string { return "&gocardless.Error{" + e.Error() + "}" }

// Format is like Error, whatever the verb, and whether by pointer or value.
func (e Error) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error: it keeps the body out of a JSON document.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the error of reading the existing resource after an idempotency
// conflict, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether the error belongs to the class that a sentinel stands for.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrAuthentication:
		return e.StatusCode == http.StatusUnauthorized
	case ErrPermission:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusGone
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrValidation:
		return e.Type == ErrorTypeValidationFailed
	case ErrInvalidState:
		return e.Type == ErrorTypeInvalidState
	case ErrInvalidUsage:
		return e.Type == ErrorTypeInvalidAPIUsage
	case ErrIdempotencyConflict:
		return e.HasReason(reasonConflict)
	case ErrInternal:
		return e.StatusCode >= 500 || e.Type == ErrorTypeGoCardless
	}
	return false
}

// HasReason reports whether one of the details has the reason. The reasons that
// the API documents are constants, such as [ReasonMandateIsInactive].
func (e *Error) HasReason(reason Reason) bool {
	for i := range e.Details {
		if e.Details[i].Reason == reason {
			return true
		}
	}
	return false
}

// Link returns the id that a detail gives under a name, such as "new_mandate",
// or "" when none does.
func (e *Error) Link(name string) string {
	for i := range e.Details {
		if id := e.Details[i].Links[name]; id != "" {
			return id
		}
	}
	return ""
}

// ConnectionError reports that a call ended without a complete reply: the network failed, an attempt
// took too long, or the context ended.
//
// It wraps context.Canceled, context.DeadlineExceeded, [ErrTimeout], the error of the network or, if
// a retry could not be signed, a [SigningError].
type ConnectionError struct {
	// Operation is the operation that failed, such as "payments.create".
	Operation string
	// Attempts counts the requests that were sent or tried, retries included. It is 0 if the context
	// ended before the first.
	Attempts int
	// IdempotencyKey is the key that was sent with a POST. A later call with the
	// same key ([WithIdempotencyKey]) cannot create anything twice.
	IdempotencyKey string
	// MayHaveRun reports whether the API may have received and carried out the request. It is false
	// if no attempt can have reached the API.
	MayHaveRun bool
	// Err is the error that ended the call.
	Err error
	// Previous is the error of the last attempt if the call ended before the next one was sent, and
	// otherwise nil.
	Previous error

	secret scrub.Mask
}

// Error describes the failure in one line. It masks what [Error.Error] masks.
func (e *ConnectionError) Error() string {
	var b strings.Builder
	writeSet(&b, "", e.Operation, ": ")
	text := "no reply"
	if e.Err != nil {
		text = e.Err.Error()
	}
	writeAll(&b, e.secret.Text(text))
	writeAttempts(&b, e.Attempts)
	if e.Previous != nil {
		writeAll(&b, "; before that: ", e.Previous.Error())
	}
	return b.String()
}

// GoString is like Error.
func (e ConnectionError) GoString() string { return "&gocardless.ConnectionError{" + e.Error() + "}" }

// Format is like Error, whatever the verb, and whether by pointer or value.
func (e ConnectionError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error: it keeps the fields of Previous out of a JSON document.
func (e ConnectionError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns Err and Previous.
func (e *ConnectionError) Unwrap() []error {
	if e.Previous != nil {
		return []error{e.Err, e.Previous}
	}
	return []error{e.Err}
}

// Timeout reports whether an attempt exceeded its time limit, or the context its deadline.
func (e *ConnectionError) Timeout() bool {
	return errors.Is(e.Err, ErrTimeout) || errtree.Find(e.Err, func(err error) bool {
		t, ok := err.(interface{ Timeout() bool })
		return ok && t.Timeout()
	})
}

// MalformedResponseError reports a reply with a status of success (2xx) that is not the JSON
// document that the operation returns: an HTML page, a malformed document, one without the result, or
// one larger than [WithMaxReplyBytes] allows. The API has most likely carried out the request.
type MalformedResponseError struct {
	// Operation is the operation that was called, such as "payments.create".
	Operation string
	// StatusCode is the HTTP status.
	StatusCode int
	// RequestID identifies the request to GoCardless support.
	RequestID string
	// RateLimit is the state of the rate limit according to the reply.
	RateLimit RateLimit
	// Attempts counts the requests that were sent, retries included.
	Attempts int
	// IdempotencyKey is the key that was sent with a POST. A later call with the
	// same key ([WithIdempotencyKey]) cannot create anything twice.
	IdempotencyKey string
	// Header holds the headers of the reply.
	Header http.Header
	// Body is the start of the reply's body, at most 4 KiB. It may hold personal
	// data.
	Body []byte
	// ResourceID is the id of the resource in the reply, such as the one that a create request made,
	// if it could be read.
	ResourceID string
	// Err describes the problem. It matches [ErrMisfit] if the reply is well-formed but contains a
	// value that the SDK cannot accept.
	Err error
}

// Error describes the failure in one line. It masks what [Error.Error] masks.
func (e *MalformedResponseError) Error() string {
	var b strings.Builder
	writeSet(&b, "", e.Operation, ": ")
	writeAll(&b, strconv.Itoa(e.StatusCode), " with an unreadable reply")
	if e.Err != nil {
		writeAll(&b, ": ", replyProblem(e.Err))
	}
	writeSet(&b, " (resource ", scrub.ID(e.ResourceID), ")")
	writeAttempts(&b, e.Attempts)
	writeSet(&b, " [request id ", scrub.ID(e.RequestID), "]")
	return b.String()
}

// replyProblem describes the problem with a reply. The decoder's errors contain no values, so masking
// them would only hide long paths.
func replyProblem(err error) string {
	if syntax, ok := errors.AsType[*jsonwire.SyntaxError](err); ok {
		return syntax.Error()
	}
	if misfit, ok := errors.AsType[*jsonwire.Misfit](err); ok {
		return misfit.Error()
	}
	return scrub.Text(err.Error())
}

// GoString is like Error: it keeps %#v from printing the body.
func (e MalformedResponseError) GoString() string {
	return "&gocardless.MalformedResponseError{" + e.Error() + "}"
}

// Format is like Error, whatever the verb, and whether by pointer or value.
func (e MalformedResponseError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error: it keeps the body out of a JSON document.
func (e MalformedResponseError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns Err.
func (e *MalformedResponseError) Unwrap() error { return e.Err }
