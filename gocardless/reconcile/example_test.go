package reconcile_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
	"github.com/gocardless-community/gocardless-go/gocardless/reconcile"
)

// A payout, explained. The sandbox stands in for the API.
func ExamplePayout() {
	ctx := context.Background()
	sandbox := gocardlesstest.New(gocardlesstest.WithFrozenClock(time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC)))
	client := sandbox.Client()
	collect(ctx, sandbox, client)
	var id string
	for payout, err := range client.Payouts.All(ctx, gocardless.PayoutListParams{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		id = payout.ID
	}

	report, err := reconcile.Payout(ctx, client, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	currency := report.Payout.Currency
	for _, line := range report.Lines {
		fmt.Printf("%-16s %9s\n", line.Type, line.Amount.Format(currency))
	}
	fmt.Printf("%-16s %9s  %v\n", "payout", money.Format(report.Payout.Amount, currency), report.Err())
	// Output:
	// gocardless_fee      -£1.70
	// payment_paid_out   £150.00
	// payout             £148.30  <nil>
}

// The rows for accountants.
func ExampleWriteCSV() {
	report := &reconcile.Report{
		Payout: &gocardless.Payout{ID: "PO123", Reference: "TEA-AB12CD", Currency: gocardless.CurrencyGBP},
		Lines: []reconcile.Line{{
			Type: gocardless.PayoutItemTypePaymentPaidOut, Amount: money.FromMinor(1500), Item: &gocardless.PayoutItem{Amount: "1500.0"},
			Payment: &gocardless.Payment{ID: "PM123", Description: "=tea"},
		}},
	}
	if err := reconcile.WriteCSV(os.Stdout, report); err != nil {
		fmt.Println(err)
	}
	// Output:
	// payout,payout_reference,arrival_date,type,amount,tax,currency,payment,charge_date,description,payment_reference,refund,mandate,customer,customer_name,company_name
	// PO123,TEA-AB12CD,,payment_paid_out,15.00,,GBP,PM123,,'=tea,,,,,,
}

// collect creates a payment and advances the clock until it is paid out.
func collect(ctx context.Context, sandbox *gocardlesstest.Sandbox, client *gocardless.Client) {
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"), CountryCode: new("GB"),
	})
	if err != nil {
		panic(err)
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Lovelace"), IBAN: new("GB60BARC20000055779911"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		panic(err)
	}
	mandate, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{
		Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID},
	})
	if err != nil {
		panic(err)
	}
	_, err = client.Payments.Create(ctx, gocardless.PaymentCreateParams{
		Amount: 15000, Currency: gocardless.CurrencyGBP, Links: gocardless.PaymentCreateParamsLinks{Mandate: mandate.ID},
	})
	if err != nil {
		panic(err)
	}
	sandbox.Advance(14 * 24 * time.Hour)
}
