package gocardless

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// misfitCalls makes one call of each shape that reads a payment or mandate.
func misfitCalls() map[string]func(context.Context, *Client, ...RequestOption) (any, error) {
	return map[string]func(context.Context, *Client, ...RequestOption) (any, error){
		"get": func(ctx context.Context, c *Client, opts ...RequestOption) (any, error) {
			return c.Mandates.Get(ctx, "MD123", opts...)
		},
		"create": func(ctx context.Context, c *Client, opts ...RequestOption) (any, error) {
			return c.Mandates.Create(ctx, MandateCreateParams{Links: MandateCreateParamsLinks{CustomerBankAccount: "BA1"}}, opts...)
		},
		"action": func(ctx context.Context, c *Client, opts ...RequestOption) (any, error) {
			return c.Mandates.Cancel(ctx, "MD123", MandateCancelParams{}, opts...)
		},
	}
}

// A value that does not fit its field costs that field and nothing else: one request, the
// resource, and a record of what did not fit.
func TestMisfitLosesOnlyItsField(t *testing.T) {
	const body = `{"mandates":{"id":"MD123","status":"active","reference":5,"created_at":1700000000,"metadata":[],` +
		`"next_possible_charge_date":"31/12/2031","consent_parameters":{"end_date":"31/12/2031","max_amount_per_payment":"100"},` +
		`"links":{"customer":["CU1"],"creditor":"CR1"},"payments_require_approval":"true"}}`
	want := []Misfit{
		{"mandates.reference", "a string", "a number"},
		{"mandates.created_at", "a timestamp", "a number"},
		{"mandates.metadata", "an object", "an array"},
		{"mandates.next_possible_charge_date", "a date", "another string"},
		{"mandates.consent_parameters.end_date", "a date", "another string"},
		{"mandates.links.customer", "a string", "an array"},
	}
	for name, call := range misfitCalls() {
		var log strings.Builder
		c, s := scripted(t, replyWith(200, body))
		var r Response
		got, err := call(t.Context(), c, WithResponse(&r), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil || len(s.requests()) != 1 {
			t.Errorf("%s: %v after %d requests", name, err, len(s.requests()))
			continue
		}
		m := got.(*Mandate)
		if m.ID != "MD123" || m.Status != MandateStatusActive || m.Links.Creditor != "CR1" || !m.PaymentsRequireApproval {
			t.Errorf("%s: lost more than the misfits: %+v", name, m)
		}
		if p := m.ConsentParameters; p.MaxAmountPerPayment != 100 || !p.EndDate.IsZero() {
			t.Errorf("%s: consent parameters %+v", name, p)
		}
		if m.Reference != "" || !m.CreatedAt.IsZero() || m.Metadata != nil || m.Links.Customer != "" {
			t.Errorf("%s: a misfit is not zero: %+v", name, m)
		}
		if !reflect.DeepEqual(r.Misfits, want) {
			t.Errorf("%s: got %v, want %v", name, r.Misfits, want)
		}
		if text := log.String(); !strings.Contains(text, `mandates.reference: expected a string, found a number`) || !strings.Contains(text, "misfits=6") {
			t.Errorf("%s: logged %s", name, text)
		}

		c, s = scripted(t, replyWith(200, body))
		_, err = call(t.Context(), c, WithStrictReplies())
		if e, ok := errors.AsType[*MalformedResponseError](err); !ok || !errors.Is(err, ErrMisfit) || e.ResourceID != "MD123" || len(s.requests()) != 1 {
			t.Errorf("%s, strict: %v after %d requests", name, err, len(s.requests()))
		}
	}
}

// Iterating over misfits yields every item.
func TestMisfitsInLists(t *testing.T) {
	const body = `{"mandates":[{"id":"MD1","consent_parameters":{"end_date":"31/12/2031"}},{"id":"MD2","consent_parameters":[]},` +
		`{"id":"MD3","links":"x","next_possible_charge_date":false}],"meta":{"cursors":{"after":null},"limit":"3"}}`
	c, s := scripted(t, replyWith(200, body))
	var ids []string
	var r Response
	for m, err := range c.Mandates.All(t.Context(), MandateListParams{}, WithResponse(&r)) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	if strings.Join(ids, ",") != "MD1,MD2,MD3" || len(s.requests()) != 1 || len(r.Misfits) != 4 {
		t.Errorf("got %v, %v after %d requests", ids, r.Misfits, len(s.requests()))
	}
}

// A cursor that cannot be read is an error: it would look like the end of the list.
func TestUnreadableCursor(t *testing.T) {
	for _, meta := range []string{`{"cursors":{"after":7}}`, `{"cursors":["PM1"]}`, `"none"`, `[]`} {
		c, s := scripted(t, replyWith(200, `{"payments":[{"id":"PM1"}],"meta":`+meta+`}`))
		if _, err := c.Payments.List(t.Context(), PaymentListParams{}); !errors.Is(err, ErrMisfit) || len(s.requests()) != 1 {
			t.Errorf("%s: %v after %d requests", meta, err, len(s.requests()))
		}
	}
}

// Events that are listed carry their misfits as those of a webhook do.
func TestMisfitsOfListedEvents(t *testing.T) {
	c, _ := scripted(t, replyWith(200, `{"events":[{"id":"EV1"},{"id":"EV2","created_at":5,"links":{"payment":7}}]}`))
	page, err := c.Events.List(t.Context(), EventListParams{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Misfit{{"created_at", "a timestamp", "a number"}, {"links.payment", "a string", "a number"}}
	if page.Items[0].Misfits != nil || !reflect.DeepEqual(page.Items[1].Misfits, want) {
		t.Errorf("got %v", page.Items[1].Misfits)
	}
}

// A number that cannot be read never becomes zero. The error names the resource.
func TestUnreadableNumber(t *testing.T) {
	for _, amount := range []string{`"1,000"`, `true`, `{}`, `[]`, `12.5`, `1e30`, `""`, `"12 "`, `{"value":1}`} {
		for _, body := range []string{
			`{"payments":{"id":"PM9","amount":` + amount + `,"status":"paid_out"}}`,
			`{"payments":{"amount":` + amount + `,"links":{"id":"no"},"status":"paid_out","id":"PM9"}}`,
		} {
			c, s := scripted(t, replyWith(201, body))
			payment, err := c.Payments.Create(t.Context(), paymentParams())
			e, ok := errors.AsType[*MalformedResponseError](err)
			if payment != nil || !ok || !errors.Is(err, ErrMisfit) || e.ResourceID != "PM9" || e.IdempotencyKey == "" || len(s.requests()) != 1 {
				t.Errorf("%s: got %v, %v after %d requests", body, payment, err, len(s.requests()))
				continue
			}
			if !strings.Contains(err.Error(), "payments.amount: expected an integer, found ") || !strings.Contains(err.Error(), "(resource PM9)") {
				t.Errorf("%s: %v", body, err)
			}
		}
		c, s := scripted(t, replyWith(200, `{"payments":[{"id":"PM1","amount":1},{"amount":`+amount+`,"id":"PM2"},{"id":"PM3","amount":3}]}`))
		_, err := c.Payments.List(t.Context(), PaymentListParams{})
		if e, ok := errors.AsType[*MalformedResponseError](err); !ok || e.ResourceID != "PM2" || len(s.requests()) != 1 {
			t.Errorf("list with %s: %v after %d requests", amount, err, len(s.requests()))
		}
	}
}

// An id that is not a string, and an item that is not a resource, are errors without retry.
func TestUnreadableID(t *testing.T) {
	for _, id := range []string{`7`, `true`, `{}`, `["PM1"]`} {
		c, s := scripted(t, replyWith(200, `{"payments":{"id":`+id+`,"amount":1}}`))
		if _, err := c.Payments.Get(t.Context(), "PM1"); !errors.Is(err, ErrMisfit) || len(s.requests()) != 1 {
			t.Errorf("id %s: %v after %d requests", id, err, len(s.requests()))
		}
	}
	for _, item := range []string{`"PM1"`, `7`, `null`, `[]`} {
		c, s := scripted(t, replyWith(200, `{"payments":[{"id":"PM1"},`+item+`]}`))
		if _, err := c.Payments.List(t.Context(), PaymentListParams{}); !errors.Is(err, ErrMisfit) || len(s.requests()) != 1 {
			t.Errorf("item %s: %v after %d requests", item, err, len(s.requests()))
		}
	}
	// The id of an object inside a resource is like any other string.
	c, _ := scripted(t, replyWith(200, `{"billing_requests":{"id":"BRQ1","resources":{"customer":{"id":7}}}}`))
	var r Response
	if b, err := c.BillingRequests.Get(t.Context(), "BRQ1", WithResponse(&r)); err != nil || b.ID != "BRQ1" || len(r.Misfits) != 1 {
		t.Errorf("got %v, %v", err, r.Misfits)
	}
}

// A create whose reply lacks the resource is retried with its key, which finds it.
func TestCreateWithoutResource(t *testing.T) { synctest.Test(t, testCreateWithoutResource) }

func testCreateWithoutResource(t *testing.T) {
	for name, empty := range map[string]replier{
		"204": replyWith(204, ""), "205": replyWith(205, ""), "no members": replyWith(201, `{"payments":{}}`),
		"an id that is taken back": replyWith(201, `{"payments":{"id":"PM9","id":null}}`),
		"empty id":                 replyWith(201, `{"payments":{"id":""}}`), "null": replyWith(201, `{"payments":null}`), "an array": replyWith(201, `{"payments":[]}`),
	} {
		c, s := scripted(t, empty,
			replyWith(409, `{"error":{"type":"invalid_state","errors":[{"reason":"idempotent_creation_conflict","links":{"conflicting_resource_id":"PM1"}}]}}`),
			replyWith(200, `{"payments":{"id":"PM1"}}`))
		var r Response
		payment, err := c.Payments.Create(t.Context(), paymentParams(), WithResponse(&r))
		got := s.requests()
		if err != nil || payment.ID != "PM1" || !r.Existing || len(got) != 3 {
			t.Errorf("%s: got %v, %v after %d requests", name, payment, err, len(got))
			continue
		}
		if key := got[0].Header.Get("Idempotency-Key"); key == "" || key != got[1].Header.Get("Idempotency-Key") {
			t.Errorf("%s: the keys differ", name)
		}
	}
}

// A billing request that is created with actions is inside the result: its id counts.
func TestCreateWithResourceInside(t *testing.T) {
	call := func(reply string) (*BillingRequestWithActions, int, error) {
		c, s := scripted(t, replyWith(201, `{"billing_request_with_actions":`+reply+`}`))
		b, err := c.BillingRequests.CreateWithActions(t.Context(), BillingRequestCreateWithActionsParams{}, WithoutValidation(), WithRetryPolicy(atOnce))
		return b, len(s.requests()), err
	}
	if b, n, err := call(`{"billing_requests":{"id":"BRQ1"},"bank_authorisations":{"id":"BAU1"}}`); err != nil || b.BillingRequests.ID != "BRQ1" || n != 1 {
		t.Errorf("got %v, %v after %d requests", b, err, n)
	}
	for _, empty := range []string{
		`{}`, `{"billing_requests":null}`, `{"billing_requests":{}}`, `{"billing_requests":{"id":""},"id":"BRQ1"}`, `{"billing_requests":[]}`,
		`{"bank_authorisations":{"id":"BAU1"}}`,
	} {
		if b, n, err := call(empty); !errors.Is(err, errNoID) || n != 4 {
			t.Errorf("%s: got %v, %v after %d requests", empty, b, err, n)
		}
	}
	const odd = `{"billing_requests":{"mandate_request":{"constraints":{"max_amount_per_payment":"x"}},"id":"BRQ1"},"bank_authorisations":{"id":"BAU1"}}`
	if _, n, err := call(odd); as[*MalformedResponseError](t, err).ResourceID != "BRQ1" || !errors.Is(err, ErrMisfit) || n != 1 {
		t.Errorf("got %v after %d requests", err, n)
	}
}

// A conflict whose body breaks off is retried: the complete one names what exists.
func TestConflictThatBreaksOff(t *testing.T) { synctest.Test(t, testConflictThatBreaksOff) }

func testConflictThatBreaksOff(t *testing.T) {
	const conflict = `{"error":{"type":"invalid_state","errors":[{"reason":"idempotent_creation_conflict","links":{"conflicting_resource_id":"PM1"}}]}}`
	for name, broken := range map[string]replier{
		"half": replyWith(409, conflict[:60]), "empty": replyWith(409, ""), "HTML": replyWith(409, "<html>"),
		"reset": brokenReply(409, conflict[:60]),
	} {
		c, s := scripted(t, failWith(errors.New("reply lost")), broken, replyWith(409, conflict), replyWith(200, `{"payments":{"id":"PM1"}}`))
		var r Response
		payment, err := c.Payments.Create(t.Context(), paymentParams(), WithResponse(&r))
		if err != nil || payment.ID != "PM1" || !r.Existing {
			t.Errorf("%s: got %v, %v after %d requests", name, payment, err, len(s.requests()))
		}
	}
	// When no attempt is left, the error does not deny that something was created.
	c, _ := scripted(t, replyWith(409, conflict[:60]))
	_, err := c.Payments.Create(t.Context(), paymentParams())
	if e := as[*Error](t, err); !e.MayHaveRun || e.Attempts != 4 || e.IdempotencyKey == "" {
		t.Errorf("got %v, may have run %t", err, e.MayHaveRun)
	}
	// Another 409 that is complete is final, and so is a broken one of an action.
	c, s := scripted(t, replyWith(409, `{"error":{"type":"invalid_state","errors":[{"reason":"payment_cancelled"}]}}`))
	if _, err := c.Payments.Create(t.Context(), paymentParams()); !errors.Is(err, ErrInvalidState) || len(s.requests()) != 1 {
		t.Errorf("got %v after %d requests", err, len(s.requests()))
	}
	c, s = scripted(t, replyWith(409, conflict[:60]))
	if _, err := c.Payments.Cancel(t.Context(), "PM1", PaymentCancelParams{}); err == nil || len(s.requests()) != 1 {
		t.Errorf("got %v after %d requests", err, len(s.requests()))
	}
}

// brokenReply is a reply whose connection breaks off in the body.
func brokenReply(status int, start string) replier {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := replyWith(status, start)(req)
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(start), failingReader{io.ErrUnexpectedEOF})), -1
		return resp, err
	}
}

// The path of an error stays readable however long it is, and shows only names of the API.
func TestPathOfReplyErrors(t *testing.T) {
	const long = "billing_request_with_actions.billing_requests.instalment_schedule_request.instalments_with_schedule.interval"
	for value, problem := range map[string]string{`"x"`: "expected an integer, found a string", `tru`: "invalid literal"} {
		c, _ := scripted(t, replyWith(201, `{"billing_request_with_actions":{"billing_requests":{"id":"BRQ1","instalment_schedule_request":`+
			`{"instalments_with_schedule":{"interval":`+value+`}}}}}`))
		_, err := c.BillingRequests.CreateWithActions(t.Context(), BillingRequestCreateWithActionsParams{}, WithoutValidation(), WithRetries(0))
		if err == nil || !strings.Contains(err.Error(), long+": "+problem) {
			t.Errorf("got %v", err)
		}
	}
	c, _ := scripted(t, replyWith(200, `{"payments":{"id":"PM1","unknown":{"jane@example.com":{"note":tru}}}}`))
	_, err := c.Payments.Get(t.Context(), "PM1", WithRetries(0))
	if err == nil || !strings.Contains(err.Error(), "payments.unknown.….note: invalid literal") {
		t.Errorf("got %v", err)
	}
}

// One odd member of one event loses neither the delivery nor the rest of the event.
func TestWebhookMisfits(t *testing.T) {
	const odd = `{"id":"EV2","created_at":1700000000,"resource_type":"payments","action":"failed","links":{"payment":["PM1"],"organisation":"OR1"},` +
		`"details":{"origin":"bank","cause":"x","will_attempt_retry":"false"},"metadata":[],"source":"app"}`
	body := []byte(`{"events":[{"id":"EV1","resource_type":"payments","action":"paid_out","links":{"payment":"PM0"}},` + odd + `,{"id":"EV3","resource_type":"mandates","action":"active"}]}`)
	d, err := ParseUnverifiedWebhook(body)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Events) != 3 || d.Events[2].ID != "EV3" || d.Events[1].Details.Origin != "bank" || d.Events[1].Links.Organisation != "OR1" {
		t.Fatalf("lost something: %+v", d.Events)
	}
	if retry := d.Events[1].Details.WillAttemptRetry; retry {
		t.Errorf("will_attempt_retry: %v", retry)
	}
	want := []Misfit{
		{"created_at", "a timestamp", "a number"}, {"links.payment", "a string", "an array"},
		{"metadata", "an object", "an array"}, {"source", "an object", "a string"},
	}
	if !reflect.DeepEqual(d.Events[1].Misfits, want) || d.Events[0].Misfits != nil || d.Events[2].Misfits != nil {
		t.Errorf("got %v", d.Events[1].Misfits)
	}
	if len(d.Misfits) != len(want) || d.Misfits[1].Path != "events[1].links.payment" {
		t.Errorf("got %v", d.Misfits)
	}
}

// A policy that wraps the attempt's error can still call the default one.
func TestDefaultRetryMatchesWrappedErrors(t *testing.T) {
	for _, err := range []error{
		&ConnectionError{Err: errors.New("x")}, &Error{StatusCode: 503}, &MalformedResponseError{StatusCode: 200, Err: errors.New("x")},
	} {
		a := RetryAttempt{Operation: opPaymentsGet, Attempt: 1, Err: err}
		if e, ok := errors.AsType[*Error](err); ok {
			a.StatusCode = e.StatusCode
		}
		plain := DefaultRetry(a)
		a.Err = errorsJoin(err)
		if wrapped := DefaultRetry(a); !plain.Retry || !wrapped.Retry || plain.Reason != wrapped.Reason {
			t.Errorf("%T: %+v, wrapped %+v", err, plain, wrapped)
		}
	}
	// The outermost of several counts.
	a := RetryAttempt{Operation: opPaymentsGet, Attempt: 1, StatusCode: 404, Err: &Error{StatusCode: 404, cause: &ConnectionError{Err: errors.New("x")}}}
	if d := DefaultRetry(a); d.Retry {
		t.Errorf("got %+v", d)
	}
}

func errorsJoin(err error) error { return errors.Join(errors.New("context"), err) }

// Waits that no duration can hold do not overflow, and an attempt without a number is the first.
func TestRetryWaitsAreClamped(t *testing.T) {
	for _, h := range [][2]string{
		{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}, {"Ratelimit-Reset", "Fri, 31 Dec 9999 23:59:59 GMT"},
		{"Retry-After", "9223372036854775807"}, {"Retry-After", "99999999999999999999"},
	} {
		a := RetryAttempt{Operation: opPaymentsGet, Attempt: 1, StatusCode: 429, Err: &Error{StatusCode: 429}, Header: map[string][]string{h[0]: {h[1]}}}
		if d := DefaultRetry(a); !d.Retry || d.Wait != maxServerWait {
			t.Errorf("%v: %+v", h, d)
		}
		if wait := serverWait(429, a.Header); wait <= 0 || wait > 24*time.Hour {
			t.Errorf("%v: the error says %v", h, wait)
		}
	}
	for _, attempt := range []int{-1 << 62, -1, 0, 1, 1 << 62} {
		a := RetryAttempt{Operation: opPaymentsGet, Attempt: attempt, StatusCode: 503, Err: &Error{StatusCode: 503}}
		if d := DefaultRetry(a); !d.Retry || d.Wait < 0 || d.Wait > maxBackoff {
			t.Errorf("attempt %d: %+v", attempt, d)
		}
	}
}
