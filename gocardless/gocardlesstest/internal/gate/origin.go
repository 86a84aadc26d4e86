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

// HostAllowed reports whether no web page can have given a host its name, or the name is one of those
// allowed; "*" allows all.
func HostAllowed(host string, allowed []string) bool {
	name := HostName(host)
	if name == "" || loopback.Host(name) {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true // an address cannot be rebound
	}
	return slices.Contains(allowed, name) || slices.Contains(allowed, "*")
}

// SameOrigin reports whether no page sent the request, or one of the sandbox's own. Following a link
// from another site is allowed: shops lead to the hosted pages in this way.
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

// HostName is a host without its port, in lower case.
func HostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
