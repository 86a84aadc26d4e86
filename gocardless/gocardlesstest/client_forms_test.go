package gocardlesstest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// All forms in which the vendor's clients write lists in a query mean the same. Other forms are
// refused, not ignored.
func TestListsInQueries(t *testing.T) {
	w := newWorld(t)
	pm := w.pay("100")
	w.ok("POST", "/payments/"+pm+"/actions/cancel", "")
	w.pay("200")
	sb := w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":100,"currency":"GBP","interval_unit":"monthly","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	w.ok("POST", "/subscriptions/"+sb+"/actions/pause", "")
	w.mandateFor("sepa_core")
	w.mandateFor("ach")
	request := w.ok("POST", "/billing_requests", `{"billing_requests":{"payment_request":{"amount":1000,"currency":"GBP","description":"A"}}}`).Str("id")
	banks := "/billing_requests/" + request + "/institutions?country_code=GB"

	for _, x := range []struct {
		path, param string
		values      []string
		rows        int
	}{
		{"/mandates", "scheme", []string{"bacs", "sepa_core"}, 2},
		{"/mandates", "scheme", []string{"bacs"}, 1},
		{"/mandates", "status", []string{"cancelled"}, 0},
		{"/payments", "status", []string{"cancelled"}, 1},
		{"/payments", "status", []string{"failed"}, 0},
		{"/payments", "status", []string{"cancelled", "pending_submission"}, 3},
		{"/subscriptions", "status", []string{"paused"}, 1},
		{"/subscriptions", "status", []string{"active", "finished"}, 0},
		{"/events", "resource_type", []string{"payments"}, 4},
		{"/events", "resource_type", []string{"payments", "subscriptions"}, 7},
		{banks, "ids", []string{"monzo"}, 1},
		{banks, "ids", []string{"monzo", "sand_bank_gb"}, 2},
		{banks, "ids", []string{"x"}, 0},
		{"/institutions", "scheme", []string{"faster_payments", "bacs"}, 4},
	} {
		for client, query := range queryForms(x.param, x.values) {
			join := "?"
			if strings.Contains(x.path, "?") {
				join = "&"
			}
			if got := w.list(x.path + join + query); len(got) != x.rows {
				t.Errorf("%s%s%s (%s): %d rows, want %d", x.path, join, query, client, len(got), x.rows)
			}
		}
	}
	for _, bad := range []string{
		"status[x]=cancelled", "status[=cancelled", "status]=cancelled", "status[0][1]=cancelled", "status[]=nonsense", "status=cancelled&status=nonsense",
		"customer=" + w.customer + "&customer=" + w.customer, "customer[]=" + w.customer, "limit=1&limit=2", "limit[]=1",
		"created_at[gte]=2026-01-01&created_at[gte]=2026-01-02", "created_at[]=2026-01-01", "sort_direction=asc,desc",
	} {
		w.refused(400, "invalid_filters", "GET", "/payments?"+bad, "")
	}
	w.refused(400, "invalid_filters", "GET", "/institutions?country_code=UK", "")
}

// queryForms returns a list in the form of each client.
func queryForms(param string, values []string) map[string]string {
	forms := map[string]string{"Node, Java, .NET": param + "=" + url.QueryEscape(strings.Join(values, ","))}
	for client, name := range map[string]func(int) string{
		"Go, Python": func(int) string { return param },
		"Ruby":       func(int) string { return param + "[]" },
		"PHP":        func(i int) string { return fmt.Sprintf("%s[%d]", param, i) },
	} {
		var parts []string
		for i, v := range values {
			parts = append(parts, url.QueryEscape(name(i))+"="+v)
		}
		forms[client] = strings.Join(parts, "&")
	}
	return forms
}

// Python re-reads a resource with the members of its create request, and writes booleans with a
// capital letter.
func TestPythonQueries(t *testing.T) {
	w := newWorld(t)
	pm := w.pay("100")
	if got := w.ok("GET", "/payments/"+pm+"?payments=amount&payments=currency&amount=100", ""); got.Str("id") != pm {
		t.Errorf("got %v, want payment %s", got, pm)
	}
	for _, value := range []string{"True", "true", "TRUE"} {
		if got := w.list("/customer_bank_accounts?enabled=" + value); len(got) != 1 {
			t.Errorf("enabled=%s: %d rows, want 1", value, len(got))
		}
	}
	if got := w.list("/customer_bank_accounts?enabled=False"); len(got) != 0 {
		t.Errorf("enabled=False: %d rows, want none", len(got))
	}
	w.refused(400, "invalid_filters", "GET", "/customer_bank_accounts?enabled=yes", "")
}

// Python sends null with every action that has no params; others send an empty object or nothing.
func TestEmptyBodies(t *testing.T) {
	for _, body := range []string{"", "null", "{}", `{"data":null}`, `{"data":{}}`} {
		w := newWorld(t)
		pm := w.pay("100")
		if got := w.ok("POST", "/payments/"+pm+"/actions/cancel", body); got.Str("status") != "cancelled" {
			t.Errorf("cancel with body %q: %v", body, got)
		}
		other := newOther(w)
		if r := w.do("DELETE", "/customers/"+other.customer, body); r.status != 204 {
			t.Errorf("removal with body %q: %d %s", body, r.status, r.raw)
		}
		// An action without params.
		if r := w.do("POST", "/customer_bank_accounts/"+w.account+"/actions/disable", body); r.status != 200 {
			t.Errorf("disable with body %q: %d %s", body, r.status, r.raw)
		}
	}
	w := newWorld(t)
	w.refused(400, "/", "POST", "/payments/"+w.pay("1")+"/actions/cancel", `{"data":7}`)
	w.refused(400, "/", "POST", "/payments", "null")
}

// Older Node typings declare amounts as strings.
func TestIntegersAsStrings(t *testing.T) {
	w := newWorld(t)
	links := `"links":{"mandate":"` + w.mandate + `"}`
	if got := w.ok("POST", "/payments", `{"payments":{"amount":"1000","app_fee":"10","currency":"GBP",`+links+`}}`); got.Num("amount") != 1000 {
		t.Errorf("payment is %v", got)
	}
	got := w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":"500","count":"3","interval":"2","day_of_month":"5","currency":"GBP","interval_unit":"monthly",`+links+`}}`)
	if got.Num("amount") != 500 || got.Num("interval") != 2 || got.Num("day_of_month") != 5 || len(got.List("upcoming_payments")) != 3 {
		t.Errorf("subscription is %v", got)
	}
	got = w.ok("POST", "/instalment_schedules", `{"instalment_schedules":{"name":"A","currency":"GBP","total_amount":"300","instalments":[{"amount":"100","charge_date":"2026-10-01"},{"amount":"200","charge_date":"2026-11-02"}],`+links+`}}`)
	if got.Num("total_amount") != 300 {
		t.Errorf("instalment schedule is %v", got)
	}
	for _, bad := range []string{"", "1.0", "1e3", "+5", " 5", "five", "99999999999999999999"} {
		w.refused(422, "/payments/amount", "POST", "/payments", `{"payments":{"amount":"`+bad+`","currency":"GBP",`+links+`}}`)
	}
	// Metadata values stay strings.
	w.refused(422, "/customers/metadata/a", "POST", "/customers", `{"customers":{"metadata":{"a":5}}}`)
	if got := w.ok("POST", "/customers", `{"customers":{"company_name":"A","email":"a@example.com","metadata":{"a":"5"}}}`); got.Obj("metadata").Get("a") != "5" {
		t.Errorf("metadata is %v", got.Obj("metadata"))
	}
}

// The official Go client wraps some bodies in "data".
func TestWrongEnvelope(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{`{"data":{"name":"A"}}`, `{"payments":{}}`, `{}`} {
		r := w.do("POST", "/instalment_schedules", body)
		e := r.body.Obj("error")
		first := e.List("errors")[0].(object)
		if r.status != 400 || e.Str("type") != "invalid_api_usage" || first.Str("reason") != "invalid_document_structure" ||
			e.Str("message") != "Data sent to this endpoint must be wrapped in a 'instalment_schedules' envelope" {
			t.Errorf("%s: %d %s", body, r.status, r.raw)
		}
	}
}

// Python and PHP read the reason of every item of an invalid_state error.
func TestInvalidStateHasReasons(t *testing.T) {
	w := newWorld(t)
	request := func() string {
		return w.ok("POST", "/billing_requests", `{"billing_requests":{"mandate_request":{"scheme":"bacs"}}}`).Str("id")
	}
	pm := w.pay("100")
	for _, name := range []string{"payment_charged_back", "payment_failed", "payment_paid_out", "payment_late_failure"} {
		if name == "payment_failed" {
			w.ok("POST", "/payments/"+pm+"/actions/cancel", "")
		}
		if name != "payment_charged_back" {
			w.cannotSimulate(name, pm)
		}
	}
	br := request()
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+br+"/actions/fulfil", "")
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+br+"/actions/fallback", "")
	w.ok("POST", "/billing_requests/"+br+"/actions/cancel", "")
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+br+"/actions/cancel", "")
	w.refused(422, "invalid_state", "POST", "/billing_request_flows", `{"billing_request_flows":{"links":{"billing_request":"`+br+`"}}}`)
	im := w.ok("POST", "/mandate_imports", `{"mandate_imports":{"scheme":"bacs"}}`).Str("id")
	w.ok("POST", "/mandate_imports/"+im+"/actions/submit", "")
	w.refused(422, "invalid_state", "POST", "/mandate_imports/"+im+"/actions/submit", "")

	// Neither function of the package for these errors omits the reason.
	for _, e := range []*api.Error{api.TooLate("x"), api.TooEarly("x")} {
		if e.Type != "invalid_state" || slices.ContainsFunc(e.Items, func(it api.ErrorItem) bool { return it.Reason == "" }) {
			t.Errorf("%+v has no reason", e)
		}
	}
}

func TestCountryCodes(t *testing.T) {
	w := newWorld(t)
	for _, code := range []string{"UK", "XX", "EL", "gb", "GBR", "Z "} {
		w.refused(422, "/customers/country_code", "POST", "/customers", `{"customers":{"country_code":"`+code+`"}}`)
		w.refused(422, "/creditors/country_code", "POST", "/creditors", `{"creditors":{"name":"A","creditor_type":"company","country_code":"`+code+`"}}`)
		w.refused(422, "/customer_bank_accounts/country_code", "POST", "/customer_bank_accounts",
			`{"customer_bank_accounts":{"account_holder_name":"A","branch_code":"200000","account_number":"55779911","country_code":"`+code+`","links":{"customer":"`+w.customer+`"}}}`)
	}
	w.ok("POST", "/customers", `{"customers":{"company_name":"A","email":"a@example.com","country_code":"GR"}}`)
}

// A wrong amount is the only problem if no fee was sent.
func TestNegativeAmount(t *testing.T) {
	w := newWorld(t)
	links := `"links":{"mandate":"` + w.mandate + `"}`
	r := w.do("POST", "/payments", `{"payments":{"amount":-1,"currency":"GBP",`+links+`}}`)
	if items := r.body.Obj("error").List("errors"); r.status != 422 || len(items) != 1 || items[0].(object).Str("field") != "amount" {
		t.Errorf("amount -1: %d %s", r.status, r.raw)
	}
	r = w.do("POST", "/payments", `{"payments":{"amount":100000001,"currency":"GBP",`+links+`}}`)
	if !strings.Contains(string(r.raw), `"maximum_amount":100000000}`) {
		t.Errorf("amount above the maximum: %s", r.raw)
	}
}

// In recorded replies of the API these members are null, not missing.
func TestNullMembers(t *testing.T) {
	w := newWorld(t)
	for path, name := range map[string]string{
		"/customer_bank_accounts/" + w.account:                                      "account_type",
		"/creditor_bank_accounts/" + w.list("/creditor_bank_accounts")[0].Str("id"): "account_type",
		"/subscriptions/" + w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":100,"currency":"GBP","interval_unit":"monthly","links":{"mandate":"`+w.mandate+`"}}}`).Str("id"): "month",
		"/redirect_flows/" + w.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s","success_redirect_url":"https://example.com/ok"}}`).Str("id"):                      "scheme",
	} {
		if v, there := w.ok("GET", path, "").Lookup(name); !there || v != nil {
			t.Errorf("%s: %s is %v, there %v; want null", path, name, v, there)
		}
	}
}
