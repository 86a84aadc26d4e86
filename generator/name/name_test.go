package name_test

import (
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/name"
)

func TestGo(t *testing.T) {
	for wire, want := range map[string]string{
		"id":                   "ID",
		"created_at":           "CreatedAt",
		"MandatePdf":           "MandatePDF",
		"PSUInteractionType":   "PSUInteractionType",
		"psu_interaction_type": "PSUInteractionType",
		"GBP":                  "GBP",
		"bacs":                 "Bacs",
		"sepa_core":            "SepaCore",
		"pay_to":               "PayTo",
		"payto":                "PayTo",
		"ach":                  "ACH",
		"faster_ach":           "FasterACH",
		"payment_ids":          "PaymentIDs",
		"fx_amount":            "FXAmount",
		"authorisation_url":    "AuthorisationURL",
		"Gc-Key-Id":            "GcKeyID",
		"payer_ip_address":     "PayerIPAddress",
		"address_line1":        "AddressLine1",
		"2020_cutover":         "N2020Cutover",
		"ISO20022":             "ISO20022",
	} {
		if got := name.Go(wire); got != want {
			t.Errorf("Go(%q) = %q, want %q", wire, got, want)
		}
	}
}

func TestSingular(t *testing.T) {
	for plural, want := range map[string]string{
		"payments":               "payment",
		"mandate_import_entries": "mandate_import_entry",
		"funds_availability":     "funds_availability",
		"balances":               "balance",
	} {
		if got := name.Singular(plural); got != want {
			t.Errorf("Singular(%q) = %q, want %q", plural, got, want)
		}
	}
}

func TestOperation(t *testing.T) {
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/payments", "payments.list"},
		{"POST", "/payments", "payments.create"},
		{"GET", "/payments/{identity}", "payments.get"},
		{"PUT", "/payments/{id}", "payments.update"},
		{"DELETE", "/customers/{identity}", "customers.remove"},
		{"POST", "/payments/{identity}/actions/retry", "payments.retry"},
		{"POST", "/branding/logos", ""},
		{"GET", "/payments/{identity}/actions/retry", ""},
		{"PATCH", "/payments/{identity}", ""},
	} {
		if got := name.Operation(c.method, c.path); got != c.want {
			t.Errorf("Operation(%s %s) = %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
