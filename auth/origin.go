package auth

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

var errInsecure = errors.New("must be an https URL with a host and without user information (http only on loopback)")

// origin is what RFC 6454 compares: scheme, host and port, in one spelling.
type origin struct{ scheme, host, port string }

// originOf returns the origin of u, or errInsecure if a credential must not
// travel there.
func originOf(u *url.URL) (origin, error) {
	o := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), port: u.Port()}
	if u.Opaque != "" || u.User != nil || o.host == "" {
		return origin{}, errInsecure
	}
	switch {
	case o.scheme == "https":
		if o.port == "" {
			o.port = "443"
		}
	case o.scheme == "http" && isLoopback(o.host):
		if o.port == "" {
			o.port = "80"
		}
	default:
		return origin{}, errInsecure
	}
	return o, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
