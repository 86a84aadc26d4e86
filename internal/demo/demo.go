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
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// start is the time in the demo's own sandbox: a fixed Monday morning, so that every run prints the same.
var start = time.Date(2026, time.September, 14, 9, 0, 0, 0, time.UTC)

// webhookSecret signs the webhooks of the demo's own sandbox.
const webhookSecret = "demo-webhook-secret"

// Local runs the tour against a sandbox in this process. It needs no account and no network.
func Local(ctx context.Context, out io.Writer) error {
	t := &tour{out: out}
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
	t := &tour{out: out, client: client}
	t.title("Your sandbox account: no money moves")
	return t.run(ctx)
}

// tour is the state of a run. The first error ends it.
type tour struct {
	out       io.Writer
	client    *gocardless.Client
	sandbox   *gocardlesstest.Sandbox // nil against a remote account
	listening bool                    // webhooks are shown
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
	if err := t.collect(ctx, mandate); err != nil {
		return err
	}
	if err := t.refused(ctx, mandate); err != nil {
		return err
	}
	if t.sandbox != nil {
		// The events so far are not shown.
		t.sandbox.FlushWebhooks()
		t.listening = true
	}
	request, err := t.hosted(ctx)
	if err != nil || t.sandbox == nil {
		return err
	}
	return t.journey(ctx, request)
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

// collect creates payments, reads one, cancels one and lists them.
func (t *tour) collect(ctx context.Context, mandate *gocardless.Mandate) error {
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
			return err
		}
		made = append(made, payment)
		t.row("created", "%s  %s, charged on %s", payment.ID, money.Format(payment.Amount, payment.Currency), payment.ChargeDate)
	}
	first, err := t.client.Payments.Get(ctx, made[0].ID)
	if err != nil {
		return err
	}
	t.row("read again", "%s  %s, %s", first.ID, first.Status, first.Metadata["invoice"])
	cancelled, err := t.client.Payments.Cancel(ctx, made[1].ID, gocardless.PaymentCancelParams{})
	if err != nil {
		return err
	}
	t.row("cancelled", "%s  %s", cancelled.ID, cancelled.Status)
	for payment, err := range t.client.Payments.All(ctx, gocardless.PaymentListParams{Mandate: mandate.ID, Limit: 2}) {
		if err != nil {
			return err
		}
		t.row("listed", "%s  %s, %s", payment.ID, money.Format(payment.Amount, payment.Currency), payment.Status)
	}
	return nil
}

// refused shows an error of the API.
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

// hosted asks a payer for a mandate through a hosted page and returns the billing request.
func (t *tour) hosted(ctx context.Context) (*gocardless.BillingRequest, error) {
	t.title("A mandate through a hosted page")
	request, err := t.client.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Currency: new(gocardless.CurrencyGBP), Scheme: new(gocardless.SchemeBacs)},
	})
	if err != nil {
		return nil, err
	}
	t.row("billing request", "%s  %s", request.ID, request.Status)
	for _, action := range request.Actions {
		if action.Required {
			t.row("  "+string(action.Type), "%s", action.Status)
		}
	}
	flow, err := t.client.BillingRequestFlows.Create(ctx, gocardless.BillingRequestFlowCreateParams{
		RedirectURI: new("https://shop.example.com/thanks"),
		Links:       gocardless.BillingRequestFlowCreateParamsLinks{BillingRequest: request.ID},
	})
	if err != nil {
		return nil, err
	}
	t.row("page for the payer", "%s", flow.AuthorisationURL)
	if t.sandbox == nil {
		t.row("", "open it in a browser to play the payer")
		return request, nil
	}
	back, err := t.sandbox.FinishBillingRequestFlow(flow.ID, gocardlesstest.TestPayer)
	if err != nil {
		return nil, err
	}
	t.row("payer is sent back to", "%s", back)
	if request, err = t.client.BillingRequests.Get(ctx, request.ID); err != nil {
		return nil, err
	}
	t.row("billing request", "%s  %s", request.ID, request.Status)
	return request, nil
}

// journey takes a payment from a mandate to a payout with the scenario simulators.
func (t *tour) journey(ctx context.Context, request *gocardless.BillingRequest) error {
	t.title("From the mandate to the payout, with scenario simulators")
	if request.Links == nil || request.Links.MandateRequestMandate == "" {
		return errors.New("the billing request has no mandate")
	}
	mandate := request.Links.MandateRequestMandate
	if err := t.simulate(ctx, gocardless.SimulatorMandateActivated, mandate); err != nil {
		return err
	}
	payment, err := t.client.Payments.Create(ctx, gocardless.PaymentCreateParams{
		Amount: 5000, Currency: gocardless.CurrencyGBP, Links: gocardless.PaymentCreateParamsLinks{Mandate: mandate},
	})
	if err != nil {
		return err
	}
	t.row("payment", "%s  %s, %s", payment.ID, money.Format(payment.Amount, payment.Currency), payment.Status)
	if err := t.simulate(ctx, gocardless.SimulatorPaymentPaidOut, payment.ID); err != nil {
		return err
	}
	if payment, err = t.client.Payments.Get(ctx, payment.ID); err != nil {
		return err
	}
	t.row("payment", "%s  %s, %s", payment.ID, money.Format(payment.Amount, payment.Currency), payment.Status)
	if payment.Links == nil || payment.Links.Payout == "" {
		return errors.New("the payment has no payout")
	}

	t.title("What the signed webhooks reported")
	t.sandbox.FlushWebhooks()

	t.title("The money")
	payout, err := t.client.Payouts.Get(ctx, payment.Links.Payout)
	if err != nil {
		return err
	}
	t.row("payout", "%s  %s, %s, arrived on %s", payout.ID, money.Format(payout.Amount, payout.Currency), payout.Status, payout.ArrivalDate)
	for item, err := range t.client.PayoutItems.All(ctx, gocardless.PayoutItemListParams{Payout: payout.ID}) {
		if err != nil {
			return err
		}
		t.row("  "+string(item.Type), "%10s pence", item.Amount)
	}
	fmt.Fprintln(t.out)
	return nil
}

func (t *tour) simulate(ctx context.Context, simulator, id string) error {
	_, err := t.client.ScenarioSimulators.Run(ctx, simulator, gocardless.ScenarioSimulatorRunParams{
		Links: &gocardless.ScenarioSimulatorRunParamsLinks{Resource: id},
	})
	if err == nil {
		t.row("simulator", "%s", simulator)
	}
	return err
}

// HandleEvent implements [gocardless.EventHandler]. It prints the event.
func (t *tour) HandleEvent(_ context.Context, e gocardless.Event) error {
	if !t.listening {
		return nil
	}
	t.row(e.CreatedAt.Format("Mon 2 Jan 15:04")+"  "+string(e.Origin()), "%-41s %s", e.Type(), e.ResourceID())
	return nil
}
