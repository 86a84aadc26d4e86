package gocardlesstest

import (
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// actionTypes lists a request's actions as "type R requires completes status".
func actionTypes(request object) []string {
	var out []string
	for _, v := range request.List("actions") {
		a := v.(object)
		s := a.Str("type")
		if a.Flag("required") {
			s += " R"
		}
		for _, r := range a.List("requires_actions") {
			s += " <" + r.(string)
		}
		for _, r := range a.List("completes_actions") {
			s += " >" + r.(string)
		}
		if o := a.Obj("bank_authorisation"); o != nil {
			s += " " + o.Str("adapter") + "/" + o.Str("authorisation_type")
		}
		if a.Str("status") == "completed" {
			s += " done"
		}
		out = append(out, s)
	}
	return out
}

func wantActions(t *testing.T, request object, want ...string) {
	t.Helper()
	if got := actionTypes(request); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("actions:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const (
	mandateRequest = `"mandate_request":{"scheme":"bacs","currency":"GBP"}`
	paymentRequest = `"payment_request":{"amount":2500,"currency":"GBP","description":"Boiler"}`
	payerPerson    = `"customer":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com"}`
	payerAddress   = `"customer_billing_detail":{"address_line1":"1 Street","city":"Leeds","postal_code":"LS1 1AA","country_code":"GB"}`
)

func (w *world) request(parts string) object {
	w.t.Helper()
	return w.ok("POST", "/billing_requests", `{"billing_requests":{`+parts+`}}`)
}

func (w *world) act(id, action, data string) object {
	w.t.Helper()
	return w.ok("POST", "/billing_requests/"+id+"/actions/"+action, `{"data":{`+data+`}}`)
}

// The lists of actions are those in recorded replies of the API.
func TestBillingRequestActions(t *testing.T) {
	w := newWorld(t)
	wantActions(t, w.request(mandateRequest),
		"choose_currency R done",
		"collect_customer_details R <choose_currency",
		"collect_bank_account R >choose_currency",
		"confirm_payer_details R <collect_customer_details <collect_bank_account",
		"bank_authorisation <select_institution >collect_bank_account open_banking_gateway_ais/mandate")
	wantActions(t, w.request(paymentRequest),
		"choose_currency R done",
		"collect_amount R done",
		"collect_customer_details R <choose_currency <collect_amount",
		"select_institution R",
		"collect_bank_account R <collect_amount >choose_currency",
		"bank_authorisation R <select_institution open_banking_gateway_pis/payment")
	both := w.request(mandateRequest + "," + paymentRequest)
	wantActions(t, both,
		"choose_currency R done",
		"collect_amount R done",
		"collect_customer_details R <choose_currency <collect_amount",
		"select_institution R",
		"collect_bank_account R <collect_amount >choose_currency",
		"confirm_payer_details R <collect_customer_details <collect_bank_account",
		"bank_authorisation R <select_institution open_banking_gateway_pis/payment")
	details := both.List("actions")[2].(object).Obj("collect_customer_details")
	if got := string(value.Append(nil, details)); got != `{"default_country_code":"GB","incomplete_fields":{"customer":["email","given_name","family_name"],"customer_billing_detail":["address_line1","city","postal_code","country_code"]}}` {
		t.Errorf("hints: %s", got)
	}
}

func TestBillingRequestForMandate(t *testing.T) {
	w := newWorld(t)
	r := w.request(mandateRequest)
	id := r.Str("id")
	if r.Str("status") != "pending" || r.Obj("mandate_request").Str("verify") != "recommended" || r.Obj("links").Str("customer") == "" {
		t.Fatalf("created: %s", value.Append(nil, r))
	}
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+id+"/actions/fulfil", `{"data":{}}`)
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+id+"/actions/confirm_payer_details", `{"data":{}}`)
	w.refused(422, "/data/customer_billing_detail/address_line1", "POST", "/billing_requests/"+id+"/actions/collect_customer_details", `{"data":{`+payerPerson+`}}`)
	w.act(id, "collect_customer_details", payerPerson+","+payerAddress)
	w.refused(422, "/data/country_code", "POST", "/billing_requests/"+id+"/actions/collect_bank_account", `{"data":{"account_holder_name":"A","iban":"DE89370400440532013000"}}`)
	w.act(id, "collect_bank_account", ukAccount)
	r = w.act(id, "confirm_payer_details", "")
	if r.Str("status") != "ready_to_fulfil" {
		t.Fatalf("before fulfil: %s", value.Append(nil, r))
	}
	r = w.act(id, "fulfil", "")
	m := r.Obj("links").Str("mandate_request_mandate")
	if r.Str("status") != "fulfilled" || len(r.List("actions")) > 0 || m == "" || r.Obj("mandate_request").Obj("links").Str("mandate") != m {
		t.Fatalf("fulfilled: %s", value.Append(nil, r))
	}
	if got := w.ok("GET", "/mandates/"+m, ""); got.Str("status") != "pending_submission" || got.Obj("links").Str("customer") != r.Obj("links").Str("customer") {
		t.Errorf("mandate: %s", value.Append(nil, got))
	}
	w.refused(422, "cancellation_failed", "POST", "/billing_requests/"+id+"/actions/cancel", `{"data":{}}`)
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+id+"/actions/collect_bank_account", `{"data":{`+ukAccount+`}}`)
	var actions []string
	for _, e := range w.list("/events?billing_request=" + id) {
		actions = append(actions, e.Str("action"))
	}
	if got := strings.Join(actions, " "); got != "fulfilled payer_details_confirmed collect_bank_account collect_customer_details created" {
		t.Errorf("events: %s", got)
	}
}
