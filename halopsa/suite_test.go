package halopsa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// suite is a fake HaloPSA, a client of it and an MCP session with its tools.
type suite struct {
	t       *testing.T
	server  *halotest.Server
	client  *halopsa.Client
	session *mcp.ClientSession
}

// start plays an instance. When the test ends, every request must have been one
// that a real HaloPSA understands in full.
func start(t *testing.T, instance halotest.Options, adjust ...func(*halopsa.Options)) *suite {
	t.Helper()
	server := halotest.New(instance)
	t.Cleanup(server.Close)
	options := halopsa.Options{URL: server.URL(), TimeZone: "Europe/Berlin"}
	for _, change := range adjust {
		change(&options)
	}
	client, err := halopsa.New(auth.Static(server.Token(instance.Scopes...)), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, violation := range server.Violations() {
			t.Errorf("a real HaloPSA would not do this: %v", violation)
		}
	})
	return &suite{t: t, server: server, client: client, session: catalogtest.Connect(t, client.Tools())}
}

// call calls a tool over MCP, which must succeed.
func (s *suite) call(tool string, args map[string]any) map[string]any {
	s.t.Helper()
	result, failure := catalogtest.Invoke(s.t, s.session, tool, args)
	if failure != "" {
		s.t.Fatalf("%s %v: %s", tool, args, failure)
	}
	return result
}

// refused calls a tool over MCP, which must fail, and returns the error's text.
func (s *suite) refused(tool string, args map[string]any) string {
	s.t.Helper()
	result, failure := catalogtest.Invoke(s.t, s.session, tool, args)
	if failure == "" {
		s.t.Fatalf("%s %v succeeded: %v", tool, args, result)
	}
	return failure
}

// save writes records to the fake, past the client.
func (s *suite) save(path string, records []halotest.Record) {
	s.t.Helper()
	body, err := json.Marshal(records)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.server.URL()+"/api"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.server.Token())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", path, response.Status)
	}
}

// posts returns the paths that were posted to so far.
func (s *suite) posts() []string {
	var paths []string
	for _, request := range s.server.Requests() {
		if request.Method == http.MethodPost {
			paths = append(paths, request.Template)
		}
	}
	return paths
}

// fails checks an error's code, and that its text has what the caller needs.
func fails(t *testing.T, err error, code mcptools.Code, parts ...string) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("the error is %v, want %s", err, code)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

// shows checks a value of the rows of a page.
func shows[R any, V comparable](t *testing.T, name string, page *mcptools.Page[R], err error, value func(R) V, want []V) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var got []V
	for _, row := range page.Items {
		got = append(got, value(row))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}
