// Package loopback recognises hosts that are this machine, for which plain HTTP is safe.
package loopback

import (
	"net"
	"strings"
)

// Host reports whether a host name or IP address, without a port, is the loopback interface:
// localhost, a name below .localhost, or a loopback address.
func Host(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
