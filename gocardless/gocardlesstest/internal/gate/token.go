// Package gate protects the sandbox: it checks the origin, the token and the rate limit of a
// request.
package gate

import (
	"net/http"
	"strings"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Access is the access that a token gives.
type Access uint8

const (
	unknown  Access = iota
	Full            // reads and writes
	ReadOnly        // reads
	Revoked         // a merchant has disconnected the app
	Inactive        // exists but is not active
)

// Tokens is the set of access tokens. Until one is admitted, every token is accepted.
type Tokens struct {
	mu    sync.RWMutex
	open  bool
	known map[string]Access
}

// Init empties the set, so that every token is accepted.
func (t *Tokens) Init() { t.open, t.known = true, map[string]Access{} }

// Admit sets the access of a token, and makes the set refuse tokens that it does not contain.
func (t *Tokens) Admit(token string, s Access) {
	t.Set(token, s)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = false
}

// IsOpen reports whether any token is accepted.
func (t *Tokens) IsOpen() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.open
}

func (t *Tokens) state(token string) Access {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.known[token]; ok {
		return s
	}
	if t.open {
		return Full
	}
	return unknown
}

// Set sets the access of a token. It does not affect other tokens.
func (t *Tokens) Set(token string, s Access) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[token] = s
}

// First returns the first token with full access in alphabetical order, or "".
func (t *Tokens) First() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	best := ""
	for token, state := range t.known {
		if state == Full && (best == "" || token < best) {
			best = token
		}
	}
	return best
}

// Authorise checks the Authorization header and returns the token.
func (t *Tokens) Authorise(h http.Header, op *api.Operation) (string, *api.Error) {
	auth := h.Get("Authorization")
	if auth == "" {
		return "", api.Refuse("missing_authorization_header", "Missing authorization header")
	}
	kind, token, ok := strings.Cut(auth, " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(kind, "bearer") || token == "" {
		return "", api.Refuse("invalid_authorization_header", "Invalid authorization header")
	}
	switch t.state(token) {
	case unknown:
		return "", api.Refuse("access_token_not_found", "The access token you've used is not a valid sandbox API access token")
	case Revoked:
		return "", api.Refuse("access_token_revoked", "The access token has been revoked")
	case Inactive:
		return "", api.Refuse("access_token_not_active", "The access token is not active")
	case ReadOnly:
		if op != nil && op.Kind != api.OpRead {
			return token, api.Refuse("insufficient_permissions", "The access token is read-only")
		}
	}
	return token, nil
}
