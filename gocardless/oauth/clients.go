package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// ErrNotConnected is the error that the lookup function of [NewClients] returns for an organisation
// without an access token.
var ErrNotConnected = errors.New("oauth: organisation is not connected")

// Clients provides a [gocardless.Client] for each connected organisation. It creates a client when
// it is first needed, keeps it, and drops it when the API refuses its token, so that the next call
// of Client looks up the token again. All clients share their connections. It is safe for
// concurrent use.
type Clients struct {
	env     gocardless.Environment
	lookup  func(ctx context.Context, organisationID string) (accessToken string, err error)
	options ClientsOptions
	base    *http.Client

	mu      sync.Mutex
	clients map[string]*connection
}

// ClientsOptions are the settings of [Clients]. The zero value has the defaults.
type ClientsOptions struct {
	// HTTPClient makes the requests; nil means a client of the package. It is not changed.
	HTTPClient *http.Client
	// Disconnected is called when the API reports that the token of an organisation is no longer
	// valid. It receives that token, so that the store removes this one and not a newer one. It is
	// called from the goroutine of the API call, possibly several times.
	Disconnected func(organisationID, accessToken string)
	// Options apply to every client. Do not pass WithHTTPClient, which would disable the detection
	// of refused tokens: set HTTPClient.
	Options []gocardless.ClientOption
}

// connection is a client, or one that is being created.
type connection struct {
	ready  chan struct{} // closed when the rest is set
	client *gocardless.Client
	err    error
}

// NewClients returns clients that get their tokens from lookup, which returns [ErrNotConnected]
// for an organisation without one.
func NewClients(env gocardless.Environment, lookup func(ctx context.Context, organisationID string) (accessToken string, err error), options ClientsOptions) (*Clients, error) {
	if lookup == nil {
		return nil, errors.New("oauth: NewClients: the lookup function must not be nil")
	}
	if env != gocardless.EnvironmentLive && env != gocardless.EnvironmentSandbox {
		return nil, fmt.Errorf("oauth: NewClients: environment %q is neither live nor sandbox", env)
	}
	base := http.Client{}
	if options.HTTPClient != nil {
		base = *options.HTTPClient
	}
	if base.Transport == nil {
		base.Transport = http.DefaultTransport
		if t, ok := base.Transport.(*http.Transport); ok {
			t = t.Clone()
			t.MaxIdleConnsPerHost = 64 // one host for all organisations
			base.Transport = t
		}
	}
	return &Clients{env: env, lookup: lookup, options: options, base: &base, clients: map[string]*connection{}}, nil
}

// Client returns the client of an organisation. Concurrent callers for the same organisation wait
// for one lookup; an error is not kept.
func (c *Clients) Client(ctx context.Context, organisationID string) (*gocardless.Client, error) {
	if organisationID == "" {
		return nil, errors.New("oauth: empty organisation id")
	}
	for {
		c.mu.Lock()
		conn, waiting := c.clients[organisationID]
		if !waiting {
			conn = &connection{ready: make(chan struct{})}
			c.clients[organisationID] = conn
		}
		c.mu.Unlock()
		if !waiting {
			c.connect(ctx, organisationID, conn)
			return conn.client, conn.err
		}
		select {
		case <-conn.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if conn.err == nil {
			return conn.client, nil
		}
		if !errors.Is(conn.err, context.Canceled) && !errors.Is(conn.err, context.DeadlineExceeded) {
			return nil, conn.err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// Only the other caller's context ended: try again.
	}
}

// ForEvent returns the client of the organisation that an event of a webhook belongs to.
func (c *Clients) ForEvent(ctx context.Context, event gocardless.Event) (*gocardless.Client, error) {
	id := event.Organisation()
	if id == "" {
		return nil, errors.New("oauth: event does not name its organisation")
	}
	return c.Client(ctx, id)
}

// Forget drops the client of an organisation, so that the next one is created with the token that
// lookup returns then. Call it after the token was replaced or revoked. Calls that are in progress
// are not affected.
func (c *Clients) Forget(organisationID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clients, organisationID)
}

// connect creates the client of a connection.
func (c *Clients) connect(ctx context.Context, organisationID string, conn *connection) {
	defer func() {
		if conn.client == nil {
			if conn.err == nil {
				conn.err = errors.New("oauth: looking up the access token did not return")
			}
			c.drop(organisationID, conn)
		}
		close(conn.ready)
	}()
	token, err := c.lookup(ctx, organisationID)
	if err != nil {
		conn.err = fmt.Errorf("oauth: looking up the access token: %w", err)
		return
	}
	if token == "" {
		conn.err = fmt.Errorf("oauth: looking up the access token: %w", ErrNotConnected)
		return
	}
	own := *c.base
	own.Transport = &watch{next: c.base.Transport, refused: func(gone bool) {
		c.drop(organisationID, conn)
		if gone && c.options.Disconnected != nil {
			c.options.Disconnected(organisationID, token)
		}
	}}
	opts := append([]gocardless.ClientOption{gocardless.WithHTTPClient(&own)}, c.options.Options...)
	conn.client, conn.err = gocardless.New(token, c.env, opts...)
}

// drop forgets a connection, unless there is a newer one.
func (c *Clients) drop(organisationID string, conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clients[organisationID] == conn {
		delete(c.clients, organisationID)
	}
}

// watch notices replies that refuse the token.
type watch struct {
	next    http.RoundTripper
	refused func(gone bool)
}

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := w.next.RoundTrip(r)
	if err != nil || reply.StatusCode != http.StatusUnauthorized {
		return reply, err
	}
	// The start of the body is enough to find the reason. The caller still receives all of it.
	start, _ := io.ReadAll(io.LimitReader(reply.Body, 64<<10))
	reply.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), reply.Body), reply.Body}
	w.refused(disconnects(start))
	return reply, nil
}

// disconnects reports whether the body of a 401 means that the token is revoked or unknown.
func disconnects(body []byte) bool {
	var reply struct {
		Error struct {
			Errors []struct {
				Reason gocardless.Reason `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &reply) != nil {
		return false
	}
	for _, e := range reply.Error.Errors {
		if slices.Contains(disconnected, e.Reason) {
			return true
		}
	}
	return false
}
