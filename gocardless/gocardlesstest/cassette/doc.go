// Package cassette records replies of the GoCardless API, and compares a sandbox with them.
//
// A cassette is a directory with one readable JSON file for each exchange of a request and its
// reply. It has three uses:
//
//   - A [Recorder] is a proxy in front of an API. It writes every exchange to a cassette, without
//     tokens, and with names, e-mail addresses, postal addresses and account numbers replaced.
//   - [Verify] sends the requests of a cassette to another API, such as the sandbox of the package
//     gocardlesstest, and reports where the replies differ in anything but their values: status,
//     errors, members, types, nulls, headers, order.
//   - A [Replay] answers a program's requests from a cassette, so that its tests need neither a
//     network nor an account. In a test, use the function Replay of package gocardlesstest.
//
// Record only GoCardless's sandbox environment. A recorder refuses the live API.
package cassette
