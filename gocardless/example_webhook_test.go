package gocardless_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// exampleBody is the body of a webhook with one event.
const exampleBody = `{"events":[{"id":"EV000123","created_at":"2026-09-14T10:22:05.000Z",
	"resource_type":"payments","action":"failed",
	"details":{"origin":"bank","cause":"insufficient_funds","scheme":"bacs","reason_code":"ARUDD-0","will_attempt_retry":true},
	"links":{"payment":"PM000123"},"organisation_id":"OR000123"}],"meta":{"webhook_id":"WB000123"}}`

// post delivers exampleBody as GoCardless does.
func post(h http.Handler, secret gocardless.WebhookSecret) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(exampleBody))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook([]byte(exampleBody), secret))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func ExampleParseWebhook() {
	const secret gocardless.WebhookSecret = "from the dashboard"
	body := []byte(exampleBody)
	signature := gocardless.SignWebhook(body, secret) // of the header Webhook-Signature

	delivery, err := gocardless.ParseWebhook(body, signature, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range delivery.Events {
		fmt.Println(delivery.ID, event.Type(), event.Links.Payment, event.Cause(), event.Organisation())
	}

	_, err = gocardless.ParseWebhook(body, signature, "another secret")
	fmt.Println(errors.Is(err, gocardless.ErrInvalidSignature))
	// Output:
	// WB000123 payments.failed PM000123 insufficient_funds OR000123
	// true
}

func ExampleNewWebhookHandler() {
	// While the secret of an endpoint is being replaced, give the old and the new one.
	const secret, old gocardless.WebhookSecret = "from the dashboard", "the one before"

	mux := gocardless.NewEventMux()
	mux.On(gocardless.EventPaymentsFailed, func(ctx context.Context, event gocardless.Event) error {
		fmt.Println("payment", event.Links.Payment, "failed:", event.Cause())
		return nil // an error makes GoCardless send the event again
	})
	handler, err := gocardless.NewWebhookHandler(mux, secret, old)
	if err != nil {
		fmt.Println(err)
		return
	}
	// http.Handle("POST /webhooks", handler)

	fmt.Println(post(handler, secret))
	fmt.Println(post(handler, "forged"))
	// Output:
	// payment PM000123 failed: insufficient_funds
	// 204
	// 498
}

func ExampleNewWebhookDeliveryHandler() {
	const secret gocardless.WebhookSecret = "from the dashboard"
	queue := make(chan []byte, 100)
	handler, err := gocardless.NewWebhookDeliveryHandler(func(ctx context.Context, d *gocardless.WebhookDelivery) error {
		select {
		case queue <- d.Body:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(post(handler, secret))

	// Elsewhere: what is on the queue was verified before.
	delivery, err := gocardless.ParseUnverifiedWebhook(<-queue)
	fmt.Println(delivery.ID, err)
	// Output:
	// 204
	// WB000123 <nil>
}

func ExampleEventMux() {
	say := func(what string) gocardless.EventHandlerFunc {
		return func(ctx context.Context, event gocardless.Event) error {
			fmt.Println(what+":", event.Type())
			return nil
		}
	}
	mux := gocardless.NewEventMux()
	mux.On(gocardless.EventMandatesCancelled, say("one type"))
	mux.OnResource(gocardless.EventResourceTypeMandates, say("all about mandates"))
	mux.OnAny(say("everything else"))

	for _, event := range []gocardless.Event{
		{ResourceType: "mandates", Action: "cancelled"},
		{ResourceType: "mandates", Action: "active"},
		{ResourceType: "mandates", Action: "some_news"},
		{ResourceType: "payouts", Action: "paid"},
	} {
		if err := mux.HandleEvent(context.Background(), event); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// one type: mandates.cancelled
	// all about mandates: mandates.active
	// all about mandates: mandates.some_news
	// everything else: payouts.paid
}

func ExampleOnce() {
	const secret gocardless.WebhookSecret = "from the dashboard"
	mux := gocardless.NewEventMux()
	failing := true
	mux.OnAny(func(ctx context.Context, event gocardless.Event) error {
		fmt.Println("handling", event.ID)
		if failing {
			return errors.New("the database is down")
		}
		return nil
	})
	// The package eventsql has a store that outlives the process.
	store := new(gocardless.MemoryEventStore)
	handler, err := gocardless.NewWebhookHandler(gocardless.Once(store, mux), secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(post(handler, secret))
	failing = false
	fmt.Println(post(handler, secret)) // sent again
	fmt.Println(post(handler, secret)) // a duplicate
	// Output:
	// handling EV000123
	// 500
	// handling EV000123
	// 204
	// 204
}

func ExampleEventCatchUp() {
	client, err := gocardless.New("access-token", gocardless.EnvironmentSandbox, gocardless.WithHTTPClient(exampleAPI()))
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := gocardless.NewEventMux()
	mux.OnAny(func(ctx context.Context, event gocardless.Event) error {
		fmt.Println("handling", event.ID)
		return nil
	})
	store := new(gocardless.MemoryEventStore)
	catchUp := &gocardless.EventCatchUp{
		Client:  client,
		Store:   store, // the one that the webhook handler uses
		Handler: mux,
		From:    time.Now().Add(-24 * time.Hour), // for the first run; later ones know where they were
	}
	for range 2 {
		report, err := catchUp.Run(context.Background())
		fmt.Println(report.Handled, "handled,", report.Failed, "failed, error:", err)
	}
	// Output:
	// handling EV000123
	// 1 handled, 0 failed, error: <nil>
	// 0 handled, 0 failed, error: <nil>
}

// exampleAPI is an API with one event, created a minute ago.
func exampleAPI() *http.Client {
	created := time.Now().Add(-time.Minute).UTC()
	return &http.Client{Transport: exampleTransport(func(r *http.Request) string {
		from, _ := time.Parse(time.RFC3339, r.URL.Query().Get("created_at[gte]"))
		to, _ := time.Parse(time.RFC3339, r.URL.Query().Get("created_at[lt]"))
		if created.Before(from) || !created.Before(to) {
			return `{"events":[],"meta":{"cursors":{"before":null,"after":null},"limit":500}}`
		}
		return `{"events":[{"id":"EV000123","created_at":"` + created.Format(time.RFC3339Nano) +
			`","resource_type":"payments","action":"paid_out","links":{"payment":"PM000123"}}],"meta":{"cursors":{"before":null,"after":null},"limit":500}}`
	})}
}

type exampleTransport func(*http.Request) string

func (f exampleTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body: io.NopCloser(strings.NewReader(f(r))), Request: r}, nil
}

func ExampleMetadata() {
	metadata := gocardless.Metadata{}
	for _, err := range []error{
		metadata.SetInt("order", 4711),
		metadata.SetTime("ordered_at", time.Date(2026, 9, 14, 12, 22, 5, 0, time.FixedZone("", 2*3600))),
		metadata.SetJSON("items", []string{"tea", "biscuits"}),
	} {
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(metadata)
	fmt.Println(metadata.SetBool("gift", true))

	order, err := metadata.Int("order")
	fmt.Println(order, err)
	_, err = metadata.Bool("gift")
	fmt.Println(errors.Is(err, gocardless.ErrNoMetadata))
	// Output:
	// map[items:["tea","biscuits"] order:4711 ordered_at:2026-09-14T10:22:05Z]
	// gocardless: metadata "gift": there are 3 keys already, which is the limit
	// 4711 <nil>
	// true
}
