package gocardless

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The fault matrix of faults_test.go has fake time, and therefore no sockets and no TLS. Here
// the connections are real: TLS on loopback, the protocol settled by ALPN, used once before the
// fault. Faults are single bytes and frames. What counts is what the API did: every request that
// it carried out was whole, creates made one resource, actions ran once at most, and an error
// never denies what has run.

// wireConn is a connection with TLS or without.
type wireConn interface {
	net.Conn
	NetConn() net.Conn
}

// clearConn is one without.
type clearConn struct{ net.Conn }

func (c clearConn) NetConn() net.Conn { return c.Conn }

// wireFault breaks one exchange. It is either for HTTP/1.1 or for HTTP/2.
type wireFault struct {
	name string
	// http1 answers a request on the connection. The request is carried out by run, which
	// returns the reply as it should be. The connection is closed afterwards.
	http1 func(c wireConn, run func() []byte)
	// frames are what the client gets instead of the reply on a stream, and close decides what
	// becomes of the connection. The request is carried out before unless it is unseen.
	frames func(stream uint32, reply []byte) []byte
	unseen bool
	close  wireEnd

	refused bool // the reply is an error that no repetition changes
}

type wireEnd int

const (
	wireStays wireEnd = iota
	wireCloses
	wireResets
)

// wireHeaderLimit is how much a client reads before a reply. By default net/http reads 10 MiB.
const wireHeaderLimit = 64 << 10

func wireFaults() []wireFault {
	reset := func(c wireConn) { _ = c.NetConn().(*net.TCPConn).SetLinger(0); _ = c.NetConn().Close() }
	write := func(c io.Writer, b []byte) { _, _ = c.Write(b) }
	cut := func(reply []byte, from string) []byte { return reply[:bytes.Index(reply, []byte(from))+len(from)] }
	return []wireFault{
		{name: "closed, not run", http1: func(wireConn, func() []byte) {}},
		{name: "reset, not run", http1: func(c wireConn, _ func() []byte) { reset(c) }},
		{name: "closed after it ran", http1: func(_ wireConn, run func() []byte) { run() }},
		{name: "reset after it ran", http1: func(c wireConn, run func() []byte) { run(); reset(c) }},
		{name: "no TLS record after it ran", http1: func(c wireConn, run func() []byte) {
			run()
			write(c.NetConn(), []byte("HTTP/1.1 503 Service Unavailable\r\n\r\n"))
		}},
		{name: "cut in the status line", http1: func(c wireConn, run func() []byte) { write(c, run()[:9]) }},
		{name: "cut in the headers", http1: func(c wireConn, run func() []byte) { write(c, cut(run(), "Content-")) }},
		{name: "shorter than its length", http1: func(c wireConn, run func() []byte) { write(c, bytes.TrimRight(run(), "}\n")) }},
		{name: "reset in the body", http1: func(c wireConn, run func() []byte) { write(c, cut(run(), "\r\n\r\n{")); reset(c) }},
		{name: "cut between chunks", http1: func(c wireConn, run func() []byte) {
			run()
			write(c, []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"pay\r\n"))
		}},
		{name: "cut in the gzip stream", http1: func(c wireConn, run func() []byte) {
			run()
			write(c, []byte("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaa\x56"))
		}},
		{name: "no HTTP", http1: func(c wireConn, run func() []byte) { run(); write(c, []byte("SSH-2.0-OpenSSH_9.9\r\n")) }},
		{name: "another protocol", http1: func(c wireConn, run func() []byte) {
			run()
			write(c, []byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
			_, _ = io.Copy(io.Discard, c) // until the client goes
		}, refused: true},
		{name: "informational replies first", http1: func(c wireConn, run func() []byte) {
			write(c, []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"))
			write(c, run())
		}},
		{name: "informational replies without end", http1: func(c wireConn, run func() []byte) {
			run()
			early := []byte("HTTP/1.1 103 Early Hints\r\nLink: </" + strings.Repeat("x", 1_000) + ">\r\n\r\n")
			for {
				if _, err := c.Write(early); err != nil {
					return
				}
			}
		}},
		{name: "refused before the body", http1: func(c wireConn, _ func() []byte) {
			write(c, []byte("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			_, _ = io.Copy(io.Discard, c)
		}, refused: true},
		{name: "503 and closed", http1: func(c wireConn, run func() []byte) {
			run()
			write(c, []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		}},

		{name: "stream refused", frames: h2ResetStream(h2RefusedStream), unseen: true},
		{name: "stream reset: protocol error, not run", frames: h2ResetStream(h2ProtocolError), unseen: true},
		{name: "stream reset: protocol error", frames: h2ResetStream(h2ProtocolError)},
		{name: "informational reply, then protocol error", frames: func(stream uint32, _ []byte) []byte {
			return append(h2EarlyHints(stream), h2ResetStream(h2ProtocolError)(stream, nil)...)
		}},
		{name: "informational replies without end", frames: func(stream uint32, _ []byte) []byte {
			return bytes.Repeat(h2EarlyHints(stream), 200) // beyond the number that the SDK accepts, and wireHeaderLimit
		}},
		{name: "stream reset: internal error", frames: h2ResetStream(h2InternalError)},
		{name: "stream reset: enhance your calm", frames: h2ResetStream(h2EnhanceYourCalm)},
		{name: "goodbye before the stream", frames: h2Goodbye(-2, h2NoError), unseen: true, close: wireCloses},
		{name: "goodbye with an error before the stream", frames: h2Goodbye(-2, h2EnhanceYourCalm), unseen: true, close: wireCloses},
		{name: "goodbye after the stream, then closed", frames: h2Goodbye(0, h2NoError), close: wireCloses},
		{name: "goodbye and the reply", frames: func(stream uint32, reply []byte) []byte {
			return append(h2Goodbye(0, h2NoError)(stream, nil), reply...)
		}},
		{name: "closed, not run", frames: func(uint32, []byte) []byte { return nil }, unseen: true, close: wireCloses},
		{name: "reset, not run", frames: func(uint32, []byte) []byte { return nil }, unseen: true, close: wireResets},
		{name: "closed after it ran", frames: func(uint32, []byte) []byte { return nil }, close: wireCloses},
		{name: "reset after it ran", frames: func(uint32, []byte) []byte { return nil }, close: wireResets},
		{name: "closed after the headers", frames: func(_ uint32, reply []byte) []byte { return reply }, close: wireCloses},
		{name: "stream reset in the body", frames: func(stream uint32, reply []byte) []byte {
			return append(reply, h2ResetStream(h2InternalError)(stream, nil)...)
		}},
		{name: "a broken frame", frames: func(uint32, []byte) []byte { return h2Frame(h2Settings, 0, 1, 2, 3) }},
	}
}

// wireAPI is the API behind the faults.
type wireAPI struct {
	mu   sync.Mutex
	ran  []sent
	keys map[string]bool // of creates
	gone bool            // the customer
}

func (a *wireAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/warm" {
		_, _ = io.WriteString(w, "{}")
		return
	}
	seen, err := receive(r)
	if err != nil {
		return // the request is not whole: not carried out
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	switch {
	case r.Method == "DELETE" && a.gone:
		w.WriteHeader(http.StatusGone)
		return
	case r.Method == "POST" && r.URL.Path == "/payments" && a.keys[key]:
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, conflictBody)
		return
	}
	a.ran = append(a.ran, seen)
	a.gone = r.Method == "DELETE"
	switch {
	case r.Method == "DELETE":
		w.WriteHeader(http.StatusNoContent)
		return
	case r.Method == "POST" && r.URL.Path == "/payments":
		a.keys[key] = true
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = io.WriteString(w, strings.Replace(paymentReply, `{"payments"`, `{"blocks":{"id":"BLC1"},"payments"`, 1))
}

func (a *wireAPI) runs(method string) (got []sent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.ran {
		if s.Method == method {
			got = append(got, s)
		}
	}
	return got
}

// wireServer stands before the API and breaks one exchange.
type wireServer struct {
	api      *wireAPI
	fault    *wireFault
	down     bool // nothing can be reached after the fault
	clear    bool // without TLS
	listener net.Listener
	backend  *pipeListener

	mu    sync.Mutex
	armed bool
	conns []net.Conn
}

// wireCertificate is one for 127.0.0.1, with what it takes to trust it. Its key is of the kind that
// costs least: there are thousands of handshakes.
var wireCertificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
})

func newWireServer(t *testing.T, fault *wireFault, down, cleartext bool) *wireServer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &wireServer{api: &wireAPI{keys: map[string]bool{}}, fault: fault, down: down, clear: cleartext, listener: listener,
		backend: &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	// No compression of headers across requests, so that frames can be left out.
	server := &http.Server{Handler: s.api, Protocols: &protocols, HTTP2: &http.HTTP2Config{MaxDecoderHeaderTableSize: 1}, ErrorLog: log.New(io.Discard, "", 0)}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(s.backend) })
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		s.shut()
		_ = server.Close()
		running.Wait()
	})
	return s
}

// shut closes everything.
func (s *wireServer) shut() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

// trigger reports whether this is the exchange to be broken.
func (s *wireServer) trigger() bool {
	s.mu.Lock()
	fire := s.armed
	s.armed = false
	s.mu.Unlock()
	if fire && s.down {
		_ = s.listener.Close()
	}
	return fire
}

func (s *wireServer) arm() {
	s.mu.Lock()
	s.armed = true
	s.mu.Unlock()
}

func (s *wireServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	secure := s.secure(conn)
	if secure == nil {
		return
	}
	defer func() { _ = secure.Close() }()
	if s.fault.frames != nil {
		s.serveHTTP2(secure)
		return
	}
	for r := bufio.NewReader(secure); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		run := func() []byte {
			w := httptest.NewRecorder()
			s.api.ServeHTTP(w, req)
			var reply bytes.Buffer
			resp := w.Result()
			resp.ContentLength = int64(w.Body.Len())
			_ = resp.Write(&reply)
			return reply.Bytes()
		}
		if req.URL.Path != "/warm" && s.trigger() {
			s.fault.http1(secure, run)
			return
		}
		if _, err := secure.Write(run()); err != nil {
			return
		}
	}
}

// secure speaks TLS on a connection, unless the server is one without. It returns nil if that
// fails.
func (s *wireServer) secure(conn net.Conn) wireConn {
	if s.clear {
		return clearConn{conn}
	}
	protocol := "http/1.1"
	if s.fault.frames != nil {
		protocol = "h2"
	}
	certificate, _ := wireCertificate()
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{protocol}, CurvePreferences: []tls.CurveID{tls.X25519}})
	if secure.Handshake() != nil {
		return nil
	}
	return secure
}

// inCleartext is the way without TLS.
const inCleartext = "in cleartext"

// wirePaths are ways from the client to the server.
var wirePaths = []struct {
	name string
	wrap func(*testing.T, *http.Transport) http.RoundTripper
}{
	{inCleartext, func(_ *testing.T, t *http.Transport) http.RoundTripper { return t }},
	{"directly", func(_ *testing.T, t *http.Transport) http.RoundTripper { return t }},
	{"by a proxy", func(t *testing.T, transport *http.Transport) http.RoundTripper {
		transport.Proxy = http.ProxyURL(tunnel(t))
		return transport
	}},
	{"under a tracer", func(_ *testing.T, t *http.Transport) http.RoundTripper {
		// What tracing and logging transports do: send a copy.
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			clone := req.Clone(req.Context())
			clone.Header.Set("Traceparent", "00-x")
			return t.RoundTrip(clone)
		})
	}},
}

// tunnel is a proxy that knows CONNECT.
func tunnel(t *testing.T) *url.URL {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = to.Close() }()
		from, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = from.Close() }()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.Copy(to, buffered); _ = to.Close() })
		_, _ = io.Copy(from, to)
		_ = from.Close()
		both.Wait()
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// mayHaveRunOf returns MayHaveRun of an error.
func mayHaveRunOf(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.MayHaveRun
	}
	if e, ok := errors.AsType[*ConnectionError](err); ok {
		return e.MayHaveRun
	}
	_, malformed := errors.AsType[*MalformedResponseError](err)
	return malformed
}

func TestFaultsOnTheWire(t *testing.T) {
	for _, fault := range wireFaults() {
		protocol := "HTTP1"
		if fault.frames != nil {
			protocol = "HTTP2"
		}
		for _, path := range wirePaths {
			if (testing.Short() || raceDetector) && path.name != "directly" && path.name != inCleartext {
				continue
			}
			for column, k := range matrixKinds {
				if k.kind == KindUpdate || k.name == "list page" {
					continue // as a delete, and as a get
				}
				for _, down := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/%s/%s/down=%t", protocol, fault.name, path.name, k.name, down), func(t *testing.T) {
						s, c := wireClient(t, &fault, path.wrap, down, path.name == inCleartext)
						if err := c.Do(t.Context(), "GET", "/warm", nil, nil); err != nil {
							t.Fatal(err)
						}
						s.arm()
						var r Response
						err := k.call(t.Context(), c, WithResponse(&r))
						s.judge(t, column, err, r)
					})
				}
			}
		}
	}
}

// wireClient starts a server with a fault and returns it with a client.
func wireClient(t *testing.T, fault *wireFault, wrap func(*testing.T, *http.Transport) http.RoundTripper, down, clear bool) (*wireServer, *Client) {
	t.Helper()
	s := newWireServer(t, fault, down, clear)
	_, trusted := wireCertificate()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: wireHeaderLimit,
		HTTP2: &http.HTTP2Config{MaxDecoderHeaderTableSize: 1, MaxEncoderHeaderTableSize: 1}}
	scheme := "https"
	if clear {
		scheme = "http"
	}
	if clear && fault.frames != nil {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return s, clientOver(t, wrap(t, transport), WithBaseURL(scheme+"://"+s.listener.Addr().String()), WithRetryPolicy(atOnce))
}

// judge compares what the API did with what the client reports.
func (s *wireServer) judge(t *testing.T, column int, err error, r Response) {
	t.Helper()
	k := matrixKinds[column]
	method := map[OperationKind]string{KindRead: "GET", KindDelete: "DELETE"}[k.kind]
	if method == "" {
		method = "POST"
	}
	ran := s.api.runs(method)
	if k.kind != KindRead && len(ran) > 1 {
		t.Errorf("ran %d times", len(ran))
	}
	for _, request := range ran {
		if request.Body != k.body || method == "POST" && request.Header.Get("Idempotency-Key") != r.IdempotencyKey {
			t.Errorf("ran with the body %q and the key %q, want %q and %q", request.Body, request.Header.Get("Idempotency-Key"), k.body, r.IdempotencyKey)
		}
	}
	if err == nil && len(ran) == 0 {
		t.Error("succeeded without having run")
	}
	if k.kind != KindRead && err != nil && len(ran) > 0 && !mayHaveRunOf(err) {
		t.Errorf("denies having run: %v", err)
	}
	if !s.down && !s.fault.refused && k.kind != KindAction && err != nil {
		t.Errorf("failed: %v", err)
	}
	if refused, ok := errors.AsType[*Error](err); s.fault.refused && !s.down && (!ok || r.Attempts != 1 || refused.MayHaveRun != (len(ran) > 0)) {
		t.Errorf("%d attempts, %v", r.Attempts, err)
	}
	if testing.Verbose() && !slices.Contains([]OperationKind{KindRead}, k.kind) {
		t.Logf("ran %d, attempts %d, may have run %t: %v", len(ran), r.Attempts, err != nil && mayHaveRunOf(err), err)
	}
}

// A transport may make requests of its own with the context of ours, such as for a token. They
// do not show that ours was sent before.
func TestRequestsOfTheTransportItself(t *testing.T) {
	for column, k := range matrixKinds {
		s := newWireServer(t, &wireFault{frames: h2ResetStream(h2RefusedStream)}, false, false)
		_, trusted := wireCertificate()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		base := "https://" + s.listener.Addr().String()
		c := clientOver(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			for range 2 {
				own, err := http.NewRequestWithContext(req.Context(), "GET", base+"/warm", nil)
				if err != nil {
					return nil, err
				}
				resp, err := transport.RoundTrip(own)
				if err != nil {
					return nil, err
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			return transport.RoundTrip(req)
		}), WithBaseURL(base))
		err := k.call(t.Context(), c)
		if k.name == "list page" {
			continue // is not what the server answers
		}
		if err != nil {
			t.Errorf("column %d: %v", column, err)
		}
		_, err = c.Payments.Get(t.Context(), "PM1")
		if err != nil || len(s.api.runs("GET")) == 0 {
			t.Errorf("column %d: %v", column, err)
		}
	}
}

// From the moment that a transport has a connection it may write to it, and what it shows of
// that may come later than the end of the attempt.
func TestFoundConnectionMayHaveBeenWrittenTo(t *testing.T) {
	for found, want := range map[bool]int{false: 3, true: 1} {
		attempts := 0
		c := clientOver(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			attempts++
			trace := httptrace.ContextClientTrace(req.Context())
			trace.GetConn("x")
			if found {
				trace.GotConn(httptrace.GotConnInfo{})
			}
			return nil, io.EOF
		}), WithRetries(2), WithRetryPolicy(atOnce))
		_, err := c.Payments.Cancel(t.Context(), "PM1", PaymentCancelParams{})
		if e := as[*ConnectionError](t, err); e.MayHaveRun != found || attempts != want {
			t.Errorf("found %t: may have run %t after %d attempts", found, e.MayHaveRun, attempts)
		}
	}
}
