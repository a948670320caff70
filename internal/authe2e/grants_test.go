package authe2e

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

func asError(err error, into **auth.Error) bool { return errors.As(err, into) }

func TestPKCE(t *testing.T) {
	p := startProvider(t, nil)
	login, alex := p.desktop(t, nil), newPerson(t)
	flow, answer := alex.signIn(login)
	if answer.Get("iss") != p.issuer {
		t.Errorf("no iss in %v", answer)
	}
	thief := p.desktop(t, nil)
	stolen, err := thief.Begin("http://localhost:47115/")
	if err != nil {
		t.Fatal(err)
	}
	theirs := maps.Clone(answer)
	u, err := url.Parse(stolen.URL)
	if err != nil {
		t.Fatal(err)
	}
	theirs.Set("state", u.Query().Get("state"))
	if _, err := thief.Complete(t.Context(), stolen, theirs); code(err) != "invalid_grant" {
		t.Errorf("a stolen code, without its verifier: %v", err)
	}
	token, err := login.Complete(t.Context(), flow, answer)
	if err != nil || token.AccessToken == "" || token.RefreshToken == "" {
		t.Fatalf("the rightful one: %v", err)
	}
	forms := p.requests()
	if status, answer := p.ask(t, p.authority.TokenURL, forms[len(forms)-1]); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("a code redeemed twice, with its verifier: %d %v", status, answer)
	}
	login.Source().Invalidate(token)
	if _, err := login.Source().Token(); code(err) != "invalid_grant" {
		t.Errorf("what came of a replayed code should be dead: %v", err) // RFC 6749 section 4.1.2
	}
	naked, err := url.Parse(flow.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := naked.Query()
	query.Del("code_challenge")
	query.Del("code_challenge_method")
	naked.RawQuery = query.Encode()
	if back, _ := newPerson(t).walk(naked.String()); back.Query().Get("error") != "invalid_request" {
		t.Errorf("without a challenge: %v", back)
	}
}

func TestConfidentialWebClient(t *testing.T) {
	p := startProvider(t, nil)
	for secret, want := range map[string]string{"web+secret/with signs&more": "", "another": "invalid_client"} {
		login := p.desktop(t, func(c *auth.PKCEConfig) {
			c.ClientID, c.ClientAuth = "web", auth.WithSecret(auth.NewSecret(secret))
			c.Authority.Style = oauth2.AuthStyleInHeader
		})
		flow, answer := newPerson(t).signIn(login)
		if _, err := login.Complete(t.Context(), flow, answer); want == "" && err != nil || want != "" && code(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestIssuer(t *testing.T) {
	p := startProvider(t, nil)
	if !p.authority.SendsIssuer || p.authority.Issuer != p.issuer {
		t.Fatalf("%+v", p.authority)
	}
	login, alex := p.desktop(t, nil), newPerson(t)
	flow, answer := alex.signIn(login)
	before := len(p.requests())
	for name, change := range map[string]func(url.Values){
		"missing": func(v url.Values) { v.Del("iss") },
		"wrong":   func(v url.Values) { v.Set("iss", "https://evil.example") },
		"twice":   func(v url.Values) { v.Add("iss", p.issuer) },
		"slash":   func(v url.Values) { v.Set("iss", p.issuer+"/") },
		"state":   func(v url.Values) { v.Set("state", "x"+v.Get("state")) },
	} {
		altered := maps.Clone(answer)
		altered["iss"] = append([]string(nil), answer["iss"]...)
		change(altered)
		if _, err := login.Complete(t.Context(), flow, altered); err == nil || len(p.requests()) != before {
			t.Errorf("%s: %v, %d token requests", name, err, len(p.requests())-before)
		}
	}
	if _, err := login.Complete(t.Context(), flow, answer); err != nil {
		t.Errorf("and then the true one: %v", err)
	}
}

func TestRotationAndReuse(t *testing.T) {
	p := startProvider(t, nil)
	login := p.desktop(t, nil)
	first := newPerson(t).token(login)
	before := len(p.requests())
	login.Source().Invalidate(first)
	var callers sync.WaitGroup
	for range 500 {
		callers.Go(func() {
			if _, err := login.Source().Token(); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	second, err := login.Source().Token()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.requests()) - before; n != 1 || second.RefreshToken == first.RefreshToken {
		t.Errorf("%d renewals for 500 callers, rotated: %v", n, second.RefreshToken != first.RefreshToken)
	}
	thief := p.desktop(t, func(c *auth.PKCEConfig) { c.Source.Initial = &oauth2.Token{RefreshToken: first.RefreshToken} })
	if _, err := thief.Source().Token(); code(err) != "invalid_grant" {
		t.Errorf("a refresh token used twice: %v", err)
	}
	login.Source().Invalidate(second)
	_, err = login.Source().Token()
	var failure *auth.Error
	if !asError(err, &failure) || failure.Code != "invalid_grant" || !failure.NeedsUser {
		t.Errorf("the family should have died: %v", err)
	}
	again := newPerson(t).token(login) // and a new sign-in mends it
	if now, err := login.Source().Token(); err != nil || now.AccessToken != again.AccessToken {
		t.Error(err)
	}
}

func TestRevocation(t *testing.T) {
	p := startProvider(t, nil)
	if p.authority.RevokeURL == "" {
		t.Fatal("the revocation endpoint was not discovered")
	}
	login := p.desktop(t, nil)
	token := newPerson(t).token(login)
	if status, answer := p.ask(t, p.authority.RevokeURL, url.Values{"token": {token.RefreshToken}, "client_id": {"desktop"}}); status != 200 {
		t.Fatalf("%d %v", status, answer)
	}
	before := len(p.requests())
	login.Source().Invalidate(token)
	for range 5 {
		if _, err := login.Source().Token(); err == nil {
			t.Error("it goes on")
		}
	}
	if n := len(p.requests()) - before; n != 1 {
		t.Errorf("%d attempts with a revoked grant", n)
	}
}

func TestDeviceFlow(t *testing.T) {
	p := startProvider(t, nil)
	device, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
		Authority: p.authority, ClientID: "desktop", Scopes: []string{"openid", "tickets:read"},
		Prompt: func(_ context.Context, prompt auth.DevicePrompt) error {
			alex := newPerson(t)
			alex.typed["user_code"] = prompt.UserCode
			_, page := alex.walk(prompt.URL) //nolint:contextcheck // the person is not part of the program
			if !strings.Contains(strings.ToLower(page), "success") {
				t.Errorf("the device page: %s", page)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Source().Close()
	token, err := device.Login(t.Context())
	if err != nil || token.AccessToken == "" || token.RefreshToken == "" {
		t.Fatal(err)
	}
	device.Source().Invalidate(token)
	if _, err := device.Source().Token(); err != nil {
		t.Errorf("its renewal: %v", err)
	}
}

func TestClientCredentials(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ecKey.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	p := startProvider(t, map[string]any{"jwks": map[string]any{"keys": []any{
		map[string]any{"kty": "RSA", "kid": "rsa-1", "use": "sig", "n": encode(rsaKey.N.Bytes()), "e": encode(big.NewInt(int64(rsaKey.E)).Bytes())},
		map[string]any{"kty": "EC", "crv": "P-256", "kid": "ec-1", "use": "sig", "x": encode(point[1:33]), "y": encode(point[33:])},
	}}})
	signed := func(key crypto.Signer, id string) auth.ClientAuth {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := auth.WithPrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), id)
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	secret := func(value string) auth.ClientAuth { return auth.WithSecret(auth.NewSecret(value)) }
	for _, test := range []struct {
		name, client string
		proof        auth.ClientAuth
		style        oauth2.AuthStyle
		want         string
	}{
		{"secret in the form", "app-post", secret("post-secret"), oauth2.AuthStyleInParams, ""},
		{"secret in a header", "app-basic", secret("basic+secret/&%"), oauth2.AuthStyleInHeader, ""},
		{"PS256", "app-rsa", signed(rsaKey, "rsa-1"), 0, ""},
		{"ES256", "app-ec", signed(ecKey, "ec-1"), 0, ""},
		{"wrong secret", "app-post", secret("another"), oauth2.AuthStyleInParams, "invalid_client"},
		{"wrong key", "app-ec", signed(stranger, "ec-1"), 0, "invalid_client"},
		{"another's key", "app-rsa", signed(ecKey, "ec-1"), 0, "invalid_client"},
	} {
		t.Run(test.name, func(t *testing.T) {
			authority := p.authority
			if test.style != 0 {
				authority.Style = test.style
			}
			source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{Authority: authority, ClientID: test.client, ClientAuth: test.proof, Scopes: []string{"tickets:read"}})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			for range 2 { // a second assertion needs an id of its own
				token, err := source.Token()
				if test.want == "" && err != nil || test.want != "" && code(err) != test.want {
					t.Fatal(err)
				}
				source.Invalidate(token)
			}
		})
	}
}

// TestResourceIndicators is RFC 8707: on, and off.
func TestResourceIndicators(t *testing.T) {
	const api = "https://tickets.example/mcp"
	for _, on := range []bool{true, false} {
		p := startProvider(t, map[string]any{"resources": on})
		authority := p.authority
		authority.AcceptsResource = on
		login := p.desktop(t, func(c *auth.PKCEConfig) { c.Authority, c.Resource = authority, api })
		token := newPerson(t).token(login)
		login.Source().Invalidate(token)
		renewed, err := login.Source().Token()
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range p.requests() {
			if form.Has("resource") != on {
				t.Errorf("resources %v: %v", on, form.Get("resource"))
			}
		}
		for _, one := range []*oauth2.Token{token, renewed} {
			claims, isJWT := audience(one.AccessToken)
			if on && claims != api || !on && isJWT {
				t.Errorf("resources %v: the token is for %q", on, claims)
			}
		}
	}
}

// audience reads aud of a JWT.
func audience(token string) (string, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	_, after, found := strings.Cut(string(raw), `"aud":"`)
	aud, _, _ := strings.Cut(after, `"`)
	return aud, found
}

// TestStepUp asks for one more permission later: the server asks the person
// for the difference only, and the new token has both.
func TestStepUp(t *testing.T) {
	p := startProvider(t, nil)
	alex := newPerson(t)
	login := p.desktop(t, nil)
	first := alex.token(login)
	if granted := first.Extra("scope"); granted != "openid tickets:read" {
		t.Errorf("first granted %v", granted)
	}
	more := p.desktop(t, func(c *auth.PKCEConfig) { c.Scopes = []string{"openid", "tickets:read", "tickets:write"} })
	second := alex.token(more)
	if granted := second.Extra("scope"); granted != "openid tickets:read tickets:write" {
		t.Errorf("then granted %v", granted)
	}
	consent := alex.pages[len(alex.pages)-1]
	if !strings.Contains(consent, "<li>tickets:write</li>") || strings.Contains(consent, "<li>tickets:read</li>") {
		t.Errorf("asked for more than the difference: %s", consent)
	}
	silent := p.desktop(t, func(c *auth.PKCEConfig) { c.Params = url.Values{"prompt": {"none"}} })
	flow, answer := newPerson(t).signIn(silent)
	_, err := silent.Complete(t.Context(), flow, answer)
	var failure *auth.Error
	if !asError(err, &failure) || failure.Code != "login_required" && failure.Code != "interaction_required" || !failure.NeedsUser {
		t.Errorf("nobody is signed in there: %v", err)
	}
}
