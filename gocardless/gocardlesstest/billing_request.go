package gocardlesstest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// The parts of a new billing request.

// minimumPayment is the smallest instant payment, in minor units.
const minimumPayment = 100

// newBilling reads the body of a create. It adds violations of the request's rules to p and returns
// them as the error, unless there is a problem that is reported before them, such as a link to an
// unknown resource.
func (tx *tx) newBilling(p *api.Problems, body object) (*billing, error) {
	b := &billing{tx: tx, done: map[string]bool{}}
	var err error
	if b.creditor, err = tx.creditor(); err != nil {
		return nil, err
	}
	if b.customer, err = tx.linked("customers", "customer"); err != nil {
		return nil, err
	}
	if b.account, err = tx.linked("customer_bank_accounts", "customer_bank_account"); err != nil {
		return nil, err
	}
	b.readRequests(p, body)
	if b.account != nil {
		if err := b.linkAccount(p); err != nil {
			return nil, err
		}
	}
	if b.customer != nil {
		b.person, b.address = b.customer.Object(), b.customer.Object()
		// Details that the customer has need not be collected again.
		b.done[collectDetails] = true
		b.done[collectDetails] = b.completed(collectDetails)
	}
	return b, p.Err()
}

// linkAccount uses the bank account of an existing customer.
func (b *billing) linkAccount(p *api.Problems) error {
	owner := b.tx.must("customers", b.account.Link("customer"))
	switch {
	case b.customer == nil:
		b.customer = owner
	case b.customer != owner:
		p.Add("links/customer_bank_account", "belongs to another customer")
	}
	if !b.account.Flag("enabled") {
		return api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	currency := b.account.Str("currency")
	if b.currency() == "" {
		b.takeCurrency(currency)
	}
	if currency != b.currency() {
		p.Add("links/customer_bank_account", "must be an account in %s", b.currency())
	}
	b.done[collectAccount] = true
	return nil
}

// takeCurrency sets the currency of a request for a mandate only, and the scheme if it does not fit.
func (b *billing) takeCurrency(currency string) {
	b.mandate = b.mandate.With("currency", currency)
	if s := b.scheme(); s == "" || currencyOf(s) != currency {
		b.mandate = b.mandate.With("scheme", schemeOf(currency))
	}
}

// readRequests checks the parts of the body and converts them into what replies show.
func (b *billing) readRequests(p *api.Problems, body object) {
	mandate, payment := body.Obj("mandate_request"), body.Obj("payment_request")
	if mandate == nil && payment == nil {
		p.Add("mandate_request", "or a payment_request must be given")
		return
	}
	if payment != nil {
		b.payment = readPaymentRequest(p, payment)
	}
	if mandate != nil {
		b.mandate = b.readMandateRequest(p, mandate)
	}
	if s := body.Obj("subscription_request"); s != nil {
		b.subscription = b.readSubscriptionRequest(p, s)
	}
	if s := body.Obj("instalment_schedule_request"); s != nil {
		b.schedule = b.readScheduleRequest(p, s)
	}
}

// instantSchemes returns the schemes for instant payments in a currency. The first is the default.
func instantSchemes(currency string) []string {
	switch currency {
	case "GBP":
		return []string{"faster_payments"}
	case "EUR":
		return []string{"sepa_credit_transfer", "sepa_instant_credit_transfer"}
	case "AUD":
		return []string{"pay_to"}
	}
	return nil
}

func readPaymentRequest(p *api.Problems, o object) object {
	const at = "payment_request/"
	if strings.TrimSpace(o.Str("description")) == "" {
		p.Add(at+"description", "can't be blank")
	}
	currency, scheme := o.Str("currency"), o.Str("scheme")
	schemes := instantSchemes(currency)
	switch {
	case currency == "":
		p.Add(at+"currency", "can't be blank")
	case schemes == nil:
		p.Add(at+"currency", "must be one of %s", humanList(paymentCurrencies))
	case scheme == "":
		scheme = schemes[0]
	case !slices.Contains(schemes, scheme):
		p.Add(at+"scheme", "must be %s for %s", humanList(schemes), currency)
	}
	if o.Has("amount") {
		if n := o.Num("amount"); n < minimumPayment {
			p.Add(at+"amount", "is lower than the minimum permitted amount, %d", minimumPayment)
		} else if high := maximumAmount(scheme); n > high {
			p.AddWith(object{{"maximum_amount", high}}, at+"amount", "is above the scheme maximum")
		}
	}
	if fee := o.Num("app_fee"); o.Has("app_fee") && (fee < 0 || o.Has("amount") && fee > o.Num("amount")) {
		p.Add(at+"app_fee", "must be between 0 and the amount")
	}
	settlement := cmp.Or(o.Str("funds_settlement"), "managed")
	if ref := o.Str("reference"); ref != "" {
		switch {
		case scheme != "pay_to" && settlement != "direct":
			p.Add(at+"reference", "can only be set for pay_to or with direct funds settlement")
		case len(ref) > 18:
			p.Add(at+"reference", "is too long (maximum is %d characters)", 18)
		}
	}
	out := object{
		{"description", o.Get("description")}, {"currency", currency}, {"scheme", scheme}, {"funds_settlement", settlement},
		{"links", object{}}, {"metadata", metadataOf(o)},
	}
	for _, name := range []string{"amount", "app_fee", "reference", "retry_if_possible"} {
		if o.Has(name) {
			out = append(out, member{name, o.Get(name)})
		}
	}
	return out
}

// metadataOf returns the metadata of a part of a body, or {} if it has none.
func metadataOf(o object) object {
	if m := o.Obj("metadata"); m != nil {
		return m
	}
	return object{}
}

func (b *billing) readMandateRequest(p *api.Problems, o object) object {
	const at = "mandate_request/"
	currency, scheme := b.mandateMoney(p, at, o)
	verify := cmp.Or(o.Str("verify"), "recommended")
	if verify == "always" && scheme != "" && !slices.Contains([]string{"bacs", "autogiro", "pay_to", "faster_payments"}, scheme) {
		p.Add(at+"verify", "cannot be always: %s mandates cannot be verified", scheme)
	}
	checkConsent(p, at, scheme, o)
	constraints := checkConstraints(p, at, scheme, o)
	if scheme == "faster_payments" && !o.Has("sweeping") {
		p.Add(at+"sweeping", "can't be blank")
	}
	out := object{
		{"verify", verify}, {"sweeping", o.Flag("sweeping")}, {"payer_requested_dual_signature", false},
		{"links", object{}}, {"metadata", metadataOf(o)},
	}
	if currency != "" {
		out = append(out, member{"currency", currency})
	}
	if scheme != "" {
		out = append(out, member{"scheme", scheme})
	}
	if constraints != nil {
		out = append(out, member{"constraints", constraints})
	}
	for _, name := range []string{"authorisation_source", "consent_type", "description", "funds_settlement", "reference"} {
		if o.Has(name) {
			out = append(out, member{name, o.Get(name)})
		}
	}
	return out
}

// mandateMoney returns the currency and the scheme of a mandate request. Each follows from the other,
// and both follow from the payment request, if there is one.
func (b *billing) mandateMoney(p *api.Problems, at string, o object) (currency, scheme string) {
	currency, scheme = o.Str("currency"), o.Str("scheme")
	if b.payment != nil {
		currency = cmp.Or(currency, b.payment.Str("currency"))
		if currency != b.payment.Str("currency") {
			p.Add(at+"currency", "must be that of the payment_request")
		}
		scheme = cmp.Or(scheme, schemeOf(currency))
	}
	currency = cmp.Or(currency, currencyOf(scheme))
	switch {
	case scheme == "":
	case strings.HasSuffix(scheme, "credit_transfer"):
		p.Add(at+"scheme", "must be a direct debit scheme, pay_to or faster_payments")
	case currencyOf(scheme) != currency:
		p.Add(at+"scheme", "is not a scheme for %s", currency)
	}
	return currency, scheme
}

// checkConsent checks the consent type, which only two schemes have.
func checkConsent(p *api.Problems, at, scheme string, o object) {
	consent := o.Str("consent_type")
	if consent == "" {
		return
	}
	allowed := map[string][]string{"ach": {"one_off", "recurring", "standing"}, "pad": {"single", "recurring", "sporadic"}}[scheme]
	switch {
	case allowed == nil:
		p.Add(at+"consent_type", "can only be given for ach and pad")
	case !slices.Contains(allowed, consent):
		p.Add(at+"consent_type", "must be %s", humanList(allowed))
	}
}

// checkConstraints checks the limits of a mandate and fills in their defaults.
func checkConstraints(p *api.Problems, at, scheme string, o object) object {
	c := o.Obj("constraints")
	vrp := scheme == "faster_payments"
	if c == nil {
		if vrp || scheme == "pay_to" {
			p.Add(at+"constraints", "can't be blank")
		}
		return nil
	}
	at += "constraints/"
	switch {
	case c.Has("max_amount_per_payment") && c.Num("max_amount_per_payment") < 1:
		p.Add(at+"max_amount_per_payment", "must be greater than 0")
	case !c.Has("max_amount_per_payment") && vrp:
		p.Add(at+"max_amount_per_payment", "can't be blank")
	}
	if start, end := c.Str("start_date"), c.Str("end_date"); start != "" && end != "" && end <= start {
		p.Add(at+"end_date", "must be after start_date")
	}
	if c.Has("payment_method") && !slices.Contains([]string{"ach", "pad"}, scheme) {
		p.Add(at+"payment_method", "can only be given for ach and pad")
	}
	limits := c.List("periodic_limits")
	if vrp && len(limits) != 1 {
		p.Add(at+"periodic_limits", "must have exactly one entry")
	}
	if limits == nil {
		return c
	}
	filled := []any{}
	for i, v := range limits {
		l, _ := v.(object)
		filled = append(filled, checkPeriodicLimit(p, at+"periodic_limits/"+strconv.Itoa(i)+"/", scheme, l))
	}
	return c.With("periodic_limits", filled)
}

// checkPeriodicLimit does the same for one periodic limit.
func checkPeriodicLimit(p *api.Problems, at, scheme string, l object) object {
	payTo := scheme == "pay_to"
	if scheme == "faster_payments" && !l.Has("max_total_amount") {
		p.Add(at+"max_total_amount", "can't be blank")
	}
	if payTo && l.Has("max_total_amount") {
		p.Add(at+"max_total_amount", "cannot be given for pay_to")
	}
	if !payTo && l.Has("max_payments") {
		p.Add(at+"max_payments", "can only be given for pay_to")
	}
	switch {
	case l.Has("period"):
	case payTo:
		l = l.With("period", "flexible")
	default:
		p.Add(at+"period", "can't be blank")
	}
	if !l.Has("alignment") {
		l = l.With("alignment", "creation_date")
	}
	return l
}
