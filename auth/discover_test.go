package auth_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// publisher serves metadata at one path and says which paths were tried.
func publisher(t *testing.T, path string, change func(issuer string, m map[string]any)) (issuer string, tried *[]string) {
	t.Helper()
	tried = &[]string{}
	mux := http.NewServeMux()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*tried = append(*tried, r.URL.Path)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	issuer = s.URL + "/tenant"
	m := map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
		"device_authorization_endpoint": issuer + "/device", "revocation_endpoint": issuer + "/revoke", "jwks_uri": issuer + "/keys",
		"code_challenge_methods_supported": []string{"plain", "S256"}, "scopes_supported": []string{"openid", "offline_access"},
		"token_endpoint_auth_methods_supported":          []string{"private_key_jwt", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true,
	}
	if change != nil {
		change(issuer, m)
	}
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(m) // a client that left is seen by the test
	})
	return issuer, tried
}

const rfc8414 = "/.well-known/oauth-authorization-server/tenant"

func TestDiscover(t *testing.T) {
	for path, tries := range map[string]int{rfc8414: 1, "/.well-known/openid-configuration/tenant": 2, "/tenant/.well-known/openid-configuration": 3} {
		issuer, tried := publisher(t, path, nil)
		a, err := auth.Discover(t.Context(), issuer, auth.DiscoverOptions{})
		if err != nil || len(*tried) != tries {
			t.Fatalf("%v, tried %v", err, *tried)
		}
		want := auth.Authority{Issuer: issuer, SendsIssuer: true, AuthURL: issuer + "/authorize", TokenURL: issuer + "/token", DeviceURL: issuer + "/device",
			RevokeURL: issuer + "/revoke", JWKSURL: issuer + "/keys", SignInScopes: []string{"offline_access"}, Style: oauth2.AuthStyleInParams, AcceptsResource: true}
		if fmt.Sprint(a) != fmt.Sprint(want) {
			t.Errorf("%+v", a)
		}
	}
}

func TestDiscoverRefuses(t *testing.T) {
	const elsewhere = "https://evil.example/x"
	for name, change := range map[string]func(issuer string, m map[string]any){
		"another issuer":       func(_ string, m map[string]any) { m["issuer"] = "https://login.example" },
		"issuer with a slash":  func(issuer string, m map[string]any) { m["issuer"] = issuer + "/" },
		"no issuer":            func(_ string, m map[string]any) { m["issuer"] = nil },
		"token elsewhere":      func(_ string, m map[string]any) { m["token_endpoint"] = elsewhere },
		"page elsewhere":       func(_ string, m map[string]any) { m["authorization_endpoint"] = elsewhere },
		"keys elsewhere":       func(_ string, m map[string]any) { m["jwks_uri"] = elsewhere },
		"revocation elsewhere": func(_ string, m map[string]any) { m["revocation_endpoint"] = elsewhere },
		"device elsewhere":     func(_ string, m map[string]any) { m["device_authorization_endpoint"] = elsewhere },
		"endpoint without TLS": func(_ string, m map[string]any) { m["token_endpoint"] = "http://login.example/token" },
		"endpoint with a user": func(issuer string, m map[string]any) {
			m["token_endpoint"] = strings.Replace(issuer, "//", "//a:b@", 1)
		},
		"no token endpoint":     func(_ string, m map[string]any) { m["token_endpoint"] = nil },
		"no PKCE":               func(_ string, m map[string]any) { m["code_challenge_methods_supported"] = nil },
		"plain PKCE only":       func(_ string, m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain"} },
		"too large":             func(_ string, m map[string]any) { m["x"] = strings.Repeat("x", 300<<10) },
		"malformed":             func(_ string, m map[string]any) { m["scopes_supported"] = "openid" },
		"endpoint is no string": func(_ string, m map[string]any) { m["token_endpoint"] = 5 },
	} {
		issuer, _ := publisher(t, rfc8414, change)
		if a, err := auth.Discover(t.Context(), issuer, auth.DiscoverOptions{}); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
	for _, issuer := range []string{"", "login.example", "http://login.example", "https://login.example?x", "https://login.example?x=1", "https://login.example#x", "https://a@login.example", "://"} {
		if _, err := auth.Discover(t.Context(), issuer, auth.DiscoverOptions{}); err == nil {
			t.Errorf("issuer %q is accepted", issuer)
		}
	}
}

func TestDiscoverAllowsListedOrigins(t *testing.T) {
	issuer, _ := publisher(t, rfc8414, func(_ string, m map[string]any) { m["jwks_uri"] = "https://keys.example/keys" })
	if _, err := auth.Discover(t.Context(), issuer, auth.DiscoverOptions{Origins: []string{"https://keys.example"}}); err != nil {
		t.Error(err)
	}
	if _, err := auth.Discover(t.Context(), issuer, auth.DiscoverOptions{Origins: []string{"http://keys.example"}}); err == nil {
		t.Error("a listed origin without TLS")
	}
}

// Redirects within the origin are followed, others are not.
func TestDiscoverRedirects(t *testing.T) {
	visited := false
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer evil.Close()
	var target string
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":%q}`, s.URL, s.URL+"/token")
	})
	target = "/moved"
	a, err := auth.Discover(t.Context(), s.URL, auth.DiscoverOptions{})
	if err != nil || a.Style != oauth2.AuthStyleInHeader || a.AuthURL != "" { // RFC 8414: without a word it is HTTP Basic
		t.Errorf("%+v, %v", a, err)
	}
	for _, target = range []string{evil.URL + "/moved", "/.well-known/oauth-authorization-server"} {
		if _, err := auth.Discover(t.Context(), s.URL, auth.DiscoverOptions{}); err == nil || visited {
			t.Errorf("redirect to %s: %v", target, err)
		}
	}
}

// A discovered server that promises iss must send the right one (RFC 9207), and
// gets the resource parameter (RFC 8707); Entra never does.
func TestIssuerAndResourceByAuthority(t *testing.T) {
	issuer, _ := publisher(t, rfc8414, nil)
	a, err := auth.Discover(t.Context(), issuer, auth.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	anyClient(s)
	a.AuthURL, a.TokenURL = s.URL+"/authorize", s.URL+"/token"
	p := newSignIn(t, auth.PKCEConfig{Authority: a, Resource: "https://mcp.example"})
	flow, err := p.Begin("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	answer := authorized(t, flow.URL)
	for _, iss := range [][]string{nil, {"https://evil.example"}, {issuer + "/"}, {issuer, issuer}, {""}} {
		answer["iss"] = iss
		if iss == nil {
			delete(answer, "iss")
		}
		if _, err := p.Complete(t.Context(), flow, answer); err == nil || s.requests() != 0 {
			t.Errorf("iss %q: %v", iss, err)
		}
	}
	answer.Set("iss", issuer)
	if _, err := p.Complete(t.Context(), flow, answer); err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(flow.URL)
	if err != nil || page.Query().Get("resource") != "https://mcp.example" || s.form(0).Get("resource") != "https://mcp.example" {
		t.Errorf("%v: no resource", err)
	}

	entra, err := auth.Entra(auth.Cloud(s.URL), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	flow, err = newSignIn(t, auth.PKCEConfig{Authority: entra, Resource: "https://mcp.example"}).Begin("http://localhost/")
	if err != nil || strings.Contains(flow.URL, "resource=") {
		t.Errorf("%v: Entra is sent a resource", err)
	}
	if entra.DeviceURL != s.URL+"/contoso.example/oauth2/v2.0/devicecode" || !slices.Equal(entra.SignInScopes, []string{"offline_access"}) {
		t.Errorf("%+v", entra)
	}
}
