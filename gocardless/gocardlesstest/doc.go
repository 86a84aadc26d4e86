// Package gocardlesstest is a stateful fake of the GoCardless API, for tests and for local
// development.
//
// A [Sandbox] stores the resources that a program creates, refuses invalid requests with the API's
// errors, takes payments and mandates through their life cycles, and sends signed webhooks. It needs
// neither an account nor a network, and moves no money.
//
//	func TestCollect(t *testing.T) {
//		sandbox := gocardlesstest.NewServer(t)
//		client := sandbox.Client()
//		customer, err := client.Customers.Create(t.Context(), gocardless.CustomerCreateParams{ … })
//		…
//		sandbox.Advance(7 * 24 * time.Hour) // the banks process the payment
//	}
//
// The sandbox serves all operations of the API. Their paths, bodies, filters, limits and defaults
// come from the same description of the API as the SDK; the life cycles are written by hand.
//
// # Servers and clients
//
// [NewServer] serves a sandbox on a loopback socket for a test, and [Start] does so for a program.
// [Sandbox.Client] returns an SDK client that needs no socket, and [Sandbox.Transport] a RoundTripper
// for any other client; both work in a testing/synctest bubble, where nothing waits in real time. The
// command "gcpro sandbox" serves programs in other languages, which control it over HTTP
// ([Sandbox.ControlHandler]), and has a dashboard; [WithControl] gives a [Server] both. [Connect]
// controls a sandbox in another process from Go. The sandbox also serves GoCardless's own clients: it
// accepts lists in queries, integers in bodies and empty bodies in every form that one of them sends.
//
// A new sandbox contains an organisation with one verified creditor, its bank accounts in pounds
// and euros, a scheme identifier for every scheme, and the resources that the API only reads.
//
// # Time
//
// The clock is time.Now unless [WithClock] or [WithFrozenClock] replaces it. [Sandbox.Advance]
// moves it and runs every step that falls due on the way, each at its own time and on the working
// days of its scheme. Ids depend only on the seed and the calls; with a frozen clock, so does
// everything else. The given name of a customer can select an outcome, as in GoCardless's own
// sandbox: Successful, Penniless, Fickle, Late, Invalid, Expired, Switching. Scenario simulators
// are called like any operation. [Sandbox.ChargeBack], [Sandbox.CancelChargeback] and
// [Sandbox.ReplaceMandate] do what no simulator can, and [Sandbox.Emit] creates an event of any type.
//
// # Webhooks
//
// [WithWebhooks] sends every event to a URL or to an http.Handler, signed and in batches. A webhook
// that is not answered with 2xx is sent again after increasing intervals of the sandbox's time.
// Advance and [Sandbox.FlushWebhooks] return their attempts with the outcomes, and [WithDeliveryHook]
// reports every attempt. An endpoint can hold webhooks back, receive them twice and receive their events
// out of order ([Webhooks]).
//
// Endpoints can be added, paused and removed while the sandbox runs, and have their own filters;
// [Sandbox.Deliveries] is the log of all attempts.
//
// # Worlds
//
// Builders create the starting point of a test in one line: [Sandbox.ActiveMandate],
// [Sandbox.PaidOutPayment], [Sandbox.Subscriber]. [Sandbox.LoadWorld] runs a list of steps in JSON,
// and [ReadyWorld] returns one of four built-in lists.
//
// # Payers
//
// If the sandbox has a socket, the URLs of redirect flows and billing request flows lead to pages on
// which you play the payer; [Sandbox.FinishBillingRequestFlow] and [Sandbox.FinishRedirectFlow] play
// the payer in a test.
//
// # Faults and inspection
//
// [Sandbox.Inject] makes selected calls fail, before or after they take effect: with an error of
// the API, a status, HTML, a delay, a broken connection or a truncated reply. [Sandbox.Requests]
// returns the requests with their replies, [Sandbox.Snapshot] and [Sandbox.Restore] save and
// restore the whole state, and [Sandbox.OpenState] keeps it in a file.
//
// # Recorded replies
//
// [Replay] answers a test's requests with recorded replies of the API. Package cassette records the
// replies, and compares the sandbox with them.
//
// # Money
//
// Money is conserved. At every moment, in each currency, the sum of the collected payments equals
// the sum of payouts, the balance, fees with their taxes, refunds, late failures and chargebacks.
// Every payout is the sum of its items. A payout is never negative: a creditor's debt is deducted
// from the next payouts as far as they cover it, and the rest is carried over.
//
// # Assumptions
//
// Where the API's behaviour is not public, the sandbox behaves as follows. An option in brackets
// changes the behaviour.
//
// Requests
//   - Checks run in this order: version, token, rate limit, path and method, Accept, syntax of query and
//     body, id in the path, idempotency key, body, query, and then the rules of the operation, state
//     before values.
//   - Any access token is accepted ([WithToken]). The rate limit is that of the API ([WithRateLimit])
//     and its windows are minutes of the sandbox's clock.
//   - A missing required member is 422 invalid_type at the top of a body and 400
//     invalid_document_structure inside it.
//   - A body may have 4 MiB and 32 levels, an idempotency key 128 characters. A key is kept until Reset
//     and applies to its path, whatever the body. Requests that return no id (mandate PDFs, look-ups) and
//     refused requests do not use the key up. Billing request flows ignore keys.
//   - Unknown parameters of a list, bad values, single values given twice and unknown cursors are 400
//     invalid_filters. A limit above 500 means 500. Sorted lists are descending by default.
//   - An action on a resource in the wrong state is 422 invalid_state. Where the reason is not known it
//     is already_actioned for a resource that is past the action, and redirect_flow_incomplete for one
//     that is not ready.
//   - The two lists of institutions have a meta member ([WithoutInstitutionMeta]).
//
// Customers and accounts
//   - An e-mail address is required unless the account sends its own notifications
//     ([WithCustomerNotifications]).
//   - The removal of a customer replies with 204 ([WithRemovalBody]) and cancels open mandates and what
//     depends on them. Later calls receive 410 customer_data_removed.
//   - Checks of bank details cover lengths, and the check digits of IBANs, US routing numbers, Swedish
//     accounts with 5xxx clearing numbers, and New Zealand accounts of the banks that weight branch and
//     account. British sort codes are not looked up. A bank account token works once.
//   - The name selects the result of an account holder check: one that contains "partial" matches
//     partially, "nobody" does not match, "unable" gives no answer, and any other matches fully.
//
// Mandates and payments
//   - Bank timings are those of the API's documentation ([WithoutBankTimings]), with a cut-off at 16:00
//     London time. Payments are submitted at 16:00, confirmed at 09:00 and paid out at 10:00 UTC.
//   - ACH, BECS, BECS NZ and SEPA mandates are submitted and activated with their first payment.
//   - New mandates do not wait for the payer's approval ([WithPayerApproval]).
//   - The smallest payment is 1 minor unit and the largest 100,000,000, or 10,000,000 with Autogiro and
//     Betalingsservice.
//   - retry_if_possible retries a failed payment once, three working days later than the next possible
//     date.
//   - Chargebacks and late failures are deducted from the creditor's next payouts in the currency.
//   - Bacs payments take references: the account has a service user number of its own
//     ([WithoutServiceUserNumber]).
//   - The steps that a customer's given name selects are a minute apart, whatever the bank timings. A
//     payment that a simulator leaves unfinished continues by date.
//
// Subscriptions and instalments
//   - A payment is created one working day before the latest day on which its date can be met. A
//     subscription is finished when its last payment is created. Dates in a pause do not count.
//   - An instalment schedule creates its payments after a second ([WithInstalmentDelay]). It is
//     completed when all are paid out. A schedule whose name begins with Faily fails.
//
// Refunds and payouts
//   - Refunds are enabled ([WithoutRefunds]), unlimited in number ([WithRefundLimit]), and require
//     total_amount_confirmation ([WithoutRefundConfirmation]). The payment must be confirmed or paid out.
//     amount_refunded includes a refund as soon as it is created. A refund of more than the rest of a
//     payment is a validation error. The creditor's balance is not checked.
//   - All payments of a creditor and currency that are paid out at the same time share a payout in that
//     currency. If the creditor has no account in it, the payout is converted when it is paid, at a rate
//     of the list of exchange rates.
//   - The fee is 1% plus 20 minor units, at most 400, without taxes ([WithFeeTaxes]) and without
//     surcharges ([WithSurchargeFees]).
//
// Webhooks and events
//   - Events exist at once. Webhooks follow the reply and are sent one at a time, in order. They are
//     retried after 1, 2, 10 and 30 minutes and 1, 3, 6 and 12 hours ([WithWebhookRetries]).
//
// Billing requests, simulators, outbound payments
//   - A simulator that does not fit the resource is 422 invalid_state, an unknown simulator 404. Instant
//     payments are submitted at once; simulators that confirm them or go further continue from there.
//   - A billing request creates its customer at once, without details, and lists show the customer.
//   - Any token may create bank authorisations, as in the real sandbox; their qr_code_url is null.
//   - Encrypted replies (bank account details, transferred mandates) have the documented shape, but no key
//     decrypts them ([WithEncryptionKey]). Transferred mandates use AES-256-GCM with the nonce first; the
//     AES key is encrypted with RSA-OAEP and SHA-256.
//
// # Limitations
//
// The sandbox has one organisation, does not distinguish partners' apps, does not verify request
// signatures, and does not send e-mails. Bank names come from a short list. Replies contain no
// fields that the API's description lacks.
package gocardlesstest
