package gocardlesstest

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
)

// The fields of a flow's forms, which depend on the scheme.

// detailNames lists the fields of the payer's details.
func (b *billing) detailNames() (person, address []string) {
	person = []string{"given_name", "family_name", "company_name", "email"}
	if b.mandate == nil {
		return person, nil
	}
	wanted := billingFields(b.scheme(), b.mandate.Str("authorisation_source"))
	for _, name := range []string{"address_line1", "address_line2", "city", "region", "postal_code", "country_code", "swedish_identity_number", "danish_identity_number"} {
		if slices.Contains(wanted, name) || name == "address_line2" && len(wanted) > 0 {
			address = append(address, name)
		}
	}
	return person, address
}

// detailFields returns the fields of the payer's details, filled with what is known: entered, collected
// before, prefilled by the merchant, or the test payer's.
func (b *billing) detailFields(f *record, get func(string, ...string) string, fill bool) []*page.Field {
	prefilled := f.Obj("prefilled_customer")
	test := object{}
	country := currencyCountry(b.currency())
	if fill {
		test = testPayer(country)
	}
	person, address := b.detailNames()
	var fields []*page.Field
	for _, name := range append(person, address...) {
		known := b.person
		if slices.Contains(address, name) {
			known = b.address
		}
		otherwise := ""
		if name == "country_code" {
			otherwise = country
		}
		fields = append(fields, page.NewField(name, get(name, known.Str(name), prefilled.Str(name), test.Str(name), otherwise)))
	}
	return fields
}

// detailsFrom converts the form into the body of the action.
func (b *billing) detailsFrom(form url.Values, ip string) object {
	person, address := b.detailNames()
	pick := func(names []string) object {
		o := object{}
		for _, name := range names {
			if form.Has(name) {
				o = append(o, member{name, nilIfEmpty(within500(strings.TrimSpace(form.Get(name))))})
			}
		}
		return o
	}
	details := pick(address)
	if b.mandate != nil && slices.Contains(billingFields(b.scheme(), b.mandate.Str("authorisation_source")), "ip_address") {
		details = append(details, member{"ip_address", ip})
	}
	return object{{"customer", pick(person)}, {"customer_billing_detail", details}}
}

// within500 limits the length of what is stored. No field of the API is longer.
func within500(s string) string {
	if r := []rune(s); len(r) > 500 {
		return string(r[:500])
	}
	return s
}

// accountFields are the fields of an account, by currency.
var accountFields = map[string][]string{
	"GBP": {"branch_code", "account_number"}, "EUR": {"iban"}, "USD": {"bank_code", "account_number", "account_type"},
	"AUD": {"branch_code", "account_number"}, "NZD": {"account_number"},
	"CAD": {"bank_code", "branch_code", "account_number"}, "DKK": {"bank_code", "account_number"}, "SEK": {"branch_code", "account_number"},
}

// accountNames lists the fields of an account in the currency.
func (b *billing) accountNames() []string {
	names := slices.Concat([]string{"account_holder_name"}, accountFields[b.currency()])
	if b.debitScheme() == "pay_to" {
		names = append(names, "pay_id")
	}
	return names
}

// branchLabels are the local names of branch and bank codes, by currency.
var branchLabels = map[string]map[string]string{
	"AUD": {"branch_code": "BSB"},
	"USD": {"bank_code": "Routing number"},
	"CAD": {"bank_code": "Institution number", "branch_code": "Transit number"},
	"SEK": {"branch_code": "Clearing number"},
	"DKK": {"bank_code": "Registration number"},
}

// accountForm returns the fields of the account, filled with what is known.
func (b *billing) accountForm(f *record, get func(string, ...string) string, fill bool) []*page.Field {
	test := object{}
	if fill {
		test = testAccount(b.currency())
	}
	holder := strings.TrimSpace(b.person.Str("given_name") + " " + b.person.Str("family_name"))
	var fields []*page.Field
	for _, name := range b.accountNames() {
		otherwise := ""
		switch name {
		case "account_holder_name":
			otherwise = cmp.Or(b.person.Str("company_name"), holder)
		case "account_type":
			otherwise = cmp.Or(f.Obj("prefilled_bank_account").Str("account_type"), "checking")
		}
		v := page.NewField(name, get(name, test.Str(name), otherwise))
		v.Label = cmp.Or(branchLabels[b.currency()][name], v.Label)
		v.Optional = v.Optional || b.debitScheme() == "pay_to" && name != "account_holder_name"
		fields = append(fields, v)
	}
	return fields
}

// accountFrom converts the form into the body of the action.
func (b *billing) accountFrom(form url.Values) object {
	o := object{}
	for _, name := range b.accountNames() {
		if s := within500(strings.TrimSpace(form.Get(name))); s != "" {
			o = append(o, member{name, s})
		}
	}
	if b.currency() != "EUR" {
		o = append(o, member{"country_code", currencyCountry(b.currency())})
	}
	return o
}

// testPayer and testAccount return details that pass the checks of a country or currency.
func testPayer(country string) object {
	region := "CA" // California
	if country == "CA" {
		region = "ON"
	}
	return append(TestPayer.details().With("country_code", country),
		member{"region", region}, member{"swedish_identity_number", "198112289874"}, member{"danish_identity_number", "0101701234"})
}

func testAccount(currency string) object {
	switch currency {
	case "EUR":
		return object{{"iban", "FR1420041010050500013M02606"}}
	case "USD":
		return object{{"bank_code", "026073150"}, {"account_number", "2715500356"}, {"account_type", "checking"}}
	case "SEK":
		return object{{"branch_code", "5491"}, {"account_number", "0000003"}}
	case "AUD":
		return object{{"branch_code", "082-082"}, {"account_number", "012345678"}}
	case "NZD":
		return object{{"account_number", "12-3113-0003869-00"}}
	case "DKK":
		return object{{"bank_code", "345"}, {"account_number", "3179681"}}
	case "CAD":
		return object{{"bank_code", "0003"}, {"branch_code", "00006"}, {"account_number", "1234567"}}
	}
	return object{{"branch_code", "20-00-00"}, {"account_number", "55779911"}}
}
