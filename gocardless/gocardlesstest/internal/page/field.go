package page

// fieldText maps members to their labels, input types and autocomplete values.
var fieldText = map[string]Field{
	"given_name":              {Label: "First name", Kind: "text", Autocomplete: "given-name"},
	"family_name":             {Label: "Last name", Kind: "text", Autocomplete: "family-name"},
	"company_name":            {Label: "Company", Kind: "text", Autocomplete: "organization", Hint: "Instead of a name, for a business account", Optional: true},
	"email":                   {Label: "Email", Kind: "email", Autocomplete: "email"},
	"address_line1":           {Label: "Address", Kind: "text", Autocomplete: "address-line1"},
	"address_line2":           {Label: "Address, second line", Kind: "text", Autocomplete: "address-line2", Optional: true},
	"city":                    {Label: "Town or city", Kind: "text", Autocomplete: "address-level2"},
	"region":                  {Label: "State or province", Kind: "text", Autocomplete: "address-level1", Hint: "Two letters, such as CA"},
	"postal_code":             {Label: "Postcode", Kind: "text", Autocomplete: "postal-code"},
	"country_code":            {Label: "Country", Kind: "select", Autocomplete: "country", Options: Countries},
	"swedish_identity_number": {Label: "Personal or organisation number", Kind: "text", Hint: "For example 198112289874"},
	"danish_identity_number":  {Label: "CPR or CVR number", Kind: "text", Hint: "For example 0101701234"},
	"account_holder_name":     {Label: "Account holder", Kind: "text", Autocomplete: "name"},
	"iban":                    {Label: "IBAN", Kind: "text"},
	"branch_code":             {Label: "Sort code", Kind: "text", Mode: "numeric"},
	"bank_code":               {Label: "Bank code", Kind: "text", Mode: "numeric"},
	"account_number":          {Label: "Account number", Kind: "text", Mode: "numeric"},
	"account_type":            {Label: "Account type", Kind: "select", Options: []Option{{Value: "checking", Label: "Checking"}, {Value: "savings", Label: "Savings"}}},
	"pay_id":                  {Label: "PayID", Kind: "text", Hint: "An email address or phone number, instead of an account number", Optional: true},
}

// Countries are the countries that a payer can choose: those of the schemes.
var Countries = []Option{
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

// NewField returns the field of a member with a value.
func NewField(name, value string) *Field {
	f := fieldText[name]
	f.Name, f.Value = name, value
	return &f
}
