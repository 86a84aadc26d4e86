package gocardless

import (
	"net/http"
	"net/textproto"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/request"
)

// ClientOption configures a client, in [New] and [NewFromEnv]. Besides every [Option] there are
//
//   - where requests go: [WithBaseURL], [WithPlainHTTP], [WithHTTPClient]
//   - signing: [WithRequestSigning], [WithRequestSigner]
//   - rate limits: [WithRateLimitWait], [WithRateLimitReserve], [WithLimiter]
type ClientOption interface {
	applyClient(*clientConfig)
}

// RequestOption configures one call and overrides the client's setting. Besides every [Option] there
// are
//
//   - the request: [WithIdempotencyKey], [WithBodyField]
//   - the reply: [WithResponse]
//   - calls with [Client.Do]: [WithOperationKind]
type RequestOption interface {
	applyRequest(*settings)
}

// Option configures a client, for all its calls, or a single call:
//
//   - timeouts and retries: [WithTimeout], [WithRetries], [WithRetryPolicy], [WithConflictError]
//   - the request: [WithHeader], [WithoutValidation]
//   - the reply: [WithMaxReplyBytes], [WithStrictReplies]
//   - lists: [WithPrefetch], [WithBulkLane]
//   - observation: [WithLogger], [WithObserver]
type Option interface {
	ClientOption
	RequestOption
}

// settings is what the options of a call set. A client holds the defaults.
type settings struct {
	timeout       time.Duration
	retries       int
	maxReply      int64
	policy        RetryPolicy
	logger        callLogger
	header        http.Header // the caller's, by canonical name; nil removes a header
	conflictError bool
	unchecked     bool
	strict        bool
	prefetch      int
	lane          Lane
	observer      *Observer

	// Only for single calls.
	key      string
	kind     OperationKind
	response *Response
	edit     *bodyEdit
	window   request.Window
	// tolerates, if set, decides whether a reply with unreadable numbers is accepted.
	tolerates func([]Misfit) bool

	problems []Problem // options with unusable values
}

// with returns the settings of a call with options. The client's own are never changed.
func (s *settings) with(opts []RequestOption) *settings {
	if len(opts) == 0 {
		return s
	}
	own := *s
	for _, o := range opts {
		if o != nil {
			o.applyRequest(&own)
		}
	}
	return &own
}

func (s *settings) refuse(option, message string) {
	s.problems = append(s.problems, Problem{Field: option, Message: message})
}

// clientConfig collects the options of [New].
type clientConfig struct {
	settings
	baseURL   string
	plainHTTP bool
	client    *http.Client
	limiter   Limiter
	signer    requestSigner
}

type clientOption func(*clientConfig)

func (f clientOption) applyClient(c *clientConfig) { f(c) }

type requestOption func(*settings)

func (f requestOption) applyRequest(s *settings) { f(s) }

type option func(*settings)

func (f option) applyClient(c *clientConfig) { f(&c.settings) }
func (f option) applyRequest(s *settings)    { f(s) }

// WithBaseURL sends requests to an address other than that of the client's environment, such as a
// test server or a gateway. It must begin with https://; http:// is accepted for loopback addresses,
// and for other hosts with [WithPlainHTTP]. The paths of operations are appended to its path.
func WithBaseURL(url string) ClientOption {
	return clientOption(func(c *clientConfig) {
		if c.baseURL = url; url == "" {
			c.refuse("WithBaseURL", "must not be empty")
		}
	})
}

// WithPlainHTTP accepts http:// in the base URL for any host, such as a sandbox in another container
// (http://sandbox:8080, http://host.docker.internal:8080). The access token and all data are then
// sent unencrypted: use it only with your own sandbox on your own network. [New] refuses it for
// [EnvironmentLive], and http:// for GoCardless's servers.
func WithPlainHTTP() ClientOption {
	return clientOption(func(c *clientConfig) { c.plainHTTP = true })
}

// WithHTTPClient makes requests through the given client, with its Transport, its cookie jar and
// its Timeout. The client itself is never changed. Redirects of requests other than GET, and
// redirects to other hosts, are refused before its CheckRedirect is called.
//
// Without this option the client has a transport of its own that honours the
// proxy settings of the environment, speaks HTTP/2 and keeps enough idle
// connections for many goroutines.
func WithHTTPClient(client *http.Client) ClientOption {
	return clientOption(func(c *clientConfig) {
		if c.client = client; client == nil {
			c.refuse("WithHTTPClient", "must not be nil")
		}
	})
}

// WithTimeout limits each attempt, from connecting to the last byte of the reply.
// The default is 60 s; 0 removes the limit. The context of the call limits all
// attempts and the waits between them together.
func WithTimeout(d time.Duration) Option {
	return option(func(s *settings) {
		if s.timeout = d; d < 0 {
			s.refuse("WithTimeout", "must not be negative")
		}
	})
}

// WithRetries sets the maximum number of retries. The default is 3; 0 disables
// retries.
func WithRetries(n int) Option {
	return option(func(s *settings) {
		if s.retries = n; n < 0 {
			s.refuse("WithRetries", "must not be negative")
		}
	})
}

// WithRetryPolicy replaces [DefaultRetry]. The number of retries stays limited by
// [WithRetries].
func WithRetryPolicy(policy RetryPolicy) Option {
	return option(func(s *settings) {
		if s.policy = policy; policy == nil {
			s.refuse("WithRetryPolicy", "must not be nil")
		}
	})
}

// WithHeader sets a request header. It replaces the client's own value, whatever the case of the
// name; an empty value removes the header. An Idempotency-Key can be set only for a single call.
func WithHeader(name, value string) Option {
	// The option holds a function because the value may be a secret, and printers show every string.
	return headerOption{func() (string, string) { return name, value }}
}

type headerOption struct{ header func() (name, value string) }

func (o headerOption) applyClient(c *clientConfig) {
	if name, _ := o.header(); textproto.CanonicalMIMEHeaderKey(name) == keyHeader {
		c.refuse("WithHeader", "must not set an Idempotency-Key for all requests: only the first would create anything")
		return
	}
	o.applyRequest(&c.settings)
}

func (o headerOption) applyRequest(s *settings) {
	name, value := o.header()
	name = textproto.CanonicalMIMEHeaderKey(name)
	if !validHeaderName(name) {
		s.refuse("WithHeader", "needs the name of a header")
		return
	}
	if !validHeaderValue(value) {
		s.refuse("WithHeader", "must not set "+name+" to a value with control characters")
		return
	}
	switch name {
	case keyHeader:
		WithIdempotencyKey(value).applyRequest(s)
		return
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
		s.refuse("WithHeader", "must not set "+name+": the connection does")
		return
	}
	// The client's calls share its header, so it is copied.
	header := make(http.Header, len(s.header)+1)
	for k, v := range s.header {
		header[k] = v
	}
	if value == "" {
		header[name] = nil
	} else {
		header[name] = []string{value}
	}
	s.header = header
}

// WithIdempotencyKey sends the given key with a POST instead of a random one: at most 128 printable
// ASCII characters without spaces. With your own key, such as the id of an order, a restart of the
// program does not lead to a second create. With the key of an error, a failed create is resumed.
//
// The API compares only the key: a create with a reused key returns the original resource, even if
// the params differ. Derive the key from everything that distinguishes the request, and check the
// returned resource if that matters.
func WithIdempotencyKey(key string) RequestOption {
	return requestOption(func(s *settings) {
		if s.key = key; keyProblem(key) != "" {
			s.refuse(keyHeader, keyProblem(key))
		}
	})
}

// WithConflictError makes a create whose idempotency key was used before fail
// with [ErrIdempotencyConflict]. By default the resource that the earlier request
// created is read and returned, and [Response.Existing] is set.
func WithConflictError() Option {
	return option(func(s *settings) { s.conflictError = true })
}

// WithResponse fills r with the HTTP side of the call; see [Response].
func WithResponse(r *Response) RequestOption {
	return requestOption(func(s *settings) {
		if s.response = r; r == nil {
			s.refuse("WithResponse", "must not be nil")
		}
	})
}

// WithBodyField sets a member of the request body that the params cannot express: an explicit null,
// or a field that this version of the package does not know. The path is relative to the params,
// with dots between nested names, as in "links.default_gbp_payout_account". The value may be nil or
// any value that encoding/json accepts. The client does not check it.
func WithBodyField(path string, value any) RequestOption {
	return requestOption(func(s *settings) { s.addBodyField(path, value) })
}

// WithoutValidation sends params without checking them first. The API still checks them.
func WithoutValidation() Option {
	return option(func(s *settings) { s.unchecked = true })
}

// WithMaxReplyBytes limits the size of a reply after decompression. The default is 64 MiB. A
// successful reply over the limit is a [MalformedResponseError] with [ErrReplyTooLarge].
func WithMaxReplyBytes(n int64) Option {
	return option(func(s *settings) {
		if s.maxReply = n; n <= 0 {
			s.refuse("WithMaxReplyBytes", "must be positive")
		}
	})
}

// WithOperationKind sets the kind of the request that [Client.Do] sends, and therefore when it may
// be retried. By default a POST is a [KindAction], which is retried only if it is known not to have
// run. Pass [KindCreate] if the API honours the idempotency key of the request. Generated methods
// ignore the option.
func WithOperationKind(kind OperationKind) RequestOption {
	return requestOption(func(s *settings) {
		switch kind {
		case KindRead, KindUpdate, KindDelete, KindCreate, KindAction:
			s.kind = kind
		default:
			s.refuse("WithOperationKind", "is not one of the kinds")
		}
	})
}

func validHeaderName(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '!', c == '#', c == '$', c == '%', c == '&', c == '\'', c == '*', c == '+', c == '-', c == '.', c == '^', c == '_', c == '`', c == '|', c == '~':
		default:
			return false
		}
	}
	return true
}

func validHeaderValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
