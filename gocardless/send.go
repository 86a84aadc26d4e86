package gocardless

import (
	"fmt"
	"net/http"
)

// send sends a request as the [http.Client] would, without the copies that a client makes of each
// request in case of a redirect. It returns a plain reply itself. It passes an error or a redirect
// to the client, which treats it as the outcome of its own request.
func (c *core) send(req *http.Request) (*http.Response, error) {
	transport := c.http.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	if transport == nil || c.http.Jar != nil || c.http.Timeout != 0 {
		return c.http.Do(req)
	}
	resp, err := transport.RoundTrip(req)
	switch {
	case err != nil:
	case resp == nil:
		// The message is net/http's, which would name the type answered instead.
		err = fmt.Errorf("http: RoundTripper implementation (%T) returned a nil *Response with a nil error", transport)
	case resp.Body == nil && resp.ContentLength > 0:
		err = fmt.Errorf("http: RoundTripper implementation (%T) returned a *Response with content length %d but a nil Body", transport, resp.ContentLength)
	case resp.Body != nil && (resp.StatusCode < 300 || resp.StatusCode > 399):
		return resp, nil
	}
	client := *c.http
	client.Transport = &answered{RoundTripper: transport, resp: resp, err: err}
	return client.Do(req)
}

// answered is a transport that returns a given outcome for its first request.
type answered struct {
	http.RoundTripper
	resp *http.Response
	err  error
	used bool
}

func (a *answered) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.used {
		return a.RoundTripper.RoundTrip(req)
	}
	a.used = true
	return a.resp, a.err
}
