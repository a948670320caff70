package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

const demand = `{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`

// caeAPI refuses the first token with a claims challenge.
func caeAPI(t *testing.T, header string) (url string, bodies *[]string) {
	t.Helper()
	bodies = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*bodies = append(*bodies, string(body))
		if len(*bodies) == 1 {
			w.Header().Add("WWW-Authenticate", `Basic realm="old, \"proxy\""`)
			w.Header().Add("WWW-Authenticate", header)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, bodies
}

func caeHeader(claims string) string {
	return `Bearer realm="", authorization_uri="https://login.example/authorize", error="insufficient_claims", claims="` + claims + `"`
}

func TestClaimsChallengeIsAnsweredOnce(t *testing.T) {
	std, raw := base64.StdEncoding.EncodeToString([]byte(demand)), base64.RawURLEncoding.EncodeToString([]byte(demand))
	for name, test := range map[string]struct {
		header       string
		capabilities []string
		claims       string
	}{
		"base64":        {caeHeader(std), nil, demand},
		"base64url":     {caeHeader(raw), nil, demand},
		"unquoted":      {"Negotiate abc==, bearer Error=insufficient_claims ,claims=" + raw, nil, demand},
		"capable":       {caeHeader(raw), []string{"cp1"}, `{"access_token":{"nbf":{"essential":true,"value":"1700000000"},"xms_cc":{"values":["cp1"]}}}`},
		"other error":   {strings.Replace(caeHeader(raw), "insufficient_claims", "invalid_token", 1), nil, ""},
		"other scheme":  {strings.Replace(caeHeader(raw), "Bearer", "DPoP", 1), nil, ""},
		"not base64":    {caeHeader("{}"), nil, ""},
		"not an object": {caeHeader(base64.StdEncoding.EncodeToString([]byte(`["x"]`))), nil, ""},
		"too long":      {caeHeader(base64.StdEncoding.EncodeToString([]byte(`{"x":"` + strings.Repeat("a", 9000) + `"}`))), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			address, bodies := caeAPI(t, test.header)
			authority := s.authority()
			authority.Capabilities = test.capabilities
			source := application(t, authority, auth.WithSecret(auth.NewSecret(clientSecret)))
			status, err := send(t, &auth.Transport{Source: source, Hosts: []string{address}}, "POST", address, strings.NewReader("once more"))
			if err != nil || status != 200 || strings.Join(*bodies, "|") != "once more|once more" || s.requests() != 2 {
				t.Fatalf("%d %v %q, %d token requests", status, err, *bodies, s.requests())
			}
			if got := s.form(1).Get("claims"); got != test.claims {
				t.Errorf("claims %s", got)
			}
			first := ""
			if test.capabilities != nil {
				first = `{"access_token":{"xms_cc":{"values":["cp1"]}}}`
			}
			if got := s.form(0).Get("claims"); got != first {
				t.Errorf("claims of the first request %s", got)
			}
			again(t, source) // the demand has been met
			if _, err := source.TokenContext(t.Context()); err != nil || s.form(2).Get("claims") != first {
				t.Errorf("%v, later claims %s", err, s.form(2).Get("claims"))
			}
		})
	}
}

// What an API or a policy demands and a refresh cannot give, the next sign-in
// page is asked for.
func TestDemandReachesTheSignInPage(t *testing.T) {
	s := newServer(t)
	p := newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Source: auth.SourceOptions{
		Initial: &oauth2.Token{AccessToken: "t0", RefreshToken: "r0", Expiry: time.Now().Add(time.Hour)},
	}})
	s.answer(func(w http.ResponseWriter, form url.Values) bool {
		if form.Get("grant_type") != "refresh_token" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "interaction_required", "claims": demand})
		return true
	})
	token, err := p.Source().TokenContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Source().Invalidate(token)
	if _, err := p.Source().TokenContext(t.Context()); !needsUser(err) {
		t.Fatalf("error = %v", err)
	}
	flow, err := p.Begin("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(flow.URL)
	if err != nil || page.Query().Get("claims") != demand {
		t.Errorf("%v, asked for %s", err, page.Query().Get("claims"))
	}
	if _, err := p.Complete(t.Context(), flow, authorized(t, flow.URL)); err != nil {
		t.Fatal(err)
	}
	if flow, err = p.Begin("http://localhost/"); err != nil || strings.Contains(flow.URL, "claims=") {
		t.Errorf("%v: asked again", err)
	}
}

func TestClaimsReachOtherCredentials(t *testing.T) {
	address, _ := caeAPI(t, caeHeader(base64.StdEncoding.EncodeToString([]byte(demand))))
	var asked []string
	source := auth.FromCredential(func(_ context.Context, claims string) (string, time.Time, error) {
		asked = append(asked, claims)
		return strings.Repeat("t", len(asked)), time.Now().Add(time.Hour), nil
	}, auth.SourceOptions{})
	defer source.Close()
	status, err := send(t, &auth.Transport{Source: source, Hosts: []string{address}}, "GET", address, nil)
	if err != nil || status != 200 || len(asked) != 2 || asked[0] != "" || asked[1] != demand {
		t.Errorf("%d %v %q", status, err, asked)
	}
}

// Whatever the header says, reading it ends, and gives an object or nothing.
func FuzzClaimsChallenge(f *testing.F) {
	f.Add(caeHeader(base64.StdEncoding.EncodeToString([]byte(demand))))
	f.Add(`Bearer a="\", b=c, d, e f=`)
	f.Add("Negotiate abc==, =, \"\x00")
	f.Fuzz(func(t *testing.T, header string) {
		var got []string
		source := auth.FromCredential(func(_ context.Context, claims string) (string, time.Time, error) {
			got = append(got, claims)
			return strings.Repeat("t", len(got)), time.Now().Add(time.Hour), nil
		}, auth.SourceOptions{})
		defer source.Close()
		transport := &auth.Transport{Source: source, Hosts: []string{"https://api.example"}, Base: roundTripper(func(*http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.Header()["Www-Authenticate"] = []string{header}
			w.WriteHeader(http.StatusUnauthorized)
			return w.Result(), nil
		})}
		if status, err := send(t, transport, "GET", "https://api.example", nil); err != nil || status != http.StatusUnauthorized || len(got) != 2 {
			t.Fatalf("%d %v, %d fetches", status, err, len(got))
		}
		var object map[string]any
		if got[1] != "" && (json.Unmarshal([]byte(got[1]), &object) != nil || object == nil) {
			t.Errorf("claims %q", got[1])
		}
	})
}
