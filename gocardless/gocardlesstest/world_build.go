package gocardlesstest

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Detail changes what a builder, such as [Sandbox.ActiveMandate], creates.
type Detail func(*details)

// details are the bodies of a builder's creates.
type details struct {
	customer, mandate, constraints, payment, subscription object
	under                                                 string
}

// GivenName sets the payer's given name. Some names decide how things go, as in the real sandbox:
// see the package's documentation.
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
// the currency. A mandate of PayTo or of Faster Payments (VRP) is made by a billing request, as at the
// API, and its payments are collected at once: none is a FailedPayment.
//
// For an instant payment it sets the scheme of the payment: Faster Payments, the default, or one of
// the two SEPA credit transfers.
func Scheme(s gocardless.Scheme) Detail {
	return func(d *details) { d.mandate = d.mandate.With("scheme", string(s)) }
}

// Under collects under an existing mandate, by its id, instead of a new one.
func Under(mandate string) Detail { return func(d *details) { d.under = mandate } }

// Amount sets the amount of payments in minor units, by default 1000.
func Amount(minor int64) Detail {
	return func(d *details) {
		d.payment, d.subscription = d.payment.With("amount", minor), d.subscription.With("amount", minor)
	}
}

// MaxAmountPerPayment sets that constraint of a mandate of PayTo or of Faster Payments, in minor units, by
// default 100000.
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
		for _, k := range sortedKeys(m) {
			o = append(o, member{k, m[k]})
		}
		d.customer, d.mandate = d.customer.With("metadata", o), d.mandate.With("metadata", o)
		d.payment, d.subscription = d.payment.With("metadata", o), d.subscription.With("metadata", o)
	}
}

// testAccounts are bank accounts that the sandbox takes, and what else their schemes want.
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

// requestedMandates are the schemes whose mandates only billing requests make, with what the request
// wants.
var requestedMandates = map[string]struct {
	currency string
	request  object
	limits   []any
}{
	"pay_to":          {"AUD", nil, nil},
	"faster_payments": {"GBP", object{{"sweeping", true}}, []any{object{{"max_total_amount", int64(1_000_000)}, {"period", "month"}}}},
}

// instantOrders are the schemes that a builder makes instant payments of, each with a bank that hands over the payer's account.
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

// step is a step of a world.
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

// world is the steps that make an active mandate, and then those given.
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

// mandateSteps end with a step that is called mandate.
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

// scheme is the mandate's.
func (d *details) scheme() string { return orDefault(d.mandate.Str("scheme"), "bacs") }

// instantWorld is the steps that make an instant payment with an outcome, "paid_out" or "failed".
func instantWorld(list []Detail, outcome string) (object, error) {
	d := newDetails(list)
	scheme := orDefault(d.mandate.Str("scheme"), "faster_payments")
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

// paymentWorld is the steps that make a payment and bring it to an outcome.
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

// currency is the mandate's; that of an existing mandate is not known yet, and left to the API.
func (d *details) currency() string {
	if x, ok := requestedMandates[d.scheme()]; ok {
		return x.currency
	}
	return testAccounts[d.scheme()].currency
}

// build loads a world that a builder made and returns one of its resources.
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

// must panics on an error: what a builder was given was a mistake in a test.
func must[T any](v *T, err error) *T {
	if err != nil {
		panic(err.Error())
	}
	return v
}

// ActiveMandate creates a customer, a bank account and an active mandate. Builders add to the
// state; their requests are not in the log and meet no faults. Details that the API would refuse
// panic.
//
//	mandate := sandbox.ActiveMandate(gocardlesstest.Scheme(gocardless.SchemeSepaCore))
func (sb *Sandbox) ActiveMandate(details ...Detail) *gocardless.Mandate { return sb.mandate(details) }

// PendingPayment makes a payment that is not submitted yet, and an active mandate for it.
func (sb *Sandbox) PendingPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "")
}

// ConfirmedPayment makes a payment that was collected, and an active mandate for it.
func (sb *Sandbox) ConfirmedPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_confirmed")
}

// PaidOutPayment makes a payment that was paid out, its payout, and an active mandate for it.
func (sb *Sandbox) PaidOutPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_paid_out")
}

// FailedPayment makes a payment that the payer's bank refused, and an active mandate for it.
func (sb *Sandbox) FailedPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_failed")
}

// ChargedBackPayment makes a payment that was paid out and then taken back by the payer.
func (sb *Sandbox) ChargedBackPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_charged_back")
}

// LateFailedPayment makes a payment that was paid out and then refused by the payer's bank.
func (sb *Sandbox) LateFailedPayment(details ...Detail) *gocardless.Payment {
	return sb.payment(details, "payment_late_failure")
}

// PaidInstantPayment makes a payment that a payer made by instant bank transfer, through a billing request,
// and that was paid out.
func (sb *Sandbox) PaidInstantPayment(details ...Detail) *gocardless.Payment {
	w, err := instantWorld(details, "paid_out")
	return must(build[gocardless.Payment](sb.loadWorld, "payment", w, err))
}

// FailedInstantPayment makes a payment that a payer authorised at the bank, through a billing request,
// and that failed.
func (sb *Sandbox) FailedInstantPayment(details ...Detail) *gocardless.Payment {
	w, err := instantWorld(details, "failed")
	return must(build[gocardless.Payment](sb.loadWorld, "payment", w, err))
}

// Subscriber makes a subscription, and an active mandate for it.
func (sb *Sandbox) Subscriber(details ...Detail) *gocardless.Subscription {
	w, err := subscriptionWorld(details)
	return must(build[gocardless.Subscription](sb.loadWorld, "subscription", w, err))
}

// ActivateMandate activates a mandate that waits for the banks, as its first payment does.
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
