package gocardless

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The error decoder accepts any body, and the error made from it always has a short message.
func FuzzError(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", "[]", `{"error":"x"}`, `{"error":{}}`, `{"error":{"errors":[{}]}}`, validationBody, conflictBody, validationBody[:120], "<html>",
		`{"error":{"type":1,"code":1e99,"errors":{"a":[]}}}`, `{"error":{"errors":[{"links":{"a":{}},"metadata":{"b":[1,{"c":null}]}}]}}`, "\xef\xbb\xbf{}",
	} {
		f.Add(422, []byte(body), "RQ1")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, id string) {
		before := string(body)
		e := &Error{Operation: "payments.create", StatusCode: status, RequestID: id}
		decodeError(e, body)
		if string(body) != before {
			t.Fatal("the body was changed")
		}
		text := e.Error()
		if len(text) > 4000 || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00") {
			t.Fatalf("text of %d bytes: %q", len(text), text)
		}
		for _, target := range []error{ErrAuthentication, ErrValidation, ErrIdempotencyConflict, ErrInternal} {
			_ = e.Is(target)
		}
	})
}

// Reading a reply ends with a result or an error, whatever the reply contains.
func FuzzReply(f *testing.F) {
	for _, body := range []string{paymentReply, `{"payments":[{"id":"PM1"}],"meta":{"cursors":{"after":"a","before":null},"limit":50}}`, "{}", "[]", "null", `{"payments":null}`,
		`{"payments":{}}x`, `{"meta":5,"payments":[]}`, `{"payments":[null,{}]}`, `{"payments":{"payments":[]}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, s := scripted(t, replyWith(200, string(body)))
		payment, err := c.Payments.Get(t.Context(), "PM1", WithRetries(0))
		if (payment == nil) != (err != nil) {
			t.Fatalf("%v, %v", payment, err)
		}
		page, err := c.Payments.List(t.Context(), PaymentListParams{}, WithRetries(0))
		if (page == nil) != (err != nil) {
			t.Fatalf("%v, %v", page, err)
		}
		n := 0
		for _, err := range c.Payments.All(t.Context(), PaymentListParams{}, WithRetries(0)) {
			if n++; err != nil {
				break
			}
		}
		if len(s.requests()) > 4 {
			t.Fatalf("%d requests", len(s.requests()))
		}
	})
}

// No delay that a server names is negative or longer than the cap.
func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "5", "-1", "99999999999999999999", "1.5", "Wed, 19 Apr 2023 16:10:00 GMT", "soon", "+3"} {
		f.Add(v, v, 429)
	}
	f.Fuzz(func(t *testing.T, after, reset string, status int) {
		h := http.Header{"Retry-After": {after}, "Ratelimit-Reset": {reset}}
		if asked := serverWait(status, h); asked < 0 {
			t.Fatalf("asked %v", asked)
		}
		wait := retryWait(RetryAttempt{Attempt: 1, StatusCode: status, Header: h})
		if wait < 0 || wait > time.Minute {
			t.Fatalf("waits %v", wait)
		}
		_ = new(rateLimitCell).read(h)
	})
}
