// Package gocardlessgo is the root of the module and has no code of its own.
//
// Import one of these:
//
//   - [github.com/gocardless-community/gocardless-go/gocardless] is the client for the GoCardless
//     Pro API.
//   - [github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest] is a sandbox for
//     tests: it simulates the API in memory.
//   - [github.com/gocardless-community/gocardless-go/gocardless/eventsql] records handled webhook
//     events in PostgreSQL or SQLite.
//   - [github.com/gocardless-community/gocardless-go/gocardless/reconcile] explains a payout to the
//     penny.
//   - [github.com/gocardless-community/gocardless-go/gocardless/oauth] connects the accounts of
//     other organisations to a partner's app.
//   - [github.com/gocardless-community/gocardless-go/gocardless/jwe] decrypts bank details that the
//     API encrypts.
//
// The README has a quickstart, and docs/guides has guides.
package gocardlessgo

//go:generate go run ./cmd/gen
