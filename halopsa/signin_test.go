package halopsa_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// The source finds the authorization server by itself, once, and not before the
// first token.
func TestSourceDiscovers(t *testing.T) {
	fake := halotest.New(halotest.Options{})
	defer fake.Close()
	source, err := halopsa.NewSource(halopsa.Credentials{
		URL: fake.URL(), ClientID: halotest.ClientID, ClientAuth: auth.WithSecret(auth.NewSecret(halotest.ClientSecret)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if n := len(fake.Requests()); n != 0 {
		t.Fatalf("%d requests before the first token", n)
	}
	for range 3 {
		if token, err := source.TokenContext(t.Context()); err != nil || token.AccessToken == "" {
			t.Fatal(err)
		}
	}
	if fake.TokenRequests() != 1 {
		t.Errorf("%d token requests", fake.TokenRequests())
	}
	if v := fake.Violations(); len(v) > 0 {
		t.Error(v)
	}
	source.Close()
	if _, err := source.TokenContext(t.Context()); err == nil {
		t.Error("a closed source hands out tokens")
	}
}

func TestSourceNeedsCredentials(t *testing.T) {
	for _, c := range []halopsa.Credentials{
		{},
		{URL: "https://psa.example"},
		{URL: "https://psa.example", ClientID: "id"},
		{URL: "psa.example", ClientID: "id", ClientAuth: auth.WithSecret(auth.NewSecret("x"))},
	} {
		if _, err := halopsa.NewSource(c); err == nil {
			t.Errorf("%+v is enough", c)
		}
	}
}

func TestDiscover(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/halo/api/authinfo" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte(answer)) // a broken connection fails the test elsewhere
	}))
	defer server.Close()
	for _, test := range []struct{ answer, authURL, tenant string }{
		{`{"auth_url":"https://auth.psa.example","tenant_id":"nordlicht"}`, "https://auth.psa.example", "nordlicht"},
		{`{}`, server.URL + "/halo/auth", ""},
		{`{"auth_url":"not an address"}`, "", ""},
		{`{"auth_url":"https://user:password@psa.example"}`, "", ""},
	} {
		answer = test.answer
		instance, err := halopsa.Discover(t.Context(), server.URL+"/halo", nil)
		if (err != nil) != (test.authURL == "") || instance.AuthURL != test.authURL || instance.Tenant != test.tenant {
			t.Errorf("%s: %+v, %v", test.answer, instance, err)
		}
	}
	if _, err := halopsa.Discover(t.Context(), "http://psa.example", nil); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("discovery without https: %v", err)
	}
}

// An instance that cannot be asked where to sign in says nothing about the
// credentials.
func TestSignInSaysWhatIsWrong(t *testing.T) {
	answer := func(status int, header, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set("Retry-After", header)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // a broken connection fails the test elsewhere
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	private := &http.Client{Transport: refusing{resilience.ErrPrivateAddress}}
	for name, test := range map[string]struct {
		address string
		code    mcptools.Code
		says    string
		via     *http.Client
	}{
		"unreachable":       {"http://127.0.0.1:1", mcptools.CodeUnavailable, "HALO_URL", nil},
		"unknown name":      {"https://psa.invalid", mcptools.CodeUnavailable, "HALO_URL", nil},
		"no HaloPSA":        {answer(404, "", "not here"), mcptools.CodeUpstream, "HALO_URL", nil},
		"a page":            {answer(200, "", "<html>"), mcptools.CodeUpstream, "HALO_URL", nil},
		"down":              {answer(503, "3600", ""), mcptools.CodeUnavailable, "status 503", nil},
		"no https":          {answer(200, "", `{"auth_url":"http://auth.psa.example"}`), mcptools.CodeUpstream, "HALO_AUTH_URL", nil},
		"a private address": {"https://psa.example", mcptools.CodePermissionDenied, "HALO_ON_PREMISES", private},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := halopsa.NewSource(halopsa.Credentials{URL: test.address, ClientID: "id", ClientAuth: auth.WithSecret(auth.NewSecret("canary-value")), HTTPClient: test.via})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			client, err := halopsa.New(source, halopsa.Options{URL: test.address})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Tools().Call(t.Context(), "halo_whoami", nil)
			if !errors.Is(err, test.code) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "signing in to HaloPSA") {
				t.Error(err)
			}
			if strings.Contains(err.Error(), "the secret and the tenant") || strings.Contains(err.Error(), "canary") {
				t.Error(err)
			}
		})
	}
}

// refusing is a transport that makes no requests.
type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }
