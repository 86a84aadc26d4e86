package gocardlesstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// TB is the part of testing.TB that NewServer uses, so that this package does not link testing
// into programs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is a Sandbox behind a loopback socket.
type Server struct {
	*Sandbox
	// URL is the base URL, such as "http://127.0.0.1:34567".
	URL string

	http     *http.Server
	listener net.Listener
	done     chan struct{}
	stop     chan struct{}
	once     sync.Once
	err      error
}

// NewServer starts a sandbox on a free port of the loopback interface, for a test. It stops when
// the test ends.
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

// Start starts a sandbox on an address, such as "127.0.0.1:8080" or "127.0.0.1:0" for a free port.
// What falls due by its clock is done every second, without a request to prompt it.
func Start(addr string, opts ...Option) (*Server, error) {
	return New(opts...).Listen(addr)
}

// Listen puts the sandbox behind a socket. The server must be shut down by its caller.
func (sb *Sandbox) Listen(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	s := &Server{Sandbox: sb, URL: "http://" + l.Addr().String(), listener: l, done: make(chan struct{}), stop: make(chan struct{})}
	sb.base.Store(&s.URL)
	handler := http.Handler(sb)
	if sb.opts.control {
		handler = sb.besideControl()
	}
	s.http = &http.Server{
		Handler: handler,
		// A client that sends slowly must not hold a connection for ever.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.err = err
		}
	}()
	go s.tick()
	return s, nil
}

// tick does what falls due.
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

// Shutdown stops the server: no new requests are taken, those under way are answered unless the
// context ends first. It returns what went wrong while serving, if anything.
func (s *Server) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.stop) })
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return errors.Join(err, s.err, s.Close())
}
