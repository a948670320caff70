package auth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// api records the Authorization headers and bodies that reach it, and refuses
// the tokens in its list.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	refuse map[string]bool
	tokens []string
	bodies []string
}

func newAPI(t *testing.T, refused ...string) *api {
	t.Helper()
	a := &api{refuse: map[string]bool{}}
	for _, token := range refused {
		a.refuse["Bearer "+token] = true
	}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		token := r.Header.Get("Authorization")
		a.tokens, a.bodies = append(a.tokens, token), append(a.bodies, string(body))
		if a.refuse[token] || a.refuse["Bearer *"] {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) seen() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.tokens, ", ")
}

func send(t *testing.T, transport *auth.Transport, method, url string, body io.Reader) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if len(req.Header) != 0 {
		t.Errorf("the caller's request was changed")
	}
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

func TestTransportAnswersOne401(t *testing.T) {
	tests := []struct {
		name    string
		refused []string
		body    io.Reader
		status  int
		tokens  string
	}{
		{"good token", nil, nil, 200, "Bearer access-1"},
		{"refused once, no body", []string{"access-1"}, nil, 200, "Bearer access-1, Bearer access-2"},
		{"refused once, body", []string{"access-1"}, strings.NewReader("x"), 200, "Bearer access-1, Bearer access-2"},
		{"refused once, body that cannot be repeated", []string{"access-1"}, io.MultiReader(strings.NewReader("x")), 401, "Bearer access-1"},
		{"always refused", []string{"*"}, nil, 401, "Bearer access-1, Bearer access-2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := newAPI(t, test.refused...)
			transport := &auth.Transport{Source: newApplication(t, newServer(t)), Hosts: []string{a.URL}}
			status, err := send(t, transport, "POST", a.URL+"/x", test.body)
			if err != nil || status != test.status || a.seen() != test.tokens {
				t.Errorf("%d %v, tokens %s", status, err, a.seen())
			}
			for _, body := range a.bodies {
				if test.body != nil && body != "x" {
					t.Errorf("body %q", body)
				}
			}
		})
	}
}

// The token goes to listed origins only; every other request goes without.
func TestTransportKeepsTheTokenAtHome(t *testing.T) {
	seen := map[string]string{}
	transport := &auth.Transport{
		Source: auth.Static("c4n4ry"),
		Hosts:  []string{"https://graph.microsoft.com", "http://127.0.0.1:8080"},
		Base: roundTripper(func(r *http.Request) (*http.Response, error) {
			seen[r.URL.String()] = r.Header.Get("Authorization")
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}),
	}
	good := []string{"https://graph.microsoft.com/v1.0/me", "https://GRAPH.microsoft.com:443/", "http://127.0.0.1:8080/"}
	bad := []string{
		"https://graph.microsoft.com.evil.example/", "https://graph.microsoft.com@evil.example/", "http://graph.microsoft.com/",
		"https://graph.microsoft.com:8443/", "https://graph.microsoft.com./", "https://user@graph.microsoft.com/", "https://evil.example/?graph.microsoft.com",
		"http://127.0.0.1:8081/", "http://127.0.0.2:8080/", "http://localhost:8080/", "https://127.0.0.1:8080/", "https://xgraph.microsoft.com/", "https://microsoft.com/",
	}
	for i, url := range append(good, bad...) {
		if _, err := send(t, transport, "GET", url, nil); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if got := seen[url] == "Bearer c4n4ry"; got != (i < len(good)) || len(seen) != i+1 {
			t.Errorf("%s: token %t", url, got)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, good[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	for host, token := range map[string]string{"evil.example": "", "graph.microsoft.com": "Bearer c4n4ry", "GRAPH.MICROSOFT.COM:443": "Bearer c4n4ry"} {
		req.Host = host
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if seen[good[0]] != token {
			t.Errorf("Host %s: %q", host, seen[good[0]])
		}
	}
}

func TestTransportLeavesTheCallersHeadersAlone(t *testing.T) {
	a := newAPI(t)
	transport := &auth.Transport{Source: auth.Static("ours"), Hosts: []string{a.URL}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer theirs")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if a.seen() != "Bearer theirs" {
		t.Errorf("tokens %s", a.seen())
	}
}

func TestTransportWithoutToken(t *testing.T) {
	a := newAPI(t)
	transport := &auth.Transport{Source: auth.Static(""), Hosts: []string{a.URL}}
	body := &closer{Reader: strings.NewReader("x")}
	if _, err := send(t, transport, "POST", a.URL, body); !needsUser(err) || !body.closed || a.seen() != "" {
		t.Errorf("%v, body closed %t", err, body.closed)
	}
}

func TestTransportIsChecked(t *testing.T) {
	for name, transport := range map[string]*auth.Transport{
		"no source": {Hosts: []string{"https://graph.microsoft.com"}},
		"no hosts":  {Source: auth.Static("x")},
		"http":      {Source: auth.Static("x"), Hosts: []string{"http://graph.microsoft.com"}},
		"no scheme": {Source: auth.Static("x"), Hosts: []string{"graph.microsoft.com"}},
		"no URL":    {Source: auth.Static("x"), Hosts: []string{"://"}},
	} {
		if _, err := send(t, transport, "GET", "https://graph.microsoft.com/", nil); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A hundred requests that are all refused renew the token once between them.
func TestHerdOf401s(t *testing.T) {
	a := newAPI(t, "access-1")
	s := newServer(t)
	transport := &auth.Transport{Source: newApplication(t, s), Hosts: []string{a.URL}}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if status, err := send(t, transport, "GET", a.URL, nil); err != nil || status != http.StatusOK {
				t.Errorf("%d %v", status, err)
			}
		})
	}
	all.Wait()
	if n := s.requests(); n != 2 {
		t.Errorf("%d token requests", n)
	}
}

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestAnyFailureToGetATokenIsFinal(t *testing.T) {
	broken := errors.New("vault is sealed")
	transport := &auth.Transport{
		Source: auth.Func(func(context.Context) (*oauth2.Token, error) { return nil, broken }),
		Hosts:  []string{"https://graph.microsoft.com"},
	}
	_, err := send(t, transport, "GET", "https://graph.microsoft.com/", nil)
	var final interface{ NoRetry() bool }
	if !errors.As(err, &final) || !final.NoRetry() || !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
	if !errors.As(auth.ErrClosed, &final) {
		t.Error("a closed source invites a retry")
	}
}
