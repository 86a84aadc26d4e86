package gocardlesstest

import (
	"maps"
	"net"
	"net/http"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// WithAllowedHosts adds host names under which requests may reach the sandbox's socket, such as
// "sandbox" for a container of that name; "*" allows all. Names of this machine ("localhost") and IP
// addresses are always allowed. The option can be given several times.
func WithAllowedHosts(names ...string) Option {
	return func(o *options) {
		for _, n := range names {
			o.hosts = append(o.hosts, gate.HostName(n))
		}
	}
}

// guard refuses requests that web pages of other sites can make a browser send. A page can give this
// machine its own host name, so that its requests look like the sandbox's own; the Host header reveals
// that. It can also send requests across origins, which the Origin and Sec-Fetch headers reveal.
//
// Requests that do not come through a TCP socket pass, because no browser sends them.
func (sb *Sandbox) guard(r *http.Request) *api.Error {
	if addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); addr == nil || addr.Network() == "unix" {
		return nil
	}
	if !gate.HostAllowed(r.Host, sb.opts.hosts) {
		return api.Refuse("forbidden", "The host "+value.Short(r.Host)+" is not allowed, because a web page can give this machine a name of its own. "+
			"Allow it with WithAllowedHosts or --allow-host")
	}
	if !gate.SameOrigin(r) {
		return api.Refuse("forbidden", "The request comes from a web page of another site")
	}
	return nil
}

// writeRefusal answers a request that does not reach the API.
func (sb *Sandbox) writeRefusal(w http.ResponseWriter, err *api.Error) {
	now := sb.Now()
	rid := sb.requestID(now)
	out := &outgoing{status: err.Status, header: http.Header{}, body: err.Body(rid)}
	sb.standardHeaders(out, rid, now)
	maps.Copy(w.Header(), out.header)
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}
