package gocardlesstest

import (
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

func TestCreateWithActions(t *testing.T) {
	w := newWorld(t)
	body := `{"billing_request_with_actions":{` + paymentRequest + `,"actions":{
		"collect_customer_details":{` + payerPerson + `},"select_institution":{"country_code":"GB","institution":"read_bank_gb"},
		"collect_bank_account":{` + ukAccount + `},"create_bank_authorisation":true,"bank_authorisation_redirect_uri":"https://shop.example.com/bank"}}}`
	before := len(w.list("/customers"))
	w.refused(422, "/billing_request_with_actions/actions/collect_bank_account/account_number", "POST", "/billing_requests/create_with_actions", strings.Replace(body, "55779911", "12", 1))
	w.refused(422, "/billing_request_with_actions/actions/select_institution/institution", "POST", "/billing_requests/create_with_actions", strings.Replace(body, "read_bank_gb", "no_bank", 1))
	if n := len(w.list("/customers")); n != before || len(w.list("/billing_requests")) != 0 {
		t.Error("a refused call made something")
	}
	r := w.ok("POST", "/billing_requests/create_with_actions", body, "Idempotency-Key", "k1")
	request, visit := r.Obj("billing_requests"), r.Obj("bank_authorisations")
	if request.Str("status") != "pending" || request.Obj("resources").Obj("customer_bank_account") == nil || visit.Obj("links").Str("institution") != "read_bank_gb" {
		t.Fatalf("created: %s", value.Append(nil, r))
	}
	conflict := w.refused(409, "idempotent_creation_conflict", "POST", "/billing_requests/create_with_actions", body, "Idempotency-Key", "k1")
	if got := conflict.Obj("links").Str("conflicting_resource_id"); got != request.Str("id") {
		t.Errorf("conflict with %s", got)
	}
	b := w.browser().open(visit.Str("url")).sees("Approve this at Read Bank")
	b.submit("decision", "authorised")
	if want := "https://shop.example.com/bank?id=" + request.Str("id") + "&outcome=success"; b.url != want {
		t.Errorf("the bank leads to %s, want %s", b.url, want)
	}
	// The payer used no flow, so the merchant fulfils.
	if s := w.status("billing_requests", request.Str("id")); s != "ready_to_fulfil" {
		t.Fatalf("authorised request is %s", s)
	}
	got := w.ok("GET", "/bank_authorisations/"+visit.Str("id"), "")
	if got.Str("authorised_at") == "" || got.Str("last_visited_at") == "" || got.Str("authorisation_type") != "payment" {
		t.Errorf("bank authorisation: %s", value.Append(nil, got))
	}
	w.act(request.Str("id"), "fulfil", "")
	if b.open(visit.Str("url")); b.code != 410 {
		t.Errorf("a used link to the bank answers %d", b.code)
	}
}

func TestBankAuthorisationExpires(t *testing.T) {
	w := newWorld(t)
	id := w.request(paymentRequest).Str("id")
	const path = "/bank_authorisations"
	body := `{"bank_authorisations":{"redirect_uri":"https://shop.example.com","links":{"billing_request":"` + id + `"}}}`
	w.refused(422, "invalid_state", "POST", path, body)
	w.act(id, "collect_customer_details", payerPerson)
	w.act(id, "select_institution", `"country_code":"GB","institution":"monzo"`)
	w.refused(422, "/bank_authorisations/redirect_uri", "POST", path, strings.Replace(body, "https:", "javascript:", 1))
	w.refused(422, "/bank_authorisations/links/billing_request", "POST", path, `{"bank_authorisations":{"links":{}}}`)
	a := w.ok("POST", path, body)
	w.sb.Advance(authorisationLife)
	if b := w.browser().open(a.Str("url")); b.code != 410 {
		t.Errorf("an expired link to the bank answers %d", b.code)
	}
	if got := w.eventsOf("billing_request", id); !strings.HasSuffix(got, "bank_authorisation_expired") {
		t.Errorf("events %q", got)
	}
	again := w.ok("POST", path, body)
	b := w.browser().open(again.Str("url"))
	b.submit("decision", "failed")
	if !strings.HasSuffix(b.url, "outcome=failure") {
		t.Errorf("failure leads to %s", b.url)
	}
	w.sb.Advance(time.Hour)
	if got := w.eventsOf("billing_request", id); !strings.HasSuffix(got, "bank_authorisation_visited bank_authorisation_failed") {
		t.Errorf("events %q", got)
	}
}

func TestFallback(t *testing.T) {
	w := newWorld(t)
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+w.request(paymentRequest).Str("id")+"/actions/fallback", "")
	id := w.request(paymentRequest + `,"fallback_enabled":true`).Str("id")
	r := w.act(id, "fallback", "")
	if !r.Flag("fallback_occurred") || r.Obj("mandate_request").Str("scheme") != "bacs" || r.Obj("links").Str("mandate_request") == "" {
		t.Fatalf("after the fallback: %s", value.Append(nil, r))
	}
	wantActions(t, r,
		"choose_currency R done",
		"collect_amount R done",
		"collect_customer_details R <choose_currency <collect_amount",
		"collect_bank_account R <collect_amount >choose_currency",
		"confirm_payer_details R <collect_customer_details <collect_bank_account",
		"bank_authorisation <select_institution >collect_bank_account open_banking_gateway_ais/mandate")
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+id+"/actions/fallback", "")
	w.act(id, "collect_customer_details", payerPerson+","+payerAddress)
	w.act(id, "collect_bank_account", ukAccount)
	w.act(id, "confirm_payer_details", "")
	r = w.act(id, "fulfil", "")
	pay := w.ok("GET", "/payments/"+r.Obj("links").Str("payment_request_payment"), "")
	if pay.Obj("links").Str("mandate") != r.Obj("links").Str("mandate_request_mandate") || pay.Str("scheme") != "bacs" {
		t.Errorf("payment after a fallback: %s", value.Append(nil, pay))
	}
}

func TestNotifyAndCancel(t *testing.T) {
	w := newWorld(t)
	id := w.request(paymentRequest).Str("id")
	path := "/billing_requests/" + id + "/actions/"
	w.refused(422, "billing_request_missing_customer_email", "POST", path+"notify", `{"data":{"notification_type":"email"}}`)
	w.act(id, "collect_customer_details", payerPerson)
	w.act(id, "notify", `"notification_type":"email","redirect_uri":"https://shop.example.com"`)
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+w.request(mandateRequest).Str("id")+"/actions/notify", `{"data":{"notification_type":"email"}}`)
	r := w.act(id, "cancel", "")
	if r.Str("status") != "cancelled" || len(r.List("actions")) > 0 {
		t.Errorf("cancelled: %s", value.Append(nil, r))
	}
	w.refused(422, "cancellation_failed", "POST", path+"cancel", `{"data":{}}`)
	w.refused(422, "invalid_state", "POST", path+"collect_customer_details", `{"data":{`+payerPerson+`}}`)
	w.refused(404, "resource_not_found", "POST", "/billing_requests/BRQ1/actions/cancel", `{"data":{}}`)
}

func TestChooseCurrency(t *testing.T) {
	w := newWorld(t)
	id := w.request(`"mandate_request":{}`).Str("id")
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+id+"/actions/collect_customer_details", `{"data":{`+payerPerson+`}}`)
	// The bank account determines the currency.
	r := w.act(id, "collect_bank_account", ukAccount)
	if m := r.Obj("mandate_request"); m.Str("currency") != "GBP" || m.Str("scheme") != "bacs" {
		t.Errorf("after the account: %s", value.Append(nil, m))
	}
	r = w.act(id, "choose_currency", `"currency":"SEK"`)
	if m := r.Obj("mandate_request"); m.Str("scheme") != "autogiro" || r.Obj("links").Str("customer_bank_account") != "" {
		t.Errorf("after the choice: %s", value.Append(nil, r))
	}
	details := r.List("actions")[1].(object).Obj("collect_customer_details")
	if got := details.Obj("incomplete_fields").List("customer_billing_detail"); len(got) != 5 || got[4] != "swedish_identity_number" {
		t.Errorf("wanted for Autogiro: %v", got)
	}
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+w.request(paymentRequest).Str("id")+"/actions/choose_currency", `{"data":{"currency":"EUR"}}`)
}

func TestBillingRequestOfKnownCustomer(t *testing.T) {
	w := newWorld(t)
	w.ok("PUT", "/customers/"+w.customer, `{"customers":{"address_line1":"1 Street","city":"Leeds","postal_code":"LS1 1AA"}}`)
	r := w.request(mandateRequest + `,"links":{"customer":"` + w.customer + `","customer_bank_account":"` + w.account + `"}`)
	if got := strings.Join(actionTypes(r)[1:3], "|"); got != "collect_customer_details R <choose_currency done|collect_bank_account R >choose_currency done" {
		t.Errorf("actions: %s", got)
	}
	// The copies in the request change with the customer.
	w.ok("PUT", "/customers/"+w.customer, `{"customers":{"family_name":"King"}}`)
	if got := w.ok("GET", "/billing_requests/"+r.Str("id"), "").Obj("resources").Obj("customer").Str("family_name"); got != "King" {
		t.Errorf("family name in the request: %s", got)
	}
	if n := len(w.list("/billing_requests?customer=" + w.customer + "&status=pending")); n != 1 {
		t.Errorf("%d requests of the customer", n)
	}
	w.ok("DELETE", "/customers/"+w.customer, "")
	w.refused(410, "customer_data_removed", "POST", "/billing_requests/"+r.Str("id")+"/actions/confirm_payer_details", `{"data":{}}`)
}

func TestBillingRequestRules(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ pointer, parts string }{
		{"mandate_request", ``},
		{"payment_request/description", `"payment_request":{"amount":2500,"currency":"GBP","description":" "}`},
		{"payment_request/currency", `"payment_request":{"amount":2500,"description":"x"}`},
		{"payment_request/currency", `"payment_request":{"amount":2500,"description":"x","currency":"USD"}`},
		{"payment_request/amount", `"payment_request":{"amount":99,"description":"x","currency":"GBP"}`},
		{"payment_request/scheme", `"payment_request":{"amount":2500,"description":"x","currency":"GBP","scheme":"sepa_credit_transfer"}`},
		{"payment_request/reference", `"payment_request":{"amount":2500,"description":"x","currency":"GBP","reference":"R1"}`},
		{"mandate_request/scheme", `"mandate_request":{"scheme":"bacs","currency":"EUR"}`},
		{"mandate_request/currency", paymentRequest + `,"mandate_request":{"currency":"EUR"}`},
		{"mandate_request/verify", `"mandate_request":{"scheme":"sepa_core","verify":"always"}`},
		{"mandate_request/constraints", `"mandate_request":{"scheme":"pay_to"}`},
		{"mandate_request/constraints/max_amount_per_payment", `"mandate_request":{"scheme":"pay_to","constraints":{}}`},
		{"mandate_request/constraints/periodic_limits", `"mandate_request":{"scheme":"faster_payments","sweeping":true,"constraints":{"max_amount_per_payment":1}}`},
		{"mandate_request/sweeping", `"mandate_request":{"scheme":"faster_payments","constraints":{"max_amount_per_payment":1,"periodic_limits":[{"max_total_amount":1,"period":"day"}]}}`},
		{"mandate_request/constraints/end_date", `"mandate_request":{"scheme":"bacs","constraints":{"start_date":"2026-10-02","end_date":"2026-10-01"}}`},
		{"mandate_request/consent_type", `"mandate_request":{"scheme":"bacs","consent_type":"one_off"}`},
		{"subscription_request", mandateRequest + `,"subscription_request":{"amount":1,"currency":"GBP","interval_unit":"monthly"}`},
		{"instalment_schedule_request/total_amount", `"mandate_request":{"scheme":"ach"},"instalment_schedule_request":{"name":"x","currency":"USD","total_amount":5,"instalments_with_dates":[{"amount":4,"charge_date":"2026-12-01"}]}`},
	} {
		w.refused(422, "/billing_requests/"+c.pointer, "POST", "/billing_requests", `{"billing_requests":{`+c.parts+`}}`)
	}
	if n := len(w.list("/billing_requests")); n != 0 {
		t.Errorf("%d requests were made by refused calls", n)
	}
	w.refused(422, "link_not_found", "POST", "/billing_requests", `{"billing_requests":{`+mandateRequest+`,"links":{"customer":"CU1"}}}`)
}

func TestBillingRequestWithPlans(t *testing.T) {
	w := newWorld(t)
	fulfil := func(parts string) object {
		t.Helper()
		id := w.request(`"mandate_request":{"scheme":"ach","currency":"USD"},` + parts).Str("id")
		w.act(id, "collect_customer_details", payerPerson+`,"customer_billing_detail":{"address_line1":"1 Street","city":"Reno","postal_code":"89501","country_code":"US","region":"NV","ip_address":"127.0.0.1"}`)
		w.act(id, "collect_bank_account", `"account_holder_name":"Ada","bank_code":"026073150","account_number":"2715500356","account_type":"checking","country_code":"US"`)
		w.act(id, "confirm_payer_details", "")
		return w.act(id, "fulfil", "")
	}
	r := fulfil(`"subscription_request":{"amount":1500,"currency":"USD","interval_unit":"monthly","name":"Gym","start_date":"2026-09-16"}`)
	s := w.ok("GET", "/subscriptions/"+r.Obj("links").Str("subscription_request_subscription"), "")
	if s.Num("amount") != 1500 || s.Obj("links").Str("mandate") != r.Obj("links").Str("mandate_request_mandate") {
		t.Errorf("subscription: %s", value.Append(nil, s))
	}
	r = fulfil(`"instalment_schedule_request":{"name":"Bill","currency":"USD","total_amount":700,"instalments_with_schedule":{"amounts":[300,400],"interval":1,"interval_unit":"monthly"}}`)
	w.sb.Advance(2 * time.Second)
	i := w.ok("GET", "/instalment_schedules/"+r.Obj("links").Str("instalment_schedule_request_instalment_schedule"), "")
	if i.Str("status") != "active" || len(i.Obj("links").List("payments")) != 2 {
		t.Errorf("schedule: %s", value.Append(nil, i))
	}
}

func TestDualSignature(t *testing.T) {
	w := newWorld(t)
	id := w.request(mandateRequest).Str("id")
	w.act(id, "collect_customer_details", payerPerson+","+payerAddress)
	w.act(id, "collect_bank_account", ukAccount)
	w.act(id, "confirm_payer_details", `"payer_requested_dual_signature":true`)
	m := w.act(id, "fulfil", "").Obj("links").Str("mandate_request_mandate")
	if s := w.status("mandates", m); s != "pending_customer_approval" {
		t.Errorf("mandate is %s", s)
	}
	w.simulate("mandate_customer_approval_granted", m)
	w.sb.Advance(14 * 24 * time.Hour)
	if s := w.status("mandates", m); s != "active" {
		t.Errorf("mandate is %s after two weeks", s)
	}
}

func TestInstitutions(t *testing.T) {
	w := newWorld(t)
	count := func(path string, want int) {
		t.Helper()
		if got := w.list(path); len(got) != want {
			t.Errorf("%s: %d institutions, want %d", path, len(got), want)
		}
	}
	count("/institutions", 4)
	count("/institutions?country_code=DE&scheme=sepa_credit_transfer", 1)
	count("/institutions?feature=vrp_sweeping", 2)
	count("/institutions?branch_code=200000", 1)
	count("/institutions?country_code=US", 0)
	id := w.request(paymentRequest).Str("id")
	path := "/billing_requests/" + id + "/institutions?country_code=GB"
	count(path, 4)
	count(path+"&include_disabled=true", 5)
	count(path+"&search=bank", 2)
	count(path+"&ids=monzo,sand_bank_gb,credit_riverain_fr", 2)
	w.refused(400, "invalid_filters", "GET", "/billing_requests/"+id+"/institutions", "")
	w.refused(404, "resource_not_found", "GET", "/billing_requests/BRQ1/institutions?country_code=GB", "")
	if r := w.do("GET", "/institutions", ""); r.body.Obj("meta") == nil {
		t.Errorf("no meta: %s", r.raw)
	}
	bare := newWorld(t, WithoutInstitutionMeta())
	if r := bare.do("GET", "/institutions", ""); r.body.Obj("meta") != nil {
		t.Errorf("meta: %s", r.raw)
	}
}
