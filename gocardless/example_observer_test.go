package gocardless_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// An observer counts what calls do. The module integrations/otel has one that makes
// spans and metrics.
func ExampleWithObserver() {
	sandbox := gocardlesstest.New()
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.list", Reason: "internal_server_error"})
	client := sandbox.Client(gocardless.WithObserver(gocardless.Observer{
		AttemptEnded: func(_ context.Context, e gocardless.AttemptEnd) {
			fmt.Printf("attempt %d of %s: status %d, retry %t\n", e.Attempt, e.Operation.Name, e.StatusCode, e.Retry)
		},
		CallEnded: func(_ context.Context, e gocardless.CallEnd) {
			fmt.Printf("%s: %d attempts, error %q\n", e.Operation.Name, e.Attempts, gocardless.ErrorClass(e.Err))
		},
	}))
	if _, err := client.Customers.List(context.Background(), gocardless.CustomerListParams{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// attempt 1 of customers.list: status 500, retry true
	// attempt 2 of customers.list: status 200, retry false
	// customers.list: 2 attempts, error ""
}

// A transport learns which operation a request is for.
func ExampleOperationFromContext() {
	sandbox := gocardlesstest.New()
	client := sandbox.Client(gocardless.WithHTTPClient(&http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		op, _ := gocardless.OperationFromContext(req.Context())
		fmt.Println(op.Name, op.Path)
		return sandbox.Transport().RoundTrip(req)
	})}))
	if _, err := client.Customers.List(context.Background(), gocardless.CustomerListParams{}); err != nil {
		log.Fatal(err)
	}
	// Output: customers.list /customers
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
