package web_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/web"
)

const canary = "canary-token-do-not-show"

// provider is an identity provider where everybody is somebody at once.
func provider(t testing.TB) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"code"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": canary, "token_type": "Bearer", "expires_in": 3600, "id_token": idToken(map[string]any{
			"iss": server.URL, "aud": "client", "sub": "alice", "exp": time.Now().Add(time.Hour).Unix(),
		})})
	})
	return server
}

func idToken(claims map[string]any) string {
	data, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(data) + ".x"
}

// site is a web server with sign-in, and what it was told.
type site struct {
	*httptest.Server
	sessions  *web.Sessions
	accounts  *auth.Accounts
	provider  *httptest.Server
	kv        *memory
	failure   atomic.Pointer[error]
	signedOut atomic.Pointer[string]
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{provider: provider(t), kv: &memory{}}
	s.sessions = newSessions(t, s.kv)
	config := auth.PKCEConfig{
		Authority: auth.Authority{Issuer: s.provider.URL, AuthURL: s.provider.URL + "/authorize", TokenURL: s.provider.URL + "/token"}, ClientID: "client", Scopes: []string{"openid"},
	}
	pkce, err := auth.NewPKCE(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pkce.Source().Close() })
	keys, err := auth.NewKeyring(make([]byte, auth.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store, err := auth.NewStore(&auth.MemoryKV{}, keys, auth.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.accounts, err = auth.NewAccounts(auth.AccountsConfig{Store: store, SignIn: config}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.accounts.Close)
	identify := web.IDToken(s.provider.URL, "client")
	mux := http.NewServeMux()
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	limit, err := web.NewRateLimit(web.RateOptions{Every: time.Millisecond, Burst: 1_000})
	if err != nil {
		t.Fatal(err)
	}
	signIn, err := web.NewSignIn(web.SignInOptions{
		Flows: pkce, Redirect: s.URL + "/auth/callback", Sessions: s.sessions, Home: "/home", Limit: limit,
		User: func(ctx context.Context, token *oauth2.Token) (string, error) {
			user, err := identify(ctx, token)
			if err != nil {
				return "", err
			}
			return user, s.accounts.Accept(ctx, auth.Account{Subject: user}, token)
		},
		SignedOut: func(ctx context.Context, user string) error {
			s.signedOut.Store(&user)
			return s.accounts.SignOut(ctx, auth.Account{Subject: user})
		},
		Failed: func(_ *http.Request, err error) { s.failure.Store(&err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/auth/", signIn.Handler())
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, r *http.Request) {
		session, err := s.sessions.Get(r)
		if err != nil {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "hello "+session.User)
	})
	return s
}

// browser keeps cookies and follows no redirects by itself.
type browser struct {
	t testing.TB
	*http.Client
}

func (s *site) browser(t testing.TB) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *s.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return browser{t, &client}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (b browser) do(method, address string, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// begin goes to the identity provider and returns the way back.
func (b browser) begin(s *site) string {
	b.t.Helper()
	login := b.do(http.MethodGet, s.URL+"/auth/login")
	if login.status != http.StatusSeeOther {
		b.t.Fatal(login)
	}
	cookie := login.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-login=") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax") {
		b.t.Errorf("login cookie %q", cookie)
	}
	back := b.do(http.MethodGet, login.header.Get("Location"))
	return back.header.Get("Location")
}

func TestSignIn(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	if home := b.do(http.MethodGet, s.URL+"/home"); home.status != http.StatusUnauthorized {
		t.Fatal(home)
	}
	done := b.do(http.MethodGet, b.begin(s))
	checkPage(t, done)
	if done.status != 200 || !strings.Contains(done.body, "Signed in") || !strings.Contains(done.body, `<meta http-equiv="refresh" content="0;url=/home">`) {
		t.Fatal(done)
	}
	want := "hello " + s.provider.URL + "|alice"
	if home := b.do(http.MethodGet, s.URL+"/home"); home.body != want {
		t.Fatal(home)
	}
	account := auth.Account{Subject: s.provider.URL + "|alice"}
	if token, err := s.accounts.Source(account).TokenContext(t.Context()); err != nil || token.AccessToken != canary {
		t.Error("the user's account has no token:", err)
	}
	if all := fmt.Sprint(done.header, s.kv.values); strings.Contains(all, canary) {
		t.Error("a token is in a cookie or in the session")
	}
	// Signing in again ends the session from before, even though the browser
	// does not send its cookie on the way back from another site.
	before := s.kv.ids()
	again := b.begin(s)
	strict := s.browser(t)
	for _, c := range b.Jar.Cookies(mustParse(t, s.URL)) {
		if c.Name == "__Host-login" {
			strict.Jar.SetCookies(mustParse(t, s.URL), []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/", Secure: true}})
		}
	}
	if done := strict.do(http.MethodGet, again); done.status != 200 {
		t.Fatal(done)
	}
	if after := s.kv.ids(); len(after) != 1 || after[0] == before[0] {
		t.Errorf("sessions before %v, after %v", before, after)
	}
	if home := b.do(http.MethodGet, s.URL+"/home"); home.status != http.StatusUnauthorized {
		t.Error("the old session lives on")
	}

	ask := strict.do(http.MethodGet, s.URL+"/auth/logout")
	checkPage(t, ask)
	if home := strict.do(http.MethodGet, s.URL+"/home"); home.body != want || !strings.Contains(ask.body, `<form method="post" action="/auth/logout">`) {
		t.Error("asking signed out", home, ask)
	}
	if out := strict.do(http.MethodPost, s.URL+"/auth/logout", "Sec-Fetch-Site", "cross-site"); out.status != http.StatusForbidden {
		t.Error("signed out by another site", out)
	}
	out := strict.do(http.MethodPost, s.URL+"/auth/logout", "Sec-Fetch-Site", "same-origin")
	checkPage(t, out)
	if home := strict.do(http.MethodGet, s.URL+"/home"); home.status != http.StatusUnauthorized || len(s.kv.ids()) != 0 || s.signedOut.Load() == nil {
		t.Error("not signed out", home)
	}
	_, err := s.accounts.Source(account).TokenContext(t.Context())
	if failure, typed := errors.AsType[*auth.Error](err); !typed || !failure.NeedsUser {
		t.Error("the account outlives the sign-out:", err)
	}
}

func mustParse(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// checkPage checks what all pages have in common.
func checkPage(t testing.TB, a answer) {
	t.Helper()
	policy := a.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8"} {
		if a.header.Get(name) != want {
			t.Errorf("%s: %q", name, a.header.Get(name))
		}
	}
	if strings.Contains(a.body, "<script") || strings.Contains(a.body, canary) || strings.Contains(a.body, "ZgotmplZ") {
		t.Errorf("page %s", a.body)
	}
}

// TestSignInHostile is the web part of threat T6: what a page in the user's
// browser can try. Nothing of it signs anybody in, shows anything of the
// request, or spoils the sign-in that is under way.
func TestSignInHostile(t *testing.T) {
	s := newSite(t)
	victim, attacker := s.browser(t), s.browser(t)
	callback := s.URL + "/auth/callback"
	back := victim.begin(s)
	foreign := attacker.begin(s)
	state := mustParse(t, back).Query().Get("state")
	for _, test := range []struct {
		name    string
		browser browser
		method  string
		url     string
		status  int
	}{
		{"login CSRF: the attacker's answer", victim, "GET", foreign, 400},
		{"the victim's answer elsewhere", attacker, "GET", back, 400},
		{"without a cookie", s.browser(t), "GET", back, 400},
		{"wrong state", victim, "GET", callback + "?code=x&state=y", 400},
		{"two states", victim, "GET", back + "&state=y", 400},
		{"no state", victim, "GET", callback + "?code=x", 400},
		{"nothing", victim, "GET", callback, 400},
		{"two codes", victim, "GET", back + "&code=injected", 400},
		{"error without state", victim, "GET", callback + "?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E", 400},
		{"posted", victim, "POST", back, 405},
		{"another path", victim, "GET", s.URL + "/auth/callback/x?" + mustParse(t, back).RawQuery, 404},
	} {
		got := test.browser.do(test.method, test.url)
		if got.status != test.status {
			t.Errorf("%s: %d", test.name, got.status)
		}
		if got.status == 400 {
			checkPage(t, got)
		}
		for _, inside := range []string{"alert(1)", "access_denied", "injected", state} {
			if strings.Contains(got.body, inside) {
				t.Errorf("%s: the page reflects %q", test.name, inside)
			}
		}
		if strings.Contains(got.header.Get("Set-Cookie"), "__Host-session") || len(s.kv.ids()) != 0 {
			t.Errorf("%s: a session began", test.name)
		}
	}
	if done := victim.do("GET", back); done.status != 200 {
		t.Fatal("the sign-in was spoiled:", done)
	}
	if replay := victim.do("GET", back); replay.status != 400 {
		t.Error("replayed:", replay.status)
	}
	if len(s.kv.ids()) != 1 {
		t.Errorf("%d sessions", len(s.kv.ids()))
	}
}

func TestSignInRefusedByUser(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	u := mustParse(t, b.begin(s))
	q := u.Query()
	q.Del("code")
	q.Set("error", "access_denied")
	q.Set("error_description", "<script>alert(1)</script>")
	u.RawQuery = q.Encode()
	got := b.do("GET", u.String())
	checkPage(t, got)
	failure, typed := errors.AsType[*auth.Error](*s.failure.Load())
	if got.status != http.StatusForbidden || !typed || failure.Code != "access_denied" || strings.Contains(got.body, "alert") {
		t.Error(got, failure)
	}
	if again := b.do("GET", u.String()); again.status != http.StatusBadRequest {
		t.Error(again)
	}
}

func TestSignInNeedsTLS(t *testing.T) {
	s := newSite(t)
	signIn, err := web.NewSignIn(web.SignInOptions{Flows: &auth.PKCE{}, Redirect: s.URL + "/auth/callback", Sessions: s.sessions, User: web.IDToken("i", "c")})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://tools.example/auth/login", nil)
	if w := serve(signIn.Handler(), r); w.Code != http.StatusMisdirectedRequest || w.Header().Get("Set-Cookie") != "" {
		t.Error(w.Code, w.Header())
	}
	// And by default, who tries often has to wait.
	last := 0
	for range 20 {
		last = serve(signIn.Handler(), r).Code
	}
	if last != http.StatusTooManyRequests {
		t.Error(last)
	}
}

func TestSignInOptions(t *testing.T) {
	good := func() web.SignInOptions {
		return web.SignInOptions{Flows: &auth.PKCE{}, Redirect: "https://tools.example/auth/callback", Sessions: newSessions(t, &memory{}), User: web.IDToken("i", "c")}
	}
	if _, err := web.NewSignIn(good()); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*web.SignInOptions){
		"flows": func(o *web.SignInOptions) { o.Flows = nil }, "sessions": func(o *web.SignInOptions) { o.Sessions = nil }, "user": func(o *web.SignInOptions) { o.User = nil },
		"http": func(o *web.SignInOptions) { o.Redirect = "http://tools.example/cb" }, "query": func(o *web.SignInOptions) { o.Redirect += "?x" }, "fragment": func(o *web.SignInOptions) { o.Redirect += "#x" },
		"no path": func(o *web.SignInOptions) { o.Redirect = "https://tools.example" }, "root": func(o *web.SignInOptions) { o.Redirect = "https://tools.example/" }, "dots": func(o *web.SignInOptions) { o.Redirect = "https://tools.example/a/../b" },
		"login": func(o *web.SignInOptions) { o.Redirect = "https://tools.example/login" }, "wildcard": func(o *web.SignInOptions) { o.Redirect = "https://tools.example/{x}/cb" },
		"home elsewhere": func(o *web.SignInOptions) { o.Home = "https://evil.example" }, "home //": func(o *web.SignInOptions) { o.Home = "//evil.example" }, "home \\": func(o *web.SignInOptions) { o.Home = `/\evil.example` },
	} {
		o := good()
		spoil(&o)
		if _, err := web.NewSignIn(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestIDToken(t *testing.T) {
	now := time.Now().Unix()
	const issuer = "https://login.example/t1/v2.0"
	identify := web.IDToken(issuer, "client")
	for _, test := range []struct {
		name   string
		claims map[string]any
		want   string
	}{
		{"plain", map[string]any{"iss": issuer, "aud": "client", "sub": "s", "exp": now + 60}, issuer + "|s"},
		{"list", map[string]any{"iss": issuer, "aud": []string{"client"}, "sub": "s", "exp": now + 60}, issuer + "|s"},
		{"tenant", map[string]any{"iss": issuer, "aud": "client", "sub": "s", "tid": "t1", "oid": "o", "exp": now + 60}, "t1|o"},
		{"other tenant", map[string]any{"iss": issuer, "aud": "client", "sub": "s", "tid": "t2", "oid": "o", "exp": now + 60}, issuer + "|s"},
		{"issuer", map[string]any{"iss": "x", "aud": "client", "sub": "s", "exp": now + 60}, ""},
		{"audience", map[string]any{"iss": issuer, "aud": "other", "sub": "s", "exp": now + 60}, ""},
		{"audiences", map[string]any{"iss": issuer, "aud": []string{"client", "other"}, "sub": "s", "exp": now + 60}, ""},
		{"expired", map[string]any{"iss": issuer, "aud": "client", "sub": "s", "exp": now - 120}, ""},
		{"no expiry", map[string]any{"iss": issuer, "aud": "client", "sub": "s"}, ""},
		{"no subject", map[string]any{"iss": issuer, "aud": "client", "exp": now + 60}, ""},
	} {
		token := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": idToken(test.claims)})
		if got, err := identify(t.Context(), token); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q %v", test.name, got, err)
		}
	}
	for _, raw := range []any{nil, 7, "", "a.b", "a.%.c", "a.e30.c.d"} {
		if got, err := identify(t.Context(), (&oauth2.Token{}).WithExtra(map[string]any{"id_token": raw})); got != "" || err == nil {
			t.Errorf("%v: %q", raw, got)
		}
	}
}
