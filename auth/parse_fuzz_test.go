package auth_test

import (
	"context"
	"crypto/elliptic"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// reply answers every request with body as JSON.
func reply(body string) *http.Client {
	return &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
		return w.Result(), nil
	})}
}

// Whatever an issuer publishes, no endpoint of another origin comes out of it.
func FuzzDiscover(f *testing.F) {
	f.Add(`{"issuer":"https://login.example","token_endpoint":"https://login.example/token"}`)
	f.Add(`{"issuer":"https://login.example","token_endpoint":"https://login.example@evil.example/token"}`)
	f.Add(`{"issuer":"https://login.example","token_endpoint":"https://login.example/t","authorization_endpoint":"//evil.example","code_challenge_methods_supported":["S256"]}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, body string) {
		a, err := auth.Discover(t.Context(), "https://login.example", auth.DiscoverOptions{HTTPClient: reply(body)})
		if err != nil {
			return
		}
		for _, endpoint := range []string{a.TokenURL, a.AuthURL, a.DeviceURL, a.RevokeURL, a.JWKSURL} {
			if endpoint == "" && endpoint != a.TokenURL {
				continue
			}
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Hostname(), "login.example") || u.Port() != "" && u.Port() != "443" || u.User != nil {
				t.Errorf("endpoint %q", endpoint)
			}
		}
		if a.Issuer != "https://login.example" {
			t.Errorf("issuer %q", a.Issuer)
		}
	})
}

// Whatever the device endpoint answers, what a person is shown is a real
// address and plain text, and the wait ends.
func FuzzDevicePrompt(f *testing.F) {
	f.Add(deviceAnswer)
	f.Add(`{"device_code":"x","user_code":"x","verification_uri":"https://login.example","expires_in":"1e99","interval":-1}`)
	f.Add(`{"device_code":"x","user_code":"\u202e","verification_uri":"https://a b","expires_in":99999999999999999999}`)
	f.Fuzz(func(t *testing.T, body string) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			login, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
				Authority: auth.Authority{TokenURL: "https://login.example/token", DeviceURL: "https://login.example/device"},
				ClientID:  "desktop", HTTPClient: &http.Client{Transport: &deviceServer{answer: body}},
				Prompt: func(_ context.Context, p auth.DevicePrompt) error {
					for _, text := range []string{p.URL, p.UserCode, p.CompleteURL} {
						if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
							t.Errorf("shown: %q", text)
						}
					}
					if !strings.HasPrefix(strings.ToLower(p.URL), "http") || p.UserCode == "" {
						t.Errorf("shown: %+v", p)
					}
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer login.Source().Close()
			if _, err := login.Login(t.Context()); err == nil {
				t.Error("signed in")
			}
			if took := time.Since(start); took > 31*time.Minute {
				t.Errorf("waited %v", took)
			}
		})
	})
}

// Whatever a PEM file holds, it is a key with its certificate or an error.
func FuzzCertificate(f *testing.F) {
	key := ecKey(f, elliptic.P256())
	good := pemOf(f, key, certificate(f, key, time.Unix(1<<32, 0)))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		client, err := auth.WithCertificate(content)
		if (err == nil) == client.IsZero() {
			t.Errorf("zero %t, %v", client.IsZero(), err)
		}
	})
}
