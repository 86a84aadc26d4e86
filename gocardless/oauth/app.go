// Package oauth connects other organisations' GoCardless accounts to a partner's app. It provides
// the authorise URL, the exchange of codes for access tokens, introspection and revocation, two
// HTTP handlers for the whole round trip, and a client for each connected organisation.
//
// Access tokens of GoCardless do not expire, and there are no refresh tokens: a token is good
// until the merchant or the partner ends the connection. The API has no PKCE; the app is
// authenticated by its client secret and the browser by the state.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/loopback"
)

// Addresses of the authorisation servers.
const (
	liveURL    = "https://connect.gocardless.com"
	sandboxURL = "https://connect-sandbox.gocardless.com"
)

// DefaultTimeout is how long a request to the authorisation server may take: 30 seconds. A client
// given as Config.HTTPClient has its own Timeout instead.
const DefaultTimeout = 30 * time.Second

var errNilContext = errors.New("oauth: the context must not be nil")

// maxReply is the longest reply of the authorisation server that is read.
const maxReply = 1 << 20

// Scope is the access that a token gives.
type Scope string

// The scopes.
const (
	ScopeReadWrite Scope = "read_write"
	ScopeReadOnly  Scope = "read_only"
)

// Config describes a partner's app, as the GoCardless dashboard has it. It prints without the
// client secret.
type Config struct {
	// ClientID and ClientSecret identify the app. Required.
	ClientID, ClientSecret string
	// RedirectURL is the address to which GoCardless sends the browser back, exactly as registered
	// for the app. Required; http is accepted only for the local machine.
	RedirectURL string
	// Environment is where the app is registered. Required.
	Environment gocardless.Environment
	// Scope is the access to ask for; empty means ScopeReadWrite.
	Scope Scope
	// HTTPClient makes the requests to the authorisation server; nil means one of the
	// package's own. It is not changed; its redirects are not followed, since they would
	// carry the secret elsewhere.
	HTTPClient *http.Client
	// BaseURL replaces the address of the authorisation server, for tests.
	BaseURL string
}

// String returns the configuration without the client secret.
func (c Config) String() string {
	return fmt.Sprintf("oauth.Config{ClientID:%q Environment:%q RedirectURL:%q}", c.ClientID, c.Environment, c.RedirectURL)
}

// GoString returns the same as String.
func (c Config) GoString() string { return c.String() }

// MarshalText returns the same as String.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Format writes the same as String, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue returns the same as String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// App is a partner's app at the authorisation server. It is safe for concurrent use.
type App struct {
	// A function, because a printer that follows pointers would show the secret in a field.
	config func() Config
	base   *url.URL
	client *http.Client
}

// New checks a configuration and returns the app. It makes no request.
func New(config Config) (*App, error) {
	if config.ClientID == "" || config.ClientSecret == "" {
		return nil, errors.New("oauth: Config needs ClientID and ClientSecret")
	}
	if config.Scope == "" {
		config.Scope = ScopeReadWrite
	}
	if _, err := secureURL("RedirectURL", config.RedirectURL); err != nil {
		return nil, err
	}
	address := config.BaseURL
	switch {
	case config.Environment != gocardless.EnvironmentLive && config.Environment != gocardless.EnvironmentSandbox:
		return nil, fmt.Errorf("oauth: Config.Environment %q is neither live nor sandbox", config.Environment)
	case address == "" && config.Environment == gocardless.EnvironmentLive:
		address = liveURL
	case address == "":
		address = sandboxURL
	}
	base, err := secureURL("BaseURL", address)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: DefaultTimeout}
	if config.HTTPClient != nil {
		client = *config.HTTPClient
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &App{config: func() Config { return config }, base: base, client: &client}, nil
}

// secureURL parses an address that has to be https, or http on the local machine.
func secureURL(field, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		// The cause would quote the address, and with it what should not be in it.
		return nil, fmt.Errorf("oauth: Config.%s is not an absolute URL", field)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.Host(u.Hostname())) {
		return nil, fmt.Errorf("oauth: Config.%s must be https", field)
	}
	return u, nil
}

// String returns the app's configuration without its secret.
func (a App) String() string {
	if a.config == nil {
		return "oauth.App{}"
	}
	return a.config().String()
}

// GoString returns the same as String.
func (a App) GoString() string { return a.String() }

// Format writes the same as String, whatever the verb.
func (a App) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// MarshalText returns the same as String.
func (a App) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// LogValue returns the same as String.
func (a App) LogValue() slog.Value { return slog.StringValue(a.String()) }

// InitialView is the page that a merchant sees first.
type InitialView string

// The initial views.
const (
	InitialViewLogin  InitialView = "login"
	InitialViewSignup InitialView = "signup"
)

// Prompt is the content of the authorisation page. The zero value has the defaults.
type Prompt struct {
	// InitialView is the page to begin with.
	InitialView InitialView
	// Language of the page, such as "en" or "de".
	Language string
	// Details of the merchant, which are filled in on the sign-up page.
	Email, GivenName, FamilyName, OrganisationName, CountryCode string
	// Extra are further parameters that this type has no field for.
	Extra map[string]string
}

// AuthorizeURL returns the address to send the merchant's browser to. The browser returns with the
// state, which must be a secret of its session, hard to guess and used only once: [Login] takes
// care of that. It is an error if the state is shorter than 16 characters, or if Prompt.Extra
// contains a parameter that the app's identity or security depends on.
func (a *App) AuthorizeURL(state string, prompt Prompt) (string, error) {
	if len(state) < 16 {
		return "", errors.New("oauth: AuthorizeURL: the state must have at least 16 characters, so that it cannot be guessed")
	}
	config := a.config()
	address := a.base.JoinPath("oauth/authorize")
	query := address.Query()
	for _, p := range []struct{ name, value string }{
		{"client_id", config.ClientID},
		{"redirect_uri", config.RedirectURL},
		{"response_type", "code"},
		{"scope", string(config.Scope)},
		{"state", state},
		{"initial_view", string(prompt.InitialView)},
		{"language", prompt.Language},
		{"prefill[email]", prompt.Email},
		{"prefill[given_name]", prompt.GivenName},
		{"prefill[family_name]", prompt.FamilyName},
		{"prefill[organisation_name]", prompt.OrganisationName},
		{"prefill[country_code]", prompt.CountryCode},
	} {
		if p.value != "" {
			query.Set(p.name, p.value)
		}
	}
	for name, value := range prompt.Extra {
		switch name {
		case "client_id", "redirect_uri", "response_type", "scope", "state":
			return "", fmt.Errorf("oauth: Prompt.Extra must not have %q", name)
		}
		query.Set(name, value)
	}
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// Token is an access token for one organisation. It prints without the token itself, also as JSON:
// to store a token, store its fields. If your own struct keeps a Token in an unexported field, give
// it methods such as Format: package fmt cannot call those of a Token there, and would print the
// token.
type Token struct {
	// AccessToken is the secret: store it encrypted.
	AccessToken string
	// OrganisationID is the organisation that the token is for, prefixed OR. Events in
	// webhooks name it.
	OrganisationID string
	// Scope is the access that the token gives.
	Scope Scope
	// TokenType is "bearer".
	TokenType string
	// Email is the address of the person who consented, if the server includes it.
	Email string
}

// String returns the token's organisation and scope.
func (t Token) String() string {
	return fmt.Sprintf("oauth.Token{OrganisationID:%q Scope:%q}", t.OrganisationID, t.Scope)
}

// GoString returns the same as String.
func (t Token) GoString() string { return t.String() }

// Format writes the same as String, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// MarshalText returns the same as String.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue returns the same as String.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Exchange exchanges the code that the browser brought back for an access token. A code can be
// exchanged only once and only for a short time; otherwise the error is [ErrInvalidGrant]. The
// exchange is not retried, because the first attempt may have used the code.
func (a *App) Exchange(ctx context.Context, code string) (*Token, error) {
	if code == "" {
		return nil, errors.New("oauth: Exchange needs a code")
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.config().RedirectURL}}
	var members map[string]any
	if err := a.post(ctx, "exchange", "oauth/access_token", form, &members); err != nil {
		return nil, err
	}
	text := func(name string) string {
		s, _ := members[name].(string)
		return s
	}
	token := &Token{
		AccessToken:    text("access_token"),
		OrganisationID: text("organisation_id"),
		Scope:          Scope(text("scope")),
		TokenType:      text("token_type"),
		Email:          text("email"),
	}
	failure := &Error{Operation: "exchange", StatusCode: http.StatusOK, Code: text("error"), Description: text("error_description")}
	switch {
	case failure.Code != "":
		return nil, failure
	case token.AccessToken == "":
		failure.err = errors.New("the reply has no access_token")
		return nil, failure
	case token.OrganisationID == "":
		// Without it the app cannot find the token for a webhook.
		failure.err = errors.New("the reply has no organisation_id")
		return nil, failure
	}
	return token, nil
}

// Client returns a client for the organisation of a token, in the app's environment. For more
// than a few organisations use [Clients], which share their connections.
func (a *App) Client(token *Token, opts ...gocardless.ClientOption) (*gocardless.Client, error) {
	if token == nil {
		return nil, errors.New("oauth: App.Client needs a token")
	}
	return gocardless.New(token.AccessToken, a.config().Environment, opts...)
}

// Introspection is the authorisation server's information about a token.
type Introspection struct {
	// Active reports whether the token can be used. If not, the other fields are empty.
	Active         bool
	ClientID       string
	OrganisationID string
	Scope          Scope
	TokenType      string
	// Extra are the other members of the reply.
	Extra map[string]any
}

// Introspect returns the scope and the organisation of a token. A revoked or unknown token is not
// an error: its Introspection is not active.
func (a *App) Introspect(ctx context.Context, accessToken string) (*Introspection, error) {
	var members map[string]any
	if err := a.postToken(ctx, "introspect", accessToken, &members); err != nil {
		return nil, err
	}
	active, ok := members["active"].(bool)
	if !ok {
		return nil, &Error{Operation: "introspect", StatusCode: http.StatusOK, err: errors.New("the reply has no member active")}
	}
	take := func(name string) string {
		s, ok := members[name].(string)
		if ok {
			delete(members, name)
		}
		return s
	}
	delete(members, "active")
	return &Introspection{
		Active:         active,
		ClientID:       take("client_id"),
		OrganisationID: take("organisation_id"),
		Scope:          Scope(take("scope")),
		TokenType:      take("token_type"),
		Extra:          members,
	}, nil
}

// Revoke revokes a token and ends the connection to its organisation. Revoking a token twice is not
// an error if the server conforms to RFC 7009.
func (a *App) Revoke(ctx context.Context, accessToken string) error {
	return a.postToken(ctx, "revoke", accessToken, nil)
}

// postToken sends a token to one of the server's endpoints for tokens.
func (a *App) postToken(ctx context.Context, operation, token string, reply any) error {
	if token == "" {
		return fmt.Errorf("oauth: %s needs an access token", operation)
	}
	return a.post(ctx, operation, "oauth/"+operation, url.Values{"token": {token}}, reply)
}

// post sends a form with the app's credentials, and parses the reply if it is wanted.
func (a *App) post(ctx context.Context, operation, path string, form url.Values, reply any) error {
	if ctx == nil {
		return errNilContext
	}
	form.Set("client_id", a.config().ClientID)
	form.Set("client_secret", a.config().ClientSecret)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base.JoinPath(path).String(), strings.NewReader(form.Encode()))
	if err != nil {
		return &Error{Operation: operation, err: errors.New("cannot make the request")}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return &Error{Operation: operation, err: withoutURL(err)}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	switch {
	case err != nil:
		return &Error{Operation: operation, StatusCode: response.StatusCode, err: err}
	case len(body) > maxReply:
		return &Error{Operation: operation, StatusCode: response.StatusCode, err: errors.New("reply too large")}
	case response.StatusCode < 200 || response.StatusCode > 299:
		return replyError(operation, response.StatusCode, response.Header, body)
	case reply == nil:
		return nil
	}
	if err := json.Unmarshal(body, reply); err != nil {
		return &Error{Operation: operation, StatusCode: response.StatusCode, err: errors.New("the reply is not the expected JSON")}
	}
	return nil
}

// isJSON reports whether a header announces JSON.
func isJSON(header http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return mediaType == "application/json"
}
