// Package loopback decides which hosts are this machine. It is the one rule for where plain HTTP is
// safe.
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
