package gocardlesstest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Requests that web pages of other sites make a browser send are refused on every path, and change
// nothing.
func TestForeignRequestsAreRefused(t *testing.T) {
	s := NewServer(t, WithFrozenClock(monday), WithControl(), WithAllowedHosts("Sandbox", "api.test:8080"))
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	const own, foreign = true, false
	for _, x := range []struct {
		name, host string
		headers    []string
		allowed    bool
	}{
		{"a program", "127.0.0.1" + port, nil, own},
		{"localhost", "localhost" + port, nil, own},
		{"localhost in another case", "LOCALHOST" + port, nil, own},
		{"localhost as a full name", "localhost." + port, nil, own},
		{"a name below localhost", "shop.localhost" + port, nil, own},
		{"IPv6", "[::1]" + port, nil, own},
		{"another address", "192.168.1.5" + port, nil, own},
		{"an allowed name", "sandbox" + port, nil, own},
		{"an allowed name given with a port", "api.test", nil, own},
		{"a page of its own", "127.0.0.1" + port, []string{"Origin", "http://127.0.0.1" + port, "Sec-Fetch-Site", "same-origin"}, own},
		{"an address typed in", "127.0.0.1" + port, []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, own},
		{"a rebound name", "evil.example" + port, nil, foreign},
		{"a rebound name with its origin", "evil.example" + port, []string{"Origin", "http://evil.example" + port}, foreign},
		{"a name that ends like ours", "notlocalhost" + port, nil, foreign},
		{"a name that begins like an address", "127.0.0.1.evil.example" + port, nil, foreign},
		{"another site", "127.0.0.1" + port, []string{"Origin", "https://evil.example"}, foreign},
		{"another port", "127.0.0.1" + port, []string{"Origin", "http://127.0.0.1:1"}, foreign},
		{"a page without an origin", "127.0.0.1" + port, []string{"Origin", "null"}, foreign},
		{"an empty origin", "127.0.0.1" + port, []string{"Origin", ""}, foreign},
		{"an image of another site", "127.0.0.1" + port, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, foreign},
		{"a form of another site", "127.0.0.1" + port, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, foreign},
	} {
		for _, path := range []string{"/customers", "/_sandbox/clock", flowPath + "?id=BRF1", "/nothing"} {
			method := "GET"
			if strings.HasSuffix(x.name, "form of another site") {
				method = "POST"
			}
			req, err := http.NewRequest(method, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = x.host
			for i := 0; i+1 < len(x.headers); i += 2 {
				req.Header.Set(x.headers[i], x.headers[i+1])
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if (resp.StatusCode != 403) != x.allowed {
				t.Errorf("%s: %s %s: %d", x.name, method, path, resp.StatusCode)
			}
		}
	}
}

// A link on another site can lead to a hosted page.
func TestLinksLeadToHostedPages(t *testing.T) {
	s := NewServer(t)
	req, err := http.NewRequest("GET", s.URL+flowPath+"?id=BRF1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 404 {
		t.Errorf("got %d, want the page of an unknown flow", resp.StatusCode)
	}
}

// Without a TCP socket, the host does not matter.
func TestHostsWithoutASocket(t *testing.T) {
	s := New()
	for _, addr := range []net.Addr{nil, &net.UnixAddr{Name: "/tmp/s", Net: "unix"}} {
		req := httptest.NewRequest("GET", "http://api.example/customers", nil)
		if addr != nil {
			req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, addr))
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, req)
		if rec.Code != 400 {
			t.Errorf("%v: %d, want that of a missing version", addr, rec.Code)
		}
	}
}
