package gocardlesstest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
)

// The page of a redirect flow: the payer's details and bank account in one form. It redirects to the
// merchant, who completes the flow with a call.

const redirectFlowPath = "/flow/"

var redirectPerson = []string{"given_name", "family_name", "company_name", "email", "address_line1", "city", "postal_code", "country_code"}

func redirectFlowPage(tx *tx, r *http.Request) *page.View {
	id, success := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, redirectFlowPath), "/success")
	f := tx.find("redirect_flows", id)
	if f == nil {
		return page.Message(http.StatusNotFound, "Page not found", "The redirect flow does not exist.")
	}
	creditor := tx.must("creditors", f.Link("creditor"))
	dress := func(v *page.View) *page.View {
		v.Merchant, v.Theme = creditor.Str("name"), tx.themeOf(creditor.ID)
		return v
	}
	switch {
	case success && f.Link("mandate") != "":
		v := page.Message(http.StatusOK, "All done", "Your Direct Debit with "+creditor.Str("name")+" is being set up.")
		v.Good = true
		v.Summary = []page.Row{{Name: "Reference", Value: f.Str("mandate_reference")}}
		return dress(v)
	case success:
		return dress(page.Message(http.StatusNotFound, "Page not found", "The redirect flow has not been completed."))
	case f.Link("mandate") != "":
		return dress(page.Message(http.StatusGone, "This link has been used", "Nothing more is needed from you."))
	case tx.flowExpired(f):
		return dress(page.Message(http.StatusGone, "This link has expired", "Ask "+creditor.Str("name")+" for a new one."))
	}
	currency := cmp.Or(currencyOf(f.Str("scheme")), countryCurrency(creditor.Str("country_code")), "EUR")
	names := slices.Concat(redirectPerson, identityNumber(currency), []string{"account_holder_name"}, accountFields[currency])
	var form url.Values
	p := &api.Problems{}
	if r.Method == http.MethodPost {
		form = r.PostForm
		details, bank := redirectEntries(form, names, currency)
		if back := tx.finishRedirectFlow(f, p, details, bank); len(p.Items) == 0 {
			return page.SendTo(back)
		}
	}
	v := dress(tx.redirectForm(f, names, currency, form, r.FormValue("fill") != ""))
	if len(p.Items) > 0 {
		v.ShowErrors(p)
	}
	return v
}

// identityNumber returns the identity number that a payer in a currency must give, if any.
func identityNumber(currency string) []string {
	switch currency {
	case "SEK":
		return []string{"swedish_identity_number"}
	case "DKK":
		return []string{"danish_identity_number"}
	}
	return nil
}

// redirectEntries splits the form into the details of the payer and those of the account.
func redirectEntries(form url.Values, names []string, currency string) (details, bank object) {
	details, bank = object{}, object{}
	account := false
	for _, name := range names {
		account = account || name == "account_holder_name"
		v := within500(strings.TrimSpace(form.Get(name)))
		if v == "" {
			continue
		}
		if account {
			bank = append(bank, member{name, v})
		} else {
			details = append(details, member{name, v})
		}
	}
	if !bank.Has("iban") {
		bank = append(bank, member{"country_code", currencyCountry(currency)})
	}
	return details, bank
}

// redirectForm returns the page with its fields: entered, prefilled by the merchant, or the test
// payer's.
func (tx *tx) redirectForm(f *record, names []string, currency string, form url.Values, fill bool) *page.View {
	v := &page.View{
		Title: "Set up a Direct Debit", Intro: f.Str("description"), Hidden: []page.Row{},
		Buttons: []page.Button{{Label: "Set up the Direct Debit"}}, Targets: []string{f.Str("success_redirect_url")},
		Small: "By confirming you allow the company to collect from this account by Direct Debit. You can cancel with your bank at any time.",
	}
	country := currencyCountry(currency)
	known := redirectPrefilled.Of(f)
	test := object{}
	if fill {
		test = append(append(testPayer(country), testAccount(currency)...), member{"account_holder_name", TestPayer.AccountHolderName})
	} else if form == nil {
		v.Links = []page.Link{{Label: "Fill in a test payer", URL: "?fill=1"}}
	}
	for _, name := range names {
		value := form.Get(name)
		if form == nil {
			value = cmp.Or(known.Str(name), test.Str(name))
			if name == "country_code" {
				value = cmp.Or(value, country)
			}
		}
		field := page.NewField(name, value)
		field.Label = cmp.Or(branchLabels[currency][name], field.Label)
		v.Fields = append(v.Fields, field)
	}
	return v
}
