package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

func TestPoolIsBounded(t *testing.T) {
	opened := map[string]int{}
	bad := errors.New("no such tenant")
	pool := auth.NewPool(2, func(key string) (*auth.Source, error) {
		if key == "bad" {
			return nil, bad
		}
		opened[key]++
		return auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: key}, nil
		}, auth.SourceOptions{}), nil
	})
	get := func(key string) *auth.Source {
		source, err := pool.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		if token, err := source.Token(); err != nil || token.AccessToken != key {
			t.Errorf("%v", err)
		}
		return source
	}
	a := get("a")
	get("b")
	get("a")
	get("c") // b was used longest ago
	if get("a") != a || opened["a"] != 1 || pool.Len() != 2 {
		t.Errorf("opened %v, %d kept", opened, pool.Len())
	}
	get("b")
	if opened["b"] != 2 {
		t.Errorf("opened %v", opened)
	}
	if _, err := pool.Get("bad"); !errors.Is(err, bad) || pool.Len() != 2 {
		t.Errorf("%v", err)
	}
	pool.Remove("a")
	pool.Remove("nobody")
	if _, err := a.Token(); !errors.Is(err, auth.ErrClosed) || pool.Len() != 1 {
		t.Errorf("removed: %v", err)
	}
	b := get("b")
	pool.Close()
	if _, err := b.Token(); !errors.Is(err, auth.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := pool.Get("a"); !errors.Is(err, auth.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

type tenantKey struct{}

func ExamplePool() {
	login := loginServer()
	defer login.Close()
	tenants := auth.NewPool(100, func(tenant string) (*auth.Source, error) {
		authority, err := auth.Entra(auth.Cloud(login.URL), tenant) // auth.CloudGlobal outside of examples
		if err != nil {
			return nil, err
		}
		return auth.NewClientCredentials(auth.ClientCredentialsConfig{
			Authority: authority, ClientID: "00000000-0000-0000-0000-000000000000",
			ClientAuth: auth.WithSecret(auth.NewSecret("one registration, many tenants")),
			Scopes:     []string{"https://graph.microsoft.com/.default"},
		})
	})
	defer tenants.Close()
	source := auth.SourceFunc(func(ctx context.Context) (auth.TokenSource, error) {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		return tenants.Get(tenant)
	})
	for _, tenant := range []string{"contoso.example", "fabrikam.example", "../x"} {
		token, err := source.TokenContext(context.WithValue(context.Background(), tenantKey{}, tenant))
		fmt.Println(token != nil, err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false auth: "../x" is not a tenant id, domain, organizations or consumers
}

type assertionKey struct{}

func as(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, assertionKey{}, auth.NewSecret("assertion of "+user))
}

// newOnBehalfOf gives each user the token "for <assertion> <serial>".
func newOnBehalfOf(t *testing.T, s *server, size int) *auth.OnBehalfOf {
	t.Helper()
	serial := 0
	s.answer(func(w http.ResponseWriter, form url.Values) bool {
		serial++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"for %s %d","token_type":"Bearer","expires_in":3600}`, form.Get("assertion"), serial)
		return true
	})
	o, err := auth.NewOnBehalfOf(auth.OnBehalfOfConfig{
		Authority: s.authority(), ClientID: "middle", ClientAuth: auth.WithSecret(auth.NewSecret(clientSecret)),
		Scopes: []string{"https://graph.microsoft.com/Mail.Read"}, Size: size,
		Assertion: func(ctx context.Context) (auth.Secret, error) {
			assertion, _ := ctx.Value(assertionKey{}).(auth.Secret)
			return assertion, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func TestOnBehalfOf(t *testing.T) {
	s := newServer(t)
	o := newOnBehalfOf(t, s, 2)
	token := func(user string) string {
		token, err := o.TokenContext(as(t.Context(), user))
		if err != nil {
			t.Fatal(err)
		}
		return token.AccessToken
	}
	for _, want := range []string{"ada 1", "ada 1", "bob 2"} {
		if got := token(want[:3]); got != "for assertion of "+want {
			t.Errorf("%s, want that of %s", got, want)
		}
	}
	form := s.form(0)
	want := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"assertion of ada"}, "requested_token_use": {"on_behalf_of"},
		"scope": {"https://graph.microsoft.com/Mail.Read"}, "client_id": {"middle"}, "client_secret": {clientSecret},
	}
	if form.Encode() != want.Encode() {
		t.Errorf("form has %d fields", len(form))
	}
	token("eve") // ada's gives way
	if token("ada") != "for assertion of ada 4" || s.requests() != 4 {
		t.Errorf("%d requests", s.requests())
	}
	if _, err := o.TokenContext(t.Context()); !needsUser(err) {
		t.Errorf("nobody: %v", err)
	}
	o.Close()
	if _, err := o.TokenContext(as(t.Context(), "ada")); !errors.Is(err, auth.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Many users at once, through the transport, with fewer places than users:
// nobody's request carries another's token, and a 401 renews the right one.
func TestOnBehalfOfKeepsUsersApart(t *testing.T) {
	s := newServer(t)
	o := newOnBehalfOf(t, s, 5)
	var mu sync.Mutex
	refused := map[string]bool{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer for assertion of "+user+" ") {
			t.Errorf("%s got another's token", user)
		}
		mu.Lock()
		defer mu.Unlock()
		if !refused[user] {
			refused[user] = true
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()
	nested := auth.SourceFunc(func(context.Context) (auth.TokenSource, error) { return o, nil })
	transport := &auth.Transport{Source: nested, Hosts: []string{api.URL}}
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			user := fmt.Sprint("user", n%20)
			req, err := http.NewRequestWithContext(as(t.Context(), user), http.MethodGet, api.URL+"?user="+user, nil)
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := transport.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%v", err)
				return
			}
			resp.Body.Close()
		})
	}
	all.Wait()
}

func TestOnBehalfOfErrorsHoldNoAssertion(t *testing.T) {
	s := newServer(t)
	o := newOnBehalfOf(t, s, 5)
	canary := rand.Text()
	s.answer(func(w http.ResponseWriter, form url.Values) bool {
		refuse(w, http.StatusBadRequest, "invalid_grant", "bad assertion: "+form.Get("assertion"))
		return true
	})
	_, err := o.TokenContext(as(t.Context(), canary))
	if !needsUser(err) || strings.Contains(err.Error(), canary) {
		t.Errorf("error = %v", err)
	}
}

// loud is an error that tells everything, however it is printed.
type loud struct{ answer string }

func (l loud) Error() string { return l.answer }

func TestFromCredentialKeepsQuiet(t *testing.T) {
	inner := loud{"the endpoint said c4n4ry"}
	source := auth.FromCredential(func(context.Context, string) (string, time.Time, error) { return "", time.Time{}, inner }, auth.SourceOptions{})
	defer source.Close()
	_, err := source.Token()
	if !errors.Is(err, inner) || strings.Contains(fmt.Sprintf("%v %+v %#v %q %s", err, err, err, err, err), "c4n4ry") {
		t.Errorf("error = %v", err)
	}
}
