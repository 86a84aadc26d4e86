package gocardless

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/leaktest"
)

// Values that hold a secret or a body print without it, by pointer and by value, alone and inside
// other values.
func TestValuesDoNotPrintSecrets(t *testing.T) {
	const secret, token = "whsec-0123456789abcdef", "live_0123456789abcdefghijkl"
	handler, err := NewWebhookHandler(EventHandlerFunc(func(context.Context, Event) error { return nil }), secret)
	if err != nil {
		t.Fatal(err)
	}
	leaktest.Check(t, *handler, secret)
	leaktest.Check(t, WebhookSecret(secret), secret)

	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	private := new(big.Int).SetBytes(raw).String()
	client, err := New(token, EnvironmentLive, WithHeader("X-Secret", secret), WithRequestSigning("key", key))
	if err != nil {
		t.Fatal(err)
	}
	leaktest.Check(t, *client, token, secret, private)
	leaktest.Check(t, *client.Payments, token, secret, private)
	leaktest.Check(t, WithHeader("Authorization", "Bearer "+token), token)
	leaktest.Check(t, WithRequestSigning("key", key), private)

	header := http.Header{"X-Secret": {secret}}
	leaktest.Check(t, Error{StatusCode: 500, Message: "no", Body: []byte(secret), Header: header}, secret)
	leaktest.Check(t, ConnectionError{Err: errors.New("no"), Previous: &Error{Body: []byte(secret)}}, secret)
	leaktest.Check(t, MalformedResponseError{Err: errors.New("no"), Body: []byte(secret), Header: header}, secret)
	const person = "jane@example.com"
	leaktest.Check(t, SigningError{Err: errors.New("no key of " + person)}, person)
	leaktest.Check(t, ParamsError{Problems: []Problem{{Field: "metadata." + person, Message: "is too long"}}}, person)
	leaktest.Check(t, Response{Body: []byte(secret), Header: header}, secret)
	leaktest.Check(t, PanicError{Value: secret, Stack: []byte("stack")}, secret)
}

// endpoint is a user's struct, as the doc comment of WebhookSecret advises.
type endpoint struct{ secret WebhookSecret }

func (endpoint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "endpoint") }

func TestSecretInAnUnexportedField(t *testing.T) {
	const secret = "whsec-0123456789abcdef"
	leaktest.Check(t, endpoint{secret}, secret)
	type bare endpoint // has no methods
	if text := fmt.Sprintf("%+v", bare{secret}); !strings.Contains(text, secret) {
		t.Errorf("%s: fmt has learned to hide it, and the advice can go", text)
	}
}

// The handler's logger receives the stack of a panic, but not its value.
func TestHandlerLogsNoPanicValue(t *testing.T) {
	const secret = "whsec"
	for name, value := range map[string]any{"string": "jane@example.com", "error": errors.New("jane@example.com"), "wrapped": fmt.Errorf("x: %w", errors.New("jane@example.com"))} {
		var log strings.Builder
		for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
			handler, err := NewWebhookHandler(EventHandlerFunc(func(context.Context, Event) error { panic(value) }), secret)
			if err != nil {
				t.Fatal(err)
			}
			handler.Logger = logger
			body := []byte(`{"events":[{"id":"EV1","resource_type":"payments","action":"paid_out"}]}`)
			r := httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(WebhookSignatureHeader, SignWebhook(body, secret))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusInternalServerError {
				t.Errorf("%s: status %d", name, w.Code)
			}
		}
		if strings.Contains(log.String(), "jane") || !strings.Contains(log.String(), "panicked with a") || !strings.Contains(log.String(), "secrets_test.go") {
			t.Errorf("%s: logged %s", name, log.String())
		}
	}
}

// A short token, such as "any", is not masked inside other words.
func TestShortTokensLeaveMessagesAlone(t *testing.T) {
	for _, token := range []string{"t", "any", "token"} {
		s := &script{replies: []replier{replyWith(404, `{"error":{"message":"Resource not found, any token","type":"invalid_api_usage","code":404}}`)}}
		c, err := New(token, EnvironmentSandbox, WithHTTPClient(&http.Client{Transport: s}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Payments.Get(t.Context(), "PM1"); err == nil || !strings.Contains(err.Error(), "Resource not found, any token") {
			t.Errorf("%s: %v", token, err)
		}
	}
}
