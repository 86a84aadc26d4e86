// Package demo is a tour of the SDK: it does what a newcomer would do first, and prints it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// start is the time in the demo's own sandbox: a Monday morning, so that the output is the same
// every time.
var start = time.Date(2026, time.September, 14, 9, 0, 0, 0, time.UTC)

// webhookSecret signs the webhooks of the demo's own sandbox.
const webhookSecret = "demo-webhook-secret"

// Local runs the tour against a sandbox in this process. It needs no account and no network.
func Local(ctx context.Context, out io.Writer) error {
	t := &tour{out: out, mandates: map[string]string{}}
	handler, err := gocardless.NewWebhookHandler(t, webhookSecret)
	if err != nil {
		return err
	}
	t.sandbox = gocardlesstest.New(
		gocardlesstest.WithFrozenClock(start),
		gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{Handler: handler, Secret: webhookSecret, Manual: true}),
	)
	t.client = t.sandbox.Client()
	t.title("A sandbox in this process: no account, no network, no money")
	return t.run(ctx)
}

// Remote runs the part of the tour that works anywhere against an existing sandbox account. What
// it creates stays there.
func Remote(ctx context.Context, out io.Writer, client *gocardless.Client) error {
	t := &tour{out: out, client: client, mandates: map[string]string{}}
	t.title("Your sandbox account: no money moves")
	return t.run(ctx)
}

// tour is the state of a run. The first error ends it.
type tour struct {
	out      io.Writer
	client   *gocardless.Client
	sandbox  *gocardlesstest.Sandbox // nil against a remote account
	mandates map[string]string
}

func (t *tour) title(s string) {
	fmt.Fprintf(t.out, "\n%s\n%s\n", s, strings.Repeat("─", len([]rune(s))))
}

// row prints a step and its result.
func (t *tour) row(step, format string, args ...any) {
	fmt.Fprintf(t.out, "  %-30s %s\n", step, fmt.Sprintf(format, args...))
}

func (t *tour) run(ctx context.Context) error {
	mandate, err := t.setUp(ctx)
	if err != nil {
		return err
	}
	payments, err := t.collect(ctx, mandate)
	if err != nil {
		return err
	}
	if err := t.refused(ctx, mandate); err != nil {
		return err
	}
	if t.sandbox != nil {
		return t.twoWeeks(ctx, payments[0])
	}
	return nil
}

// setUp creates a payer who can be debited.
func (t *tour) setUp(ctx context.Context) (*gocardless.Mandate, error) {
	t.title("A payer")
	customer, err := t.client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Byron"), Email: new("ada@example.com"),
		AddressLine1: new("12 Example Street"), City: new("Leeds"), PostalCode: new("LS1 1AA"), CountryCode: new("GB"),
	})
	if err != nil {
		return nil, err
	}
	t.row("customer", "%s  %s %s", customer.ID, customer.GivenName, customer.FamilyName)
	account, err := t.client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Byron"), BranchCode: new("200000"), AccountNumber: new("55779911"), CountryCode: new("GB"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		return nil, err
	}
	t.row("bank account", "%s  %s, number ends in %s", account.ID, account.BankName, account.AccountNumberEnding)
	mandate, err := t.client.Mandates.Create(ctx, gocardless.MandateCreateParams{
		Scheme: new(gocardless.SchemeBacs),
		Links:  gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID},
	})
	if err != nil {
		return nil, err
	}
	t.row("mandate", "%s  %s, first charge %s", mandate.ID, mandate.Status, mandate.NextPossibleChargeDate)
	return mandate, nil
}

// collect makes payments, lists them, reads one and cancels one.
func (t *tour) collect(ctx context.Context, mandate *gocardless.Mandate) ([]*gocardless.Payment, error) {
	t.title("Three payments")
	var made []*gocardless.Payment
	for i, amount := range []int64{1500, 2500, 4200} {
		payment, err := t.client.Payments.Create(ctx, gocardless.PaymentCreateParams{
			Amount: amount, Currency: gocardless.CurrencyGBP,
			Description: new(fmt.Sprintf("Membership, month %d", i+1)),
			Metadata:    gocardless.Metadata{"invoice": fmt.Sprintf("INV-%d", i+1)},
			Links:       gocardless.PaymentCreateParamsLinks{Mandate: mandate.ID},
		})
		if err != nil {
			return nil, err
		}
		made = append(made, payment)
		t.row("created", "%s  %s, charged on %s", payment.ID, pounds(payment.Amount), payment.ChargeDate)
	}
	first, err := t.client.Payments.Get(ctx, made[0].ID)
	if err != nil {
		return nil, err
	}
	t.row("read again", "%s  %s, %s", first.ID, first.Status, first.Metadata["invoice"])
	cancelled, err := t.client.Payments.Cancel(ctx, made[1].ID, gocardless.PaymentCancelParams{})
	if err != nil {
		return nil, err
	}
	t.row("cancelled", "%s  %s", cancelled.ID, cancelled.Status)
	for payment, err := range t.client.Payments.All(ctx, gocardless.PaymentListParams{Mandate: mandate.ID, Limit: 2}) {
		if err != nil {
			return nil, err
		}
		t.row("listed", "%s  %s, %s", payment.ID, pounds(payment.Amount), payment.Status)
	}
	return made, nil
}

// refused shows what an error is.
func (t *tour) refused(ctx context.Context, mandate *gocardless.Mandate) error {
	t.title("A call that is refused")
	_, err := t.client.Payments.Create(ctx, gocardless.PaymentCreateParams{
		Amount: 1000, Currency: gocardless.CurrencyEUR, Links: gocardless.PaymentCreateParamsLinks{Mandate: mandate.ID},
	})
	var refused *gocardless.Error
	switch {
	case err == nil:
		return errors.New("a payment in euros under a mandate in pounds was accepted")
	case !errors.As(err, &refused) || !errors.Is(err, gocardless.ErrValidation):
		return err
	}
	t.row("status, type", "%d %s", refused.StatusCode, refused.Type)
	for _, d := range refused.Details {
		t.row("field "+d.Field, "%s", d.Message)
	}
	t.row("request id", "%s", refused.RequestID)
	return nil
}

// twoWeeks lets the banks' time pass in the demo's own sandbox.
func (t *tour) twoWeeks(ctx context.Context, payment *gocardless.Payment) error {
	t.title("Two weeks later, in a moment: what the signed webhooks told")
	t.sandbox.Advance(14 * 24 * time.Hour)
	t.title("The money")
	payment, err := t.client.Payments.Get(ctx, payment.ID)
	if err != nil {
		return err
	}
	t.row("payment", "%s  %s, %s", payment.ID, pounds(payment.Amount), payment.Status)
	if payment.Links == nil || payment.Links.Payout == "" {
		return errors.New("the payment has no payout")
	}
	payout, err := t.client.Payouts.Get(ctx, payment.Links.Payout)
	if err != nil {
		return err
	}
	t.row("payout", "%s  %s, %s, arrived on %s", payout.ID, pounds(payout.Amount), payout.Status, payout.ArrivalDate)
	for item, err := range t.client.PayoutItems.All(ctx, gocardless.PayoutItemListParams{Payout: payout.ID}) {
		if err != nil {
			return err
		}
		t.row("  "+string(item.Type), "%10s pence", item.Amount)
	}
	fmt.Fprintln(t.out)
	return nil
}

// HandleEvent implements gocardless.EventHandler: it prints what a webhook brought.
func (t *tour) HandleEvent(_ context.Context, e gocardless.Event) error {
	why := ""
	if e.Details != nil {
		why = e.Details.Description
	}
	t.row(e.CreatedAt.Format("Mon 2 Jan 15:04")+"  "+string(e.Origin()), "%-22s %s  %s", e.Type(), e.ResourceID(), why)
	return nil
}

func pounds(pence int64) string { return fmt.Sprintf("£%d.%02d", pence/100, pence%100) }
