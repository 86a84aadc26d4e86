// Package bulk sends many create requests in one resumable run, such as the payments of a month,
// and creates nothing twice.
//
// A run reads lines, each with an idempotency key and params, and sends a create request for each
// with that key, on the bulk lane of the client's limiter. A [Journal] records the outcome of every
// line. To resume a run that was stopped or crashed, run it again with the same lines and the same
// journal: lines with an outcome are not sent again. A line that was sent but not recorded is sent
// again with its key, and the API returns the resource that the first request created.
//
//	journal, err := bulk.OpenFile("2026-11.ndjson")
//	…
//	report, err := bulk.Run(ctx, client, bulk.Payments, lines, journal, bulk.Options{})
//
// The client should have a limiter ([gocardless.WithRateLimitWait]), so that the
// run leaves a reserve of the rate limit to other calls. Several processes can work
// on one run if they share a journal in a database ([NewSQLJournal]).
//
// Every operation that creates a resource with an idempotency key can be run in bulk: [Payments],
// [Subscriptions], [Refunds], [Mandates], [Customers] and others.
package bulk
