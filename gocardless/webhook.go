package gocardless

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// WebhookSignatureHeader is the header in which GoCardless sends the signature of a webhook.
const WebhookSignatureHeader = "Webhook-Signature"

// Errors of webhooks, for use with [errors.Is]. Their messages, and those of the errors
// that wrap them, contain nothing of the request.
var (
	// ErrMissingSignature means that the request had no signature.
	ErrMissingSignature = errors.New("gocardless: the webhook has no signature")
	// ErrInvalidSignature means that the signature does not match the body with any of the secrets:
	// the request is not from GoCardless, or was changed in transit.
	ErrInvalidSignature = errors.New("gocardless: webhook signature does not match")
	// ErrWebhookSecret means that there was no secret to check a signature with, or that one was empty
	// or began or ended with white space. Empty secrets are refused because anyone can sign with them.
	ErrWebhookSecret = errors.New("gocardless: unusable webhook secret")
	// ErrMalformedWebhook means that a body is not a webhook: not JSON, or without a list of
	// events, each with id, resource type and action.
	ErrMalformedWebhook = errors.New("gocardless: malformed webhook")
)

// WebhookSecret is the secret of a webhook endpoint, as the GoCardless dashboard shows it. It prints
// as "[redacted]"; convert it to a string to read it. If your own struct keeps a WebhookSecret in an
// unexported field, give the struct a Format method: package fmt cannot call that of the field, and
// would print the secret.
type WebhookSecret string

// String returns "[redacted]".
func (WebhookSecret) String() string { return "[redacted]" }

// Format writes "[redacted]", whatever the verb.
func (WebhookSecret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// MarshalText returns "[redacted]", also in a JSON document.
func (WebhookSecret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// LogValue returns "[redacted]".
func (WebhookSecret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// WebhookDelivery is the body of a request to a webhook endpoint: up to 250 events.
//
// The order of events has no meaning, neither within a delivery nor between deliveries, and the
// same event can be delivered more than once. Rely on the resource's current state, fetched from
// the API, or on Event.CreatedAt; use [Once] to handle each event once. [Webhook] is the API's own
// record of a delivery.
type WebhookDelivery struct {
	// ID is the id of the webhook, prefixed WB; WebhookService.Get returns its record.
	ID string
	// Events are the events, in the order of the body.
	Events []Event
	// Body is the request's body, exactly as it was signed. It also contains the members that Event
	// has no field for.
	Body []byte
	// Misfits are the values that do not fit their fields, which keep their zero value.
	// Event.Misfits has those of each event.
	Misfits []Misfit
}

// ParseWebhook checks that body was signed with one of the secrets, and parses it. Pass the
// request's body unchanged, since the signature covers its bytes; signature is the value of the
// header Webhook-Signature. Pass several secrets while you replace an endpoint's secret.
//
// The body is parsed only after its signature has been verified. The error
// is [ErrWebhookSecret], [ErrMissingSignature], [ErrInvalidSignature] or, for a signed body that
// cannot be read, [ErrMalformedWebhook].
//
// The delivery keeps body, so do not change it afterwards.
func ParseWebhook(body []byte, signature string, secrets ...WebhookSecret) (*WebhookDelivery, error) {
	if err := VerifyWebhook(body, signature, secrets...); err != nil {
		return nil, err
	}
	return ParseUnverifiedWebhook(body)
}

// VerifyWebhook checks that body was signed with one of the secrets, as [ParseWebhook] does,
// without parsing it. The comparison takes the same time wherever the signatures differ.
func VerifyWebhook(body []byte, signature string, secrets ...WebhookSecret) error {
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	if signature == "" {
		return ErrMissingSignature
	}
	given, err := hex.DecodeString(signature)
	if err != nil || len(given) != sha256.Size {
		return ErrInvalidSignature
	}
	// Every secret is tried, so that the time does not reveal which one matched.
	match := 0
	for _, secret := range secrets {
		match |= subtle.ConstantTimeCompare(given, signature256(body, secret))
	}
	if match != 1 {
		return ErrInvalidSignature
	}
	return nil
}

// ParseUnverifiedWebhook parses the body of a webhook without verifying its signature. Use it only
// for bodies that were verified earlier, such as those from a queue, and for Webhook.RequestBody;
// never for a request.
func ParseUnverifiedWebhook(body []byte) (*WebhookDelivery, error) {
	w := webhookBody{expected: min(bytes.Count(body, []byte(`"resource_type"`)), maxEvents)}
	d := jsonwire.NewDecoder(body)
	w.decode(d)
	outcome, err := d.Finish()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedWebhook, err)
	}
	if w.events == nil {
		return nil, fmt.Errorf("%w: no list of events", ErrMalformedWebhook)
	}
	for i := range w.events {
		e := &w.events[i]
		if e.ID == "" || e.ResourceType == "" || e.Action == "" {
			return nil, fmt.Errorf("%w: event %d lacks id, resource_type or action", ErrMalformedWebhook, i)
		}
	}
	delivery := &WebhookDelivery{ID: w.id, Events: w.events, Body: body, Misfits: misfitsOf(outcome.Misfits)}
	for _, m := range delivery.Misfits {
		if i, path, ok := insideList(m.Path, "events"); ok && i < len(w.events) {
			m.Path = path
			w.events[i].Misfits = append(w.events[i].Misfits, m)
		}
	}
	return delivery, nil
}

// RawEvents returns the JSON of each event, exactly as in Body and in the order of Events, for
// example to put events on a queue whose consumer parses them with [ParseUnverifiedEvent].
func (d *WebhookDelivery) RawEvents() ([]json.RawMessage, error) {
	var body struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedWebhook, err)
	}
	return body.Events, nil
}

// ParseUnverifiedEvent parses one event from JSON that [WebhookDelivery.RawEvents] or [EventJSON]
// returned. Never use it for a request.
func ParseUnverifiedEvent(raw []byte) (*Event, error) {
	d, err := ParseUnverifiedWebhook(slices.Concat([]byte(`{"events":[`), raw, []byte(`]}`)))
	if err != nil {
		return nil, err
	}
	if len(d.Events) != 1 {
		return nil, fmt.Errorf("%w: %d events instead of one", ErrMalformedWebhook, len(d.Events))
	}
	return &d.Events[0], nil
}

// SignWebhook returns the signature that GoCardless sends with a body, for tests of your own
// endpoint: HMAC with SHA-256, in lower-case hexadecimal.
func SignWebhook(body []byte, secret WebhookSecret) string {
	return hex.EncodeToString(signature256(body, secret))
}

func signature256(body []byte, secret WebhookSecret) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// checkSecrets refuses secrets that are empty or have white space around them. The latter is nearly
// always the end of a line in a file, and would otherwise show only as signatures that do not match.
func checkSecrets(secrets []WebhookSecret) error {
	if len(secrets) == 0 {
		return fmt.Errorf("%w: none given", ErrWebhookSecret)
	}
	for i, secret := range secrets {
		switch s := string(secret); {
		case s == "":
			return fmt.Errorf("%w: secret %d is empty", ErrWebhookSecret, i+1)
		case strings.TrimSpace(s) != s:
			return fmt.Errorf("%w: secret %d begins or ends with white space", ErrWebhookSecret, i+1)
		}
	}
	return nil
}

// maxEvents is how many events GoCardless puts into a delivery.
const maxEvents = 250

// webhookBody is the envelope of a webhook.
type webhookBody struct {
	expected int // number of events, if the body is a webhook's
	id       string
	events   []Event
}

func (w *webhookBody) decode(d *jsonwire.Decoder) {
	for d.Object(); d.More(); {
		switch string(d.Key) {
		case "events":
			w.decodeEvents(d)
		case "meta":
			w.decodeMeta(d)
		default:
			d.Unknown()
		}
	}
}

// decodeEvents allocates the list in its final size.
func (w *webhookBody) decodeEvents(d *jsonwire.Decoder) {
	if w.events = nil; !d.HasArray() {
		return
	}
	w.events = make([]Event, 0, w.expected)
	for d.Array(); d.Elem(); {
		w.events = append(w.events, Event{})
		d.Read(&w.events[len(w.events)-1])
	}
}

func (w *webhookBody) decodeMeta(d *jsonwire.Decoder) {
	for d.Object(); d.More(); {
		switch string(d.Key) {
		case "webhook_id":
			w.id = d.Text()
		default:
			d.Unknown()
		}
	}
}
