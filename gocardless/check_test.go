package gocardless

import (
	"reflect"
	"strings"
	"testing"
)

// Query parameters have names, not places in a body.
func TestCheckedQueryParams(t *testing.T) {
	err := InstitutionListParams{BranchCode: "12-34-56"}.Validate()
	e := as[*ParamsError](t, err)
	if want := []Problem{{"", "branch_code", "must match ^[0-9]{6}$"}}; !reflect.DeepEqual(e.Problems, want) {
		t.Errorf("got %+v", e.Problems)
	}
	if err := (BalanceListParams{}).Validate(); err == nil {
		t.Error("balances without a creditor")
	}
}

// A header may be required.
func TestCheckedHeader(t *testing.T) {
	err := BankAccountDetailGetParams{}.Validate()
	e := as[*ParamsError](t, err)
	if want := []Problem{{"", "Gc-Key-Id", "is required"}}; !reflect.DeepEqual(e.Problems, want) {
		t.Errorf("got %+v", e.Problems)
	}
}

// A field that the schema requires in one case only: a PayTo mandate needs a maximum amount for each
// payment.
func TestConditionalRequirement(t *testing.T) {
	request := func(scheme Scheme, constraints *MandateRequestConstraintsParams) error {
		return BillingRequestCreateParams{MandateRequest: &BillingRequestCreateParamsMandateRequest{Currency: new(CurrencyAUD), Scheme: new(scheme), Constraints: constraints}}.Validate()
	}
	if err := request(SchemeBacs, nil); err != nil {
		t.Errorf("bacs: %v", err)
	}
	for name, constraints := range map[string]*MandateRequestConstraintsParams{
		"no constraints": nil, "no amount": {},
	} {
		err := request(SchemePayTo, constraints)
		if err == nil || !strings.Contains(err.Error(), "constraints") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := request(SchemePayTo, &MandateRequestConstraintsParams{MaxAmountPerPayment: new(int64(1000))}); err != nil {
		t.Errorf("PayTo: %v", err)
	}
}

// An enum value that this version does not know is sent, for the API to check.
func TestUnknownEnumValuesAreSent(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply))
	params := paymentParams()
	params.Currency = "XYZ"
	if _, err := c.Payments.Create(t.Context(), params); err != nil || !strings.Contains(s.requests()[0].Body, `"currency":"XYZ"`) {
		t.Errorf("%v", err)
	}
}
