package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

const state = "0123456789abcdef"

func TestAuthorizeURL(t *testing.T) {
	config := Config{ClientID: "c&1", ClientSecret: "s", RedirectURL: "https://app.example.com/back?x=1", Environment: gocardless.EnvironmentLive}
	app, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	got, err := app.AuthorizeURL(state, Prompt{})
	if err != nil {
		t.Fatal(err)
	}
	want := "https://connect.gocardless.com/oauth/authorize?client_id=c%261&redirect_uri=https%3A%2F%2Fapp.example.com%2Fback%3Fx%3D1&response_type=code&scope=read_write&state=" + state
	if got != want {
		t.Errorf("URL = %s\nwant  %s", got, want)
	}

	config.Environment, config.Scope = gocardless.EnvironmentSandbox, ScopeReadOnly
	app, _ = New(config)
	got, err = app.AuthorizeURL(state, Prompt{
		InitialView: InitialViewSignup, Language: "fr", Email: "a+b@example.com", GivenName: "Ada", FamilyName: "L & L",
		OrganisationName: "Club", CountryCode: "FR", Extra: map[string]string{"access_type": "offline"},
	})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(got)
	if u.Host != "connect-sandbox.gocardless.com" {
		t.Errorf("host = %s", u.Host)
	}
	for name, want := range map[string]string{
		"scope": "read_only", "initial_view": "signup", "language": "fr", "prefill[email]": "a+b@example.com",
		"prefill[given_name]": "Ada", "prefill[family_name]": "L & L", "prefill[organisation_name]": "Club",
		"prefill[country_code]": "FR", "access_type": "offline", "state": state,
	} {
		if q := u.Query()[name]; len(q) != 1 || q[0] != want {
			t.Errorf("%s = %q, want %q", name, q, want)
		}
	}
	if _, err := app.AuthorizeURL("short", Prompt{}); err == nil {
		t.Error("a state that can be guessed is accepted")
	}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state"} {
		if _, err := app.AuthorizeURL(state, Prompt{Extra: map[string]string{name: "x"}}); err == nil {
			t.Errorf("Extra may replace %s", name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{ClientID: "c", ClientSecret: "s", RedirectURL: "https://app.example.com/back", Environment: gocardless.EnvironmentLive}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"ClientID":     func(c *Config) { c.ClientID = "" },
		"ClientSecret": func(c *Config) { c.ClientSecret = "" },
		"Environment":  func(c *Config) { c.Environment = "" },
		"RedirectURL":  func(c *Config) { c.RedirectURL = "" },
		"RedirectURL ": func(c *Config) { c.RedirectURL = "http://app.example.com/back" },
		"RedirectURL#": func(c *Config) { c.RedirectURL = "https://app.example.com/back#x" },
		"RedirectURL/": func(c *Config) { c.RedirectURL = "/back" },
		"BaseURL":      func(c *Config) { c.BaseURL = "http://example.com" },
		"BaseURL ":     func(c *Config) { c.BaseURL = "https://user:pass@example.com" },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), strings.TrimRight(name, " #/")) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, address := range []string{"http://localhost:8080/back", "http://127.0.0.1/back", "http://[::1]:1/back"} {
		c := good
		c.RedirectURL = address
		if _, err := New(c); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestExchangeIntrospectRevoke(t *testing.T) {
	p, app := newProvider(t)
	ctx := t.Context()
	p.codes["code-1"] = "OR1"
	token, err := app.Exchange(ctx, "code-1")
	if err != nil {
		t.Fatal(err)
	}
	want := Token{AccessToken: "token-of-OR1", OrganisationID: "OR1", Scope: ScopeReadWrite, TokenType: "bearer", Email: "merchant@example.com"}
	if *token != want {
		t.Errorf("token = %#v %+v", *token, token.AccessToken)
	}
	if _, err := app.Exchange(ctx, "code-1"); !errors.Is(err, ErrInvalidGrant) {
		t.Errorf("the same code again: %v", err)
	}
	in, err := app.Introspect(ctx, token.AccessToken)
	if err != nil || !in.Active || in.OrganisationID != "OR1" || in.ClientID != "client-1" || in.Scope != ScopeReadWrite || in.TokenType != "bearer" || len(in.Extra) != 1 {
		t.Errorf("introspection = %+v, %v", in, err)
	}
	for range 2 {
		if err := app.Revoke(ctx, token.AccessToken); err != nil {
			t.Errorf("revoking: %v", err)
		}
	}
	in, err = app.Introspect(ctx, token.AccessToken)
	if err != nil || in.Active || in.OrganisationID != "" {
		t.Errorf("introspection of a revoked token = %+v, %v", in, err)
	}
	client, err := app.Client(token)
	if err != nil || client.Environment() != gocardless.EnvironmentSandbox {
		t.Errorf("client: %v", err)
	}
	var noContext context.Context
	for _, call := range []func() error{
		func() error { _, err := app.Exchange(ctx, ""); return err },
		func() error { _, err := app.Introspect(ctx, ""); return err },
		func() error { return app.Revoke(ctx, "") },
		func() error { _, err := app.Client(nil); return err },
		func() error { _, err := app.Exchange(noContext, "code"); return err },
		func() error { _, err := app.Introspect(noContext, "token"); return err },
		func() error { return app.Revoke(noContext, "token") },
	} {
		n := len(p.forms)
		if err := call(); err == nil || len(p.forms) != n {
			t.Errorf("empty or nil argument: %v", err)
		}
	}
}

func TestErrors(t *testing.T) {
	p, app := newProvider(t)
	respond := func(status int, contentType, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const json = "application/json"
	for _, c := range []struct {
		name   string
		broken func(http.ResponseWriter, *http.Request)
		is     error
		status int
		code   string
	}{
		{"invalid client", respond(401, json, `{"error":"invalid_client","error_description":"inner words"}`), ErrInvalidClient, 401, "invalid_client"},
		{"unauthorised", respond(401, "text/html", `<p>inner words`), ErrInvalidClient, 401, ""},
		{"invalid request", respond(400, json, `{"error":"invalid_request"}`), ErrInvalidRequest, 400, "invalid_request"},
		{"invalid scope", respond(400, json, `{"error":"invalid_scope"}`), ErrInvalidScope, 400, "invalid_scope"},
		{"another code", respond(400, json, `{"error":"odd"}`), nil, 400, "odd"},
		{"the API's errors", respond(422, json, `{"error":{"type":"validation_failed","message":"inner words"}}`), nil, 422, "validation_failed"},
		{"overloaded", respond(503, "text/plain", `inner words`), ErrServer, 503, ""},
		{"gateway", respond(502, json, `{`), ErrServer, 502, ""},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, nil, 307, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			requests := 0
			p.broken = func(w http.ResponseWriter, r *http.Request) { requests++; c.broken(w, r) }
			_, exchange := app.Exchange(t.Context(), "code-1")
			_, introspect := app.Introspect(t.Context(), "token-of-OR1")
			for operation, err := range map[string]error{"exchange": exchange, "introspect": introspect, "revoke": app.Revoke(t.Context(), "token-of-OR1")} {
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Operation != operation || e.StatusCode != c.status || e.Code != c.code {
					t.Errorf("%s: %+v", operation, err)
					continue
				}
				for _, sentinel := range []error{ErrAccessDenied, ErrInvalidGrant, ErrInvalidClient, ErrInvalidRequest, ErrInvalidScope, ErrServer} {
					if errors.Is(err, sentinel) != errors.Is(sentinel, c.is) {
						t.Errorf("%s: %v is %v: %v", operation, err, sentinel, errors.Is(err, sentinel))
					}
				}
				if hasSecret(err.Error()) || strings.Contains(err.Error(), p.URL) {
					t.Errorf("%s: error tells too much: %v", operation, err)
				}
			}
			if requests != 3 {
				t.Errorf("%d requests for three operations", requests)
			}
		})
	}
}

// Replies with a status of success but unusable content.
func TestMalformedReplies(t *testing.T) {
	p, app := newProvider(t)
	for name, body := range map[string]string{
		"empty": ``, "HTML": `<html>inner words</html>`, "no token": `{"token_type":"bearer"}`, "array": `[]`,
		"active not a boolean": `{"active":"yes"}`, "too large": strings.Repeat(" ", maxReply+10) + `{"active":true}`,
	} {
		p.broken = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		}
		token, err := app.Exchange(t.Context(), "code-1")
		if e, ok := errors.AsType[*Error](err); !ok || token != nil || e.Operation != "exchange" || hasSecret(err.Error()) {
			t.Errorf("%s: exchange gives %v, %v", name, token, err)
		}
		in, err := app.Introspect(t.Context(), "token-of-OR1")
		if e, ok := errors.AsType[*Error](err); !ok || in != nil || e.StatusCode != 200 || hasSecret(err.Error()) {
			t.Errorf("%s: introspection gives %v, %v", name, in, err)
		}
	}
}

func TestNetworkErrors(t *testing.T) {
	p, app := newProvider(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, exchange := app.Exchange(ctx, "code-1")
	for _, err := range []error{exchange, app.Revoke(ctx, "token-of-OR1")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	p.Close()
	_, exchange = app.Exchange(t.Context(), "code-1")
	for _, err := range []error{exchange, app.Revoke(t.Context(), "token-of-OR1")} {
		if e, ok := errors.AsType[*Error](err); !ok || e.StatusCode != 0 || hasSecret(err.Error()) || errors.Is(err, ErrServer) {
			t.Errorf("no server: %v", err)
		}
	}
}

func TestHTTPClientIsNotChanged(t *testing.T) {
	own := &http.Client{}
	if _, err := New(Config{ClientID: "c", ClientSecret: "s", RedirectURL: "https://a.example.com", Environment: "live", HTTPClient: own}); err != nil {
		t.Fatal(err)
	}
	if own.CheckRedirect != nil || own.Timeout != 0 {
		t.Error("the caller's client was changed")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	_, app := newProvider(t)
	token, config := Token{AccessToken: "token-of-OR1", OrganisationID: "OR1"}, app.config()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "app", app, "config", config, "token", token, "pointer", &token)
	for _, v := range []any{app, config, &config, token, &token} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
	}
	asJSON, err := json.Marshal([]any{app, config, &config})
	if err != nil {
		t.Error(err)
	}
	out.Write(asJSON)
	if hasSecret(out.String()) {
		t.Errorf("printed: %s", &out)
	}
}

func TestPrintableCode(t *testing.T) {
	for code, want := range map[string]bool{"access_denied": true, "line\nbreak": false, strings.Repeat("a", 65): false, "Ünusual": false} {
		err := &Error{Operation: "authorise", Code: code}
		if strings.Contains(err.Error(), code) != want {
			t.Errorf("%q: %v", code, err)
		}
	}
}
