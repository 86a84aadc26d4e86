package gocardlesstest

import (
	"cmp"
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// Bank details in the bodies of requests.

// bankDetails are the checked details of a bank account.
type bankDetails = bank.Account

// readBankDetails reads an IBAN or local details and adds their problems to p. The path leads to them
// within the body.
func readBankDetails(p *api.Problems, path string, o object) bankDetails {
	d, ok := readAccount(p, path, o)
	if !ok {
		return d
	}
	d.AccountType = o.Str("account_type")
	switch {
	case d.Currency == "USD" && d.AccountType == "":
		p.Add(path+"account_type", "can't be blank")
	case d.Currency != "USD" && d.AccountType != "":
		p.Add(path+"account_type", "must be blank unless the account is in USD")
	}
	return d
}

// readAccount does the same without the account type, and reports whether the details are valid.
func readAccount(p *api.Problems, path string, o object) (bankDetails, bool) {
	d, wrong := bank.Read(bank.Given{
		Country: o.Str("country_code"), Currency: o.Str("currency"), Holder: o.Str("account_holder_name"), IBAN: o.Str("iban"),
		BankCode: o.Str("bank_code"), BranchCode: o.Str("branch_code"), AccountNumber: o.Str("account_number"), Suffix: o.Str("account_number_suffix"),
	})
	for _, w := range wrong {
		p.Add(path+w.Field, "%s", w.Message)
	}
	if d.Currency == "" {
		d.Currency = cmp.Or(countryCurrency(d.Country), "EUR")
	}
	return d, len(wrong) == 0
}

// reachable lists the schemes of an account, including those for instant payments.
func reachable(d bankDetails) []any {
	out := []any{}
	for _, s := range api.Schemes {
		if s.Currency == d.Currency && slices.Contains(s.Countries, d.Country) {
			out = append(out, s.Name)
		}
	}
	return out
}

// schemesFor lists the direct debit schemes of an account.
func schemesFor(d bankDetails) []any {
	return slices.DeleteFunc(reachable(d), func(scheme any) bool {
		t, known := bank.FindTiming(scheme.(string))
		return !known || t.Instant
	})
}
