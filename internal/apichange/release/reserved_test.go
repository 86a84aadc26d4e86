package release

import (
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
)

// A new schema does not get a name that a service, a constant or handwritten code has.
func TestReserved(t *testing.T) {
	api, err := generator.Load(generator.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	names := reserved(api)
	for _, name := range []string{"Client", "Page", "PaymentService", "EventPaymentsFailed", "ReasonMandateIsInactive", "SimulatorPaymentPaidOut", "EventAction", "PaymentListParams", "SchemeBacs"} {
		if names[name] == "" {
			t.Errorf("%s is free", name)
		}
	}
	if place := names["Payment"]; place != "" {
		t.Errorf("Payment, which is a schema, has the name of %s", place)
	}
}
