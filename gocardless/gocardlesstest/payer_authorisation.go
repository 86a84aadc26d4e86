package gocardlesstest

import (
	"cmp"
	"slices"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Payer authorisations, the deprecated way to collect a payer's details: stored while incomplete,
// submitted when complete, confirmed, and then turned into a customer, a bank account and a mandate.

// The parts of an authorisation as they were given, with the whole account number.
const (
	authorisedCustomer store.Hidden[object] = "customer"
	authorisedAccount  store.Hidden[object] = "bank_account"
	authorisedMandate  store.Hidden[object] = "mandate"
)

func payerAuthorisationFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "payer_authorisations"})
	r.on("payer_authorisations.create", createPayerAuthorisation)
	r.on("payer_authorisations.update", updatePayerAuthorisation)
	r.on("payer_authorisations.submit", submitPayerAuthorisation)
	r.on("payer_authorisations.confirm", confirmPayerAuthorisation)
	r.job("payer_authorisation.complete", func(tx *tx, id, _ string) {
		if a := tx.find("payer_authorisations", id); a != nil && a.Status() == "confirmed" {
			tx.completePayerAuthorisation(a)
		}
	})
}

// authorisationParts are the parts of a payer authorisation.
var authorisationParts = []string{"customer", "bank_account", "mandate"}

func createPayerAuthorisation(tx *tx) (result, error) {
	a := tx.make("payer_authorisations")
	a.Set("status", "created")
	a.Set("links", object{})
	tx.fillPayerAuthorisation(a)
	return one(tx.add(a)), nil
}

// fillPayerAuthorisation copies the members of the body. Replies show only the end of the account
// number.
func (tx *tx) fillPayerAuthorisation(a *record) {
	for _, part := range authorisationParts {
		o := store.Hidden[object](part).Of(a)
		for _, m := range tx.body.Obj(part) {
			o = o.With(m.Key, m.Val)
		}
		store.Hidden[object](part).Set(a, o)
		if part == "bank_account" {
			number := cmp.Or(o.Str("iban"), bank.Separators.Replace(o.Str("account_number")))
			o = o.Without("account_number").Without("iban").Without("account_number_suffix")
			if len(number) > 2 {
				o = o.With("account_number_ending", number[len(number)-2:])
			}
		}
		a.Set(part, o)
	}
	missing := []any{}
	for _, it := range tx.missingDetails(a) {
		missing = append(missing, object{{"field", it.Field}, {"message", it.Message}, {"request_pointer", it.Pointer}})
	}
	a.Set("incomplete_fields", missing)
}

// missingDetails lists the members without which the authorisation cannot be submitted.
func (tx *tx) missingDetails(a *record) []api.ErrorItem {
	p := &api.Problems{Prefix: "/payer_authorisations"}
	need := func(part string, names ...string) {
		for _, name := range names {
			if store.Hidden[object](part).Of(a).Str(name) == "" {
				p.Add(part+"/"+name, "can't be blank")
			}
		}
	}
	if authorisedCustomer.Of(a).Str("company_name") == "" {
		need("customer", "given_name", "family_name")
	}
	mandate := authorisedMandate.Of(a)
	need("customer", "email")
	for _, name := range billingFields(mandate.Str("scheme"), "") {
		if name == "ip_address" {
			need("mandate", "payer_ip_address")
		} else {
			need("customer", name)
		}
	}
	need("bank_account", "account_holder_name")
	if authorisedAccount.Of(a).Str("iban") == "" {
		need("bank_account", "account_number", "country_code")
	}
	need("mandate", "scheme")
	return p.Items
}

func updatePayerAuthorisation(tx *tx) (result, error) {
	if tx.target.Status() != "created" {
		return result{}, api.TooLate("The payer authorisation is " + tx.target.Status() + " and can no longer be changed")
	}
	tx.fillPayerAuthorisation(tx.target)
	return one(tx.target), nil
}

func submitPayerAuthorisation(tx *tx) (result, error) {
	a := tx.target
	if a.Status() != "created" {
		return result{}, api.TooLate("The payer authorisation is " + a.Status())
	}
	p := &api.Problems{Prefix: "/payer_authorisations", Items: tx.missingDetails(a)}
	if len(p.Items) == 0 {
		tx.checkCustomer(p, "customer/", authorisedCustomer.Of(a), nil)
		before := len(p.Items)
		d := readBankDetails(p, "bank_account/", authorisedAccount.Of(a))
		if scheme := authorisedMandate.Of(a).Str("scheme"); len(p.Items) == before && !slices.Contains(schemesFor(d), any(scheme)) {
			p.Add("mandate/scheme", "is not supported by the bank account")
		}
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	a.Set("status", "submitted")
	return one(a), nil
}

func confirmPayerAuthorisation(tx *tx) (result, error) {
	a := tx.target
	if a.Status() != "submitted" {
		return result{}, api.TooEarly("Only submitted payer authorisations can be confirmed; this one is " + a.Status())
	}
	a.Set("status", "confirmed")
	tx.at(tx.now.Add(time.Second), "payer_authorisation.complete", a.ID, "")
	return one(a), nil
}

// completePayerAuthorisation creates the customer, bank account and mandate, unless the given name is
// Invalid.
func (tx *tx) completePayerAuthorisation(a *record) {
	details, wanted := authorisedCustomer.Of(a), authorisedMandate.Of(a)
	if details.Str("given_name") == "Invalid" {
		a.Set("status", "failed")
		tx.event(a, event{action: "failed", cause: "mandate_creation_failed"})
		return
	}
	d := readBankDetails(&api.Problems{}, "", authorisedAccount.Of(a))
	customer := tx.addCustomer(details.Without("locale"))
	account := tx.addCustomerBankAccount(customer, d, metadataOf(authorisedAccount.Of(a)))
	m := tx.make("mandates")
	m.Set("scheme", wanted.Str("scheme"))
	m.Set("reference", nilIfEmpty(wanted.Str("reference")))
	m.Set("metadata", metadataOf(wanted))
	tx.addMandate(m, tx.sb.store.Coll("creditors").Recs[0], customer, account)
	a.Set("status", "completed")
	a.Set("links", object{{"customer", customer.ID}, {"bank_account", account.ID}, {"mandate", m.ID}})
	tx.event(a, event{action: "completed", cause: "payer_authorisation_completed"})
}
