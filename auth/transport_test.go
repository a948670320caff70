package auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

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
