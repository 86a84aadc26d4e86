package gocardlesstest

import (
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Bank accounts of customers and creditors, look-ups of bank details, and checks of holders.

func bankAccountFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "customer_bank_accounts", Indexed: []string{"customer"}})
	r.on("customer_bank_accounts.create", createCustomerBankAccount)
	r.on("customer_bank_accounts.disable", disableCustomerBankAccount)

	r.collection(store.CollectionSpec{Name: "creditor_bank_accounts", Indexed: []string{"creditor"}})
	r.on("creditor_bank_accounts.create", createCreditorBankAccount)
	r.on("creditor_bank_accounts.disable", disableCreditorBankAccount)

	r.on("bank_details_lookups.create", lookUpBankDetails)

	r.collection(store.CollectionSpec{Name: "bank_account_holder_verifications"})
	r.on("bank_account_holder_verifications.create", verifyHolder)
	r.job("holder.complete", completeHolderVerification)

	// No collection owns the id: it may be that of a customer's or of a creditor's account.
	r.owner("bank_account_details.get", "")
	r.on("bank_account_details.get", bankAccountDetails)
}

// fillAccount copies checked details into the record of an account.
func fillAccount(a *record, d bankDetails) {
	a.Set("account_holder_name", d.Holder)
	a.Set("account_number_ending", d.Ending)
	a.Set("account_type", nilIfEmpty(d.AccountType))
	a.Set("bank_name", d.BankName)
	a.Set("country_code", d.Country)
	a.Set("currency", d.Currency)
	a.Set("enabled", true)
	a.SetRef("key", d.Key)
	a.SetRef("bic", d.BIC)
}

func createCustomerBankAccount(tx *tx) (result, error) {
	customer, err := tx.linked("customers", "customer")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	var d bankDetails
	token := tx.body.Obj("links").Str("customer_bank_account_token")
	if token != "" {
		if tx.sb.tokenUsed(token) {
			return result{}, api.Refuse("customer_bank_account_token_used", "This token has already been used")
		}
		d = tx.tokenDetails(token, customer)
	} else {
		if tx.body.Str("account_holder_name") == "" {
			p.Add("account_holder_name", "can't be blank")
		}
		d = readBankDetails(p, "", tx.body)
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	for _, a := range accountsOf(customer) {
		if a.Ref("key") != d.Key {
			continue
		}
		if a.Flag("enabled") {
			return result{}, api.Refuse("bank_account_exists", "Bank account already exists", "customer_bank_account", a.ID)
		}
		// Creating a disabled account again enables it.
		a.Set("enabled", true)
		a.Set("account_holder_name", d.Holder)
		if tx.body.Has("metadata") {
			a.Set("metadata", tx.body.Get("metadata"))
		}
		return one(a), nil
	}
	a := tx.addCustomerBankAccount(customer, d, tx.body.Get("metadata"))
	if token != "" {
		a.SetRef("token", token)
	}
	return one(a), nil
}

// accountsOf returns the bank accounts of a customer, oldest first.
func accountsOf(customer *record) []*record {
	return customer.Coll.Store.Coll("customer_bank_accounts").By("customer", customer.ID)
}

func (sb *Sandbox) tokenUsed(token string) bool {
	return slices.ContainsFunc(sb.store.Coll("customer_bank_accounts").Recs, func(a *record) bool { return a.Ref("token") == token })
}

// addCustomerBankAccount stores an account with checked details.
func (tx *tx) addCustomerBankAccount(customer *record, d bankDetails, metadata any) *record {
	a := tx.make("customer_bank_accounts")
	fillAccount(a, d)
	a.Set("metadata", metadata)
	a.Set("links", object{{"customer", customer.ID}})
	a.Set("trusted_recipient", false)
	return tx.add(a)
}

func disableCustomerBankAccount(tx *tx) (result, error) {
	a := tx.target
	if !a.Flag("enabled") {
		return result{}, api.Refuse("disable_failed", "Bank account is already disabled")
	}
	a.Set("enabled", false)
	for _, m := range tx.sb.store.Coll("mandates").By("customer_bank_account", a.ID) {
		if mandateOpen(m.Status()) {
			tx.cancelMandate(m, ending{cause: "bank_account_closed"})
		}
	}
	return one(a), nil
}

func createCreditorBankAccount(tx *tx) (result, error) {
	creditor, err := tx.linked("creditors", "creditor")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	d := readBankDetails(p, "", tx.body)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	for _, a := range tx.sb.store.Coll("creditor_bank_accounts").By("creditor", creditor.ID) {
		if a.Ref("key") == d.Key && a.Flag("enabled") {
			return result{}, api.Refuse("bank_account_exists", "Bank account already exists", "creditor_bank_account", a.ID)
		}
	}
	first := creditor.Link(payoutLink(d.Currency)) == ""
	a := tx.addCreditorBankAccount(creditor, d, tx.body.Get("metadata"))
	if standard, given := tx.body.Lookup("set_as_default_payout_account"); !given || standard == true {
		creditor.SetLink(payoutLink(d.Currency), a.ID)
		if first {
			tx.event(creditor, event{action: "new_payout_currency_added", cause: "new_payout_currency_added", currency: d.Currency, bankAccount: a.ID})
		}
	}
	return one(a), nil
}

func (tx *tx) addCreditorBankAccount(creditor *record, d bankDetails, metadata any) *record {
	a := tx.make("creditor_bank_accounts")
	fillAccount(a, d)
	a.Set("metadata", metadata)
	a.Set("links", object{{"creditor", creditor.ID}})
	a.Set("verification_status", "successful")
	return tx.add(a)
}

// payoutLink returns the name of the creditor's link to its payout account in a currency.
func payoutLink(currency string) string {
	return "default_" + strings.ToLower(currency) + "_payout_account"
}

func disableCreditorBankAccount(tx *tx) (result, error) {
	a := tx.target
	if !a.Flag("enabled") {
		return result{}, api.Refuse("disable_failed", "Bank account is already disabled")
	}
	a.Set("enabled", false)
	creditor := tx.must("creditors", a.Link("creditor"))
	if link := payoutLink(a.Str("currency")); creditor.Link(link) == a.ID {
		creditor.Set("links", creditor.Obj("links").With(link, nil))
	}
	return one(a), nil
}

func lookUpBankDetails(tx *tx) (result, error) {
	p := tx.problems()
	d, _ := readAccount(p, "", tx.body) // a look-up has no account type
	if err := p.Err(); err != nil {
		return result{}, err
	}
	return result{obj: object{{"available_debit_schemes", schemesFor(d)}, {"bank_name", d.BankName}, {"bic", nilIfEmpty(d.BIC)}}}, nil
}

// bankAccount finds a bank account of a customer or of a creditor, or returns nil.
func (tx *tx) bankAccount(id string) *record {
	if a := tx.find("customer_bank_accounts", id); a != nil {
		return a
	}
	return tx.find("creditor_bank_accounts", id)
}

// verifyHolder starts a check of an account holder. The name selects the result: one that contains
// "partial" matches partially, "nobody" does not match, and "unable" means that the bank cannot tell.
func verifyHolder(tx *tx) (result, error) {
	a := tx.bankAccount(tx.body.Obj("links").Str("bank_account"))
	if a == nil {
		return result{}, api.LinkNotFound(tx.op.Request, "bank account", "bank_account")
	}
	v := tx.make("bank_account_holder_verifications")
	v.Set("type", tx.body.Str("type"))
	v.Set("status", "pending")
	v.SetRef("holder", a.Str("account_holder_name"))
	tx.add(v)
	tx.at(tx.now.Add(holderCheckTime), "holder.complete", v.ID, "")
	return one(v), nil
}

func completeHolderVerification(tx *tx, id, _ string) {
	v := tx.find("bank_account_holder_verifications", id)
	if v == nil || v.Status() != "pending" {
		return
	}
	match, actual := holderMatch(v.Ref("holder"))
	v.Set("status", "completed")
	v.Set("result", match)
	v.Set("actual_account_name", actual)
}

// bankAccountDetails replies with a flattened JWE, encrypted for the key that the Gc-Key-Id header
// names.
func bankAccountDetails(tx *tx) (result, error) {
	a := tx.bankAccount(tx.id)
	if a == nil {
		return result{}, api.NotFound()
	}
	key := tx.header.Get("Gc-Key-Id")
	if key == "" {
		return result{}, api.Refuse("bad_request", "The Gc-Key-Id header is missing")
	}
	o, err := tx.sealedFor(key, fullDetails(a, ""), store.HashText(a.ID))
	if err != nil {
		return result{}, err
	}
	return result{obj: o}, nil
}

// holderCheckTime is how long a check of an account's holder takes.
const holderCheckTime = time.Second

// holderMatch returns the result of a bank's check that an account belongs to a name.
func holderMatch(holder string) (match string, actual any) {
	switch n := strings.ToLower(holder); {
	case strings.Contains(n, "partial"):
		return "partial_match", api.TitleCase(strings.ToLower(holder)) + " Jr"
	case strings.Contains(n, "nobody"):
		return "no_match", nil
	case strings.Contains(n, "unable"):
		return "unable_to_match", nil
	}
	return "full_match", nil
}
