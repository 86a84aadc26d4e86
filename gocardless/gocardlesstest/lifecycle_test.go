package gocardlesstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// step runs a function in the sandbox, as simulators do.
func (w *world) step(f func(*tx)) {
	w.t.Helper()
	if err := w.sb.update(func(tx *tx) error { f(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// actions lists the actions of a resource's events, oldest first.
func (w *world) actions(link, id string) []string {
	w.t.Helper()
	out := []string{}
	for _, e := range w.list("/events?limit=500&" + link + "=" + id) {
		out = append(out, e.Str("action"))
	}
	slices.Reverse(out)
	return out
}

func (w *world) wantActions(link, id string, want ...string) {
	w.t.Helper()
	if got := w.actions(link, id); !slices.Equal(got, want) {
		w.t.Errorf("events of %s: %v, want %v", link, got, want)
	}
}

const days = 24 * time.Hour

func TestCustomerRemoval(t *testing.T) {
	w := newWorld(t)
	pm := w.pay("100")
	sb := w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":500,"currency":"GBP","interval_unit":"monthly","start_date":"2026-10-20","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	if r := w.do("DELETE", "/customers/"+w.customer, ""); r.status != 204 {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	w.refused(410, "customer_data_removed", "GET", "/customers/"+w.customer, "")
	w.refused(410, "customer_data_removed", "DELETE", "/customers/"+w.customer, "")
	w.refused(410, "customer_data_removed", "PUT", "/customers/"+w.customer, `{"customers":{"city":"Leeds"}}`)
	if n := len(w.list("/customers")); n != 0 {
		t.Errorf("%d customers listed, want 0", n)
	}
	if n := len(w.list("/subscriptions")); n != 0 {
		t.Errorf("%d subscriptions listed, want 0: %s", n, sb)
	}
	if m, p := w.status("mandates", w.mandate), w.status("payments", pm); m != "cancelled" || p != "cancelled" {
		t.Errorf("mandate %s, payment %s", m, p)
	}
	if strings.Contains(string(w.sb.Snapshot()), "ada@example.com") {
		t.Error("the removed customer's address is still in the store")
	}
	with := newWorld(t, WithRemovalBody())
	if r := with.do("DELETE", "/customers/"+with.customer, ""); r.status != 200 || r.body.Obj("customers").Str("id") != with.customer {
		t.Errorf("with a body: %d %s", r.status, r.raw)
	}
}

func TestCustomerRules(t *testing.T) {
	w := newWorld(t)
	for body, pointer := range map[string]string{
		`{"given_name":"A","email":"a@example.com"}`: "/customers/family_name",
		`{"company_name":"A"}`:                       "/customers/email",
		`{"company_name":"A","email":"a@example.com","country_code":"US","region":"Oregon"}`:              "/customers/region",
		`{"company_name":"A","email":"a@example.com","swedish_identity_number":"556123-456"}`:             "/customers/swedish_identity_number",
		`{"company_name":"A","email":"a@example.com","danish_identity_number":"12"}`:                      "/customers/danish_identity_number",
		`{"company_name":"A","email":"a@example.com","phone_number":"call me"}`:                           "/customers/phone_number",
		`{"company_name":"A","email":"a@example.com","language":"xx"}`:                                    "/customers/language",
		`{"company_name":"A","email":"a@example.com","metadata":{"` + strings.Repeat("k", 51) + `":"v"}}`: "/customers/metadata/" + strings.Repeat("k", 51),
	} {
		w.refused(422, pointer, "POST", "/customers", `{"customers":`+body+`}`)
	}
	c := w.ok("POST", "/customers", `{"customers":{"company_name":"A","email":"a@example.com","country_code":"SE","swedish_identity_number":"198112289874","metadata":{"a":"1","b":"2"}}}`)
	if c.Str("language") != "sv" || c.Get("given_name") != nil {
		t.Errorf("customer is %v", c)
	}
	w.refused(422, "/customers/swedish_identity_number", "PUT", "/customers/"+c.Str("id"), `{"customers":{"swedish_identity_number":"5561234568"}}`)
	u := w.ok("PUT", "/customers/"+c.Str("id"), `{"customers":{"metadata":{"c":"3"}}}`)
	if m := u.Obj("metadata"); len(m) != 1 || m.Str("c") != "3" {
		t.Errorf("metadata after the update is %v: it is replaced as a whole", m)
	}
	if u.Str("company_name") != "A" {
		t.Error("the update lost the name")
	}
}

func TestMandateLifeByDate(t *testing.T) {
	w := newWorld(t)
	w.sb.Advance(40 * time.Hour)
	if s := w.status("mandates", w.mandate); s != "submitted" {
		t.Fatalf("after two days: %s", s)
	}
	w.sb.Advance(2 * days)
	m := w.ok("GET", "/mandates/"+w.mandate, "")
	if m.Str("status") != "active" || m.Str("next_possible_charge_date") == "" {
		t.Fatalf("after four days: %v", m)
	}
	w.wantActions("mandate", w.mandate, "created", "submitted", "active")
	e := w.list("/events?mandate=" + w.mandate + "&action=active")[0]
	if d := e.Obj("details"); d.Str("origin") != "gocardless" || d.Str("cause") != "mandate_activated" || d.Str("scheme") != "bacs" {
		t.Errorf("details are %v", d)
	}
	if e.Str("created_at") != "2026-09-17T09:00:00.000Z" {
		t.Errorf("active at %s, want the moment it was planned for", e.Str("created_at"))
	}
}

func TestMandateRefusals(t *testing.T) {
	w := newWorld(t)
	create := func(rest string) string {
		return `{"mandates":{` + rest + `"links":{"customer_bank_account":"` + w.account + `"}}}`
	}
	w.refused(422, "/mandates/scheme", "POST", "/mandates", create(`"scheme":"sepa_core",`))
	w.refused(422, "/mandates/scheme", "POST", "/mandates", create(`"scheme":"faster_payments",`))
	w.refused(422, "link_not_found", "POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"BA0"}}}`)
	w.refused(422, "link_not_found", "POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`","creditor":"CR0"}}}`)
	us := w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{"account_holder_name":"A","country_code":"US","bank_code":"026073150","account_number":"2715500356","account_type":"checking","links":{"customer":"`+w.customer+`"}}}`).Str("id")
	w.refused(422, "/mandates/payer_ip_address", "POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+us+`"}}}`)
	m := w.ok("POST", "/mandates", `{"mandates":{"payer_ip_address":"192.0.2.1","links":{"customer_bank_account":"`+us+`"}}}`)
	if m.Str("scheme") != "ach" || m.Get("next_possible_standard_ach_charge_date") != m.Get("next_possible_charge_date") {
		t.Errorf("ACH mandate is %v", m)
	}

	id := w.mandate
	w.refused(422, "mandate_not_inactive", "POST", "/mandates/"+id+"/actions/reinstate", "")
	c := w.ok("POST", "/mandates/"+id+"/actions/cancel", `{"data":{"metadata":{"why":"moved"}}}`)
	if c.Str("status") != "cancelled" || c.Get("next_possible_charge_date") != nil || c.Obj("metadata").Has("why") {
		t.Errorf("cancelled mandate is %v", c)
	}
	e := w.list("/events?mandate=" + id + "&action=cancelled")[0]
	if e.Obj("metadata").Str("why") != "moved" || e.Obj("details").Str("origin") != "api" {
		t.Errorf("event is %v: it carries the call's metadata", e)
	}
	w.refused(422, "cancellation_failed", "POST", "/mandates/"+id+"/actions/cancel", "")
	w.refused(422, "mandate_is_inactive", "POST", "/payments", `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"`+id+`"}}}`)
	if s := w.ok("POST", "/mandates/"+id+"/actions/reinstate", "").Str("status"); s != "pending_submission" {
		t.Errorf("reinstated mandate is %s", s)
	}
	w.sb.Advance(4 * days)
	if s := w.status("mandates", id); s != "active" {
		t.Errorf("reinstated mandate is %s after four days", s)
	}
	w.wantActions("mandate", id, "created", "cancelled", "resubmission_requested", "submitted", "reinstated")
	for range maxReinstatements - 1 {
		w.ok("POST", "/mandates/"+id+"/actions/cancel", "")
		w.ok("POST", "/mandates/"+id+"/actions/reinstate", "")
	}
	w.ok("POST", "/mandates/"+id+"/actions/cancel", "")
	if r := w.do("POST", "/mandates/"+id+"/actions/reinstate", ""); r.status != 422 {
		t.Errorf("eleventh reinstatement: %d", r.status)
	}
}

func TestMandateCancellationCascades(t *testing.T) {
	w := newWorld(t)
	pending := w.pay("100")
	submitted := w.pay("200")
	w.step(func(tx *tx) { tx.submitPayment(tx.find("payments", submitted)) })
	sb := w.ok("POST", "/subscriptions", `{"subscriptions":{"amount":500,"currency":"GBP","interval_unit":"monthly","start_date":"2026-10-20","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	is := w.ok("POST", "/instalment_schedules", `{"instalment_schedules":{"name":"B","currency":"GBP","total_amount":100,"instalments":[{"amount":100,"charge_date":"2026-11-02"}],"links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	w.sb.Advance(2 * time.Second)
	w.ok("POST", "/mandates/"+w.mandate+"/actions/cancel", "")
	for _, x := range [][3]string{{"payments", pending, "cancelled"}, {"payments", submitted, "submitted"}, {"subscriptions", sb, "cancelled"}, {"instalment_schedules", is, "cancelled"}} {
		if s := w.status(x[0], x[1]); s != x[2] {
			t.Errorf("%s is %s, want %s", x[0], s, x[2])
		}
	}
	mandateEvent := w.list("/events?mandate=" + w.mandate + "&action=cancelled")[0].Str("id")
	children := w.list("/events?parent_event=" + mandateEvent)
	kinds := []string{}
	for _, e := range children {
		kinds = append(kinds, e.Str("resource_type")+" "+e.Obj("details").Str("cause")+" "+e.Obj("details").Str("origin"))
	}
	slices.Sort(kinds)
	if want := []string{"instalment_schedules mandate_cancelled gocardless", "payments mandate_cancelled api", "subscriptions mandate_cancelled api"}; !slices.Equal(kinds, want) {
		t.Errorf("children: %v, want %v", kinds, want)
	}
}

func TestReplacedMandate(t *testing.T) {
	w := newWorld(t)
	fresh, err := w.sb.ReplaceMandate(w.mandate)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range [][2]string{
		{"/payments", `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + w.mandate + `"}}}`},
		{"/mandates/" + w.mandate + "/actions/reinstate", ""},
	} {
		if e := w.refused(422, "mandate_replaced", "POST", call[0], call[1]); e.Obj("links").Str("new_mandate") != fresh {
			t.Errorf("%s: links are %v, want the new mandate %s", call[0], e.Obj("links"), fresh)
		}
	}
	if got := w.ok("GET", "/mandates/"+w.mandate, "").Obj("links").Str("new_mandate"); got != fresh {
		t.Errorf("the old mandate links to %q", got)
	}
	if _, err := w.sb.ReplaceMandate(w.mandate); err == nil {
		t.Error("a mandate was replaced twice")
	}
}

func TestPaymentLifeByDate(t *testing.T) {
	w := newWorld(t)
	w.sb.Advance(7 * days) // Monday, with an active mandate
	p := w.ok("POST", "/payments", `{"payments":{"amount":1500,"currency":"GBP","links":{"mandate":"`+w.mandate+`"}}}`)
	id := p.Str("id")
	if p.Str("charge_date") != "2026-09-24" || p.Str("status") != "pending_submission" || p.Num("amount_refunded") != 0 || p.Get("retry_if_possible") != false ||
		p.Obj("fx").Str("fx_currency") != "GBP" || p.Obj("links").Str("creditor") != w.creditor || p.Str("scheme") != "bacs" {
		t.Errorf("payment is %v", p)
	}
	for _, x := range []struct {
		after  time.Duration
		status string
	}{{1*days + 6*time.Hour, "pending_submission"}, {1 * days, "submitted"}, {2 * days, "confirmed"}, {3 * days, "paid_out"}} {
		w.sb.Advance(x.after)
		if s := w.status("payments", id); s != x.status && !(x.status == "pending_submission" && s == "submitted") {
			t.Errorf("at %s: %s, want %s", w.sb.Now(), s, x.status)
		}
	}
	w.wantActions("payment", id, "created", "submitted", "confirmed", "paid_out")
	at := map[string]string{}
	for _, e := range w.list("/events?payment=" + id) {
		at[e.Str("action")] = e.Str("created_at")[:10]
	}
	// Bacs with an active mandate: 1, 3, 4 and 5 working days.
	if at["submitted"] != "2026-09-22" || at["confirmed"] != "2026-09-25" || at["paid_out"] != "2026-09-28" {
		t.Errorf("events at %v", at)
	}
}

func TestPaymentRefusals(t *testing.T) {
	w := newWorld(t)
	create := func(body string) string {
		return `{"payments":{` + body + `,"links":{"mandate":"` + w.mandate + `"}}}`
	}
	for body, pointer := range map[string]string{
		`"amount":0,"currency":"GBP"`:                              "/payments/amount",
		`"amount":-5,"currency":"GBP"`:                             "/payments/amount",
		`"amount":100,"currency":"EUR"`:                            "/payments/currency",
		`"amount":100,"currency":"GBP","charge_date":"2026-09-15"`: "/payments/charge_date",
		`"amount":100,"currency":"GBP","reference":"12345678901"`:  "/payments/reference",
		`"amount":100,"currency":"GBP","app_fee":101`:              "/payments/app_fee",
		`"amount":100,"currency":"GBP","charge_date":"tomorrow"`:   "/payments/charge_date",
		`"amount":100,"currency":"XXX"`:                            "/payments/currency",
	} {
		w.refused(422, pointer, "POST", "/payments", create(body))
	}
	e := w.refused(422, "/payments/amount", "POST", "/payments", create(`"amount":100000001,"currency":"GBP"`))
	if e.Obj("metadata").Num("maximum_amount") != 100000000 {
		t.Errorf("above the maximum: %v", e)
	}
	// A charge date on a weekend moves to the next working day.
	if got := w.ok("POST", "/payments", create(`"amount":100,"currency":"GBP","charge_date":"2026-09-19"`)).Str("charge_date"); got != "2026-09-21" {
		t.Errorf("Saturday became %s", got)
	}
	id := w.pay("100")
	w.refused(422, "retry_failed", "POST", "/payments/"+id+"/actions/retry", "")
	w.ok("POST", "/payments/"+id+"/actions/cancel", "")
	w.refused(422, "cancellation_failed", "POST", "/payments/"+id+"/actions/cancel", "")
	sent := w.pay("100")
	w.step(func(tx *tx) { tx.submitPayment(tx.find("payments", sent)) })
	w.refused(422, "cancellation_failed", "POST", "/payments/"+sent+"/actions/cancel", "")
}

func TestPaymentFailureAndRetry(t *testing.T) {
	w := newWorld(t)
	id := w.pay("100")
	fail := func() {
		w.step(func(tx *tx) {
			p := tx.find("payments", id)
			tx.submitPayment(p)
			tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
		})
	}
	fail()
	d := w.list("/events?payment=" + id + "&action=failed")[0].Obj("details")
	if d.Str("origin") != "bank" || d.Str("cause") != "insufficient_funds" || d.Str("scheme") != "bacs" || d.Str("reason_code") != "ARUDD-0" || d.Get("will_attempt_retry") != false {
		t.Errorf("details are %v", d)
	}
	w.refused(422, "/data/charge_date", "POST", "/payments/"+id+"/actions/retry", `{"data":{"charge_date":"2026-09-15"}}`)
	for range maxRetries {
		if s := w.ok("POST", "/payments/"+id+"/actions/retry", `{"data":{}}`).Str("status"); s != "pending_submission" {
			t.Fatalf("retried payment is %s", s)
		}
		fail()
	}
	w.refused(422, "retry_failed", "POST", "/payments/"+id+"/actions/retry", "")

	// Steps planned for an earlier attempt do not affect a later one.
	id = w.pay("100")
	w.step(func(tx *tx) {
		p := tx.find("payments", id)
		tx.submitPayment(p)
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
	})
	w.ok("POST", "/payments/"+id+"/actions/retry", `{"data":{"charge_date":"2026-10-15"}}`)
	w.sb.AdvanceTo(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	if s := w.status("payments", id); s != "pending_submission" {
		t.Errorf("two weeks before its new date the payment is %s", s)
	}
	w.sb.AdvanceTo(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	if s := w.status("payments", id); s != "paid_out" {
		t.Errorf("after its new date the payment is %s", s)
	}
	w.ok("POST", "/mandates/"+w.mandate+"/actions/cancel", "")
}

func TestIntelligentRetry(t *testing.T) {
	w := newWorld(t)
	id := w.ok("POST", "/payments", `{"payments":{"amount":100,"currency":"GBP","retry_if_possible":true,"links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	w.step(func(tx *tx) {
		p := tx.find("payments", id)
		tx.submitPayment(p)
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
	})
	w.wantActions("payment", id, "created", "submitted", "failed", "resubmission_requested")
	w.sb.Advance(30 * days)
	if s := w.status("payments", id); s != "paid_out" {
		t.Errorf("payment is %s", s)
	}
}

func TestOtherSchemesByDate(t *testing.T) {
	for _, x := range []struct {
		scheme, currency, account, customer, mandate string
	}{
		{"sepa_core", "EUR", `"iban":"DE89370400440532013000"`, "", ""},
		{"ach", "USD", `"country_code":"US","bank_code":"026073150","account_number":"2715500356","account_type":"checking"`, "", `"payer_ip_address":"192.0.2.1",`},
		{"autogiro", "SEK", `"country_code":"SE","branch_code":"5491","account_number":"0000003"`, `,"swedish_identity_number":"198112289874"`, ""},
		{"becs", "AUD", `"country_code":"AU","branch_code":"082-082","account_number":"012345678"`, "", ""},
		{"becs_nz", "NZD", `"country_code":"NZ","account_number":"12-3113-0003869-00"`, "", ""},
		{"betalingsservice", "DKK", `"country_code":"DK","bank_code":"345","account_number":"3179681"`, `,"danish_identity_number":"0101701234"`, ""},
		{"pad", "CAD", `"country_code":"CA","bank_code":"0003","branch_code":"00006","account_number":"1234567"`, "", ""},
	} {
		t.Run(x.scheme, func(t *testing.T) {
			w := &world{caller: newCaller(t)}
			cu := w.ok("POST", "/customers", `{"customers":{"company_name":"A","email":"a@example.com"`+x.customer+`}}`).Str("id")
			ba := w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{"account_holder_name":"A",`+x.account+`,"links":{"customer":"`+cu+`"}}}`).Str("id")
			m := w.ok("POST", "/mandates", `{"mandates":{`+x.mandate+`"links":{"customer_bank_account":"`+ba+`"}}}`)
			if m.Str("scheme") != x.scheme {
				t.Fatalf("scheme is %s", m.Str("scheme"))
			}
			pm := w.ok("POST", "/payments", `{"payments":{"amount":100,"currency":"`+x.currency+`","links":{"mandate":"`+m.Str("id")+`"}}}`)
			if pm.Str("charge_date") != m.Str("next_possible_charge_date") {
				t.Errorf("charged on %s, possible from %s", pm.Str("charge_date"), m.Str("next_possible_charge_date"))
			}
			w.sb.Advance(60 * days)
			w.wantActions("payment", pm.Str("id"), "created", "submitted", "confirmed", "paid_out")
			w.wantActions("mandate", m.Str("id"), "created", "submitted", "active")
			po := w.ok("GET", "/payments/"+pm.Str("id"), "").Obj("links").Str("payout")
			if p := w.ok("GET", "/payouts/"+po, ""); p.Str("currency") != x.currency || p.Str("status") != "paid" {
				t.Errorf("payout is %v", p)
			}
		})
	}
}

func TestNameTriggers(t *testing.T) {
	for name, want := range map[string][2]string{
		"Successful": {"active", "paid_out"}, "Penniless": {"active", "failed"}, "Fickle": {"active", "charged_back"}, "Late": {"active", "failed"},
		"Invalid": {"failed", "cancelled"}, "Expired": {"expired", "cancelled"}, "Switching": {"active", "pending_submission"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{caller: newCaller(t)}
			w.customer = w.ok("POST", "/customers", strings.Replace(customerBody, "Ada", name, 1)).Str("id")
			w.account = w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+w.customer+`"}}}`).Str("id")
			w.mandate = w.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`"}}}`).Str("id")
			pm := w.pay("100")
			w.sb.Advance(10 * time.Minute)
			if m, p := w.status("mandates", w.mandate), w.status("payments", pm); m != want[0] || p != want[1] {
				t.Errorf("mandate %s, payment %s; want %v", m, p, want)
			}
		})
	}
}

func TestPayerApproval(t *testing.T) {
	w := newWorld(t, WithPayerApproval())
	pm := w.pay("100")
	if m, p := w.status("mandates", w.mandate), w.status("payments", pm); m != "pending_customer_approval" || p != "pending_customer_approval" {
		t.Fatalf("mandate %s, payment %s", m, p)
	}
	w.sb.Advance(30 * days)
	if s := w.status("payments", pm); s != "pending_customer_approval" {
		t.Fatalf("without approval the payment is %s", s)
	}
	w.step(func(tx *tx) { tx.approveMandate(tx.find("mandates", w.mandate), "customer_approval_granted") })
	w.sb.Advance(30 * days)
	if s := w.status("payments", pm); s != "paid_out" {
		t.Errorf("after approval the payment is %s", s)
	}
}

func TestWithoutBankTimings(t *testing.T) {
	w := newWorld(t, WithoutBankTimings())
	pm := w.pay("100")
	w.sb.Advance(60 * days)
	if m, p := w.status("mandates", w.mandate), w.status("payments", pm); m != "pending_submission" || p != "pending_submission" {
		t.Errorf("mandate %s, payment %s", m, p)
	}
}

func TestBlocks(t *testing.T) {
	w := newWorld(t)
	w.refused(422, "/blocks/reason_description", "POST", "/blocks", `{"blocks":{"block_type":"email","reason_type":"other","resource_reference":"a@example.com"}}`)
	bl := w.ok("POST", "/blocks", `{"blocks":{"block_type":"email_domain","reason_type":"identity_fraud","resource_reference":"EXAMPLE.com"}}`).Str("id")
	mandate := func() string {
		return w.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`"}}}`).Str("status")
	}
	if s := mandate(); s != "blocked" {
		t.Errorf("mandate of a blocked payer is %s", s)
	}
	w.ok("POST", "/blocks/"+bl+"/actions/disable", "")
	if s := mandate(); s != "pending_submission" {
		t.Errorf("mandate after the block was disabled is %s", s)
	}
	ref := `{"data":{"reference_type":"mandate","reference_value":"` + w.mandate + `","reason_type":"no_intent_to_pay"}}`
	first, second := w.do("POST", "/blocks/block_by_ref", ref), w.do("POST", "/blocks/block_by_ref", ref)
	if first.status != 201 || second.status != 200 || len(first.body.List("blocks")) != 2 || !slices.Equal(ids(first.body.List("blocks")), ids(second.body.List("blocks"))) {
		t.Errorf("first %d %s\nthen %d %s", first.status, first.raw, second.status, second.raw)
	}
	if s := mandate(); s != "blocked" {
		t.Errorf("mandate after the payer was blocked is %s", s)
	}
}

func TestRedirectFlow(t *testing.T) {
	w := newWorld(t)
	create := func() object {
		return w.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s1","success_redirect_url":"https://shop.example/done?a=b","metadata":{"k":"v"}}}`)
	}
	f := create()
	id := f.Str("id")
	if len(id) != 32 || !strings.HasSuffix(f.Str("redirect_url"), "/flow/"+id) || f.Obj("links").Has("mandate") {
		t.Errorf("redirect flow is %v", f)
	}
	complete := "/redirect_flows/" + id + "/actions/complete"
	w.refused(422, "redirect_flow_incomplete", "POST", complete, `{"data":{"session_token":"s1"}}`)
	if _, err := w.sb.FinishRedirectFlow(id, Payer{GivenName: "A"}); err == nil {
		t.Error("a payer without details got through")
	}
	back, err := w.sb.FinishRedirectFlow(id, TestPayer)
	if err != nil || back != "https://shop.example/done?a=b&redirect_flow_id="+id {
		t.Errorf("back to %q, %v", back, err)
	}
	w.refused(400, "bad_request", "POST", complete, `{"data":{"session_token":"other"}}`)
	done := w.ok("POST", complete, `{"data":{"session_token":"s1"}}`)
	m := w.ok("GET", "/mandates/"+done.Obj("links").Str("mandate"), "")
	if m.Str("reference") != done.Str("mandate_reference") || m.Obj("metadata").Str("k") != "v" || m.Obj("links").Str("customer") != done.Obj("links").Str("customer") {
		t.Errorf("mandate %v of flow %v", m, done)
	}
	w.refused(422, "redirect_flow_already_completed", "POST", complete, `{"data":{"session_token":"s1"}}`)
	late := create().Str("id")
	w.sb.Advance(31 * time.Minute)
	if _, err := w.sb.FinishRedirectFlow(late, TestPayer); err == nil {
		t.Error("an expired flow was finished")
	}
}

func TestCreditors(t *testing.T) {
	w := newWorld(t)
	c := w.ok("GET", "/creditors/"+w.creditor, "")
	if c.Str("verification_status") != "successful" || len(c.List("scheme_identifiers")) < 10 || c.Obj("links").Str("default_gbp_payout_account") == "" {
		t.Errorf("creditor is %v", c)
	}
	body := `{"creditor_bank_accounts":{` + strings.Replace(ukAccount, "55779911", "55666666", 1) + `,"links":{"creditor":"` + w.creditor + `"}`
	second := w.ok("POST", "/creditor_bank_accounts", body+`,"set_as_default_payout_account":false}}`).Str("id")
	if got := w.ok("GET", "/creditors/"+w.creditor, "").Obj("links").Str("default_gbp_payout_account"); got == second {
		t.Error("the new account became the default although it was not to")
	}
	w.refused(409, "bank_account_exists", "POST", "/creditor_bank_accounts", body+`}}`)
	if got := w.ok("PUT", "/creditors/"+w.creditor, `{"creditors":{"links":{"default_gbp_payout_account":"`+second+`"}}}`).Obj("links").Str("default_gbp_payout_account"); got != second {
		t.Errorf("default account is %s", got)
	}
	w.refused(422, "/creditors/links/default_eur_payout_account", "PUT", "/creditors/"+w.creditor, `{"creditors":{"links":{"default_eur_payout_account":"`+second+`"}}}`)
	if got := w.ok("PUT", "/creditors/"+w.creditor, `{"creditors":{"links":{"default_gbp_payout_account":null}}}`).Obj("links").Get("default_gbp_payout_account"); got != nil {
		t.Errorf("default account is %v after it was set to null", got)
	}
	su := w.ok("POST", "/scheme_identifiers", `{"scheme_identifiers":{"name":"ACME","scheme":"bacs"}}`)
	if su.Str("status") != "pending" {
		t.Errorf("scheme identifier is %s", su.Str("status"))
	}
	if e := w.refused(422, "/scheme_identifiers/name", "POST", "/scheme_identifiers", `{"scheme_identifiers":{"name":"acme","scheme":"bacs"}}`); !e.Obj("metadata").Has("suggested_name") {
		t.Errorf("the clash offers no other name: %v", e)
	}
	w.refused(422, "/scheme_identifiers/name", "POST", "/scheme_identifiers", `{"scheme_identifiers":{"name":"`+strings.Repeat("A", 19)+`","scheme":"bacs"}}`)
	w.sb.Advance(8 * days)
	if s := w.status("scheme_identifiers", su.Str("id")); s != "active" {
		t.Errorf("after eight days it is %s", s)
	}
	found := false
	for _, v := range w.ok("GET", "/creditors/"+w.creditor, "").List("scheme_identifiers") {
		found = found || v.(object).Str("id") == su.Str("id") && v.(object).Str("status") == "active"
	}
	if !found {
		t.Error("the creditor does not show the identifier as active")
	}
}

func TestNotifications(t *testing.T) {
	w := newWorld(t, WithCustomerNotifications())
	w.pay("100")
	var id string
	w.sb.view(func(tx *tx) {
		for _, n := range tx.sb.store.Coll("customer_notifications").Recs {
			if n.Str("type") == "payment_created" {
				id = n.ID
			}
		}
	})
	n := w.ok("POST", "/customer_notifications/"+id+"/actions/handle", "")
	if n.Str("action_taken") != "handled" || n.Obj("links").Str("customer") != w.customer {
		t.Errorf("notification is %v", n)
	}
	w.refused(422, "already_actioned", "POST", "/customer_notifications/"+id+"/actions/handle", "")
}

func TestIDs(t *testing.T) {
	w := newWorld(t)
	pm := w.pay("100")
	for id, want := range map[string]int{w.customer: 28, w.mandate: 28, w.creditor: 28, w.account: 14, pm: 14} {
		if len(id) != want {
			t.Errorf("%s has %d characters, want %d", id, len(id), want)
		}
	}
	again, other := newWorld(t), newWorld(t, WithSeed(2))
	if again.customer != w.customer || again.pay("1") != pm {
		t.Error("the same calls gave other ids")
	}
	if other.customer == w.customer {
		t.Error("another seed gave the same ids")
	}
	last := ""
	for i := range 2000 {
		id := w.pay(fmt.Sprint(i + 1))
		if id <= last {
			t.Fatalf("%s came after %s", id, last)
		}
		last = id
	}
}

// A block applies to the payers that it identifies, in any way, until it is disabled.
func TestBlocksMatchPayers(t *testing.T) {
	w := newWorld(t)
	customer, account := w.sb.store.Find("customers", w.customer), w.sb.store.Find("customer_bank_accounts", w.account)
	mail := customer.Str("email")
	_, domain, _ := strings.Cut(mail, "@")
	for _, tt := range []struct {
		kind, reference string
		want            bool
	}{
		{"email", strings.ToUpper(mail), true},
		{"email", "other@" + domain, false},
		{"email_domain", strings.ToUpper(domain), true},
		{"email_domain", "other.example", false},
		{"bank_account", account.ID, true},
		{"bank_account", "BA000000000000", false},
		{"bank_name", strings.ToLower(account.Str("bank_name")), true},
		{"bank_name", "Another bank", false},
	} {
		id := w.ok("POST", "/blocks", `{"blocks":{"block_type":"`+tt.kind+`","reason_type":"identity_fraud","resource_reference":"`+tt.reference+`"}}`).Str("id")
		if got := w.sb.blocked(customer, account); got != tt.want {
			t.Errorf("%s %s: blocked %t, want %t", tt.kind, tt.reference, got, tt.want)
		}
		w.ok("POST", "/blocks/"+id+"/actions/disable", "")
		if w.sb.blocked(customer, account) {
			t.Errorf("%s %s: still blocked", tt.kind, tt.reference)
		}
	}
}
