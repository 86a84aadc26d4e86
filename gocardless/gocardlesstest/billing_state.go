package gocardlesstest

import (
	"slices"
)

// The steps of a billing request depend on what it creates (a mandate, an instant payment, or both) and
// on the scheme. The lists of actions below match recorded replies of the API for Bacs mandates and
// Faster Payments; those of the other schemes follow its documentation.

// Types of actions.
const (
	chooseCurrency    = "choose_currency"
	collectAmount     = "collect_amount"
	collectDetails    = "collect_customer_details"
	selectInstitution = "select_institution"
	collectAccount    = "collect_bank_account"
	confirmDetails    = "confirm_payer_details"
	authoriseBank     = "bank_authorisation"
)

// billing is a billing request during a call: its record, and the changes that the call is about to
// make. Its methods check and prepare; nothing is written before commit, so a call that is refused
// changes nothing.
type billing struct {
	tx  *tx
	rec *record // nil until a create has passed its checks

	creditor *record
	customer *record // nil until a create has passed its checks, unless it was linked
	detail   *record // the customer's billing detail, likewise
	account  *record

	// As replies show them; nil if the request does not create one.
	mandate, payment, subscription, schedule object

	fallback    bool // a direct debit replaced the instant payment
	done        map[string]bool
	institution string // id of the chosen bank
	person      object // details of the payer: those of the customer, changed by this call
	address     object // billing details, likewise
	steps       []func()
}

// openBilling returns the state of an existing billing request.
func (tx *tx) openBilling(r *record) *billing {
	b := &billing{
		tx: tx, rec: r, creditor: tx.must("creditors", r.Link("creditor")),
		mandate: r.Obj("mandate_request"), payment: r.Obj("payment_request"),
		subscription: r.Obj("subscription_request"), schedule: r.Obj("instalment_schedule_request"),
		fallback: r.Flag("fallback_occurred"), institution: r.Ref("institution"), done: map[string]bool{},
	}
	for _, v := range billingDone.Of(r) {
		s, _ := v.(string)
		b.done[s] = true
	}
	b.customer = tx.must("customers", r.Link("customer"))
	b.detail = tx.must("customer_billing_details", r.Link("customer_billing_detail"))
	if id := r.Link("customer_bank_account"); id != "" {
		b.account = tx.must("customer_bank_accounts", id)
	}
	b.person, b.address = b.customer.Object(), b.detail.Object()
	return b
}

// finished reports whether the request has ended.
func (b *billing) finished() bool {
	return b.rec != nil && slices.Contains([]string{"fulfilled", "cancelled", "fulfilling"}, b.rec.Status())
}

// instant reports whether the request asks for a payment through the payer's bank.
func (b *billing) instant() bool { return b.payment != nil && !b.fallback }

// scheme returns the scheme of the mandate, "" while it is open.
func (b *billing) scheme() string { return b.mandate.Str("scheme") }

// currency returns the currency of the payment or mandate, "" while it is open.
func (b *billing) currency() string {
	if c := b.payment.Str("currency"); c != "" {
		return c
	}
	return b.mandate.Str("currency")
}

// adapter returns how the payer's bank is asked, and whether it authorises a payment or a mandate. The
// adapter is "" if the bank is not asked.
func (b *billing) adapter() (adapter, kind string, required bool) {
	switch {
	case b.instant() && b.payment.Str("scheme") == "pay_to":
		return "bank_pay_recurring", "payment", true
	case b.instant():
		return "open_banking_gateway_pis", "payment", true
	}
	asked := slices.Contains([]string{"when_available", "always"}, b.mandate.Str("verify"))
	switch b.scheme() {
	case "pay_to":
		return "bank_pay_recurring", "mandate", true
	case "faster_payments":
		return "open_banking_gateway_pis", "mandate", true
	case "bacs":
		return "open_banking_gateway_ais", "mandate", asked
	case "autogiro":
		return "bankid_ais", "mandate", asked
	}
	return "", "", false
}

// picksBank reports whether the payer chooses a bank, which open banking needs and PayTo does not.
func (b *billing) picksBank() bool {
	a, _, _ := b.adapter()
	return a == "open_banking_gateway_pis"
}

// billingAction is one step of a billing request.
type billingAction struct {
	kind               string
	required           bool
	requires, complete []string
	done               bool
}

// actions lists the steps of the request in the API's order.
func (b *billing) actions() []billingAction {
	var list []billingAction
	add := func(kind string, required bool, requires, completes []string) {
		list = append(list, billingAction{kind: kind, required: required, requires: requires, complete: completes, done: b.completed(kind)})
	}
	adapter, _, authorise := b.adapter()
	before := []string{chooseCurrency}
	add(chooseCurrency, true, nil, nil)
	var amount []string
	if b.payment != nil {
		amount = []string{collectAmount}
		before = append(before, collectAmount)
		add(collectAmount, true, nil, nil)
	}
	add(collectDetails, true, before, nil)
	if b.picksBank() {
		add(selectInstitution, true, nil, nil)
	}
	add(collectAccount, true, amount, []string{chooseCurrency})
	if b.mandate != nil {
		add(confirmDetails, true, []string{collectDetails, collectAccount}, nil)
	}
	switch adapter {
	case "":
	case "open_banking_gateway_pis":
		add(authoriseBank, authorise, []string{selectInstitution}, nil)
	case "open_banking_gateway_ais":
		add(authoriseBank, authorise, []string{selectInstitution}, []string{collectAccount})
	case "bank_pay_recurring":
		add(authoriseBank, authorise, []string{collectAccount}, nil)
	default:
		add(authoriseBank, authorise, nil, nil)
	}
	return list
}

// completed reports whether a step is done.
func (b *billing) completed(kind string) bool {
	switch kind {
	case chooseCurrency:
		return b.currency() != ""
	case collectAmount:
		return b.payment.Has("amount")
	case collectDetails:
		person, address := b.incomplete()
		return b.done[kind] && len(person)+len(address) == 0
	case selectInstitution:
		return b.institution != ""
	}
	return b.done[kind]
}

// action finds a step of the request.
func (b *billing) action(kind string) (billingAction, bool) {
	for _, a := range b.actions() {
		if a.kind == kind {
			return a, true
		}
	}
	return billingAction{}, false
}

// ready reports whether all required steps are done.
func (b *billing) ready() bool {
	return !slices.ContainsFunc(b.actions(), func(a billingAction) bool { return a.required && !a.done })
}

// readyBut reports whether all required steps but one are done.
func (b *billing) readyBut(kind string) bool {
	return !slices.ContainsFunc(b.actions(), func(a billingAction) bool { return a.required && !a.done && a.kind != kind })
}

// billingFields lists the billing details that a scheme requires.
func billingFields(scheme, source string) []string {
	address := []string{"address_line1", "city", "postal_code", "country_code"}
	switch scheme {
	case "pay_to", "faster_payments":
		return nil
	case "ach":
		if source == "" || source == "web" {
			return append(address, "region", "ip_address")
		}
		return append(address, "region")
	case "pad":
		return append(address, "region")
	case "autogiro":
		return append(address, "swedish_identity_number")
	case "betalingsservice":
		return append(address, "danish_identity_number")
	}
	return address
}

// incomplete lists the details of the payer that are still missing.
func (b *billing) incomplete() (person, address []string) {
	wanted := []string{"email", "given_name", "family_name"}
	if b.person.Str("company_name") != "" {
		wanted = wanted[:1]
	}
	for _, f := range wanted {
		if b.person.Str(f) == "" {
			person = append(person, f)
		}
	}
	if b.mandate == nil {
		return person, nil
	}
	for _, f := range billingFields(b.scheme(), b.mandate.Str("authorisation_source")) {
		if b.address.Str(f) == "" {
			address = append(address, f)
		}
	}
	return person, address
}

// currencyCountry returns the country that the page preselects for a currency.
func currencyCountry(currency string) string {
	switch currency {
	case "USD":
		return "US"
	case "SEK":
		return "SE"
	case "AUD":
		return "AU"
	case "NZD":
		return "NZ"
	case "DKK":
		return "DK"
	case "CAD":
		return "CA"
	case "EUR":
		return "FR"
	}
	return "GB"
}

// mandateCurrencies and paymentCurrencies are those that a payer can choose, in the API's order.
var (
	mandateCurrencies = []string{"USD", "SEK", "GBP", "AUD", "NZD", "DKK", "CAD", "EUR"}
	paymentCurrencies = []string{"GBP", "EUR", "AUD"}
)

// actionList returns the steps as replies show them.
func (b *billing) actionList() []any {
	out := []any{}
	if b.finished() {
		return out
	}
	for _, a := range b.actions() {
		o := object{{"type", a.kind}, {"required", a.required}, {"status", "pending"}, {"requires_actions", texts(a.requires)}, {"completes_actions", texts(a.complete)}}
		if a.done {
			o = o.With("status", "completed")
		}
		switch a.kind {
		case chooseCurrency:
			currencies := mandateCurrencies
			if b.payment != nil {
				currencies = paymentCurrencies
			}
			o = append(o, member{"available_currencies", texts(currencies)})
		case collectDetails:
			person, address := b.incomplete()
			o = append(o, member{"collect_customer_details", object{
				{"default_country_code", currencyCountry(b.currency())},
				{"incomplete_fields", object{{"customer", texts(person)}, {"customer_billing_detail", texts(address)}}},
			}})
		case selectInstitution:
			guess := "pending"
			if a.done {
				guess = "not_needed"
			}
			o = append(o, member{"institution_guess_status", guess})
		case authoriseBank:
			adapter, kind, _ := b.adapter()
			o = append(o, member{"bank_authorisation", object{{"adapter", adapter}, {"authorisation_type", kind}}})
		}
		out = append(out, o)
	}
	return out
}

// then defers a change until all checks have passed.
func (b *billing) then(f func()) { b.steps = append(b.steps, f) }

// commit makes the deferred changes and saves the request.
func (b *billing) commit() {
	for _, f := range b.steps {
		f()
		b.save()
	}
	b.steps = nil
	b.save()
}

// save writes the state to the record.
func (b *billing) save() {
	r := b.rec
	set := func(name string, o object) {
		if o == nil {
			r.Set(name, nil)
			return
		}
		r.Set(name, o)
	}
	set("mandate_request", b.mandate)
	set("payment_request", b.payment)
	set("subscription_request", b.subscription)
	set("instalment_schedule_request", b.schedule)
	r.Set("fallback_occurred", b.fallback)
	r.SetRef("institution", b.institution)
	done := []any{}
	for _, kind := range []string{collectDetails, collectAccount, confirmDetails, authoriseBank} {
		if b.done[kind] {
			done = append(done, kind)
		}
	}
	billingDone.Set(r, done)
	if !b.finished() {
		r.Set("status", "pending")
		if b.ready() {
			r.Set("status", "ready_to_fulfil")
		}
	}
	r.Set("actions", b.actionList())
}
