// Command list iterates over a list with the SDK.
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
	for payment, err := range client.Payments.All(context.Background(), gocardless.PaymentListParams{}) {
		if err != nil {
			fail(err)
		}
		fmt.Println(payment.ID, payment.Amount, payment.Status)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
