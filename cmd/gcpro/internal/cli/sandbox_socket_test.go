package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The flags for containers and other machines: additional hosts, HTTPS, a world from a file.
func TestSandboxForOthers(t *testing.T) {
	dir := t.TempDir()
	certificate, world := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "world.json")
	if err := os.WriteFile(world, []byte(`{"steps":[{"do":"customers.create","with":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _, stop := serve(t, "--allow-host", "sandbox.test", "--tls-cert", certificate, "--world", world)
	defer stop()
	pool := x509.NewCertPool()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		pem, err := os.ReadFile(certificate)
		if err == nil && pool.AppendCertsFromPEM(pem) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no certificate: %v", err)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	for host, want := range map[string]int{"sandbox.test": 200, "localhost": 200, "evil.example": 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/_sandbox/clock", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"sandbox", "--addr", "127.0.0.1:0", "--quiet", "--world", "nowhere"}, &out, &errs); status != 2 || !strings.Contains(errs.String(), "gym") {
		t.Errorf("an unknown world: %d %s", status, errs.String())
	}
}

// A restart does not load the world again.
func TestSandboxWithStateAndWorld(t *testing.T) {
	dir := t.TempDir()
	state, world := filepath.Join(dir, "state"), filepath.Join(dir, "world.json")
	if err := os.WriteFile(world, []byte(`{"steps":[{"do":"customers.create","with":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _, stop := serve(t, "--state", state, "--world", world)
		stop()
	}
	url, _, stop := serve(t, "--state", state)
	defer stop()
	if _, reply := call(t, http.MethodGet, url+"/customers", ""); strings.Count(reply, `"given_name":"Ada"`) != 1 {
		t.Errorf("customers after three starts: %s", reply)
	}
}

// After a first start that fails, the next one loads the whole world, once.
func TestSandboxLoadsTheWorldAfterAFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	const ada = `{"do":"customers.create","with":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com"}}`
	tests := []struct {
		name, world, addr string
	}{
		{"a step that is refused", `{"steps":[` + ada + `,{"do":"customers.create","with":{"email":"ada@example.com"}}]}`, "127.0.0.1:0"},
		{"a world that cannot be read", `{"steps":[` + ada, "127.0.0.1:0"},
		{"an address that is taken", `{"steps":[` + ada + `]}`, taken.Addr().String()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			state, world := filepath.Join(dir, "state"), filepath.Join(dir, "world.json")
			write := func(content string) {
				if err := os.WriteFile(world, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(tt.world)
			var out, errs bytes.Buffer
			if status := run(t.Context(), []string{"sandbox", "--addr", tt.addr, "--quiet", "--state", state, "--world", world}, &out, &errs); status == 0 {
				t.Fatalf("the first start did not fail: %s", &errs)
			}
			write(`{"steps":[` + ada + `,` + strings.ReplaceAll(ada, "Ada", "Grace") + `]}`)
			url, _, stop := serve(t, "--state", state, "--world", world)
			defer stop()
			if _, reply := call(t, http.MethodGet, url+"/customers", ""); strings.Count(reply, `"given_name":"Ada"`) != 1 || !strings.Contains(reply, `"given_name":"Grace"`) {
				t.Errorf("customers after the second start: %s", reply)
			}
		})
	}
}

// An empty file, as mktemp makes it, holds no state.
func TestSandboxWithAnEmptyStateFile(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	url, _, stop := serve(t, "--state", state, "--world", "gym")
	defer stop()
	if _, reply := call(t, http.MethodGet, url+"/customers", ""); !strings.Contains(reply, `"given_name"`) {
		t.Errorf("the world is missing: %s", reply)
	}
}

// Each endpoint gets the webhooks: a second one does not replace the first.
func TestSandboxWithSeveralEndpoints(t *testing.T) {
	got := make(chan string, 10)
	endpoint := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- name }))
		t.Cleanup(s.Close)
		return s.URL
	}
	url, _, stop := serve(t, "--quiet", "--webhook-url", endpoint("one"), "--webhook-secret", "a", "--webhook-url", endpoint("two"), "--webhook-secret", "b")
	defer stop()
	if status, reply := call(t, http.MethodPost, url+"/_sandbox/events", `{"type":"payments.failed"}`); status != 200 {
		t.Fatalf("%d %s", status, reply)
	}
	if names := []string{<-got, <-got}; names[0]+names[1] != "onetwo" && names[0]+names[1] != "twoone" {
		t.Errorf("the endpoints that got it are %v", names)
	}
}
