package gocardlesstest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestChecksComeInTheAPIsOrder(t *testing.T) {
	c := newCaller(t, WithToken("good"), WithReadOnlyToken("reader"))
	c.sb.RevokeToken("revoked")
	c.sb.DeactivateToken("inactive")
	auth := func(v string) []string { return []string{"Authorization", v} }
	for _, x := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		reason                   string
	}{
		{"neither header: the version is told", "GET", "/customers", "", []string{"Authorization", "", "GoCardless-Version", ""}, 400, "missing_version_header"},
		{"unknown version", "GET", "/customers", "", []string{"GoCardless-Version", "2099-01-01"}, 400, "version_not_found"},
		{"no token", "GET", "/customers", "", auth(""), 401, "missing_authorization_header"},
		{"another scheme", "GET", "/customers", "", auth("Basic good"), 401, "invalid_authorization_header"},
		{"empty token", "GET", "/customers", "", auth("Bearer "), 401, "invalid_authorization_header"},
		{"unknown token", "GET", "/customers", "", auth("Bearer bad"), 401, "access_token_not_found"},
		{"unknown token on an unknown path", "GET", "/nothing", "", auth("Bearer bad"), 401, "access_token_not_found"},
		{"revoked token", "GET", "/customers", "", auth("Bearer revoked"), 401, "access_token_revoked"},
		{"inactive token", "GET", "/customers", "", auth("Bearer inactive"), 401, "access_token_not_active"},
		{"a reader writes", "POST", "/customers", customerBody, auth("Bearer reader"), 403, "insufficient_permissions"},
		{"unknown path", "GET", "/nothing", "", auth("Bearer good"), 404, "path_not_found"},
		{"trailing slash", "GET", "/customers/", "", auth("Bearer good"), 404, "path_not_found"},
		{"unknown action", "POST", "/payments/PM1/actions/explode", "", auth("Bearer good"), 404, "path_not_found"},
		{"wrong method", "PATCH", "/customers/CU1", customerBody, auth("Bearer good"), 405, "method_not_allowed"},
		{"wrong method of a fixed path", "GET", "/scenario_simulators/x/actions/run", "", auth("Bearer good"), 405, "method_not_allowed"},
		{"nothing acceptable", "GET", "/customers", "", []string{"Authorization", "Bearer good", "Accept", "text/html, application/xml;q=0.9"}, 406, "not_acceptable"},
		{"body of another kind", "POST", "/customers", "a=b", []string{"Authorization", "Bearer good", "Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		{"body of no kind", "POST", "/customers", customerBody, []string{"Authorization", "Bearer good", "Content-Type", ""}, 415, "invalid_content_type"},
		{"compressed body", "POST", "/customers", customerBody, []string{"Authorization", "Bearer good", "Content-Encoding", "gzip"}, 415, "unsupported_media_type"},
		{"not JSON", "POST", "/customers", "{", auth("Bearer good"), 400, "bad_request"},
		{"more than one value", "POST", "/customers", customerBody + "{}", auth("Bearer good"), 400, "bad_request"},
		{"GET with a body", "GET", "/customers", "{}", auth("Bearer good"), 400, "request_body_not_allowed"},
		{"unknown id comes before a broken body", "POST", "/redirect_flows/RE000/actions/complete", `{"data":{"session_token":null}}`, auth("Bearer good"), 404, "resource_not_found"},
		{"id of another kind", "GET", "/payments/CU000000000000", "", auth("Bearer good"), 404, "resource_not_found"},
		{"id with a slash in it", "GET", "/payments/PM1%2Factions", "", auth("Bearer good"), 404, "resource_not_found"},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := &caller{t, c.sb, c.rt, true}
			c.refused(x.status, x.reason, x.method, x.path, x.body, x.headers...)
		})
	}
	for _, kind := range []string{"application/json", "application/json; charset=utf-8", "application/vnd.api+json"} {
		c.ok("POST", "/customers", customerBody, "Authorization", "Bearer good", "Content-Type", kind)
	}
	c.ok("POST", "/customers", customerBody, "Authorization", "bearer good", "Accept", "*/*")
	if n := len(c.list2("/customers", "Authorization", "Bearer reader")); n != 4 {
		t.Errorf("%d customers, want 4: a refused call created one, or an accepted one did not", n)
	}
}

// list2 is list with headers.
func (c *caller) list2(path string, headers ...string) []any {
	c.t.Helper()
	return c.do("GET", path, "", headers...).body[0].Val.([]any)
}

func TestReplyHeaders(t *testing.T) {
	c := newCaller(t)
	r := c.do("POST", "/customers", customerBody)
	id := r.body.Obj("customers").Str("id")
	want := map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache", "Vary": "Origin",
		"X-Content-Type-Options": "nosniff", "Location": "https://api-sandbox.gocardless.com/customers/" + id,
	}
	for k, v := range want {
		if got := r.header.Get(k); got != v {
			t.Errorf("%s is %q, want %q", k, got, v)
		}
	}
	if !strings.HasPrefix(r.header.Get("Etag"), `W/"`) {
		t.Errorf("ETag is %q", r.header.Get("Etag"))
	}
	e := c.do("GET", "/customers/CU0", "")
	if a, b := e.header.Get("X-Request-Id"), e.body.Obj("error").Str("request_id"); a == "" || a != b {
		t.Errorf("X-Request-Id %q, request_id %q", a, b)
	}
	if e.header.Get("Etag") != "" || e.header.Get("Location") != "" {
		t.Errorf("an error has success headers: %v", e.header)
	}
	if got := e.body.Obj("error").Str("documentation_url"); got != "https://developer.gocardless.com/api-reference#resource_not_found" {
		t.Errorf("documentation_url is %q", got)
	}
	removed := c.do("DELETE", "/customers/"+id, "")
	if removed.status != 204 || len(removed.raw) != 0 || removed.header.Get("Content-Type") != "" {
		t.Errorf("removal: %d %q %v", removed.status, removed.raw, removed.header)
	}
}

// The status and, for each problem, the message, pointer and field are those of recorded replies.
func TestBodyShapeErrors(t *testing.T) {
	w := newWorld(t)
	type item struct{ message, pointer, field string }
	for _, x := range []struct {
		name, path, body string
		status           int
		typ, fragment    string
		items            []item
	}{
		{"root is an array", "/payments", `[]`, 400, "invalid_api_usage", "invalid_document_structure", []item{{"The root of the document must be an object.", "/", ""}}},
		{"root is null", "/payments", `null`, 400, "invalid_api_usage", "invalid_document_structure", []item{{"The root of the document must be an object.", "/", ""}}},
		{"wrong root key", "/payments", `{"payment":{}}`, 400, "invalid_api_usage", "invalid_document_structure", []item{{"Data sent to this endpoint must be wrapped in a 'payments' envelope", "", ""}}},
		{"no root key", "/payments", `{}`, 400, "invalid_api_usage", "invalid_document_structure", []item{{"Data sent to this endpoint must be wrapped in a 'payments' envelope", "", ""}}},
		{"envelope is a string", "/payments", `{"payments":"x"}`, 400, "invalid_api_usage", "invalid_document_structure", []item{{`"payments" must be an object.`, "/", ""}}},
		{"unknown key", "/subscriptions", `{"subscriptions":{"amount":1,"currency":"GBP","interval_unit":"monthly","links":{"mandate":"MD1"},"charge_date":"2026-10-01"}}`,
			400, "invalid_api_usage", "invalid_document_structure", []item{{`"charge_date" is not a permitted key.`, "/subscriptions", ""}}},
		{"unknown nested key", "/payments", `{"payments":{"amount":1,"currency":"GBP","links":{"mandate":"MD1","payer":"x"}}}`,
			400, "invalid_api_usage", "invalid_document_structure", []item{{`"payer" is not a permitted key.`, "/payments/links", "links"}}},
		{"several unknown keys", "/payments", `{"payments":{"amount":1,"currency":"GBP","links":{"mandate":"MD1"},"a":1,"b":2}}`,
			400, "invalid_api_usage", "invalid_document_structure", []item{{`"a", "b" are not permitted keys.`, "/payments", ""}}},
		{"null for a link", "/payments", `{"payments":{"amount":1,"currency":"GBP","links":{"mandate":null}}}`,
			422, "invalid_api_usage", "invalid_type", []item{{"nil is not a string.", "/payments/links/mandate", "mandate_id"}}},
		{"number for a date", "/payments", `{"payments":{"amount":1,"currency":"GBP","charge_date":20140522,"links":{"mandate":"MD1"}}}`,
			422, "invalid_api_usage", "invalid_type", []item{{"20140522 is not a string.", "/payments/charge_date", "charge_date"}}},
		{"number in metadata", "/redirect_flows", `{"redirect_flows":{"session_token":"s","success_redirect_url":"https://x.example","metadata":{"x":1}}}`,
			422, "invalid_api_usage", "invalid_type", []item{{"1 is not a string.", "/redirect_flows/metadata/x", "metadata"}}},
		{"text for an amount", "/payments", `{"payments":{"amount":"a lot","currency":"GBP","links":{"mandate":"MD1"}}}`,
			422, "invalid_api_usage", "invalid_type", []item{{`"a lot" is not an integer.`, "/payments/amount", "amount"}}},
		{"fraction for an amount", "/payments", `{"payments":{"amount":1.5,"currency":"GBP","links":{"mandate":"MD1"}}}`,
			422, "invalid_api_usage", "invalid_type", []item{{`1.5 is not an integer.`, "/payments/amount", "amount"}}},
		{"unknown key and wrong type together", "/payments", `{"payments":{"amount":"one","currency":"GBP","links":{"mandate":"MD1"},"x":1}}`,
			400, "invalid_api_usage", "invalid_document_structure", []item{{`"x" is not a permitted key.`, "/payments", ""}, {`"one" is not an integer.`, "/payments/amount", "amount"}}},
		{"required nested key absent", "/billing_request_flows", `{"billing_request_flows":{"links":{}}}`,
			400, "invalid_api_usage", "invalid_document_structure", []item{{`"billing_request" wasn't supplied.`, "/billing_request_flows/links", "links"}}},
		{"required top-level key absent", "/payments", `{"payments":{"amount":1,"links":{"mandate":"MD1"}}}`,
			422, "invalid_api_usage", "invalid_type", []item{{`"currency" wasn't supplied.`, "/payments", ""}}},
		{"unknown link", "/payments", `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"MD000000000000"}}}`,
			422, "invalid_api_usage", "link_not_found", []item{{"Mandate not found", "/payments/links/mandate", "mandate_id"}}},
		{"values, several at once", "/customers", `{"customers":{"email":"nobody","language":"xx","country_code":"GBR"}}`,
			422, "validation_failed", "validation_failed", []item{{"is invalid", "/customers/email", "email"}, {"must be an ISO 3166-1", "/customers/country_code", "country_code"}}},
		{"metadata limits", "/customers", `{"customers":{"company_name":"a","email":"a@example.com","metadata":{"a":"1","b":"2","c":"3","d":"4"}}}`,
			422, "validation_failed", "validation_failed", []item{{"must have no more than 3 keys", "/customers/metadata", "metadata"}}},
		{"enum", "/mandates", `{"mandates":{"scheme":"swift","links":{"customer_bank_account":"BA1"}}}`,
			422, "validation_failed", "validation_failed", []item{{"must be one of: ach, autogiro", "/mandates/scheme", "scheme"}}},
		{"blank names", "/customers", `{"customers":{}}`,
			422, "validation_failed", "validation_failed", []item{{"can't be blank", "/customers/given_name", "given_name"}, {"can't be blank", "/customers/family_name", "family_name"}, {"can't be blank", "/customers/email", "email"}}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := &caller{t, w.sb, w.rt, true}
			r := c.do("POST", x.path, x.body)
			e := r.body.Obj("error")
			if r.status != x.status || e.Str("type") != x.typ || !strings.HasSuffix(e.Str("documentation_url"), "#"+x.fragment) {
				t.Fatalf("got %d %s", r.status, r.raw)
			}
			got := e.List("errors")
			if len(got) != len(x.items) {
				t.Fatalf("%d problems, want %d: %s", len(got), len(x.items), r.raw)
			}
			for i, want := range x.items {
				g := got[i].(object)
				if !strings.HasPrefix(g.Str("message"), want.message) || g.Str("request_pointer") != want.pointer || g.Str("field") != want.field {
					t.Errorf("problem %d is %v, want %v", i, g, want)
				}
				if (g.Has("reason")) != (x.fragment == "link_not_found" || strings.HasPrefix(want.message, "Data sent")) {
					t.Errorf("problem %d: reason is %q", i, g.Str("reason"))
				}
			}
		})
	}
}

func TestActionsTakeNoEmptyOrDataBody(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{"", "{}", `{"data":{}}`, `{"data":{"metadata":{"a":"b"}}}`} {
		if got := w.ok("POST", "/payments/"+w.pay("100")+"/actions/cancel", body).Str("status"); got != "cancelled" {
			t.Errorf("body %q: %s", body, got)
		}
	}
	id := w.ok("POST", "/blocks", `{"blocks":{"block_type":"email","reason_type":"identity_fraud","resource_reference":"a@example.com"}}`).Str("id")
	for _, body := range []string{"", "{}", `{"data":{}}`} {
		w.ok("POST", "/blocks/"+id+"/actions/disable", body)
	}
	w.refused(400, "/", "POST", "/blocks/"+id+"/actions/disable", `{"data":{"x":1}}`)
}

func TestIdempotency(t *testing.T) {
	w := newWorld(t)
	body := `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + w.mandate + `"}}}`
	w.refused(422, "/payments/currency", "POST", "/payments", strings.Replace(body, "GBP", "EUR", 1), "Idempotency-Key", "k1")
	first := w.ok("POST", "/payments", body, "Idempotency-Key", "k1").Str("id") // a refused create does not use the key up
	for _, replay := range []string{body, strings.Replace(body, "100", "999", 1), `{"payments":{"nonsense":1}}`} {
		e := w.refused(409, "idempotent_creation_conflict", "POST", "/payments", replay, "Idempotency-Key", "k1")
		if got := e.Obj("links").Str("conflicting_resource_id"); got != first {
			t.Errorf("conflict with %q, want %q", got, first)
		}
	}
	// Keys belong to a collection.
	w.ok("POST", "/customers", customerBody, "Idempotency-Key", "k1")
	// Actions ignore keys.
	second := w.ok("POST", "/payments", body, "Idempotency-Key", "k2").Str("id")
	w.ok("POST", "/payments/"+first+"/actions/cancel", "", "Idempotency-Key", "k3")
	w.ok("POST", "/payments/"+second+"/actions/cancel", "", "Idempotency-Key", "k3")
	w.refused(400, "idempotency_key_too_long", "POST", "/payments", body, "Idempotency-Key", strings.Repeat("k", 129))
	if n := len(w.list("/payments")); n != 2 {
		t.Errorf("%d payments, want 2", n)
	}
}

func TestRateLimit(t *testing.T) {
	at := time.Date(2023, 4, 19, 16, 9, 23, 0, time.UTC)
	c := newCaller(t, WithFrozenClock(at), WithRateLimit(3))
	check := func(r *reply, status int, remaining string) {
		t.Helper()
		if r.status != status || r.header.Get("RateLimit-Remaining") != remaining || r.header.Get("RateLimit-Limit") != "3" {
			t.Errorf("got %d, limit %q, remaining %q; want %d, 3, %s", r.status, r.header.Get("RateLimit-Limit"), r.header.Get("RateLimit-Remaining"), status, remaining)
		}
		if got := r.header.Get("RateLimit-Reset"); got != "Wed, 19 Apr 2023 16:10:00 GMT" {
			t.Errorf("reset is %q", got)
		}
	}
	check(c.do("GET", "/customers", ""), 200, "2")
	check(c.do("GET", "/customers/CU0", ""), 404, "1")
	check(c.do("POST", "/customers", `{"customers":{}}`), 422, "0")
	check(c.do("POST", "/customers", customerBody), 429, "0")
	c.refused(429, "rate_limit_exceeded", "GET", "/customers", "")
	// Each token has its own budget.
	c.ok("POST", "/customers", customerBody, "Authorization", "Bearer other")
	c.sb.Advance(37 * time.Second)
	if r := c.do("GET", "/customers", ""); r.status != 200 || r.header.Get("RateLimit-Remaining") != "2" {
		t.Errorf("in the next minute: %d, remaining %s", r.status, r.header.Get("RateLimit-Remaining"))
	}
}

func TestRateLimitOfBalances(t *testing.T) {
	c := newCaller(t, WithRateLimit(1000))
	path := "/balances?creditor=" + c.list("/creditors")[0].Str("id")
	for i := range 60 {
		if r := c.do("GET", path, ""); r.status != 200 || r.header.Get("RateLimit-Limit") != "60" || r.header.Get("RateLimit-Remaining") != fmt.Sprint(59-i) {
			t.Fatalf("request %d: %d %v", i, r.status, r.header)
		}
	}
	c.refused(429, "rate_limit_exceeded", "GET", path, "")
	c.list("/creditors")
}

func TestRequestsAreRemembered(t *testing.T) {
	c := newCaller(t, WithRequestLog(3))
	c.do("GET", "/nothing", "")
	c.do("GET", "/customers?limit=5", "")
	id := c.ok("POST", "/customers", customerBody, "Idempotency-Key", "k").Str("id")
	c.do("GET", "/customers/CU0", "")
	got := c.sb.Requests()
	if len(got) != 3 {
		t.Fatalf("%d requests, want the last 3", len(got))
	}
	if r := got[0]; r.Operation != "customers.list" || r.Query != "limit=5" || r.Status != 200 {
		t.Errorf("first is %+v", r)
	}
	if r := got[1]; r.Method != http.MethodPost || r.Resource != id || string(r.Body) != customerBody || r.Header.Get("Idempotency-Key") != "k" || !strings.Contains(string(r.Reply), id) {
		t.Errorf("second is %+v", r)
	}
	if r := got[2]; r.Status != 404 || r.Path != "/customers/CU0" || r.RequestID == "" {
		t.Errorf("third is %+v", r)
	}
}
