package oauth

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ErrState means that the browser returned with a state that it was not sent away with: another
// site led it to the callback, it took more than an hour, it returned a second time, or it does not
// keep cookies. No code was exchanged.
var ErrState = errors.New("oauth: state does not match")

// stateSeconds is how long a merchant has for the pages of GoCardless: an hour, since signing up
// takes a while.
const stateSeconds = 3600

// Login handles the round trip of a merchant's browser. Mount Start at the address of your "Connect
// to GoCardless" button, and Callback at Config.RedirectURL.
//
//	login := &oauth.Login{App: app, Connected: save}
//	mux.Handle("GET /connect", login.Start())
//	mux.Handle("GET /connect/callback", login.Callback())
//
// The state is random and kept in a cookie that expires after an hour, so the callback works only
// for the browser that began the round trip. It works once in each process: a browser that returns
// several times at the same moment makes one exchange, because a server may revoke a token whose
// code it sees again. One browser may have several round trips in progress.
//
// Login does not identify your own user: check your session in Connected, as in any other handler.
type Login struct {
	// App is the app to connect to. Required.
	App *App
	// Connected receives the access token and writes the response. Required.
	Connected func(w http.ResponseWriter, r *http.Request, token *Token)
	// Failed receives the error and writes the response: [ErrAccessDenied] if the merchant refused,
	// [ErrState], or another [*Error]. Nil means a plain page with a matching status.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
	// Prompt returns the settings of the authorisation page, for example from your user's record;
	// nil means the defaults.
	Prompt func(r *http.Request) Prompt
}

// Start returns the handler that sends the browser to GoCardless.
func (l *Login) Start() http.Handler {
	l.check()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		var prompt Prompt
		if l.Prompt != nil {
			prompt = l.Prompt(r)
		}
		state := rand.Text()
		address, err := l.App.AuthorizeURL(state, prompt)
		if err != nil {
			l.failed(w, r, err)
			return
		}
		http.SetCookie(w, l.cookie(state, stateSeconds))
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, address, http.StatusFound)
	})
}

// Callback returns the handler for the browser that comes back.
func (l *Login) Callback() http.Handler {
	l.check()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		// The address contains a code, which must not leave this browser.
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		query := r.URL.Query()
		state := query["state"]
		if len(state) != 1 || !l.knows(r, state[0]) || !used.claim(state[0], time.Now()) {
			l.failed(w, r, ErrState)
			return
		}
		http.SetCookie(w, l.cookie(state[0], -1))
		if code := query.Get("error"); code != "" {
			l.failed(w, r, &Error{Operation: "authorise", Code: code, Description: query.Get("error_description")})
			return
		}
		if query.Get("code") == "" {
			l.failed(w, r, &Error{Operation: "authorise", err: errors.New("the browser returned with neither a code nor an error")})
			return
		}
		token, err := l.App.Exchange(r.Context(), query.Get("code"))
		if err != nil {
			l.failed(w, r, err)
			return
		}
		l.Connected(w, r, token)
	})
}

// used is one for all handlers, because a program may make a handler for each request.
var used usedStates

// usedStates remembers states for as long as their cookies can live.
type usedStates struct {
	mu            sync.Mutex
	since         time.Time
	recent, older map[string]bool
}

// maxUsedStates limits the memory: a client can invent states, with matching cookies.
const maxUsedStates = 100_000

// claim marks a state as used, and reports whether it had not been used before.
func (u *usedStates) claim(state string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.recent[state] || u.older[state] {
		return false
	}
	if u.recent == nil || now.Sub(u.since) > stateSeconds*time.Second || len(u.recent) >= maxUsedStates {
		u.older, u.recent, u.since = u.recent, map[string]bool{}, now
	}
	u.recent[state] = true
	return true
}

func (l *Login) check() {
	if l.App == nil || l.Connected == nil {
		panic("oauth: Login needs App and Connected")
	}
}

// cookie returns the cookie of a state. Each state has its own cookie, named after its beginning, so
// that a second tab does not disturb the round trip of the first.
func (l *Login) cookie(state string, maxAge int) *http.Cookie {
	c := &http.Cookie{
		Name:     "gocardless-oauth-" + state[:8],
		Value:    state,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		// The browser returns by a navigation from GoCardless: with Strict it would not send the cookie.
		SameSite: http.SameSiteLaxMode,
	}
	if strings.HasPrefix(l.App.config().RedirectURL, "https:") {
		// The prefix keeps other hosts of the same domain from setting it.
		c.Name = "__Host-" + c.Name
		c.Secure = true
	}
	return c
}

// knows reports whether the browser was sent away with a state.
func (l *Login) knows(r *http.Request, state string) bool {
	if len(state) != len(rand.Text()) {
		return false
	}
	want := l.cookie(state, 0)
	match := 0
	for _, c := range r.CookiesNamed(want.Name) {
		match |= subtle.ConstantTimeCompare([]byte(c.Value), []byte(state))
	}
	return match == 1
}

func (l *Login) failed(w http.ResponseWriter, r *http.Request, err error) {
	if l.Failed != nil {
		l.Failed(w, r, err)
		return
	}
	switch {
	case errors.Is(err, ErrAccessDenied):
		http.Error(w, "The connection to GoCardless was declined.", http.StatusForbidden)
	case errors.Is(err, ErrState):
		http.Error(w, "This link has expired or was used already. Please begin again.", http.StatusBadRequest)
	default:
		http.Error(w, "The connection to GoCardless could not be made. Please try again.", http.StatusBadGateway)
	}
}
