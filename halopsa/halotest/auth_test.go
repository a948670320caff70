package halotest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// signIn posts a form to the token endpoint.
func signIn(t *testing.T, server *halotest.Server, query string, form url.Values) (int, object) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.AuthURL()+"/token"+query, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, text := do(t, request)
	var answer object
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err, text)
	}
	return status, answer
}

func credentials(scope string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {halotest.ClientID}, "client_secret": {halotest.ClientSecret}}
	if scope != "" {
		form.Set("scope", scope)
	}
	return form
}

func get(t *testing.T, server *halotest.Server, path, header, value string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/api"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != "" {
		request.Header.Set(header, value)
	}
	return do(t, request)
}

func TestTokenEndpoint(t *testing.T) {
	server := start(t, halotest.Options{})
	inForm := credentials("all")
	inForm.Set("tenant", halotest.TenantName)
	for name, test := range map[string]struct {
		query  string
		form   url.Values
		status int
		error  string
	}{
		"tenant in the query": {"?tenant=nordlicht", credentials("all"), 200, ""},
		"tenant in the form":  {"", inForm, 200, ""},
		"no tenant":           {"", credentials("all"), 400, "invalid_request"},
		"another tenant":      {"?tenant=suedlicht", credentials("all"), 400, "invalid_request"},
		"bad secret":          {"?tenant=nordlicht", url.Values{"grant_type": {"client_credentials"}, "client_id": {halotest.ClientID}, "client_secret": {"x"}, "scope": {"all"}}, 401, "invalid_client"},
		"unknown scope":       {"?tenant=nordlicht", credentials("everything"), 400, "invalid_scope"},
	} {
		status, answer := signIn(t, server, test.query, test.form)
		if got, _ := answer["error"].(string); status != test.status || got != test.error {
			t.Errorf("%s: %d %v", name, status, answer)
		}
		if status == 200 {
			if code, _ := get(t, server, "/Agent/me", "Authorization", "Bearer "+answer["access_token"].(string)); code != 200 || answer["expires_in"] != 3600.0 {
				t.Errorf("%s: the token gets %d; %v", name, code, answer)
			}
		}
	}
}

func TestTokenWithoutScopeOpensNothing(t *testing.T) {
	server := start(t, halotest.Options{OnPremises: true})
	status, answer := signIn(t, server, "", credentials(""))
	if status != 200 {
		t.Fatal(answer)
	}
	if code, _ := get(t, server, "/Agent/me", "Authorization", "Bearer "+answer["access_token"].(string)); code != 401 {
		t.Errorf("status %d, want 401", code)
	}
}

func TestScopes(t *testing.T) {
	for _, refusal := range []int{0, 400, 401} {
		server := start(t, halotest.Options{ScopeRefusal: refusal})
		want := map[int]int{0: 403, 400: 400, 401: 401}[refusal]
		bearer := "Bearer " + server.Token("read:tickets", "read:customers")
		for path, status := range map[string]int{"/Tickets": 200, "/Status": 200, "/Client": 200, "/Invoice": want, "/Webhook": want} {
			code, text := get(t, server, path, "Authorization", bearer)
			if code != status || (status != 200 && !strings.Contains(text, "Please contact the administrator")) {
				t.Errorf("%s: %d %.60s, want %d", path, code, text, status)
			}
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/api/Tickets", strings.NewReader(`[{"id":2041}]`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", bearer)
		if code, _ := do(t, request); code != want {
			t.Errorf("a write with read scopes: %d", code)
		}
	}
}

func TestApplicationScopesNarrowAll(t *testing.T) {
	server := start(t, halotest.Options{Scopes: []string{"read:tickets"}})
	_, answer := signIn(t, server, "?tenant=nordlicht", credentials("all"))
	if answer["scope"] != "read:tickets" {
		t.Errorf("granted %v", answer["scope"])
	}
}

func TestCredentialsOnTheAPI(t *testing.T) {
	server := start(t, halotest.Options{})
	for _, test := range []struct {
		header, value string
		status        int
	}{
		{"", "", 401}, {"Authorization", "Bearer nonsense", 401}, {"X-Halo-Api-Key", "nonsense", 401}, {"X-Halo-Api-Key", halotest.APIKey, 200},
	} {
		if code, _ := get(t, server, "/Agent/me", test.header, test.value); code != test.status {
			t.Errorf("%s %s: %d", test.header, test.value, code)
		}
	}
	token := server.Token()
	server.RevokeTokens()
	if code, _ := get(t, server, "/Agent/me", "Authorization", "Bearer "+token); code != 401 {
		t.Errorf("a revoked token gets %d", code)
	}
	for _, request := range server.Requests() {
		if request.Header.Get("X-Halo-Api-Key") != "" || strings.Contains(request.Header.Get("Authorization"), " ") {
			t.Error("a credential was kept in a recorded request")
		}
	}
}

func TestTokenLifetimeAndForm(t *testing.T) {
	clock := now
	server := start(t, halotest.Options{Now: func() time.Time { return clock }, OpaqueTokens: true, TokenLifetime: time.Minute})
	token := server.Token()
	if strings.Contains(token, ".") {
		t.Errorf("an opaque token looks like a JWT: %s", token)
	}
	clock = clock.Add(2 * time.Minute)
	if code, _ := get(t, server, "/Agent/me", "Authorization", "Bearer "+token); code != 401 {
		t.Errorf("an expired token gets %d", code)
	}
	if jwt := start(t, halotest.Options{}).Token(); strings.Count(jwt, ".") != 2 {
		t.Errorf("no JWT: %s", jwt)
	}
}

func TestDiscovery(t *testing.T) {
	for _, options := range []halotest.Options{{}, {SeparateAuthHost: true}, {OnPremises: true}} {
		server := start(t, options)
		code, text := get(t, server, "/authinfo", "", "")
		var info struct {
			AuthURL string `json:"auth_url"`
			Tenant  string `json:"tenant_id"`
		}
		if err := json.Unmarshal([]byte(text), &info); err != nil || code != 200 {
			t.Fatal(code, text, err)
		}
		if info.AuthURL != server.AuthURL() || info.Tenant != server.Tenant() {
			t.Errorf("authinfo %+v, want %s and %q", info, server.AuthURL(), server.Tenant())
		}
		sameHost := strings.HasPrefix(info.AuthURL, server.URL()+"/auth")
		if sameHost == options.SeparateAuthHost {
			t.Errorf("%+v: authorisation server at %s, API at %s", options, info.AuthURL, server.URL())
		}
		query := ""
		if info.Tenant != "" {
			query = "?tenant=" + info.Tenant
		}
		if status, answer := signIn(t, server, query, credentials("all")); status != 200 {
			t.Errorf("sign-in: %d %v", status, answer)
		}
	}
}

func TestRollingRateLimit(t *testing.T) {
	clock := now
	server := start(t, halotest.Options{Now: func() time.Time { return clock }, RateLimit: 3, RetryAfter: true, TokenLifetime: time.Hour})
	call := func(want int) {
		t.Helper()
		if code, text := get(t, server, "/Status", "X-Halo-Api-Key", halotest.APIKey); code != want ||
			code == 429 && text != "Rate Limit Reached - 300 Requests per rolling 5 minute window" {
			t.Errorf("%d %.80s, want %d", code, text, want)
		}
	}
	call(200)
	clock = clock.Add(4 * time.Minute)
	call(200)
	call(200)
	call(429)
	clock = clock.Add(time.Minute) // the first has left the window
	call(200)
	call(429)
	clock = clock.Add(4 * time.Minute)
	call(200)
}

func TestFaults(t *testing.T) {
	server := start(t, halotest.Options{})
	server.Faults().Next(1, "GET", "/Status", halotest.Answer{Status: 429, RetryAfter: "2"})
	if code, text := get(t, server, "/Status", "X-Halo-Api-Key", halotest.APIKey); code != 429 || !strings.HasPrefix(text, "Rate Limit Reached") {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := get(t, server, "/Status", "X-Halo-Api-Key", halotest.APIKey); code != 200 {
		t.Errorf("after the fault: %d", code)
	}
	if requests := server.Requests(); len(requests) != 2 || requests[0].Fault != "429" || requests[1].Template != "/Status" {
		t.Errorf("requests %+v", requests)
	}
}

// A write whose answer is lost has happened all the same.
func TestDroppedAfterCommit(t *testing.T) {
	server := start(t, halotest.Options{})
	server.Faults().Next(1, http.MethodPost, "/Actions", halotest.Answer{Drop: halotest.DropAfter})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/api/Actions", strings.NewReader(`[{"ticket_id":2042,"outcome_id":12}]`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Halo-Api-Key", halotest.APIKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		response.Body.Close()
		t.Fatal("an answer came:", response.Status)
	}
	if n := len(server.Actions(halotest.TicketVPN)); n != 2 {
		t.Errorf("%d actions, want the first and the committed one", n)
	}
}

func TestLeakedTokenIsRecorded(t *testing.T) {
	server := start(t, halotest.Options{SeparateAuthHost: true})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.AuthURL()+"/token?tenant=nordlicht", strings.NewReader(credentials("all").Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "Bearer "+server.Token())
	do(t, request)
	expectViolations(t, server, "leaked-token")
}

func TestCodeWithPKCE(t *testing.T) {
	server := start(t, halotest.Options{})
	verifier := "a-verifier-that-is-long-enough-for-the-rules-0123456789"
	sum := sha256.Sum256([]byte(verifier))
	const redirect = "http://127.0.0.1:1/callback"
	values := url.Values{"response_type": {"code"}, "client_id": {halotest.NativeClientID}, "redirect_uri": {redirect}, "scope": {"all offline_access"},
		"state": {"s"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "tenant": {"nordlicht"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.AuthURL()+"/authorize?"+values.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil {
		t.Fatal(response.Status, err)
	}
	status, answer := signIn(t, server, "?tenant=nordlicht", url.Values{"grant_type": {"authorization_code"}, "client_id": {halotest.NativeClientID},
		"code": {location.Query().Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
	first, _ := answer["refresh_token"].(string)
	if status != 200 || first == "" {
		t.Fatal(status, answer)
	}
	renew := url.Values{"grant_type": {"refresh_token"}, "client_id": {halotest.NativeClientID}, "refresh_token": {first}}
	status, answer = signIn(t, server, "?tenant=nordlicht", renew)
	if status != 200 || answer["refresh_token"] == first {
		t.Errorf("refresh: %d %v", status, answer)
	}
	if status, answer = signIn(t, server, "?tenant=nordlicht", renew); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("a used refresh token: %d %v", status, answer)
	}
}
