package auth_test

import (
	"net/url"
	"sync"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
)

func newApplication(t testing.TB, s *server) *auth.Source {
	t.Helper()
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority:  s.authority(),
		ClientID:   "app",
		ClientAuth: auth.WithSecret(auth.NewSecret(clientSecret)),
		Scopes:     []string{"all"},
		Params:     url.Values{"tenant": {"acme"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

func TestClientCredentials(t *testing.T) {
	s := newServer(t)
	source := newApplication(t, s)
	token, err := source.TokenContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if token.AccessToken != "access-1" || token.Type() != "Bearer" {
		t.Errorf("token type %q", token.Type())
	}
	form := s.form(0)
	want := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {clientSecret}, "scope": {"all"}, "tenant": {"acme"}}
	if form.Encode() != want.Encode() {
		t.Errorf("form has %d fields, want %d", len(form), len(want))
	}
	again, err := source.Token()
	if err != nil || again != token || s.requests() != 1 {
		t.Errorf("second call: same %t, %v, %d requests", again == token, err, s.requests())
	}
}

// One request for any number of callers that find the cache empty.
func TestThousandColdCallers(t *testing.T) {
	s := newServer(t)
	source := newApplication(t, s)
	var wait sync.WaitGroup
	for range 1000 {
		wait.Go(func() {
			if token, err := source.TokenContext(t.Context()); err != nil || token.AccessToken != "access-1" {
				t.Errorf("token: %v", err)
			}
		})
	}
	wait.Wait()
	if n := s.requests(); n != 1 {
		t.Errorf("%d token requests", n)
	}
}

func TestClientCredentialsConfigIsChecked(t *testing.T) {
	good := auth.Authority{TokenURL: "https://login.example/token"}
	for name, config := range map[string]auth.ClientCredentialsConfig{
		"no id":      {Authority: good, ClientAuth: auth.WithSecret(auth.NewSecret("x"))},
		"no secret":  {Authority: good, ClientID: "app"},
		"no address": {ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret("x"))},
		"http":       {Authority: auth.Authority{TokenURL: "http://login.example/token"}, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret("x"))},
		"user info":  {Authority: auth.Authority{TokenURL: "https://a:b@login.example/token"}, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret("x"))},
	} {
		if _, err := auth.NewClientCredentials(config); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
