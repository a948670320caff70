package web_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/auth/web"
)

func proxies(t testing.TB, networks ...string) web.Proxies {
	t.Helper()
	p, err := web.ParseProxies(networks...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// from is a request of a peer with headers "Name: value".
func from(t testing.TB, peer string, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://tools.example/", nil)
	r.RemoteAddr = peer
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "handled") })

func TestClientAddress(t *testing.T) {
	trusted := proxies(t, "10.0.0.0/8", "fd00::/8", "127.0.0.1")
	for _, test := range []struct {
		peer    string
		headers []string
		want    string
	}{
		{"203.0.113.9:1234", nil, "203.0.113.9"},
		{"203.0.113.9:1234", []string{"X-Forwarded-For: 198.51.100.1"}, "203.0.113.9"}, // spoofed
		{"10.0.0.1:1", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: 6.6.6.6, 198.51.100.1"}, "198.51.100.1"}, // spoofed in front
		{"10.0.0.1:1", []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: 198.51.100.1:4711"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: [2001:db8::1]:4711"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: [2001:db8::1]"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: 198.51.100.1, unknown"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: "}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"X-Forwarded-For: " + strings.Repeat("1", 100)}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"Forwarded: for=6.6.6.6", "X-Real-Ip: 6.6.6.6"}, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", []string{"X-Forwarded-For: ::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[fe80::1%eth0]:1", nil, "fe80::1"},
		{"[fd00::1]:1", []string{"X-Forwarded-For: 2001:db8::2"}, "2001:db8::2"},
		{"127.0.0.1:1", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1"},
		{"@", []string{"X-Forwarded-For: 198.51.100.1"}, "invalid IP"},
	} {
		if got := trusted.Client(from(t, test.peer, test.headers...)).String(); got != test.want {
			t.Errorf("%s %q: %s", test.peer, test.headers, got)
		}
	}
	for _, network := range []string{"0.0.0.0/0", "::/0", "everybody", "10.0.0.0/33", "", "fe80::1%eth0"} {
		if _, err := web.ParseProxies(network); err == nil {
			t.Errorf("%q: accepted", network)
		}
	}
}

func TestRequireTLS(t *testing.T) {
	local := func(r *http.Request, host string) *http.Request { r.Host = host; return r }
	byTLS := func(r *http.Request) *http.Request { r.TLS = &tls.ConnectionState{}; return r }
	strict := web.RequireTLS(web.TLSOptions{Proxies: proxies(t, "10.0.0.1")})(ok)
	lax := web.RequireTLS(web.TLSOptions{AllowLoopback: true})(ok)
	for _, test := range []struct {
		name    string
		handler http.Handler
		request *http.Request
		pass    bool
	}{
		{"plain", strict, from(t, "203.0.113.9:1"), false},
		{"TLS", strict, byTLS(from(t, "203.0.113.9:1")), true},
		{"proxy", strict, from(t, "10.0.0.1:1", "X-Forwarded-Proto: https"), true},
		{"proxy, capitals", strict, from(t, "10.0.0.1:1", "X-Forwarded-Proto: HTTPS"), true},
		{"proxy, plain", strict, from(t, "10.0.0.1:1", "X-Forwarded-Proto: http"), false},
		{"proxy by TLS, client plain", strict, byTLS(from(t, "10.0.0.1:1", "X-Forwarded-Proto: http")), false},
		{"proxy, spoofed", strict, from(t, "10.0.0.1:1", "X-Forwarded-Proto: https, http"), false},
		{"proxy, spoofed twice", strict, from(t, "10.0.0.1:1", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"), false},
		{"spoofed", strict, from(t, "203.0.113.9:1", "X-Forwarded-Proto: https"), false},
		{"spoofed by TLS", strict, byTLS(from(t, "203.0.113.9:1", "X-Forwarded-Proto: http")), true},
		{"loopback", strict, local(from(t, "127.0.0.1:1"), "localhost:8080"), false},
		{"loopback allowed", lax, local(from(t, "127.0.0.1:1"), "localhost:8080"), true},
		{"loopback 6 allowed", lax, local(from(t, "[::1]:1"), "[::1]:8080"), true},
		{"rebound name", lax, local(from(t, "127.0.0.1:1"), "evil.example:8080"), false},
		{"through a local proxy", lax, local(from(t, "127.0.0.1:1", "X-Forwarded-For: 6.6.6.6"), "localhost"), false},
		{"from elsewhere", lax, local(from(t, "203.0.113.9:1"), "localhost"), false},
	} {
		w := serve(test.handler, test.request)
		if pass := w.Code == 200; pass != test.pass || !pass && (w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "handled")) {
			t.Errorf("%s: %d %s", test.name, w.Code, w.Body)
		}
	}
}

func TestHeaders(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy":      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Frame-Options":              "DENY",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
		"Strict-Transport-Security":    "",
	}
	check := func(name string, h http.Header) {
		t.Helper()
		for header, value := range want {
			if h.Get(header) != value {
				t.Errorf("%s: %s: %q", name, header, h.Get(header))
			}
		}
	}
	handler := web.Headers(web.HeaderOptions{})(ok)
	check("plain", serve(handler, from(t, "203.0.113.9:1", "X-Forwarded-Proto: https")).Header())
	want["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
	check("TLS", serve(handler, request(t)).Header())
	want["Cache-Control"], want["Strict-Transport-Security"] = "", ""
	check("none of these", serve(web.Headers(web.HeaderOptions{HSTS: -1, AllowCaching: true})(ok), request(t)).Header())
}

func TestCORS(t *testing.T) {
	wrap, err := web.CORS(web.CORSOptions{
		Origins: []string{"https://app.example", "http://localhost:5173"}, Methods: []string{"DELETE"}, Headers: []string{"Authorization", "Content-Type"},
		Exposed: []string{"WWW-Authenticate"}, AllowCredentials: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := wrap(ok)
	for origin, admitted := range map[string]bool{
		"https://app.example": true, "http://localhost:5173": true,
		"http://app.example": false, "https://app.example:443": false, "https://app.example:8443": false, "https://app.example.evil.example": false, "https://sub.app.example": false,
		"https://evilapp.example": false, "https://app.example/": false, "https://APP.example": false, "null": false, "*": false, "": false, "https://app.example https://evil.example": false, "file://": false,
		"https://tools.example": false, // its own, which is not listed: DNS rebinding looks like that
	} {
		r := request(t)
		r.Header.Set("Origin", origin)
		w := serve(handler, r)
		h := w.Header()
		if h.Get("Vary") != "Origin" || (w.Code == 200) != admitted || (h.Get("Access-Control-Allow-Origin") == origin) != (admitted || origin == "") {
			t.Errorf("%q: %d %v", origin, w.Code, h)
		}
		if !admitted && (h.Get("Access-Control-Allow-Credentials") != "" || w.Code != 403) {
			t.Errorf("%q: %d %v", origin, w.Code, h)
		}
	}
	preflight := request(t)
	preflight.Method = http.MethodOptions
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", "DELETE")
	w := serve(handler, preflight)
	if h := w.Header(); w.Code != 204 || h.Get("Access-Control-Allow-Methods") != "GET, HEAD, POST, DELETE" || h.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type" ||
		h.Get("Access-Control-Max-Age") != "600" || h.Get("Access-Control-Allow-Credentials") != "true" || strings.Contains(w.Body.String(), "handled") {
		t.Errorf("preflight: %d %v", w.Code, h)
	}
	preflight.Header.Set("Origin", "https://evil.example")
	if w := serve(handler, preflight); w.Code != 403 || w.Header().Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("preflight of a stranger: %d", w.Code)
	}
	if w := serve(handler, request(t)); w.Code != 200 || w.Header().Get("Vary") != "Origin" || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("no origin: %d %v", w.Code, w.Header())
	}
	two := request(t)
	two.Header["Origin"] = []string{"https://app.example", "https://evil.example"}
	if w := serve(handler, two); w.Code != 403 {
		t.Errorf("two origins: %d", w.Code)
	}
	for _, bad := range []string{"*", "null", "https://*.example", "https://app.example/", "https://app.example/x", "https://APP.example", "https://app.example:443", "http://app.example", "app.example", "https://u@app.example", "https://app.example?x", ""} {
		if _, err := web.CORS(web.CORSOptions{Origins: []string{bad}}); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
	if _, err := web.CORS(web.CORSOptions{Headers: []string{"*"}}); err == nil {
		t.Error("any header")
	}
}

func TestLimitBody(t *testing.T) {
	handler := web.LimitBody(10)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		}
	}))
	for length, want := range map[int]int{10: 200, 11: 413} {
		for _, known := range []bool{true, false} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(make([]byte, length)))
			if !known {
				r.ContentLength = -1
			}
			if w := serve(handler, r); w.Code != want {
				t.Errorf("%d bytes, known %v: %d", length, known, w.Code)
			}
		}
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		limit, err := web.NewRateLimit(web.RateOptions{
			Refused: func(*http.Request) { refused++ },
			Every:   time.Second, Burst: 3, MaxKeys: 100, Proxies: proxies(t, "10.0.0.1"),
			User: func(r *http.Request) string { return r.Header.Get("X-User") },
		})
		if err != nil {
			t.Fatal(err)
		}
		handler := limit.Wrap(ok)
		burst := func(name string, want int, request func(i int) *http.Request) {
			t.Helper()
			passed, before := 0, refused
			for i := range 10 {
				w := serve(handler, request(i))
				if w.Code == 200 {
					passed++
				} else if w.Code != 429 || w.Header().Get("Retry-After") != "1" {
					t.Errorf("%s: %d %v", name, w.Code, w.Header())
				}
			}
			if passed != want || refused-before != 10-want {
				t.Errorf("%s: %d passed", name, passed)
			}
		}
		burst("one address", 3, func(i int) *http.Request { return from(t, fmt.Sprintf("203.0.113.9:%d", 1000+i)) })
		burst("spoofed", 0, func(i int) *http.Request {
			return from(t, "203.0.113.9:1", fmt.Sprintf("X-Forwarded-For: 198.51.100.%d", i))
		})
		burst("spoofed through the proxy", 3, func(i int) *http.Request {
			return from(t, "10.0.0.1:1", fmt.Sprintf("X-Forwarded-For: 198.51.100.%d, 192.0.2.7", i))
		})
		burst("behind the proxy", 10, func(i int) *http.Request {
			return from(t, "10.0.0.1:1", fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", 100+i))
		})
		burst("one network of IPv6", 3, func(i int) *http.Request { return from(t, fmt.Sprintf("[2001:db8::%d]:1", i)) })
		burst("one user anywhere", 3, func(i int) *http.Request { return from(t, fmt.Sprintf("192.0.2.%d:1", i), "X-User: alice") })
		burst("another user", 3, func(int) *http.Request { return from(t, "192.0.2.1:1", "X-User: bob") })
		time.Sleep(time.Second)
		burst("a second later", 1, func(int) *http.Request { return from(t, "203.0.113.9:1") })
		time.Sleep(time.Hour)
		burst("an hour later", 3, func(int) *http.Request { return from(t, "203.0.113.9:1") })

		// Retry-After is true: then, and not before, one more passes.
		if wait := limit.Take(from(t, "203.0.113.9:1")); wait != time.Second {
			t.Errorf("wait %v", wait)
		}
		time.Sleep(time.Second - 1)
		if limit.Take(from(t, "203.0.113.9:1")) != 1 {
			t.Error("too early")
		}
		time.Sleep(time.Nanosecond)
		if limit.Take(from(t, "203.0.113.9:1")) != 0 {
			t.Error("in time")
		}
	})
	for name, options := range map[string]web.RateOptions{"no pace": {Burst: 1}, "no burst": {Every: 1}, "keys": {Every: 1, Burst: 1, MaxKeys: -1}} {
		if _, err := web.NewRateLimit(options); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzForwarded finds that no header moves the client of an untrusted peer, and
// that what a client wrote in front of what the proxy adds never counts.
func FuzzForwarded(f *testing.F) {
	for _, header := range []string{"", "1.2.3.4", "1.2.3.4, 10.0.0.1", "[::1]:80", "unknown", ",,,", "::ffff:1.2.3.4", "1.2.3.4:99999", "fe80::1%eth0"} {
		f.Add(header)
	}
	trusted := proxies(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, header string) {
		if got := trusted.Client(from(t, "203.0.113.9:1", "X-Forwarded-For: "+header)).String(); got != "203.0.113.9" {
			t.Errorf("untrusted: %s", got)
		}
		if got := trusted.Client(from(t, "10.0.0.1:1", "X-Forwarded-For: "+header, "X-Forwarded-For: 198.51.100.1")).String(); got != "198.51.100.1" {
			t.Errorf("in front: %s", got)
		}
		if got := trusted.Client(from(t, "10.0.0.1:1", "X-Forwarded-For: "+header)); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("trusted: %s", got)
		}
	})
}

func BenchmarkRateLimit(b *testing.B) {
	limit, err := web.NewRateLimit(web.RateOptions{Every: 1, Burst: 1_000})
	if err != nil {
		b.Fatal(err)
	}
	r := from(b, "203.0.113.9:1")
	b.ReportAllocs()
	for b.Loop() {
		limit.Take(r)
	}
}
