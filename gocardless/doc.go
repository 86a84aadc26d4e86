// Package gocardless is a client for the GoCardless Pro API: it collects bank payments by Direct
// Debit and open banking.
//
// It is a community project, independent of GoCardless. A client for [EnvironmentLive] moves real
// money; try everything with [EnvironmentSandbox], or without any account with the package
// gocardlesstest, a fake of the API for tests and laptops.
//
// # Calls
//
// A [Client] has a field for each resource of the API, whose methods are its operations:
//
//	client, err := gocardless.New(os.Getenv("GOCARDLESS_ACCESS_TOKEN"), gocardless.EnvironmentSandbox)
//	...
//	payment, err := client.Payments.Create(ctx, gocardless.PaymentCreateParams{
//		Amount:   1500, // minor units: 15.00 pounds
//		Currency: gocardless.CurrencyGBP,
//		Links:    gocardless.PaymentCreateParamsLinks{Mandate: mandate.ID},
//		Description: new("October membership"),
//	})
//
// Required fields of params are plain values. Optional ones are pointers, slices or maps: nil is
// not sent, and everything else is, so that new(false), new("") and an empty map reach the API.
// [WithBodyField] sends an explicit null, or a field that this version does not know.
//
// In replies, null and absent fields are zero values; numbers, booleans and objects that may be
// null are pointers. Amounts are integers in the minor unit of their currency, times are UTC.
// Enums are open: a value that is not among the constants is kept as it came.
//
// # Lists
//
// All returns an iterator over every item of a list, which asks for pages as they are needed. List
// returns a single [Page].
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
// A call returns an error of one of four types, which errors.As and errors.AsType find:
//
//   - [*ParamsError]: refused before anything was sent, with every problem found;
//   - [*Error]: the API, or something on the way, answered with another status than 2xx. It
//     matches the sentinels, such as [ErrValidation] and [ErrInvalidState], by errors.Is;
//   - [*MalformedResponseError]: a reply of success that cannot be read;
//   - [*ConnectionError]: no reply.
//
// A client that signs its requests may also return a [*SigningError]: nothing was sent.
//
// In text, logs and JSON these errors hold no access tokens, bodies or personal data; their fields
// do.
//
// # Retries
//
// Calls are repeated after faults for which this is safe, see [OperationKind] and [DefaultRetry].
// Creations carry an Idempotency-Key, the same on every attempt, so that nothing is created twice:
// if an earlier attempt arrived after all, the resource that it made is read and returned, and
// [Response] says so. Actions, for which the API does not promise this, are repeated only when
// they surely did not run. [WithIdempotencyKey] makes a creation repeatable across restarts.
//
// # Concurrency
//
// Clients, services, pages and iterators' sources may be used by many goroutines at once. Params
// and options are never written to.
package gocardless
