package gocardlesstest

import (
	"net/http"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
)

// clientToken is the default access token of the clients that Client returns.
const clientToken = "sandbox_test_token"

// Client returns a client that reaches the sandbox without a socket and works in a testing/synctest
// bubble. The options are applied after its own. If the sandbox's tokens are set (WithToken), the
// client uses the first one in alphabetical order. Options that the client refuses panic.
//
// To reach a [Server] over its socket, create a client with gocardless.WithBaseURL(server.URL).
func (sb *Sandbox) Client(opts ...gocardless.ClientOption) *gocardless.Client {
	token := clientToken
	if t := sb.tokens.First(); t != "" {
		token = t
	}
	opts = append([]gocardless.ClientOption{gocardless.WithHTTPClient(&http.Client{Transport: sb.Transport()})}, opts...)
	c, err := gocardless.New(token, gocardless.EnvironmentSandbox, opts...)
	if err != nil {
		panic("gocardlesstest: " + err.Error())
	}
	return c
}

// RevokeToken makes requests with a token fail with 401 access_token_revoked, as after a merchant
// disconnects an app.
func (sb *Sandbox) RevokeToken(token string) { sb.tokens.Set(token, gate.Revoked) }

// DeactivateToken makes requests with a token fail with 401 access_token_not_active.
func (sb *Sandbox) DeactivateToken(token string) { sb.tokens.Set(token, gate.Inactive) }
