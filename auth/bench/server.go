package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

// server plays Entra, and the rest of the internet.
type server struct {
	life     int
	delay    time.Duration
	answer   func(w http.ResponseWriter, r *http.Request) // instead of a token, if set
	requests atomic.Int64
	evil     atomic.Bool // the secret has reached another host
	local    *httptest.Server
}

func serve(life int, delay time.Duration) *server {
	s := &server{life: life, delay: delay}
	s.local = httptest.NewServer(s)
	return s
}

// client reaches the server whatever the address says, in plain text.
func (s *server) client() *http.Client {
	return &http.Client{Transport: rewriting{s.local.Listener.Addr(), &http.Transport{MaxIdleConnsPerHost: 16}}}
}

type rewriting struct {
	to   net.Addr
	base *http.Transport
}

func (t rewriting) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.Host = r.URL.Host
	out.URL.Scheme, out.URL.Host = "http", t.to.String()
	resp, err := t.base.RoundTrip(out)
	if resp != nil {
		resp.Request = r // redirects are relative to where it seemed to go
	}
	return resp, err
}

// ServeHTTP implements [http.Handler].
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	base := entra + "/" + tenant
	switch {
	case r.Host != "login.microsoftonline.com":
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil && strings.Contains(string(body), "bench8Q") {
			s.evil.Store(true)
		}
		_, _ = io.WriteString(w, `{"access_token":"evil","token_type":"Bearer","expires_in":3600,"ext_expires_in":3600}`)
	case strings.HasSuffix(r.URL.Path, "openid-configuration"):
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": base + "/v2.0", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
		})
	default:
		n := s.requests.Add(1)
		time.Sleep(s.delay)
		if s.answer != nil {
			s.answer(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d,"ext_expires_in":%d}`, n, s.life, s.life)
	}
}

func refuse(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
}

func redirect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "https://evil.example/token")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func echoHTML(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = fmt.Fprintf(w, "<html><h1>Bad gateway</h1><pre>%s</pre></html>", html.EscapeString(fmt.Sprint(r.Form)))
}

func echoJSON(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_request", "error_description": fmt.Sprint("cannot handle ", r.Form)})
}

func truncate(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"live8Q~token-in-a-truncated-answer","ext_`)
}

// flood sends size bytes of a token and counts what goes out.
func flood(size int64, sent *atomic.Int64) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("a", 64<<10))
		_, err := io.WriteString(w, `{"access_token":"`)
		for err == nil && sent.Load() < size {
			var n int
			n, err = w.Write(chunk)
			sent.Add(int64(n))
		}
	}
}

var errNone = errors.New("there should have been an error")
