package redislimit_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	redislimit "github.com/gocardless-community/gocardless-go/integrations/redis"
)

// All processes of an access token share its rate limit.
func ExampleNew() {
	server, err := miniredis.Run() // in a program, the Redis of your machines
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	limiter, err := redislimit.New(redis.NewClient(&redis.Options{Addr: server.Addr()}), redislimit.Options{
		Budget:   "acme-live",
		OnChange: func(err error) { fmt.Println("Redis:", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	client := gocardlesstest.New().Client(gocardless.WithLimiter(limiter))
	page, err := client.Customers.List(context.Background(), gocardless.CustomerListParams{}, gocardless.WithBulkLane())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(page.Items), "customers, shared:", limiter.Err() == nil)
	// Output: 0 customers, shared: true
}
