package mcptools_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

type none struct{}

type word struct {
	Word string `json:"word"`
}

// toy defines a tool without arguments.
func toy(name string, run func(context.Context) (*word, error)) mcptools.Tool {
	return mcptools.Define(mcptools.Spec{Name: name, Title: "Toy", Toolset: "toy", Description: "Do something."},
		func(ctx context.Context, _ none) (*word, error) { return run(ctx) })
}

func TestList(t *testing.T) {
	yes, no := true, false
	tools := []mcptools.Tool{}
	want := map[string]*mcp.ToolAnnotations{}
	for _, c := range []struct {
		name        string
		effect      mcptools.Effect
		marks       mcptools.Mark
		annotations mcp.ToolAnnotations
	}{
		{"read", mcptools.ReadOnly, 0, mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &no}},
		{"read_mail", mcptools.ReadOnly, mcptools.Untrusted, mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &yes}},
		{"add", mcptools.Additive, 0, mcp.ToolAnnotations{DestructiveHint: &no, OpenWorldHint: &no}},
		{"send", mcptools.Additive, mcptools.Outbound, mcp.ToolAnnotations{DestructiveHint: &no, OpenWorldHint: &yes}},
		{"set", mcptools.Idempotent, mcptools.Privileged, mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &no}},
		{"forgotten", 0, 0, mcp.ToolAnnotations{DestructiveHint: &yes, OpenWorldHint: &no}},
	} {
		c.annotations.Title = "Title of " + c.name
		want[c.name] = &c.annotations
		tools = append(tools, mcptools.Define(mcptools.Spec{
			Name: c.name, Title: "Title of " + c.name, Toolset: "toy", Description: "Describes " + c.name, Effect: c.effect, Marks: c.marks,
		}, func(context.Context, MailQuery) (*word, error) { return &word{}, nil }))
	}
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			listed, err := reach(t, way, mcptools.NewSet(tools...), nil, "").ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(listed.Tools) != len(want) {
				t.Fatalf("%d tools, want %d", len(listed.Tools), len(want))
			}
			for _, tool := range listed.Tools {
				got, wanted := marshal(t, tool.Annotations), marshal(t, want[tool.Name])
				if got != wanted {
					t.Errorf("%s: annotations %s, want %s", tool.Name, got, wanted)
				}
				if tool.Title != "Title of "+tool.Name || tool.Description != "Describes "+tool.Name {
					t.Errorf("%s: title %q, description %q", tool.Name, tool.Title, tool.Description)
				}
				if !strings.Contains(marshal(t, tool.InputSchema), `"additionalProperties":false`) {
					t.Errorf("%s: the input schema is open", tool.Name)
				}
				if strings.Contains(marshal(t, tool.OutputSchema), "additionalProperties") {
					t.Errorf("%s: the output schema is closed", tool.Name)
				}
			}
		})
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCall(t *testing.T) {
	tool, _ := probe()
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			session := reach(t, way, mcptools.NewSet(tool, mailTool("mail_search")), nil, "")
			result, err := session.CallTool(t.Context(), &mcp.CallToolParams{
				Name: "toy_probe", Arguments: json.RawMessage(`{"id":"<a&b>","count":"9007199254740993","top":"5"}`),
			})
			if err != nil {
				t.Fatal(err)
			}
			want := `{"got":{"id":"<a&b>","count":9007199254740993,"top":5}}`
			if got := textOf(t, result); result.IsError || got != want {
				t.Errorf("text %s, want %s", got, want)
			}
			if result.StructuredContent == nil {
				t.Error("no structured content")
			}

			result, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "mail_search", Arguments: json.RawMessage(`{"query":"x","top":1}`)})
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, result); !strings.HasPrefix(got, `{"notice":"Text below was written by others`) {
				t.Errorf("untrusted text without a notice first: %s", got)
			}

			result, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "toy_probe"})
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, result); !result.IsError || result.StructuredContent != nil || !strings.HasPrefix(got, "invalid_arguments: id: missing\n") {
				t.Errorf("no arguments: isError %v, structured %v, text %q", result.IsError, result.StructuredContent, got)
			}

			_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "toy_nothing"})
			if wire, ok := errors.AsType[*jsonrpc.Error](err); !ok || wire.Code != jsonrpc.CodeInvalidParams {
				t.Errorf("unknown tool: %v, want a JSON-RPC error %d", err, jsonrpc.CodeInvalidParams)
			}
		})
	}
}

// TestBugsBecomeErrors: what a tool or a middleware does wrong never ends the
// process, and never tells a model what only a log should know.
func TestBugsBecomeErrors(t *testing.T) {
	const secret = "hunter2"
	wrap := func(m func(context.Context, *mcptools.Call) (*mcptools.Result, error)) mcptools.Middleware {
		return func(mcptools.Handler) mcptools.Handler { return m }
	}
	good := toy("toy_bug", func(context.Context) (*word, error) { return &word{"ok"}, nil })
	of := func(run func(context.Context) (*word, error)) mcptools.Set {
		return mcptools.NewSet(toy("toy_bug", run))
	}
	by := func(m func(context.Context, *mcptools.Call) (*mcptools.Result, error)) mcptools.Set {
		return mcptools.NewSet(good).With(wrap(m))
	}
	var nilError *mcptools.Error
	var nilQuestion *mcptools.InputRequired
	var nilProtocol *jsonrpc.Error
	for name, set := range map[string]mcptools.Set{
		"panic":               of(func(context.Context) (*word, error) { panic(secret) }),
		"panic with nil":      of(func(context.Context) (*word, error) { panic(nil) }),
		"nil dereference":     of(func(context.Context) (*word, error) { return &word{(*word)(nil).Word}, nil }),
		"nothing":             of(func(context.Context) (*word, error) { return nil, nil }),
		"nil *Error":          of(func(context.Context) (*word, error) { return nil, nilError }),
		"nil *InputRequired":  of(func(context.Context) (*word, error) { return nil, nilQuestion }),
		"empty InputRequired": of(func(context.Context) (*word, error) { return nil, &mcptools.InputRequired{} }),
		"other error":         of(func(context.Context) (*word, error) { return nil, errors.New(secret) }),
		"protocol error":      of(func(context.Context) (*word, error) { return nil, &jsonrpc.Error{Message: secret} }),
		"panicking error":     of(func(context.Context) (*word, error) { return nil, rudeError{} }),
		"middleware panic":    by(func(context.Context, *mcptools.Call) (*mcptools.Result, error) { panic(secret) }),
		"middleware nothing":  by(func(context.Context, *mcptools.Call) (*mcptools.Result, error) { return nil, nil }),
		"middleware error":    by(func(context.Context, *mcptools.Call) (*mcptools.Result, error) { return nil, errors.New(secret) }),
		"middleware nil":      by(func(context.Context, *mcptools.Call) (*mcptools.Result, error) { return nil, nilProtocol }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := set.Call(t.Context(), "toy_bug", nil)
			if e, ok := errors.AsType[*mcptools.Error](err); !ok || e == nil || e.Code != mcptools.CodeInternal {
				t.Errorf("direct call: %v, want %s", err, mcptools.CodeInternal)
			}
			session := connect(t, newServer(set), nil, "")
			result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "toy_bug"})
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, result); !result.IsError || strings.Contains(got, secret) || !strings.HasPrefix(got, "internal: ") {
				t.Errorf("isError %v, text %q", result.IsError, got)
			}
			if _, err := session.ListTools(t.Context(), nil); err != nil {
				t.Errorf("the server is gone: %v", err)
			}
		})
	}
}

// rudeError panics when anybody looks at it.
type rudeError struct{}

func (rudeError) Error() string { panic("rude") }
func (rudeError) Unwrap() error { panic("rude") }

// TestStrangeResults: a middleware that makes up results, or spoils one, cannot
// break the server.
func TestStrangeResults(t *testing.T) {
	for name, change := range map[string]func(*mcptools.Result){
		"empty":       func(r *mcptools.Result) { *r = mcptools.Result{} },
		"no JSON":     func(r *mcptools.Result) { *r = mcptools.Result{Value: json.RawMessage(`{"half`)} },
		"cut off":     func(r *mcptools.Result) { r.Value = r.Value[:len(r.Value)-1] },
		"overwritten": func(r *mcptools.Result) { r.Value[2] = '"' },
		"nil content": func(r *mcptools.Result) { r.Content = []mcp.Content{nil} },
		"a list":      func(r *mcptools.Result) { r.Value = json.RawMessage(`[1]`) },
	} {
		t.Run(name, func(t *testing.T) {
			odd := toy("toy_odd", func(context.Context) (*word, error) { return &word{"x"}, nil })
			set := mcptools.NewSet(odd).With(func(next mcptools.Handler) mcptools.Handler {
				return func(ctx context.Context, call *mcptools.Call) (*mcptools.Result, error) {
					result, err := next(ctx, call)
					if err == nil {
						change(result)
					}
					return result, err
				}
			})
			session := connect(t, newServer(set), nil, "")
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			answer, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "toy_odd"})
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, answer); !answer.IsError || !strings.HasPrefix(got, "internal: ") {
				t.Errorf("isError %v, text %q", answer.IsError, got)
			}
			if _, err := session.ListTools(ctx, nil); err != nil {
				t.Errorf("the server is gone: %v", err)
			}
		})
	}
}
