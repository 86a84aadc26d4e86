// Package bulk makes many creates in one resumable run, such as the payments of a
// month, and makes none twice.
//
// A run reads lines, each an idempotency key and params, and sends a create for
// each with that key, on the bulk lane of the client's limiter. A [Journal] records
// the outcome of every line. A run that was stopped, or whose process crashed,
// is run again with the same lines and the same journal: lines that have an outcome
// are not sent again, and a line that was sent but not recorded is sent again with
// its key, for which the API returns the resource that the first request made.
//
//	journal, err := bulk.OpenFile("2026-11.ndjson")
//	…
//	report, err := bulk.Run(ctx, client, bulk.Payments, lines, journal, bulk.Options{})
//
// The client should have a limiter ([gocardless.WithRateLimitWait]), so that the
// run leaves a reserve of the rate limit to other calls. Several processes can work
// on one run if they share a journal in a database ([NewSQLJournal]).
//
// Everything that the API creates with an idempotency key can be created in bulk:
// [Payments], [Subscriptions], [Refunds], [Mandates], [Customers] and others.
package bulk
