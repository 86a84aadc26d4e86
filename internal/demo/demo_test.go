package demo

import (
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

func TestLocal(t *testing.T) {
	var first, second strings.Builder
	if err := Local(t.Context(), &first); err != nil {
		t.Fatalf("%v\n%s", err, first.String())
	}
	for _, want := range []string{"pending_submission", "cancelled", "422 validation_failed", "must be GBP for a bacs mandate", "billing_requests.fulfilled", "mandates.active", "payments.paid_out", "payouts.paid", "gocardless_fee"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("the tour does not show %q:\n%s", want, first.String())
		}
	}
	if err := Local(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("two runs differ:\n%s\n%s", first.String(), second.String())
	}
}

func TestRemote(t *testing.T) {
	var out strings.Builder
	if err := Remote(t.Context(), &out, gocardlesstest.New().Client()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "422 validation_failed") {
		t.Errorf("no refused call in:\n%s", out.String())
	}
}
