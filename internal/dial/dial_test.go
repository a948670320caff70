package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func ExampleHarden() {
	transport := Harden(&http.Transport{}, false)
	defer transport.CloseIdleConnections()
	_, err := transport.DialContext(context.Background(), "tcp", "169.254.169.254:80")
	fmt.Println(errors.Is(err, ErrRefused))
	// Output: true
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		host, resolved string
		ok, private    bool // allowed by default, and with Private
	}{
		{"graph.microsoft.com", "20.190.128.1:443", true, true},
		{"graph.microsoft.com", "[2603:1026::1]:443", true, true},
		{"psa.example", "10.1.2.3:443", false, true},
		{"psa.example", "192.168.1.1:443", false, true},
		{"psa.example", "100.64.1.1:443", false, true},
		{"psa.example", "[fd12::1]:443", false, true},
		{"psa.example", "[::ffff:10.1.2.3]:443", false, true},
		{"10.1.2.3", "10.1.2.3:443", true, true},
		{"psa.example", "127.0.0.1:443", false, false},
		{"psa.example", "[::1]:443", false, false},
		{"localhost", "127.0.0.1:8080", true, true},
		{"127.0.0.1", "127.0.0.1:8080", true, true},
		{"psa.example", "169.254.169.254:80", false, false},
		{"169.254.169.254", "169.254.169.254:80", false, false},
		{"psa.example", "[fe80::1%eth0]:443", false, false},
		{"psa.example", "[::ffff:169.254.169.254]:80", false, false},
		{"psa.example", "168.63.129.16:80", false, false},
		{"psa.example", "[fd00:ec2::254]:80", false, false},
		{"psa.example", "[fd00:ec2::23]:80", false, false},
		{"psa.example", "[fd20:ce::254]:80", false, false},
		{"fd20:ce::254", "[fd20:ce::254]:80", false, false},
		{"psa.example", "100.100.100.200:80", false, false},
		{"psa.example", "192.0.0.192:80", false, false},
		{"psa.example", "192.0.1.1:443", true, true},
		{"psa.example", "198.18.0.1:443", true, true}, // where some VPNs on a desktop answer for every name
		{"psa.example", "240.0.0.1:443", false, false},
		{"psa.example", "255.255.255.255:443", false, false},
		{"psa.example", "[fec0::1]:443", false, false},
		{"psa.example", "[feff::1]:443", false, false},
		// NAT64, 6to4, and the old forms, to a metadata service, a loopback
		// address, a private one and a public one.
		{"psa.example", "[64:ff9b::a9fe:a9fe]:80", false, false},
		{"psa.example", "[64:ff9b::7f00:1]:443", false, false},
		{"64:ff9b::7f00:1", "[64:ff9b::7f00:1]:443", false, false},
		{"psa.example", "[64:ff9b::a00:1]:443", false, true},
		{"graph.microsoft.com", "[64:ff9b::14be:8001]:443", true, true},
		{"psa.example", "[2002:a9fe:a9fe::1]:80", false, false},
		{"psa.example", "[2002:7f00:1::1]:443", false, false},
		{"psa.example", "[2002:a00:1::1]:443", false, true},
		{"graph.microsoft.com", "[2002:14be:8001::1]:443", true, true},
		{"psa.example", "[::a9fe:a9fe]:80", false, false},
		{"psa.example", "[::7f00:1]:443", false, false},
		{"psa.example", "[::a00:1]:443", false, true},
		{"psa.example", "[::ffff:0:a9fe:a9fe]:80", false, false},
		{"localhost", "[::1]:8080", true, true},
		{"psa.example", "[::]:443", false, false},
		{"psa.example", "0.0.0.0:443", false, false},
		{"psa.example", "0.1.2.3:443", false, false},
		{"psa.example", "224.0.0.1:443", false, false},
		{"psa.example", "not an address", false, false},
	} {
		for private, want := range map[bool]bool{false: test.ok, true: test.private} {
			err := (&Guard{Private: private}).check(test.host, test.resolved)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%s at %s, private %v: %v", test.host, test.resolved, private, err)
			}
		}
	}
}

// TestRebinding resolves a public name to addresses that are not: nothing may be
// connected to.
func TestRebinding(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.1", "192.0.0.192"} {
		guard := &Guard{resolver: resolveTo(t, netip.MustParseAddr(address))}
		conn, err := guard.DialContext(t.Context(), "tcp", net.JoinHostPort("psa.example", port))
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, %v", address, conn, err)
		}
	}
	if reached {
		t.Error("the server was reached by a name that is not its own")
	}
}

// resolveTo returns a resolver for which every name has one address.
func resolveTo(t *testing.T, address netip.Addr) *net.Resolver {
	t.Helper()
	server, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() }) // ends the loop below
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
					Body:   &dnsmessage.AResource{A: address.As4()},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(answer, from) // an answer that is lost is asked for again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// TestProxy: a proxy may be anywhere, at the port that its scheme has.
func TestProxy(t *testing.T) {
	for address, want := range map[string]string{
		"http://proxy.example":      "proxy.example:80",
		"https://proxy.example":     "proxy.example:443",
		"socks5://proxy.example":    "proxy.example:1080",
		"http://proxy.example:3128": "proxy.example:3128",
		"http://[::1]:3128":         "[::1]:3128",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostPort(u); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	guard := &Guard{resolver: resolveTo(t, netip.MustParseAddr("127.0.0.1"))}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	named := net.JoinHostPort("proxy.example", port)
	guard.proxies.Store(named, true)
	conn, err := guard.DialContext(t.Context(), "tcp", named)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
