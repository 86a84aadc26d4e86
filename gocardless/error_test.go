package gocardless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const validationBody = `{"error":{"message":"Validation failed","type":"validation_failed","code":422,"request_id":"RQ-body",` +
	`"documentation_url":"https://developer.gocardless.com/api-reference#validation_failed",` +
	`"errors":[{"field":"amount","message":"must be greater than 0","request_pointer":"/payments/amount"},` +
	`{"field":"currency","message":"must be GBP","request_pointer":"/payments/currency","metadata":{"maximum_amount":100000000,"list":[1,"a",null]}}]}}`

func TestErrorOfTheAPI(t *testing.T) {
	c, _ := scripted(t, replyWith(422, validationBody, "X-Request-Id", "RQ-header", "RateLimit-Limit", "1000", "RateLimit-Remaining", "7"))
	payment, err := c.Payments.Create(t.Context(), paymentParams(), WithIdempotencyKey("k1"))
	if payment != nil {
		t.Error("a failed call returned something")
	}
	e := as[*Error](t, err)
	e.secret = nil // functions cannot be compared
	want := &Error{
		Operation: "payments.create", StatusCode: 422, Type: ErrorTypeValidationFailed, Code: 422, Message: "Validation failed",
		Details: []ErrorDetail{
			{Field: "amount", Message: "must be greater than 0", RequestPointer: "/payments/amount"},
			{Field: "currency", Message: "must be GBP", RequestPointer: "/payments/currency", Metadata: map[string]any{"maximum_amount": int64(100000000), "list": []any{1.0, "a", nil}}},
		},
		DocumentationURL: "https://developer.gocardless.com/api-reference#validation_failed",
		RequestID:        "RQ-header", RateLimit: RateLimit{Limit: 1000, Remaining: 7}, Attempts: 1, IdempotencyKey: "k1",
		Header: e.Header, Body: []byte(validationBody),
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", *e, *want)
	}
	const text = "payments.create: 422 validation_failed: amount must be greater than 0 (/payments/amount); currency must be GBP (/payments/currency) [request id RQ-header]"
	if err.Error() != text {
		t.Errorf("text %q\nwant %q", err, text)
	}
}

func TestSentinels(t *testing.T) {
	all := []error{ErrAuthentication, ErrPermission, ErrNotFound, ErrRateLimited, ErrValidation, ErrInvalidState, ErrInvalidUsage, ErrIdempotencyConflict, ErrInternal}
	for name, test := range map[string]struct {
		status int
		body   string
		want   []error
	}{
		"401":          {401, `{"error":{"type":"invalid_api_usage","code":401,"errors":[{"reason":"unauthorized"}]}}`, []error{ErrAuthentication, ErrInvalidUsage}},
		"403":          {403, `{"error":{"type":"invalid_api_usage","errors":[{"reason":"forbidden"}]}}`, []error{ErrPermission, ErrInvalidUsage}},
		"404":          {404, `{"error":{"type":"invalid_api_usage","errors":[{"reason":"resource_not_found"}]}}`, []error{ErrNotFound, ErrInvalidUsage}},
		"410":          {410, `{"error":{"type":"invalid_api_usage","errors":[{"reason":"customer_data_removed"}]}}`, []error{ErrNotFound, ErrInvalidUsage}},
		"409":          {409, strings.Replace(conflictBody, "PM123", "", 1), []error{ErrIdempotencyConflict, ErrInvalidState}},
		"422 values":   {422, validationBody, []error{ErrValidation}},
		"422 state":    {422, `{"error":{"type":"invalid_state","errors":[{"reason":"mandate_is_inactive"}]}}`, []error{ErrInvalidState}},
		"429":          {429, `{"error":{"type":"invalid_api_usage","errors":[{"reason":"rate_limit_exceeded"}]}}`, []error{ErrRateLimited, ErrInvalidUsage}},
		"500":          {500, `{"error":{"type":"gocardless","code":500}}`, []error{ErrInternal}},
		"502 HTML":     {502, "<html>", []error{ErrInternal}},
		"unknown type": {422, `{"error":{"type":"brand_new"}}`, nil},
		"302":          {302, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := scripted(t, replyWith(test.status, test.body))
			_, err := c.Payments.Create(t.Context(), paymentParams(), WithRetries(0))
			for _, sentinel := range all {
				if want := slices.Contains(test.want, sentinel); errors.Is(err, sentinel) != want {
					t.Errorf("errors.Is(%v, %v) = %t", err, sentinel, !want)
				}
			}
			if wrapped := fmt.Errorf("while billing: %w", err); as[*Error](t, wrapped).StatusCode != test.status {
				t.Error("the error cannot be found in a wrapped one")
			}
		})
	}
}

// An unsuccessful status becomes an error whatever the body, with everything that can be read of it.
func TestErrorBodies(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	for name, test := range map[string]struct {
		body, contentType string
		message           string
		kind              ErrorType
		details           int
	}{
		"bare text":         {`{"error":"bank_authorisation_expired"}`, "application/json", "bank_authorisation_expired", "", 0},
		"HTML":              {"<html><h1>502</h1></html>", "text/html", "", "", 0},
		"text":              {"upstream error", "text/plain", "", "", 0},
		"empty":             {"", "", "", "", 0},
		"wrong type header": {validationBody, "text/html", "Validation failed", "validation_failed", 2},
		"truncated":         {validationBody[:100], "application/json", "", "", 0},
		"trailing":          {validationBody + "x", "application/json", "", "", 0},
		"array":             {`[]`, "application/json", "", "", 0},
		"null":              {`null`, "application/json", "", "", 0},
		"null error":        {`{"error":null}`, "application/json", "", "", 0},
		"other object":      {`{"message":"Forbidden"}`, "application/json", "", "", 0},
		"odd members":       {`{"error":{"type":5,"code":"x","message":{"a":1},"errors":[1,null,{"reason":null,"links":[],"metadata":"x","message":"m"}],"request_id":7}}`, "application/json", "", "", 1},
		"errors no array":   {`{"error":{"type":"new_type","message":"m","errors":{"a":1}}}`, "application/json", "m", "new_type", 0},
		"huge":              {long, "text/plain", "", "", 0},
		"huge JSON":         {`{"error":{"message":"` + long + `"}}`, "application/json", "", "", 0},
		"white space first": {" \n\t" + validationBody, "application/json", "Validation failed", "validation_failed", 2},
		"invalid UTF-8":     {"{\"error\":{\"message\":\"a\xffb\"}}", "application/json", "a\uFFFDb", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := scripted(t, replyWith(400, test.body, "Content-Type", test.contentType, "X-Request-Id", "RQ-9"))
			_, err := c.Payments.Get(t.Context(), "PM1")
			e := as[*Error](t, err)
			if e.StatusCode != 400 || e.RequestID != "RQ-9" || e.Header.Get("Content-Type") != test.contentType || e.Operation != "payments.get" || e.Attempts != 1 {
				t.Errorf("%+v", e)
			}
			if e.Message != test.message || e.Type != test.kind || len(e.Details) != test.details {
				t.Errorf("message %q, type %q, %d details", e.Message, e.Type, len(e.Details))
			}
			if want := test.body[:min(len(test.body), 4096)]; string(e.Body) != want {
				t.Errorf("%d bytes of body, want %d", len(e.Body), len(want))
			}
			if text := err.Error(); len(text) > 600 || strings.Contains(text, "<html>") || strings.Contains(text, "upstream error") {
				t.Errorf("text %q", text)
			}
		})
	}
}

func TestErrorLinks(t *testing.T) {
	c, _ := scripted(t, replyWith(422, `{"error":{"type":"invalid_state","code":422,"message":"Mandate replaced","errors":[{"reason":"mandate_replaced","message":"Mandate replaced","links":{"new_mandate":"MD2","brand_new_link":"X1","number":5}}]}}`))
	_, err := c.Payments.Create(t.Context(), paymentParams())
	e := as[*Error](t, err)
	if e.Link("new_mandate") != "MD2" || e.Link("brand_new_link") != "X1" || e.Link("number") != "5" || e.Link("none") != "" || !e.HasReason(ReasonMandateReplaced) || e.HasReason(ReasonMandateIsInactive) {
		t.Errorf("%+v", e.Details)
	}
	if e.MayHaveRun {
		t.Error("a refused request has not run")
	}
}

func TestRequestIDFromTheBody(t *testing.T) {
	c, _ := scripted(t, replyWith(422, validationBody))
	_, err := c.Payments.Get(t.Context(), "PM1")
	if e := as[*Error](t, err); e.RequestID != "RQ-body" {
		t.Errorf("request id %q", e.RequestID)
	}
}

func TestHintAboutTheEnvironment(t *testing.T) {
	c, _ := scripted(t, replyWith(401, `{"error":{"type":"invalid_api_usage","code":401,"message":"The access token you've used is not a valid sandbox API access token","errors":[{"reason":"access_token_not_found","message":"not valid"}]}}`))
	_, err := c.Payments.Get(t.Context(), "PM1")
	if !strings.Contains(err.Error(), "the token may belong to the other environment") || !errors.Is(err, ErrAuthentication) {
		t.Errorf("got %v", err)
	}
	c, _ = scripted(t, replyWith(401, `{"error":{"type":"invalid_api_usage","code":401,"errors":[{"reason":"access_token_revoked","message":"revoked"}]}}`))
	_, err = c.Payments.Get(t.Context(), "PM1")
	if strings.Contains(err.Error(), "environment") {
		t.Errorf("got %v", err)
	}
}

func TestTexts(t *testing.T) {
	detail := ErrorDetail{Field: "iban", Message: "is invalid", RequestPointer: "/customer_bank_accounts/iban"}
	for want, err := range map[string]error{
		"payments.get: 503 Service Unavailable":                                      &Error{Operation: "payments.get", StatusCode: 503},
		"payments.get: 422 invalid_state: Mandate is failed (mandate_is_inactive)":   &Error{Operation: "payments.get", StatusCode: 422, Type: "invalid_state", Details: []ErrorDetail{{Reason: "mandate_is_inactive", Message: "Mandate is failed"}}},
		"x: 422 validation_failed: iban is invalid (/customer_bank_accounts/iban)":   &Error{Operation: "x", StatusCode: 422, Type: "validation_failed", Details: []ErrorDetail{detail}},
		"x: 400 Bad Request: bank_authorisation_expired":                             &Error{Operation: "x", StatusCode: 400, Message: "bank_authorisation_expired"},
		"x: 599: a (/a); b; c; and 2 more":                                           &Error{Operation: "x", StatusCode: 599, Details: []ErrorDetail{{Message: "a", RequestPointer: "/a"}, {Message: "b"}, {Message: "c"}, {}, {}}},
		"x: 422 invalid_api_usage: customer_id: Customer not found (link_not_found)": &Error{Operation: "x", StatusCode: 422, Type: "invalid_api_usage", Details: []ErrorDetail{{Reason: "link_not_found", Field: "customer_id", Message: "Customer not found"}}},
		"x: 502 Bad Gateway (4 attempts) [request id RQ1]":                           &Error{Operation: "x", StatusCode: 502, Attempts: 4, RequestID: "RQ1"},
		"x: 200 with an unreadable reply: the reply is empty (2 attempts)":           &MalformedResponseError{Operation: "x", StatusCode: 200, Err: errNoReply, Attempts: 2},
		"x: unexpected EOF (4 attempts)":                                             &ConnectionError{Operation: "x", Attempts: 4, Err: io.ErrUnexpectedEOF},
		"x: context canceled; before that: x: 503 Service Unavailable":               &ConnectionError{Operation: "x", Attempts: 1, Err: context.Canceled, Previous: &Error{Operation: "x", StatusCode: 503}},
		"x: 200 with an unreadable reply: the reply is empty [request id RQ1]":       &MalformedResponseError{Operation: "x", StatusCode: 200, Err: errNoReply, RequestID: "RQ1"},
		"x: refused before sending: a is required (/p/a); id must not be empty":      &ParamsError{Operation: "x", Problems: []Problem{{"/p/a", "a", "is required"}, {"", "id", "must not be empty"}}},
		"x: the request could not be signed: no answer from [e-mail]":                &SigningError{Operation: "x", Err: errors.New("no answer from a@b.example")},
	} {
		if err.Error() != want {
			t.Errorf("got  %q\nwant %q", err, want)
		}
	}
}

// The message of a network error is the network's own, without the address that net/http
// puts before it.
func TestTextOfANetworkError(t *testing.T) {
	c, _ := scripted(t, failWith(dialError()))
	_, err := c.Payments.List(t.Context(), PaymentListParams{Customer: "CU123"}, WithRetries(0))
	if want := "payments.list: dial tcp: connection refused"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if e := as[*ConnectionError](t, err); e.Err == nil || strings.Contains(e.Err.Error(), "CU123") {
		t.Errorf("the cause %v repeats the query", e.Err)
	}
}

func TestMayHaveRun(t *testing.T) {
	lost, refused := failWith(io.ErrUnexpectedEOF), failWith(dialError())
	for name, test := range map[string]struct {
		replies []replier
		want    bool
	}{
		"never connected":          {[]replier{refused}, false},
		"lost":                     {[]replier{lost}, true},
		"lost, then not connected": {[]replier{lost, refused}, true},
		"422":                      {[]replier{replyWith(422, "")}, false},
		"lost, then 422":           {[]replier{lost, replyWith(422, "")}, true},
		"500":                      {[]replier{replyWith(500, "")}, true},
		"429":                      {[]replier{replyWith(429, "")}, false},
		"503 with Retry-After":     {[]replier{replyWith(503, "", "Retry-After", "1")}, false},
		"503 without":              {[]replier{replyWith(503, "")}, true},
		"302":                      {[]replier{replyWith(302, "")}, true},
		"408":                      {[]replier{replyWith(408, "")}, true},
		"409 of another reason":    {[]replier{replyWith(409, strings.Replace(conflictBody, "idempotent_creation_conflict", "cancellation_failed", 2)), replyWith(200, paymentReply)}, false},
	} {
		c, _ := scripted(t, test.replies...)
		_, err := c.Payments.Create(t.Context(), paymentParams(), WithRetryPolicy(atOnce))
		var got bool
		if e, ok := errors.AsType[*Error](err); ok {
			got = e.MayHaveRun
		} else {
			got = as[*ConnectionError](t, err).MayHaveRun
		}
		if got != test.want {
			t.Errorf("%s: %t (%v)", name, got, err)
		}
	}
}

func TestUnreadableSuccess(t *testing.T) {
	c, _ := scripted(t, replyWith(200, "<html>login</html>", "X-Request-Id", "RQ-1"))
	var r Response
	_, err := c.Payments.Create(t.Context(), paymentParams(), WithRetryPolicy(atOnce), WithResponse(&r), WithIdempotencyKey("k"))
	e := as[*MalformedResponseError](t, err)
	if e.StatusCode != 200 || e.RequestID != "RQ-1" || e.Attempts != 4 || e.IdempotencyKey != "k" || string(e.Body) != "<html>login</html>" || string(r.Body) != string(e.Body) {
		t.Errorf("%+v", e)
	}
}

func TestUsersClientTimeout(t *testing.T) {
	hang := roundTripper(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	c, err := New(testToken, EnvironmentSandbox, WithHTTPClient(&http.Client{Transport: hang, Timeout: time.Millisecond}), WithRetryPolicy(atOnce), WithRetries(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Payments.Get(t.Context(), "PM1")
	if e := as[*ConnectionError](t, err); !e.Timeout() || e.Attempts != 2 {
		t.Errorf("%v", err)
	}
}
