package gocardless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestOneKeyForAllAttempts(t *testing.T) {
	c, s := scripted(t, replyWith(500, ""), failWith(io.ErrUnexpectedEOF), replyWith(200, "<html>"), replyWith(201, paymentReply))
	var r Response
	if _, err := c.Payments.Create(t.Context(), paymentParams(), WithRetryPolicy(atOnce), WithResponse(&r)); err != nil {
		t.Fatal(err)
	}
	for i, got := range s.requests() {
		if key := got.Header.Get("Idempotency-Key"); key == "" || key != r.IdempotencyKey || got.Body != paymentBody {
			t.Errorf("attempt %d: key %q, body %q", i+1, key, got.Body)
		}
	}
	if r.Attempts != 4 || r.Existing {
		t.Errorf("got %v", r)
	}
}

func TestEachCallHasItsOwnKey(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply))
	seen := map[string]bool{}
	for range 100 {
		if _, err := c.Payments.Create(t.Context(), paymentParams()); err != nil {
			t.Fatal(err)
		}
	}
	for _, got := range s.requests() {
		seen[got.Header.Get("Idempotency-Key")] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d keys for 100 calls", len(seen))
	}
}

func TestConflictReadsTheExistingResource(t *testing.T) {
	c, s := scripted(t, replyWith(409, conflictBody, "X-Request-Id", "RQ-409"), replyWith(200, paymentReply, "X-Request-Id", "RQ-200"))
	var r Response
	payment, err := c.Payments.Create(t.Context(), paymentParams(),
		WithIdempotencyKey("order-42"), WithHeader("X-Trace", "abc"), WithHeader("Authorization", "Bearer other"), WithBodyField("x", 1), WithResponse(&r))
	if err != nil || payment.ID != "PM123" {
		t.Fatalf("%v, %v", payment, err)
	}
	if r.StatusCode != 200 || !r.Existing || r.Attempts != 2 || r.IdempotencyKey != "order-42" || r.RequestID != "RQ-200" || string(r.Body) != paymentReply {
		t.Errorf("record %v", r)
	}
	read := s.requests()[1]
	if read.Method != "GET" || read.Path != "/payments/PM123" || read.Query != "" || read.Body != "" {
		t.Errorf("read by %+v", read)
	}
	if read.Header.Get("X-Trace") != "abc" || read.Header.Get("Authorization") != "Bearer other" {
		t.Errorf("the caller's headers did not come along: %v", read.Header)
	}
	for _, name := range []string{"Idempotency-Key", "Content-Type"} {
		if read.Header.Get(name) != "" {
			t.Errorf("%s on the read", name)
		}
	}
}

// The typical conflict: the create succeeded, and its reply was lost.
func TestConflictAfterALostReply(t *testing.T) {
	c, s := scripted(t, failWith(io.ErrUnexpectedEOF), replyWith(409, conflictBody), replyWith(503, ""), replyWith(200, paymentReply))
	var r Response
	payment, err := c.Payments.Create(t.Context(), paymentParams(), WithRetryPolicy(atOnce), WithResponse(&r))
	if err != nil || payment.ID != "PM123" || !r.Existing || r.Attempts != 4 || len(s.requests()) != 4 {
		t.Errorf("%v, %v, %v", payment, err, r)
	}
}

func TestConflictAsError(t *testing.T) {
	c, s := scripted(t, replyWith(409, conflictBody))
	_, err := c.Payments.Create(t.Context(), paymentParams(), WithConflictError(), WithIdempotencyKey("k"))
	e := as[*Error](t, err)
	if !errors.Is(err, ErrIdempotencyConflict) || !errors.Is(err, ErrInvalidState) || e.Link("conflicting_resource_id") != "PM123" || e.IdempotencyKey != "k" || e.Attempts != 1 || len(s.requests()) != 1 {
		t.Errorf("%+v", e)
	}
}

// If the existing resource cannot be read, the caller gets the conflict.
func TestConflictWithoutARead(t *testing.T) {
	c, s := scripted(t, replyWith(409, conflictBody))
	for name, call := range map[string]func(context.Context) error{
		"no get": func(ctx context.Context) error {
			_, err := c.MandatePDFs.Create(ctx, MandatePDFCreateParams{})
			return err
		},
		"action": func(ctx context.Context) error {
			_, err := c.Payments.Cancel(ctx, "PM1", PaymentCancelParams{})
			return err
		},
		"unknown": func(ctx context.Context) error {
			return c.Do(ctx, "POST", "/x", nil, nil, WithOperationKind(KindCreate))
		},
	} {
		before := len(s.requests())
		if err := call(t.Context()); !errors.Is(err, ErrIdempotencyConflict) || len(s.requests()) != before+1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.replies = []replier{replyWith(409, strings.Replace(conflictBody, `"links":{"conflicting_resource_id":"PM123"}`, `"links":{}`, 1))}
	if _, err := c.Payments.Create(t.Context(), paymentParams()); !errors.Is(err, ErrIdempotencyConflict) {
		t.Errorf("without the id: %v", err)
	}
}

// Another 409 is not a conflict of keys.
func TestBankAccountExists(t *testing.T) {
	c, s := scripted(t, replyWith(409, `{"error":{"type":"invalid_state","code":409,"message":"Bank account already exists","errors":[{"reason":"bank_account_exists","message":"Bank account already exists","links":{"customer_bank_account":"BA1"}}]}}`))
	_, err := c.CustomerBankAccounts.Create(t.Context(), CustomerBankAccountCreateParams{Links: CustomerBankAccountCreateParamsLinks{Customer: "CU1"}})
	e := as[*Error](t, err)
	if errors.Is(err, ErrIdempotencyConflict) || !e.HasReason(ReasonBankAccountExists) || e.Link("customer_bank_account") != "BA1" || len(s.requests()) != 1 {
		t.Errorf("%v", err)
	}
}

func TestConflictWhoseReadFails(t *testing.T) {
	c, _ := scripted(t, replyWith(409, conflictBody), replyWith(404, `{"error":{"type":"invalid_api_usage","code":404,"errors":[{"reason":"resource_not_found","message":"not there"}]}}`))
	var r Response
	payment, err := c.Payments.Create(t.Context(), paymentParams(), WithResponse(&r))
	if payment != nil || !errors.Is(err, ErrIdempotencyConflict) || !errors.Is(err, ErrNotFound) || errors.Is(err, ErrValidation) {
		t.Errorf("%v, %v", payment, err)
	}
	if e := as[*Error](t, err); e.Link("conflicting_resource_id") != "PM123" || e.Attempts != 2 || !r.Existing || !strings.Contains(err.Error(), "reading the existing resource failed: payments.get: 404") {
		t.Errorf("%v, %+v", err, r)
	}
}

// Every create knows the operation that reads its resource, if there is one.
func TestEveryCreateKnowsItsRead(t *testing.T) {
	without := map[string]bool{}
	for _, op := range operations {
		if op.Kind != KindCreate {
			if op.read != nil {
				t.Errorf("%s is no create and has a read", op.Name)
			}
			continue
		}
		if op.read == nil {
			without[op.Name] = true
			continue
		}
		if op.read.Kind != KindRead || op.read.ReplyEnvelope != op.ReplyEnvelope || !strings.HasSuffix(op.read.Path, "/{identity}") {
			t.Errorf("%s is read again by %+v", op.Name, *op.read)
		}
	}
	want := map[string]bool{
		"bank_details_lookups.create": true, "billing_requests.create_with_actions": true, "logos.create_for_creditor": true,
		"mandate_import_entries.create": true, "mandate_pdfs.create": true, "payer_themes.create_for_creditor": true, "verification_details.create": true,
	}
	if !reflect.DeepEqual(without, want) {
		t.Errorf("creates without a read: %v\nwant %v", without, want)
	}
}

// A second call with the key of an error resumes the first.
func TestResumingByTheKeyOfAnError(t *testing.T) {
	api := newKeyedAPI()
	api.lose = func(n int) bool { return n < 4 } // the replies to the first four requests
	c := clientOver(t, api, WithRetryPolicy(atOnce))
	_, err := c.Payments.Create(t.Context(), paymentParams())
	e := as[*ConnectionError](t, err)
	if !e.MayHaveRun || e.Attempts != 4 || e.IdempotencyKey == "" {
		t.Fatalf("%+v", e)
	}
	var r Response
	payment, err := c.Payments.Create(t.Context(), paymentParams(), WithIdempotencyKey(e.IdempotencyKey), WithResponse(&r))
	if err != nil || !r.Existing || payment.ID != "PM1" || len(api.byKey) != 1 {
		t.Errorf("%v, %v, %v, %d resources", payment, err, r, len(api.byKey))
	}
}

// keyedAPI is a transport that honours idempotency keys, and loses replies.
type keyedAPI struct {
	byKey map[string]string
	count int
	lose  func(n int) bool
}

func newKeyedAPI() *keyedAPI { return &keyedAPI{byKey: map[string]string{}} }

func (a *keyedAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	n := a.count
	a.count++
	reply := replyWith(200, strings.Replace(paymentReply, "PM123", "PM1", 1))
	if req.Method == "POST" {
		key := req.Header.Get("Idempotency-Key")
		if id, ok := a.byKey[key]; ok {
			reply = replyWith(409, strings.Replace(conflictBody, "PM123", id, 1))
		} else {
			a.byKey[key] = fmt.Sprintf("PM%d", len(a.byKey)+1)
		}
	}
	if a.lose(n) {
		return nil, io.ErrUnexpectedEOF
	}
	return reply(req)
}

// A request with an Idempotency-Key and a body that can be read again is resent by net/http on its
// own. An action must not look like that.
func TestTransportCannotRepeatActions(t *testing.T) {
	var last *http.Request
	c := clientOver(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		last = req
		return replyWith(200, `{"payments":{},"blocks":{}}`)(req)
	}))
	repeatable := func() bool {
		_, keyed := last.Header["Idempotency-Key"]
		_, other := last.Header["X-Idempotency-Key"]
		return (last.Body == nil || last.GetBody != nil) && (keyed || other)
	}
	_, _ = c.Payments.Cancel(t.Context(), "PM1", PaymentCancelParams{})
	if repeatable() {
		t.Error("an action with a body")
	}
	_, _ = c.Blocks.Disable(t.Context(), "BLC1")
	if repeatable() {
		t.Error("an action without a body")
	}
	_, _ = c.Blocks.Disable(t.Context(), "BLC1", WithHeader("x-idempotency-key", "for a gateway"))
	if repeatable() || map[string][]string(last.Header)["x-idempotency-key"] == nil {
		t.Error("an action with the other name of the header")
	}
	_, _ = c.Payments.Create(t.Context(), paymentParams())
	if !repeatable() {
		t.Error("a create could be repeated, and is not")
	}
}
