package reconcile_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// life is an account with random events. It collects payments in three currencies, one of them
// converted, and pays tax on its fees, and surcharges for failures.
type life struct {
	t        testing.TB
	sandbox  *gocardlesstest.Sandbox
	client   *gocardless.Client
	random   *rand.Rand
	mandates []*gocardless.Mandate
	payments []*gocardless.Payment
	refunds  []string
	paid     map[string]int64 // refunded amounts by payment
}

var currencies = map[gocardless.Scheme]gocardless.Currency{
	gocardless.SchemeBacs: gocardless.CurrencyGBP, gocardless.SchemeSepaCore: gocardless.CurrencyEUR, gocardless.SchemeAutogiro: gocardless.CurrencySEK,
}

func newLife(t testing.TB, seed uint64) *life {
	l := &life{t: t, random: rand.New(rand.NewPCG(seed, 1)), paid: map[string]int64{}}
	l.sandbox = gocardlesstest.New(gocardlesstest.WithFrozenClock(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)),
		gocardlesstest.WithRateLimit(0), gocardlesstest.WithRequestLog(0), gocardlesstest.WithFeeTaxes(), gocardlesstest.WithSurchargeFees(150))
	l.client = l.sandbox.Client()
	ctx := context.Background()
	for range 2 {
		for _, account := range []struct {
			scheme  gocardless.Scheme
			country string
			params  gocardless.CustomerBankAccountCreateParams
		}{
			{gocardless.SchemeBacs, "GB", gocardless.CustomerBankAccountCreateParams{IBAN: new("GB60BARC20000055779911")}},
			{gocardless.SchemeSepaCore, "DE", gocardless.CustomerBankAccountCreateParams{IBAN: new("DE89370400440532013000")}},
			{gocardless.SchemeAutogiro, "SE", gocardless.CustomerBankAccountCreateParams{
				CountryCode: new("SE"), BranchCode: new("5491"), AccountNumber: new("0000003"),
			}},
		} {
			customer, err := l.client.Customers.Create(ctx, gocardless.CustomerCreateParams{
				GivenName: new("=Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"), CountryCode: new(account.country),
				SwedishIdentityNumber: map[bool]*string{true: new("556564-5404")}[account.scheme == gocardless.SchemeAutogiro],
			})
			if err != nil {
				t.Fatal(err)
			}
			account.params.AccountHolderName, account.params.Links.Customer = new("Ada Lovelace"), customer.ID
			bank, err := l.client.CustomerBankAccounts.Create(ctx, account.params)
			if err != nil {
				t.Fatal(err)
			}
			mandate, err := l.client.Mandates.Create(ctx, gocardless.MandateCreateParams{
				Scheme: new(account.scheme), Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: bank.ID},
			})
			if err != nil {
				t.Fatal(err)
			}
			l.mandates = append(l.mandates, mandate)
		}
	}
	l.sandbox.Advance(10 * 24 * time.Hour)
	return l
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// day makes the calls of one day, and ignores those that the API refuses.
func (l *life) day() {
	ctx := context.Background()
	for range 1 + l.random.IntN(4) {
		l.pay(ctx)
	}
	for range 3 {
		p := pick(l.random, l.payments)
		switch l.random.IntN(9) {
		case 0:
			l.simulate(p.ID, gocardless.SimulatorPaymentPaidOut)
		case 1:
			l.simulate(p.ID, gocardless.SimulatorPaymentLateFailure)
		case 2:
			_ = l.sandbox.ChargeBack(p.ID)
		case 3:
			_ = l.sandbox.CancelChargeback(p.ID)
		case 4, 5, 6:
			l.refund(ctx, p)
		case 7:
			if len(l.refunds) > 0 {
				id := pick(l.random, l.refunds[max(0, len(l.refunds)-5):])
				l.simulate(id, pick(l.random, []string{gocardless.SimulatorRefundReturned, gocardless.SimulatorRefundBounced}))
			}
		case 8:
			l.simulate(p.ID, gocardless.SimulatorPaymentFailed)
		}
		l.sandbox.Advance(time.Duration(1+l.random.IntN(60)) * time.Minute)
	}
	l.sandbox.Advance(24 * time.Hour)
}

func (l *life) pay(ctx context.Context) {
	m := pick(l.random, l.mandates)
	params := gocardless.PaymentCreateParams{
		Amount: 100 + l.random.Int64N(50_000), Currency: currencies[m.Scheme], Description: new("@SUM(A1)"),
		Links: gocardless.PaymentCreateParamsLinks{Mandate: m.ID},
	}
	if l.random.IntN(3) == 0 {
		params.AppFee = new(params.Amount / 10)
	}
	p, err := l.client.Payments.Create(ctx, params)
	if err != nil {
		l.t.Fatal(err)
	}
	l.payments = append(l.payments, p)
}

func (l *life) refund(ctx context.Context, p *gocardless.Payment) {
	amount := 1 + l.random.Int64N(p.Amount)
	if l.paid[p.ID]+amount > p.Amount {
		return
	}
	r, err := l.client.Refunds.Create(ctx, gocardless.RefundCreateParams{
		Amount: amount, TotalAmountConfirmation: new(l.paid[p.ID] + amount), Links: gocardless.RefundCreateParamsLinks{Payment: new(p.ID)},
	})
	if err == nil {
		l.paid[p.ID] += amount
		l.refunds = append(l.refunds, r.ID)
	}
}

func (l *life) simulate(id, simulator string) {
	_, _ = l.client.ScenarioSimulators.Run(context.Background(), simulator, gocardless.ScenarioSimulatorRunParams{
		Links: &gocardless.ScenarioSimulatorRunParamsLinks{Resource: id},
	})
}
