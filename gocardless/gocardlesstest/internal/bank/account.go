package bank

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Given are bank details as a caller gives them.
type Given struct {
	Country, Currency, Holder                   string
	IBAN                                        string
	BankCode, BranchCode, AccountNumber, Suffix string
}

// Account is a bank account whose details were checked.
type Account struct {
	Country     string
	Currency    string
	AccountType string // US accounts
	BankName    string
	BIC         string
	Ending      string // the last characters of the number, which replies show
	Branch      string
	Key         string // identifies the account; never in a reply
	Holder      string
}

// Problem is a problem of one member of the details.
type Problem struct{ Field, Message string }

// reader collects the details of an account and their problems.
type reader struct {
	Account
	problems []Problem
}

func (r *reader) add(field, format string, args ...any) {
	r.problems = append(r.problems, Problem{field, fmt.Sprintf(format, args...)})
}

// Read checks an IBAN or local details.
func Read(g Given) (Account, []Problem) {
	r := &reader{Account: Account{Country: g.Country, Currency: g.Currency, Holder: HolderName(g.Holder)}}
	if g.IBAN != "" {
		r.iban(g)
	} else {
		r.local(g)
	}
	return r.Account, r.problems
}

// HolderName returns a name in the form that banks receive.
func HolderName(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

func (r *reader) iban(g Given) {
	iban := strings.ToUpper(strings.ReplaceAll(g.IBAN, " ", ""))
	if !validIBAN(iban) {
		r.add("iban", "is invalid")
		return
	}
	for _, local := range []struct{ name, value string }{
		{"account_number", g.AccountNumber}, {"bank_code", g.BankCode}, {"branch_code", g.BranchCode},
	} {
		if local.value != "" {
			r.add(local.name, "must be blank when an IBAN is given")
		}
	}
	country := iban[:2]
	if r.Country != "" && r.Country != country {
		r.add("country_code", "does not match the IBAN")
	}
	if country == "SE" && (r.Currency == "" || r.Currency == "SEK") {
		r.add("iban", "cannot be used for SEK accounts")
	}
	r.Country = country
	r.Key = "iban " + iban
	r.Ending = iban[len(iban)-2:]
	if country == "GB" {
		r.Key = "GB " + iban[8:14] + " " + iban[14:]
		r.Branch = iban[8:14]
	}
	r.BankName, r.BIC = NameOf(country, iban[4:])
}

// part is one of the local details: digits of a certain length, in which separators are ignored.
type part struct {
	name     string
	min, max int
	optional bool
}

// localForms are the local details of each country (from the API's documentation and the vendor's
// library ibandit).
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

// Separators removes the separators in an account number.
var Separators = strings.NewReplacer("-", "", " ", "", ".", "")

var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

func (r *reader) local(g Given) {
	if r.Country == "" {
		r.add("country_code", "can't be blank")
		return
	}
	country := r.Country
	// Banks in Jersey, Guernsey, the Isle of Man and Gibraltar have British sort codes.
	if slices.Contains([]string{"JE", "GG", "IM", "GI"}, country) {
		country = "GB"
	}
	form := localForms[country]
	if form == nil {
		r.add("iban", "can't be blank")
		return
	}
	if country == "DK" && g.BankCode == "" {
		g.BankCode = g.BranchCode
	}
	got, ok := r.parts(form, g)
	if !ok {
		return
	}
	account := got["account_number"]
	r.Ending = account[max(0, len(account)-2):]
	switch country {
	case "GB":
		account = strings.Repeat("0", 8-len(account)) + account
	case "US":
		if !validRouting(got["bank_code"]) {
			r.add("bank_code", "is invalid")
		}
	case "NZ":
		account = r.newZealand(got)
	case "SE":
		if !validSwedishAccount(got["branch_code"], account) {
			r.add("account_number", "is invalid")
		}
	}
	r.Branch = got["branch_code"]
	r.Key = country + " " + got["bank_code"] + got["branch_code"] + " " + account
	r.BankName, r.BIC = NameOf(country, got["bank_code"]+got["branch_code"])
}

// parts reads the local details and reports whether all are valid.
func (r *reader) parts(form []part, g Given) (map[string]string, bool) {
	given := map[string]string{
		"bank_code": g.BankCode, "branch_code": g.BranchCode, "account_number": g.AccountNumber, "account_number_suffix": g.Suffix,
	}
	got := map[string]string{}
	before := len(r.problems)
	for _, f := range form {
		v := Separators.Replace(given[f.name])
		switch {
		case v == "" && f.optional:
		case v == "":
			r.add(f.name, "can't be blank")
		case !onlyDigits.MatchString(v):
			r.add(f.name, "must be a number")
		case len(v) < f.min || len(v) > f.max:
			r.add(f.name, "is the wrong length (should be %s characters)", lengths(f.min, f.max))
		default:
			got[f.name] = v
		}
	}
	return got, len(r.problems) == before
}

// lengths describes the permitted lengths of a number: "6", "6, 7 or 8", "1 to 17".
func lengths(low, high int) string {
	words := []string{}
	for n := low; n <= high; n++ {
		words = append(words, strconv.Itoa(n))
	}
	switch last := len(words) - 1; {
	case len(words) > 3:
		return words[0] + " to " + words[last]
	case len(words) > 1:
		return strings.Join(words[:last], ", ") + " or " + words[last]
	}
	return words[0]
}

// newZealand splits an account number that may be written in one piece, and checks its modulus. Replies
// show the last four digits.
func (r *reader) newZealand(got map[string]string) string {
	bank, branch, account, suffix := got["bank_code"], got["branch_code"], got["account_number"], got["account_number_suffix"]
	if bank == "" && len(account) >= 15 {
		bank, branch, account, suffix = account[:2], account[2:6], account[6:13], account[13:]
	}
	switch {
	case bank == "":
		r.add("bank_code", "can't be blank")
		return account
	case branch == "":
		r.add("branch_code", "can't be blank")
		return account
	case suffix == "" && len(account) >= 9: // suffix written together with the number
		account, suffix = account[:7], account[7:]
	}
	if len(account) != 7 || len(suffix) < 2 || len(suffix) > 3 {
		r.add("account_number", "is the wrong length (should be 7 digits and a suffix of 2 or 3)")
		return account
	}
	if !validNZ(bank, branch, account) {
		r.add("account_number", "is invalid")
	}
	got["bank_code"], got["branch_code"] = bank, branch
	r.Ending = account[3:]
	return account + strings.Repeat("0", 3-len(suffix)) + suffix
}

// NameOf returns the name and BIC of a bank. Real directories are licensed: a few entries are known
// from replies of the API, and the others are made up from the country.
func NameOf(country, code string) (name, bic string) {
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
