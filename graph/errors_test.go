package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func newTestClient(t testing.TB, baseURL string) *Client {
	t.Helper()
	c, err := New(auth.Static("secret-token"), Options{BaseURL: baseURL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGraphCodesBecomeRemedies(t *testing.T) {
	c := newTestClient(t, "")
	for code, want := range map[string]mcptools.Code{
		"ErrorItemNotFound": mcptools.CodeNotFound, "ErrorInvalidIdMalformed": mcptools.CodeInvalidArguments, "MailboxNotEnabledForRESTAPI": mcptools.CodeNotSupported,
		"ErrorSendAsDenied": mcptools.CodePermissionDenied, "ErrorMessageSizeExceeded": mcptools.CodeTooLarge, "ErrorFolderExists": mcptools.CodeConflict,
		"TooManyRequests": mcptools.CodeThrottled, "SomethingNew": mcptools.CodeInvalidArguments,
	} {
		body := `{"error":{"code":"` + code + `","message":"It\nfailed.","innerError":{"request-id":"r-7"}}}`
		err := c.service.Failed(t.Context(), rest.Request{Method: http.MethodGet}, http.StatusBadRequest, nil, []byte(body))
		e, ok := errors.AsType[*mcptools.Error](err)
		if !ok || e.Code != want || e.Upstream != code || e.RequestID != "r-7" || !strings.Contains(e.Message, "It failed.") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// FuzzExplain: whatever a server answers, a model sees a short error without
// control characters or credentials.
func FuzzExplain(f *testing.F) {
	f.Add(404, `{"error":{"code":"ErrorItemNotFound","message":"gone","innerError":{"request-id":"1"}}}`)
	f.Add(500, `{"error":"text"}`)
	f.Add(401, `{"error":{"code":"InvalidAuthenticationToken","message":"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig"}}`)
	f.Add(400, "<html>\x00")
	f.Add(429, `{"error":{"code":7}}`)
	c := newTestClient(f, "")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 300 || status > 999 {
			return
		}
		err := c.service.Failed(t.Context(), rest.Request{Method: http.MethodPost}, status, http.Header{}, []byte(body))
		e, ok := errors.AsType[*mcptools.Error](err)
		if !ok || e.Code == "" || e.Message == "" {
			t.Fatalf("got %#v", err)
		}
		text := e.Error()
		if len(text) > 1500 || strings.ContainsAny(text, "\x00\x1b\r\u202e") || strings.Contains(text, "eyJhbGciOiJIUzI1NiJ9.") {
			t.Fatalf("got %q", text)
		}
	})
}

// The parts of a file go to the hosts of the cloud and to no other, whatever
// the session says.
func TestUploadStaysOnItsHosts(t *testing.T) {
	address := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost && r.Method != http.MethodGet {
			t.Errorf("%s %s was sent", r.Method, r.URL)
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"uploadUrl": address, "value": []string{}}); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	c := newTestClient(t, server.URL+"/v1.0")
	for _, address = range []string{"https://evil.example/upload?authtoken=1", "http://outlook.office.com/x", "https://outlook.office.com.evil.example/x", "https://a@outlook.office.com/x", "", "/relative", "://"} {
		err := c.upload(t.Context(), "/me/messages/1", file{name: "a", content: make([]byte, 10)}, func(int) {})
		if !errors.Is(err, mcptools.CodePermissionDenied) && !errors.Is(err, mcptools.CodeUpstream) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestNextRange(t *testing.T) {
	for body, want := range map[string]int{
		`{"nextExpectedRanges":["3276800-"]}`: 3276800, `{"nextExpectedRanges":["12"]}`: 12, `{"nextExpectedRanges":["0-5","9-"]}`: 0, `{"NextExpectedRanges":["7-9"]}`: 7,
		`{"nextExpectedRanges":[]}`: -1, `{}`: -1, ``: -1, `{"nextExpectedRanges":["x"]}`: -1, `{"nextExpectedRanges":["-5"]}`: -1,
	} {
		if got, ok := nextRange([]byte(body)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %d, %v", body, got, ok)
		}
	}
}

func TestKeywordIsOnePhrase(t *testing.T) {
	for text, want := range map[string]string{
		"a": `\"a\"`, `a" OR "b`: `\"a OR b\"`, `\`: `\"\"`, "a  b\n": `\"a b\"`,
	} {
		if got := keyword(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// Typed callers leave out what has a default, and get the same.
func TestDefaultsOfSchemaAndMethodAgree(t *testing.T) {
	c := newTestClient(t, "")
	for tool, want := range map[string]string{
		"m365_mail_get": `"max_chars":{"type":"integer","default":8000`, "m365_mail_attachment": `"max_chars":{"type":"integer","default":8000`,
		"m365_mail_search": `"default":10`, "m365_mail_folders": `"default":50`, "m365_mail_thread": `"default":20`,
	} {
		if found, _ := c.Tools().Tool(tool); !strings.Contains(string(found.InputSchema()), want) {
			t.Errorf("%s: %s", tool, found.InputSchema())
		}
	}
	if defaultMailChars != 8000 || defaultAttachmentChars != 8000 {
		t.Error("the defaults differ from the schema's")
	}
}
