package gocardless_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func exampleCustomer() gocardless.CustomerCreateParams {
	return gocardless.CustomerCreateParams{GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new("frank@acmeplc.com")}
}

func ExampleNew() {
	client, err := gocardless.New(os.Getenv("GOCARDLESS_ACCESS_TOKEN"), gocardless.EnvironmentSandbox,
		gocardless.WithTimeout(20*time.Second),
		gocardless.WithRetries(5))
	if err != nil {
		log.Fatal(err)
	}
	payment, err := client.Payments.Get(context.Background(), "PM123")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(payment.Status)
}

// An error tells what kind of failure it is, what the API found wrong, and whether
// the request may have been carried out.
func ExampleError() {
	_, err := exampleClient().Payments.Get(context.Background(), "PM404")
	switch e, ok := errors.AsType[*gocardless.Error](err); {
	case errors.Is(err, gocardless.ErrNotFound):
		fmt.Println("no such payment:", e.StatusCode, e.Details[0].Reason)
	case ok && e.HasReason(gocardless.ReasonMandateIsInactive):
		fmt.Println("the mandate has ended")
	case err != nil:
		fmt.Println(err)
	}
	// Output: no such payment: 404 resource_not_found
}

// What is wrong with params is said before anything is sent.
func ExampleParamsError() {
	_, err := exampleClient().Payments.Create(context.Background(), gocardless.PaymentCreateParams{Amount: 1000})
	if e, ok := errors.AsType[*gocardless.ParamsError](err); ok {
		for _, p := range e.Problems {
			fmt.Println(p.Field, p.Message, p.Pointer)
		}
	}
	// Output:
	// currency is required /payments/currency
	// links.mandate is required /payments/links/mandate
}

// The same key never creates twice, and the record tells created from found.
func ExampleWithIdempotencyKey() {
	client := exampleClient()
	for range 2 {
		var r gocardless.Response
		_, err := client.Customers.Create(context.Background(), exampleCustomer(),
			gocardless.WithIdempotencyKey("signup-4711"), gocardless.WithResponse(&r))
		fmt.Println("existing:", r.Existing, "error:", err)
	}
	// Output:
	// existing: false error: <nil>
	// existing: true error: <nil>
}

// An update that needs an explicit null, or a field newer than this package.
func ExampleWithBodyField() {
	client := exampleClient()
	customer, err := client.Customers.Create(context.Background(), exampleCustomer())
	if err != nil {
		log.Fatal(err)
	}
	customer, err = client.Customers.Update(context.Background(), customer.ID, gocardless.CustomerUpdateParams{},
		gocardless.WithBodyField("metadata.tier", "gold"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(customer.Metadata["tier"])
	// Output: gold
}

// Reports that run at night wait longer, and never repeat a POST.
func ExampleWithRetryPolicy() {
	patient := func(a gocardless.RetryAttempt) gocardless.RetryDecision {
		if a.Operation.Method == http.MethodPost {
			return gocardless.RetryDecision{}
		}
		decision := gocardless.DefaultRetry(a)
		decision.Wait = max(decision.Wait, 10*time.Second)
		return decision
	}
	client, err := gocardless.NewFromEnv(gocardless.WithRetryPolicy(patient), gocardless.WithRetries(10))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
}

func ExampleWithRequestSigning() {
	text, err := os.ReadFile("signing-key.pem")
	if err != nil {
		log.Fatal(err)
	}
	key, err := gocardless.ParseSigningKey(text)
	if err != nil {
		log.Fatal(err)
	}
	client, err := gocardless.NewFromEnv(gocardless.WithRequestSigning("RSK123", key))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
}

// A page at a time, for a program that keeps its own place.
func ExamplePage_Next() {
	ctx, client := context.Background(), exampleClient()
	for range 5 {
		if _, err := client.Customers.Create(ctx, exampleCustomer()); err != nil {
			log.Fatal(err)
		}
	}
	page, err := client.Customers.List(ctx, gocardless.CustomerListParams{Limit: 2})
	for ; page != nil || err != nil; page, err = page.Next(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Items), page.HasNext())
	}
	// Output:
	// 2 true
	// 2 true
	// 1 false
}

// A path for which there is no method yet.
func ExampleClient_Do() {
	var reply struct {
		Customers struct {
			ID    string
			Email string
		}
	}
	err := exampleClient().Do(context.Background(), "POST", "/customers",
		json.RawMessage(`{"customers":{"given_name":"Frank","family_name":"Osborne","email":"frank@acmeplc.com"}}`), &reply,
		gocardless.WithOperationKind(gocardless.KindCreate))
	fmt.Println(reply.Customers.Email, err)
	// Output: frank@acmeplc.com <nil>
}
