package gocardless

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestCreateSendsTheWholeRequest(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply, "X-Request-Id", "RQ-1"))
	payment, err := c.Payments.Create(t.Context(), paymentParams())
	if err != nil {
		t.Fatal(err)
	}
	if payment.ID != "PM123" || payment.Amount != 1000 || payment.Links.Mandate != "MD123" {
		t.Errorf("got %+v", payment)
	}
	got := s.requests()[0]
	key := got.Header.Get("Idempotency-Key")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(key) {
		t.Errorf("idempotency key %q is not a random UUID", key)
	}
	got.Header.Del("Idempotency-Key")
	got.Header.Del("User-Agent")
	want := sent{
		Method: "POST", Host: "api-sandbox.gocardless.com", Path: "/payments", Body: paymentBody,
		Header: http.Header{
			"Accept":                    {"application/json"},
			"Authorization":             {"Bearer " + testToken},
			"Content-Type":              {"application/json"},
			"Gocardless-Client-Library": {"gocardless-community-go"},
			"Gocardless-Client-Version": {Version},
			"Gocardless-Version":        {"2015-07-06"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sent %+v\nwant %+v", got, want)
	}
}

func TestReadSendsNoBodyAndNoKey(t *testing.T) {
	c, s := scripted(t, replyWith(200, paymentReply))
	if _, err := c.Payments.Get(t.Context(), "PM123"); err != nil {
		t.Fatal(err)
	}
	got := s.requests()[0]
	if got.Method != "GET" || got.Path != "/payments/PM123" || got.Query != "" || got.Body != "" {
		t.Errorf("sent %+v", got)
	}
	for _, name := range []string{"Content-Type", "Idempotency-Key"} {
		if v := got.Header.Get(name); v != "" {
			t.Errorf("%s: %q on a GET", name, v)
		}
	}
	if ua := got.Header.Get("User-Agent"); !strings.HasPrefix(ua, "gocardless-go/"+Version+" (go1.") {
		t.Errorf("User-Agent %q", ua)
	}
}

func TestActionWithoutBody(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"blocks":{"id":"BLC1"}}`))
	if _, err := c.Blocks.Disable(t.Context(), "BLC1"); err != nil {
		t.Fatal(err)
	}
	got := s.requests()[0]
	if got.Body != "" || got.Header.Get("Content-Type") != "" {
		t.Errorf("sent %+v", got)
	}
	if got.Header.Get("Idempotency-Key") == "" {
		t.Error("no idempotency key on a POST")
	}
}

func TestParamsAreNotWrittenTo(t *testing.T) {
	c, _ := scripted(t, replyWith(201, paymentReply))
	params, before := paymentParams(), paymentParams()
	if _, err := c.Payments.Create(t.Context(), params, WithBodyField("description", nil), WithBodyField("links.x", 1)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(params, before) {
		t.Errorf("params became %+v", params)
	}
}

func TestHeaderParam(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"bank_account_details":{}}`))
	if _, err := c.BankAccountDetails.Get(t.Context(), "BA1", BankAccountDetailGetParams{GcKeyID: "PK1"}); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[0].Header.Get("Gc-Key-Id"); got != "PK1" {
		t.Errorf("Gc-Key-Id %q", got)
	}
}

func TestCallersHeadersWin(t *testing.T) {
	s := &script{replies: []replier{replyWith(201, paymentReply)}}
	c := clientOver(t, s, WithHeader("x-one", "client"), WithHeader("x-two", "client"))
	var record Response
	_, err := c.Payments.Create(t.Context(), paymentParams(), WithResponse(&record),
		WithHeader("idempotency-KEY", "mine"), WithHeader("AUTHORIZATION", "Bearer other"),
		WithHeader("X-Two", "call"), WithHeader("gocardless-version", "2030-01-01"), WithHeader("accept", ""))
	if err != nil {
		t.Fatal(err)
	}
	got := s.requests()[0].Header
	for name, want := range map[string]string{
		"Idempotency-Key": "mine", "Authorization": "Bearer other", "X-One": "client", "X-Two": "call",
		"Gocardless-Version": "2030-01-01", "Accept": "",
	} {
		if values := got.Values(name); len(values) > 1 || got.Get(name) != want {
			t.Errorf("%s: %q, want %q alone", name, values, want)
		}
	}
	// WithHeader can set the key, too.
	if record.IdempotencyKey != "mine" {
		t.Errorf("the record has the key %q", record.IdempotencyKey)
	}
	if _, err := c.Payments.Create(t.Context(), paymentParams()); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[1].Header; got.Get("X-Two") != "client" || got.Get("Authorization") != "Bearer "+testToken {
		t.Errorf("options of one call leaked into the next: %v", got)
	}
	// net/http sends a User-Agent of its own unless there is one, be it empty.
	if _, err := c.Payments.Create(t.Context(), paymentParams(), WithHeader("user-agent", "")); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[2].Header.Values("User-Agent"); !slices.Equal(got, []string{""}) {
		t.Errorf("without a User-Agent: %q", got)
	}
}

func TestBodyField(t *testing.T) {
	for name, test := range map[string]struct {
		path  string
		value any
		want  string
	}{
		"null":        {"description", nil, `{"payments":{"amount":1000,"currency":"GBP","description":null,"links":{"mandate":"MD123"},"metadata":{"order":"42"}}}`},
		"nested":      {"links.creditor", "CR1", `{"payments":{"amount":1000,"currency":"GBP","links":{"creditor":"CR1","mandate":"MD123"},"metadata":{"order":"42"}}}`},
		"new object":  {"a.b.c", []int{1}, `{"payments":{"a":{"b":{"c":[1]}},"amount":1000,"currency":"GBP","links":{"mandate":"MD123"},"metadata":{"order":"42"}}}`},
		"replacement": {"amount", json.Number("9007199254740993"), `{"payments":{"amount":9007199254740993,"currency":"GBP","links":{"mandate":"MD123"},"metadata":{"order":"42"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := scripted(t, replyWith(201, paymentReply))
			if _, err := c.Payments.Create(t.Context(), paymentParams(), WithBodyField(test.path, test.value)); err != nil {
				t.Fatal(err)
			}
			if got := s.requests()[0].Body; got != test.want {
				t.Errorf("sent %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestBodyFieldRefusals(t *testing.T) {
	c, s := scripted(t, replyWith(200, paymentReply))
	for name, call := range map[string]func() error{
		"through a number": func() error {
			_, err := c.Payments.Create(t.Context(), paymentParams(), WithBodyField("amount.x", 1))
			return err
		},
		"empty step": func() error {
			_, err := c.Payments.Create(t.Context(), paymentParams(), WithBodyField("links..x", 1))
			return err
		},
		"unencodable": func() error {
			_, err := c.Payments.Create(t.Context(), paymentParams(), WithBodyField("x", make(chan int)))
			return err
		},
		"a GET": func() error {
			_, err := c.Payments.Get(t.Context(), "PM1", WithBodyField("x", 1))
			return err
		},
	} {
		if e := as[*ParamsError](t, call()); len(e.Problems) != 1 {
			t.Errorf("%s: %v", name, e)
		}
	}
	if got := keyProblem(strings.Repeat("x", 128)); got != "" {
		t.Errorf("a key of 128 characters %s", got)
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests sent", n)
	}
}

func TestRefusedOptions(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply))
	for want, option := range map[string]RequestOption{
		"WithTimeout":       WithTimeout(-1),
		"WithRetries":       WithRetries(-1),
		"WithRetryPolicy":   WithRetryPolicy(nil),
		"WithResponse":      WithResponse(nil),
		"WithLogger":        WithLogger(nil),
		"WithMaxReplyBytes": WithMaxReplyBytes(0),
		"Idempotency-Key":   WithIdempotencyKey(strings.Repeat("x", 129)),
		"WithHeader":        WithHeader("a b", "c"),
		"WithOperationKind": WithOperationKind("reading"),
	} {
		_, err := c.Payments.Create(t.Context(), paymentParams(), option)
		if e := as[*ParamsError](t, err); e.Problems[0].Field != want {
			t.Errorf("got %v, want a problem with %s", e, want)
		}
	}
	for _, option := range []RequestOption{
		WithIdempotencyKey(""), WithIdempotencyKey("a\nb"), WithHeader("X", "a\r\nb"), WithHeader("content-length", "1"), WithHeader("", "x"),
	} {
		_, err := c.Payments.Create(t.Context(), paymentParams(), option)
		as[*ParamsError](t, err)
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests sent", n)
	}
}

func TestParamsAreCheckedBeforeSending(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply))
	params := PaymentCreateParams{Amount: 1, Metadata: Metadata{"a": strings.Repeat("x", 501)}}
	_, err := c.Payments.Create(t.Context(), params)
	e := as[*ParamsError](t, err)
	want := []Problem{
		{"/payments/currency", "currency", "is required"},
		{"/payments/links/mandate", "links.mandate", "is required"},
		{"/payments/metadata/a", "metadata.a", "must have at most 500 characters"},
	}
	if e.Operation != "payments.create" || !reflect.DeepEqual(e.Problems, want) {
		t.Errorf("got %+v", e)
	}
	if err := params.Validate(); err == nil || !reflect.DeepEqual(as[*ParamsError](t, err).Problems, want) {
		t.Errorf("Validate: %v", err)
	}
	if len(s.requests()) != 0 {
		t.Error("sent all the same")
	}
	if _, err := c.Payments.Create(t.Context(), params, WithoutValidation()); err != nil {
		t.Errorf("WithoutValidation: %v", err)
	}
}

// A date that does not exist is refused, not sent as another one.
func TestUnencodableParams(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply))
	params := paymentParams()
	noDate := Date{Year: 2026, Month: 2, Day: 30}
	params.ChargeDate = &noDate
	_, err := c.Payments.Create(t.Context(), params)
	if e := as[*ParamsError](t, err); e.Problems[0] != (Problem{"/payments/charge_date", "charge_date", "must be an existing date"}) {
		t.Errorf("got %v, want a problem with charge_date, without the date", e)
	}
	_, err = c.Payments.List(t.Context(), PaymentListParams{ChargeDate: DateFilter{Gte: noDate}})
	if e := as[*ParamsError](t, err); e.Problems[0] != (Problem{"", "charge_date[gte]", "must be an existing date"}) {
		t.Errorf("got %v, want a problem with charge_date[gte], without the date", e)
	}
	_, err = c.Payments.Create(t.Context(), params, WithoutValidation())
	if e := as[*ParamsError](t, err); e.Problems[0] != (Problem{"", "charge_date", "cannot be sent: no such date"}) {
		t.Errorf("without validation: got %v, want a problem with charge_date, without the date", e)
	}
	for _, err := range c.Payments.All(t.Context(), PaymentListParams{ChargeDate: DateFilter{Lt: noDate}}) {
		as[*ParamsError](t, err)
	}
	if len(s.requests()) != 0 {
		t.Error("sent all the same")
	}
}

func TestIDs(t *testing.T) {
	c, s := scripted(t, replyWith(200, paymentReply))
	for _, id := range []string{"", ".", ".."} {
		_, err := c.Payments.Get(t.Context(), id)
		if e := as[*ParamsError](t, err); e.Problems[0].Field != "id" {
			t.Errorf("id %q: %v", id, e)
		}
	}
	if len(s.requests()) != 0 {
		t.Error("sent all the same")
	}
	if _, err := c.Payments.Cancel(t.Context(), "PM1/actions/retry?x=", PaymentCancelParams{}); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[0]; got.Path != "/payments/PM1%2Factions%2Fretry%3Fx=/actions/cancel" || got.Query != "" {
		t.Errorf("sent to %s ? %s", got.Path, got.Query)
	}
}

func TestNoContentIsSuccessWhereNothingIsRead(t *testing.T) {
	c, _ := scripted(t, replyWith(204, ""))
	if err := c.Customers.Remove(t.Context(), "CU1"); err != nil {
		t.Error(err)
	}
	if err := c.Do(t.Context(), "GET", "/payments/PM1", nil, new(json.RawMessage)); err != nil {
		t.Error(err)
	}
	// A body where none is expected is not a failure either.
	c, _ = scripted(t, replyWith(200, `{"customers":{"id":"CU1"}}`))
	if err := c.Customers.Remove(t.Context(), "CU1"); err != nil {
		t.Error(err)
	}
}

func TestReplyWithoutEnvelope(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"available":true}`))
	funds, err := c.FundsAvailability.Check(t.Context(), "MD1", FundsAvailabilityCheckParams{Amount: "2500"})
	if err != nil || !funds.Available {
		t.Errorf("got %+v, %v", funds, err)
	}
	if got := s.requests()[0]; got.Path != "/funds_availability/MD1" || got.Query != "amount=2500" {
		t.Errorf("sent to %s?%s", got.Path, got.Query)
	}
}

func TestResponseRecord(t *testing.T) {
	headers := []string{"X-Request-Id", "RQ-7", "RateLimit-Limit", "1000", "RateLimit-Remaining", "998", "RateLimit-Reset", "Wed, 19 Apr 2023 16:10:00 GMT"}
	c, s := scripted(t, replyWith(201, paymentReply, headers...), replyWith(404, `{"error":"gone"}`, headers...))
	if _, ok := c.RateLimit(); ok {
		t.Error("the rate limit is known before any reply")
	}
	var r Response
	if _, err := c.Payments.Create(t.Context(), paymentParams(), WithResponse(&r)); err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != 201 || r.RequestID != "RQ-7" || r.Attempts != 1 || r.Existing || string(r.Body) != paymentReply || r.Header.Get("X-Request-Id") != "RQ-7" {
		t.Errorf("got %#v", r)
	}
	if r.IdempotencyKey == "" || r.IdempotencyKey != s.requests()[0].Header.Get("Idempotency-Key") {
		t.Errorf("key %q", r.IdempotencyKey)
	}
	if r.RateLimit.Limit != 1000 || r.RateLimit.Remaining != 998 || r.RateLimit.Reset.Format("15:04:05") != "16:10:00" {
		t.Errorf("rate limit %+v", r.RateLimit)
	}
	if last, ok := c.RateLimit(); !ok || last != r.RateLimit {
		t.Errorf("client's rate limit %+v", last)
	}
	_, err := c.Payments.Get(t.Context(), "PM1", WithResponse(&r))
	if e := as[*Error](t, err); e.RateLimit != r.RateLimit || r.StatusCode != 404 || r.IdempotencyKey != "" || string(r.Body) != `{"error":"gone"}` {
		t.Errorf("got %#v", r)
	}
	// A call that is refused clears the record of the call before.
	if _, err := c.Payments.Get(t.Context(), "", WithResponse(&r)); err == nil || r.StatusCode != 0 || r.Body != nil {
		t.Errorf("got %#v", r)
	}
}

func TestDo(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"new_things":{"n":1.50}}`))
	var raw json.RawMessage
	if err := c.Do(t.Context(), "POST", "/new_things/a%2Fb/actions/go?x=1&y=%20", json.RawMessage(`{"data": {}}`), &raw); err != nil {
		t.Fatal(err)
	}
	got := s.requests()[0]
	if got.Method != "POST" || got.Path != "/new_things/a%2Fb/actions/go" || got.Query != "x=1&y=%20" || got.Body != `{"data": {}}` {
		t.Errorf("sent %+v", got)
	}
	if got.Header.Get("Authorization") == "" || got.Header.Get("Idempotency-Key") == "" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.Header)
	}
	if string(raw) != `{"new_things":{"n":1.50}}` {
		t.Errorf("reply %s", raw)
	}
	var typed struct {
		NewThings struct{ N float64 } `json:"new_things"`
	}
	if err := c.Do(t.Context(), "PUT", "/x", map[string]any{"a": nil}, &typed); err != nil || typed.NewThings.N != 1.5 {
		t.Errorf("got %+v, %v", typed, err)
	}
	if got := s.requests()[1]; got.Body != `{"a":null}` || got.Header.Get("Idempotency-Key") != "" {
		t.Errorf("sent %+v", got)
	}
	if err := c.Do(t.Context(), "DELETE", "/x", nil, nil); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "x", "//host/x", "/a/../b", "/a/%2e%2e/b", "/a b", "/a#b", "/a//b", "/%zz", "https://other.example/x", "/a\\b"} {
		as[*ParamsError](t, c.Do(t.Context(), "GET", bad, nil, nil))
	}
	as[*ParamsError](t, c.Do(t.Context(), "get", "/x", nil, nil))
	as[*ParamsError](t, c.Do(t.Context(), "POST", "/x", json.RawMessage(`{`), nil))
	as[*ParamsError](t, c.Do(t.Context(), "POST", "/x", func() {}, nil))
	as[*ParamsError](t, c.Do(t.Context(), "POST", "/x", `{}`, nil))
	as[*ParamsError](t, c.Do(t.Context(), "POST", "/x", []byte(`{}`), nil))
	as[*ParamsError](t, c.Do(t.Context(), "GET", "/x", nil, typed))
	as[*ParamsError](t, c.Do(t.Context(), "GET", "/x", nil, (*json.RawMessage)(nil)))
	if n := len(s.requests()); n != 3 {
		t.Errorf("%d requests", n)
	}
	s.replies = []replier{failWith(io.EOF)}
	if err := c.Do(t.Context(), "GET", "/a%0Ab", nil, nil, WithRetries(0)); err.Error() != "GET /a%0Ab: EOF" {
		t.Errorf("%q", err)
	}
	s.replies = []replier{replyWith(200, `<html>`)}
	as[*MalformedResponseError](t, c.Do(t.Context(), "POST", "/x", nil, &raw))
	as[*MalformedResponseError](t, c.Do(t.Context(), "POST", "/x", nil, &typed))
}

// A reply that does not fit the caller's value is not requested again: a create would end with the
// conflict that it caused itself.
func TestDoReplyThatDoesNotFit(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"a":"text"}`))
	var into struct{ A int }
	err := c.Do(t.Context(), "POST", "/x", nil, &into, WithOperationKind(KindCreate), WithRetryPolicy(func(a RetryAttempt) RetryDecision {
		return RetryDecision{Retry: DefaultRetry(a).Retry}
	}))
	as[*MalformedResponseError](t, err)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok || len(s.requests()) != 1 {
		t.Errorf("%v, %d requests", err, len(s.requests()))
	}
}

// A POST of unknown kind may move money, so it is not retried unless the caller sets its kind.
func TestDoKinds(t *testing.T) {
	for kind, want := range map[OperationKind]int{"": 1, KindCreate: 4} {
		c, s := scripted(t, replyWith(500, ""))
		var opts []RequestOption
		if kind != "" {
			opts = append(opts, WithOperationKind(kind))
		}
		err := c.Do(t.Context(), "POST", "/payments", nil, nil, append(opts, WithRetryPolicy(atOnce))...)
		if e := as[*Error](t, err); e.Attempts != want || len(s.requests()) != want {
			t.Errorf("kind %q: %d attempts, want %d", kind, e.Attempts, want)
		}
	}
}

// Whatever its method, a create is retried with an idempotency key.
func TestDoCreatesHaveAKey(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		c, s := scripted(t, failWith(io.ErrUnexpectedEOF), replyWith(200, `{}`))
		err := c.Do(t.Context(), method, "/payments", nil, nil, WithOperationKind(KindCreate), WithRetryPolicy(atOnce))
		got := s.requests()
		key := got[0].Header.Get("Idempotency-Key")
		if err != nil || len(got) != 2 || key == "" || got[1].Header.Get("Idempotency-Key") != key {
			t.Errorf("%s: %v after %d requests with key %q", method, err, len(got), key)
		}
	}
}

// A path is sent with the escapes that it was given, or refused.
func TestDoKeepsEscapes(t *testing.T) {
	for path, want := range map[string]string{
		"/a%2Fb": "/a%2Fb", "/é": "/%C3%A9", "/a{b}": "/a%7Bb%7D", "/a%2Fb/é": "", `/a%2Fb"`: "", "/a%2Fb{": "",
	} {
		for _, prefix := range []string{"", "/p%2Fq"} {
			s := &script{replies: []replier{replyWith(200, `{}`)}}
			c, err := New(testToken, EnvironmentLive, WithHTTPClient(&http.Client{Transport: s}), WithBaseURL("https://x.example"+prefix))
			if err != nil {
				t.Fatal(err)
			}
			err = c.Do(t.Context(), "GET", path, nil, nil)
			if want == "" {
				as[*ParamsError](t, err)
			} else if got := s.requests()[0].Path; err != nil || got != prefix+want {
				t.Errorf("%s%s: sent to %s, %v", prefix, path, got, err)
			}
		}
	}
}

func TestBaseURL(t *testing.T) {
	for base, want := range map[string]string{
		"https://gateway.example/gc/":       "gateway.example/gc/payments/PM1",
		"https://gateway.example/a%2Fb":     "gateway.example/a%2Fb/payments/PM1",
		"https://gateway.example:8443":      "gateway.example:8443/payments/PM1",
		"http://localhost:1234":             "localhost:1234/payments/PM1",
		"http://127.0.0.1:1234/%s%d/prefix": "",
		"http://[::1]:1234":                 "[::1]:1234/payments/PM1",
	} {
		s := &script{replies: []replier{replyWith(200, paymentReply)}}
		c, err := New(testToken, EnvironmentLive, WithHTTPClient(&http.Client{Transport: s}), WithBaseURL(base))
		if want == "" {
			if err == nil {
				t.Errorf("%s accepted", base)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
			t.Fatal(err)
		}
		if got := s.requests()[0]; got.Host+got.Path != want {
			t.Errorf("%s: sent to %s%s, want %s", base, got.Host, got.Path, want)
		}
	}
	for _, base := range []string{
		"", "api.gocardless.com", "ftp://api.gocardless.com", "http://api.gocardless.com", "http://127.0.0.1.example.com", "https://",
		"https://user:pass@api.gocardless.com", "https://api.gocardless.com?x=1", "https://api.gocardless.com#x", "https:api", "http://%zz",
		"https://api.gocardless.com:99999", "https://api.gocardless.com:0",
		"https://x/../y", "https://x//y",
	} {
		if _, err := New(testToken, EnvironmentLive, WithBaseURL(base)); err == nil {
			t.Errorf("%q accepted", base)
		} else if strings.Contains(err.Error(), "pass@") {
			t.Errorf("%v repeats the password", err)
		}
	}
}

// WithPlainHTTP accepts a sandbox in another container, which has no TLS, but not for live.
func TestPlainHTTP(t *testing.T) {
	for _, base := range []string{"http://sandbox:8080", "http://host.docker.internal:8080/prefix"} {
		if _, err := New(testToken, EnvironmentSandbox, WithBaseURL(base)); err == nil || !strings.Contains(err.Error(), "WithPlainHTTP") {
			t.Errorf("%s: got %v, want an error that names the option", base, err)
		}
		if _, err := New(testToken, EnvironmentLive, WithBaseURL(base), WithPlainHTTP()); err == nil || !strings.Contains(err.Error(), "WithPlainHTTP") {
			t.Errorf("%s, live: got %v", base, err)
		}
		s := &script{replies: []replier{replyWith(200, paymentReply)}}
		c, err := New(testToken, EnvironmentSandbox, WithPlainHTTP(), WithBaseURL(base), WithHTTPClient(&http.Client{Transport: s}))
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
			t.Error(err)
		}
		if got := s.requests()[0]; !strings.HasPrefix(base, "http://"+got.Host) {
			t.Errorf("sent to %s, want %s", got.Host, base)
		}
	}
	for _, base := range []string{"ftp://sandbox", "http://api.gocardless.com", "http://API-Sandbox.GoCardless.com.:80"} {
		if _, err := New(testToken, EnvironmentSandbox, WithPlainHTTP(), WithBaseURL(base)); err == nil {
			t.Errorf("%s accepted", base)
		}
	}
}

func TestNewRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		token string
		env   Environment
		opts  []ClientOption
	}{
		"empty token":        {"", EnvironmentLive, nil},
		"token with newline": {"abc\n", EnvironmentLive, nil},
		"no environment":     {"abc", "", nil},
		"odd environment":    {"abc", "production", nil},
		"nil http client":    {"abc", EnvironmentLive, []ClientOption{WithHTTPClient(nil)}},
		"a key for all":      {"abc", EnvironmentLive, []ClientOption{WithHeader("idempotency-key", "x")}},
		"bad retries":        {"abc", EnvironmentLive, []ClientOption{WithRetries(-2)}},
		"nil limiter":        {"abc", EnvironmentLive, []ClientOption{WithLimiter(nil)}},
	} {
		if c, err := New(test.token, test.env, test.opts...); err == nil || c != nil {
			t.Errorf("%s accepted", name)
		} else if strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: %v repeats the token", name, err)
		}
	}
}

func TestNewFromEnv(t *testing.T) {
	for _, test := range []struct {
		token, env string
		want       Environment
	}{
		{"tok", "", EnvironmentSandbox}, {"tok", "sandbox", EnvironmentSandbox}, {"tok", "live", EnvironmentLive}, {"tok", "Live", ""}, {"", "sandbox", ""},
	} {
		t.Setenv("GOCARDLESS_ACCESS_TOKEN", test.token)
		t.Setenv("GOCARDLESS_ENVIRONMENT", test.env)
		c, err := NewFromEnv()
		if test.want == "" {
			if err == nil {
				t.Errorf("%+v accepted", test)
			}
			continue
		}
		if err != nil || c.Environment() != test.want {
			t.Errorf("%+v: %v, %v", test, c, err)
		}
	}
}

func TestEnvironmentsHaveTheirHosts(t *testing.T) {
	for env, want := range map[Environment]string{EnvironmentLive: "api.gocardless.com", EnvironmentSandbox: "api-sandbox.gocardless.com"} {
		s := &script{replies: []replier{replyWith(200, paymentReply)}}
		c, err := New(testToken, env, WithHTTPClient(&http.Client{Transport: s}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
			t.Fatal(err)
		}
		if got := s.requests()[0].Host; got != want {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
}

func TestUsersHTTPClientIsNotChanged(t *testing.T) {
	user := &http.Client{Transport: &script{replies: []replier{replyWith(200, paymentReply)}}}
	c, err := New(testToken, EnvironmentLive, WithHTTPClient(user), WithTimeout(1), WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Payments.Get(t.Context(), "PM1")
	if user.CheckRedirect != nil || user.Timeout != 0 || user.Jar != nil {
		t.Errorf("became %+v", user)
	}
}

func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var hits atomic.Int32
	mux := http.NewServeMux()
	redirect := func(status int, target string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			hits.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			http.Redirect(w, r, target, status)
		}
	}
	mux.HandleFunc("/payments/SAME", redirect(302, "/payments/THERE"))
	mux.HandleFunc("/payments/THERE", func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			t.Error("the token was lost on the way")
		}
		_, _ = io.WriteString(w, paymentReply)
	})
	mux.HandleFunc("/payments/OTHER", redirect(302, other.URL+"/payments/PM1"))
	mux.HandleFunc("/payments/LOOP", redirect(302, "/payments/LOOP"))
	mux.HandleFunc("POST /payments", redirect(302, "/payments/THERE"))
	mux.HandleFunc("POST /payments/PM1/actions/cancel", redirect(307, "/payments/THERE"))
	mux.HandleFunc("PUT /payments/PM1", redirect(308, "/payments/THERE"))
	server := httptest.NewServer(mux)
	defer server.Close()
	c := clientOver(t, http.DefaultTransport, WithBaseURL(server.URL))

	if p, err := c.Payments.Get(t.Context(), "SAME"); err != nil || p.ID != "PM123" {
		t.Errorf("a GET within the host: %v, %v", p, err)
	}
	for name, call := range map[string]func(context.Context) error{
		"other host": func(ctx context.Context) error { _, err := c.Payments.Get(ctx, "OTHER"); return err },
		"loop":       func(ctx context.Context) error { _, err := c.Payments.Get(ctx, "LOOP"); return err },
		"create":     func(ctx context.Context) error { _, err := c.Payments.Create(ctx, paymentParams()); return err },
		"action": func(ctx context.Context) error {
			_, err := c.Payments.Cancel(ctx, "PM1", PaymentCancelParams{})
			return err
		},
		"update": func(ctx context.Context) error {
			_, err := c.Payments.Update(ctx, "PM1", PaymentUpdateParams{})
			return err
		},
	} {
		hits.Store(0)
		e := as[*Error](t, call(t.Context()))
		if e.StatusCode/100 != 3 || e.Attempts != 1 || !strings.Contains(e.Error(), "redirects are followed for GET within the same host only") {
			t.Errorf("%s: %v after %d attempts", name, e, e.Attempts)
		}
		want := int32(1)
		if name == "loop" {
			want = 5
		}
		if hits.Load() != want {
			t.Errorf("%s: %d requests, want %d", name, hits.Load(), want)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a request with a token went to another host")
	}
	// A redirect to plain HTTP on the same host would reveal the token.
	secure, _ := scripted(t, replyWith(302, "", "Location", "http://api-sandbox.gocardless.com/payments/THERE"), replyWith(200, paymentReply))
	if _, err := secure.Payments.Get(t.Context(), "PM1"); as[*Error](t, err).StatusCode != 302 {
		t.Errorf("a redirect to plain http: %v", err)
	}
	// A signature is for one address.
	signed := clientOver(t, http.DefaultTransport, WithBaseURL(server.URL), WithRequestSigning("RSK1", signingKey()))
	if _, err := signed.Payments.Get(t.Context(), "SAME"); as[*Error](t, err).StatusCode != 302 {
		t.Errorf("a signed GET: %v", err)
	}
}

// The user's own rule also applies to redirects that ours allows.
func TestUsersRedirectRule(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer server.Close()
	asked := 0
	user := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return http.ErrUseLastResponse }}
	c, err := New(testToken, EnvironmentSandbox, WithBaseURL(server.URL), WithHTTPClient(user))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Payments.Get(t.Context(), "PM1")
	if e := as[*Error](t, err); e.StatusCode != 302 || asked != 1 {
		t.Errorf("%v, asked %d times", e, asked)
	}
}

func TestDefaultTransport(t *testing.T) {
	c, err := New(testToken, EnvironmentSandbox)
	if err != nil {
		t.Fatal(err)
	}
	tr, ok := c.core.http.Transport.(*http.Transport)
	if !ok || tr == http.DefaultTransport {
		t.Fatalf("transport %T", c.core.http.Transport)
	}
	if tr.Proxy == nil || !tr.ForceAttemptHTTP2 || tr.MaxIdleConnsPerHost < 16 {
		t.Errorf("proxy set %t, HTTP/2 %t, idle connections %d", tr.Proxy != nil, tr.ForceAttemptHTTP2, tr.MaxIdleConnsPerHost)
	}
	if c.core.timeout != defaultTimeout || c.core.retries != 3 || c.core.maxReply != 64<<20 {
		t.Errorf("defaults %v, %d, %d", c.core.timeout, c.core.retries, c.core.maxReply)
	}
}

func TestOperations(t *testing.T) {
	list := Operations()
	if len(list) < 100 {
		t.Errorf("only %d operations", len(list))
	}
	list[0].Name = "changed"
	if Operations()[0].Name == "changed" {
		t.Error("the caller can change the table")
	}
	for _, op := range list {
		want := map[string]OperationKind{"GET": KindRead, "PUT": KindUpdate, "DELETE": KindDelete}[op.Method]
		if op.Method == "POST" && op.Kind != KindCreate && op.Kind != KindAction || op.Method != "POST" && op.Kind != want {
			t.Errorf("%s is a %s with kind %s", op.Name, op.Method, op.Kind)
		}
		if strings.Contains(op.Path, "/actions/") && op.Kind != KindAction {
			t.Errorf("%s has kind %s", op.Name, op.Kind)
		}
	}
}
