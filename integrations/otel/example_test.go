package gcotel_test

import (
	"context"
	"fmt"
	"log"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	gcotel "github.com/gocardless-community/gocardless-go/integrations/otel"
)

// A call and its attempts as spans. In a program the exporter sends them to a
// collector.
func ExampleTelemetry_Observer() {
	exporter := tracetest.NewInMemoryExporter()
	telemetry, err := gcotel.New(gcotel.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)),
	})
	if err != nil {
		log.Fatal(err)
	}
	sandbox := gocardlesstest.New()
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.list", Reason: "internal_server_error"})
	client := sandbox.Client(gocardless.WithObserver(telemetry.Observer()))
	if _, err := client.Customers.List(context.Background(), gocardless.CustomerListParams{}); err != nil {
		log.Fatal(err)
	}
	for _, span := range exporter.GetSpans() {
		fmt.Printf("%s: %q\n", span.Name, span.Status.Description)
	}
	// Output:
	// GET /customers: "500"
	// GET /customers: ""
	// customers.list: ""
}
