// Package origin compares where URLs lead: the part of them that decides
// whether a token may travel there.
package origin

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Origin is what RFC 6454 compares: scheme, host and port, in one spelling.
// Compare two with ==.
type Origin struct{ scheme, host, port string }

var (
	// ErrNotPlain is returned for a URL without a host or with more than that,
	// such as a user name.
	ErrNotPlain = errors.New("not a plain URL")
	// ErrInsecure is returned for a URL that is not https; http is fine on
	// loopback.
	ErrInsecure = errors.New("not an https URL")
)

// Of returns the origin of u if it is plain and safe.
func Of(u *url.URL) (Origin, error) {
	o := Origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if u.Opaque != "" || u.User != nil || o.host == "" {
		return Origin{}, ErrNotPlain
	}
	switch {
	case o.scheme == "https":
		if o.port == "" {
			o.port = "443"
		}
	case o.scheme == "http" && Loopback(o.host):
		if o.port == "" {
			o.port = "80"
		}
	default:
		return Origin{}, ErrInsecure
	}
	return o, nil
}

// Loopback reports whether a host is this machine by its very name.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
