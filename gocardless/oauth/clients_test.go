package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// api replies by access token.
type api struct {
	mu     sync.Mutex
	reason map[string]string // tokens that are refused, and why
	seen   []string
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.seen = append(a.seen, token)
	status, body := 200, `{"payments":{"id":"PM1"}}`
	if reason := a.reason[token]; reason != "" {
		status = 401
		body = `{"error":{"message":"m","type":"invalid_api_usage","code":401,"errors":[{"reason":"` + reason + `","message":"m"}]}}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// vault is a store of tokens.
type vault struct {
	mu      sync.Mutex
	tokens  map[string]string
	lookups atomic.Int32
}

func (v *vault) lookup(_ context.Context, organisation string) (string, error) {
	v.lookups.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	token, ok := v.tokens[organisation]
	if !ok {
		return "", ErrNotConnected
	}
	return token, nil
}

func (v *vault) forget(organisation, token string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens[organisation] == token {
		delete(v.tokens, organisation)
	}
}

func newClients(t *testing.T) (*Clients, *vault, *api) {
	t.Helper()
	v := &vault{tokens: map[string]string{"OR1": "t1", "OR2": "t2"}}
	a := &api{reason: map[string]string{}}
	c, err := NewClients(gocardless.EnvironmentSandbox, v.lookup, ClientsOptions{
		HTTPClient: &http.Client{Transport: a}, Disconnected: v.forget,
		Options: []gocardless.ClientOption{gocardless.WithRetries(0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, v, a
}

func TestClients(t *testing.T) {
	c, v, a := newClients(t)
	ctx := t.Context()
	get := func(organisation string) error {
		t.Helper()
		client, err := c.Client(ctx, organisation)
		if err != nil {
			return err
		}
		_, err = client.Payments.Get(ctx, "PM1")
		return err
	}
	for _, organisation := range []string{"OR1", "OR2", "OR1", "OR1"} {
		if err := get(organisation); err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(a.seen) != "[t1 t2 t1 t1]" || v.lookups.Load() != 2 {
		t.Errorf("tokens used = %v, %d look-ups", a.seen, v.lookups.Load())
	}
	if err := get("OR3"); !errors.Is(err, ErrNotConnected) {
		t.Errorf("not connected: %v", err)
	}
	if _, err := c.Client(ctx, ""); err == nil {
		t.Error("empty organisation accepted")
	}
	v.tokens["OR3"] = "t3"
	if err := get("OR3"); err != nil {
		t.Errorf("connected meanwhile: %v", err)
	}
	v.tokens["OR3"] = ""
	c.Forget("OR3")
	if err := get("OR3"); !errors.Is(err, ErrNotConnected) {
		t.Errorf("empty token: %v", err)
	}
	client, err := c.ForEvent(ctx, gocardless.Event{OrganisationID: "OR1"})
	if same, _ := c.Client(ctx, "OR1"); err != nil || client != same {
		t.Errorf("for an event: %v", err)
	}
	if _, err := c.ForEvent(ctx, gocardless.Event{}); err == nil {
		t.Error("for an event without an organisation")
	}
}

// A merchant ends the connection and later connects again.
func TestClientsRevoked(t *testing.T) {
	for _, reason := range []string{"access_token_revoked", "access_token_not_active", "access_token_not_found"} {
		c, v, a := newClients(t)
		ctx := t.Context()
		client, err := c.Client(ctx, "OR1")
		if err != nil {
			t.Fatal(err)
		}
		a.reason["t1"] = reason
		_, err = client.Payments.Get(ctx, "PM1")
		if !IsDisconnected(err) || !errors.Is(err, gocardless.ErrAuthentication) {
			t.Errorf("%s: %v", reason, err)
		}
		if _, err := c.Client(ctx, "OR1"); !errors.Is(err, ErrNotConnected) {
			t.Errorf("%s: the next client: %v", reason, err)
		}
		v.tokens["OR1"] = "t1-new"
		again, err := c.Client(ctx, "OR1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Payments.Get(ctx, "PM1"); err != nil {
			t.Errorf("%s: connected again: %v", reason, err)
		}
		// A late reply to the old client does not end the new connection.
		if _, err := client.Payments.Get(ctx, "PM1"); !IsDisconnected(err) {
			t.Errorf("%s: the old client: %v", reason, err)
		}
		if same, _ := c.Client(ctx, "OR1"); same != again || v.tokens["OR1"] != "t1-new" {
			t.Errorf("%s: the old client's error dropped the new one", reason)
		}
	}
	// After a 401 for another reason the token is looked up again, but the organisation stays connected.
	c, v, a := newClients(t)
	client, _ := c.Client(t.Context(), "OR1")
	a.reason["t1"] = "unauthorized"
	if _, err := client.Payments.Get(t.Context(), "PM1"); err == nil || IsDisconnected(err) {
		t.Errorf("another 401: %v", err)
	}
	if _, err := c.Client(t.Context(), "OR1"); err != nil || v.lookups.Load() != 2 {
		t.Errorf("after another 401: %v, %d look-ups", err, v.lookups.Load())
	}
	if IsDisconnected(nil) || IsDisconnected(errors.New("other")) {
		t.Error("IsDisconnected of other errors")
	}
}

// Concurrent callers for the same client share one look-up, even if the context of one of them ends.
func TestClientsConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := 0
		c, err := NewClients(gocardless.EnvironmentSandbox, func(ctx context.Context, organisation string) (string, error) {
			lookups++
			select {
			case <-time.After(time.Second):
				return "t1", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}, ClientsOptions{})
		if err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Client(impatient, "OR1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("impatient: %v", err)
			}
		})
		synctest.Wait()
		got := make([]*gocardless.Client, 50)
		for i := range got {
			wg.Go(func() {
				client, err := c.Client(t.Context(), "OR1")
				if err != nil {
					t.Error(err)
				}
				got[i] = client
			})
		}
		wg.Go(func() {
			if _, err := c.Client(impatient, "OR1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("impatient and waiting: %v", err)
			}
		})
		wg.Wait()
		for _, client := range got {
			if client == nil || client != got[0] {
				t.Fatal("different clients")
			}
		}
		if lookups != 2 {
			t.Errorf("%d look-ups, want 2: the impatient one's and another", lookups)
		}
	})
}

// After a look-up that panics or fails, no caller waits for it.
func TestClientsLookupFails(t *testing.T) {
	failure := errors.New("database is down")
	mode := "panic"
	c, _ := NewClients(gocardless.EnvironmentSandbox, func(context.Context, string) (string, error) {
		switch mode {
		case "panic":
			panic("lookup")
		case "error":
			return "", failure
		}
		return "t1", nil
	}, ClientsOptions{})
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Client(t.Context(), "OR1")
	}()
	mode = "error"
	if _, err := c.Client(t.Context(), "OR1"); !errors.Is(err, failure) {
		t.Errorf("error: %v", err)
	}
	mode = ""
	if _, err := c.Client(t.Context(), "OR1"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNewClientsRefuses(t *testing.T) {
	if _, err := NewClients("production", (&vault{}).lookup, ClientsOptions{}); err == nil {
		t.Error("unknown environment accepted")
	}
	if _, err := NewClients(gocardless.EnvironmentLive, nil, ClientsOptions{}); err == nil {
		t.Error("nil lookup accepted")
	}
}

// The caller receives the whole reply, although watch read its start.
func TestWatchKeepsTheBody(t *testing.T) {
	body := strings.Repeat("x", 200<<10)
	var refused int
	w := &watch{
		next: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 401, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}),
		refused: func(gone bool) {
			refused++
			if gone {
				t.Error("gone")
			}
		},
	}
	r, _ := http.NewRequest(http.MethodGet, "https://api.example.com", nil)
	reply, err := w.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reply.Body)
	if err != nil || string(got) != body || refused != 1 {
		t.Errorf("%d bytes, %v, refused %d times", len(got), err, refused)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
