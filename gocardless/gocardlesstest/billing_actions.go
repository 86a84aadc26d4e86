package gocardlesstest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// The actions on a billing request. Each checks its input, records its changes and marks its step as
// done, so that one call can run several. The payers' pages use the same actions.

// may returns an error if a step cannot be taken now.
func (b *billing) may(kind string) error {
	if b.finished() {
		return api.TooLate("The billing request is " + b.rec.Status())
	}
	if b.customer != nil && b.customer.Removed {
		return api.Refuse("customer_data_removed", "This customer's data has been removed")
	}
	a, there := b.action(kind)
	if !there {
		return api.TooLate("The billing request has no " + kind + " action")
	}
	for _, need := range a.requires {
		if !b.completed(need) {
			return api.TooEarly(kind + " requires " + need + " to be completed first")
		}
	}
	return nil
}

// tell creates an event about the request.
func (b *billing) tell(action string, links ...member) {
	l := object{}
	if b.customer != nil {
		l = append(l, member{"customer", b.customer.ID})
	}
	b.tx.event(b.rec, event{action: action, cause: billingCause(action), links: append(l, links...)})
}

// billingCause returns the cause of an action's event.
func billingCause(action string) string {
	if action == "payer_geo_blocked" {
		return action
	}
	return "billing_request_" + action
}

// collectCustomerDetails records the payer's name and address. The path leads to them within the body.
func (b *billing) collectCustomerDetails(p *api.Problems, path string, body object) error {
	if err := b.may(collectDetails); err != nil {
		return err
	}
	person, address := body.Obj("customer"), body.Obj("customer_billing_detail")
	if b.customer == nil || len(person) > 0 || b.done[collectDetails] {
		b.tx.checkCustomer(p, path+"customer/", person, b.customer)
	}
	merged := b.address
	for _, m := range address {
		merged = merged.With(m.Key, m.Val)
	}
	b.checkBillingDetail(p, path+"customer_billing_detail/", address, merged)
	b.address = merged
	for _, m := range person {
		b.person = b.person.With(m.Key, m.Val)
	}
	b.done[collectDetails] = true
	b.then(func() {
		for _, m := range person {
			b.customer.Set(m.Key, m.Val)
		}
		for _, m := range address {
			b.detail.Set(m.Key, m.Val)
			if b.customer.Coll.Spec.Index(m.Key) >= 0 {
				b.customer.Set(m.Key, m.Val)
			}
		}
		b.tell(collectDetails)
	})
	return nil
}

// checkBillingDetail checks the address against the scheme's requirements.
func (b *billing) checkBillingDetail(p *api.Problems, path string, given, merged object) {
	checkAddress(p, path, given, merged.Str("country_code"))
	if b.mandate != nil {
		for _, f := range billingFields(b.scheme(), b.mandate.Str("authorisation_source")) {
			if strings.TrimSpace(merged.Str(f)) == "" {
				p.Add(path+f, "can't be blank")
			}
		}
	}
	checkIdentityNumbers(p, path, given, nil)
}

// collectBankAccount records the account that will be debited.
func (b *billing) collectBankAccount(p *api.Problems, path string, body object) error {
	if err := b.may(collectAccount); err != nil {
		return err
	}
	before := len(p.Items)
	var d bankDetails
	if id := body.Str("pay_id"); id != "" {
		d = b.readPayID(p, path, id, body)
	} else {
		if strings.TrimSpace(body.Str("account_holder_name")) == "" {
			p.Add(path+"account_holder_name", "can't be blank")
		}
		d = readBankDetails(p, path, body)
	}
	if len(p.Items) > before {
		return nil
	}
	if b.currency() == "" {
		b.takeCurrency(d.Currency)
	}
	if scheme := b.debitScheme(); d.Currency != b.currency() {
		p.Add(path+"country_code", "must be that of an account in %s", b.currency())
	} else if scheme != "" && !slices.Contains(reachable(d), any(scheme)) {
		p.Add(path+"country_code", "is not supported by %s", scheme)
	} else if b.mandate != nil && scheme == "" {
		b.takeCurrency(d.Currency)
	}
	if len(p.Items) > before {
		return nil
	}
	b.done[collectAccount] = true
	b.then(func() {
		b.attach(d, body.Get("metadata"))
		b.tell(collectAccount, member{"customer_bank_account", b.account.ID})
	})
	return nil
}

// debitScheme returns the scheme that the payer's account must be able to use.
func (b *billing) debitScheme() string {
	if b.instant() {
		return b.payment.Str("scheme")
	}
	return b.scheme()
}

// readPayID derives bank details from a PayID, which stands for an account at an Australian bank.
func (b *billing) readPayID(p *api.Problems, path, id string, body object) bankDetails {
	if b.debitScheme() != "pay_to" {
		p.Add(path+"pay_id", "can only be given for pay_to")
	}
	if body.Str("country_code") != "AU" {
		p.Add(path+"country_code", "must be AU for a PayID")
	}
	for _, name := range []string{"account_number", "branch_code", "iban"} {
		if body.Has(name) {
			p.Add(path+name, "must be blank when a PayID is given")
		}
	}
	holder := bank.HolderName(body.Str("account_holder_name"))
	if holder == "" {
		holder = bank.HolderName(strings.TrimSpace(b.person.Str("given_name") + " " + b.person.Str("family_name")))
	}
	name, bic := bank.NameOf("AU", "")
	return bankDetails{Country: "AU", Currency: "AUD", BankName: name, BIC: bic, Holder: holder,
		Ending: strconv.Itoa(100 + int(store.HashText(id)%100))[1:], Key: "pay_id " + strings.ToLower(id)}
}

// attach links an account with checked details to the request: an existing one of the customer, or a
// new one.
func (b *billing) attach(d bankDetails, metadata any) {
	b.account = nil
	for _, a := range accountsOf(b.customer) {
		if a.Ref("key") == d.Key {
			a.Set("enabled", true)
			b.account = a
		}
	}
	if b.account == nil {
		b.account = b.tx.addCustomerBankAccount(b.customer, d, metadata)
	}
	b.rec.SetLink("customer_bank_account", b.account.ID)
}

// confirmPayerDetails records that the payer has confirmed their details.
func (b *billing) confirmPayerDetails(body object) error {
	if err := b.may(confirmDetails); err != nil {
		return err
	}
	b.done[confirmDetails] = true
	b.mandate = b.mandate.With("payer_requested_dual_signature", body.Flag("payer_requested_dual_signature"))
	b.then(func() { b.tell("payer_details_confirmed") })
	return nil
}

// chooseCurrency changes the currency of a request that has only a mandate.
func (b *billing) chooseCurrency(p *api.Problems, body object) error {
	if err := b.may(chooseCurrency); err != nil {
		return err
	}
	if b.payment != nil {
		return api.TooLate("The currency of a billing request with a payment is fixed")
	}
	for _, f := range b.tx.sb.store.Coll("billing_request_flows").By("billing_request", b.rec.ID) {
		if f.Flag("lock_currency") {
			return api.TooLate("The currency is locked by the billing request's flow")
		}
	}
	currency := body.Str("currency")
	if !slices.Contains(mandateCurrencies, currency) {
		p.Add("currency", "must be one of %s", humanList(mandateCurrencies))
		return nil
	}
	b.takeCurrency(currency)
	if b.account != nil && b.account.Str("currency") != currency {
		// An account in another currency cannot be debited.
		b.account = nil
		b.done[collectAccount], b.done[confirmDetails] = false, false
	}
	b.then(func() {
		if b.account == nil {
			b.rec.Set("links", b.rec.Obj("links").Without("customer_bank_account"))
		}
		b.tell(chooseCurrency)
	})
	return nil
}

// collectAmount sets the amount of a payment that left it open. Only the hosted page can do this.
func (b *billing) collectAmount(p *api.Problems, amount int64) error {
	if err := b.may(collectAmount); err != nil {
		return err
	}
	if high := maximumAmount(b.payment.Str("scheme")); amount < minimumPayment || amount > high {
		p.Add("amount", "must be between %d and %d", minimumPayment, high)
		return nil
	}
	b.payment = b.payment.With("amount", amount)
	b.then(func() { b.tell(collectAmount) })
	return nil
}

// selectInstitution records the payer's bank.
func (b *billing) selectInstitution(p *api.Problems, path, country, id string) error {
	if b.finished() {
		return api.TooLate("The billing request is " + b.rec.Status())
	}
	if a, _, _ := b.adapter(); !strings.HasPrefix(a, "open_banking") {
		return api.TooLate("The billing request has no " + selectInstitution + " action")
	}
	in := institutionOf(id)
	switch {
	case in == nil || in.country != country:
		p.Add(path+"institution", "is not an institution in %s", country)
		return nil
	case in.status != "enabled":
		p.Add(path+"institution", "cannot be used at the moment")
		return nil
	}
	b.institution = id
	if in.passesAccount && b.account == nil {
		b.done[collectAccount] = true
	}
	b.then(func() { b.tell(selectInstitution) })
	return nil
}

// accountFromBank acts as a bank that provides the payer's account with the authorisation.
func (b *billing) accountFromBank() {
	if b.account != nil {
		return
	}
	country := currencyCountry(b.currency())
	name, bic := bank.NameOf(country, "20")
	b.attach(bankDetails{Country: country, Currency: b.currency(), BankName: name, BIC: bic,
		Holder: bank.HolderName(customerName(b.customer)), Ending: "11", Key: "bank of " + b.rec.ID}, nil)
}

// authorised records that the payer's bank has agreed.
func (b *billing) authorised() {
	b.done[authoriseBank] = true
	b.then(func() {
		if _, _, required := b.adapter(); required || !b.done[collectAccount] {
			b.accountFromBank()
			b.done[collectAccount] = true
		}
		b.tell("bank_authorisation_authorised", b.authorisationLink()...)
	})
}

// authorisationLink returns the link to the request's bank authorisation, or nil.
func (b *billing) authorisationLink() []member {
	if id := b.rec.Link("bank_authorisation"); id != "" {
		return []member{{"bank_authorisation", id}}
	}
	return nil
}
