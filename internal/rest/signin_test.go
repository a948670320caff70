package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
	"golang.org/x/oauth2"
)

// signIn calls an API as an application whose token endpoint is at address, and
// returns why that failed.
func signIn(t *testing.T, address string, proof auth.ClientAuth) *mcptools.Error {
	t.Helper()
	authority, err := auth.Entra(auth.Cloud(address), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: authority, ClientID: "app", ClientAuth: proof, Scopes: []string{"api/.default"}, HTTPClient: &http.Client{Timeout: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return failure(t, source)
}

// failure returns why a call fails that needs a token of source.
func failure(t *testing.T, source auth.TokenSource) *mcptools.Error {
	t.Helper()
	base, err := url.Parse("http://127.0.0.1:1/api")
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.Stack(base, source, resilience.Options{})
	if err != nil {
		t.Fatal(err)
	}
	service := &rest.Service{Name: "Halo", Base: base, Client: client}
	_, err = service.Do(t.Context(), rest.Request{Method: http.MethodGet, Path: "/x"}, nil)
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	return e
}

// What is wrong with a sign-in is seldom the credentials, and whoever is sent to
// check those looks in the wrong place.
func TestSignInFailure(t *testing.T) {
	const credentials = "client id, the secret"
	secret := auth.WithSecret(auth.NewSecret("canary-value"))
	for name, test := range map[string]struct {
		status int
		header http.Header
		body   string
		code   mcptools.Code
		says   string
		wait   time.Duration
	}{
		"wrong secret":      {401, nil, `{"error":"invalid_client","error_description":"Invalid client secret"}`, mcptools.CodeUnauthenticated, credentials, 0},
		"plain refusal":     {401, nil, `no`, mcptools.CodeUnauthenticated, credentials, 0},
		"scope":             {400, nil, `{"error":"invalid_scope"}`, mcptools.CodeUnauthenticated, "scopes", 0},
		"throttled":         {429, http.Header{"Retry-After": {"17"}}, `{}`, mcptools.CodeThrottled, "slow down", 17 * time.Second},
		"down":              {503, http.Header{"Retry-After": {"9"}}, `<html>`, mcptools.CodeUnavailable, "status 503", 9 * time.Second},
		"down without word": {502, nil, ``, mcptools.CodeUnavailable, "status 502", 30 * time.Second},
		"busy":              {400, nil, `{"error":"temporarily_unavailable"}`, mcptools.CodeUnavailable, "in trouble", 30 * time.Second},
		"another page":      {404, nil, `<html>canary-value`, mcptools.CodeUpstream, "login URL", 0},
		"a page for people": {200, nil, `<html>canary-value`, mcptools.CodeUpstream, "login URL", 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), test.header)
				if strings.HasPrefix(test.body, "{") {
					w.Header().Set("Content-Type", "application/json")
				}
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			got := signIn(t, server.URL, secret)
			if got.Code != test.code || !strings.Contains(got.Error(), test.says) || got.RetryAfter != test.wait {
				t.Errorf("%v, again in %s", got, got.RetryAfter)
			}
			if test.says != credentials && strings.Contains(got.Error(), credentials) || strings.Contains(got.Error(), "canary") {
				t.Error(got)
			}
		})
	}
}

func TestNoAnswerToSignIn(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nobody ever answers here
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	secret := auth.WithSecret(auth.NewSecret("canary-value"))
	strange := httptest.NewUnstartedServer(http.NotFoundHandler())
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS() // its certificate is its own
	defer strange.Close()
	missing := filepath.Join(t.TempDir(), "secret")
	for name, test := range map[string]struct {
		address string
		proof   auth.ClientAuth
		code    mcptools.Code
		says    []string
	}{
		"nobody listens":  {"http://127.0.0.1:1", secret, mcptools.CodeUnavailable, []string{"nothing listens", "login URL"}},
		"unknown name":    {"https://login.invalid", secret, mcptools.CodeUnavailable, []string{"login.invalid", "login URL"}},
		"silence":         {"http://" + silent.Addr().String(), secret, mcptools.CodeTimeout, []string{"in time", "login URL"}},
		"certificate":     {strange.URL, secret, mcptools.CodeUnavailable, []string{"certificate is not trusted"}},
		"no file":         {"http://127.0.0.1:1", auth.WithSecretFile(missing), mcptools.CodeUnauthenticated, []string{missing, "no such file", "settings"}},
		"no token either": {"http://127.0.0.1:1", auth.WithAssertionFile(missing), mcptools.CodeUnauthenticated, []string{missing, "settings"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := signIn(t, test.address, test.proof)
			if got.Code != test.code || strings.Contains(got.Error(), "the secret and the tenant") || strings.Contains(got.Error(), "canary") {
				t.Error(got)
			}
			for _, want := range test.says {
				if !strings.Contains(got.Error(), want) {
					t.Errorf("no %q in %v", want, got)
				}
			}
		})
	}
}

// A source says in its own words why it has no token, and what to do.
func TestSourceExplainsItself(t *testing.T) {
	own := mcptools.Errorf(mcptools.CodeUnavailable, "the vault is sealed").WithHint("unseal it")
	own.RetryAfter = time.Minute
	for name, err := range map[string]error{"as it is": own, "wrapped": fmt.Errorf("source: %w", own)} {
		source := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, err }, auth.SourceOptions{})
		got := failure(t, source)
		source.Close()
		if got.Code != own.Code || got.Message != "signing in to Halo failed: the vault is sealed" || got.Hint != own.Hint || got.RetryAfter != own.RetryAfter {
			t.Errorf("%s: %v", name, got)
		}
	}
	source := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, errors.New("canary-value") }, auth.SourceOptions{})
	defer source.Close()
	if got := failure(t, source); got.Code != mcptools.CodeUnauthenticated || strings.Contains(got.Error(), "canary") || !strings.Contains(got.Hint, "log") {
		t.Error(got)
	}
}
