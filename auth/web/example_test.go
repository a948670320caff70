package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/web"
)

// A server behind a proxy at 10.0.0.2, where people sign in with Entra, and
// each one's tokens are kept under their name.
func Example() {
	proxies, err := web.ParseProxies("10.0.0.2")
	if err != nil {
		panic(err)
	}
	authority, err := auth.Entra(auth.CloudGlobal, "8f4f4a3e-0000-4000-8000-0123456789ab")
	if err != nil {
		panic(err)
	}
	app := auth.PKCEConfig{
		Authority: authority, ClientID: "11111111-2222-3333-4444-555555555555",
		ClientAuth: auth.WithSecret(auth.NewSecret("from your vault")), Scopes: []string{"openid", "Mail.Read"},
	}
	login, err := auth.NewPKCE(app)
	if err != nil {
		panic(err)
	}
	defer login.Source().Close()
	key := make([]byte, auth.KeySize) // 32 random bytes from your vault
	keys, err := auth.NewKeyring(key)
	if err != nil {
		panic(err)
	}
	store, err := auth.NewStore(&auth.MemoryKV{}, keys, auth.StoreOptions{})
	if err != nil {
		panic(err)
	}
	accounts, err := auth.NewAccounts(auth.AccountsConfig{Store: store, SignIn: app})
	if err != nil {
		panic(err)
	}
	defer accounts.Close()
	sessions, err := web.NewSessions(web.SessionOptions{KV: &auth.MemoryKV{}, Proxies: proxies})
	if err != nil {
		panic(err)
	}
	identify := web.IDToken(authority.Issuer, app.ClientID)
	signIn, err := web.NewSignIn(web.SignInOptions{
		Flows:    login,
		Redirect: "https://tools.example/auth/callback",
		Sessions: sessions,
		User: func(ctx context.Context, token *oauth2.Token) (string, error) {
			user, err := identify(ctx, token)
			if err != nil {
				return "", err
			}
			return user, accounts.Accept(ctx, auth.Account{Subject: user}, token)
		},
		SignedOut: func(ctx context.Context, user string) error {
			return accounts.SignOut(ctx, auth.Account{Subject: user})
		},
	})
	if err != nil {
		panic(err)
	}
	limit, err := web.NewRateLimit(web.RateOptions{Every: time.Second / 10, Burst: 100, Proxies: proxies})
	if err != nil {
		panic(err)
	}
	cors, err := web.CORS(web.CORSOptions{Origins: []string{"https://tools.example"}})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", signIn.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		session, err := sessions.Get(r)
		if err != nil {
			http.Redirect(w, r, "/auth/login", http.StatusSeeOther)
			return
		}
		_, _ = fmt.Fprintln(w, "hello", session.User)
	})
	handler := web.RequireTLS(web.TLSOptions{Proxies: proxies})(
		web.Headers(web.HeaderOptions{Proxies: proxies})(
			limit.Wrap(cors(web.LimitBody(1 << 20)(mux)))))

	request := httptest.NewRequest(http.MethodGet, "http://tools.example/", nil)
	request.RemoteAddr = "10.0.0.2:1234"
	for _, protocol := range []string{"http", "https"} {
		request.Header.Set("X-Forwarded-Proto", protocol)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		fmt.Printf("%s %d %q\n", protocol, answer.Code, answer.Header().Get("Location"))
	}
	// Output:
	// http 421 ""
	// https 303 "/auth/login"
}
