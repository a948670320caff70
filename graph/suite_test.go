package graph_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// args are the arguments of a tool.
type args = map[string]any

// suite is a fake tenant and a client that is signed in to it.
type suite struct {
	fake   *graphtest.Server
	client *graph.Client
	tools  mcptools.Set
	// violations is set by tests that make some on purpose.
	violations bool
}

// newSuite starts a fake and signs Sam Okafor in to it. When the test ends, it
// fails if the fake recorded a request that Graph refuses or ignores.
func newSuite(t *testing.T, options graphtest.Options) *suite {
	t.Helper()
	fake := graphtest.New(options)
	t.Cleanup(fake.Close)
	s := &suite{fake: fake}
	s.signIn(t, fake.Token(), graph.Options{})
	t.Cleanup(func() {
		for _, v := range fake.Violations() {
			if !s.violations {
				t.Errorf("violation: %s", v)
			}
		}
	})
	return s
}

// newAppSuite is newSuite with the application signed in instead of a user.
func newAppSuite(t *testing.T, options graphtest.Options) *suite {
	t.Helper()
	s := newSuite(t, options)
	s.signIn(t, s.fake.AppToken(), graph.Options{})
	return s
}

// signIn replaces the client by one with that token.
func (s *suite) signIn(t *testing.T, token string, options graph.Options) {
	t.Helper()
	options.BaseURL = s.fake.URL()
	options.Resilience.Retry.BaseDelay = time.Millisecond // the fake recovers at once
	client, err := graph.New(auth.Static(token), options)
	if err != nil {
		t.Fatal(err)
	}
	s.client, s.tools = client, client.Tools()
}

// call runs a tool that must succeed and returns its result.
func (s *suite) call(t *testing.T, tool string, a args) map[string]any {
	t.Helper()
	var result map[string]any
	s.into(t, tool, a, &result)
	return result
}

// into runs a tool that must succeed and decodes its result.
func (s *suite) into(t *testing.T, tool string, a args, result any) {
	t.Helper()
	answer, err := s.tools.Call(t.Context(), tool, marshal(t, a))
	if err != nil {
		t.Fatalf("%s %v: %v", tool, a, err)
	}
	if err := json.Unmarshal(answer.Value, result); err != nil {
		t.Fatalf("%s: %v in %s", tool, err, answer.Value)
	}
}

// fails runs a tool that must fail with that code and returns the error.
func (s *suite) fails(t *testing.T, code mcptools.Code, tool string, a args) *mcptools.Error {
	t.Helper()
	answer, err := s.tools.Call(t.Context(), tool, marshal(t, a))
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("%s %v: got %v %v, want the error %s", tool, a, answer, err, code)
	}
	return e
}

// paths lists the method and path template of the requests since the last call
// of ResetRecord.
func (s *suite) paths() []string {
	var list []string
	for _, r := range s.fake.Requests() {
		list = append(list, r.Method+" "+r.Template)
	}
	return list
}

func marshal(t *testing.T, a args) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// items returns the rows of a page.
func items(result map[string]any) []map[string]any {
	var rows []map[string]any
	list, _ := result["items"].([]any)
	for _, item := range list {
		row, _ := item.(map[string]any)
		rows = append(rows, row)
	}
	return rows
}

// signInWith signs Sam Okafor in with these permissions and no others.
func (s *suite) signInWith(t *testing.T, scopes ...string) {
	t.Helper()
	s.signIn(t, s.fake.TokenFor(graphtest.SignedInUser, scopes...), graph.Options{})
}
