package gocardlesstest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Detail changes what a builder, such as [Sandbox.ActiveMandate], creates.
type Detail func(*details)

// details are the bodies of the create requests of a builder.
type details struct {
	customer, mandate, constraints, payment, subscription object
	under                                                 string
}

// GivenName sets the payer's given name. Some names select an outcome: see the package documentation.
func GivenName(name string) Detail {
	return func(d *details) { d.customer = d.customer.With("given_name", name) }
}

// FamilyName sets the payer's family name.
func FamilyName(name string) Detail {
	return func(d *details) { d.customer = d.customer.With("family_name", name) }
}

// Email sets the payer's e-mail address.
func Email(address string) Detail {
	return func(d *details) { d.customer = d.customer.With("email", address) }
}

// Scheme sets the mandate's scheme, by default Bacs, and with it the payer's country and account and
// the currency. A billing request creates mandates of PayTo and of Faster Payments (VRP), as in the
// API, and their payments are collected at once, so they cannot be a FailedPayment.
//
// For an instant payment it sets the scheme of the payment: Faster Payments, the default, or one of the
// two SEPA credit transfers.
func Scheme(s gocardless.Scheme) Detail {
	return func(d *details) { d.mandate = d.mandate.With("scheme", string(s)) }
}

// Under uses an existing mandate, by its id, instead of a new one. If the scheme of the mandate is not
// Bacs, set it with Scheme.
func Under(mandate string) Detail { return func(d *details) { d.under = mandate } }

// Amount sets the amount of payments in minor units, by default 1000.
func Amount(minor int64) Detail {
	return func(d *details) {
		d.payment, d.subscription = d.payment.With("amount", minor), d.subscription.With("amount", minor)
	}
}

// MaxAmountPerPayment sets this constraint of a mandate of PayTo or of Faster Payments, in minor units,
// by default 100000.
func MaxAmountPerPayment(minor int64) Detail {
	return func(d *details) { d.constraints = d.constraints.With("max_amount_per_payment", minor) }
}

// Every sets how often a subscription charges, by default every month.
func Every(interval int, unit gocardless.IntervalUnit) Detail {
	return func(d *details) {
		d.subscription = d.subscription.With("interval", int64(interval)).With("interval_unit", string(unit))
	}
}

// Count ends a subscription after this number of payments.
func Count(payments int) Detail {
	return func(d *details) { d.subscription = d.subscription.With("count", int64(payments)) }
}

// Metadata sets the metadata of the last resource that the builder creates: the mandate of
// ActiveMandate, the payment of PaidOutPayment.
func Metadata(m map[string]string) Detail {
	return func(d *details) {
		o := object{}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			o = append(o, member{k, m[k]})
		}
		d.customer, d.mandate = d.customer.With("metadata", o), d.mandate.With("metadata", o)
		d.payment, d.subscription = d.payment.With("metadata", o), d.subscription.With("metadata", o)
	}
}

// testAccounts are bank accounts that pass the checks of their schemes, and what else the schemes
// require.
var testAccounts = map[string]struct{ currency, account, customer, mandate string }{
	"bacs":             {"GBP", `{"country_code":"GB","branch_code":"200000","account_number":"55779911"}`, `{}`, `{}`},
	"sepa_core":        {"EUR", `{"iban":"DE89370400440532013000"}`, `{}`, `{}`},
	"ach":              {"USD", `{"country_code":"US","bank_code":"026073150","account_number":"2715500356","account_type":"checking"}`, `{}`, `{"payer_ip_address":"192.0.2.1"}`},
	"autogiro":         {"SEK", `{"country_code":"SE","branch_code":"5491","account_number":"0000003"}`, `{"swedish_identity_number":"198112289874"}`, `{}`},
	"becs":             {"AUD", `{"country_code":"AU","branch_code":"082-082","account_number":"012345678"}`, `{}`, `{}`},
	"becs_nz":          {"NZD", `{"country_code":"NZ","account_number":"12-3113-0003869-00"}`, `{}`, `{}`},
	"betalingsservice": {"DKK", `{"country_code":"DK","bank_code":"345","account_number":"3179681"}`, `{"danish_identity_number":"0101701234"}`, `{}`},
	"pad":              {"CAD", `{"country_code":"CA","bank_code":"0003","branch_code":"00006","account_number":"1234567"}`, `{}`, `{}`},
}

// requestedMandates are the schemes whose mandates only billing requests create, with what the request
// requires.
var requestedMandates = map[string]struct {
	currency string
	request  object
	limits   []any
}{
	"pay_to":          {"AUD", nil, nil},
	"faster_payments": {"GBP", object{{"sweeping", true}}, []any{object{{"max_total_amount", int64(1_000_000)}, {"period", "month"}}}},
}

// instantOrders are the schemes of instant payments, each with a bank that provides the payer's
// account.
var instantOrders = map[string]struct{ currency, country, institution string }{
	"faster_payments":              {"GBP", "GB", "sand_bank_gb"},
	"sepa_credit_transfer":         {"EUR", "DE", "sandbank_de"},
	"sepa_instant_credit_transfer": {"EUR", "DE", "sandbank_de"},
}

func literal(text string) object {
	v, err := value.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return v.(object)
}

// step returns a step of a world.
func step(do, id string, with object, as string) object {
	o := pairs("do", do, "id", id, "as", as)
	if with != nil {
		o = append(o, member{"with", with})
	}
	return o
}

func newDetails(list []Detail) *details {
	d := &details{
		customer:    object{{"given_name", "Robin"}, {"family_name", "Sample"}, {"email", "payer@example.com"}},
		constraints: object{{"max_amount_per_payment", int64(100_000)}},
		payment:     object{{"amount", int64(1000)}}, subscription: object{{"amount", int64(1000)}, {"interval_unit", "monthly"}},
	}
	for _, f := range list {
		f(d)
	}
	return d
}

// world returns a world that creates an active mandate and then runs the given steps.
func (d *details) world(then ...object) (object, error) {
	steps, err := d.mandateSteps()
	if err != nil {
		return nil, err
	}
	steps = append(steps, step("sandbox.activate", "$mandate.id", nil, ""), step("mandates.get", "$mandate.id", nil, "mandate"))
	return stepsOf(append(steps, then...)), nil
}

func stepsOf(list []object) object {
	steps := make([]any, len(list))
	for i, s := range list {
		steps[i] = s
	}
	return object{{"steps", steps}}
}

// mandateSteps returns steps that create a mandate. The last one names its result "mandate".
func (d *details) mandateSteps() ([]object, error) {
	scheme := d.scheme()
	x, direct := testAccounts[scheme]
	wanted, requested := requestedMandates[scheme]
	switch {
	case d.under != "":
		return []object{step("mandates.get", d.under, nil, "mandate")}, nil
	case direct:
		holder := d.customer.Str("given_name") + " " + d.customer.Str("family_name")
		mandate := append(literal(x.mandate), d.mandate...).With("links", object{{"customer_bank_account", "$account.id"}})
		return []object{
			step("customers.create", "", append(literal(x.customer), d.customer...), "customer"),
			step("customer_bank_accounts.create", "", append(literal(x.account), member{"account_holder_name", holder}, member{"links", object{{"customer", "$customer.id"}}}), "account"),
			step("mandates.create", "", mandate, "mandate"),
		}, nil
	case requested:
		constraints := d.constraints
		if wanted.limits != nil {
			constraints = constraints.With("periodic_limits", wanted.limits)
		}
		request := append(slices.Clone(wanted.request), d.mandate...).With("constraints", constraints)
		payer := object{{"given_name", d.customer.Str("given_name")}, {"family_name", d.customer.Str("family_name")}, {"email", d.customer.Str("email")}}
		return []object{
			step("billing_requests.create", "", object{{"mandate_request", request}}, "request"),
			step("billing_request_flows.create", "", object{{"links", object{{"billing_request", "$request.id"}}}}, "flow"),
			step("sandbox.finish", "$flow.id", payer, ""),
			step("billing_requests.get", "$request.id", nil, "request"),
			step("mandates.get", "$request.links.mandate_request_mandate", nil, "mandate"),
		}, nil
	}
	return nil, fmt.Errorf("gocardlesstest: no builder makes mandates of the scheme %q", scheme)
}

// scheme returns the mandate's scheme.
func (d *details) scheme() string { return cmp.Or(d.mandate.Str("scheme"), "bacs") }

// instantWorld returns a world that creates an instant payment with an outcome, "paid_out" or "failed".
func instantWorld(list []Detail, outcome string) (object, error) {
	d := newDetails(list)
	scheme := cmp.Or(d.mandate.Str("scheme"), "faster_payments")
	x, ok := instantOrders[scheme]
	if !ok {
		return nil, fmt.Errorf("gocardlesstest: no builder makes instant payments of the scheme %q", scheme)
	}
	payment := object{{"description", "Order"}}
	payment = append(payment, d.payment...).With("currency", x.currency).With("scheme", scheme)
	payer := object{{"customer", d.customer.Without("metadata")}, {"customer_billing_detail", object{
		{"address_line1", "12 Example Street"}, {"city", "Leeds"}, {"postal_code", "LS1 1AA"}, {"country_code", x.country}}}}
	return stepsOf([]object{
		step("billing_requests.create", "", object{{"payment_request", payment}}, "request"),
		step("billing_requests.collect_customer_details", "$request.id", payer, ""),
		step("billing_requests.select_institution", "$request.id", object{{"country_code", x.country}, {"institution", x.institution}}, ""),
		step("sandbox.simulate", "", object{{"resource", "$request.id"}, {"scenario", "billing_request_fulfilled_and_payment_" + outcome}}, ""),
		step("billing_requests.get", "$request.id", nil, "request"),
		step("payments.get", "$request.links.payment_request_payment", nil, "payment"),
	}), nil
}

// paymentWorld returns a world that creates a payment and runs a scenario simulator on it.
func paymentWorld(list []Detail, scenario string) (object, error) {
	d := newDetails(list)
	body := d.payment.With("currency", d.currency()).With("links", object{{"mandate", "$mandate.id"}})
	then := []object{step("payments.create", "", body, "payment")}
	if scenario != "" {
		then = append(then, step("sandbox.simulate", "", object{{"resource", "$payment.id"}, {"scenario", scenario}}, ""))
	}
	return d.world(append(then, step("payments.get", "$payment.id", nil, "payment"))...)
}

func subscriptionWorld(list []Detail) (object, error) {
	d := newDetails(list)
	body := d.subscription.With("currency", d.currency()).With("links", object{{"mandate", "$mandate.id"}})
	return d.world(step("subscriptions.create", "", body, "subscription"))
}

// currency returns the mandate's currency. It returns that of Bacs for an existing mandate unless its
// scheme is given.
func (d *details) currency() string {
	if x, ok := requestedMandates[d.scheme()]; ok {
		return x.currency
	}
	return testAccounts[d.scheme()].currency
}

// build loads a world and returns one of its resources.
func build[T any](load func(object) (object, error), name string, world object, err error) (*T, error) {
	var made object
	if err == nil {
		made, err = load(world)
	}
	if err != nil {
		return nil, explained(err)
	}
	out := new(T)
	return out, json.Unmarshal(value.Append(nil, made.Get(name)), out)
}

func (sb *Sandbox) mandate(list []Detail) *gocardless.Mandate {
	w, err := newDetails(list).world()
	return must(build[gocardless.Mandate](sb.loadWorld, "mandate", w, err))
}

func (sb *Sandbox) payment(list []Detail, scenario string) *gocardless.Payment {
	w, err := paymentWorld(list, scenario)
	return must(build[gocardless.Payment](sb.loadWorld, "payment", w, err))
}

// must panics on an error, which is a mistake in a test.
func must[T any](v *T, err error) *T {
	if err != nil {
		panic(err.Error())
	}
	return v
}

// ActiveMandate creates a customer, a bank account and an active mandate. Builders add to the state;
// their requests are not logged, and faults do not hit them. Details that the API would refuse panic.
//
//	mandate := sandbox.ActiveMandate(gocardlesstest.Scheme(gocardless.SchemeSepaCore))
func (sb *Sandbox) ActiveMandate(details ...Detail) *gocardless.Mandate { return sb.mandate(details) }

// PendingPayment creates a payment that is not submitted yet, with an active mandate.
func (sb *Sandbox) PendingPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "")
}

// ConfirmedPayment creates a payment that was collected, with an active mandate.
func (sb *Sandbox) ConfirmedPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_confirmed")
}

// PaidOutPayment creates a payment that was paid out, its payout, and an active mandate.
func (sb *Sandbox) PaidOutPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_paid_out")
}

// FailedPayment creates a payment that the payer's bank refused, with an active mandate.
func (sb *Sandbox) FailedPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_failed")
}

// ChargedBackPayment creates a payment that was paid out and then charged back by the payer.
func (sb *Sandbox) ChargedBackPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_charged_back")
}

// LateFailedPayment creates a payment that was paid out and then refused by the payer's bank.
func (sb *Sandbox) LateFailedPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_late_failure")
}

// PaidInstantPayment creates a payment by instant bank transfer, through a billing request, that was
// paid out.
func (sb *Sandbox) PaidInstantPayment(details ...Detail) *gocardless.Payment {
	w, err := instantWorld(details, "paid_out")
	return must(build[gocardless.Payment](sb.loadWorld, "payment", w, err))
}

// FailedInstantPayment creates a payment by instant bank transfer, through a billing request, that the
// payer authorised and that then failed.
func (sb *Sandbox) FailedInstantPayment(details ...Detail) *gocardless.Payment {
	w, err := instantWorld(details, "failed")
	return must(build[gocardless.Payment](sb.loadWorld, "payment", w, err))
}

// Subscriber creates a subscription with an active mandate.
func (sb *Sandbox) Subscriber(details ...Detail) *gocardless.Subscription {
	w, err := subscriptionWorld(details)
	return must(build[gocardless.Subscription](sb.loadWorld, "subscription", w, err))
}

// ActivateMandate activates a pending mandate, as its first payment does.
func (sb *Sandbox) ActivateMandate(id string) error {
	return sb.update(func(tx *tx) error {
		m := tx.find("mandates", id)
		if m == nil {
			return api.NotFound()
		}
		tx.ensureActive(m)
		if m.Status() != "active" {
			return api.TooLate("The mandate is " + m.Status())
		}
		return nil
	})
}
