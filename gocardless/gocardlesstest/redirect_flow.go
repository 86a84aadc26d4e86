package gocardlesstest

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Redirect flows: the old hosted pages, which create a customer, a bank account and a mandate.

// redirectFlowLife is how long a payer can use the link.
const redirectFlowLife = 30 * time.Minute

const (
	redirectPrefilled store.Hidden[object] = "customer"
	redirectPayer     store.Hidden[object] = "payer"
	redirectBank      store.Hidden[object] = "bank"
)

func redirectFlowFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "redirect_flows", IDForm: store.IDLong})
	r.on("redirect_flows.create", createRedirectFlow)
	r.on("redirect_flows.complete", completeRedirectFlow)
	r.page(redirectFlowPath, servePage(redirectFlowPage))
}

func createRedirectFlow(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	if strings.TrimSpace(tx.body.Str("session_token")) == "" {
		p.Add("session_token", "can't be blank")
	}
	checkRedirect(p, "success_redirect_url", tx.body.Str("success_redirect_url"))
	if err := p.Err(); err != nil {
		return result{}, err
	}
	f := tx.draft("redirect_flows")
	f.Set("links", object{{"creditor", creditor.ID}})
	f.Set("redirect_url", tx.payURL()+redirectFlowPath+f.ID)
	redirectPrefilled.Set(f, tx.body.Obj("prefilled_customer"))
	return one(tx.add(f)), nil
}

// payURL returns the base URL of the payers' pages: the sandbox's own if it has a socket.
func (tx *tx) payURL() string {
	if tx.sb.base.Load() == nil {
		return "https://pay-sandbox.gocardless.com"
	}
	return tx.base
}

// Payer holds the details that a payer enters on a hosted page.
type Payer struct {
	GivenName, FamilyName, CompanyName, Email   string
	AddressLine1, City, PostalCode, CountryCode string

	AccountHolderName string
	IBAN              string
	// Local details, if IBAN is empty.
	AccountNumber, BranchCode, BankCode, AccountType string
}

// details and bank return the payer's entries as request bodies.
func (p Payer) details() object {
	return pairs("given_name", p.GivenName, "family_name", p.FamilyName, "company_name", p.CompanyName, "email", p.Email,
		"address_line1", p.AddressLine1, "city", p.City, "postal_code", p.PostalCode, "country_code", p.CountryCode)
}

func (p Payer) bank() object {
	o := pairs("account_holder_name", p.AccountHolderName, "iban", p.IBAN, "account_number", p.AccountNumber,
		"branch_code", p.BranchCode, "bank_code", p.BankCode, "account_type", p.AccountType)
	if p.IBAN == "" {
		o = append(o, member{"country_code", p.CountryCode})
	}
	return o
}

// TestPayer is a British payer with the API's test bank account.
var TestPayer = Payer{
	GivenName: "Robin", FamilyName: "Sample", Email: "payer@example.com",
	AddressLine1: "12 Example Street", City: "Leeds", PostalCode: "LS1 1AA", CountryCode: "GB",
	AccountHolderName: "Robin Sample", BranchCode: "200000", AccountNumber: "55779911",
}

// FinishRedirectFlow plays the payer on the page of a redirect flow: it enters and confirms the
// details, so that the flow can be completed. It returns the URL that the payer's browser is sent back
// to. Details that the page would refuse are an error.
func (sb *Sandbox) FinishRedirectFlow(id string, payer Payer) (string, error) {
	var back string
	err := sb.update(func(tx *tx) error {
		f := tx.find("redirect_flows", id)
		if f == nil {
			return api.NotFound()
		}
		if tx.flowExpired(f) {
			return api.Refuse("bad_request", "The redirect flow has expired")
		}
		p := &api.Problems{Prefix: "/payer"}
		back = tx.finishRedirectFlow(f, p, payer.details(), payer.bank())
		return p.Err()
	})
	if err != nil {
		return "", err
	}
	return back, nil
}

// finishRedirectFlow stores what a payer entered and returns the URL that the browser is sent to,
// unless there are problems.
func (tx *tx) finishRedirectFlow(f *record, p *api.Problems, details, bank object) string {
	tx.checkCustomer(p, "", details, nil)
	if bank.Str("account_holder_name") == "" {
		p.Add("account_holder_name", "can't be blank")
	}
	d := readBankDetails(p, "", bank)
	scheme := cmp.Or(f.Str("scheme"), schemeOf(d.Currency))
	if len(p.Items) == 0 && currencyOf(scheme) != d.Currency {
		p.Add("country_code", "is not one of %s", scheme)
	}
	u, err := url.Parse(f.Str("success_redirect_url"))
	if err != nil {
		p.Add("success_redirect_url", "is invalid")
	}
	if len(p.Items) > 0 {
		return ""
	}
	redirectPayer.Set(f, details)
	redirectBank.Set(f, bank)
	f.Set("scheme", scheme)
	q := u.Query()
	q.Set("redirect_flow_id", f.ID)
	u.RawQuery = q.Encode()
	return u.String()
}

func (tx *tx) flowExpired(f *record) bool {
	return f.Str("created_at") < value.Stamp(tx.now.Add(-redirectFlowLife))
}

func completeRedirectFlow(tx *tx) (result, error) {
	f := tx.target
	switch {
	case tx.body.Str("session_token") != f.Str("session_token"):
		return result{}, api.Refuse("bad_request", "The session token is not that of the redirect flow")
	case f.Link("mandate") != "":
		return result{}, api.Refuse("redirect_flow_already_completed", "This redirect flow has already been completed")
	case redirectPayer.Of(f) == nil:
		return result{}, api.Refuse("redirect_flow_incomplete", "The customer has not completed the pages of this redirect flow")
	}
	creditor := tx.must("creditors", f.Link("creditor"))
	customer := tx.addCustomer(redirectPayer.Of(f))
	p := tx.problems()
	d := readBankDetails(p, "", redirectBank.Of(f))
	if err := p.Err(); err != nil {
		return result{}, err
	}
	account := tx.addCustomerBankAccount(customer, d, nil)
	m := tx.make("mandates")
	m.Set("scheme", f.Str("scheme"))
	m.Set("metadata", f.Get("metadata"))
	tx.addMandate(m, creditor, customer, account)
	f.Set("links", f.Obj("links").With("customer", customer.ID).With("customer_bank_account", account.ID).With("mandate", m.ID))
	f.Set("mandate_reference", m.Str("reference"))
	f.Set("confirmation_url", tx.payURL()+redirectFlowPath+f.ID+"/success")
	return one(f), nil
}
