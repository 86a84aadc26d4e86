package gocardlesstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP implements http.Handler. It serves the API and the hosted pages.
func (sb *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := sb.guard(r); err != nil {
		sb.writeRefusal(w, err)
		return
	}
	if h := pageFor(r.URL.Path); h != nil {
		h(sb, w, r)
		return
	}
	out := sb.serve(&incoming{ctx: r.Context(), method: r.Method, url: r.URL, header: r.Header, body: r.Body, base: sb.seenBase(r)})
	if out.drop {
		// The only way of net/http to close a connection without a reply.
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for k, v := range out.header {
		h[k] = v
	}
	w.WriteHeader(out.status)
	if r.Method == http.MethodHead {
		return
	}
	if out.cut >= 0 {
		_, _ = w.Write(out.body[:out.cut])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(out.body)
}

// pageFor finds the page of a path, or returns nil for the API's paths.
func pageFor(path string) func(*Sandbox, http.ResponseWriter, *http.Request) {
	for _, p := range theRegistry().pages {
		if strings.HasPrefix(path, p.prefix) {
			return p.handler
		}
	}
	return nil
}

// seenBase returns the scheme and host under which the caller reached the sandbox.
func (sb *Sandbox) seenBase(r *http.Request) string {
	host := r.Host
	if host == "" || strings.ContainsFunc(host, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-:[]", c))
	}) {
		return sb.baseURL()
	}
	if r.TLS != nil || r.URL.Scheme == "https" {
		return "https://" + host
	}
	return "http://" + host
}

// Transport returns a RoundTripper that answers from the sandbox without a socket, for any host.
// Use it in a testing/synctest bubble, where sockets would keep fake time from advancing:
//
//	client := &http.Client{Transport: sandbox.Transport()}
//
// A fault that breaks the connection is returned as an error.
func (sb *Sandbox) Transport() http.RoundTripper { return transport{sb} }

type transport struct{ sb *Sandbox }

// errDropped is the error of a connection that a fault closed.
var errDropped = errors.New("gocardlesstest: connection closed without a reply")

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if h := pageFor(r.URL.Path); h != nil {
		rec := newRecorder(r)
		if !rec.run(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(t.sb, w, r) })) {
			return nil, errDropped
		}
		return rec.response(), nil
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	// The caller may reuse its header map.
	out := t.sb.serve(&incoming{ctx: r.Context(), method: r.Method, url: r.URL, header: r.Header.Clone(), body: r.Body, base: r.URL.Scheme + "://" + host})
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if out.drop {
		return nil, fmt.Errorf("%w: %w", errDropped, io.ErrUnexpectedEOF)
	}
	resp := &http.Response{
		Status: strconv.Itoa(out.status) + " " + http.StatusText(out.status), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, ContentLength: int64(len(out.body)), Request: r,
	}
	switch {
	case r.Method == http.MethodHead:
		resp.Body = http.NoBody
	case out.cut >= 0:
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(out.body[:out.cut]), brokenReader{}))
	default:
		resp.Body = io.NopCloser(bytes.NewReader(out.body))
	}
	return resp, nil
}

// brokenReader is the end of a body whose connection closed.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// recorder is a ResponseWriter in memory. net/http/httptest has one, but adds a command-line flag to
// every program that imports this package.
type recorder struct {
	req    *http.Request
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
}

func newRecorder(r *http.Request) *recorder {
	return &recorder{req: r, header: http.Header{}}
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.sent = w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// run calls a handler, and reports false if the handler aborts.
func (w *recorder) run(h http.Handler) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, _ := p.(error); !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			ok = false
		}
	}()
	h.ServeHTTP(w, w.req)
	w.WriteHeader(http.StatusOK)
	return true
}

func (w *recorder) response() *http.Response {
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.sent,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: w.req,
	}
}
