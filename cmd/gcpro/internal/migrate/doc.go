// Package migrate rewrites Go programs that use the official client of GoCardless
// (github.com/gocardless/gocardless-pro-go) to this SDK.
//
// It works on programs that compile, and uses their type information to decide what a name refers
// to. Comments and layout stay. For each place that it cannot rewrite it returns a note, with the
// section of the guide (docs/from-the-official-client.md) that explains the change.
package migrate
