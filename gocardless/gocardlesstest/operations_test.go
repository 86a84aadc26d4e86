package gocardlesstest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// world is a sandbox with a payer.
type world struct {
	*caller
	creditor, customer, account, mandate string
}

const (
	customerBody = `{"customers":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com","country_code":"GB"}}`
	ukAccount    = `"account_holder_name":"Ada Byron","branch_code":"20-00-00","account_number":"55779911","country_code":"GB"`
)

func newWorld(t testing.TB, opts ...Option) *world {
	t.Helper()
	return newCaller(t, opts...).world()
}

func (c *caller) world() *world {
	c.t.Helper()
	w := &world{caller: c}
	w.creditor = w.list("/creditors")[0].Str("id")
	w.customer = w.ok("POST", "/customers", customerBody).Str("id")
	w.account = w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+w.customer+`"}}}`).Str("id")
	w.mandate = w.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`"}}}`).Str("id")
	return w
}

// pay creates a payment.
func (w *world) pay(amount string) string {
	w.t.Helper()
	return w.ok("POST", "/payments", `{"payments":{"amount":`+amount+`,"currency":"GBP","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
}

// status returns the status of a resource.
func (w *world) status(resource, id string) string {
	w.t.Helper()
	return w.ok("GET", "/"+resource+"/"+id, "").Str("status")
}

// TestListsAnswer calls every list that requires no parameter, including those of later versions of the
// API.
func TestListsAnswer(t *testing.T) {
	w := newWorld(t)
	for i := range api.Operations {
		op := &api.Operations[i]
		if !op.List || op.Method != http.MethodGet || strings.Contains(op.Path, "{") || slices.ContainsFunc(op.Query, func(f api.Field) bool { return f.Required }) {
			continue
		}
		if r := w.do(op.Method, op.Path, ""); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", op.Name, r.status, r.raw)
		}
	}
}

// TestOperationsAnswer calls the operations of customers, creditors, payments and payouts, which no
// other test covers completely. Each reply is checked against the API description; TestMain checks that
// no operation is left out.
func TestOperationsAnswer(t *testing.T) {
	sent := 0
	hook := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent++ })
	w := newWorld(t, WithWebhooks(Webhooks{Handler: hook, Secret: "s", Manual: true}), WithCustomerNotifications())
	call := func(name, id, query, body string, headers ...string) object {
		t.Helper()
		op := api.Op(name)
		path := strings.Replace(op.Path, "{identity}", id, 1) + query
		if op.List {
			r := w.do(op.Method, path, body, headers...)
			if r.status >= 300 {
				t.Fatalf("%s: %d %s", name, r.status, r.raw)
			}
			if l := r.body[0].Val.([]any); len(l) > 0 {
				return l[0].(object)
			}
			return nil
		}
		return w.ok(op.Method, path, body, headers...)
	}

	// Creditors and their resources.
	call("creditors.list", "", "", "")
	call("creditors.get", w.creditor, "", "")
	cr := call("creditors.create", "", "", `{"creditors":{"name":"Second Ltd","country_code":"GB","creditor_type":"company"}}`).Str("id")
	call("creditors.update", cr, "", `{"creditors":{"city":"Leeds","bank_reference_prefix":"ACME"}}`)
	cba := call("creditor_bank_accounts.create", "", "", `{"creditor_bank_accounts":{`+ukAccount+`,"links":{"creditor":"`+cr+`"}}}`).Str("id")
	call("creditor_bank_accounts.list", "", "?creditor="+cr+"&enabled=true", "")
	call("creditor_bank_accounts.get", cba, "", "")
	call("creditor_bank_accounts.disable", cba, "", "")
	su := call("scheme_identifiers.create", "", "", `{"scheme_identifiers":{"name":"ACME LTD","scheme":"bacs"}}`).Str("id")
	call("scheme_identifiers.get", su, "", "")
	call("scheme_identifiers.list", "", "?creditor="+w.creditor, "")
	call("verification_details.create", "", "", `{"verification_details":{"name":"ACME","address_line1":"1 Street","city":"Leeds","postal_code":"LS1 1AA",
		"company_number":"07495895","description":"Sells things","directors":[{"given_name":"Ada","family_name":"Byron","date_of_birth":"1980-12-10","street":"1 Street","city":"Leeds","postal_code":"LS1 1AA","country_code":"GB"}],
		"links":{"creditor":"`+w.creditor+`"}}}`)
	call("verification_details.list", "", "?creditor="+w.creditor, "")
	call("logos.create_for_creditor", "", "", `{"logos":{"image":"data:image/png;base64,iVBORw0KGgo=","links":{"creditor":"`+w.creditor+`"}}}`)
	call("payer_themes.create_for_creditor", "", "", `{"payer_themes":{"header_background_colour":"#ffffff","links":{"creditor":"`+w.creditor+`"}}}`)
	call("balances.list", "", "?creditor="+w.creditor, "")
	call("negative_balance_limits.list", "", "?creditor="+w.creditor, "")

	// Customers, accounts, mandates.
	cu := call("customers.create", "", "", customerBody).Str("id")
	call("customers.list", "", "?sort_field=name&sort_direction=asc", "")
	call("customers.get", cu, "", "")
	call("customers.update", cu, "", `{"customers":{"metadata":{"ref":"1"}}}`)
	call("customers.remove", cu, "", "")
	call("customer_bank_accounts.list", "", "?customer="+w.customer, "")
	call("customer_bank_accounts.get", w.account, "", "")
	call("customer_bank_accounts.update", w.account, "", `{"customer_bank_accounts":{"metadata":{"ref":"1"}}}`)
	ba := call("customer_bank_accounts.create", "", "", `{"customer_bank_accounts":{"account_holder_name":"Ada","iban":"DE89370400440532013000","links":{"customer":"`+w.customer+`"}}}`).Str("id")
	call("customer_bank_accounts.disable", ba, "", "")
	token := call("customer_bank_account_tokens.create", "", "", `{"customer_bank_account_tokens":{"account_holder_name":"Ada","iban":"FR1420041010050500013M02606"}}`).Str("id")
	call("customer_bank_account_tokens.get", token, "", "")
	tokened := call("customer_bank_accounts.create", "", "", `{"customer_bank_accounts":{"links":{"customer":"`+w.customer+`","customer_bank_account_token":"`+token+`"}}}`)
	if tokened.Str("country_code") != "FR" || tokened.Str("account_number_ending") != "06" {
		t.Errorf("the account of a token is %v", tokened)
	}
	bahv := call("bank_account_holder_verifications.create", "", "", `{"bank_account_holder_verifications":{"type":"confirmation_of_payee","links":{"bank_account":"`+w.account+`"}}}`).Str("id")
	w.sb.Advance(2 * time.Second)
	call("bank_account_holder_verifications.get", bahv, "", "")
	call("bank_account_details.get", w.account, "", "", "Gc-Key-Id", "PK1")
	call("bank_details_lookups.create", "", "", `{"bank_details_lookups":{"iban":"DE89370400440532013000"}}`)
	md := call("mandates.create", "", "", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`","creditor":"`+w.creditor+`"},"metadata":{"a":"b"}}}`).Str("id")
	call("mandates.list", "", "?status=pending_submission,active&customer="+w.customer, "")
	call("mandates.get", md, "", "")
	call("mandates.update", md, "", `{"mandates":{"metadata":{}}}`)
	call("mandates.cancel", md, "", `{"data":{"metadata":{"why":"asked"}}}`)
	call("mandates.reinstate", md, "", `{"data":{}}`)
	call("mandate_pdfs.create", "", "", `{"mandate_pdfs":{"links":{"mandate":"`+w.mandate+`"}}}`, "Accept-Language", "fr")
	call("funds_availability.check", w.mandate, "?amount=1000", "")

	if err := w.sb.update(func(tx *tx) error {
		m := tx.find("mandates", w.mandate)
		tx.ensureActive(m)
		tx.transferMandate(m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	call("transferred_mandates.get", w.mandate, "", "")

	// Payments.
	pm := call("payments.create", "", "", `{"payments":{"amount":1000,"currency":"GBP","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	call("payments.list", "", "?mandate="+w.mandate+"&sort_field=amount", "")
	call("payments.get", pm, "", "")
	call("payments.update", pm, "", `{"payments":{"retry_if_possible":false}}`)
	call("payments.cancel", pm, "", `{"data":{}}`)
	failing := w.pay("700")
	if err := w.sb.update(func(tx *tx) error {
		p := tx.find("payments", failing)
		tx.submitPayment(p)
		tx.failPayment(p, tx.bankEnding(p, "insufficient_funds"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	call("payments.retry", failing, "", `{"data":{}}`)
	sb := call("subscriptions.create", "", "", `{"subscriptions":{"amount":500,"currency":"GBP","interval_unit":"monthly","links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	call("subscriptions.list", "", "?status=active,paused", "")
	call("subscriptions.get", sb, "", "")
	call("subscriptions.update", sb, "", `{"subscriptions":{"amount":600}}`)
	call("subscriptions.pause", sb, "", `{"data":{}}`)
	call("subscriptions.resume", sb, "", `{"data":{}}`)
	call("subscriptions.cancel", sb, "", `{"data":{}}`)
	is := call("instalment_schedules.create_with_dates", "", "", `{"instalment_schedules":{"name":"Bill","currency":"GBP","total_amount":300,"instalments":[{"amount":100,"charge_date":"2026-10-01"},{"amount":200,"charge_date":"2026-11-02"}],"links":{"mandate":"`+w.mandate+`"}}}`).Str("id")
	call("instalment_schedules.create_with_schedule", "", "", `{"instalment_schedules":{"name":"Bill","currency":"GBP","total_amount":300,"instalments":{"amounts":[100,200],"interval":1,"interval_unit":"monthly"},"links":{"mandate":"`+w.mandate+`"}}}`)
	call("instalment_schedules.list", "", "?mandate="+w.mandate, "")
	w.sb.Advance(2 * time.Second)
	call("instalment_schedules.get", is, "", "")
	call("instalment_schedules.update", is, "", `{"instalment_schedules":{"metadata":{"a":"b"}}}`)
	call("instalment_schedules.cancel", is, "", "")

	// Payouts and refunds.
	paid := w.pay("5000")
	w.sb.Advance(14 * 24 * time.Hour)
	if s := w.status("payments", paid); s != "paid_out" {
		t.Fatalf("payment is %s after two weeks", s)
	}
	po := call("payouts.list", "", "?status=paid&currency=GBP", "").Str("id")
	call("payouts.get", po, "", "")
	call("payouts.update", po, "", `{"payouts":{"metadata":{"a":"b"}}}`)
	call("payout_items.list", "", "?payout="+po, "")
	rf := call("refunds.create", "", "", `{"refunds":{"amount":100,"total_amount_confirmation":100,"links":{"payment":"`+paid+`"}}}`).Str("id")
	call("refunds.list", "", "?payment="+paid, "")
	call("refunds.get", rf, "", "")
	call("refunds.update", rf, "", `{"refunds":{"metadata":{"a":"b"}}}`)

	// Hosted pages and payer authorisations.
	re := call("redirect_flows.create", "", "", `{"redirect_flows":{"session_token":"s1","success_redirect_url":"https://example.com/done"}}`).Str("id")
	call("redirect_flows.get", re, "", "")
	if _, err := w.sb.FinishRedirectFlow(re, TestPayer); err != nil {
		t.Fatal(err)
	}
	call("redirect_flows.complete", re, "", `{"data":{"session_token":"s1"}}`)
	pa := call("payer_authorisations.create", "", "", `{"payer_authorisations":{"customer":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com","address_line1":"1 Street","city":"Leeds","postal_code":"LS1 1AA","country_code":"GB"},"bank_account":{`+ukAccount+`},"mandate":{"scheme":"bacs"}}}`).Str("id")
	call("payer_authorisations.get", pa, "", "")
	call("payer_authorisations.update", pa, "", `{"payer_authorisations":{"customer":{"given_name":"Ada","family_name":"King","email":"ada@example.com","address_line1":"1 Street","city":"Leeds","postal_code":"LS1 1AA","country_code":"GB"},"bank_account":{`+ukAccount+`},"mandate":{"scheme":"bacs"}}}`)
	call("payer_authorisations.submit", pa, "", "")
	call("payer_authorisations.confirm", pa, "", "")
	w.sb.Advance(2 * time.Second)
	if s := w.status("payer_authorisations", pa); s != "completed" {
		t.Fatalf("payer authorisation is %s", s)
	}

	// Others.
	bl := call("blocks.create", "", "", `{"blocks":{"block_type":"email","reason_type":"identity_fraud","resource_reference":"bad@example.com"}}`).Str("id")
	call("blocks.list", "", "?block_type=email", "")
	call("blocks.get", bl, "", "")
	call("blocks.disable", bl, "", "")
	call("blocks.enable", bl, "", `{}`)
	call("blocks.block_by_ref", "", "", `{"data":{"reference_type":"customer","reference_value":"`+w.customer+`","reason_type":"no_intent_to_pay"}}`)
	ev := call("events.list", "", "?resource_type=payments&include=payment", "").Str("id")
	call("events.get", ev, "", "")
	call("tax_rates.list", "", "?jurisdiction=GB", "")
	call("tax_rates.get", "GB_VAT_1", "", "")
	call("currency_exchange_rates.list", "", "?source=EUR&target=GBP", "")
	ex := call("exports.list", "", "", "").Str("id")
	call("exports.get", ex, "", "")

	wb := call("webhooks.list", "", "?successful=true&is_test=false", "").Str("id")
	call("webhooks.get", wb, "", "")
	before := sent
	call("webhooks.retry", wb, "", "")
	w.sb.FlushWebhooks()
	if sent != before+1 {
		t.Errorf("%d webhooks sent on retry, want 1", sent-before)
	}
	pcn := ""
	w.sb.view(func(tx *tx) { pcn = tx.sb.store.Coll("customer_notifications").Recs[0].ID })
	call("customer_notifications.handle", pcn, "", "")
}
