package auth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

func newSignIn(t testing.TB, config auth.PKCEConfig) *auth.PKCE {
	t.Helper()
	config.ClientID = "desktop"
	if config.Scopes == nil {
		config.Scopes = []string{"Mail.Read"}
	}
	p, err := auth.NewPKCE(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Source().Close)
	return p
}

// visit plays the browser and returns the status, headers and text of the last page.
func visit(t testing.TB, page string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(page)
	if err != nil {
		t.Error(err)
		return 0, nil, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func TestLoopbackLogin(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1"} {
		t.Run(host, func(t *testing.T) {
			s := newServer(t)
			p := newSignIn(t, auth.PKCEConfig{
				Authority: s.authority(), RedirectHost: host, RedirectPath: "back",
				Params: url.Values{"prompt": {"select_account"}, "state": {"not ours"}},
				Open: func(page string) error {
					asked, err := url.Parse(page)
					if err != nil {
						return err
					}
					q := asked.Query()
					redirect, err := url.Parse(q.Get("redirect_uri"))
					if err != nil || redirect.Hostname() != host || redirect.Path != "/back" {
						t.Errorf("redirect_uri %v", redirect)
					}
					if q.Get("scope") != "Mail.Read offline_access" || q.Get("code_challenge_method") != "S256" ||
						q.Get("prompt") != "select_account" || len(q["state"]) != 1 || len(q.Get("state")) < 20 {
						t.Errorf("parameters %d", len(q))
					}
					status, header, text := visit(t, page)
					if status != http.StatusOK || !strings.Contains(text, "You can close this window") {
						t.Errorf("%d %s", status, text)
					}
					checkPage(t, header, text)
					return nil
				},
			})
			if _, err := p.Source().TokenContext(t.Context()); !needsUser(err) {
				t.Errorf("before: %v", err)
			}
			token, err := p.LoginLoopback(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same, err := p.Source().TokenContext(t.Context()) // at once: no failure is remembered
			if err != nil || same.AccessToken != token.AccessToken {
				t.Errorf("after: %v", err)
			}
		})
	}
}

func checkPage(t *testing.T, h http.Header, text string) {
	t.Helper()
	if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") ||
		h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("headers %v", h)
	}
	for _, canary := range []string{"code-", "c4n4ry", "access-", "refresh-"} {
		if strings.Contains(text, canary) {
			t.Errorf("the page reflects %q", canary)
		}
	}
}

func needsUser(err error) bool {
	failure, ok := errors.AsType[*auth.Error](err)
	return ok && failure.NeedsUser && failure.NoRetry()
}

// T7: no other program of this machine can take the address that the answer
// comes to, in either family.
func TestLoopbackIsHeldInBothFamilies(t *testing.T) {
	s := newServer(t)
	p := newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Open: func(page string) error {
		asked, err := url.Parse(page)
		if err != nil {
			return err
		}
		back, err := url.Parse(asked.Query().Get("redirect_uri"))
		if err != nil || back.Hostname() != "localhost" {
			t.Errorf("redirect URI %v, %v", back, err)
		}
		for _, address := range []string{"127.0.0.1", "::1"} {
			free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, "0"))
			if err != nil {
				t.Logf("this machine has no %s", address)
				continue
			}
			free.Close()
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, back.Port()))
			if err == nil {
				l.Close()
				t.Errorf("%s is free for others", address)
			}
			if status, _, _ := visit(t, "http://"+net.JoinHostPort(address, back.Port())+"/"); status != http.StatusMisdirectedRequest && status != http.StatusBadRequest {
				t.Errorf("%s answers %d", address, status)
			}
		}
		visit(t, page)
		return nil
	}})
	if _, err := p.LoginLoopback(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whatever another page or program sends, the sign-in goes on.
func TestLoopbackHostile(t *testing.T) {
	s := newServer(t)
	authority := s.authority()
	authority.Issuer = "https://login.example/tenant"
	p := newSignIn(t, auth.PKCEConfig{Authority: authority, Open: func(page string) error {
		asked, err := url.Parse(page)
		if err != nil {
			return err
		}
		back, state := asked.Query().Get("redirect_uri"), asked.Query().Get("state")
		attacks := []struct {
			name, method, path, query, host string
			status                          int
		}{
			{"no state", "GET", "", "code=c4n4ry", "", 400},
			{"wrong state", "GET", "", "code=c4n4ry&state=x", "", 400},
			{"state twice", "GET", "", "code=c4n4ry&state=x&state=" + state, "", 400},
			{"error without state", "GET", "", "error=access_denied&error_description=c4n4ry", "", 400},
			{"wrong issuer", "GET", "", "code=c4n4ry&iss=https://evil.example&state=" + state, "", 400},
			{"two issuers", "GET", "", "code=c4n4ry&iss=https://login.example/tenant&iss=x&state=" + state, "", 400},
			{"no code", "GET", "", "state=" + state, "", 400},
			{"two codes", "GET", "", "code=a&code=b&state=" + state, "", 400},
			{"code and error", "GET", "", "code=a&error=b&state=" + state, "", 400},
			{"wrong path", "GET", "favicon.ico", "", "", 404},
			{"wrong method", "POST", "", "code=c4n4ry&state=" + state, "", 405},
			{"head", "HEAD", "", "code=c4n4ry&state=" + state, "", 405},
			{"wrong host", "GET", "", "code=c4n4ry&state=" + state, "evil.example", 421},
			{"markup", "GET", "", "code=%3Cscript%3Ec4n4ry%3C/script%3E&state=%22%3E", "", 400},
		}
		for _, a := range attacks {
			req, err := http.NewRequestWithContext(t.Context(), a.method, back+a.path+"?"+a.query, nil)
			if err != nil {
				return err
			}
			req.Host = a.host
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != a.status {
				t.Errorf("%s: %d %v", a.name, resp.StatusCode, err)
			}
			checkPage(t, resp.Header, string(text))
		}
		if s.requests() != 0 {
			t.Errorf("%d token requests", s.requests())
		}
		visit(t, page)
		return nil
	}})
	if _, err := p.LoginLoopback(t.Context()); err != nil || s.requests() != 1 {
		t.Errorf("%v after %d token requests", err, s.requests())
	}
}

func TestLoopbackLoginFails(t *testing.T) {
	s := newServer(t)
	denied := func(page string) error {
		asked, err := url.Parse(page)
		if err != nil {
			return err
		}
		q := asked.Query()
		_, _, text := visit(t, q.Get("redirect_uri")+"?error=access_denied&error_description=The+user+said+no&state="+q.Get("state"))
		if !strings.Contains(text, "Sign-in failed") || strings.Contains(text, "said no") {
			t.Error(text)
		}
		return nil
	}
	_, err := newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Open: denied}).LoginLoopback(t.Context())
	if failure, ok := errors.AsType[*auth.Error](err); !ok || failure.Code != "access_denied" || failure.Description != "The user said no" || !failure.NeedsUser {
		t.Errorf("denied: %v", err)
	}

	broken := errors.New("no browser")
	_, err = newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Open: func(string) error { return broken }}).LoginLoopback(t.Context())
	if !errors.Is(err, broken) {
		t.Errorf("no browser: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Open: func(string) error { return nil }}).LoginLoopback(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody signs in: %v", err)
	}
	if _, err := newSignIn(t, auth.PKCEConfig{Authority: s.authority()}).LoginLoopback(t.Context()); err == nil {
		t.Error("Open is not needed")
	}
}

func TestCompleteIsSingleUse(t *testing.T) {
	s := newServer(t)
	p := newSignIn(t, auth.PKCEConfig{Authority: s.authority()})
	flow, err := p.Begin("https://portal.example/back")
	if err != nil {
		t.Fatal(err)
	}
	back := authorized(t, flow.URL)
	other, err := p.Begin("https://portal.example/back")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Complete(t.Context(), other, back); err == nil {
		t.Error("another user's flow took the answer")
	}
	if _, err := p.Complete(t.Context(), nil, back); err == nil {
		t.Error("no flow took the answer")
	}
	if _, err := p.Complete(t.Context(), flow, back); err != nil {
		t.Error(err)
	}
	if _, err := p.Complete(t.Context(), flow, back); err == nil || s.requests() != 1 {
		t.Errorf("second use: %v", err)
	}
	for _, redirect := range []string{"http://portal.example/back", "https://a:b@portal.example/", "custom:/x", ""} {
		if _, err := p.Begin(redirect); err == nil {
			t.Errorf("redirect to %q is accepted", redirect)
		}
	}
}

// The refresh token rotates, and the server ends the grant when an old one is
// used: many callers must share one refresh.
func TestRotation(t *testing.T) {
	s := newServer(t)
	s.Life = 2 * time.Second // renewed when half is left, in the background
	p := newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Open: func(page string) error { visit(t, page); return nil }})
	if _, err := p.LoginLoopback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		token, err := p.Source().TokenContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.Source().Invalidate(token)
	}
	if s.requests() != 1+4 {
		t.Errorf("%d token requests", s.requests())
	}

	s.answer(func(w http.ResponseWriter, _ url.Values) bool { // the user takes the consent back
		refuse(w, http.StatusBadRequest, "invalid_grant", "revoked")
		return true
	})
	before := s.requests()
	for range 3 {
		if _, err := p.Source().TokenContext(t.Context()); !needsUser(err) {
			t.Errorf("revoked: %v", err)
		}
		time.Sleep(600 * time.Millisecond) // the failure is forgotten in between
	}
	if n := s.requests() - before; n != 1 {
		t.Errorf("%d tries with a dead refresh token", n)
	}
}

func TestSignInAgainDuringRenewal(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	store := &shelf{}
	p := newSignIn(t, auth.PKCEConfig{
		Authority: s.authority(), Open: func(page string) error { visit(t, page); return nil },
		Source: auth.SourceOptions{Initial: &oauth2.Token{RefreshToken: "of the old user"}, Save: store.save},
		HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.FormValue("grant_type") == "refresh_token" {
				<-release
				w := httptest.NewRecorder()
				_, _ = io.WriteString(w, `{"access_token":"old user","token_type":"Bearer","expires_in":3600}`)
				return w.Result(), nil
			}
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			r.Body = body
			return http.DefaultTransport.RoundTrip(r)
		})},
	})
	got := make(chan string)
	go func() {
		token, err := p.Source().TokenContext(t.Context())
		if err != nil {
			t.Error(err)
			token = &oauth2.Token{}
		}
		got <- token.AccessToken
	}()
	time.Sleep(10 * time.Millisecond)
	token, err := p.LoginLoopback(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	if waited := <-got; waited != token.AccessToken {
		t.Errorf("the waiting caller got %q", waited)
	}
	if now, err := p.Source().TokenContext(t.Context()); err != nil || now.AccessToken != token.AccessToken {
		t.Errorf("%v", err)
	}
	if len(store.saved) != 1 || store.saved[0] != token.RefreshToken {
		t.Errorf("saved %v", store.saved)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestLoopbackIsLeftClean(t *testing.T) {
	s := newServer(t)
	var back string
	p := newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Open: func(page string) error {
		asked, err := url.Parse(page)
		back = asked.Query().Get("redirect_uri")
		visit(t, page)
		return err
	}})
	before := runtime.NumGoroutine()
	for range 5 {
		if _, err := p.LoginLoopback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.Get(back); err == nil {
			resp.Body.Close()
			t.Error("the page is still there")
		}
	}
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
