package gocardless_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// A nightly export leaves a reserve of the rate limit to the web site, which uses
// the same client.
func ExampleWithBulkLane() {
	client := gocardlesstest.New().Client(gocardless.WithRateLimitWait())
	ctx := context.Background()
	if _, err := client.Customers.Create(ctx, exampleCustomer()); err != nil {
		log.Fatal(err)
	}

	for customer, err := range client.Customers.All(ctx, gocardless.CustomerListParams{}, gocardless.WithBulkLane()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("exported:", customer.GivenName)
	}

	// A page of the web site is not shown after its deadline: the call fails at
	// once if the limit cannot let it through in time.
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := client.Customers.List(ctx, gocardless.CustomerListParams{Limit: 10})
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("busy, try again later")
	}
	// Output: exported: Frank
}

// Clients of one access token share a budget.
func ExampleNewLimiter() {
	limiter, err := gocardless.NewLimiter(30)
	if err != nil {
		log.Fatal(err)
	}
	website := gocardlesstest.New().Client(gocardless.WithLimiter(limiter))
	nightly := gocardlesstest.New().Client(gocardless.WithLimiter(limiter), gocardless.WithBulkLane())
	fmt.Println(website.Environment(), nightly.Environment())
	// Output: sandbox sandbox
}
