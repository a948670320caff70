package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// Proxies are the networks of the reverse proxies in front of a server. Only
// requests that come from one of them may say, in X-Forwarded-For and
// X-Forwarded-Proto, where they came from before; of all others these headers
// are ignored. The zero Proxies trusts nobody.
type Proxies []netip.Prefix

// ParseProxies reads networks such as "10.0.0.0/8" and addresses such as "::1".
func ParseProxies(networks ...string) (Proxies, error) {
	var p Proxies
	for _, network := range networks {
		prefix, err := netip.ParsePrefix(network)
		if address, single := netip.ParseAddr(network); err != nil && single == nil && address.Zone() == "" {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("web: %q is no network", network)
		}
		if prefix.Bits() == 0 {
			return nil, fmt.Errorf("web: %q is everybody: who is trusted must be listed", network)
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

func (p Proxies) trusts(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Client returns the address that a request came from: that of the connection,
// or, through trusted proxies, the last one in X-Forwarded-For that is not
// such a proxy. What a client itself wrote into that header stands further
// left and is never believed. The result is invalid if the connection has no
// address, as with a Unix socket.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trusts(client); i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break // so the last one that is known
		}
		client = hop
	}
	return client
}

// Secure reports whether a request travelled by TLS all the way from the
// client: on this connection, or as its trusted proxy says.
func (p Proxies) Secure(r *http.Request) bool {
	protocols := r.Header.Values("X-Forwarded-Proto")
	if len(protocols) == 0 || !p.trusts(peer(r)) {
		return r.TLS != nil
	}
	// One value per proxy, or one for all: the client may have written the
	// first ones, so all must agree.
	for protocol := range strings.SplitSeq(strings.Join(protocols, ","), ",") {
		if !strings.EqualFold(strings.TrimSpace(protocol), "https") {
			return false
		}
	}
	return true
}

// local reports whether a request was made on this very machine, to a loopback
// name, with no proxy in between that we could know of.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Via"} {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return peer(r).IsLoopback() && origin.Loopback(strings.Trim(host, "[]"))
}

func peer(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(address.Addr())
}

// parseHop reads an address, which some proxies write with a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if len(text) > 64 {
		return netip.Addr{}, false
	}
	if address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return plain(address), true
	}
	address, err := netip.ParseAddrPort(text)
	return plain(address.Addr()), err == nil
}

// plain gives one address one spelling.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }
