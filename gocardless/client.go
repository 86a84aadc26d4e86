package gocardless

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// Environment is one of the two environments of GoCardless. They have separate accounts, access
// tokens and data.
type Environment string

// The environments.
const (
	// EnvironmentSandbox is for tests: no money moves.
	EnvironmentSandbox Environment = "sandbox"
	// EnvironmentLive moves real money.
	EnvironmentLive Environment = "live"
)

// Names of the variables that [NewFromEnv] reads.
const (
	tokenVariable       = "GOCARDLESS_ACCESS_TOKEN"
	environmentVariable = "GOCARDLESS_ENVIRONMENT"
	baseURLVariable     = "GOCARDLESS_BASE_URL"
)

// Defaults of a client.
const (
	defaultTimeout  = 60 * time.Second
	defaultMaxReply = 64 << 20
)

// core is the state of a client, without its services.
type core struct {
	settings
	env  Environment
	base *url.URL
	http *http.Client

	// authorization returns the value of the header. It is a function because printers that follow
	// pointers show every string that they can reach.
	authorization func() []string
	// mask removes the token from a string.
	mask scrub.Mask

	limiter   Limiter
	signer    requestSigner
	rateLimit rateLimitCell
}

// New returns a client for an environment. The access token comes from the
// GoCardless dashboard or from OAuth. The environment has no default, because the
// wrong one either fails or moves money.
//
// A client is safe for concurrent use. Create one per access token and reuse it:
// it keeps connections open between calls.
func New(accessToken string, env Environment, opts ...ClientOption) (*Client, error) {
	config := clientConfig{settings: settings{
		timeout:  defaultTimeout,
		retries:  defaultRetries,
		maxReply: defaultMaxReply,
		policy:   DefaultRetry,
	}}
	switch env {
	case EnvironmentSandbox:
		config.baseURL = sandboxURL
	case EnvironmentLive:
		config.baseURL = liveURL
	default:
		return nil, errors.New("gocardless: the environment must be EnvironmentSandbox or EnvironmentLive")
	}
	if accessToken == "" {
		return nil, errors.New("gocardless: the access token is empty")
	}
	if strings.ContainsFunc(accessToken, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errors.New("gocardless: the access token contains a space, a control character or a character outside ASCII; trim the end of the line if it comes from a file")
	}
	for _, o := range opts {
		if o != nil {
			o.applyClient(&config)
		}
	}
	if config.plainHTTP && env == EnvironmentLive {
		config.refuse("WithPlainHTTP", "must not be used with EnvironmentLive")
	}
	if len(config.problems) > 0 {
		return nil, &ParamsError{Operation: "New", Problems: config.problems}
	}
	base, err := parseBase(config.baseURL, config.plainHTTP)
	if err != nil {
		return nil, err
	}
	authorization := []string{"Bearer " + accessToken}
	c := &core{
		settings:      config.settings,
		env:           env,
		base:          base,
		authorization: func() []string { return authorization },
		mask:          scrub.Token(accessToken),
		limiter:       config.limiter,
		signer:        config.signer,
	}
	c.http = c.httpClient(config.client)
	return newClient(c), nil
}

// NewFromEnv returns a client that is configured by the environment variables
// GOCARDLESS_ACCESS_TOKEN and GOCARDLESS_ENVIRONMENT ("sandbox" or "live"; sandbox when unset).
// GOCARDLESS_BASE_URL, if set, is the address of a server to use instead of GoCardless's, such as a
// local sandbox; the option [WithBaseURL] overrides it.
func NewFromEnv(opts ...ClientOption) (*Client, error) {
	token := os.Getenv(tokenVariable)
	if token == "" {
		return nil, errors.New("gocardless: " + tokenVariable + " is not set")
	}
	env := Environment(os.Getenv(environmentVariable))
	switch env {
	case "":
		env = EnvironmentSandbox
	case EnvironmentSandbox, EnvironmentLive:
	default:
		return nil, errors.New("gocardless: " + environmentVariable + " must be sandbox or live")
	}
	if baseURL := os.Getenv(baseURLVariable); baseURL != "" {
		opts = slices.Concat([]ClientOption{WithBaseURL(baseURL)}, opts)
	}
	return New(token, env, opts...)
}

// service is the underlying type of every generated service.
type service struct{ client *Client }

// Environment returns the client's environment.
func (c *Client) Environment() Environment { return c.core.env }

// String describes the client without its access token.
func (c Client) String() string {
	if c.core == nil {
		return "gocardless.Client{}"
	}
	return "gocardless.Client{" + string(c.core.env) + ", " + c.core.base.String() + ", token [redacted]}"
}

// GoString is like String: it keeps %#v from printing the access token.
func (c Client) GoString() string { return c.String() }

// Format is like String, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is what a logger sees of a client.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Do sends a request that this version of the package has no method for, through the same pipeline:
// with the client's headers, an idempotency key for a POST and for [KindCreate], the retry rules, the
// limits and the errors.
//
// The path begins with a slash. The caller escapes it, and may add a query. The body is sent as
// JSON and includes its envelope: nil means no body, a [json.RawMessage] is sent unchanged, and any
// other value is encoded by encoding/json. Strings and byte slices are refused, because they would
// become a JSON string: convert encoded JSON to a [json.RawMessage]. The whole reply is read into
// the value that reply points to: a [json.RawMessage] receives it unchanged, any other value is
// decoded by encoding/json, and nil discards it.
//
//	params := map[string]any{"payments": map[string]any{"amount": 1000, "currency": "GBP"}}
//	var reply json.RawMessage
//	err := client.Do(ctx, "POST", "/payments", params, &reply,
//		gocardless.WithOperationKind(gocardless.KindCreate))
//
// After an idempotency conflict, Do does not read the existing resource; the error names it.
func (c *Client) Do(ctx context.Context, method, path string, body, reply any, opts ...RequestOption) error {
	op := Operation{Name: method, Method: method}
	switch method {
	case http.MethodGet:
		op.Kind = KindRead
	case http.MethodPut:
		op.Kind = KindUpdate
	case http.MethodDelete:
		op.Kind = KindDelete
	case http.MethodPost, http.MethodPatch:
		op.Kind = KindAction
	default:
		return &ParamsError{Operation: "Do", Problems: []Problem{{Field: "method", Message: "must be GET, POST, PUT, PATCH or DELETE"}}}
	}
	plain, escaped, query, problem := parsePath(path)
	if problem != "" {
		return &ParamsError{Operation: "Do", Problems: []Problem{{Field: "path", Message: problem}}}
	}
	// The name has the escaped path: unescaped, it may contain control characters.
	op.Name, op.Path = method+" "+escaped, plain
	in := input{raw: &rawInput{escaped: escaped, query: query}}
	switch body := body.(type) {
	case nil:
	case json.RawMessage:
		if !json.Valid(body) {
			return &ParamsError{Operation: op.Name, Problems: []Problem{{Field: "body", Message: "is not valid JSON"}}}
		}
		in.raw.body = body
	case string, []byte:
		return &ParamsError{Operation: op.Name, Problems: []Problem{{Field: "body", Message: "must be a json.RawMessage or a value to encode, not a string or []byte"}}}
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			return &ParamsError{Operation: op.Name, Problems: []Problem{{Field: "body", Message: "cannot be encoded: " + scrub.Text(err.Error())}}}
		}
		in.raw.body = encoded
	}
	var out replyReader
	if reply != nil {
		if v := reflect.ValueOf(reply); v.Kind() != reflect.Pointer || v.IsNil() {
			// After sending, this would look like an unreadable reply.
			return &ParamsError{Operation: op.Name, Problems: []Problem{{Field: "reply", Message: "must be a pointer that is not nil"}}}
		}
		out = &jsonReply{target: reply}
	}
	return c.core.call(ctx, &op, in, opts, out)
}

// jsonReply reads a whole reply by encoding/json.
type jsonReply struct{ target any }

func (r *jsonReply) reset() {}
func (r *jsonReply) value(d *jsonwire.Decoder) bool {
	d.Skip()
	return true
}
func (r *jsonReply) sibling(d *jsonwire.Decoder) { d.Unknown() }
func (r *jsonReply) raw(data []byte) error {
	if raw, ok := r.target.(*json.RawMessage); ok {
		if !json.Valid(data) {
			return errors.New("not valid JSON")
		}
		*raw = append(json.RawMessage(nil), data...)
		return nil
	}
	err := json.Unmarshal(data, r.target)
	if err != nil && json.Valid(data) {
		return misfitError{err}
	}
	return err
}

// defaultTransport returns the transport of all clients without their own, so that many clients, one
// for each merchant's token, share one connection pool. It returns nil if the program has replaced
// [http.DefaultTransport] with another type, which is then used.
var defaultTransport = sync.OnceValue(func() *http.Transport {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil
	}
	t := base.Clone()
	// With the default of 2, concurrent callers open a connection for nearly every request over
	// HTTP/1.1.
	t.MaxIdleConnsPerHost = 64
	return t
})

// httpClient returns a copy of the user's client that refuses dangerous redirects.
func (c *core) httpClient(user *http.Client) *http.Client {
	var own http.Client
	if user != nil {
		own = *user
	} else if t := defaultTransport(); t != nil {
		own.Transport = t
	}
	userCheck := own.CheckRedirect
	signed := c.signer != nil
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0]
		switch {
		case first.Method != http.MethodGet || signed:
			// If it were followed as a GET, the reply would be mistaken for the result of the
			// request; if it were sent again, the request might be carried out twice. A signature
			// covers the address, so it does not fit another one.
			return http.ErrUseLastResponse
		case req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host:
			// The token is not for other hosts.
			return http.ErrUseLastResponse
		case len(via) >= 5:
			return http.ErrUseLastResponse
		case userCheck != nil:
			return userCheck(req, via)
		}
		return nil
	}
	return &own
}

// userAgent is the value of the User-Agent header.
var userAgent = []string{"gocardless-go/" + Version + " (" + runtime.Version() + "; " + runtime.GOOS + "/" + runtime.GOARCH + ")"}
