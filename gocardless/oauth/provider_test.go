package oauth

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// provider is an authorisation server. It refuses every request that does not conform exactly to RFC
// 6749 and the registration of the app.
type provider struct {
	*httptest.Server
	redirect string

	mu     sync.Mutex
	codes  map[string]string // unused codes, and the organisation that consented
	tokens map[string]string // valid tokens, and their organisations
	broken func(http.ResponseWriter, *http.Request)
	forms  []url.Values
}

const clientSecret = "client-secret-do-not-print"

func newProvider(t *testing.T) (*provider, *App) {
	t.Helper()
	p := &provider{
		redirect: "http://127.0.0.1/connect/callback",
		codes:    map[string]string{},
		tokens:   map[string]string{},
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	app, err := New(Config{
		ClientID: "client-1", ClientSecret: clientSecret, RedirectURL: p.redirect,
		Environment: gocardless.EnvironmentSandbox, BaseURL: p.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, app
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		p.broken(w, r)
		return
	}
	reply := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	refuse := func(status int, code string) {
		reply(status, map[string]string{"error": code, "error_description": "inner words"})
	}
	if r.Method != http.MethodPost || r.URL.RawQuery != "" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		refuse(400, "invalid_request")
		return
	}
	if r.Header.Get("Authorization") != "" {
		refuse(400, "invalid_request") // the client is to be named in the form
		return
	}
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	p.forms = append(p.forms, form)
	if form.Get("client_id") != "client-1" || form.Get("client_secret") != clientSecret {
		refuse(401, "invalid_client")
		return
	}
	switch r.URL.Path {
	case "/oauth/access_token":
		organisation, ok := p.codes[form.Get("code")]
		if form.Get("grant_type") != "authorization_code" {
			refuse(400, "unsupported_grant_type")
			return
		}
		if !ok || form.Get("redirect_uri") != p.redirect {
			refuse(400, "invalid_grant")
			return
		}
		delete(p.codes, form.Get("code"))
		token := "token-of-" + organisation
		p.tokens[token] = organisation
		reply(200, map[string]string{
			"access_token": token, "organisation_id": organisation, "scope": "read_write",
			"token_type": "bearer", "email": "merchant@example.com",
		})
	case "/oauth/introspect":
		organisation, ok := p.tokens[form.Get("token")]
		if !ok {
			reply(200, map[string]any{"active": false})
			return
		}
		reply(200, map[string]any{
			"active": true, "client_id": "client-1", "organisation_id": organisation,
			"scope": "read_write", "token_type": "bearer", "further": 1,
		})
	case "/oauth/revoke":
		delete(p.tokens, form.Get("token"))
		w.WriteHeader(200)
	default:
		refuse(404, "not_found")
	}
}

// consent sends the browser back, as the server does when a merchant consents.
func (p *provider) consent(t *testing.T, authorize, organisation string) (callback string) {
	t.Helper()
	u, err := url.Parse(authorize)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/oauth/authorize" || q.Get("client_id") != "client-1" || q.Get("response_type") != "code" || q.Get("redirect_uri") != p.redirect {
		t.Fatalf("authorise URL = %s", authorize)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(p.forms)+len(p.codes))
	p.codes[code] = organisation
	return p.redirect + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func hasSecret(s string) bool {
	return strings.Contains(s, clientSecret) || strings.Contains(s, "token-of-") || strings.Contains(s, "inner words")
}
