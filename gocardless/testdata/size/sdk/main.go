// Command sdk makes one call of the API with the SDK. It does the same as the program floor.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func main() {
	client, err := gocardless.New(os.Getenv("GOCARDLESS_ACCESS_TOKEN"), gocardless.EnvironmentLive)
	if err != nil {
		fail(err)
	}
	payment, err := client.Payments.Get(context.Background(), os.Args[1])
	if err != nil {
		fail(err)
	}
	fmt.Println(payment.ID, payment.Amount, payment.Status)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
