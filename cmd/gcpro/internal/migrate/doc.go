// Package migrate rewrites Go programs that use the official client of GoCardless
// (github.com/gocardless/gocardless-pro-go) to this SDK.
//
// It works on programs that compile, with their types: what a name means decides how it is
// rewritten. Comments and layout stay. What it cannot do is a note, with the section of the guide
// (docs/from-the-official-client.md) that explains it.
package migrate
