package gate

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/loopback"
)

// HostAllowed reports whether a host is this machine, an IP address or one of the allowed names. No web
// page can give these to its requests, unlike any other name. "*" allows all.
func HostAllowed(host string, allowed []string) bool {
	name := HostName(host)
	if name == "" || loopback.Host(name) {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true // DNS cannot rebind an address
	}
	return slices.Contains(allowed, name) || slices.Contains(allowed, "*")
}

// SameOrigin reports whether a request comes from no web page or from one of the sandbox's own. A link
// from another site may lead to the sandbox, as shops link to the hosted pages.
func SameOrigin(r *http.Request) bool {
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	return read && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// HostName returns a host in lower case and without its port.
func HostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
