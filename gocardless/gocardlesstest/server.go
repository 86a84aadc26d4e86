package gocardlesstest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// TB is the part of testing.TB that NewServer uses. It keeps package testing out of programs that
// import this package.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is a Sandbox that listens on a socket.
type Server struct {
	*Sandbox
	// URL is the base URL, such as "http://127.0.0.1:34567". For a Unix socket it is "http://localhost",
	// and only HTTPClient reaches it.
	URL string

	http     *http.Server
	listener net.Listener
	cert     *x509.Certificate // of WithTLS
	done     chan struct{}
	stop     chan struct{}
	once     sync.Once
	err      error
}

// NewServer starts a sandbox for a test, on a free port of the loopback interface. It stops when the
// test ends.
func NewServer(tb TB, opts ...Option) *Server {
	tb.Helper()
	s, err := Start("127.0.0.1:0", opts...)
	if err != nil {
		tb.Fatalf("gocardlesstest: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
	})
	return s
}

// Start starts a sandbox on an address, such as "127.0.0.1:8080", "127.0.0.1:0" for a free port or
// "unix:/tmp/sandbox.sock" for a Unix socket. Every second, it runs the steps that are due, even if no
// request arrives.
func Start(addr string, opts ...Option) (*Server, error) {
	return New(opts...).Listen(addr)
}

// Listen serves the sandbox on a socket, as Start does. The caller must shut the server down.
func (sb *Sandbox) Listen(addr string) (*Server, error) {
	l, err := openSocket(addr)
	if err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	s := &Server{Sandbox: sb, URL: "http://" + l.Addr().String(), listener: l, done: make(chan struct{}), stop: make(chan struct{})}
	if l.Addr().Network() == "unix" {
		s.URL = "http://localhost"
	}
	if sb.opts.tls {
		if err := s.secure(); err != nil {
			return nil, errors.Join(fmt.Errorf("starting the sandbox: %w", err), l.Close())
		}
	}
	sb.base.Store(&s.URL)
	handler := http.Handler(sb)
	if sb.opts.control {
		handler = sb.besideControl(s.stop)
	}
	s.http = &http.Server{
		Handler: handler,
		// A slow client must not hold a connection indefinitely.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.err = err
		}
	}()
	go s.tick()
	return s, nil
}

// openSocket opens a socket. A Unix socket that a killed process left behind is replaced.
func openSocket(addr string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(addr, "unix:")
	if !isUnix {
		return net.Listen("tcp", addr)
	}
	l, err := net.Listen("unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	conn, dialErr := net.Dial("unix", path)
	if dialErr == nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return net.Listen("unix", path)
}

// secure adds TLS to the socket, with a new self-signed certificate.
func (s *Server) secure() error {
	cert, err := selfMade(append([]string{"localhost"}, s.opts.hosts...), s.listener.Addr())
	if err != nil {
		return err
	}
	s.cert = cert.Leaf
	s.listener = tls.NewListener(s.listener, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	s.URL = "https" + strings.TrimPrefix(s.URL, "http")
	return nil
}

// HTTPClient returns a client that can reach the server: it trusts the certificate of WithTLS and
// connects to a Unix socket.
func (s *Server) HTTPClient() *http.Client {
	t := &http.Transport{MaxIdleConnsPerHost: 64}
	if s.cert != nil {
		pool := x509.NewCertPool()
		pool.AddCert(s.cert)
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	if addr := s.listener.Addr(); addr.Network() == "unix" {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", addr.String())
		}
	}
	return &http.Client{Transport: t}
}

// besideControl returns a handler for the API, the control API, the dashboard and the health checks.
func (sb *Sandbox) besideControl(stop <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/healthz" || r.URL.Path == "/readyz":
			sb.serveHealth(w, r)
		case isDashboard(r):
			sb.serveDashboard(w, r, stop)
		case strings.HasPrefix(r.URL.Path, ControlPath):
			sb.serveControl(w, r)
		default:
			sb.ServeHTTP(w, r)
		}
	})
}

// serveHealth reports that the sandbox runs and, at /readyz, whether it can save changes.
func (sb *Sandbox) serveHealth(w http.ResponseWriter, r *http.Request) {
	sb.mu.RLock()
	broken := sb.journal != nil && sb.journal.Broken != nil
	sb.mu.RUnlock()
	status, text := http.StatusOK, `{"status":"ok"}`
	if broken && r.URL.Path == "/readyz" {
		status, text = http.StatusServiceUnavailable, `{"status":"the state file cannot be used"}`
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text))
	}
}

// tick runs due steps every second.
func (s *Server) tick() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.Tick()
		case <-s.stop:
			return
		}
	}
}

// Shutdown stops the server. It accepts no new requests, and waits for those in progress until the
// context ends. It returns the error that occurred while serving, if any.
func (s *Server) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.stop) })
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return errors.Join(err, s.err, s.Close())
}
