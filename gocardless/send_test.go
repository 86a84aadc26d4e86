package gocardless

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever a transport does, a call has the same outcome as with http.Client.Do, and the transport
// gets the same requests.
func TestSendIsAsTheClient(t *testing.T) {
	broken := errors.New("broken")
	redirect := func(status int, target string) replier {
		return replyWith(status, "moved", "Location", target)
	}
	altered := func(alter func(*http.Response), reply replier) replier {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := reply(req)
			alter(resp)
			return resp, err
		}
	}
	fails := func(err error) replier {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	plain := replyWith(200, paymentReply)
	for name, test := range map[string]struct {
		replies []replier
		method  string // GET if empty
		client  func(*http.Client)
	}{
		"a reply":                     {replies: []replier{plain}},
		"a reply to a POST":           {replies: []replier{plain}, method: "POST"},
		"an unsuccessful reply":       {replies: []replier{replyWith(500, "no")}},
		"not modified":                {replies: []replier{replyWith(304, "")}},
		"a switch of protocols":       {replies: []replier{replyWith(101, "")}},
		"an error":                    {replies: []replier{fails(broken)}},
		"an error to a POST":          {replies: []replier{fails(broken)}, method: "POST"},
		"an error with an address":    {replies: []replier{fails(&url.Error{Op: "Post", URL: "https://token.example", Err: broken})}},
		"a dial that fails":           {replies: []replier{fails(&net.OpError{Op: "dial", Err: broken})}},
		"a time-out":                  {replies: []replier{fails(context.DeadlineExceeded)}},
		"plain HTTP in answer to TLS": {replies: []replier{fails(tls.RecordHeaderError{Msg: "odd", RecordHeader: [5]byte([]byte("HTTP/"))})}},
		"a reply and an error": {replies: []replier{func(req *http.Request) (*http.Response, error) {
			resp, _ := plain(req)
			return resp, broken
		}}},
		"neither":                     {replies: []replier{fails(nil)}},
		"no body":                     {replies: []replier{altered(func(r *http.Response) { r.Body, r.ContentLength = nil, 0 }, plain)}},
		"no body, but a length":       {replies: []replier{altered(func(r *http.Response) { r.Body = nil }, plain)}},
		"no body, of unknown length":  {replies: []replier{altered(func(r *http.Response) { r.Body, r.ContentLength = nil, -1 }, plain)}},
		"no headers":                  {replies: []replier{altered(func(r *http.Response) { r.Header = nil }, plain)}},
		"a redirect":                  {replies: []replier{redirect(302, "/there"), plain}},
		"two redirects":               {replies: []replier{redirect(301, "/there?a=b"), redirect(308, "here"), plain}},
		"a redirect without a target": {replies: []replier{replyWith(302, "moved")}},
		"a redirect to nonsense":      {replies: []replier{redirect(302, "https://%zz")}},
		"a redirect to another host":  {replies: []replier{redirect(302, "https://x.example/"), plain}},
		"a redirect to plain HTTP":    {replies: []replier{redirect(302, "http://api-sandbox.gocardless.com/there"), plain}},
		"a redirect without a body":   {replies: []replier{altered(func(r *http.Response) { r.Body, r.ContentLength = nil, 0 }, redirect(302, "/there")), plain}},
		"a long redirect":             {replies: []replier{replyWith(302, strings.Repeat("moved", 1000), "Location", "/there"), plain}},
		"endless redirects":           {replies: []replier{redirect(307, "/round")}},
		"a redirect into an error":    {replies: []replier{redirect(302, "/there"), fails(broken)}},
		"a redirect of a POST":        {replies: []replier{redirect(302, "/there"), plain}, method: "POST"},
		"a redirect that keeps POST":  {replies: []replier{redirect(307, "/there"), plain}, method: "POST"},
		"a refused redirect": {replies: []replier{redirect(302, "/there"), plain}, client: func(c *http.Client) {
			c.CheckRedirect = func(*http.Request, []*http.Request) error { return broken }
		}},
		"cookies":            {replies: []replier{replyWith(302, "", "Set-Cookie", "a=b", "Location", "/there"), plain}, client: withCookie},
		"a cookie of before": {replies: []replier{plain}, client: withCookie},
		"a time limit":       {replies: []replier{plain}, client: func(c *http.Client) { c.Timeout = time.Minute }},
		"a time limit that ends": {replies: []replier{func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			time.Sleep(time.Second) // its timer and its context end in either order
			return nil, req.Context().Err()
		}}, client: func(c *http.Client) { c.Timeout = time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			outcome := func(t *testing.T, send func(*core, *http.Request) (*http.Response, error)) []string {
				transport := &recordingTransport{replies: test.replies}
				user := &http.Client{Transport: transport}
				if test.client != nil {
					test.client(user)
				}
				c, err := New(testToken, EnvironmentSandbox, WithHTTPClient(user))
				if err != nil {
					t.Fatal(err)
				}
				method, body := test.method, io.Reader(nil)
				if method == "POST" {
					body = bytes.NewReader([]byte(paymentBody))
				}
				req, err := http.NewRequestWithContext(t.Context(), method, sandboxURL+"/payments?secret=1", body)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+testToken)
				resp, err := send(c.core, req)
				transport.note("%s", describeError(err))
				if resp != nil {
					read, readErr := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					transport.note("%d %v %q %v %s", resp.StatusCode, resp.Header, read, readErr, resp.Request.URL)
				}
				return transport.seen
			}
			synctest.Test(t, func(t *testing.T) {
				want := outcome(t, func(c *core, req *http.Request) (*http.Response, error) { return c.http.Do(req) })
				got := outcome(t, (*core).send)
				if !slices.Equal(got, want) {
					t.Errorf("the client:\n%s\nsend:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
				}
			})
		})
	}
}

// withCookie gives a client a jar with a cookie for the API.
func withCookie(c *http.Client) {
	c.Jar, _ = cookiejar.New(nil)
	c.Jar.SetCookies(&url.URL{Scheme: "https", Host: "api-sandbox.gocardless.com"}, []*http.Cookie{{Name: "before", Value: "1"}})
}

// describeError lists the types and messages of an error and its causes.
func describeError(err error) (all []string) {
	for ; err != nil; err = errors.Unwrap(err) {
		all = append(all, fmt.Sprintf("%T %v", err, err))
	}
	return all
}

// recordingTransport answers in turn, the last reply again and again, and keeps what it and the
// bodies of its replies see.
type recordingTransport struct {
	replies []replier
	sent    int
	seen    []string
}

func (r *recordingTransport) note(format string, args ...any) {
	r.seen = append(r.seen, fmt.Sprintf(format, args...))
}

func (r *recordingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	r.note("%s %s %s %v %q, after a reply: %t", req.Method, req.URL, req.Host, req.Header, body, req.Response != nil)
	reply := r.replies[min(r.sent, len(r.replies)-1)]
	r.sent++
	resp, err := reply(req)
	if resp != nil && resp.Body != nil {
		resp.Body = &recordingBody{ReadCloser: resp.Body, transport: r}
	}
	return resp, err
}

type recordingBody struct {
	io.ReadCloser
	transport *recordingTransport
	length    int
}

func (b *recordingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.length += n
	return n, err
}

func (b *recordingBody) Close() error {
	b.transport.note("closed after %d bytes", b.length)
	return b.ReadCloser.Close()
}
