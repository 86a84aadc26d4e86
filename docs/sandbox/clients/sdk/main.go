// Command sdk creates a customer with this library.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func main() {
	client, err := gocardless.New(os.Getenv("GOCARDLESS_ACCESS_TOKEN"), gocardless.EnvironmentSandbox,
		gocardless.WithBaseURL(os.Getenv("GOCARDLESS_BASE_URL")), gocardless.WithPlainHTTP())
	if err != nil {
		log.Fatal(err)
	}
	customer, err := client.Customers.Create(context.Background(), gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(customer.ID)
}
