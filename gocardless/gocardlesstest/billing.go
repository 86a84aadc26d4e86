package gocardlesstest

import (
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Billing requests: created, completed step by step, and fulfilled with a mandate, a payment or both.

// Private members of a billing request: the completed steps, and the questions that the hosted page asked
// the payer.
const (
	billingDone          store.Hidden[[]any] = "done"
	billingAskedCurrency store.Hidden[bool]  = "asked_currency"
	billingAskedAmount   store.Hidden[bool]  = "asked_amount"
)

func billingFamily(r *registry) {
	r.collection(store.CollectionSpec{
		Name: "billing_requests", Indexed: []string{"customer"},
		Computed: []store.Computed{{Name: "resources", Value: billingResources}}, Live: true,
	})
	// The payer's billing details exist within billing requests only.
	r.collection(store.CollectionSpec{
		Name: "customer_billing_details", Prefix: "CBD", Internal: true,
		Spec: api.Op("billing_requests.get").Result.Field("resources").Type.Field("customer_billing_detail").Type,
	})
	r.on("billing_requests.create", func(tx *tx) (result, error) {
		b, err := tx.newBilling(tx.problems(), tx.body)
		if err != nil {
			return result{}, err
		}
		b.create(tx.body)
		return one(b.rec), nil
	})
	r.on("billing_requests.create_with_actions", createWithActions)
	r.on("billing_requests.list", func(tx *tx) (result, error) {
		l, err := tx.listing()
		if err != nil {
			return result{}, err
		}
		l.Leave = []string{"actions", "resources"} // only single replies contain them
		return result{listing: l}, nil
	})
	act := func(name string, f func(b *billing, p *api.Problems, body object) error) {
		r.on("billing_requests."+name, func(tx *tx) (result, error) {
			b, p := tx.openBilling(tx.target), tx.problems()
			err := f(b, p, tx.body)
			if err == nil {
				err = p.Err()
			}
			if err != nil {
				return result{}, err
			}
			b.commit()
			return one(b.rec), nil
		})
	}
	act("collect_customer_details", func(b *billing, p *api.Problems, body object) error { return b.collectCustomerDetails(p, "", body) })
	act("collect_bank_account", func(b *billing, p *api.Problems, body object) error { return b.collectBankAccount(p, "", body) })
	act("confirm_payer_details", func(b *billing, _ *api.Problems, body object) error { return b.confirmPayerDetails(body) })
	act("choose_currency", (*billing).chooseCurrency)
	act("select_institution", func(b *billing, p *api.Problems, body object) error {
		return b.selectInstitution(p, "", body.Str("country_code"), body.Str("institution"))
	})
	act("fallback", func(b *billing, _ *api.Problems, _ object) error { return b.fallBack() })
	act("notify", func(b *billing, _ *api.Problems, body object) error { return b.notify(body) })
	act("fulfil", func(b *billing, _ *api.Problems, _ object) error { return b.fulfil() })
	act("cancel", func(b *billing, _ *api.Problems, _ object) error { return b.cancel() })
}

// create stores a request whose parts were checked.
func (b *billing) create(body object) {
	tx := b.tx
	r := tx.make("billing_requests")
	b.rec = r
	if b.customer == nil {
		b.customer = tx.addCustomer(object{})
		b.person = b.customer.Object()
	}
	b.detail = tx.make("customer_billing_details")
	for i := range b.detail.Coll.Spec.Fields {
		if f := b.detail.Coll.Spec.Fields[i].Name; f != "id" && f != "created_at" && b.customer.Coll.Spec.Index(f) >= 0 {
			b.detail.Set(f, b.customer.Get(f))
		}
	}
	tx.add(b.detail)
	for _, name := range []string{"metadata", "fallback_enabled", "purpose_code", "payment_purpose_code", "payment_context_code"} {
		if body.Has(name) {
			r.Set(name, body.Get(name))
		}
	}
	r.Set("fallback_enabled", body.Flag("fallback_enabled"))
	links := object{
		{"creditor", b.creditor.ID}, {"customer", b.customer.ID}, {"customer_billing_detail", b.detail.ID}, {"organisation", tx.sb.organisation()},
	}
	// Each part has an id, which only the links show.
	part := func(name, prefix string, o object) {
		if o != nil {
			links = append(links, member{name, prefix + strings.TrimPrefix(r.ID, r.Coll.Prefix)})
		}
	}
	part("mandate_request", "MRQ", b.mandate)
	part("payment_request", "PRQ", b.payment)
	part("subscription_request", "SBR", b.subscription)
	part("instalment_schedule_request", "ISR", b.schedule)
	if b.account != nil {
		links = append(links, member{"customer_bank_account", b.account.ID})
	}
	r.Set("links", links)
	r.Set("status", "pending")
	tx.add(r)
	b.tell("created")
	b.commit()
}

// billingResources returns copies of the payer's records.
func billingResources(_ time.Time, r *record) any {
	o := object{}
	add := func(name, coll, link string) {
		if id := r.Link(link); id != "" {
			if c := r.Coll.Store.Coll(coll).ByID[id]; c != nil && !c.Removed {
				o = append(o, member{name, c.Object()})
			}
		}
	}
	add("customer", "customers", "customer")
	add("customer_billing_detail", "customer_billing_details", "customer_billing_detail")
	add("customer_bank_account", "customer_bank_accounts", "customer_bank_account")
	return o
}

// createWithActions creates a request and runs actions on it. Unless all of them succeed, nothing is
// created.
func createWithActions(tx *tx) (result, error) {
	p := tx.problems()
	b, err := tx.newBilling(p, tx.body)
	if err != nil {
		return result{}, err
	}
	todo := tx.body.Obj("actions")
	steps := []struct {
		name string
		do   func(object) error
	}{
		{"collect_customer_details", func(o object) error {
			return b.collectCustomerDetails(p, "actions/collect_customer_details/", o)
		}},
		{"select_institution", func(o object) error {
			return b.selectInstitution(p, "actions/select_institution/", o.Str("country_code"), o.Str("institution"))
		}},
		{"collect_bank_account", func(o object) error { return b.collectBankAccount(p, "actions/collect_bank_account/", o) }},
		{"confirm_payer_details", b.confirmPayerDetails},
	}
	for _, s := range steps {
		o := todo.Obj(s.name)
		if o == nil {
			continue
		}
		if err := s.do(o); err != nil {
			return result{}, err
		}
		if err := p.Err(); err != nil {
			return result{}, err
		}
	}
	authorise := todo.Flag("create_bank_authorisation")
	if authorise {
		if err := b.may(authoriseBank); err != nil {
			return result{}, err
		}
	}
	redirect := todo.Str("bank_authorisation_redirect_uri")
	checkRedirect(p, "actions/bank_authorisation_redirect_uri", redirect)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	b.create(tx.body)
	reply := object{}
	if authorise {
		reply = append(reply, member{"bank_authorisations", b.authorisation(redirect, "").Object()})
	}
	request := b.rec.Object().With("resources", billingResources(tx.now, b.rec))
	return result{obj: append(reply, member{"billing_requests", request}), made: b.rec.ID}, nil
}

// fallBack replaces the instant payment with a direct debit.
func (b *billing) fallBack() error {
	switch {
	case b.finished():
		return api.TooLate("The billing request is " + b.rec.Status())
	case b.fallback:
		return api.TooLate("The billing request has fallen back already")
	case b.payment == nil:
		return api.TooLate("The billing request has no payment_request")
	case !b.rec.Flag("fallback_enabled"):
		return api.TooLate("Fallback is not enabled for the billing request")
	case schemeOf(b.currency()) == "" || b.payment.Str("scheme") == "pay_to":
		return api.TooLate("The billing request has no direct debit to fall back to")
	}
	b.fallback = true
	b.institution = ""
	b.done[authoriseBank] = false
	if b.account == nil {
		b.done[collectAccount] = false
	}
	currency := b.currency()
	scheme := schemeOf(currency)
	if b.mandate == nil {
		b.mandate = object{
			{"currency", currency}, {"scheme", scheme}, {"verify", "recommended"}, {"sweeping", false},
			{"payer_requested_dual_signature", false}, {"links", object{}}, {"metadata", object{}},
		}
		b.then(func() { b.rec.SetLink("mandate_request", "MRQ"+strings.TrimPrefix(b.rec.ID, b.rec.Coll.Prefix)) })
	}
	b.payment = b.payment.With("scheme", scheme)
	return nil
}

// notify records a notification of the payer. The sandbox sends no e-mails.
func (b *billing) notify(body object) error {
	switch {
	case b.finished():
		return api.TooLate("The billing request is " + b.rec.Status())
	case !b.instant():
		return api.TooLate("Only billing requests with an instant payment can be notified")
	case b.person.Str("email") == "":
		return api.Refuse("billing_request_missing_customer_email", "The customer of the billing request has no email")
	}
	b.then(func() { b.rec.SetRef("notified", body.Str("notification_type")) })
	return nil
}

// cancel ends the request. Its flows are then unusable.
func (b *billing) cancel() error {
	if b.finished() {
		return api.Refuse("cancellation_failed", "The billing request cannot be cancelled: it is "+b.rec.Status())
	}
	b.then(func() {
		b.rec.Set("status", "cancelled")
		b.tell("cancelled")
	})
	return nil
}

// fulfil creates the resources that the request asks for.
func (b *billing) fulfil() error {
	switch {
	case b.finished():
		return api.TooLate("The billing request is " + b.rec.Status())
	case !b.ready():
		return api.TooEarly("The billing request is not ready to fulfil: not all required actions are completed")
	case b.customer.Removed:
		return api.Refuse("customer_data_removed", "This customer's data has been removed")
	case !b.account.Flag("enabled"):
		return api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	b.then(b.make)
	return nil
}

// make creates the mandate and whatever is collected under it.
func (b *billing) make() {
	tx := b.tx
	if tx.origin == "payer" {
		// GoCardless creates the resources, not the payer.
		tx.origin = "gocardless"
		defer func() { tx.origin = "payer" }()
	}
	var links []member
	var mandate *record
	if b.mandate != nil {
		mandate = b.makeMandate()
		b.mandate = b.mandate.With("links", object{{"mandate", mandate.ID}})
		b.rec.SetLink("mandate_request_mandate", mandate.ID)
		links = append(links, member{"mandate_request_mandate", mandate.ID})
	}
	if b.payment != nil {
		pay := b.makePayment(mandate)
		b.payment = b.payment.With("links", object{{"payment", pay.ID}})
		b.rec.SetLink("payment_request_payment", pay.ID)
		links = append(links, member{"payment_request_payment", pay.ID})
	}
	b.makePlans(mandate)
	b.rec.Set("status", "fulfilled")
	b.tell("fulfilled", links...)
}

func (b *billing) makeMandate() *record {
	tx, o := b.tx, b.mandate
	m := tx.make("mandates")
	m.Set("scheme", b.scheme())
	m.Set("metadata", o.Obj("metadata"))
	for _, name := range []string{"reference", "authorisation_source", "consent_type"} {
		if o.Has(name) && m.Coll.Spec.Index(name) >= 0 {
			m.Set(name, o.Get(name))
		}
	}
	if b.scheme() == "faster_payments" {
		m.Set("mandate_type", "vrp_commercial")
		if o.Flag("sweeping") {
			m.Set("mandate_type", "vrp_sweeping")
		}
	}
	if c := o.Obj("constraints"); c != nil {
		m.Set("consent_parameters", consentOf(c))
	}
	tx.addMandate(m, b.creditor, b.customer, b.account)
	if s := o.Str("funds_settlement"); s != "" {
		m.Set("funds_settlement", s)
	}
	if b.done[authoriseBank] {
		m.Set("verified_at", tx.timestamp())
	}
	if o.Flag("payer_requested_dual_signature") && m.Status() == "pending_submission" {
		m.Set("status", "pending_customer_approval")
	}
	return m
}

// consentOf converts the limits of a mandate request into those of its mandate.
func consentOf(c object) object {
	o := object{}
	for _, name := range []string{"start_date", "end_date", "max_amount_per_payment"} {
		if c.Has(name) {
			o = append(o, member{name, c.Get(name)})
		}
	}
	if limits := c.List("periodic_limits"); len(limits) > 0 {
		l, _ := limits[0].(object)
		for _, m := range []struct{ from, to string }{
			{"period", "period"}, {"max_total_amount", "max_amount_per_period"}, {"max_payments", "max_payments_per_period"},
		} {
			if l.Has(m.from) {
				o = append(o, member{m.to, l.Get(m.from)})
			}
		}
	}
	return o
}

// makePayment creates the payment. An instant payment consumes a mandate of its own; after a fallback,
// the payment is collected under the request's mandate.
func (b *billing) makePayment(mandate *record) *record {
	tx, o := b.tx, b.payment
	once := b.instant()
	if once {
		mandate = tx.make("mandates")
		mandate.Set("scheme", o.Str("scheme"))
		mandate.Set("mandate_type", "instant")
		tx.addMandate(mandate, b.creditor, b.customer, b.account)
	}
	pay := tx.make("payments")
	for _, name := range []string{"amount", "description", "reference", "metadata", "app_fee", "retry_if_possible"} {
		if o.Has(name) && pay.Coll.Spec.Index(name) >= 0 {
			pay.Set(name, o.Get(name))
		}
	}
	tx.addPayment(pay, mandate, "payment_created")
	if once && mandate.Status() == "active" {
		mandate.Set("status", "consumed")
		tx.event(mandate, event{action: "consumed", cause: "mandate_consumed", origin: "gocardless"})
	}
	return pay
}
