package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

const canaryToken = "eyJhbGciOiJub25lIn0.eyJjNG40cnkiOiJjNG40cnkifQ.c4n4ryc4n4ryc4n4ry"

// Whatever the token endpoint answers, nothing confidential is in the error.
func TestErrorsHoldNoSecrets(t *testing.T) {
	escaped := url.QueryEscape(clientSecret)
	basic := base64.StdEncoding.EncodeToString([]byte("app:" + clientSecret))
	answers := map[string]struct {
		status int
		body   string
	}{
		"echo in JSON":        {400, fmt.Sprintf(`{"error":"invalid_client","error_description":"you sent client_secret=%s or %s or %s or %s"}`, clientSecret, escaped, basic, html.EscapeString(clientSecret))},
		"echo as code":        {400, fmt.Sprintf(`{"error":%q}`, clientSecret)},
		"echo as page":        {500, "<html>client_secret=" + clientSecret + "</html>"},
		"echo as form":        {400, "error=invalid_client&client_secret=" + escaped},
		"truncated token":     {200, `{"access_token":"` + canaryToken},
		"token in error":      {400, `{"error":"invalid_request","error_description":"` + canaryToken + `"}`},
		"token of wrong type": {200, `{"access_token":["` + canaryToken + `"]}`},
		"token as number":     {200, `{"access_token":"x","expires_in":"` + canaryToken + `"}`},
		"token and error":     {200, `{"error":"slow_down","access_token":"` + canaryToken + `"}`},
		"empty":               {200, `{}`},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.answer(func(w http.ResponseWriter, _ url.Values) bool {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, a.body)
				return true
			})
			_, err := newApplication(t, s).TokenContext(t.Context())
			failure, ok := errors.AsType[*auth.Error](err)
			if !ok {
				t.Fatalf("untyped error %v", err)
			}
			dump := fmt.Sprintf("%v %+v %#v %s", err, *failure, failure, errors.Unwrap(err))
			for _, secret := range []string{clientSecret, escaped, basic, html.EscapeString(clientSecret), canaryToken, "c4n4ry"} {
				if strings.Contains(dump, secret) {
					t.Errorf("the error holds %q: %s", secret, dump)
				}
			}
		})
	}
}

func TestErrorTellsWhatHelps(t *testing.T) {
	s := newServer(t)
	s.answer(func(w http.ResponseWriter, _ url.Values) bool {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0b0f",`+
			`"correlation_id":"7a7c9b6e-1c5d-4e1f-9f0a-2b3c4d5e6f70"}`)
		return true
	})
	_, err := newApplication(t, s).TokenContext(t.Context())
	failure, ok := errors.AsType[*auth.Error](err)
	if !ok || failure.Code != "invalid_client" || failure.Status != 401 || failure.RetryAfter != 7*time.Second || failure.NeedsUser ||
		failure.CorrelationID != "7a7c9b6e-1c5d-4e1f-9f0a-2b3c4d5e6f70" {
		t.Errorf("%+v", failure)
	}
	const text = "auth: no token: invalid_client: AADSTS7000215: Invalid client secret provided. Trace ID: 0b0f (HTTP 401) (correlation id 7a7c9b6e-1c5d-4e1f-9f0a-2b3c4d5e6f70)"
	if err.Error() != text {
		t.Errorf("%s", err)
	}
}

// A redirect would carry the secret to another host.
func TestTokenRequestFollowsNoRedirect(t *testing.T) {
	reached := false
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reached = true }))
	t.Cleanup(thief.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newServer(t)
		s.answer(func(w http.ResponseWriter, _ url.Values) bool {
			w.Header().Set("Location", thief.URL)
			w.WriteHeader(status)
			return true
		})
		source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
			Authority: s.authority(), ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret(clientSecret)),
			HTTPClient: &http.Client{}, // one that would follow
		})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		_, err = source.TokenContext(t.Context())
		if failure, ok := errors.AsType[*auth.Error](err); !ok || failure.Status != status || reached {
			t.Errorf("%d: %v, followed %t", status, err, reached)
		}
	}
}

func TestUnreachableEndpoint(t *testing.T) {
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: auth.Authority{TokenURL: "http://127.0.0.1:1/token?sig=c4n4ry"}, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret("x")),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.TokenContext(t.Context())
	if !errors.As(err, new(*net.OpError)) || strings.Contains(err.Error(), "c4n4ry") || errors.As(err, new(*url.Error)) {
		t.Errorf("error = %v", err)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	secret := auth.NewSecret("c4n4ry")
	holder := struct {
		Shown  auth.Secret
		hidden auth.Secret
		Many   []*auth.Secret
	}{secret, secret, []*auth.Secret{&secret}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
		fmt.Fprintf(&out, verb+verb+verb, secret, &secret, holder)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", secret, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", secret, "holder", holder)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		text, err := marshal(secret)
		if err != nil {
			t.Error(err)
		}
		out.Write(text)
	}
	fmt.Fprint(&out, fmt.Errorf("wrapped: %v", secret))
	for _, form := range []string{"c4n4ry", fmt.Sprintf("%x", "c4n4ry"), fmt.Sprintf("%X", "c4n4ry")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%s", out.String())
		}
	}
	if secret.Expose() != "c4n4ry" || !secret.Equal(auth.NewSecret("c4n4ry")) || secret.Equal(auth.NewSecret("x")) ||
		secret.IsZero() || !auth.NewSecret("").IsZero() || (auth.Secret{}).Expose() != "" {
		t.Error("the value is lost")
	}
}

func FuzzErrorHoldsNoSecret(f *testing.F) {
	f.Add("invalid_client", "bad %s")
	f.Add("%s", "\"%s\",%s\x00%s")
	s := newServer(f)
	f.Fuzz(func(t *testing.T, code, text string) {
		fill := func(pattern string) string { return strings.ReplaceAll(pattern, "%s", clientSecret) }
		s.answer(func(w http.ResponseWriter, _ url.Values) bool {
			refuse(w, http.StatusBadRequest, fill(code), fill(text))
			return true
		})
		_, err := newApplication(t, s).TokenContext(t.Context())
		if err == nil || strings.Contains(err.Error(), clientSecret) {
			t.Errorf("error = %v", err)
		}
	})
}
