package gocardlesstest

import (
	"time"
)

// Given names of customers that select the outcome of their mandates and payments, without a simulator.

// triggerStep is the time between the steps that a name selects. In GoCardless's sandbox they follow
// within minutes, whatever the bank timings.
const triggerStep = time.Minute

// trigger is the jobs that a name selects.
type trigger struct {
	mandate string   // job after the submission of the mandate
	after   string   // the next job of the mandate
	payment []string // jobs of each payment
}

var triggers = map[string]*trigger{
	"Successful": {mandate: "mandate.activate", payment: []string{"payment.submit", "payment.confirm", "payment.pay_out"}},
	"Penniless":  {mandate: "mandate.activate", payment: []string{"payment.submit", "payment.fail"}},
	"Fickle":     {mandate: "mandate.activate", payment: []string{"payment.submit", "payment.confirm", "payment.pay_out", "payment.charge_back"}},
	"Late":       {mandate: "mandate.activate", payment: []string{"payment.submit", "payment.confirm", "payment.pay_out", "payment.fail_late"}},
	"Invalid":    {mandate: "mandate.fail"},
	"Expired":    {mandate: "mandate.activate", after: "mandate.expire"},
	"Switching":  {mandate: "mandate.activate", after: "mandate.transfer"},
}

// triggerOf returns the trigger of a customer, or nil.
func triggerOf(customer *record) *trigger {
	if customer.Removed {
		return nil
	}
	return triggers[customer.Str("given_name")]
}

// failureCode returns the bank's code for a cause, where the codes of the scheme are known.
func failureCode(scheme, cause string) string {
	bacs := map[string]string{
		"refer_to_payer": "ARUDD-0", "insufficient_funds": "ARUDD-0", "mandate_cancelled": "ARUDD-1", "bank_account_closed": "ARUDD-B",
		"bank_account_transferred": "ADDACS-3", "authorisation_disputed": "DDICA-4", "invalid_bank_details": "AUDDIS-5",
		"other": "ARUDD-6", "direct_debit_not_enabled": "AUDDIS-F",
	}
	sepa := map[string]string{
		"insufficient_funds": "AM04", "bank_account_closed": "AC04", "invalid_bank_details": "AC01", "mandate_cancelled": "MD01",
		"refund_requested": "MD06", "refer_to_payer": "MS03", "direct_debit_not_enabled": "AG01",
		"account_blocked_for_any_financial_transaction": "AC06", "bank_account_transferred": "AC04", "authorisation_disputed": "MD01", "other": "MS03",
	}
	ach := map[string]string{
		"refer_to_payer": "R01", "insufficient_funds": "R01", "bank_account_closed": "R02", "invalid_bank_details": "R03",
		"mandate_cancelled": "R07", "authorisation_disputed": "R10", "account_blocked_for_any_financial_transaction": "R16", "other": "R20",
	}
	switch scheme {
	case "bacs":
		return bacs[cause]
	case "ach":
		if c := ach[cause]; c != "" {
			return "ACH_RETURN-" + c
		}
		return ""
	case "sepa_core", "sepa_cor1":
		return sepa[cause]
	case "pay_to":
		if cause == "mandate_suspended_by_payer" {
			return "SBP"
		}
	case "faster_payments":
		return "FAILED"
	}
	return ""
}
