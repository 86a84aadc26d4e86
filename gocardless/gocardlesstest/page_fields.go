package gocardlesstest

import (
	"net/url"
	"slices"
	"strings"
)

// The fields of the flow's forms, by what the scheme asks for.

// fieldText is how a field is called and what browsers can fill in.
var fieldText = map[string]viewField{
	"given_name":              {Label: "First name", Kind: "text", Autocomplete: "given-name"},
	"family_name":             {Label: "Last name", Kind: "text", Autocomplete: "family-name"},
	"company_name":            {Label: "Company", Kind: "text", Autocomplete: "organization", Hint: "Instead of a name, for a business account", Optional: true},
	"email":                   {Label: "Email", Kind: "email", Autocomplete: "email"},
	"address_line1":           {Label: "Address", Kind: "text", Autocomplete: "address-line1"},
	"address_line2":           {Label: "Address, second line", Kind: "text", Autocomplete: "address-line2", Optional: true},
	"city":                    {Label: "Town or city", Kind: "text", Autocomplete: "address-level2"},
	"region":                  {Label: "State or province", Kind: "text", Autocomplete: "address-level1", Hint: "Two letters, such as CA"},
	"postal_code":             {Label: "Postcode", Kind: "text", Autocomplete: "postal-code"},
	"country_code":            {Label: "Country", Kind: "select", Autocomplete: "country"},
	"swedish_identity_number": {Label: "Personal or organisation number", Kind: "text", Hint: "For example 198112289874"},
	"danish_identity_number":  {Label: "CPR or CVR number", Kind: "text", Hint: "For example 0101701234"},
	"account_holder_name":     {Label: "Account holder", Kind: "text", Autocomplete: "name"},
	"iban":                    {Label: "IBAN", Kind: "text"},
	"branch_code":             {Label: "Sort code", Kind: "text", Mode: "numeric"},
	"bank_code":               {Label: "Bank code", Kind: "text", Mode: "numeric"},
	"account_number":          {Label: "Account number", Kind: "text", Mode: "numeric"},
	"account_type":            {Label: "Account type", Kind: "select"},
	"pay_id":                  {Label: "PayID", Kind: "text", Hint: "An email address or phone number, instead of an account number", Optional: true},
}

// countryNames are the countries of the form, those of the schemes.
var countryNames = []viewOption{
	{Value: "AD", Label: "Andorra"}, {Value: "AU", Label: "Australia"}, {Value: "AT", Label: "Austria"}, {Value: "BE", Label: "Belgium"},
	{Value: "BG", Label: "Bulgaria"}, {Value: "CA", Label: "Canada"}, {Value: "HR", Label: "Croatia"}, {Value: "CY", Label: "Cyprus"},
	{Value: "CZ", Label: "Czechia"}, {Value: "DK", Label: "Denmark"}, {Value: "EE", Label: "Estonia"}, {Value: "FI", Label: "Finland"},
	{Value: "FR", Label: "France"}, {Value: "DE", Label: "Germany"}, {Value: "GI", Label: "Gibraltar"}, {Value: "GR", Label: "Greece"},
	{Value: "GG", Label: "Guernsey"}, {Value: "HU", Label: "Hungary"}, {Value: "IS", Label: "Iceland"}, {Value: "IE", Label: "Ireland"},
	{Value: "IM", Label: "Isle of Man"}, {Value: "IT", Label: "Italy"}, {Value: "JE", Label: "Jersey"}, {Value: "LV", Label: "Latvia"},
	{Value: "LI", Label: "Liechtenstein"}, {Value: "LT", Label: "Lithuania"}, {Value: "LU", Label: "Luxembourg"}, {Value: "MT", Label: "Malta"},
	{Value: "MC", Label: "Monaco"}, {Value: "NL", Label: "Netherlands"}, {Value: "NZ", Label: "New Zealand"}, {Value: "NO", Label: "Norway"},
	{Value: "PL", Label: "Poland"}, {Value: "PT", Label: "Portugal"}, {Value: "RO", Label: "Romania"}, {Value: "SM", Label: "San Marino"},
	{Value: "SK", Label: "Slovakia"}, {Value: "SI", Label: "Slovenia"}, {Value: "ES", Label: "Spain"}, {Value: "SE", Label: "Sweden"},
	{Value: "CH", Label: "Switzerland"}, {Value: "GB", Label: "United Kingdom"}, {Value: "US", Label: "United States"}, {Value: "VA", Label: "Vatican City"},
}

func newField(name, value string) *viewField {
	f := fieldText[name]
	f.Name, f.Value = name, value
	return &f
}

// detailNames are the fields of the payer's details.
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

// detailFields are the form's fields, filled with what is known: entered, collected before,
// prefilled by the merchant, or the test payer's.
func (b *billing) detailFields(f *record, get func(string, ...string) string, fill bool) []*viewField {
	prefilled := f.Obj("prefilled_customer")
	test := object{}
	country := currencyCountry(b.currency())
	if fill {
		test = testPayer(country)
	}
	person, address := b.detailNames()
	var fields []*viewField
	for _, name := range append(person, address...) {
		known := b.person
		if slices.Contains(address, name) {
			known = b.address
		}
		otherwise := ""
		if name == "country_code" {
			otherwise = country
		}
		v := newField(name, get(name, known.Str(name), prefilled.Str(name), test.Str(name), otherwise))
		if name == "country_code" {
			v.Options = countryNames
		}
		fields = append(fields, v)
	}
	return fields
}

// detailsFrom is the form as the body of the action.
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

// within500 keeps what is stored within reason; no field of the API takes more.
func within500(s string) string {
	if r := []rune(s); len(r) > 500 {
		return string(r[:500])
	}
	return s
}

// accountNames are the fields of an account in a currency.
func (b *billing) accountNames() []string {
	names := map[string][]string{
		"GBP": {"branch_code", "account_number"}, "EUR": {"iban"}, "USD": {"bank_code", "account_number", "account_type"},
		"AUD": {"branch_code", "account_number"}, "NZD": {"account_number"},
		"CAD": {"bank_code", "branch_code", "account_number"}, "DKK": {"bank_code", "account_number"}, "SEK": {"branch_code", "account_number"},
	}[b.currency()]
	names = append([]string{"account_holder_name"}, names...)
	if b.debitScheme() == "pay_to" {
		names = append(names, "pay_id")
	}
	return names
}

// branchLabels are what branch and bank codes are called in a country.
var branchLabels = map[string]map[string]string{
	"AUD": {"branch_code": "BSB"},
	"USD": {"bank_code": "Routing number"},
	"CAD": {"bank_code": "Institution number", "branch_code": "Transit number"},
	"SEK": {"branch_code": "Clearing number"},
	"DKK": {"bank_code": "Registration number"},
}

func (b *billing) accountFields(f *record, get func(string, ...string) string, fill bool) []*viewField {
	test := object{}
	if fill {
		test = testAccount(b.currency())
	}
	holder := strings.TrimSpace(b.person.Str("given_name") + " " + b.person.Str("family_name"))
	var fields []*viewField
	for _, name := range b.accountNames() {
		otherwise := ""
		switch name {
		case "account_holder_name":
			otherwise = orDefault(b.person.Str("company_name"), holder)
		case "account_type":
			otherwise = orDefault(f.Obj("prefilled_bank_account").Str("account_type"), "checking")
		}
		v := newField(name, get(name, test.Str(name), otherwise))
		if label := branchLabels[b.currency()][name]; label != "" {
			v.Label = label
		}
		if name == "account_type" {
			v.Options = []viewOption{{Value: "checking", Label: "Checking"}, {Value: "savings", Label: "Savings"}}
		}
		if b.debitScheme() == "pay_to" && name != "account_holder_name" {
			v.Optional = true
		}
		fields = append(fields, v)
	}
	return fields
}

// accountFrom is the form as the body of the action.
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

// testPayer and testAccount are details that pass the checks of a country.
func testPayer(country string) object {
	p := TestPayer
	o := object{
		{"given_name", p.GivenName}, {"family_name", p.FamilyName}, {"email", p.Email}, {"address_line1", p.AddressLine1},
		{"city", p.City}, {"postal_code", p.PostalCode}, {"country_code", country},
	}
	return append(o, object{{"region", map[string]string{"CA": "ON"}[country]}, {"swedish_identity_number", "198112289874"}, {"danish_identity_number", "0101701234"}}...).
		With("region", orDefault(map[string]string{"CA": "ON"}[country], "CA"))
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
