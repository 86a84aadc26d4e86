package gocardless_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// listener is a service that listens to webhooks. Its handler looks up what the event is about,
// as the handlers of services do.
type listener struct {
	store  gocardless.MemoryEventStore
	mux    gocardless.EventMux
	client *gocardless.Client

	mu    sync.Mutex
	down  bool           // the service is not there
	shaky map[string]int // how often the first handling of an event fails
	done  map[string]int
	types []gocardless.EventType
}

func (l *listener) handle(ctx context.Context, e gocardless.Event) error {
	if e.ResourceType == gocardless.EventResourceTypePayments {
		if _, err := l.client.Payments.Get(ctx, e.Links.Payment); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shaky[e.ID]++; l.shaky[e.ID] == 1 && len(l.shaky)%3 == 0 {
		return errors.New("fails the first time")
	}
	l.done[e.ID]++
	l.types = append(l.types, e.Type())
	return nil
}

func (l *listener) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// A sandbox of the API delivers events twice and shuffled; some fail; then the service is away
// for longer than deliveries are retried, and catches up. Every event of the API is handled
// exactly once.
func TestWebhooksOfTheSandbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret gocardless.WebhookSecret = "of the endpoint"
		ctx := t.Context()
		l := &listener{shaky: map[string]int{}, done: map[string]int{}}
		l.store.Retention = 90 * 24 * time.Hour
		l.mux.OnAny(l.handle)
		hook, err := gocardless.NewWebhookHandler(gocardless.Once(&l.store, &l.mux), secret)
		if err != nil {
			t.Fatal(err)
		}
		sandbox := gocardlesstest.New(gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{
			Secret: secret, Duplicate: true, Shuffle: true,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				l.mu.Lock()
				down := l.down
				l.mu.Unlock()
				if down {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				hook.ServeHTTP(w, r)
			}),
		}))
		defer func() { _ = sandbox.Close() }()
		l.client = sandbox.Client()
		start := sandbox.Now()

		mandate := newMandate(t, l.client)
		collect(t, l.client, mandate, 3)
		for range 12 { // with the repeats that failed events need
			sandbox.Advance(6 * time.Hour)
			sandbox.FlushWebhooks()
		}
		before := len(l.done)

		l.setDown(true)
		collect(t, l.client, mandate, 4)
		sandbox.Advance(30 * 24 * time.Hour)
		sandbox.FlushWebhooks()
		l.setDown(false)
		if len(l.done) != before {
			t.Errorf("%d events were handled in the outage", len(l.done)-before)
		}
		if ahead := time.Until(sandbox.Now()); ahead < 30*24*time.Hour {
			t.Fatalf("the sandbox's clock is only %s ahead", ahead)
		}
		catchUp := gocardless.EventCatchUp{Client: l.client, Store: &l.store, Handler: &l.mux, From: start}
		for run := range 3 {
			report, err := catchUp.Run(ctx)
			if run == 2 && (err != nil || report.Handled != 0) {
				t.Errorf("the third run still has something to do: %+v, %v", report, err)
			}
		}

		all := 0
		for e, err := range l.client.Events.All(ctx, gocardless.EventListParams{}) {
			if err != nil {
				t.Fatal(err)
			}
			all++
			if l.done[e.ID] != 1 {
				t.Errorf("event %s (%s) was handled %d times", e.ID, e.Type(), l.done[e.ID])
			}
			if e.ResourceID() == "" {
				t.Errorf("event %s (%s) names no resource", e.ID, e.Type())
			}
		}
		if all != len(l.done) || all-before < 4 || before < 4 {
			t.Errorf("%d events, %d handled, %d of them before the outage", all, len(l.done), before)
		}
		for _, want := range []gocardless.EventType{gocardless.EventMandatesActive, gocardless.EventPaymentsPaidOut, gocardless.EventPayoutsPaid} {
			if !slices.Contains(l.types, want) {
				t.Errorf("no event %s", want)
			}
		}
	})
}

func newMandate(t *testing.T, client *gocardless.Client) string {
	t.Helper()
	ctx := t.Context()
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"), CountryCode: new("GB"),
	})
	if err != nil {
		t.Fatal(err)
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Lovelace"), IBAN: new("GB60BARC20000055779911"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	mandate, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{
		Scheme: new(gocardless.SchemeBacs),
		Links:  gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	return mandate.ID
}

func collect(t *testing.T, client *gocardless.Client, mandate string, n int) {
	t.Helper()
	for i := range n {
		payment, err := client.Payments.Create(t.Context(), gocardless.PaymentCreateParams{
			Amount: int64(1000 + i), Currency: gocardless.CurrencyGBP, Links: gocardless.PaymentCreateParamsLinks{Mandate: mandate},
		})
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			continue // the banks' time brings the others
		}
		for _, simulator := range []string{gocardless.SimulatorMandateActivated, gocardless.SimulatorPaymentPaidOut} {
			resource := payment.ID
			if simulator == gocardless.SimulatorMandateActivated {
				resource = mandate
			}
			_, err := client.ScenarioSimulators.Run(t.Context(), simulator, gocardless.ScenarioSimulatorRunParams{
				Links: &gocardless.ScenarioSimulatorRunParamsLinks{Resource: resource},
			})
			if err != nil && simulator != gocardless.SimulatorMandateActivated { // it is active the second time
				t.Fatal(err)
			}
		}
	}
}
