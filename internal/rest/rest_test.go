package rest_test

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
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// newService returns a service whose API is handler.
func newService(t *testing.T, handler http.HandlerFunc) (*rest.Service, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/v1.0")
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.Stack(base, auth.Static("secret-token"), resilience.Options{Retry: resilience.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return &rest.Service{Name: "Test API", Base: base, Client: client, Header: http.Header{"X-All": {"1"}}}, server
}

func TestDo(t *testing.T) {
	service, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/v1.0/things" || r.URL.RawQuery != "%24top=5&q=a%20b%2Bc" {
			t.Errorf("%s %s?%s", r.Method, r.URL.Path, r.URL.RawQuery)
		}
		if r.Header.Get("Authorization") != "Bearer secret-token" || r.Header.Get("X-All") != "1" || r.Header.Get("Prefer") != "x" || string(body) != `{"name":"n"}` {
			t.Errorf("%v %s", r.Header, body)
		}
		_, _ = io.WriteString(w, `{"id":"7"}`)
	})
	var out struct{ ID string }
	response, err := service.Do(t.Context(), rest.Request{
		Method: http.MethodPost, Path: "/things", Query: url.Values{"$top": {"5"}, "q": {"a b+c"}},
		Header: http.Header{"Prefer": {"x"}}, Body: map[string]string{"name": "n"},
	}, &out)
	if err != nil || out.ID != "7" || response.Status != http.StatusOK {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestStatusesBecomeCodes(t *testing.T) {
	status := 0
	service, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("request-id", "r-1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"secret":"body of the service"}`)
	})
	for _, c := range []struct {
		status    int
		get, post mcptools.Code
	}{
		{400, mcptools.CodeInvalidArguments, mcptools.CodeInvalidArguments}, {401, mcptools.CodeUnauthenticated, mcptools.CodeUnauthenticated},
		{403, mcptools.CodePermissionDenied, mcptools.CodePermissionDenied}, {404, mcptools.CodeNotFound, mcptools.CodeNotFound},
		{409, mcptools.CodeConflict, mcptools.CodeConflict}, {412, mcptools.CodeConflict, mcptools.CodeConflict}, {413, mcptools.CodeTooLarge, mcptools.CodeTooLarge},
		{418, mcptools.CodeUpstream, mcptools.CodeUpstream}, {429, mcptools.CodeThrottled, mcptools.CodeThrottled}, {302, mcptools.CodeUpstream, mcptools.CodeUpstream},
		{500, mcptools.CodeUnavailable, mcptools.CodeUncertain}, {501, mcptools.CodeNotSupported, mcptools.CodeNotSupported}, {503, mcptools.CodeUnavailable, mcptools.CodeUncertain},
	} {
		status = c.status
		for method, want := range map[string]mcptools.Code{http.MethodGet: c.get, http.MethodPost: c.post} {
			_, err := service.Do(t.Context(), rest.Request{Method: method, Path: "/x"}, nil)
			e, ok := errors.AsType[*mcptools.Error](err)
			if !ok || e.Code != want || e.RequestID != "r-1" || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s %d: %v", method, c.status, err)
			}
		}
	}
}

func TestUnreadableAnswers(t *testing.T) {
	service, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	var out map[string]any
	for method, want := range map[string]mcptools.Code{http.MethodGet: mcptools.CodeUpstream, http.MethodPost: mcptools.CodeUncertain} {
		if _, err := service.Do(t.Context(), rest.Request{Method: method, Path: "/x"}, &out); !errors.Is(err, want) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func TestLostConnections(t *testing.T) {
	service, server := newService(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for method, want := range map[string]mcptools.Code{http.MethodGet: mcptools.CodeUnavailable, http.MethodPatch: mcptools.CodeUncertain} {
		if _, err := service.Send(t.Context(), rest.Request{Method: method, Path: "/x"}); !errors.Is(err, want) {
			t.Errorf("%s: %v", method, err)
		}
	}
	_, err := service.Send(t.Context(), rest.Request{Method: http.MethodGet, Path: "/x", Query: url.Values{"authtoken": {"sesame"}}})
	if e, ok := errors.AsType[*mcptools.Error](err); !ok || e.Err == nil || strings.Contains(e.Err.Error(), "sesame") {
		t.Errorf("the cause for the log is %v", e.Err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := service.Send(ctx, rest.Request{Method: http.MethodGet, Path: "/x"}); !errors.Is(err, mcptools.CodeCancelled) {
		t.Errorf("cancelled: %v", err)
	}
	server.Close() // nobody listens: a write surely did not happen
	if _, err := service.Send(t.Context(), rest.Request{Method: http.MethodPost, Path: "/x"}); !errors.Is(err, mcptools.CodeUnavailable) {
		t.Errorf("refused: %v", err)
	}
}

func TestContinue(t *testing.T) {
	service, server := newService(t, func(http.ResponseWriter, *http.Request) {})
	query := url.Values{"$select": {"id"}, "$top": {"5"}}
	more, err := service.Continue(server.URL+"/v1.0/users/7/messages?$select=id&$top=5&$skip=5", "/me/messages", query)
	if err != nil || more.Encode() != "%24skip=5" {
		t.Errorf("got %v, %v", more, err)
	}
	for name, link := range map[string]string{
		"other host":     "https://evil.example/v1.0/me/messages?$skip=5",
		"host in user":   strings.Replace(server.URL, "http://", "http://evil.example@", 1) + "/v1.0/me/messages?$skip=5",
		"other scheme":   strings.Replace(server.URL, "http:", "ftp:", 1) + "/v1.0/me/messages?$skip=5",
		"other path":     server.URL + "/v1.0/me/secrets?$skip=5",
		"the same again": server.URL + "/v1.0/me/messages?$select=id&$top=5",
		"not a link":     "://",
		"without a host": "/v1.0/me/messages?$skip=5",
	} {
		if more, err := service.Continue(link, "/me/messages", query); !errors.Is(err, mcptools.CodeUpstream) {
			t.Errorf("%s: %v, %v", name, more, err)
		}
	}
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ id, want string }{
		{"AAMk=", "/users/AAMk=/x"}, {"a b", "/users/a%20b/x"}, {"a%2Fb", "/users/a%252Fb/x"}, {"a?b#c", "/users/a%3Fb%23c/x"}, {"ü@x.example", "/users/%C3%BC@x.example/x"}, {"a..", "/users/a../x"},
	} {
		if got, err := rest.Path("/users/{}/x", c.id); err != nil || got != c.want {
			t.Errorf("%q: got %q, %v", c.id, got, err)
		}
	}
	for _, id := range []string{"", ".", "..", "...", ".. ", " ..", " ", "a/b", "/", `a\b`, "a\nb", "\x00", "\x7f", "a\u0085", "\xff", strings.Repeat("a", 1025)} {
		if got, err := rest.Path("/users/{}/x", id); !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%q: got %q, %v", id, got, err)
		}
	}
}

// FuzzPath: whatever an id holds, origin and template stay as they are.
func FuzzPath(f *testing.F) {
	for _, id := range []string{"AAMk=", "..", "%2e%2e", "a/b", "@evil.example", "?x", "#", ";", "%", "a\\b", "\u2215", "//"} {
		f.Add(id)
	}
	base, err := url.Parse("https://graph.microsoft.com/v1.0")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		path, err := rest.Path("/me/messages/{}/move", id)
		if err != nil {
			return
		}
		u, err := url.Parse(base.String() + path)
		if err != nil {
			t.Fatalf("%q makes no URL: %v", id, err)
		}
		segments := strings.Split(u.EscapedPath(), "/")
		clean := base.JoinPath(strings.Split(strings.TrimPrefix(path, "/"), "/")...)
		if u.Scheme != "https" || u.Host != "graph.microsoft.com" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			t.Fatalf("%q leads to %s", id, u)
		}
		if len(segments) != 6 || segments[2] != "me" || segments[3] != "messages" || segments[5] != "move" || clean.EscapedPath() != u.EscapedPath() {
			t.Fatalf("%q changes the path to %s", id, u.EscapedPath())
		}
		if back, err := url.PathUnescape(segments[4]); err != nil || back != id {
			t.Fatalf("%q arrives as %q", id, back)
		}
	})
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"The mailbox\r\n is  full.":                           "The mailbox is full.",
		"Token eyJhbGciOi.J9abc.def_ghi is expired":           "Token [removed] is expired",
		"Bearer eyJhbGciOi.J9abc.x":                           "Bearer [REDACTED]",
		"key " + strings.Repeat("aB3", 20):                    "key [REDACTED]",
		"secret " + strings.Repeat("x8Q~", 10) + " is wrong":  "secret [REDACTED] is wrong",
		`login failed: Password=hunter2;Server=db`:            "login failed: Password=[REDACTED]",
		`{"client_secret":"s3","access_token":"t0k"}`:         `{"client_secret":"[REDACTED]","access_token":"[REDACTED]"}`,
		"GET https://api.example/v1/me?sig=c4n4ry&x=1 failed": "GET https://api.example/v1/me?[removed] failed",
		"Access token: it has expired":                        "Access token: it has expired",
		"Authorization: Bearer abcdefgh12":                    "Authorization: [REDACTED]",
		"a\x00b\u202ec\u200bd\ufeff":                          "abcd",
		"":                                                    "",
		strings.Repeat("Wörter ", 100):                        strings.Repeat("Wörter ", 37)[:296] + "Wör…",
	} {
		if got := rest.Sentence(text); got != want && len(text) < 500 || len(got) > 310 {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

// FuzzSentence: what is shown of a service's words is one short line.
func FuzzSentence(f *testing.F) {
	f.Add("Access is denied.\nBearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig")
	f.Add("\xff\u202e\x1b[31m")
	f.Fuzz(func(t *testing.T, text string) {
		got := rest.Sentence(text)
		if len(got) > 310 || strings.ContainsAny(got, "\n\r\x00\x1b\u202e\u200b") || strings.Contains(got, "eyJhbGciOiJIUzI1NiJ9.") {
			t.Fatalf("got %q", got)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatal(err)
		}
	})
}
