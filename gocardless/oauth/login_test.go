package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// browser keeps cookies as a browser does, and follows no redirects.
type browser map[string]*http.Cookie

func (b browser) get(h http.Handler, address string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for _, c := range b {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b, c.Name)
		} else {
			b[c.Name] = c
		}
	}
	return w
}

type loginBed struct {
	*provider
	login  *Login
	tokens []*Token
	errs   []error
}

func newLogin(t *testing.T) *loginBed {
	p, app := newProvider(t)
	b := &loginBed{provider: p}
	b.login = &Login{
		App: app,
		Connected: func(w http.ResponseWriter, _ *http.Request, token *Token) {
			b.tokens = append(b.tokens, token)
			w.WriteHeader(http.StatusOK)
		},
		Failed: func(w http.ResponseWriter, _ *http.Request, err error) {
			b.errs = append(b.errs, err)
			w.WriteHeader(http.StatusTeapot)
		},
		Prompt: func(r *http.Request) Prompt { return Prompt{Email: r.URL.Query().Get("email")} },
	}
	return b
}

func TestLogin(t *testing.T) {
	b := newLogin(t)
	tab := browser{}
	w := tab.get(b.login.Start(), "/connect?email=ada@example.com")
	location := w.Header().Get("Location")
	if w.Code != http.StatusFound || !strings.HasPrefix(location, b.URL+"/oauth/authorize?") || !strings.Contains(location, "ada%40example.com") {
		t.Fatalf("start: %d, %s", w.Code, location)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the start page may be cached")
	}
	callback := b.consent(t, location, "OR1")
	w = tab.get(b.login.Callback(), callback)
	if w.Code != 200 || len(b.tokens) != 1 || b.tokens[0].OrganisationID != "OR1" || len(tab) != 0 {
		t.Errorf("callback: %d, %v, %v, cookies left: %v", w.Code, b.tokens, b.errs, tab)
	}
	if w.Header().Get("Referrer-Policy") != "no-referrer" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("callback's header = %v", w.Header())
	}
	// The state works only once.
	w = tab.get(b.login.Callback(), callback)
	if w.Code != http.StatusTeapot || !errors.Is(b.errs[0], ErrState) || len(b.forms) != 1 {
		t.Errorf("again: %d, %v, %d requests", w.Code, b.errs, len(b.forms))
	}
}

func TestLoginInTwoTabs(t *testing.T) {
	b := newLogin(t)
	tabs := browser{}
	first := tabs.get(b.login.Start(), "/connect").Header().Get("Location")
	second := tabs.get(b.login.Start(), "/connect").Header().Get("Location")
	if first == second {
		t.Fatal("the same state twice")
	}
	tabs.get(b.login.Callback(), b.consent(t, second, "OR2"))
	tabs.get(b.login.Callback(), b.consent(t, first, "OR1"))
	if len(b.tokens) != 2 || b.tokens[0].OrganisationID != "OR2" || b.tokens[1].OrganisationID != "OR1" {
		t.Errorf("tokens = %v, errors = %v", b.tokens, b.errs)
	}
}

// The merchant refuses and later consents.
func TestLoginRefused(t *testing.T) {
	b := newLogin(t)
	tab := browser{}
	u, _ := url.Parse(tab.get(b.login.Start(), "/connect").Header().Get("Location"))
	back := b.redirect + "?" + url.Values{"error": {"access_denied"}, "error_description": {"inner words"}, "state": {u.Query().Get("state")}}.Encode()
	tab.get(b.login.Callback(), back)
	if len(b.errs) != 1 || !errors.Is(b.errs[0], ErrAccessDenied) || len(b.forms) != 0 || len(b.tokens) != 0 {
		t.Fatalf("errors = %v", b.errs)
	}
	e, _ := errors.AsType[*Error](b.errs[0])
	if e.Operation != "authorise" || e.Description != "inner words" || hasSecret(e.Error()) {
		t.Errorf("error = %+v", e)
	}
	tab.get(b.login.Callback(), back)
	if !errors.Is(b.errs[1], ErrState) {
		t.Errorf("the same again: %v", b.errs[1])
	}
	tab.get(b.login.Callback(), b.consent(t, tab.get(b.login.Start(), "/connect").Header().Get("Location"), "OR1"))
	if len(b.tokens) != 1 {
		t.Errorf("after a refusal: %v", b.errs)
	}
}

func TestLoginState(t *testing.T) {
	b := newLogin(t)
	tab := browser{}
	location := tab.get(b.login.Start(), "/connect").Header().Get("Location")
	u, _ := url.Parse(location)
	own := u.Query().Get("state")
	callback := b.consent(t, location, "OR1")
	code := strings.Split(callback, "?")[1]

	stranger := browser{}
	foreign, _ := url.Parse(stranger.get(b.login.Start(), "/connect").Header().Get("Location"))
	for name, c := range map[string]struct {
		browser browser
		address string
	}{
		"no cookies":            {browser{}, callback},
		"another browser's":     {stranger, callback},
		"no state":              {tab, b.redirect + "?code=x"},
		"empty state":           {tab, b.redirect + "?code=x&state="},
		"short state":           {tab, b.redirect + "?code=x&state=" + own[:8]},
		"long state":            {tab, b.redirect + "?code=x&state=" + own + "A"},
		"state of another":      {tab, b.redirect + "?code=x&state=" + foreign.Query().Get("state")},
		"two states":            {tab, callback + "&state=" + own},
		"error without a state": {browser{}, b.redirect + "?error=access_denied&state=" + own},
		"same beginning":        {tab, b.redirect + "?code=x&state=" + own[:8] + strings.Repeat("A", len(own)-8)},
	} {
		b.errs = nil
		c.browser.get(b.login.Callback(), c.address)
		if len(b.errs) != 1 || !errors.Is(b.errs[0], ErrState) {
			t.Errorf("%s: %v", name, b.errs)
		}
	}
	if len(b.forms) != 0 || len(b.tokens) != 0 {
		t.Errorf("something was exchanged: %v", b.tokens)
	}
	// The round trip that is in progress still works.
	tab.get(b.login.Callback(), b.redirect+"?"+code)
	if len(b.tokens) != 1 {
		t.Errorf("the real one: %v", b.errs)
	}
}

func TestLoginFailures(t *testing.T) {
	b := newLogin(t)
	tab := browser{}
	start := func() string {
		u, _ := url.Parse(tab.get(b.login.Start(), "/connect").Header().Get("Location"))
		return u.Query().Get("state")
	}
	tab.get(b.login.Callback(), b.redirect+"?state="+start())
	tab.get(b.login.Callback(), b.redirect+"?code=unknown&state="+start())
	if len(b.errs) != 2 || errors.Is(b.errs[0], ErrState) || !errors.Is(b.errs[1], ErrInvalidGrant) {
		t.Errorf("errors = %v", b.errs)
	}
	// The default pages.
	b.login.Failed = nil
	for _, c := range []struct {
		query string
		want  int
	}{{"error=access_denied", 403}, {"error=server_error", 502}, {"code=unknown", 502}} {
		w := tab.get(b.login.Callback(), b.redirect+"?"+c.query+"&state="+start())
		if w.Code != c.want || hasSecret(w.Body.String()) || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", c.query, w.Code, w.Body)
		}
	}
	if w := tab.get(b.login.Callback(), b.redirect+"?state=x"); w.Code != 400 {
		t.Errorf("wrong state: %d", w.Code)
	}
	for _, h := range []http.Handler{b.login.Start(), b.login.Callback()} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
		if w.Code != 405 || w.Header().Get("Allow") != "GET" {
			t.Errorf("POST: %d", w.Code)
		}
	}
	b.login.Prompt = func(*http.Request) Prompt { return Prompt{Extra: map[string]string{"state": "x"}} }
	if w := tab.get(b.login.Start(), "/connect"); w.Code != 502 || len(w.Result().Cookies()) != 0 {
		t.Errorf("bad prompt: %d", w.Code)
	}
}

func TestLoginCookie(t *testing.T) {
	for address, secure := range map[string]bool{"https://app.example.com/back": true, "http://localhost/back": false} {
		app, err := New(Config{ClientID: "c", ClientSecret: "s", RedirectURL: address, Environment: gocardless.EnvironmentLive})
		if err != nil {
			t.Fatal(err)
		}
		login := &Login{App: app, Connected: func(http.ResponseWriter, *http.Request, *Token) {}}
		w := httptest.NewRecorder()
		login.Start().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		c := w.Result().Cookies()[0]
		if c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
			c.Path != "/" || c.Domain != "" || c.MaxAge != 3600 || len(c.Value) < 22 {
			t.Errorf("%s: %s", address, fmt.Sprint(c))
		}
	}
}

func TestLoginNeedsItsParts(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	(&Login{}).Start()
}

// A reply without an organisation is an error: no webhook would lead to its token.
func TestExchangeWithoutOrganisation(t *testing.T) {
	p, app := newProvider(t)
	p.broken = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"t","token_type":"bearer","scope":"read_write"}`)
	}
	token, err := app.Exchange(t.Context(), "code")
	if e, ok := errors.AsType[*Error](err); !ok || token != nil || !strings.Contains(e.Error(), "organisation_id") {
		t.Errorf("got %v, %v", token, err)
	}
}
