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
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

func exampleCustomer() gocardless.CustomerCreateParams {
	return gocardless.CustomerCreateParams{GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new("frank@acmeplc.com")}
}

// A payer signs up on the page that GoCardless hosts. This is the way for most live accounts, which
// cannot create customers and mandates directly.
func Example_signUp() {
	ctx := context.Background()
	sandbox := gocardlesstest.New() // in a program: gocardless.New or gocardless.NewFromEnv
	client := sandbox.Client()

	request, err := client.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Scheme: new(gocardless.SchemeBacs)},
		Metadata:       gocardless.Metadata{"member": "4711"},
	})
	if err != nil {
		log.Fatal(err)
	}
	flow, err := client.BillingRequestFlows.Create(ctx, gocardless.BillingRequestFlowCreateParams{
		RedirectURI: new("https://shop.example.com/welcome"),
		Links:       gocardless.BillingRequestFlowCreateParamsLinks{BillingRequest: request.ID},
	})
	if err != nil {
		log.Fatal(err)
	}
	// Redirect the payer to flow.AuthorisationURL. Here the sandbox plays the payer.
	if _, err := sandbox.FinishBillingRequestFlow(flow.ID, gocardlesstest.TestPayer); err != nil {
		log.Fatal(err)
	}

	// In a program: in the handler of EventBillingRequestsFulfilled.
	request, err = client.BillingRequests.Get(ctx, request.ID)
	if err != nil {
		log.Fatal(err)
	}
	payment, err := client.Payments.Create(ctx, gocardless.PaymentCreateParams{
		Amount:   1500,
		Currency: gocardless.CurrencyGBP,
		Links:    gocardless.PaymentCreateParamsLinks{Mandate: request.Links.MandateRequestMandate},
	}, gocardless.WithIdempotencyKey("first-payment-"+request.ID))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(request.Status, payment.Amount, payment.Status)
	// Output: fulfilled 1500 pending_submission
}

// The API answers with an error twice, then the reply to a create request is lost. The client
// retries with the same idempotency key, and the payment exists once.
func Example_outage() {
	ctx := context.Background()
	sandbox := gocardlesstest.New()
	client := sandbox.Client(gocardless.WithRetryPolicy(func(a gocardless.RetryAttempt) gocardless.RetryDecision {
		decision := gocardless.DefaultRetry(a)
		decision.Wait = 0 // only so that the example ends at once
		return decision
	}))
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", Status: 503, Times: 2})
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", After: true, Drop: true})

	var response gocardless.Response
	_, err := client.Customers.Create(ctx, exampleCustomer(), gocardless.WithResponse(&response))
	if err != nil {
		log.Fatal(err)
	}
	customers, err := client.Customers.List(ctx, gocardless.CustomerListParams{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("attempts:", response.Attempts, "found the first:", response.Existing, "customers:", len(customers.Items))
	// Output: attempts: 5 found the first: true customers: 1
}

// Four workers read a large list. The cursor resumes an export that was interrupted.
func ExampleNewExporter() {
	ctx, client := context.Background(), exampleClient()
	for range 10 {
		if _, err := client.Customers.Create(ctx, exampleCustomer()); err != nil {
			log.Fatal(err)
		}
	}
	exporter := gocardless.NewExporter(client.Customers.List, gocardless.CustomerListParams{}, gocardless.ExportOptions{Workers: 4})
	count := 0
	for _, err := range exporter.All(ctx) {
		if err != nil {
			log.Fatal("resume later from ", exporter.Cursor(), ": ", err)
		}
		count++
	}
	fmt.Println(count)
	// Output: 10
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

// An Error holds the kind of failure, what the API found wrong, and whether the request may have
// run.
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

// Invalid params are refused before anything is sent.
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

// The same key never creates twice. Response.Existing reports whether the resource existed.
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

// Nightly reports wait longer, and never retry a POST.
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
	pem, err := os.ReadFile("signing-key.pem")
	if err != nil {
		log.Fatal(err)
	}
	key, err := gocardless.ParseSigningKey(pem)
	if err != nil {
		log.Fatal(err)
	}
	client, err := gocardless.NewFromEnv(gocardless.WithRequestSigning("RSK123", key))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
}

// One page at a time, for a program that keeps its own cursor.
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

// A path that has no method yet.
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
