package oauth

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The code is used once the server has replied, so that one odd member must not lose the token.
func TestExchangeOddMembers(t *testing.T) {
	p, app := newProvider(t)
	for body, want := range map[string]Token{
		`{"access_token":"a","organisation_id":"OR1","expires_in":"never"}`:                             {AccessToken: "a", OrganisationID: "OR1"},
		`{"access_token":"a","organisation_id":"OR1","scope":["read_write"],"token_type":1,"email":{}}`: {AccessToken: "a", OrganisationID: "OR1"},
		`{"access_token":7,"organisation_id":"OR1"}`:                                                    {},
		`{"access_token":"a","organisation_id":null}`:                                                   {},
		`{"access_token":"a","organisation_id":"OR1","error":"invalid_grant"}`:                          {},
	} {
		p.broken = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
		token, err := app.Exchange(t.Context(), "code-1")
		if want == (Token{}) {
			if e, ok := errors.AsType[*Error](err); !ok || token != nil || e.StatusCode != 200 {
				t.Errorf("%s: %v, %v", body, token, err)
			}
		} else if err != nil || *token != want {
			t.Errorf("%s: %v, %v", body, token, err)
		}
	}
}

// A reply that breaks off is an error with its status and cause, for every operation.
func TestBrokenReplies(t *testing.T) {
	p, app := newProvider(t)
	for name, c := range map[string]struct {
		broken func(http.ResponseWriter, *http.Request)
		cause  error
	}{
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = io.WriteString(w, `{"access_`)
		}, io.ErrUnexpectedEOF},
		"too slow": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"access_`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, context.DeadlineExceeded},
	} {
		p.broken = c.broken
		for operation, call := range operations(app) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			err := call(ctx)
			cancel()
			if e, ok := errors.AsType[*Error](err); !ok || e.StatusCode != 200 || !errors.Is(err, c.cause) {
				t.Errorf("%s, %s: %v", name, operation, err)
			}
		}
	}
}

// A server that is not one of HTTP may send back what it received.
func TestEchoIsNotPrinted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			received, request := make([]byte, 4096), ""
			for !strings.Contains(request, clientSecret) {
				n, err := conn.Read(received)
				if request += string(received[:n]); err != nil {
					break
				}
			}
			_, _ = io.WriteString(conn, request[strings.LastIndex(request, "\n")+1:]+"\r\n\r\n")
			conn.Close()
		}
	}()
	app, err := New(Config{ClientID: "client-1", ClientSecret: clientSecret, RedirectURL: "https://app.example/back", Environment: "sandbox", BaseURL: "http://" + listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	for operation, call := range operations(app) {
		if err := call(t.Context()); err == nil || hasSecret(err.Error()) || !strings.Contains(err.Error(), "malformed HTTP") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

func operations(app *App) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"exchange":   func(ctx context.Context) error { _, err := app.Exchange(ctx, "code-1"); return err },
		"introspect": func(ctx context.Context) error { _, err := app.Introspect(ctx, "token-of-OR1"); return err },
		"revoke":     func(ctx context.Context) error { return app.Revoke(ctx, "token-of-OR1") },
	}
}
