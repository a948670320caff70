package inbound_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/auth/inbound"
)

const metadata = "https://tools.example/.well-known/oauth-protected-resource/mcp"

func TestRequireToken(t *testing.T) {
	upstream := newIssuers()
	verify := newVerifier(t, config(t, upstream))
	var refused error
	guard := inbound.RequireToken(verify, inbound.Options{
		Scopes: []string{"tools.read", "tools.write"}, ScopePrefix: "api://toolbelt/", ResourceMetadata: metadata,
		Refused: func(_ *http.Request, err error) { refused = err },
	})
	var seen *mcpauth.TokenInfo
	var received http.Header
	server := httptest.NewServer(guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen, received = mcpauth.TokenInfoFromContext(r.Context()), r.Header
		if caller, ok := inbound.Caller(r.Context()); !ok || caller != seen {
			t.Error("the caller is not the SDK's")
		}
	})))
	defer server.Close()

	const scope = `scope="api://toolbelt/tools.read api://toolbelt/tools.write"`
	const where = `resource_metadata="` + metadata + `"`
	good := sign(header(nil), entraClaims(nil))
	narrow := sign(header(nil), entraClaims(m{"scp": "tools.read"}))
	old := sign(header(nil), entraClaims(m{"exp": time.Now().Unix() - 3600}))
	for _, test := range []struct {
		name      string
		query     string
		auth      []string
		status    int
		challenge string
		refused   error
	}{
		{"good", "", []string{"Bearer " + good}, 200, "", nil},
		{"scheme in capitals", "", []string{"BEARER  " + good}, 200, "", nil},
		{"nothing", "", nil, 401, "Bearer " + scope + ", " + where, inbound.ErrNoToken},
		{"another scheme", "", []string{"Basic YTpi"}, 401, "Bearer " + scope + ", " + where, inbound.ErrNoToken},
		{"no token", "", []string{"Bearer"}, 400, `Bearer error="invalid_request", ` + where, inbound.ErrBadRequest},
		{"two words", "", []string{"Bearer a b"}, 400, `Bearer error="invalid_request", ` + where, inbound.ErrBadRequest},
		{"two headers", "", []string{"Bearer " + good, "Bearer " + good}, 400, `Bearer error="invalid_request", ` + where, inbound.ErrBadRequest},
		{"in the query", "?access_token=" + good, nil, 400, `Bearer error="invalid_request", ` + where, inbound.ErrBadRequest},
		{"in both", "?access_token=" + good, []string{"Bearer " + good}, 400, `Bearer error="invalid_request", ` + where, inbound.ErrBadRequest},
		{"expired", "", []string{"Bearer " + old}, 401, `Bearer error="invalid_token", ` + scope + ", " + where, mcpauth.ErrInvalidToken},
		{"opaque", "", []string{"Bearer c2VjcmV0LW9wYXF1ZQ"}, 401, `Bearer error="invalid_token", ` + scope + ", " + where, mcpauth.ErrInvalidToken},
		{"narrow", "", []string{"Bearer " + narrow}, 403, `Bearer error="insufficient_scope", ` + scope + ", " + where, inbound.ErrScope},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen, received, refused = nil, nil, nil
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/mcp"+test.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header["Authorization"] = test.auth
			response, body := do(t, request) //nolint:bodyclose // do closes it
			if response.StatusCode != test.status || response.Header.Get("WWW-Authenticate") != test.challenge {
				t.Errorf("%d %q", response.StatusCode, response.Header.Get("WWW-Authenticate"))
			}
			if !errors.Is(refused, test.refused) {
				t.Errorf("reported %v", refused)
			}
			if test.status != 200 {
				if seen != nil || response.Header.Get("Cache-Control") != "no-store" {
					t.Error("the handler ran, or the refusal can be kept")
				}
				for _, inside := range []string{"expired", "signed JWT", "audience", "inbound", good, "c2VjcmV0"} {
					if strings.Contains(body, inside) {
						t.Errorf("the answer says too much: %s", body)
					}
				}
				return
			}
			if seen == nil || seen.UserID != tenant+"|"+object {
				t.Errorf("the handler saw %v", seen)
			}
			// The token cannot be passed on by who copies the headers.
			if received.Get("Authorization") != "" {
				t.Error("the handler got the token")
			}
		})
	}
}

func do(t *testing.T, request *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// TestVerifierOfAnotherMake finds that the middleware does not lean on ours.
func TestVerifierOfAnotherMake(t *testing.T) {
	for name, test := range map[string]struct {
		verify mcpauth.TokenVerifier
		status int
	}{
		"good":         {answer(&mcpauth.TokenInfo{Expiration: time.Now().Add(time.Hour)}, nil), 200},
		"no expiry":    {answer(&mcpauth.TokenInfo{}, nil), 401},
		"expired":      {answer(&mcpauth.TokenInfo{Expiration: time.Now().Add(-time.Hour)}, nil), 401},
		"nothing":      {answer(nil, nil), 401},
		"OAuth error":  {answer(nil, mcpauth.ErrOAuth), 401},
		"forged":       {answer(&mcpauth.TokenInfo{Expiration: time.Now().Add(time.Hour), Extra: m{"assertion": "forged"}}, nil), 200},
		"other error":  {answer(nil, errors.New("dial tcp 10.0.0.1:443: the secret internals")), 503},
		"keys missing": {answer(nil, inbound.ErrKeysUnavailable), 503},
	} {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		request.Header.Set("Authorization", "Bearer x")
		inbound.RequireToken(test.verify, inbound.Options{})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if secret, err := inbound.Assertion(r.Context()); err == nil || !secret.IsZero() {
				t.Error("an assertion of another make")
			}
		})).ServeHTTP(recorder, request)
		if recorder.Code != test.status || strings.Contains(recorder.Body.String(), "internals") {
			t.Errorf("%s: %d %s", name, recorder.Code, recorder.Body)
		}
		if (recorder.Code == 503) != (recorder.Header().Get("Retry-After") != "") {
			t.Errorf("%s: Retry-After %q", name, recorder.Header().Get("Retry-After"))
		}
		if request.Header.Get("Authorization") == "" {
			t.Errorf("%s: the caller's request was changed", name)
		}
	}
}

func answer(info *mcpauth.TokenInfo, err error) mcpauth.TokenVerifier {
	return func(context.Context, string, *http.Request) (*mcpauth.TokenInfo, error) { return info, err }
}

func TestRequireTokenPanics(t *testing.T) {
	verify := answer(nil, nil)
	for name, test := range map[string]struct {
		verify  mcpauth.TokenVerifier
		options inbound.Options
	}{
		"no verifier":     {nil, inbound.Options{}},
		"quote in scope":  {verify, inbound.Options{Scopes: []string{`a"b`}}},
		"space in scope":  {verify, inbound.Options{Scopes: []string{"a b"}}},
		"break in scope":  {verify, inbound.Options{Scopes: []string{"a\r\nb"}}},
		"http metadata":   {verify, inbound.Options{ResourceMetadata: "http://tools.example/x"}},
		"quoted metadata": {verify, inbound.Options{ResourceMetadata: `https://tools.example/"x`}},
		"skew":            {verify, inbound.Options{ClockSkew: time.Hour}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			inbound.RequireToken(test.verify, test.options)
		}()
	}
}

func TestMetadataURL(t *testing.T) {
	const place = "/.well-known/oauth-protected-resource"
	for resource, want := range map[string]string{
		"https://tools.example":          "https://tools.example" + place,
		"https://tools.example/":         "https://tools.example" + place,
		"https://tools.example:8443/mcp": "https://tools.example:8443" + place + "/mcp",
		"https://tools.example/a%2Fb?x":  "https://tools.example" + place + "/a%2Fb?x",
		"http://127.0.0.1:8080/mcp":      "http://127.0.0.1:8080" + place + "/mcp",
		"http://tools.example/mcp":       "",
		"https://user@tools.example":     "",
		"https://tools.example/#x":       "",
		"tools.example":                  "",
	} {
		got, err := inbound.MetadataURL(resource)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s %v", resource, got, err)
		}
	}
}
