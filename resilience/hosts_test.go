package resilience_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/resilience"
)

func serveTLS(t *testing.T) (string, *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the client hangs up, on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, server.Client().Transport.(*http.Transport)
}

// The request line of an opaque URL is the opaque part, whatever its host is.
func TestOpaqueURLIsRefused(t *testing.T) {
	transport, err := resilience.New(resilience.Options{Hosts: []string{"https://api.example"}, Base: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("reached")
		return nil, io.EOF
	})})
	if err != nil {
		t.Fatal(err)
	}
	u := &url.URL{Scheme: "https", Host: "api.example", Opaque: "//evil.example/"}
	resp, err := transport.RoundTrip((&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}).WithContext(t.Context()))
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, resilience.ErrHostNotAllowed) {
		t.Error(err)
	}
}

func TestOnlyListedHostsAreReached(t *testing.T) {
	var reached []string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		reached = append(reached, r.URL.String())
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	transport, err := resilience.New(resilience.Options{Hosts: []string{"https://Graph.Microsoft.com", "http://127.0.0.1:8080"}, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	good := []string{
		"https://graph.microsoft.com/v1.0/me", "https://graph.microsoft.com:443/", "https://GRAPH.microsoft.COM/", "HTTPS://graph.microsoft.com/", "http://127.0.0.1:8080/x",
		"https://Graph.Microsoft.com/", // spelled as in the list
	}
	bad := []string{
		"https://graph.microsoft.com.evil.example/", "https://graph.microsoft.com@evil.example/", "https://evil.example/graph.microsoft.com",
		"https://evil.example#graph.microsoft.com", "https://evil.example?graph.microsoft.com", "https://graph.microsoft.com:444/",
		"https://graph.microsoft.com./", "https://graph.microsoft.co/", "https://xgraph.microsoft.com/", "https://user@graph.microsoft.com/",
		"https://user:pw@graph.microsoft.com/", "http://graph.microsoft.com/", "//graph.microsoft.com/", "/v1.0/me", "ftp://graph.microsoft.com/",
		"file:///etc/passwd", "https:graph.microsoft.com", "https:///v1.0", "https://[::1]/", "https://127.0.0.1:8080/", "http://127.0.0.1/", "http://127.0.0.2:8080/",
		"http://localhost:8080/", "https://ɡraph.microsoft.com/", "https://graph。microsoft.com/", "https://graph.microsoft.com%2eevil.example/",
		"https://169.254.169.254/", "https://graph.microsoft.com:0443/", "https://graph%2Emicrosoft.com.evil/", "javascript:alert(1)",
		"https://graph.microsoft.com:/../@evil.example:1/", "wss://graph.microsoft.com/", "https://graph-microsoft.com/", "https://[::ffff:127.0.0.1]:8080/",
		"http://2130706433:8080/", "http://0x7f000001:8080/", "http://[::1]:8080/", "https://graph.microsoft.com.:443/", "https://g.raph.microsoft.com/", "https://*/",
		"https://user:pw@Graph.Microsoft.com/", "http://user@127.0.0.1:8080/",
	}
	try := func(raw, host string) (bool, error) {
		u, err := url.Parse(raw)
		if err != nil {
			return false, err // cannot even be asked for
		}
		before := len(reached)
		resp, err := transport.RoundTrip((&http.Request{Method: http.MethodGet, URL: u, Host: host, Header: http.Header{}}).WithContext(t.Context()))
		if err == nil {
			resp.Body.Close()
		}
		return len(reached) > before, err
	}
	for _, raw := range good {
		if ok, err := try(raw, ""); !ok || err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range bad {
		ok, err := try(raw, "")
		u, parseErr := url.Parse(raw)
		if parseErr == nil && u.Scheme == "https" && u.Hostname() == "graph.microsoft.com" && u.Port() == "" && u.User == nil && u.Opaque == "" {
			continue // "https://graph.microsoft.com:/…" is the host itself
		}
		if ok || err == nil {
			t.Errorf("%s was let through", raw)
		}
		if parseErr == nil && !errors.Is(err, resilience.ErrHostNotAllowed) && !errors.Is(err, resilience.ErrInsecureURL) {
			t.Errorf("%s: untyped error %v", raw, err)
		}
	}
	if ok, err := try("https://graph.microsoft.com/", "evil.example"); ok || !errors.Is(err, resilience.ErrHostNotAllowed) {
		t.Errorf("foreign Host header: %v", err)
	}
}

func TestErrorsKeepPathsAndQueriesToThemselves(t *testing.T) {
	transport, err := resilience.New(resilience.Options{Hosts: []string{"https://graph.microsoft.com"}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://evil.example/users/ada?sig=c4n4ry", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = transport.RoundTrip(req) //nolint:bodyclose // there is no answer
	if err == nil || strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), "ada") {
		t.Errorf("error = %v", err)
	}
}

func TestRedirects(t *testing.T) {
	foreign, reached := serve(t, func(int64, http.ResponseWriter, *http.Request) {})
	home, count := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/near":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/moved":
			http.Redirect(w, r, "/end", http.StatusPermanentRedirect)
		case "/far":
			http.Redirect(w, r, foreign.URL+"/", http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	})
	client := newClient(t, resilience.Options{Hosts: []string{home.URL, foreign.URL}})
	tests := []struct {
		method, path string
		status       int
		requests     int64
	}{
		{"GET", "/near", 200, 2},
		{"POST", "/near", 302, 1}, // as a GET it would succeed without having been done
		{"POST", "/moved", 200, 2},
		{"POST", "/far", 307, 1},
		{"GET", "/loop", 302, 6},
	}
	for _, test := range tests {
		count.Store(0)
		status, _, err := do(t.Context(), t, client, test.method, home.URL+test.path, "x")
		if err != nil || status != test.status || count.Load() != test.requests {
			t.Errorf("%s %s: %d %v after %d requests", test.method, test.path, status, err, count.Load())
		}
	}
	if reached.Load() != 0 {
		t.Error("another origin was reached")
	}
}
