package gocardlesstest

import (
	"maps"
	"net"
	"net/http"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// WithAllowedHosts sets further host names under which requests may reach the sandbox's socket, such
// as "sandbox" for a container of that name; "*" allows all. Names of this machine ("localhost") and IP
// addresses are always allowed. It can be given several times.
func WithAllowedHosts(names ...string) Option {
	return func(o *options) {
		for _, n := range names {
			o.hosts = append(o.hosts, gate.HostName(n))
		}
	}
}

// guard refuses what web pages of other sites can make a browser send. A page can give this machine a
// name of its own and so make its requests look like the sandbox's own; the Host header shows that. It can
// also send requests across origins, which the Origin and Sec-Fetch headers show.
//
// Requests that came through no TCP socket pass: no browser sends them.
func (sb *Sandbox) guard(r *http.Request) *api.Error {
	if addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); addr == nil || addr.Network() == "unix" {
		return nil
	}
	if !gate.HostAllowed(r.Host, sb.opts.hosts) {
		return api.Refuse("forbidden", "The host "+value.Short(r.Host)+" is not allowed: it could be the name that a web page gave to this machine. "+
			"Allow it with WithAllowedHosts or --allow-host")
	}
	if !gate.SameOrigin(r) {
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
