package gocardlesstest

import (
	"regexp"
	"slices"
	"strings"
)

// bankDetails is what is known of a bank account after its details were checked.
type bankDetails struct {
	country     string
	currency    string
	accountType string // US accounts
	bankName    string
	bic         string
	ending      string // what replies show of the number
	branch      string
	key         string // equal for equal accounts; never shown
	holder      string
}

// readBankDetails checks an IBAN or local details. The path leads to them within the body; p gets
// what is wrong.
func readBankDetails(p *problems, path string, o object) bankDetails {
	d := bankDetails{
		country: o.str("country_code"), currency: o.str("currency"), accountType: o.str("account_type"),
		holder: holderName(o.str("account_holder_name")),
	}
	before := len(p.items)
	if iban := o.str("iban"); iban != "" {
		readIBAN(p, path, o, iban, &d)
	} else {
		readLocal(p, path, o, &d)
	}
	if len(p.items) > before {
		return d
	}
	if d.currency == "" {
		d.currency = countryCurrency(d.country)
		if d.currency == "" {
			d.currency = "EUR"
		}
	}
	switch {
	case d.currency == "USD" && d.accountType == "":
		p.add(path+"account_type", "can't be blank")
	case d.currency != "USD" && d.accountType != "":
		p.add(path+"account_type", "must be blank unless the account is in USD")
	}
	return d
}

// holderName is the name as the banks get it.
func holderName(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// ibanLengths are those of the countries that take SEPA direct debits.
var ibanLengths = map[string]int{
	"AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27,
	"GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
	"MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}

var ibanForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]+$`)

func readIBAN(p *problems, path string, o object, iban string, d *bankDetails) {
	iban = strings.ToUpper(strings.ReplaceAll(iban, " ", ""))
	if !validIBAN(iban) {
		p.add(path+"iban", "is invalid")
		return
	}
	for _, name := range []string{"account_number", "bank_code", "branch_code"} {
		if o.has(name) {
			p.add(path+name, "must be blank when an IBAN is given")
		}
	}
	country := iban[:2]
	if d.country != "" && d.country != country {
		p.add(path+"country_code", "does not match the IBAN")
	}
	if country == "SE" && (d.currency == "" || d.currency == "SEK") {
		p.add(path+"iban", "cannot be used for SEK accounts")
	}
	d.country = country
	d.key = "iban " + iban
	d.ending = iban[len(iban)-2:]
	if country == "GB" {
		d.key = "GB " + iban[8:14] + " " + iban[14:]
		d.branch = iban[8:14]
	}
	d.bankName, d.bic = bankOf(country, iban[4:])
}

// validIBAN checks length and check digits (ISO 7064, modulo 97).
func validIBAN(s string) bool {
	if !ibanForm.MatchString(s) || ibanLengths[s[:2]] != len(s) {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// part is a piece of local details: digits of a length, with separators tolerated.
type part struct {
	name     string
	min, max int
	optional bool
}

// localForms are the pieces of each country (API documents and the vendor's own ibandit).
var localForms = map[string][]part{
	"GB": {{name: "branch_code", min: 6, max: 6}, {name: "account_number", min: 6, max: 8}},
	"AU": {{name: "branch_code", min: 6, max: 6}, {name: "account_number", min: 5, max: 10}},
	"CA": {{name: "bank_code", min: 3, max: 4}, {name: "branch_code", min: 5, max: 5}, {name: "account_number", min: 7, max: 12}},
	"US": {{name: "bank_code", min: 9, max: 9}, {name: "account_number", min: 1, max: 17}},
	"NZ": {
		{name: "bank_code", min: 2, max: 2, optional: true}, {name: "branch_code", min: 4, max: 4, optional: true},
		{name: "account_number", min: 7, max: 16}, {name: "account_number_suffix", min: 2, max: 3, optional: true},
	},
	"DK": {{name: "bank_code", min: 1, max: 4}, {name: "account_number", min: 1, max: 10}},
	"SE": {{name: "branch_code", min: 4, max: 5}, {name: "account_number", min: 1, max: 10}},
}

var separators = strings.NewReplacer("-", "", " ", "", ".", "")

func readLocal(p *problems, path string, o object, d *bankDetails) {
	if d.country == "" {
		p.add(path+"country_code", "can't be blank")
		return
	}
	// Jersey, Guernsey, the Isle of Man and Gibraltar bank with British sort codes.
	country := d.country
	if slices.Contains([]string{"JE", "GG", "IM", "GI"}, country) {
		country = "GB"
	}
	form := localForms[country]
	if form == nil {
		p.add(path+"iban", "can't be blank")
		return
	}
	if country == "DK" && !o.has("bank_code") && o.has("branch_code") {
		o = o.with("bank_code", o.get("branch_code"))
	}
	got := map[string]string{}
	before := len(p.items)
	for _, f := range form {
		v := separators.Replace(o.str(f.name))
		switch {
		case v == "" && f.optional:
		case v == "":
			p.add(path+f.name, "can't be blank")
		case !onlyDigits.MatchString(v):
			p.add(path+f.name, "must be a number")
		case len(v) < f.min || len(v) > f.max:
			p.add(path+f.name, "is the wrong length (should be %s characters)", lengths(f.min, f.max))
		default:
			got[f.name] = v
		}
	}
	if len(p.items) > before {
		return
	}
	account := got["account_number"]
	d.ending = account[max(0, len(account)-2):]
	switch country {
	case "GB":
		account = strings.Repeat("0", 8-len(account)) + account
	case "US":
		if !validRouting(got["bank_code"]) {
			p.add(path+"bank_code", "is invalid")
		}
	case "NZ":
		account = readNZ(p, path, got, d)
	case "SE":
		if !validSwedishAccount(got["branch_code"], account) {
			p.add(path+"account_number", "is invalid")
		}
	}
	d.branch = got["branch_code"]
	d.key = country + " " + got["bank_code"] + got["branch_code"] + " " + account
	d.bankName, d.bic = bankOf(country, got["bank_code"]+got["branch_code"])
}

func lengths(low, high int) string {
	words := []string{}
	for n := low; n <= high; n++ {
		words = append(words, itoa(n))
	}
	if len(words) > 3 {
		return itoa(low) + " to " + itoa(high)
	}
	return humanList(words)
}

// validRouting is the check digit of a US routing number (ABA).
func validRouting(s string) bool {
	sum := 0
	for i, w := range []int{3, 7, 1, 3, 7, 1, 3, 7, 1} {
		sum += w * int(s[i]-'0')
	}
	return sum%10 == 0 && sum > 0
}

// validSwedishAccount checks the one kind of account whose rule follows from the clearing number
// alone: seven digits, modulo 11 over the last three digits of a 5xxx clearing number and them.
func validSwedishAccount(clearing, account string) bool {
	if clearing[0] != '5' {
		return true
	}
	if len(account) > 7 {
		return false
	}
	s := clearing[1:4] + strings.Repeat("0", 7-len(account)) + account
	sum := 0
	for i := range 10 {
		sum += (10 - i) * int(s[i]-'0')
	}
	return sum%11 == 0
}

// readNZ takes an account apart, which may come in one piece, and checks it modulo 11 where its
// bank uses that rule. Replies show four digits of it.
func readNZ(p *problems, path string, got map[string]string, d *bankDetails) string {
	bank, branch, account, suffix := got["bank_code"], got["branch_code"], got["account_number"], got["account_number_suffix"]
	if bank == "" && len(account) >= 15 {
		bank, branch, account, suffix = account[:2], account[2:6], account[6:13], account[13:]
	}
	switch {
	case bank == "":
		p.add(path+"bank_code", "can't be blank")
		return account
	case branch == "":
		p.add(path+"branch_code", "can't be blank")
		return account
	case suffix == "" && len(account) >= 9: // suffix written together with the number
		account, suffix = account[:7], account[7:]
	}
	if len(account) != 7 || len(suffix) < 2 || len(suffix) > 3 {
		p.add(path+"account_number", "is the wrong length (should be 7 digits and a suffix of 2 or 3)")
		return account
	}
	if !validNZ(bank, branch, account) {
		p.add(path+"account_number", "is invalid")
	}
	got["bank_code"], got["branch_code"] = bank, branch
	whole := account + strings.Repeat("0", 3-len(suffix)) + suffix
	d.ending = account[3:]
	return whole
}

// validNZ is the modulus check of the banks that use weights over branch and account. Accounts
// from 990000 on leave the branch out. Other banks have rules of their own, which are not checked.
func validNZ(bank, branch, account string) bool {
	if slices.Contains([]string{"08", "09", "25", "26", "28", "29", "31", "33", "38"}, bank) {
		return true
	}
	digits := branch + "0" + account
	weights := []int{6, 3, 7, 9, 0, 0, 10, 5, 8, 4, 2, 1}
	if account >= "0990000" {
		weights = []int{0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1}
	}
	sum := 0
	for i, w := range weights {
		sum += w * int(digits[i]-'0')
	}
	return sum%11 == 0
}

// bankOf names the bank of an account. Real directories are licensed; these are a few names that
// the API has been seen to use, and one made from the country for the rest.
func bankOf(country, code string) (name, bic string) {
	known := []struct{ country, prefix, name, bic string }{
		{"GB", "20", "BARCLAYS BANK PLC", "BARCGB22XXX"},
		{"GB", "BARC", "BARCLAYS BANK PLC", "BARCGB22XXX"},
		{"GB", "40", "HSBC UK BANK PLC", "HBUKGB4BXXX"},
		{"GB", "60", "NATIONAL WESTMINSTER BANK PLC", "NWBKGB2LXXX"},
		{"DE", "37040044", "COMMERZBANK", "COBADEFFXXX"},
		{"FR", "20041", "LA BANQUE POSTALE", "PSSTFRPPXXX"},
		{"NL", "RABO", "RABOBANK", "RABONL2UXXX"},
	}
	for _, k := range known {
		if k.country == country && strings.HasPrefix(code, k.prefix) {
			return k.name, k.bic
		}
	}
	return "SANDBOX BANK " + country, "SBOX" + country + "22XXX"
}

// schemesOf lists the schemes that an account can be debited by.
func (d bankDetails) schemes() []any {
	out := []any{}
	for _, s := range catalogueSchemes {
		if t := timings[s.name]; t != nil && !t.instant && s.currency == d.currency && slices.Contains(s.countries, d.country) {
			out = append(out, s.name)
		}
	}
	return out
}
