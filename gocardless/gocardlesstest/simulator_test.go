package gocardlesstest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

func (w *world) simulate(name, id string) {
	w.t.Helper()
	w.ok("POST", "/scenario_simulators/"+name+"/actions/run", `{"data":{"links":{"resource":"`+id+`"}}}`)
}

func (w *world) cannotSimulate(name, id string) {
	w.t.Helper()
	w.refused(422, "invalid_state", "POST", "/scenario_simulators/"+name+"/actions/run", `{"data":{"links":{"resource":"`+id+`"}}}`)
}

// eventsOf lists the actions of a resource's events, oldest first.
func (w *world) eventsOf(link, id string) string {
	w.t.Helper()
	var out []string
	for _, e := range w.list("/events?limit=500&" + link + "=" + id) {
		if e.Str("resource_type") == link+"s" {
			out = append(out, e.Str("action"))
		}
	}
	slices.Reverse(out)
	return strings.Join(out, " ")
}

// mandateFor creates a mandate in a scheme for a new customer.
func (w *world) mandateFor(scheme string) string {
	w.t.Helper()
	currency := currencyOf(scheme)
	country := currencyCountry(currency)
	body := testPayer(country)
	if scheme != "autogiro" {
		body = body.Without("swedish_identity_number")
	}
	if scheme != "betalingsservice" {
		body = body.Without("danish_identity_number")
	}
	customer := w.ok("POST", "/customers", string(value.Append(nil, object{{"customers", body}}))).Str("id")
	account := testAccount(currency).With("account_holder_name", "Robin Sample").With("links", object{{"customer", customer}})
	if currency != "EUR" {
		account = account.With("country_code", country)
	}
	a := w.ok("POST", "/customer_bank_accounts", string(value.Append(nil, object{{"customer_bank_accounts", account}}))).Str("id")
	m := object{{"scheme", scheme}, {"links", object{{"customer_bank_account", a}}}}
	if scheme == "ach" {
		m = m.With("payer_ip_address", "127.0.0.1")
	}
	return w.ok("POST", "/mandates", string(value.Append(nil, object{{"mandates", m}}))).Str("id")
}

func (w *world) payUnder(mandate, currency string) string {
	w.t.Helper()
	return w.ok("POST", "/payments", `{"payments":{"amount":5000,"currency":"`+currency+`","links":{"mandate":"`+mandate+`"}}}`).Str("id")
}

func TestSimulatorsOfPayments(t *testing.T) {
	for _, c := range []struct{ simulator, status, events string }{
		{"payment_submitted", "submitted", "created submitted"},
		{"payment_confirmed", "confirmed", "created submitted confirmed"},
		{"payment_paid_out", "paid_out", "created submitted confirmed paid_out"},
		{"payment_failed", "failed", "created submitted failed"},
		{"payment_charged_back", "charged_back", "created submitted confirmed paid_out charged_back"},
		{"payment_chargeback_settled", "charged_back", "created submitted confirmed paid_out charged_back chargeback_settled"},
		{"payment_late_failure", "failed", "created submitted confirmed paid_out failed"},
		{"payment_late_failure_settled", "failed", "created submitted confirmed paid_out failed late_failure_settled"},
	} {
		t.Run(c.simulator, func(t *testing.T) {
			w := newWorld(t)
			p := w.pay("5000")
			w.cannotSimulate(c.simulator, p) // the mandate is not active yet
			w.simulate("mandate_activated", w.mandate)
			w.simulate(c.simulator, p)
			if s := w.status("payments", p); s != c.status {
				t.Errorf("status %s, want %s", s, c.status)
			}
			if got := w.eventsOf("payment", p); got != c.events {
				t.Errorf("events %q, want %q", got, c.events)
			}
			if c.simulator == "payment_charged_back" {
				w.simulate("payment_chargeback_settled", p)
			}
			w.cannotSimulate(c.simulator, p)
			if c.simulator == "payment_paid_out" {
				po := w.ok("GET", "/payments/"+p, "").Obj("links").Str("payout")
				if s := w.status("payouts", po); s != "paid" {
					t.Errorf("payout is %s", s)
				}
				w.simulate("payment_late_failure", p)
			}
		})
	}
	// Schemes whose mandates are submitted with the first payment need no active mandate.
	for _, scheme := range []string{"ach", "becs", "becs_nz", "sepa_core"} {
		w := newWorld(t)
		m := w.mandateFor(scheme)
		w.cannotSimulate("mandate_activated", m)
		w.simulate("payment_confirmed", w.payUnder(m, currencyOf(scheme)))
		if s := w.status("mandates", m); s != "active" {
			t.Errorf("%s mandate is %s after its payment was confirmed", scheme, s)
		}
	}
	w := newWorld(t)
	m := w.mandateFor("autogiro")
	w.simulate("mandate_activated", m)
	w.cannotSimulate("payment_late_failure", w.payUnder(m, "SEK"))
}

func TestSimulatorsOfMandates(t *testing.T) {
	for _, c := range []struct{ simulator, scheme, status, events, not string }{
		{"mandate_activated", "bacs", "active", "created submitted active", "sepa_core"},
		{"mandate_failed", "bacs", "failed", "created submitted failed", "sepa_core"},
		{"mandate_expired", "bacs", "expired", "created submitted active expired", "pad"},
		{"mandate_transferred", "bacs", "active", "created submitted active transferred", "ach"},
		{"mandate_transferred", "sepa_core", "active", "created submitted active transferred", "becs"},
		{"mandate_transferred_with_resubmission", "bacs", "submitted", "created submitted active transferred resubmission_requested submitted", "sepa_core"},
	} {
		t.Run(c.simulator, func(t *testing.T) {
			w := newWorld(t)
			m := w.mandateFor(c.scheme)
			w.simulate(c.simulator, m)
			if s := w.status("mandates", m); s != c.status {
				t.Errorf("status %s, want %s", s, c.status)
			}
			if got := w.eventsOf("mandate", m); got != c.events {
				t.Errorf("events %q, want %q", got, c.events)
			}
			w.cannotSimulate(c.simulator, w.mandateFor(c.not))
		})
	}
	w := newWorld(t, WithPayerApproval())
	for _, how := range []string{"granted", "skipped"} {
		m := w.mandateFor("bacs")
		p := w.payUnder(m, "GBP")
		w.simulate("mandate_customer_approval_"+how, m)
		if s, ps := w.status("mandates", m), w.status("payments", p); s != "pending_submission" || ps != "pending_submission" {
			t.Errorf("%s: mandate %s, payment %s", how, s, ps)
		}
		w.cannotSimulate("mandate_customer_approval_"+how, m)
	}
}

func TestSimulatorsOfPayTo(t *testing.T) {
	w := newWorld(t)
	r := w.request(`"mandate_request":{"scheme":"pay_to","constraints":{"max_amount_per_payment":10000}}`)
	id := r.Str("id")
	w.act(id, "collect_customer_details", payerPerson)
	w.act(id, "collect_bank_account", `"pay_id":"ada@example.com","country_code":"AU","account_holder_name":"Ada Byron"`)
	w.act(id, "confirm_payer_details", "")
	a := w.ok("POST", "/bank_authorisations", `{"bank_authorisations":{"links":{"billing_request":"`+id+`"}}}`).Str("id")
	if err := w.sb.update(func(tx *tx) error {
		tx.origin = "payer"
		_, err := tx.decide(tx.find("bank_authorisations", a), "authorised")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r = w.ok("GET", "/billing_requests/"+id, "")
	m := r.Obj("links").Str("mandate_request_mandate")
	if r.Str("status") != "fulfilled" || m == "" {
		t.Fatalf("PayTo request after the bank agreed: %s", value.Append(nil, r))
	}
	p := w.payUnder(m, "AUD")
	w.simulate("mandate_suspended_by_payer", m)
	if s, ps := w.status("mandates", m), w.status("payments", p); s != "suspended_by_payer" || ps == "pending_submission" {
		t.Errorf("mandate %s, payment %s", s, ps)
	}
	w.cannotSimulate("mandate_suspended_by_payer", m)
}

func TestSimulatorsOfRefundsPayoutsCreditors(t *testing.T) {
	w := newWorld(t)
	w.simulate("mandate_activated", w.mandate)
	p := w.pay("50000")
	w.simulate("payment_paid_out", p)
	total := 0
	for _, c := range []struct{ simulator, status, events string }{
		{"refund_paid", "paid", "created paid"},
		{"refund_settled", "paid", "created paid refund_settled"},
		{"refund_bounced", "bounced", "created paid failed"},
		{"refund_returned", "funds_returned", "created funds_returned"},
	} {
		total = int(w.ok("GET", "/payments/"+p, "").Num("amount_refunded"))
		f := w.ok("POST", "/refunds", `{"refunds":{"amount":100,"total_amount_confirmation":`+strconv.Itoa(total+100)+`,"links":{"payment":"`+p+`"}}}`).Str("id")
		w.simulate(c.simulator, f)
		if s := w.status("refunds", f); s != c.status {
			t.Errorf("%s: %s, want %s", c.simulator, s, c.status)
		}
		if got := w.eventsOf("refund", f); got != c.events {
			t.Errorf("%s: events %q, want %q", c.simulator, got, c.events)
		}
		if c.simulator == "refund_paid" {
			w.cannotSimulate("refund_returned", f)
			w.simulate("refund_settled", f)
		}
	}
	po := w.ok("GET", "/payments/"+p, "").Obj("links").Str("payout")
	w.simulate("payout_bounced", po)
	w.cannotSimulate("payout_bounced", po)
	for _, status := range []string{"in_review", "action_required", "successful"} {
		w.simulate("creditor_verification_status_"+status, w.creditor)
		if got := w.ok("GET", "/creditors/"+w.creditor, "").Str("verification_status"); got != status {
			t.Errorf("creditor is %s, want %s", got, status)
		}
	}
}

func TestSimulatorsOfBillingRequests(t *testing.T) {
	for name, status := range map[string]string{
		"billing_request_fulfilled":                                 "pending_submission",
		"billing_request_fulfilled_and_payment_failed":              "failed",
		"billing_request_fulfilled_and_payment_confirmed_to_failed": "failed",
		"billing_request_fulfilled_and_payment_paid_out":            "paid_out",
	} {
		w := newWorld(t)
		id := w.request(paymentRequest + "," + mandateRequest).Str("id")
		w.cannotSimulate(name, id)
		w.act(id, "collect_customer_details", payerPerson+","+payerAddress)
		w.act(id, "select_institution", `"country_code":"GB","institution":"sand_bank_gb"`)
		w.act(id, "confirm_payer_details", "")
		w.simulate(name, id)
		r := w.ok("GET", "/billing_requests/"+id, "")
		p := r.Obj("links").Str("payment_request_payment")
		if got := w.status("payments", p); r.Str("status") != "fulfilled" || got != status {
			t.Errorf("%s: request %s, payment %s, want %s", name, r.Str("status"), got, status)
		}
		if got := w.status("mandates", w.ok("GET", "/payments/"+p, "").Obj("links").Str("mandate")); got != "consumed" {
			t.Errorf("%s: the payment's own mandate is %s", name, got)
		}
		if got := w.status("mandates", r.Obj("links").Str("mandate_request_mandate")); got != "pending_submission" {
			t.Errorf("%s: the mandate asked for is %s", name, got)
		}
		if name == "billing_request_fulfilled" {
			w.sb.Advance(7 * days)
			if got := w.status("payments", p); got != "paid_out" {
				t.Errorf("a week later the payment is %s", got)
			}
		}
	}
}

func TestSimulatorErrors(t *testing.T) {
	w := newWorld(t)
	w.refused(404, "resource_not_found", "POST", "/scenario_simulators/payment_teleported/actions/run", `{"data":{"links":{"resource":"PM1"}}}`)
	w.refused(422, "link_not_found", "POST", "/scenario_simulators/payment_failed/actions/run", `{"data":{"links":{"resource":"PM1"}}}`)
	w.refused(422, "link_not_found", "POST", "/scenario_simulators/payment_failed/actions/run", `{"data":{"links":{"resource":"`+w.mandate+`"}}}`)
	w.refused(422, "/data/links/resource", "POST", "/scenario_simulators/payment_failed/actions/run", `{"data":{}}`)
	for _, s := range api.Simulators {
		if theRegistry().simulators[s.Name] == nil {
			t.Errorf("no simulator %s", s.Name)
		}
	}
	if got, want := len(theRegistry().simulators), len(api.Simulators); got != want {
		t.Errorf("%d simulators, the catalogue has %d", got, want)
	}
}
