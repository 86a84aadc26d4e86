package gocardlesstest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// read makes a GET request and returns the status and body.
func read(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestHealth(t *testing.T) {
	s := NewServer(t, WithControl())
	if _, err := s.OpenState(filepath.Join(t.TempDir(), "state")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := read(t, http.DefaultClient, s.URL+path); status != 200 || body != `{"status":"ok"}` {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_ = s.journal.Disk.Close()
	c := &caller{t, s.Sandbox, s.Transport(), true}
	c.refused(500, "internal_server_error", "POST", "/customers", customerBody)
	if status, _ := read(t, http.DefaultClient, s.URL+"/readyz"); status != 503 {
		t.Errorf("with a broken state file: %d", status)
	}
	if status, _ := read(t, http.DefaultClient, s.URL+"/healthz"); status != 200 {
		t.Errorf("a live sandbox: %d", status)
	}
}

func TestTLS(t *testing.T) {
	s := NewServer(t, WithControl(), WithTLS(), WithAllowedHosts("sandbox.test"))
	if status, _ := read(t, s.HTTPClient(), s.URL+"/_sandbox/clock"); status != 200 || !strings.HasPrefix(s.URL, "https://127.0.0.1:") {
		t.Errorf("%s: %d", s.URL, status)
	}
	if _, err := http.Get(s.URL); err == nil {
		t.Error("a client that does not know the certificate trusts it")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CertificatePEM()) {
		t.Fatal("no certificate in PEM form")
	}
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, name := range []string{"localhost", "sandbox.test", "127.0.0.1"} {
		conn, err := tls.Dial("tcp", "127.0.0.1"+port, &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = conn.Close()
	}
}

func TestUnixSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths of sockets differ")
	}
	dir, err := os.MkdirTemp("", "s") // t.TempDir can be longer than a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	addr := "unix:" + filepath.Join(dir, "s")
	// As a killed process leaves it.
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	s, err := Start(addr, WithControl())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{s.URL, "http://sandbox", "http://anything.example"} {
		if status, _ := read(t, s.HTTPClient(), host+"/_sandbox/clock"); status != 200 {
			t.Errorf("%s: %d", host, status)
		}
	}
	if _, err := Start(addr); err == nil {
		t.Error("a second server took the socket")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}
