package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// server is an authorization server: client credentials, and authorization
// codes with PKCE whose refresh tokens rotate, reuse of one ending the grant.
type server struct {
	*httptest.Server
	Life time.Duration // of access tokens

	mu      sync.Mutex
	reply   func(w http.ResponseWriter, form url.Values) bool // takes over when it returns true
	forms   []url.Values                                      // of every token request
	queries []url.Values
	codes   map[string]url.Values // authorization requests, by code
	refresh string                // the refresh token that is good
	serial  int
}

const clientSecret = "s3cr3t/with+signs&more"

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{Life: time.Hour, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *server) authority() auth.Authority {
	return auth.Authority{AuthURL: s.URL + "/authorize", TokenURL: s.URL + "/token", SignInScopes: []string{"offline_access"}}
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

// form returns the nth token request, from 0.
func (s *server) form(n int) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forms[n]
}

// answer makes the token endpoint answer with f from now on, nil: as usual.
func (s *server) answer(f func(w http.ResponseWriter, form url.Values) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = f
}

// authorize plays the user who signs in and consents at once.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	code := fmt.Sprintf("code-%d", s.serial)
	query := r.URL.Query()
	s.codes[code] = query
	back, err := url.Parse(query.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "redirect_uri", http.StatusBadRequest)
		return
	}
	back.RawQuery = url.Values{"code": {code}, "state": {query.Get("state")}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	form := r.PostForm
	s.forms = append(s.forms, form)
	s.queries = append(s.queries, r.URL.Query())
	if s.reply != nil && s.reply(w, form) {
		return
	}
	switch form.Get("grant_type") {
	case "client_credentials":
		if form.Get("client_secret") != clientSecret {
			refuse(w, http.StatusUnauthorized, "invalid_client", "wrong secret")
			return
		}
		s.issue(w, false)
	case "authorization_code":
		asked, ok := s.codes[form.Get("code")]
		delete(s.codes, form.Get("code"))
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if !ok || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) ||
			asked.Get("redirect_uri") != form.Get("redirect_uri") || asked.Get("client_id") != form.Get("client_id") {
			refuse(w, http.StatusBadRequest, "invalid_grant", "bad code")
			return
		}
		s.issue(w, true)
	case "refresh_token":
		if s.refresh == "" || form.Get("refresh_token") != s.refresh {
			s.refresh = ""
			refuse(w, http.StatusBadRequest, "invalid_grant", "reuse detected")
			return
		}
		s.issue(w, true)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

func (s *server) issue(w http.ResponseWriter, refresh bool) {
	s.serial++
	answer := map[string]any{
		"access_token": fmt.Sprintf("access-%d", s.serial),
		"token_type":   "Bearer",
		"expires_in":   int(s.Life / time.Second),
	}
	if refresh {
		s.refresh = fmt.Sprintf("refresh-%d", s.serial)
		answer["refresh_token"] = s.refresh
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a client that left is seen by the test
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description}) // as above
}
