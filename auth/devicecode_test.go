package auth_test

import (
	"context"
	"encoding/json"
	"errors"
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

// deviceServer plays an authorization server without a network, so that time
// can be made to fly. Replies are those of the token endpoint, one a poll.
type deviceServer struct {
	answer  string // of the device authorization endpoint
	replies []string
	asked   url.Values
	polls   []time.Time
}

const deviceAnswer = `{"device_code":"c4n4ry","user_code":"WDJB-MJHT","verification_uri":"https://login.example/device",` +
	`"verification_uri_complete":"https://login.example/device?user_code=WDJB-MJHT","expires_in":900,"interval":5}`

func (d *deviceServer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/device" {
		d.asked = form
		if !strings.Contains(d.answer, "device_code") {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, d.answer)
		return w.Result(), nil
	}
	d.polls = append(d.polls, time.Now())
	reply := "authorization_pending"
	if len(d.polls) <= len(d.replies) {
		reply = d.replies[len(d.polls)-1]
	}
	switch {
	case form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code" || form.Get("device_code") != "c4n4ry" || form.Get("client_id") != "desktop":
		return nil, errors.New("a wrong request")
	case reply == "lost":
		return nil, errors.New("connection reset")
	case reply == "busy":
		w.Header().Set("Retry-After", "40")
		w.WriteHeader(http.StatusServiceUnavailable)
	case reply == "ok":
		_, _ = io.WriteString(w, `{"access_token":"a","refresh_token":"r","token_type":"Bearer","expires_in":3600}`)
	default:
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": reply, "error_description": "about c4n4ry"})
	}
	return w.Result(), nil
}

func deviceLogin(t *testing.T, d *deviceServer, prompt func(context.Context, auth.DevicePrompt) error) (*auth.DeviceCode, error) {
	t.Helper()
	if prompt == nil {
		prompt = func(context.Context, auth.DevicePrompt) error { return nil }
	}
	login, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
		Authority: auth.Authority{TokenURL: "https://login.example/token", DeviceURL: "https://login.example/device", SignInScopes: []string{"offline_access"}},
		ClientID:  "desktop", Scopes: []string{"Mail.Read"}, Prompt: prompt, HTTPClient: &http.Client{Transport: d},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = login.Login(t.Context())
	return login, err
}

func TestDeviceCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deviceServer{answer: deviceAnswer, replies: []string{"authorization_pending", "slow_down", "authorization_pending", "lost", "busy", "ok"}}
		var shown auth.DevicePrompt
		start := time.Now()
		login, err := deviceLogin(t, d, func(_ context.Context, prompt auth.DevicePrompt) error { shown = prompt; return nil })
		if err != nil {
			t.Fatal(err)
		}
		defer login.Source().Close()
		want := auth.DevicePrompt{URL: "https://login.example/device", UserCode: "WDJB-MJHT",
			CompleteURL: "https://login.example/device?user_code=WDJB-MJHT", Expires: start.Add(15 * time.Minute)}
		if shown != want || d.asked.Get("scope") != "Mail.Read offline_access" || d.asked.Get("client_id") != "desktop" {
			t.Errorf("shown %+v, asked %v", shown, d.asked)
		}
		var pace []time.Duration
		last := start
		for _, poll := range d.polls {
			pace, last = append(pace, poll.Sub(last)), poll
		}
		// slow_down adds five seconds for good; a lost connection doubles the
		// pause; a server that names a time gets it.
		for i, want := range []time.Duration{5, 5, 10, 10, 20, 40} {
			if pace[i] != want*time.Second {
				t.Errorf("pace %v", pace)
			}
		}
		token, err := login.Source().TokenContext(t.Context())
		if err != nil || token.AccessToken != "a" || token.RefreshToken != "r" {
			t.Errorf("%v", err)
		}
	})
}

func TestDeviceCodeFails(t *testing.T) {
	for name, test := range map[string]struct {
		answer, reply string
		code          string
		needsUser     bool
		took          time.Duration
	}{
		"denied":        {deviceAnswer, "access_denied", "access_denied", true, 5 * time.Second},
		"declined":      {deviceAnswer, "authorization_declined", "authorization_declined", true, 5 * time.Second},
		"expired":       {deviceAnswer, "expired_token", "expired_token", true, 5 * time.Second},
		"nobody came":   {deviceAnswer, "authorization_pending", "expired_token", true, 15 * time.Minute},
		"wrong client":  {deviceAnswer, "invalid_client", "invalid_client", false, 5 * time.Second},
		"refused":       {`{"error":"unauthorized_client","error_description":"no"}`, "", "unauthorized_client", false, 0},
		"no code":       {`{"device_code":""}`, "", "", false, 0},
		"hostile page":  {strings.ReplaceAll(deviceAnswer, "https://login.example/device", "javascript:alert(1)//"), "", "", false, 0},
		"plain http":    {strings.ReplaceAll(deviceAnswer, "https://", "http://"), "", "", false, 0},
		"control codes": {strings.ReplaceAll(deviceAnswer, "WDJB", `\u001b[2J`), "", "", false, 0},
		"not JSON":      {"device_code=c4n4ry", "", "", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &deviceServer{answer: test.answer}
				for range 200 {
					d.replies = append(d.replies, test.reply)
				}
				start := time.Now()
				login, err := deviceLogin(t, d, nil)
				defer login.Source().Close()
				failure, ok := errors.AsType[*auth.Error](err)
				if !ok || failure.Code != test.code || failure.NeedsUser != test.needsUser || time.Since(start) != test.took || strings.Contains(err.Error(), "c4n4ry") {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				if _, err := login.Source().TokenContext(t.Context()); !needsUser(err) {
					t.Errorf("signed in: %v", err)
				}
			})
		})
	}
}

func TestDeviceCodeEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone home")
		login, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
			Authority: auth.Authority{TokenURL: "https://login.example/token", DeviceURL: "https://login.example/device"},
			ClientID:  "desktop",
			Prompt: func(context.Context, auth.DevicePrompt) error {
				time.AfterFunc(time.Minute, func() { cancel(gone) })
				return nil
			},
			HTTPClient: &http.Client{Transport: &deviceServer{answer: deviceAnswer}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer login.Source().Close()
		start := time.Now()
		if _, err := login.Login(ctx); !errors.Is(err, gone) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
	if _, err := auth.NewDeviceCode(auth.DeviceCodeConfig{ClientID: "x"}); err == nil {
		t.Error("a device code without an endpoint")
	}
}
