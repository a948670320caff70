package halopsa_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
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
