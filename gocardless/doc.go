// Package gocardless is a client for the GoCardless Pro API, which collects bank payments by Direct
// Debit and open banking.
//
// This is a community project, independent of GoCardless. A client for [EnvironmentLive] moves real
// money. Start with [EnvironmentSandbox] or, without an account, with the package gocardlesstest,
// which simulates the API in memory.
//
// # Calls
//
// A [Client] has a field for each resource of the API. The field's methods are the operations:
//
//	client, err := gocardless.New(os.Getenv("GOCARDLESS_ACCESS_TOKEN"), gocardless.EnvironmentSandbox)
//	...
//	payment, err := client.Payments.Create(ctx, gocardless.PaymentCreateParams{
//		Amount:      1500, // minor units: 15.00 pounds
//		Currency:    gocardless.CurrencyGBP,
//		Description: new("October membership"),
//		Links:       gocardless.PaymentCreateParamsLinks{Mandate: mandate.ID},
//	})
//
// Required fields of params are plain values and are always sent. Optional fields are pointers,
// slices or maps. Nil is not sent; everything else is, so new(false), new("") and an empty map
// reach the API. [WithBodyField] sends an explicit null, or a field that this version of the
// package does not know.
//
// In replies, null and absent fields are zero values. Numbers, booleans and objects that can be
// null are pointers. Amounts are integers in the minor unit of their currency, and times are in
// UTC. Enums are open: values that this version of the package does not know are kept.
//
// # Signing payers up
//
// Most live accounts cannot create customers and mandates directly. Create a billing request and a
// flow, and send the payer to the page that GoCardless hosts:
//
//	request, err := client.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
//		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Scheme: new(gocardless.SchemeBacs)},
//	})
//	...
//	flow, err := client.BillingRequestFlows.Create(ctx, gocardless.BillingRequestFlowCreateParams{
//		RedirectURI: new("https://shop.example.com/welcome"),
//		Links:       gocardless.BillingRequestFlowCreateParamsLinks{BillingRequest: request.ID},
//	})
//	// redirect the payer to flow.AuthorisationURL
//
// The event [EventBillingRequestsFulfilled] reports success. The mandate is then in
// request.Links.MandateRequestMandate.
//
// # Lists
//
// All returns an iterator over every item of a list and fetches pages as needed. List returns one
// [Page].
//
//	for payment, err := range client.Payments.All(ctx, gocardless.PaymentListParams{}) {
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// # Errors
//
// A call returns an error of one of these types, which errors.As and errors.AsType find:
//
//   - [*ParamsError]: the params are invalid; nothing was sent. It lists every problem.
//   - [*Error]: the API, or a proxy in between, answered with a status other than 2xx. It matches
//     sentinels such as [ErrValidation] and [ErrInvalidState] with errors.Is.
//   - [*MalformedResponseError]: the reply reports success but cannot be read.
//   - [*ConnectionError]: there was no reply.
//   - [*SigningError]: the request could not be signed; nothing was sent.
//
// Printed, logged or encoded as JSON, these errors leave out access tokens and bodies, and mask
// e-mail addresses, IBANs and long numbers. Their fields may contain all of these.
//
// # Retries
//
// The client retries a failed call if that is safe, with exponential backoff and full jitter; see
// [OperationKind] and [DefaultRetry]. A create request carries the same Idempotency-Key on every
// attempt, so that nothing is created twice. If an earlier attempt succeeded, the call returns the
// original resource and sets Response.Existing. The API does not promise this for actions, so they
// are retried only if they are known not to have run. [WithIdempotencyKey] makes a create request
// safe to retry after a restart of the program.
//
// # Options
//
// [ClientOption] lists the options of New, and [RequestOption] those of a call. An [Option] is
// both.
//
// # Webhooks
//
// [NewWebhookHandler] returns an http.Handler that verifies the signature of the raw body, parses
// the events and passes them to an [EventHandler], such as an [EventMux]. [Once] makes sure that
// each event is handled once; the package eventsql stores the handled events in PostgreSQL or
// SQLite. GoCardless expects an answer within 10 seconds: [NewWebhookDeliveryHandler] passes on
// whole deliveries, so that a queue can take them. [ParseWebhook] verifies and parses a body
// without a handler.
//
// # Catching up after an outage
//
// [EventCatchUp] reads the events since its last run from the API and passes them to the webhooks'
// handler, through the same store. [EventService.Since] iterates over the events after a given one.
//
// # Exports
//
// [NewExporter] reads a large list with several workers, each at its own place in the list. It yields
// every item exactly once and provides a cursor to resume from. [WithPrefetch] fetches pages ahead of
// an iterator; [WithBulkLane] leaves part of the rate limit to interactive calls.
//
// # Metadata
//
// Most resources have [Metadata]: up to three keys, each with a string. Its methods set and read
// integers, booleans, times, dates and JSON. They return an error for a value over the API's limits.
//
// # OAuth
//
// The package oauth connects the accounts of other organisations to a partner's app: the
// authorisation page, the login handler, the exchange of the code, and a client for each
// organisation.
//
// # Concurrency
//
// Clients, services and pages may be used by many goroutines at once. The package never writes to
// params, options or the http.Client that it is given.
package gocardless
