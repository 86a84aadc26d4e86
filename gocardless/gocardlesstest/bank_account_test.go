package gocardlesstest

import (
	"slices"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// The test accounts in the API's documentation are accepted. With a digit changed that a check covers,
// they are refused.
func TestBankDetails(t *testing.T) {
	for _, x := range []struct {
		name     string
		o        object
		currency string
		ending   string
		bad      string // invalid member
	}{
		{"Bacs", pairs("country_code", "GB", "branch_code", "200000", "account_number", "55779911"), "GBP", "11", ""},
		{"Bacs with dashes", pairs("country_code", "GB", "branch_code", "20-00-00", "account_number", "55666666"), "GBP", "66", ""},
		{"Bacs, short number", pairs("country_code", "GB", "branch_code", "200000", "account_number", "577991"), "GBP", "91", ""},
		{"Jersey", pairs("country_code", "JE", "branch_code", "200000", "account_number", "55779911"), "GBP", "11", ""},
		{"Bacs, letters", pairs("country_code", "GB", "branch_code", "20000A", "account_number", "55779911"), "", "", "branch_code"},
		{"Bacs, too short", pairs("country_code", "GB", "branch_code", "200000", "account_number", "12345"), "", "", "account_number"},
		{"Bacs, no sort code", pairs("country_code", "GB", "account_number", "55779911"), "", "", "branch_code"},
		{"no country", pairs("branch_code", "200000", "account_number", "55779911"), "", "", "country_code"},
		{"account type in pounds", pairs("country_code", "GB", "branch_code", "200000", "account_number", "55779911", "account_type", "savings"), "GBP", "11", "account_type"},
		{"SEPA, France", pairs("iban", "FR1420041010050500013M02606"), "EUR", "06", ""},
		{"SEPA, Germany", pairs("iban", "DE89 3704 0044 0532 0130 00"), "EUR", "00", ""},
		{"SEPA, Netherlands", pairs("iban", "nl39rabo0300065264"), "EUR", "64", ""},
		{"IBAN, British", pairs("iban", "GB60BARC20000055779911"), "GBP", "11", ""},
		{"IBAN, a digit changed", pairs("iban", "DE89370400440532013001"), "", "", "iban"},
		{"IBAN, two digits swapped", pairs("iban", "DE89370400440532010300"), "", "", "iban"},
		{"IBAN, too short", pairs("iban", "DE8937040044053201300"), "", "", "iban"},
		{"IBAN, unknown country", pairs("iban", "XX89370400440532013000"), "", "", "iban"},
		{"IBAN, Swedish crowns", pairs("iban", "SE4550000000058398257466"), "", "", "iban"},
		{"IBAN of another country", pairs("iban", "DE89370400440532013000", "country_code", "FR"), "", "", "country_code"},
		{"IBAN and number", pairs("iban", "DE89370400440532013000", "account_number", "1"), "", "", "account_number"},
		{"Germany without an IBAN", pairs("country_code", "DE", "account_number", "0532013000"), "", "", "iban"},
		{"ACH", pairs("country_code", "US", "bank_code", "026073150", "account_number", "2715500356", "account_type", "checking"), "USD", "56", ""},
		{"ACH, routing number changed", pairs("country_code", "US", "bank_code", "026073151", "account_number", "2715500356", "account_type", "checking"), "", "", "bank_code"},
		{"ACH without type", pairs("country_code", "US", "bank_code", "026073150", "account_number", "2715500356"), "USD", "56", "account_type"},
		{"Autogiro", pairs("country_code", "SE", "branch_code", "5491", "account_number", "0000003"), "SEK", "03", ""},
		{"Autogiro, digit changed", pairs("country_code", "SE", "branch_code", "5491", "account_number", "0000004"), "", "", "account_number"},
		{"BECS", pairs("country_code", "AU", "branch_code", "082-082", "account_number", "012345678"), "AUD", "78", ""},
		{"BECS NZ in one piece", pairs("country_code", "NZ", "account_number", "12-3113-0003869-00"), "NZD", "3869", ""},
		{"BECS NZ in pieces", pairs("country_code", "NZ", "bank_code", "12", "branch_code", "3113", "account_number", "0003869-00"), "NZD", "3869", ""},
		{"BECS NZ, digit changed", pairs("country_code", "NZ", "account_number", "12-3113-0003868-00"), "", "", "account_number"},
		{"Betalingsservice", pairs("country_code", "DK", "bank_code", "345", "account_number", "3179681"), "DKK", "81", ""},
		{"PAD", pairs("country_code", "CA", "bank_code", "0003", "branch_code", "00006", "account_number", "1234567"), "CAD", "67", ""},
		{"PAD, transit number short", pairs("country_code", "CA", "bank_code", "0003", "branch_code", "0006", "account_number", "1234567"), "", "", "branch_code"},
	} {
		p := &api.Problems{Prefix: "/b"}
		d := readBankDetails(p, "", x.o)
		var fields []string
		for _, it := range p.Items {
			fields = append(fields, it.Field)
		}
		if x.bad != "" {
			if !slices.Contains(fields, x.bad) {
				t.Errorf("%s: problems with %v, want %s", x.name, fields, x.bad)
			}
			continue
		}
		if len(fields) > 0 {
			t.Errorf("%s: refused: %v", x.name, p.Items)
		} else if d.Currency != x.currency || d.Ending != x.ending {
			t.Errorf("%s: %s ending in %s, want %s and %s", x.name, d.Currency, d.Ending, x.currency, x.ending)
		}
	}
}

func TestBankAccountsOfACustomer(t *testing.T) {
	w := newWorld(t)
	body := func(customer string) string {
		return `{"customer_bank_accounts":{` + ukAccount + `,"links":{"customer":"` + customer + `"}}}`
	}
	e := w.refused(409, "bank_account_exists", "POST", "/customer_bank_accounts", body(w.customer))
	if got := e.Obj("links").Str("customer_bank_account"); got != w.account {
		t.Errorf("the conflict names %q, want %q", got, w.account)
	}
	// The same account is recognised by its IBAN; another customer may have it, too.
	w.refused(409, "bank_account_exists", "POST", "/customer_bank_accounts", `{"customer_bank_accounts":{"account_holder_name":"A","iban":"GB60BARC20000055779911","links":{"customer":"`+w.customer+`"}}}`)
	other := w.ok("POST", "/customers", customerBody).Str("id")
	w.ok("POST", "/customer_bank_accounts", body(other))

	pm := w.pay("100")
	w.ok("POST", "/customer_bank_accounts/"+w.account+"/actions/disable", "")
	w.refused(422, "disable_failed", "POST", "/customer_bank_accounts/"+w.account+"/actions/disable", "")
	if m, p := w.status("mandates", w.mandate), w.status("payments", pm); m != "cancelled" || p != "cancelled" {
		t.Errorf("after the account was disabled: mandate %s, payment %s", m, p)
	}
	ev := w.list("/events?payment=" + pm + "&action=cancelled")[0]
	parent := w.ok("GET", "/events/"+ev.Obj("links").Str("parent_event"), "")
	if parent.Str("resource_type") != "mandates" || parent.Obj("links").Str("mandate") != w.mandate {
		t.Errorf("the payment's event points to %v", parent)
	}
	w.refused(422, "bank_account_disabled", "POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`"}}}`)
	again := w.ok("POST", "/customer_bank_accounts", body(w.customer))
	if again.Str("id") != w.account || !again.Flag("enabled") {
		t.Errorf("the same details again gave %v, want the old account enabled", again)
	}
	a := w.ok("GET", "/customer_bank_accounts/"+w.account, "")
	if a.Str("account_number_ending") != "11" || a.Str("bank_name") != "BARCLAYS BANK PLC" || a.Str("account_holder_name") != "ADA BYRON" || a.Has("account_number") {
		t.Errorf("account is %v", a)
	}

	token := `{"customer_bank_accounts":{"links":{"customer":"` + w.customer + `","customer_bank_account_token":"tok_1"}}}`
	w.ok("POST", "/customer_bank_accounts", token)
	w.refused(422, "customer_bank_account_token_used", "POST", "/customer_bank_accounts", token)
	w.refused(422, "link_not_found", "POST", "/customer_bank_accounts", body(""))
}

func TestHolderVerification(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]string{"Ada Byron": "full_match", "Partial Match": "partial_match", "Nobody Here": "no_match", "Unable To": "unable_to_match"} {
		cu := w.ok("POST", "/customers", customerBody).Str("id")
		ba := w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{"account_holder_name":"`+name+`","iban":"DE89370400440532013000","links":{"customer":"`+cu+`"}}}`).Str("id")
		v := w.ok("POST", "/bank_account_holder_verifications", `{"bank_account_holder_verifications":{"type":"confirmation_of_payee","links":{"bank_account":"`+ba+`"}}}`)
		if v.Str("status") != "pending" || v.Has("result") {
			t.Errorf("%s: at first %v", name, v)
		}
		w.sb.Advance(holderCheckTime)
		if v = w.ok("GET", "/bank_account_holder_verifications/"+v.Str("id"), ""); v.Str("status") != "completed" || v.Str("result") != want {
			t.Errorf("%s: %v, want %s", name, v, want)
		}
	}
}
