// Package relay forwards the events of an account to endpoints on this machine, as signed webhooks.
//
// It polls for events and records on disk which ones it has forwarded, so that it neither misses an
// event nor forwards one twice after a network failure or a crash. Only an event that was being sent
// when the process was killed is in doubt: the endpoint may have received it. The next run reports
// such an event and does not send it again.
package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Event is an event as the API returned it.
type Event struct {
	ID        string
	Type      string // "payments.failed"
	CreatedAt time.Time
	Raw       json.RawMessage
}

// Source lists the events created at or after a time, the newest first, as the API does.
type Source func(ctx context.Context, since time.Time) ([]Event, error)

// Delivery is an attempt to send an event to an endpoint, and its result.
type Delivery struct {
	Event    Event
	Endpoint string
	Status   int // 0 without a reply
	Body     string
	Elapsed  time.Duration
	Err      error
}

// Relay forwards events.
type Relay struct {
	Source    Source
	Endpoints []string
	Filter    []string // event types, or resource types; empty for all
	State     *State
	Client    *http.Client
	Every     time.Duration
	Delivered func(Delivery)
	Lost      func(error) // the source could not be reached
	Doubtful  func(eventID, endpoint string)
	Retryable func(error) bool // whether an error of the source or an endpoint is temporary
}

// Overlap is how far before the cursor each poll starts. The API creates events asynchronously, so
// one may appear after later ones.
const Overlap = 10 * time.Minute

// Run forwards events until the context ends.
func (r *Relay) Run(ctx context.Context) error {
	for _, d := range r.State.Doubtful() {
		r.Doubtful(d.Event, d.Endpoint)
		if err := r.State.Settle(d); err != nil {
			return err
		}
	}
	wait := r.Every
	for {
		err := r.Poll(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			wait = r.Every
		case r.Retryable(err):
			r.Lost(err)
			wait = min(2*wait, 30*time.Second)
		default:
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// Poll forwards the new events.
func (r *Relay) Poll(ctx context.Context) error {
	events, err := r.Source(ctx, r.State.Cursor().Add(-Overlap))
	if err != nil {
		return err
	}
	slices.Reverse(events) // the sort keeps the order of those of one moment
	slices.SortStableFunc(events, func(a, b Event) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, e := range events {
		if e.CreatedAt.Before(r.State.Begin()) || !r.wanted(e.Type) {
			continue
		}
		for _, endpoint := range r.Endpoints {
			if err := r.forward(ctx, e, endpoint); err != nil {
				return err
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	return r.State.Advance(events[len(events)-1].CreatedAt)
}

func (r *Relay) wanted(kind string) bool {
	if len(r.Filter) == 0 {
		return true
	}
	resource, _, _ := strings.Cut(kind, ".")
	return slices.ContainsFunc(r.Filter, func(f string) bool { return f == kind || f == resource || f == resource+".*" })
}

// forward sends an event to an endpoint, once. An endpoint that refuses the connection has not
// received the event: the next poll sends it again.
func (r *Relay) forward(ctx context.Context, e Event, endpoint string) error {
	d := Pending{Event: e.ID, Endpoint: endpoint, At: e.CreatedAt}
	if r.State.Done(d) {
		return nil
	}
	if err := r.State.Start(d); err != nil {
		return err
	}
	// A delivery in progress is completed even when the program is stopping.
	delivery := r.Send(context.WithoutCancel(ctx), e, endpoint)
	if refused(delivery.Err) {
		if err := r.State.Undo(d); err != nil {
			return err
		}
		return &EndpointError{endpoint, delivery.Err}
	}
	if err := r.State.Settle(d); err != nil {
		return err
	}
	r.Delivered(delivery)
	return ctx.Err()
}

// EndpointError is the error of an endpoint that does not accept connections.
type EndpointError struct {
	Endpoint string
	Err      error
}

func (e *EndpointError) Error() string { return e.Endpoint + " does not accept connections" }
func (e *EndpointError) Unwrap() error { return e.Err }

const (
	endpointTime = 30 * time.Second
	maxReply     = 64 << 10
)

// Send sends an event as a signed webhook.
func (r *Relay) Send(ctx context.Context, e Event, endpoint string) Delivery {
	ctx, cancel := context.WithTimeout(ctx, endpointTime)
	defer cancel()
	began := time.Now()
	d := Delivery{Event: e, Endpoint: endpoint}
	body, err := json.Marshal(map[string]any{"events": []json.RawMessage{e.Raw}, "meta": map[string]string{"webhook_id": "WB" + rand.Text()[:14]}})
	if err != nil {
		d.Err = err
		return d
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		d.Err = err
		return d
	}
	req.GetBody = nil // keeps the transport from sending the webhook twice
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "gcpro-listen/"+gocardless.Version)
	req.Header.Set(gocardless.WebhookSignatureHeader, gocardless.SignWebhook(body, gocardless.WebhookSecret(r.State.Secret())))
	resp, err := r.Client.Do(req)
	if err != nil {
		d.Err = err
		return d
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	d.Status, d.Body, d.Err, d.Elapsed = resp.StatusCode, string(reply), err, time.Since(began)
	return d
}

// ParseEvent reads the members of an event that the relay needs.
func ParseEvent(raw json.RawMessage) (Event, error) {
	var e struct {
		ID           string    `json:"id"`
		CreatedAt    time.Time `json:"created_at"`
		ResourceType string    `json:"resource_type"`
		Action       string    `json:"action"`
	}
	if err := json.Unmarshal(raw, &e); err != nil || e.ID == "" {
		return Event{}, fmt.Errorf("cannot read an event: %w", err)
	}
	return Event{ID: e.ID, Type: e.ResourceType + "." + e.Action, CreatedAt: e.CreatedAt, Raw: raw}, nil
}
