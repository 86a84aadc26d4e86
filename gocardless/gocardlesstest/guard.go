package gocardlesstest

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// WithAllowedHosts sets further host names under which requests may reach the sandbox's socket, such
// as "sandbox" for a container of that name; "*" allows all. Names of this machine ("localhost") and IP
// addresses are always allowed. It can be given several times.
func WithAllowedHosts(names ...string) Option {
	return func(o *options) {
		for _, n := range names {
			o.hosts = append(o.hosts, hostName(n))
		}
	}
}

// guard refuses what web pages of other sites can make a browser send. A page can give this machine a
// name of its own and so make its requests look like the sandbox's own; the Host header tells. It can
// also send requests across origins; the Origin and Sec-Fetch headers tell.
//
// Requests that came through no TCP socket pass: no browser sends them.
func (sb *Sandbox) guard(r *http.Request) *api.Error {
	if addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); addr == nil || addr.Network() == "unix" {
		return nil
	}
	if !sb.hostAllowed(hostName(r.Host)) {
		return api.Refuse("forbidden", "The host "+value.Short(r.Host)+" is not allowed: it could be the name that a web page gave to this machine. "+
			"Allow it with WithAllowedHosts or -allow-host")
	}
	if !sameOrigin(r) {
		return api.Refuse("forbidden", "The request comes from a page of another site")
	}
	return nil
}

// writeRefusal answers a request that the API does not see.
func (sb *Sandbox) writeRefusal(w http.ResponseWriter, err *api.Error) {
	now := sb.Now()
	rid := sb.requestID(now)
	out := &outgoing{status: err.Status, header: http.Header{}, body: err.Body(rid)}
	sb.standardHeaders(out, rid, now)
	maps.Copy(w.Header(), out.header)
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}

func (sb *Sandbox) hostAllowed(name string) bool {
	if name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true // an address cannot be rebound
	}
	return slices.Contains(sb.opts.hosts, name) || slices.Contains(sb.opts.hosts, "*")
}

// sameOrigin reports whether no page sent the request, or one of the sandbox's own. Following a link
// from another site is allowed: shops lead to the hosted pages in this way.
func sameOrigin(r *http.Request) bool {
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

// hostName is a host without its port, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
