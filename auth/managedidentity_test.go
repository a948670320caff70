package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// identity serves h and returns a source that asks it.
func identity(t *testing.T, config auth.ManagedIdentityConfig, env map[string]string, h http.HandlerFunc) (*auth.Source, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	config.Scope = "https://graph.microsoft.com/.default"
	config.MetadataURL = s.URL
	config.Env = func(name string) string { return strings.ReplaceAll(env[name], "SERVER", s.URL) }
	source, err := auth.NewManagedIdentity(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source, s
}

func TestManagedIdentity(t *testing.T) {
	for name, test := range map[string]struct {
		env            map[string]string
		path, header   string
		query          url.Values
		answer         string
		clientID, life string
	}{
		"virtual machine": {
			path: "/metadata/identity/oauth2/token", header: "Metadata: true",
			query:  url.Values{"api-version": {"2018-02-01"}, "resource": {"https://graph.microsoft.com"}},
			answer: `{"access_token":"a","expires_in":"3599","expires_on":"1506484173","token_type":"Bearer"}`,
		},
		"user-assigned": {
			path: "/metadata/identity/oauth2/token", header: "Metadata: true", clientID: "11111111-2222-3333-4444-555555555555",
			query:  url.Values{"api-version": {"2018-02-01"}, "resource": {"https://graph.microsoft.com"}, "client_id": {"11111111-2222-3333-4444-555555555555"}},
			answer: `{"access_token":"a","expires_in":3599}`,
		},
		"App Service": {
			env:  map[string]string{"IDENTITY_ENDPOINT": "SERVER/msi/token", "IDENTITY_HEADER": "k3y"},
			path: "/msi/token", header: "X-Identity-Header: k3y",
			query:  url.Values{"api-version": {"2019-08-01"}, "resource": {"https://graph.microsoft.com"}},
			answer: fmt.Sprintf(`{"access_token":"a","expires_on":"%d"}`, time.Now().Add(3599*time.Second).Unix()),
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, _ := identity(t, auth.ManagedIdentityConfig{ClientID: test.clientID}, test.env, func(w http.ResponseWriter, r *http.Request) {
				header, value, _ := strings.Cut(test.header, ": ")
				if r.Method != http.MethodGet || r.URL.Path != test.path || r.URL.RawQuery != test.query.Encode() || r.Header.Get(header) != value {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				_, _ = w.Write([]byte(test.answer))
			})
			token, err := source.TokenContext(t.Context())
			if err != nil || token.AccessToken != "a" {
				t.Fatal(err)
			}
			if life := time.Until(token.Expiry); life > time.Hour || life < 59*time.Minute {
				t.Errorf("life %v", life)
			}
		})
	}
}

// The service documents what passes and what does not.
func TestManagedIdentityRetries(t *testing.T) {
	for _, test := range []struct{ status, requests int }{
		{http.StatusBadRequest, 1}, {http.StatusUnauthorized, 1}, {http.StatusFound, 1},
		{http.StatusNotFound, 2}, {http.StatusGone, 2}, {http.StatusTooManyRequests, 2}, {http.StatusInternalServerError, 2},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			requests := 0
			source, _ := identity(t, auth.ManagedIdentityConfig{}, nil, func(w http.ResponseWriter, _ *http.Request) {
				if requests++; requests > 1 {
					_, _ = w.Write([]byte(`{"access_token":"a"}`))
					return
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(`{"error":"invalid_request","error_description":"Identity not found"}`))
			})
			_, err := source.TokenContext(t.Context())
			if failure, ok := errors.AsType[*auth.Error](err); requests != test.requests || (test.requests == 1) != ok || ok && failure.Status != test.status {
				t.Errorf("%d requests, %v", requests, err)
			}
		})
	}
}

func TestManagedIdentityThatIsNotThere(t *testing.T) {
	source, s := identity(t, auth.ManagedIdentityConfig{}, nil, nil)
	s.Close()
	start := time.Now()
	_, err := source.TokenContext(t.Context())
	if failure, ok := errors.AsType[*auth.Error](err); !ok || failure.NeedsUser || time.Since(start) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	if strings.Contains(err.Error(), "resource=") {
		t.Errorf("the error repeats the query: %v", err)
	}
}

func TestManagedIdentityAnswers(t *testing.T) {
	for _, answer := range []string{"", "c4n4ry", `{"access_token":""}`, `{"access_token":5,"x":"c4n4ry"}`, `[]`, `{"access_token":"c4n4ry"`} {
		source, _ := identity(t, auth.ManagedIdentityConfig{}, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
		if _, err := source.TokenContext(t.Context()); err == nil || strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

func TestManagedIdentityIsLocal(t *testing.T) {
	for name, test := range map[string]struct {
		metadata string
		env      map[string]string
	}{
		"far away":       {metadata: "http://8.8.8.8"},
		"a name":         {metadata: "http://metadata.example"},
		"user info":      {metadata: "http://a:b@169.254.169.254"},
		"no scheme":      {metadata: "169.254.169.254"},
		"far endpoint":   {env: map[string]string{"IDENTITY_ENDPOINT": "http://msi.example/token", "IDENTITY_HEADER": "k"}},
		"Azure Arc":      {env: map[string]string{"IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token"}},
		"Service Fabric": {env: map[string]string{"IDENTITY_ENDPOINT": "https://localhost", "IDENTITY_HEADER": "k", "IDENTITY_SERVER_THUMBPRINT": "x"}},
	} {
		_, err := auth.NewManagedIdentity(auth.ManagedIdentityConfig{Scope: "https://graph.microsoft.com/.default",
			MetadataURL: test.metadata, Env: func(name string) string { return test.env[name] }})
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := auth.NewManagedIdentity(auth.ManagedIdentityConfig{}); err == nil {
		t.Error("no scope is accepted")
	}
}
