package authtest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
)

func ExampleServer() {
	server := authtest.NewServer(authtest.Options{Dialect: authtest.Entra})
	defer server.Close()
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority:  server.Authority(),
		ClientID:   authtest.ClientID,
		ClientAuth: auth.WithSecret(auth.NewSecret("not the secret")),
		Scopes:     []string{"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	_, err = source.Token()
	failure, _ := errors.AsType[*auth.Error](err)
	fmt.Println(failure.Code, failure.Status, failure.Description[:13])
	// Output: invalid_client 401 AADSTS7000215
}

func serve(t *testing.T, options authtest.Options) *authtest.Server {
	t.Helper()
	s := authtest.NewServer(options)
	t.Cleanup(s.Close)
	return s
}

func app(t *testing.T, s *authtest.Server, change func(*auth.ClientCredentialsConfig)) *auth.Source {
	t.Helper()
	config := auth.ClientCredentialsConfig{
		Authority: s.Authority(), ClientID: authtest.ClientID, ClientAuth: auth.WithSecret(auth.NewSecret(authtest.ClientSecret)), Scopes: []string{"read:tickets"},
	}
	if change != nil {
		change(&config)
	}
	source, err := auth.NewClientCredentials(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

func signIn(t *testing.T, s *authtest.Server, change func(*auth.PKCEConfig)) (*auth.PKCE, *oauth2.Token, error) {
	t.Helper()
	config := auth.PKCEConfig{Authority: s.Authority(), ClientID: authtest.PublicClientID, Scopes: []string{"openid"}}
	if change != nil {
		change(&config)
	}
	p, err := auth.NewPKCE(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Source().Close)
	flow, err := p.Begin("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(flow.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.Complete(t.Context(), flow, back.Query())
	return p, token, err
}

func api(t *testing.T, s *authtest.Server, source auth.TokenSource) int {
	t.Helper()
	client := &http.Client{Transport: &auth.Transport{Source: source, Hosts: []string{s.URL()}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.APIURL())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func code(err error) string {
	if failure, ok := errors.AsType[*auth.Error](err); ok {
		return failure.Code
	}
	return fmt.Sprint(err)
}

func TestDialects(t *testing.T) {
	for name, test := range map[string]struct {
		dialect authtest.Dialect
		scopes  []string
	}{
		"generic": {authtest.Generic, []string{"read"}},
		"entra":   {authtest.Entra, []string{"https://graph.microsoft.com/.default"}},
		"halo":    {authtest.Halo, []string{"all"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, authtest.Options{Dialect: test.dialect})
			source := app(t, s, func(c *auth.ClientCredentialsConfig) { c.Scopes = test.scopes })
			if status := api(t, s, source); status != http.StatusOK {
				t.Errorf("API: %d", status)
			}
			p, token, err := signIn(t, s, nil)
			if err != nil || token.RefreshToken == "" {
				t.Fatalf("%v %v", token != nil, err)
			}
			p.Source().Invalidate(token)
			renewed, err := p.Source().Token()
			if err != nil || renewed.AccessToken == token.AccessToken {
				t.Fatal(err)
			}
			if rotated := renewed.RefreshToken != token.RefreshToken; rotated == (test.dialect == authtest.Entra) {
				t.Errorf("rotated: %v", rotated)
			}
			s.RevokeAll()
			p.Source().Invalidate(renewed)
			if _, err := p.Source().Token(); code(err) != "invalid_grant" {
				t.Error(err)
			}
		})
	}
}

func TestEntraManners(t *testing.T) {
	s := serve(t, authtest.Options{Dialect: authtest.Entra})
	if _, err := app(t, s, nil).Token(); code(err) != "invalid_scope" {
		t.Errorf("without .default: %v", err)
	}
	source := app(t, s, func(c *auth.ClientCredentialsConfig) {
		c.Params = url.Values{"resource": {"https://graph.microsoft.com"}}
	})
	_, err := source.Token()
	if code(err) != "invalid_target" || !strings.Contains(err.Error(), "AADSTS9010010") || !strings.Contains(err.Error(), "correlation id 00000000-dddd") {
		t.Errorf("resource: %v", err)
	}
	s.Challenge(`{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`)
	source = app(t, s, func(c *auth.ClientCredentialsConfig) { c.Scopes = []string{"https://graph.microsoft.com/.default"} })
	if status := api(t, s, source); status != http.StatusOK {
		t.Errorf("the claims challenge was not answered: %d", status)
	}
	if shown := s.Received(); len(shown) != 2 || shown[0] == shown[1] {
		t.Errorf("%d tokens shown", len(shown))
	}
}

func TestHaloManners(t *testing.T) {
	s := serve(t, authtest.Options{Dialect: authtest.Halo})
	authority, err := auth.Halo(s.URL()+"/auth", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app(t, s, func(c *auth.ClientCredentialsConfig) { c.Authority = authority }).Token(); code(err) != "invalid_request" {
		t.Errorf("without tenant: %v", err)
	}
	form := func(c *auth.ClientCredentialsConfig) {
		c.Authority, c.Params = authority, url.Values{"tenant": {authtest.HaloTenant}}
	}
	if status := api(t, s, app(t, s, form)); status != http.StatusOK {
		t.Errorf("tenant in the form: %d", status)
	}
}

func TestReuseEndsTheFamily(t *testing.T) {
	s := serve(t, authtest.Options{})
	p, first, err := signIn(t, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Source().Invalidate(first)
	if _, err := p.Source().Token(); err != nil {
		t.Fatal(err)
	}
	thief, err := auth.NewPKCE(auth.PKCEConfig{
		Authority: s.Authority(), ClientID: authtest.PublicClientID, Source: auth.SourceOptions{Initial: &oauth2.Token{RefreshToken: first.RefreshToken}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Source().Close()
	if _, err := thief.Source().Token(); code(err) != "invalid_grant" {
		t.Errorf("a used refresh token: %v", err)
	}
	current, err := p.Source().Token()
	if err != nil {
		t.Fatal(err)
	}
	p.Source().Invalidate(current)
	if _, err := p.Source().Token(); code(err) != "invalid_grant" {
		t.Errorf("the family lives on: %v", err)
	}
}

// A token of any claims is as good as one that was asked for, until all end.
func TestIssue(t *testing.T) {
	for _, dialect := range []authtest.Dialect{authtest.Generic, authtest.Entra, authtest.Halo} {
		s := serve(t, authtest.Options{Dialect: dialect})
		token := s.Issue(map[string]any{"sub": "sam", "exp": time.Now().Add(time.Hour).Unix()})
		ask := func(token string) int {
			client := &http.Client{Transport: &auth.Transport{Source: auth.Static(token), Hosts: []string{s.URL()}}}
			resp, err := client.Get(s.APIURL())
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			return resp.StatusCode
		}
		if good, made := ask(token), ask(token+"x"); good != http.StatusOK || made != http.StatusUnauthorized {
			t.Errorf("dialect %d: %d, and %d for one that was made up", dialect, good, made)
		}
		if s.RevokeAll(); ask(token) != http.StatusUnauthorized {
			t.Errorf("dialect %d: revoked, and yet good", dialect)
		}
	}
}

func TestIssuerAndDenial(t *testing.T) {
	s := serve(t, authtest.Options{})
	for _, issuer := range []string{"", "https://evil.example"} {
		s.SendIssuer(issuer)
		before := len(s.Requests())
		if _, _, err := signIn(t, s, nil); err == nil || len(s.Requests()) != before {
			t.Errorf("issuer %q: %v", issuer, err)
		}
	}
	s.SendIssuer(s.Issuer())
	s.Deny("access_denied")
	if _, _, err := signIn(t, s, nil); code(err) != "access_denied" {
		t.Error(err)
	}
	s.Deny("")
	if _, _, err := signIn(t, s, nil); err != nil {
		t.Error(err)
	}
}

func TestDiscoveryRevocationAndResource(t *testing.T) {
	s := serve(t, authtest.Options{})
	authority, err := auth.Discover(t.Context(), s.Issuer(), auth.DiscoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := s.Authority(); authority.TokenURL != want.TokenURL || authority.RevokeURL != want.RevokeURL || !authority.SendsIssuer {
		t.Errorf("%+v", authority)
	}
	source := app(t, s, func(c *auth.ClientCredentialsConfig) { c.Resource = "https://api.example" })
	token, err := source.Token()
	if err != nil || s.Requests()[0].Get("resource") != "https://api.example" {
		t.Fatal(err)
	}
	resp, err := http.PostForm(authority.RevokeURL, url.Values{
		"token": {token.AccessToken}, "client_id": {authtest.ClientID}, "client_secret": {authtest.ClientSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if status := api(t, s, auth.Static(token.AccessToken)); status != http.StatusUnauthorized {
		t.Errorf("revoked, and yet %d", status)
	}
}

func TestDeviceFlow(t *testing.T) {
	for _, approve := range []bool{true, false} {
		s := serve(t, authtest.Options{})
		device, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
			Authority: s.Authority(), ClientID: authtest.PublicClientID, Scopes: []string{"read"},
			Prompt: func(_ context.Context, prompt auth.DevicePrompt) error {
				decide := s.ApproveDevice
				if !approve {
					decide = s.DenyDevice
				}
				if !decide(prompt.UserCode) || decide("NONE") {
					t.Error("user codes are mixed up")
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		token, err := device.Login(t.Context())
		if approve && (err != nil || token.AccessToken == "") || !approve && code(err) != "access_denied" {
			t.Errorf("approved %v: %v", approve, err)
		}
		device.Source().Close()
	}
}

func certificate(t *testing.T, key crypto.Signer) (*x509.Certificate, []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, block := range []pem.Block{{Type: "PRIVATE KEY", Bytes: der}, {Type: "CERTIFICATE", Bytes: raw}} {
		if err := pem.Encode(&out, &block); err != nil {
			t.Fatal(err)
		}
	}
	return parsed, out.Bytes()
}

func TestPrivateKeyJWT(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaCert, rsaPEM := certificate(t, rsaKey)
	ecCert, ecPEM := certificate(t, ecKey)
	s := serve(t, authtest.Options{Dialect: authtest.Entra, Certificates: map[string]*x509.Certificate{"rsa": rsaCert, "ec": ecCert}})
	for _, test := range []struct {
		client string
		pem    []byte
		want   string
	}{{"rsa", rsaPEM, ""}, {"ec", ecPEM, ""}, {"rsa", ecPEM, "invalid_client"}, {"nobody", rsaPEM, "invalid_client"}} {
		proof, err := auth.WithCertificate(test.pem)
		if err != nil {
			t.Fatal(err)
		}
		source := app(t, s, func(c *auth.ClientCredentialsConfig) {
			c.ClientID, c.ClientAuth, c.Scopes = test.client, proof, []string{"api://x/.default"}
		})
		token, err := source.Token()
		if test.want == "" && err != nil || test.want != "" && code(err) != test.want {
			t.Errorf("%s: %v", test.client, err)
			continue
		}
		if test.want == "" {
			source.Invalidate(token)
			if _, err := source.Token(); err != nil {
				t.Errorf("%s again: %v", test.client, err)
			}
		}
	}
	forms := s.Requests()
	replay, err := http.PostForm(s.TokenURL(), forms[0])
	if err != nil {
		t.Fatal(err)
	}
	_ = replay.Body.Close()
	if replay.StatusCode != http.StatusUnauthorized {
		t.Errorf("a replayed assertion: %d", replay.StatusCode)
	}
}

func TestHostileAnswers(t *testing.T) {
	const marker = "t0ken-in-a-hostile-answer-0123456789"
	var sent int64
	done := make(chan struct{})
	for name, hostile := range map[string]authtest.Hostile{
		"redirect":   authtest.RedirectTo(http.StatusTemporaryRedirect, "http://127.0.0.1:1/"),
		"html":       authtest.EchoHTML,
		"json":       authtest.EchoJSON,
		"truncated":  authtest.Truncated(marker),
		"html 200":   authtest.Document("text/html", "<p>access_token="+marker),
		"no token":   authtest.Document("application/json", `{"token_type":"Bearer"}`),
		"array":      authtest.Document("application/json", `["`+marker+`"]`),
		"wrong type": authtest.Document("application/json", `{"access_token":{"a":"`+marker+`"}}`),
		"drip":       authtest.Drip(10 * time.Millisecond),
		"huge":       authtest.Huge(200<<20, func(n int64) { sent = n; close(done) }),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, authtest.Options{})
			s.Attack(hostile)
			source := app(t, s, func(c *auth.ClientCredentialsConfig) { c.Source.FetchTimeout = 500 * time.Millisecond })
			token, err := source.Token()
			if err == nil || token != nil {
				t.Fatal("believed")
			}
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err)} {
				if strings.Contains(text, authtest.ClientSecret) || strings.Contains(text, marker) || strings.Contains(text, "fake8Q") {
					t.Error(text)
				}
			}
		})
	}
	<-done
	if sent > 16<<20 {
		t.Errorf("%d bytes of a huge answer were taken", sent)
	}
	s := serve(t, authtest.Options{})
	s.Attack(authtest.Document("application/json", `{"access_token":"x","token_type":"Bearer","expires_in":99999999999}`))
	if token, err := app(t, s, nil).Token(); err != nil || time.Until(token.Expiry) > 25*time.Hour {
		t.Errorf("an absurd lifetime: %v %v", token, err)
	}
}
