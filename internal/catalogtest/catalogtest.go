// Package catalogtest checks a whole catalogue of tools by calling every tool
// with every argument over a real MCP session.
package catalogtest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Call is one call of a tool and what must come of it.
type Call struct {
	Tool string
	Args map[string]any
	// With returns further arguments, from the results of earlier calls.
	With func(earlier Results) map[string]any
	// Code is the error that must come of it. Empty: success.
	Code mcptools.Code
	// Check looks at the result of a success.
	Check func(t *testing.T, result map[string]any)
}

// Results holds the results of the calls so far, by tool, the latest last.
type Results map[string][]map[string]any

// Last returns the latest result of a tool.
func (r Results) Last(tool string) map[string]any {
	all := r[tool]
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// Options hook into [Run]; both are optional.
type Options struct {
	Before func(tool string)
	After  func(t *testing.T, tool string)
}

// Run calls the tools in the given order and fails the test for every tool and
// every argument that no successful call used.
func Run(t *testing.T, set mcptools.Set, calls []Call, options Options) {
	t.Helper()
	session := Connect(t, set)
	results := Results{}
	used := map[string]map[string]bool{}
	for _, call := range calls {
		t.Run(call.Tool, func(t *testing.T) {
			args := maps.Clone(call.Args)
			if args == nil {
				args = map[string]any{}
			}
			if call.With != nil {
				maps.Copy(args, call.With(results))
			}
			if options.Before != nil {
				options.Before(call.Tool)
			}
			result, failure := Invoke(t, session, call.Tool, args)
			if options.After != nil {
				options.After(t, call.Tool)
			}
			if call.Code != "" {
				if !strings.HasPrefix(failure, string(call.Code)) {
					t.Fatalf("got %q %v, want the error %s", failure, result, call.Code)
				}
				return
			}
			if failure != "" {
				t.Fatalf("%v failed: %s", args, failure)
			}
			results[call.Tool] = append(results[call.Tool], result)
			note(used, call.Tool, args)
			if call.Check != nil {
				call.Check(t, result)
			}
		})
	}
	checkCoverage(t, set, used)
}

func note(used map[string]map[string]bool, tool string, args map[string]any) {
	if used[tool] == nil {
		used[tool] = map[string]bool{}
	}
	for name := range args {
		used[tool][name] = true
	}
}

func checkCoverage(t *testing.T, set mcptools.Set, used map[string]map[string]bool) {
	t.Helper()
	for tool := range set.All() {
		name := tool.Spec().Name
		if used[name] == nil {
			t.Errorf("%s was never called with success", name)
			continue
		}
		var schema struct {
			Properties map[string]json.RawMessage `json:"properties"`
		}
		if err := json.Unmarshal(tool.InputSchema(), &schema); err != nil {
			t.Fatal(err)
		}
		for _, argument := range slices.Sorted(maps.Keys(schema.Properties)) {
			if !used[name][argument] {
				t.Errorf("%s was never called with the argument %s", name, argument)
			}
		}
	}
}

// Connect returns a client's session with a server that offers the tools.
func Connect(t *testing.T, set mcptools.Set) *mcp.ClientSession {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	set.Register(server)
	clientSide, serverSide := mcp.NewInMemoryTransports()
	serverSession, err := server.Connect(t.Context(), serverSide, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), clientSide, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
		if err := serverSession.Wait(); err != nil {
			t.Error(err)
		}
	})
	return session
}

// Invoke calls a tool over MCP and returns its structured result, or the text
// of its error.
func Invoke(t *testing.T, session *mcp.ClientSession, tool string, args any) (result map[string]any, failure string) {
	t.Helper()
	answer, err := session.CallTool(context.WithoutCancel(t.Context()), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	if answer.IsError {
		var text strings.Builder
		for _, content := range answer.Content {
			if part, ok := content.(*mcp.TextContent); ok {
				text.WriteString(part.Text)
			}
		}
		return nil, text.String()
	}
	structured, err := json.Marshal(answer.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(structured, &result); err != nil {
		t.Fatalf("%s: no structured content: %v", tool, err)
	}
	return result, ""
}
