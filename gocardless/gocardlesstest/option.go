package gocardlesstest

import (
	"crypto/rsa"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
)

// Option sets how a sandbox behaves.
type Option func(*options)

type options struct {
	live
	clock     func() time.Time
	seed      uint64
	tokens    map[string]gate.Access
	hook      func(*Request)
	delivered func(*Delivery) // hook
	endpoints []Webhooks
	control   bool
	hosts     []string // host names allowed besides those of this machine
	tls       bool
}

// live are the options that can change while the sandbox is in use. Its lock guards them, and each has
// an entry in the table of settings.
type live struct {
	rateLimit        int
	logSize          int
	retryGaps        []time.Duration
	bankTimings      bool
	refunds          bool
	refundLimit      int
	refundConfirm    bool
	listMeta         bool
	feeTaxes         bool
	surcharge        int64
	ownNumber        bool // the account has its own Bacs service user number
	removalBody      bool
	notifications    bool
	requireApproval  bool
	asyncInstalments time.Duration
	keys             []encryptionKey
}

func defaultOptions() options {
	return options{clock: time.Now, seed: 1, live: live{
		rateLimit: gocardless.GroupGeneral.DefaultLimit(), logSize: 1000, bankTimings: true,
		refunds: true, refundConfirm: true, listMeta: true, ownNumber: true,
		asyncInstalments: time.Second,
		retryGaps: []time.Duration{time.Minute, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
			time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour},
	}}
}

// WithClock sets the clock, by default time.Now. Advance adds to its time. If the clock does not move,
// timestamps are the same in every run, as ids always are.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.clock = now }
}

// WithFrozenClock stops the clock at the given time, so that only Advance moves it.
func WithFrozenClock(t time.Time) Option {
	return WithClock(func() time.Time { return t })
}

// WithSeed sets the seed of ids and other invented values, by default 1. The same seed and the same
// calls give the same ids.
func WithSeed(seed uint64) Option {
	return func(o *options) { o.seed = seed }
}

// WithToken sets an access token that the sandbox accepts. Without this option it accepts any token;
// with it, other tokens receive 401 access_token_not_found. The option can be given several times.
func WithToken(token string) Option { return withToken(token, gate.Full) }

// WithReadOnlyToken sets an access token that can read but not write: a write fails with 403
// insufficient_permissions.
func WithReadOnlyToken(token string) Option { return withToken(token, gate.ReadOnly) }

func withToken(token string, s gate.Access) Option {
	return func(o *options) {
		if o.tokens == nil {
			o.tokens = map[string]gate.Access{}
		}
		o.tokens[token] = s
	}
}

// WithRateLimit sets how many requests a token may make in one minute of the sandbox's clock, by
// default 1000 as in the API. Zero or less disables all rate limits.
func WithRateLimit(perMinute int) Option {
	return func(o *options) { o.rateLimit = perMinute }
}

// WithRequestLog sets how many requests and delivery attempts the sandbox keeps for Requests and
// Deliveries, by default the last 1000. Zero disables both logs.
func WithRequestLog(n int) Option {
	return func(o *options) { o.logSize = max(n, 0) }
}

// WithRequestHook calls a function with every request after its reply, for example to log it. Requests
// to ControlHandler are included, without their bodies. Several goroutines may call the function at the
// same time.
func WithRequestHook(hook func(*Request)) Option {
	return func(o *options) { o.hook = hook }
}

// WithDeliveryHook calls a function after each attempt to deliver a webhook. The delivering goroutine
// calls it, so it must not wait for another delivery.
func WithDeliveryHook(hook func(*Delivery)) Option {
	return func(o *options) { o.delivered = hook }
}

// WithControl makes Listen, Start and NewServer serve ControlHandler and the dashboard alongside the
// API.
func WithControl() Option {
	return func(o *options) { o.control = true }
}

// WithWebhooks adds a webhook endpoint. An invalid endpoint panics. The option can be given several
// times.
func WithWebhooks(w Webhooks) Option {
	if err := w.Validate(); err != nil {
		panic(err.Error())
	}
	return func(o *options) { o.endpoints = append(o.endpoints, w) }
}

// WithWebhookRetries sets the intervals after which a webhook that was not answered with 2xx is sent
// again, by default eight from one minute to twelve hours. Without arguments, it is never sent again.
func WithWebhookRetries(gaps ...time.Duration) Option {
	return func(o *options) { o.retryGaps = gaps }
}

// WithoutBankTimings stops payments and mandates from moving by date: only simulators, API calls and
// the given names of customers change them.
func WithoutBankTimings() Option {
	return func(o *options) { o.bankTimings = false }
}

// WithoutRefunds refuses every refund with 403 forbidden, as the API does for an account that has
// not been enabled for refunds.
func WithoutRefunds() Option {
	return func(o *options) { o.refunds = false }
}

// WithFeeTaxes acts as an account that pays VAT on GoCardless's fees, as British and French accounts
// do: payout items show the tax, and fees include it.
func WithFeeTaxes() Option {
	return func(o *options) { o.feeTaxes = true }
}

// WithSurchargeFees acts as an account that pays a fee, in minor units, for every payment that
// fails or is charged back. It is deducted from the creditor's next payouts.
func WithSurchargeFees(amount int64) Option {
	return func(o *options) { o.surcharge = amount }
}

// WithoutServiceUserNumber acts as an account that collects Bacs payments under GoCardless's
// service user number, as most do: payments then have no reference of their own.
func WithoutServiceUserNumber() Option {
	return func(o *options) { o.ownNumber = false }
}

// WithRefundLimit sets how many refunds a payment may have; further ones fail with
// number_of_refunds_exceeded. The default, 0, means unlimited. The API's documentation has given limits
// of 5 and 25.
func WithRefundLimit(n int) Option {
	return func(o *options) { o.refundLimit = n }
}

// WithoutRefundConfirmation makes total_amount_confirmation optional in refunds of payments.
func WithoutRefundConfirmation() Option {
	return func(o *options) { o.refundConfirm = false }
}

// WithoutInstitutionMeta leaves "meta" out of the two lists of institutions, as some replies of the
// API do.
func WithoutInstitutionMeta() Option {
	return func(o *options) { o.listMeta = false }
}

// WithRemovalBody makes the removal of a customer reply with 200 and the customer instead of 204
// without a body.
func WithRemovalBody() Option {
	return func(o *options) { o.removalBody = true }
}

// WithCustomerNotifications acts as an account that sends its own notifications to customers: events in
// webhooks contain customer_notifications, which the account reports as handled with POST
// /customer_notifications/:id/actions/handle.
func WithCustomerNotifications() Option {
	return func(o *options) { o.notifications = true }
}

// WithPayerApproval makes new Bacs and SEPA mandates wait for the payer's approval
// (pending_customer_approval), as accounts that need two signatures do.
func WithPayerApproval() Option {
	return func(o *options) { o.requireApproval = true }
}

// WithInstalmentDelay sets how long an instalment schedule stays pending before its payments are
// created, by default one second. With zero, they are created together with the schedule.
func WithInstalmentDelay(d time.Duration) Option {
	return func(o *options) { o.asyncInstalments = d }
}

// WithEncryptionKey gives the sandbox one of your public keys, by its id in your JWKS. The sandbox
// encrypts the replies of bank_account_details (with the key that the Gc-Key-Id header names) and of
// transferred_mandates (with the first key given), so that your private key can decrypt them. Without
// this option, these replies have the documented shape, but no key decrypts them. The option can be
// given several times. An empty id or a nil key panics.
func WithEncryptionKey(id string, key *rsa.PublicKey) Option {
	if id == "" || key == nil {
		panic("gocardlesstest: WithEncryptionKey needs an id and a key")
	}
	return func(o *options) { o.keys = append(o.keys, encryptionKey{id, key}) }
}
