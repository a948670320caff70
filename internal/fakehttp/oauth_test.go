package fakehttp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func post(t *testing.T, o *OAuth, form url.Values) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	o.Token(w, r)
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return w.Code, body
}

func newOAuth(now *time.Time, rotate bool) *OAuth {
	return NewOAuth(OAuthOptions{
		Clients: map[string]string{"app": "s3cret", "public": ""},
		Grant: func(r TokenRequest) (Grant, error) {
			if r.Scope == "nonsense" {
				return Grant{}, &OAuthError{"invalid_scope", "no such scope"}
			}
			return Grant{Claims: map[string]any{"appid": r.ClientID}, Scope: r.Scope, Refresh: r.GrantType != "client_credentials"}, nil
		},
		Now: func() time.Time { return *now }, RotateRefresh: rotate,
	})
}

func check(o *OAuth, authorization string) (map[string]any, error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", authorization)
	return o.Check(r)
}

func TestClientCredentialsAndExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	o := newOAuth(&now, false)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"s3cret"}, "scope": {"all"}}
	status, body := post(t, o, form)
	if status != 200 || body["expires_in"] != 3600.0 || body["refresh_token"] != nil {
		t.Fatalf("%d %v", status, body)
	}
	token := body["access_token"].(string)
	claims, err := check(o, "Bearer "+token)
	if err != nil || claims["appid"] != "app" {
		t.Errorf("%v %v", claims, err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || !strings.Contains(string(payload), `"appid":"app"`) {
		t.Errorf("payload %s %v", payload, err)
	}
	now = now.Add(time.Hour)
	if _, err := check(o, "Bearer "+token); !errors.Is(err, ErrBadToken) {
		t.Errorf("an expired token gave %v", err)
	}
	if _, err := check(o, ""); !errors.Is(err, ErrNoToken) {
		t.Errorf("no token gave %v", err)
	}
	if o.Requests() != 1 {
		t.Errorf("counted %d requests", o.Requests())
	}
}

func TestTokenRefusals(t *testing.T) {
	now := time.Now()
	tests := []struct {
		form   url.Values
		status int
		code   string
	}{
		{url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"wrong"}}, 401, "invalid_client"},
		{url.Values{"grant_type": {"client_credentials"}, "client_id": {"public"}}, 400, "unauthorized_client"},
		{url.Values{"grant_type": {"password"}, "client_id": {"public"}}, 400, "unsupported_grant_type"},
		{url.Values{"grant_type": {"refresh_token"}, "client_id": {"public"}, "refresh_token": {"x"}}, 400, "invalid_grant"},
		{url.Values{"grant_type": {"authorization_code"}, "client_id": {"public"}, "code": {"x"}}, 400, "invalid_grant"},
		{url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"s3cret"}, "scope": {"nonsense"}}, 400, "invalid_scope"},
	}
	for _, tt := range tests {
		if status, body := post(t, newOAuth(&now, false), tt.form); status != tt.status || body["error"] != tt.code {
			t.Errorf("%v: %d %v", tt.form, status, body)
		}
	}
}

func TestCodeWithPKCEAndRotation(t *testing.T) {
	now := time.Now()
	o := newOAuth(&now, true)
	verifier := "a-verifier-that-is-long-enough-for-the-rfc-7636"
	sum := sha256.Sum256([]byte(verifier))
	code := func() string {
		q := url.Values{
			"client_id": {"public"}, "response_type": {"code"}, "redirect_uri": {"http://127.0.0.1/back"}, "state": {"xyz"},
			"scope": {"Mail.Read"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		}
		w := httptest.NewRecorder()
		o.Authorize(w, httptest.NewRequest(http.MethodGet, "/authorize?"+q.Encode(), nil))
		back, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != 302 || back.Query().Get("state") != "xyz" {
			t.Fatalf("%d %v %v", w.Code, back, err)
		}
		return back.Query().Get("code")
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"public"}, "redirect_uri": {"http://127.0.0.1/back"},
		"code": {code()}, "code_verifier": {"wrong"},
	}
	if status, body := post(t, o, form); status != 400 || body["error"] != "invalid_grant" {
		t.Fatalf("a wrong verifier gave %d %v", status, body)
	}
	form.Set("code_verifier", verifier)
	form.Set("code", code())
	status, body := post(t, o, form)
	if status != 200 || body["scope"] != "Mail.Read" {
		t.Fatalf("%d %v", status, body)
	}
	first := body["refresh_token"].(string)
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {"public"}, "refresh_token": {first}}
	status, body = post(t, o, refresh)
	second, _ := body["refresh_token"].(string)
	if status != 200 || second == "" || second == first {
		t.Fatalf("no rotation: %d %v", status, body)
	}
	if status, _ := post(t, o, refresh); status != 400 {
		t.Errorf("a used refresh token gave %d", status)
	}
	refresh.Set("refresh_token", second)
	if status, _ := post(t, o, refresh); status != 400 {
		t.Errorf("the family of a reused token still lives: %d", status)
	}
}
