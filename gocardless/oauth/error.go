package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// Errors of the authorisation server, for use with [errors.Is] on an [*Error].
var (
	// ErrAccessDenied means that the merchant refused.
	ErrAccessDenied = errors.New("oauth: access denied")
	// ErrInvalidGrant means that a code is unknown, expired or used, or belongs to another redirect
	// URL.
	ErrInvalidGrant = errors.New("oauth: invalid grant")
	// ErrInvalidClient means that the client id or secret is wrong.
	ErrInvalidClient = errors.New("oauth: invalid client")
	// ErrInvalidRequest means that a parameter is missing or malformed.
	ErrInvalidRequest = errors.New("oauth: invalid request")
	// ErrInvalidScope means that the app may not ask for the scope.
	ErrInvalidScope = errors.New("oauth: invalid scope")
	// ErrServer means that the server failed or is overloaded: try again later.
	ErrServer = errors.New("oauth: authorisation server failed")
)

var sentinels = map[string]error{
	"access_denied":           ErrAccessDenied,
	"invalid_grant":           ErrInvalidGrant,
	"invalid_client":          ErrInvalidClient,
	"unauthorized_client":     ErrInvalidClient,
	"invalid_request":         ErrInvalidRequest,
	"unsupported_grant_type":  ErrInvalidRequest,
	"invalid_scope":           ErrInvalidScope,
	"server_error":            ErrServer,
	"temporarily_unavailable": ErrServer,
}

// Error is a refusal or a failure of the authorisation server.
type Error struct {
	// Operation is the operation that failed: "authorise", "exchange", "introspect" or "revoke".
	Operation string
	// StatusCode is the HTTP status. It is 0 if there was no reply, and for "authorise", whose
	// result the browser brings.
	StatusCode int
	// Code is the error code of RFC 6749, such as "invalid_grant"; empty if the server gave none.
	// For "authorise" the browser brought it, so it can be anything.
	Code string
	// Description is the server's explanation, for developers. Escape it before you display it: for
	// "authorise" the browser brought it.
	Description string

	err error
}

// Error describes what failed, with the status and code. It has neither the description nor anything
// that was sent.
func (e *Error) Error() string { return e.text() }

// GoString returns the same as Error: it keeps %#v from printing the description.
func (e Error) GoString() string { return e.text() }

// Format writes the same as Error, whatever the verb.
func (e Error) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.text()) }

// MarshalText returns the same as Error: it keeps the description out of a JSON document.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

func (e Error) text() string {
	var b strings.Builder
	b.WriteString("oauth: " + e.Operation + " failed")
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, ": status %d", e.StatusCode)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", printable(e.Code))
	}
	if e.err != nil {
		b.WriteString(": " + scrub.Text(e.err.Error())) // net/http quotes what is not HTTP
	}
	return b.String()
}

// Unwrap returns the cause, such as a network error or the context's.
func (e *Error) Unwrap() error { return e.err }

// Is reports whether the target is the sentinel of the error's code or status.
func (e *Error) Is(target error) bool {
	if sentinel := sentinels[e.Code]; sentinel != nil {
		return target == sentinel
	}
	switch {
	case e.StatusCode >= 500:
		return target == ErrServer
	case e.StatusCode == http.StatusUnauthorized:
		return target == ErrInvalidClient
	}
	return false
}

// printable keeps a code from writing anything but a short word into a log.
func printable(code string) string {
	ok := strings.IndexFunc(code, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) < 0
	if !ok || len(code) > 64 {
		return "unusual error code"
	}
	return code
}

// withoutURL returns a network error without the address of the request.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// replyError reads the body of a refusal, which has the form of RFC 6749 or, from the API behind the
// same host, an error object.
func replyError(operation string, status int, header http.Header, body []byte) error {
	e := &Error{Operation: operation, StatusCode: status}
	if !isJSON(header) {
		return e
	}
	var reply struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	if json.Unmarshal(body, &reply) != nil {
		return e
	}
	e.Description = reply.Description
	if json.Unmarshal(reply.Error, &e.Code) != nil {
		var api struct {
			Message string `json:"message"`
			Type    string `json:"type"`
		}
		if json.Unmarshal(reply.Error, &api) == nil {
			e.Code, e.Description = api.Type, api.Message
		}
	}
	return e
}

// IsDisconnected reports whether the error of an API call means that its access token is no
// longer valid: the merchant, or the partner, has ended the connection.
func IsDisconnected(err error) bool {
	e, ok := errors.AsType[*gocardless.Error](err)
	return ok && slices.ContainsFunc(disconnected, e.HasReason)
}

// disconnected are the API's reasons for refusing a token that is no longer valid.
var disconnected = []gocardless.Reason{
	gocardless.ReasonAccessTokenRevoked, gocardless.ReasonAccessTokenNotActive, gocardless.ReasonAccessTokenNotFound,
}
