package gocardless

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// statusTokenInvalid is the status that GoCardless expects for a signature that does not match.
const statusTokenInvalid = 498

// Limits of [WebhookHandler].
const (
	// DefaultWebhookMaxBytes is the maximum size of a body, 8 MiB. That is enough for 250 events, each
	// with the longest metadata of its own and of its resource, every character escaped as \uXXXX.
	DefaultWebhookMaxBytes = 8 << 20
	// DefaultWebhookReadTimeout is the time in which a body must arrive: 10 seconds, the time that
	// GoCardless waits for an answer.
	DefaultWebhookReadTimeout = 10 * time.Second
)

// How long a delivery waits for events that another worker is handling.
const (
	busyWaitFirst = 50 * time.Millisecond
	busyWaitTotal = 2 * time.Second
)

// ErrEventBusy is the error of a handler for an event that another worker is handling. [Once]
// returns it. [WebhookHandler] then waits for up to two seconds, and if the event is still not
// done, replies with 503, so that GoCardless sends the delivery again.
var ErrEventBusy = errors.New("gocardless: event is being handled by another worker")

// EventHandler handles one event. An error means that the event was not handled and must be
// delivered again.
//
// In a [WebhookHandler], the context is the request's: it ends when GoCardless hangs up, which it does
// after 10 seconds. A handler may be called from several goroutines at once, and more than once for
// the same event unless it is wrapped by [Once].
type EventHandler interface {
	HandleEvent(ctx context.Context, event Event) error
}

// EventHandlerFunc turns a function into an [EventHandler].
type EventHandlerFunc func(ctx context.Context, event Event) error

// HandleEvent calls f.
func (f EventHandlerFunc) HandleEvent(ctx context.Context, event Event) error { return f(ctx, event) }

// PanicError is a panic of an event handler, turned into an error. Its message leaves out the
// panic's value, which may contain anything.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // the stack trace of the panic, from runtime/debug.Stack
}

// Error reports the panic and the type of its value, but not the value.
func (e *PanicError) Error() string {
	return fmt.Sprintf("gocardless: event handler panicked with a %T", e.Value)
}

// GoString is like Error: it keeps %#v from printing the value.
func (e PanicError) GoString() string { return e.Error() }

// Format is like Error, whatever the verb.
func (e PanicError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error: it keeps the value out of a JSON document.
func (e PanicError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// WebhookHandler is an [http.Handler] for a webhook endpoint. It verifies the signature of a
// request and passes its events to the handler one by one; an event that fails does not keep the
// others from being handled. It replies without a body:
//
//   - 204 when all events were handled
//   - 500 when the handler failed or panicked, 503 when another worker still has one of the
//     events ([ErrEventBusy]): GoCardless sends the delivery again, up to eight times. With
//     [Once] around the handler, events that succeeded are not handled again
//   - 498 for a signature that is missing or wrong
//   - 400 for a body that was cut off, or is signed but not a webhook
//   - 405 for another method than POST, 408 for a body that took too long, 413 for one that is
//     too large, 415 for one that is not JSON or is compressed
//
// Set the fields before the first request. A WebhookHandler is safe for concurrent use.
type WebhookHandler struct {
	// MaxBytes is the maximum size of a body; zero means DefaultWebhookMaxBytes.
	MaxBytes int64
	// ReadTimeout is the time in which a body must arrive; zero means DefaultWebhookReadTimeout, a
	// negative value no limit. The server must support read deadlines, as net/http's does.
	ReadTimeout time.Duration
	// Logger receives why a request was refused, and the id and type of each event that failed, with
	// the handler's error. It receives no other values of a body. Nil means no log.
	Logger *slog.Logger

	deliver func(context.Context, *WebhookDelivery) error
	// secrets is a function because printers that follow pointers show every string that they can
	// reach.
	secrets func() []WebhookSecret
}

// NewWebhookHandler returns an endpoint that passes each event of a delivery to handler, such as an
// [EventMux]. It needs at least one secret; pass several while you replace an endpoint's secret. An
// empty secret is an error ([ErrWebhookSecret]), because it would accept forged requests.
func NewWebhookHandler(handler EventHandler, secrets ...WebhookSecret) (*WebhookHandler, error) {
	if handler == nil {
		return nil, errors.New("gocardless: NewWebhookHandler: the handler must not be nil")
	}
	h, err := newWebhookHandler(secrets)
	if err != nil {
		return nil, err
	}
	h.deliver = func(ctx context.Context, d *WebhookDelivery) error { return h.handleAll(ctx, handler, d) }
	return h, nil
}

// NewWebhookDeliveryHandler returns an endpoint that passes on whole deliveries, for example to put
// their bodies on a queue, whose consumer parses them with [ParseUnverifiedWebhook]. If the
// function returns an error, GoCardless sends the delivery again.
func NewWebhookDeliveryHandler(deliver func(context.Context, *WebhookDelivery) error, secrets ...WebhookSecret) (*WebhookHandler, error) {
	if deliver == nil {
		return nil, errors.New("gocardless: NewWebhookDeliveryHandler: the function must not be nil")
	}
	h, err := newWebhookHandler(secrets)
	if err != nil {
		return nil, err
	}
	h.deliver = func(ctx context.Context, d *WebhookDelivery) error {
		err := contain(func() error { return deliver(ctx, d) })
		if err != nil {
			h.logFailure(ctx, err, "webhook", d.ID)
		}
		return err
	}
	return h, nil
}

func newWebhookHandler(secrets []WebhookSecret) (*WebhookHandler, error) {
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	secrets = slices.Clone(secrets)
	return &WebhookHandler{secrets: func() []WebhookSecret { return secrets }}, nil
}

// ServeHTTP answers one delivery.
func (h *WebhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := h.serve(w, r)
	w.WriteHeader(status)
}

func (h *WebhookHandler) serve(w http.ResponseWriter, r *http.Request) (status int) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	if !isPlainJSON(r.Header) {
		return h.refuse(r, http.StatusUnsupportedMediaType, "the body is not JSON, or is compressed")
	}
	body, status := h.read(w, r)
	if status != 0 {
		return status
	}
	// GoCardless sends one signature. With two, it is not clear which one counts.
	signatures := r.Header.Values(WebhookSignatureHeader)
	if len(signatures) > 1 {
		return h.refuse(r, statusTokenInvalid, "more than one signature")
	}
	signature := ""
	if len(signatures) == 1 {
		signature = signatures[0]
	}
	delivery, err := ParseWebhook(body, signature, h.secretList()...)
	switch {
	case errors.Is(err, ErrMissingSignature), errors.Is(err, ErrInvalidSignature):
		return h.refuse(r, statusTokenInvalid, err.Error())
	case err != nil:
		return h.refuse(r, http.StatusBadRequest, err.Error())
	}
	if n := len(delivery.Misfits); n > 0 && h.Logger != nil {
		h.Logger.WarnContext(r.Context(), "gocardless: webhook does not fit", "webhook", delivery.ID, "misfits", n, "first", delivery.Misfits[0].String())
	}
	switch err := h.deliver(r.Context(), delivery); {
	case err == nil:
		return http.StatusNoContent
	case errors.Is(err, ErrEventBusy):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// secretList returns the secrets; the zero handler has none.
func (h *WebhookHandler) secretList() []WebhookSecret {
	if h.secrets == nil {
		return nil
	}
	return h.secrets()
}

// read reads the body, up to the limits. The status is 0 when all of it was read.
func (h *WebhookHandler) read(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	limit := h.MaxBytes
	if limit <= 0 {
		limit = DefaultWebhookMaxBytes
	}
	if r.ContentLength > limit {
		return nil, h.refuse(r, http.StatusRequestEntityTooLarge, "body too large")
	}
	timeout := h.ReadTimeout
	if timeout == 0 {
		timeout = DefaultWebhookReadTimeout
	}
	limited := timeout > 0
	rc := http.NewResponseController(w)
	if limited {
		limited = rc.SetReadDeadline(time.Now().Add(timeout)) == nil
	}
	source := r.Body
	if source == nil { // in a request that no server received
		source = http.NoBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, source, limit))
	if err != nil {
		var tooLarge *http.MaxBytesError
		var slow interface{ Timeout() bool }
		switch {
		case errors.As(err, &tooLarge):
			return nil, h.refuse(r, http.StatusRequestEntityTooLarge, "body too large")
		case errors.As(err, &slow) && slow.Timeout():
			return nil, h.refuse(r, http.StatusRequestTimeout, "body took too long")
		}
		return nil, h.refuse(r, http.StatusBadRequest, "body cut off")
	}
	if limited {
		// The server keeps reading, to notice that the client has gone. A deadline that is left in
		// place would end the request's context while the events are being handled.
		_ = rc.SetReadDeadline(time.Time{})
	}
	return body, 0
}

// isPlainJSON reports whether the headers declare a body of JSON that is not compressed.
func isPlainJSON(header http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || mediaType != "application/json" {
		return false
	}
	encoding := header.Get("Content-Encoding")
	return encoding == "" || strings.EqualFold(encoding, "identity")
}

func (h *WebhookHandler) refuse(r *http.Request, status int, why string) int {
	if h.Logger != nil {
		h.Logger.WarnContext(r.Context(), "gocardless: webhook refused", "status", status, "reason", why)
	}
	return status
}

// handleAll passes the events of a delivery to the handler. It retries those that another worker has
// when the others are done.
func (h *WebhookHandler) handleAll(ctx context.Context, handler EventHandler, d *WebhookDelivery) error {
	ctx = withDelivery(ctx, d)
	todo := make([]*Event, len(d.Events))
	for i := range d.Events {
		todo[i] = &d.Events[i]
	}
	var failed error
	wait := busyWaitFirst
	for waited := time.Duration(0); ; waited += wait {
		var busy []*Event
		for _, e := range todo {
			if err := ctx.Err(); err != nil {
				// The sender has gone, and will deliver the remaining events again.
				return errors.Join(failed, err)
			}
			switch err := contain(func() error { return handler.HandleEvent(ctx, *e) }); {
			case errors.Is(err, ErrEventBusy):
				busy = append(busy, e)
			case err != nil:
				h.logFailure(ctx, err, "webhook", d.ID, "event", e.ID, "type", string(e.Type()))
				failed = err
			}
		}
		if len(busy) == 0 {
			return failed
		}
		if waited >= busyWaitTotal || failed != nil || sleep(ctx, wait) != nil {
			if failed == nil {
				failed = ErrEventBusy
			}
			return failed
		}
		todo = busy
	}
}

func (h *WebhookHandler) logFailure(ctx context.Context, err error, attrs ...any) {
	if h.Logger == nil {
		return
	}
	attrs = append(attrs, "error", err)
	if p, ok := errors.AsType[*PanicError](err); ok {
		attrs = append(attrs, "panic", fmt.Sprintf("%T", p.Value), "stack", string(p.Stack))
	}
	h.Logger.ErrorContext(ctx, "gocardless: webhook handler failed", attrs...)
}

// contain calls f and returns a panic as an error.
func contain(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

type deliveryKey struct{}

// handledDelivery is the delivery in the context of an event handler.
type handledDelivery struct {
	*WebhookDelivery
	bodies func() map[string]json.RawMessage // the JSON of each event by id
}

func withDelivery(ctx context.Context, d *WebhookDelivery) context.Context {
	bodies := sync.OnceValue(func() map[string]json.RawMessage {
		list, _ := d.RawEvents() // the body was parsed before
		m := make(map[string]json.RawMessage, len(list))
		for i, raw := range list {
			if i < len(d.Events) {
				m[d.Events[i].ID] = raw
			}
		}
		return m
	})
	return context.WithValue(ctx, deliveryKey{}, handledDelivery{d, bodies})
}

// WebhookDeliveryFromContext returns the delivery of the event that a handler is handling, for its
// id or its raw body. It returns nil outside a handler, and for events that did not arrive by
// webhook.
func WebhookDeliveryFromContext(ctx context.Context) *WebhookDelivery {
	d, _ := ctx.Value(deliveryKey{}).(handledDelivery)
	return d.WebhookDelivery
}

// EventJSON returns an event as JSON, which [ParseUnverifiedEvent] parses. If ctx is a
// handler's and the event arrived by webhook, the JSON is exactly as delivered. Other events are
// encoded, without the members that this version of the package has no field for.
func EventJSON(ctx context.Context, event Event) ([]byte, error) {
	if d, ok := ctx.Value(deliveryKey{}).(handledDelivery); ok {
		if raw := d.bodies()[event.ID]; raw != nil {
			return raw, nil
		}
	}
	raw, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("gocardless: encoding event %s: %w", event.ID, err)
	}
	return raw, nil
}
