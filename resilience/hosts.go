package resilience

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// origin is what RFC 6454 compares: scheme, host and port, in one spelling.
type origin struct{ scheme, host, port string }

// originOf returns the origin of u if it is plain and safe.
func originOf(u *url.URL) (origin, error) {
	o := origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if u.Opaque != "" || u.User != nil || o.host == "" {
		return origin{}, ErrHostNotAllowed
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
		return origin{}, ErrInsecureURL
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

// hosts is the allow-list.
type hosts map[origin]bool

func parseHosts(list []string) (hosts, error) {
	if len(list) == 0 {
		return nil, errors.New("resilience: Options.Hosts is empty; list the origins that may be reached")
	}
	allowed := make(hosts, len(list))
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil {
			return nil, errors.New("resilience: Options.Hosts has an entry that is not a URL")
		}
		o, err := originOf(u)
		if err != nil {
			return nil, fmt.Errorf("%w: Options.Hosts entry %s", err, u.Redacted())
		}
		allowed[o] = true
	}
	return allowed, nil
}

// check refuses a request that must not be sent. The Host header must agree
// with the URL: some servers and proxies route by it. The error names the host
// only, since paths and queries can hold personal data.
func (h hosts) check(req *http.Request) error {
	if req.URL == nil {
		return ErrHostNotAllowed
	}
	o, err := originOf(req.URL)
	if err != nil {
		return fmt.Errorf("%w: %q", err, req.URL.Host)
	}
	if !h[o] || req.Host != "" && req.Host != req.URL.Host {
		return fmt.Errorf("%w: %q", ErrHostNotAllowed, req.URL.Host)
	}
	return nil
}
