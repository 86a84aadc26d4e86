// Package gocardlesstest is a stateful fake of the GoCardless API, for tests and laptops.
//
// A [Sandbox] keeps what is created, refuses what the API refuses with the same error bodies,
// moves payments and mandates along their life cycles, and sends signed webhooks. No account and
// no network are needed.
//
//	func TestCollect(t *testing.T) {
//		sandbox := gocardlesstest.NewServer(t)
//		// point the client at sandbox.URL with any access token
//	}
package gocardlesstest
