// Package dial connects to services and to nothing behind them: it looks at the
// address that a name resolved to, at the moment of connecting. A name that
// leads to a public service today and to a metadata service or the intranet
// tomorrow (DNS rebinding) gets nobody anywhere.
package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// ErrRefused is returned for an address that must not be connected to.
var ErrRefused = errors.New("the name leads to an address that is not public")

// Guard dials. Its methods are fields of an [http.Transport]. It is safe for
// concurrent use.
type Guard struct {
	// Private allows the private networks of RFC 1918 and RFC 4193, where
	// services on premises are.
	Private bool

	proxies  sync.Map // host:port of the environment's proxies: they may be anywhere
	resolver *net.Resolver
}

// Proxy is [http.ProxyFromEnvironment]; the guard lets its answers through.
func (g *Guard) Proxy(r *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(r)
	if proxy != nil {
		g.proxies.Store(hostPort(proxy), true)
	}
	return proxy, err
}

// hostPort is what a transport dials for a proxy.
func hostPort(proxy *url.URL) string {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme]
	}
	return net.JoinHostPort(proxy.Hostname(), port)
}

// DialContext connects to address, a host and a port.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Resolver: g.resolver}
	if _, proxy := g.proxies.Load(address); !proxy {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error { return g.check(host, resolved) }
	}
	return dialer.DialContext(ctx, network, address)
}

// Harden makes a transport dial through a guard, and speak TLS 1.2 or later.
func Harden(t *http.Transport, private bool) *http.Transport {
	guard := &Guard{Private: private}
	t.Proxy, t.DialContext = guard.Proxy, guard.DialContext
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return t
}

// check refuses what a name must not lead to. An address that is written in the
// URL itself was chosen by whoever configured it, so it may be private.
func (g *Guard) check(host, resolved string) error {
	at, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	address := inner(at.Addr().Unmap().WithZone(""))
	_, err = netip.ParseAddr(host)
	literal := err == nil
	switch {
	case address.IsLoopback():
		if origin.Loopback(host) {
			return nil
		}
	case !address.IsGlobalUnicast() || special(address):
	case address.IsPrivate() || shared.Contains(address):
		if g.Private || literal {
			return nil
		}
	default:
		return nil
	}
	return ErrRefused
}

// shared is the address space of carriers, RFC 6598.
var shared = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)

// sixToFour, RFC 3056, has an IPv4 address behind the prefix, the others at the end.
var (
	sixToFour = netip.MustParsePrefix("2002::/16")
	carriers  = []netip.Prefix{
		netip.MustParsePrefix("64:ff9b::/96"),    // NAT64, RFC 6052
		netip.MustParsePrefix("::/96"),           // RFC 4291, section 2.5.5.1
		netip.MustParsePrefix("::ffff:0:0:0/96"), // RFC 2765
	}
)

// inner returns the IPv4 address that a gateway takes an IPv6 address to; other
// addresses stay.
func inner(a netip.Addr) netip.Addr {
	b := a.As16()
	switch {
	case a.IsLoopback(), a.IsUnspecified():
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case within(carriers, a):
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// reserved are networks where no service is for anybody.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),    // a machine itself
	netip.MustParsePrefix("192.0.0.0/24"), // protocols, and a cloud's metadata
	netip.MustParsePrefix("240.0.0.0/4"),  // later use
	netip.MustParsePrefix("fec0::/10"),    // sites, before RFC 4193
}

// special reports whether an address is reserved, or a cloud answers its machines
// with credentials there, beside the link-local addresses: Azure's host, AWS and
// its pods by IPv6, Google Cloud by IPv6, Alibaba Cloud.
func special(a netip.Addr) bool {
	switch a.String() {
	case "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200":
		return true
	}
	return within(reserved, a)
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
}
