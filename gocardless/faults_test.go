package gocardless

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The fault matrix: every fault × every kind of operation, over HTTP/1.1, HTTP/2 and a plain
// RoundTripper. Each cell checks the number of attempts and the error if the fault lasts; that a
// single fault followed by a good reply succeeds, if the fault allows another attempt; and that each
// request that arrived was complete.

// repeatable is the class of a fault.
type repeatable int

const (
	never      repeatable = iota // no other attempt for any operation
	unlessActs                   // for all but actions, which may have run
	always                       // is known not to have run
)

func (r repeatable) attempts(kind OperationKind) int {
	if r == always || r == unlessActs && kind != KindAction {
		return 3
	}
	return 1
}

// matrixKinds are the columns.
var matrixKinds = []struct {
	name string
	kind OperationKind
	body string // that each request must carry
	good string
	call func(context.Context, *Client, ...RequestOption) error
}{
	{"GET", KindRead, "", paymentReply, func(ctx context.Context, c *Client, opts ...RequestOption) error {
		_, err := c.Payments.Get(ctx, "PM123", opts...)
		return err
	}},
	{"create", KindCreate, paymentBody, paymentReply, func(ctx context.Context, c *Client, opts ...RequestOption) error {
		_, err := c.Payments.Create(ctx, paymentParams(), opts...)
		return err
	}},
	{"action", KindAction, `{"data":{"metadata":{"why":"test"}}}`, paymentReply, func(ctx context.Context, c *Client, opts ...RequestOption) error {
		_, err := c.Payments.Cancel(ctx, "PM123", PaymentCancelParams{Metadata: Metadata{"why": "test"}}, opts...)
		return err
	}},
	{"action without body", KindAction, "", `{"blocks":{"id":"BLC1"}}`, func(ctx context.Context, c *Client, opts ...RequestOption) error {
		_, err := c.Blocks.Disable(ctx, "BLC1", opts...)
		return err
	}},
	{"update", KindUpdate, `{"payments":{"metadata":{}}}`, paymentReply, func(ctx context.Context, c *Client, opts ...RequestOption) error {
		_, err := c.Payments.Update(ctx, "PM123", PaymentUpdateParams{Metadata: Metadata{}}, opts...)
		return err
	}},
	{"delete", KindDelete, "", "", func(ctx context.Context, c *Client, opts ...RequestOption) error {
		return c.Customers.Remove(ctx, "CU123", opts...)
	}},
	{"list page", KindRead, "", `{"payments":[],"meta":{"cursors":{},"limit":50}}`, func(ctx context.Context, c *Client, opts ...RequestOption) error {
		_, err := c.Payments.List(ctx, PaymentListParams{Limit: 2}, opts...)
		return err
	}},
}

// matrixFault is a row. The three ways of making it happen are for a plain
// RoundTripper, a server, and the making of a connection; nil means that the fault
// does not exist there.
type matrixFault struct {
	name  string
	class repeatable
	plain replier
	serve http.HandlerFunc
	dial  func() (net.Conn, error)

	check   func(error) string // what is wrong with the final error, or ""
	noBody  bool               // fault of the body: nothing wrong for a call that reads none
	arrives bool               // the request reaches the server
	timeout bool               // ends by the time limit of an attempt
	wait    time.Duration      // that the server asks for before each retry
}

func wantStatus(status int) func(error) string {
	return func(err error) string {
		e, ok := errors.AsType[*Error](err)
		if !ok || e.StatusCode != status {
			return fmt.Sprintf("want *Error with status %d", status)
		}
		return ""
	}
}

func wantConnection(causes ...error) func(error) string {
	return func(err error) string {
		if _, ok := errors.AsType[*ConnectionError](err); !ok {
			return "want *ConnectionError"
		}
		for _, cause := range causes {
			if !errors.Is(err, cause) {
				return fmt.Sprintf("want it to wrap %v", cause)
			}
		}
		return ""
	}
}

func wantMalformed(status int) func(error) string {
	return func(err error) string {
		if e, ok := errors.AsType[*MalformedResponseError](err); !ok || e.StatusCode != status {
			return fmt.Sprintf("want *MalformedResponseError with status %d", status)
		}
		return ""
	}
}

func wantTooLarge(err error) string {
	if !errors.Is(err, ErrReplyTooLarge) {
		return "want ErrReplyTooLarge"
	}
	return wantMalformed(200)(err)
}

// bomb is 16 MiB of spaces, compressed to a few KiB.
var bomb = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range 16 {
		_, _ = w.Write(block)
	}
	_ = w.Close()
	return out.Bytes()
})

const matrixCap = 1 << 20

// answer makes both a server and a RoundTripper of a reply.
func answer(status int, contentType, body string, headers ...string) (http.HandlerFunc, replier) {
	serve := func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	return serve, replyWith(status, body, append([]string{"Content-Type", contentType}, headers...)...)
}

func matrix() []matrixFault {
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	plainHang := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	dialing := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	noDial := func(err error) func() (net.Conn, error) {
		return func() (net.Conn, error) { return nil, dialing(err) }
	}
	reading := func(err error) replier { return failWith(&net.OpError{Op: "read", Net: "tcp", Err: err}) }
	dns := &net.DNSError{Err: "no such host", Name: "api.invalid", IsNotFound: true}
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		_, _ = io.WriteString(w, `{"payments":{"id":"PM`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	plainBody := func(r io.Reader, length int64, headers ...string) replier {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := replyWith(200, "", headers...)(req)
			resp.Body, resp.ContentLength = io.NopCloser(r), length
			return resp, err
		}
	}
	faults := []matrixFault{
		{name: "refused", class: always, plain: failWith(dialing(syscall.ECONNREFUSED)), dial: noDial(syscall.ECONNREFUSED), check: wantConnection(syscall.ECONNREFUSED)},
		{name: "DNS", class: always, plain: failWith(dialing(dns)), dial: noDial(dns), check: wantConnection()},
		{name: "connection closed before anything was written", class: unlessActs, plain: failWith(io.EOF), check: wantConnection(io.EOF)},
		{name: "broken pipe", class: unlessActs, plain: failWith(&net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}), check: wantConnection(syscall.EPIPE)},
		{name: "reset after the request was written", class: unlessActs, plain: reading(syscall.ECONNRESET), serve: reset, check: wantConnection(), arrives: true},
		{name: "EOF after the request was written", class: unlessActs, plain: failWith(io.ErrUnexpectedEOF), serve: abort, check: wantConnection(), arrives: true},
		{name: "slow headers", class: unlessActs, plain: plainHang, serve: hang, check: wantConnection(ErrTimeout), arrives: true, timeout: true},
		{name: "slow body", class: unlessActs, noBody: true, arrives: true, timeout: true, check: wantConnection(ErrTimeout),
			plain: func(req *http.Request) (*http.Response, error) {
				return plainBody(&hangingReader{ctx: req.Context(), start: `{"payments":`}, -1)(req)
			},
			serve: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, `{"payments":`)
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}},
		{name: "body cut short on the way", class: unlessActs, noBody: true, arrives: true, serve: half, check: wantConnection(),
			plain: func(req *http.Request) (*http.Response, error) {
				return plainBody(io.MultiReader(strings.NewReader(`{"payments":{`), failingReader{io.ErrUnexpectedEOF}), 500)(req)
			}},
		{name: "gzip bomb", class: never, noBody: true, arrives: true, check: wantTooLarge,
			plain: func(req *http.Request) (*http.Response, error) {
				return plainBody(bytes.NewReader(bomb()), int64(len(bomb())), "Content-Encoding", "gzip")(req)
			},
			serve: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(bomb())
			}},
		{name: "200 MiB", class: never, noBody: true, arrives: true, check: wantTooLarge,
			plain: func(req *http.Request) (*http.Response, error) {
				return plainBody(io.LimitReader(spaces{}, 200<<20), 200<<20)(req)
			},
			serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(spaces{}, 200<<20)) }},
	}
	add := func(name string, class repeatable, check func(error) string, status int, contentType, body string, headers ...string) {
		f := matrixFault{name: name, class: class, check: check, arrives: true}
		f.serve, f.plain = answer(status, contentType, body, headers...)
		if status/100 == 2 {
			f.noBody = true
		}
		for i := 0; i < len(headers); i += 2 {
			if headers[i] == "Retry-After" {
				seconds, _ := strconv.Atoi(headers[i+1])
				f.wait = time.Duration(seconds) * time.Second
			}
		}
		faults = append(faults, f)
	}
	const html = "<html><body>Bad gateway</body></html>"
	add("408", unlessActs, wantStatus(408), 408, "", "")
	add("429", always, wantStatus(429), 429, "application/json", `{"error":{"type":"invalid_api_usage","code":429,"errors":[{"reason":"rate_limit_exceeded"}]}}`)
	add("429 with reset", always, wantStatus(429), 429, "", "", "RateLimit-Reset", "Wed, 19 Apr 2023 16:10:00 GMT", "Date", "Wed, 19 Apr 2023 16:09:48 GMT")
	faults[len(faults)-1].wait = 12 * time.Second
	add("429 with Retry-After", always, wantStatus(429), 429, "text/plain", "slow down", "Retry-After", "5")
	add("500", unlessActs, wantStatus(500), 500, "application/json", `{"error":{"type":"gocardless","code":500,"message":"internal"}}`)
	add("502 HTML", unlessActs, wantStatus(502), 502, "text/html", html)
	add("503 with Retry-After", always, wantStatus(503), 503, "", "", "Retry-After", "9")
	add("503 without", unlessActs, wantStatus(503), 503, "", "")
	add("503 closing the connection", unlessActs, wantStatus(503), 503, "", "", "Connection", "close")
	add("504", unlessActs, wantStatus(504), 504, "text/plain", "gateway timeout")
	add("302", never, wantStatus(302), 302, "text/html", html, "Location", "https://login.example/")
	add("400", never, wantStatus(400), 400, "application/json", `{"error":"bank_authorisation_expired"}`)
	add("404", never, wantStatus(404), 404, "application/json", `{"error":{"type":"invalid_api_usage","code":404,"errors":[{"reason":"resource_not_found"}]}}`)
	add("422", never, wantStatus(422), 422, "application/json", `{"error":{"type":"validation_failed","code":422,"errors":[{"field":"amount","message":"is wrong"}]}}`)
	add("204", unlessActs, wantMalformed(204), 204, "", "")
	add("205", unlessActs, wantMalformed(205), 205, "", "")
	add("200 empty resource", unlessActs, wantMalformed(200), 200, "application/json", `{"payments":{},"blocks":{}}`)
	add("200 empty id", unlessActs, wantMalformed(200), 200, "application/json", `{"payments":{"id":""},"blocks":{"id":""}}`)
	add("200 null id", unlessActs, wantMalformed(200), 200, "application/json", `{"payments":{"id":null},"blocks":{"id":null}}`)
	add("200 HTML", unlessActs, wantMalformed(200), 200, "text/html", html)
	add("200 text", unlessActs, wantMalformed(200), 200, "text/plain", "ok")
	add("200 empty", unlessActs, wantMalformed(200), 200, "", "")
	add("200 truncated JSON", unlessActs, wantMalformed(200), 200, "application/json", paymentReply[:60])
	add("200 trailing bytes", unlessActs, wantMalformed(200), 200, "application/json", paymentReply+"}")
	add("200 other JSON", unlessActs, wantMalformed(200), 200, "application/json", `{"status":"ok"}`)
	add("200 null result", unlessActs, wantMalformed(200), 200, "application/json", `{"payments":null,"blocks":null}`)
	add("200 array", unlessActs, wantMalformed(200), 200, "application/json", `[]`)
	add("200 not gzip", unlessActs, wantMalformed(200), 200, "application/json", paymentReply, "Content-Encoding", "gzip")
	return faults
}

// outcome is the expected outcome of a fault for an operation.
func (f *matrixFault) outcome(kind OperationKind) (attempts int, fails bool) {
	if f.noBody && kind == KindDelete {
		// A delete has no result to be read: the status is enough.
		return 1, false
	}
	return f.class.attempts(kind), true
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) { return copy(p, manySpaces), nil }

var manySpaces = strings.Repeat(" ", 32<<10)

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// hangingReader gives a beginning and then nothing until the context ends.
type hangingReader struct {
	ctx   context.Context
	start string
}

func (r *hangingReader) Read(p []byte) (int, error) {
	if r.start != "" {
		n := copy(p, r.start)
		r.start = r.start[n:]
		return n, nil
	}
	<-r.ctx.Done()
	return 0, r.ctx.Err()
}

// reset ends the connection at once: with a reset where that exists, over HTTP/2
// with one of the stream.
func reset(w http.ResponseWriter, _ *http.Request) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// judge compares one cell with the expected outcome.
func (f *matrixFault) judge(t *testing.T, column int, once bool, err error, r Response, got []sent) {
	t.Helper()
	k := matrixKinds[column]
	attempts, fails := f.outcome(k.kind)
	if once && fails && attempts > 1 {
		attempts, fails = 2, false
	}
	if r.Attempts != attempts {
		t.Errorf("%d attempts, want %d (%v)", r.Attempts, attempts, err)
	}
	if !fails && err != nil {
		t.Errorf("failed: %v", err)
	}
	if fails {
		if err == nil {
			t.Fatal("no error")
		}
		if problem := f.check(err); problem != "" {
			t.Errorf("got %T %v: %s", err, err, problem)
		}
		if !strings.HasPrefix(err.Error(), "payments.") && !strings.HasPrefix(err.Error(), "blocks.") && !strings.HasPrefix(err.Error(), "customers.") {
			t.Errorf("the text does not begin with the operation: %v", err)
		}
	}
	if f.arrives && len(got) != attempts {
		t.Errorf("%d requests arrived, want %d", len(got), attempts)
	}
	for i, s := range got {
		if s.Body != k.body {
			t.Errorf("request %d has the body %q, want %q", i+1, s.Body, k.body)
		}
		key := s.Header.Get("Idempotency-Key")
		if (key != "") != (s.Method == "POST") || key != r.IdempotencyKey || len(s.Header.Values("Idempotency-Key")) > 1 {
			t.Errorf("request %d has the key %q, recorded %q", i+1, key, r.IdempotencyKey)
		}
	}
}

// Over a plain RoundTripper.
func TestFaultsPlain(t *testing.T) {
	testFaults(t, func(t *testing.T, f *matrixFault, once bool, good string) *faultCell {
		f.arrives = true // a plain transport sees every request
		s := &script{replies: []replier{f.plain}}
		if once {
			s.replies = append(s.replies, replyWith(200, good))
		}
		return &faultCell{transport: s, seen: s.requests}
	})
}

// Over connections in memory, which synctest can follow: net/http's own transport
// and server, with fake time.
func TestFaultsHTTP1(t *testing.T) { testFaults(t, overPipes(false)) }
func TestFaultsHTTP2(t *testing.T) { testFaults(t, overPipes(true)) }

// faultCell is what happens in one cell.
type faultCell struct {
	transport http.RoundTripper
	seen      func() []sent
	close     func()
}

func testFaults(t *testing.T, open func(t *testing.T, f *matrixFault, once bool, good string) *faultCell) {
	for _, f := range matrix() {
		for column, k := range matrixKinds {
			for _, once := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/once=%t", f.name, k.name, once), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						cell := open(t, &f, once, k.good)
						if cell == nil {
							return // there is no such fault on this transport
						}
						var r Response
						c := clientOver(t, cell.transport, WithBaseURL("http://localhost"), WithRetries(2), WithMaxReplyBytes(matrixCap))
						began := time.Now()
						err := k.call(t.Context(), c, WithResponse(&r))
						took := time.Since(began)
						if cell.close != nil {
							cell.close()
						}
						f.judge(t, column, once, err, r, cell.seen())
						f.judgeTime(t, once, r.Attempts, took)
					})
				})
			}
		}
	}
}

// judgeTime checks the waits: each is between what the server asked for and that
// plus the jitter. An attempt that times out takes a minute.
func (f *matrixFault) judgeTime(t *testing.T, once bool, attempts int, took time.Duration) {
	t.Helper()
	var least, most time.Duration
	for i := range attempts - 1 {
		least += f.wait
		most += f.wait + 500*time.Millisecond<<i
	}
	if f.timeout {
		n := attempts
		if once && n > 1 {
			n--
		}
		least += time.Duration(n) * time.Minute
		most += time.Duration(n) * time.Minute
	}
	if took < least || took > most {
		t.Errorf("took %v, want %v to %v", took, least, most)
	}
}

// overPipes connects net/http's transport to net/http's server in memory. Each cell
// has connections of its own.
func overPipes(http2 bool) func(*testing.T, *matrixFault, bool, string) *faultCell {
	return func(t *testing.T, f *matrixFault, once bool, good string) *faultCell {
		if f.serve == nil && f.dial == nil {
			return nil
		}
		var mu sync.Mutex
		var got []sent
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(http2)
		protocols.SetHTTP1(!http2)
		listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{
			Protocols: &protocols,
			ErrorLog:  log.New(io.Discard, "", 0),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]; r.Proto != want {
					t.Errorf("spoke %s, want %s", r.Proto, want)
				}
				seen, err := receive(r)
				mu.Lock()
				n := len(got)
				if err == nil {
					got = append(got, seen)
				}
				mu.Unlock()
				if f.serve == nil || once && n > 0 {
					_, _ = io.WriteString(w, good)
					return
				}
				f.serve(w, r)
			}),
		}
		go func() { _ = server.Serve(listener) }()
		dials := 0
		transport := &http.Transport{
			Protocols: &protocols,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				mu.Lock()
				dials++
				n := dials
				mu.Unlock()
				if f.dial != nil && (!once || n == 1) {
					return f.dial()
				}
				return listener.dial(ctx)
			},
			// Each attempt on a connection of its own: net/http repeats some
			// requests when a used one breaks, which is for another test.
			DisableKeepAlives: true,
		}
		return &faultCell{
			transport: transport,
			seen: func() []sent {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(got)
			},
			close: func() {
				transport.CloseIdleConnections()
				_ = server.Close()
				synctest.Wait()
			},
		}
	}
}

// pipeListener accepts connections made in memory.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A server whose certificate cannot be trusted gets nothing, and is not asked twice.
func TestUntrustedCertificate(t *testing.T) {
	for column, k := range matrixKinds {
		t.Run(k.name, func(t *testing.T) {
			arrived := false
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived = true }))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			var r Response
			err := k.call(t.Context(), clientOver(t, transport, WithBaseURL(server.URL), WithRetryPolicy(atOnce)), WithResponse(&r))
			e := as[*ConnectionError](t, err)
			if r.Attempts != 1 || e.MayHaveRun || arrived {
				t.Errorf("column %d: %v: %d attempts, may have run %t", column, err, r.Attempts, e.MayHaveRun)
			}
		})
	}
}

// A handshake that breaks off comes before the request, so even an action is retried. A server that
// does not speak TLS is not.
func TestBrokenHandshake(t *testing.T) {
	for name, test := range map[string]struct {
		serve    func(net.Conn)
		attempts int
	}{
		"closed": {func(c net.Conn) { _, _ = c.Read(make([]byte, 10)); _ = c.Close() }, 3},
		"not TLS": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}, 1},
	} {
		for _, k := range matrixKinds {
			t.Run(name+"/"+k.name, func(t *testing.T) {
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = listener.Close() }()
				go func() {
					for {
						conn, err := listener.Accept()
						if err != nil {
							return
						}
						go test.serve(conn)
					}
				}()
				var r Response
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				c := clientOver(t, transport, WithBaseURL("https://"+listener.Addr().String()), WithRetries(2), WithRetryPolicy(atOnce), WithTimeout(5*time.Second))
				callErr := k.call(t.Context(), c, WithResponse(&r))
				e := as[*ConnectionError](t, callErr)
				if r.Attempts != test.attempts {
					t.Errorf("%d attempts, want %d: %v", r.Attempts, test.attempts, callErr)
				}
				if k.kind == KindAction && e.MayHaveRun {
					t.Errorf("%v: may have run", callErr)
				}
			})
		}
	}
}

// The most common fault is an idle connection that the server has closed. net/http then resends
// requests that it considers safe, which must not include actions.
func TestStaleConnection(t *testing.T) {
	for _, k := range matrixKinds {
		t.Run(k.name, func(t *testing.T) {
			var mu sync.Mutex
			var got []sent
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen, _ := receive(r)
				if seen.Path == "/warm" {
					_, _ = io.WriteString(w, "{}")
					return
				}
				mu.Lock()
				got = append(got, seen)
				n := len(got)
				mu.Unlock()
				if n == 1 {
					// The effect has happened; the reply is lost with the connection.
					reset(w, r)
					return
				}
				_, _ = io.WriteString(w, k.good)
			}))
			defer server.Close()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			c := clientOver(t, transport, WithBaseURL(server.URL), WithRetryPolicy(atOnce))
			if err := c.Do(t.Context(), "GET", "/warm", nil, nil); err != nil {
				t.Fatal(err)
			}
			err := k.call(t.Context(), c)
			mu.Lock()
			defer mu.Unlock()
			if k.kind == KindAction {
				if e := as[*ConnectionError](t, err); len(got) != 1 || !e.MayHaveRun {
					t.Errorf("%d requests, %v", len(got), err)
				}
				return
			}
			if err != nil || len(got) != 2 {
				t.Errorf("%d requests, %v", len(got), err)
			}
			for i, s := range got {
				if s.Body != k.body || s.Header.Get("Idempotency-Key") != got[0].Header.Get("Idempotency-Key") {
					t.Errorf("request %d: body %q, key %q", i+1, s.Body, s.Header.Get("Idempotency-Key"))
				}
			}
		})
	}
}
