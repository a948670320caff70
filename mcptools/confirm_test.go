package mcptools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

const refusalHint = "start the server with -confirm none"

type wipeInput struct {
	Host string `json:"host"`
	Days int    `json:"days,omitempty" default:"30"`
}

// wiper returns a set with two tools that ask, one that does not, and the
// number of runs of those that ask.
func wiper(options mcptools.ConfirmOptions) (mcptools.Set, *atomic.Int64) {
	options.Refusal = refusalHint
	runs := new(atomic.Int64)
	wipe := func(name string, effect mcptools.Effect) mcptools.Tool {
		return mcptools.Define(mcptools.Spec{
			Name: name, Title: "Wipe a machine", Toolset: "toy", Description: "Wipe it.", Effect: effect,
		}, func(_ context.Context, in wipeInput) (word, error) {
			runs.Add(1)
			return word{fmt.Sprintf("wiped %s, %d days", in.Host, in.Days)}, nil
		})
	}
	return mcptools.NewSet(wipe("toy_wipe", mcptools.Destructive), wipe("toy_erase", mcptools.Destructive), wipe("toy_look", mcptools.ReadOnly)).
		With(mcptools.Confirm(mcptools.Risky, options)), runs
}

// answer is a client whose user answers every question in the same way.
func answer(result *mcp.ElicitResult, asked *atomic.Int64) *mcp.ClientOptions {
	return &mcp.ClientOptions{ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		asked.Add(1)
		if !strings.HasPrefix(r.Params.Message, "Wipe a machine (toy_wipe)?\nIt may be impossible to undo.\ndays: 30\nhost: db1") {
			return nil, fmt.Errorf("unexpected question %q", r.Params.Message)
		}
		return result, nil
	}}
}

func wipeDB1() *mcp.CallToolParams {
	return &mcp.CallToolParams{Name: "toy_wipe", Arguments: json.RawMessage(`{"host":"db1","days":null}`)}
}

// TestConfirm: nothing but a clear yes lets a call run, whatever the protocol
// version and the transport.
func TestConfirm(t *testing.T) {
	ways := []struct{ way, version string }{
		{inMemory, "2025-06-18"}, {inMemory, "2025-11-25"}, {inMemory, "2026-07-28"},
		{stateful, "2025-06-18"}, {stateful, "2025-11-25"}, {stateless, "2026-07-28"},
	}
	yes, no := map[string]any{"confirm": true}, map[string]any{"confirm": false}
	answers := []struct {
		name   string
		result *mcp.ElicitResult
		want   string // the text's beginning; "" when an error of the protocol is as good
	}{
		{"accept", &mcp.ElicitResult{Action: "accept", Content: yes}, `{"word":"wiped db1, 30 days"}`},
		{"accept without a tick", &mcp.ElicitResult{Action: "accept", Content: no}, "declined: the user declined"},
		{"accept with nothing", &mcp.ElicitResult{Action: "accept"}, ""},
		{"accept with something else", &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": "true"}}, ""},
		{"decline", &mcp.ElicitResult{Action: "decline"}, "declined: the user declined"},
		{"decline with a tick", &mcp.ElicitResult{Action: "decline", Content: yes}, "declined: the user declined"},
		{"cancel", &mcp.ElicitResult{Action: "cancel"}, "declined: the user declined"},
	}
	for _, way := range ways {
		for _, a := range answers {
			t.Run(fmt.Sprint(way.way, " ", way.version, " ", a.name), func(t *testing.T) {
				set, runs := wiper(mcptools.ConfirmOptions{})
				asked := new(atomic.Int64)
				session := reach(t, way.way, set, answer(a.result, asked), way.version)
				if got := session.InitializeResult().ProtocolVersion; got != way.version {
					t.Fatalf("negotiated %s, want %s", got, way.version)
				}
				result, err := session.CallTool(t.Context(), wipeDB1())
				switch {
				case err != nil && a.want != "":
					t.Fatal(err)
				case err == nil:
					if got := textOf(t, result); !strings.HasPrefix(got, a.want) {
						t.Errorf("got %q, want %q", got, a.want)
					}
				}
				want := int64(0)
				if a.name == "accept" {
					want = 1
				}
				if runs.Load() != want || asked.Load() != 1 {
					t.Errorf("%d runs, asked %d times; want %d runs, asked once", runs.Load(), asked.Load(), want)
				}
			})
		}
		t.Run(fmt.Sprint(way.way, " ", way.version, " no question"), func(t *testing.T) {
			set, runs := wiper(mcptools.ConfirmOptions{})
			asked := new(atomic.Int64)
			session := reach(t, way.way, set, answer(nil, asked), way.version)
			for name, args := range map[string]string{"toy_wipe": `{"hots":"db1"}`, "toy_look": `{"host":"db1"}`} {
				result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(args)})
				if err != nil {
					t.Fatal(err)
				}
				if result.IsError != (name == "toy_wipe") {
					t.Errorf("%s: %s", name, textOf(t, result))
				}
			}
			if asked.Load() != 0 || runs.Load() != 1 {
				t.Errorf("asked %d times, %d runs; a call that is wrong or harmless needs no question", asked.Load(), runs.Load())
			}
		})
	}
}

// TestConfirmRefuses: where nobody can be asked, nothing is done.
func TestConfirmRefuses(t *testing.T) {
	form := func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": true}}, nil
	}
	urlOnly := &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}}
	for _, c := range []struct {
		name, way, version string
		options            *mcp.ClientOptions
	}{
		{"no elicitation", inMemory, "2025-06-18", nil},
		{"no elicitation", inMemory, "2025-11-25", nil},
		{"no elicitation", inMemory, "2026-07-28", nil},
		{"no elicitation", stateful, "2025-11-25", nil},
		{"no elicitation", stateless, "2026-07-28", nil},
		{"only URLs", inMemory, "2025-11-25", &mcp.ClientOptions{ElicitationHandler: form, Capabilities: urlOnly}},
		{"only URLs", stateless, "2026-07-28", &mcp.ClientOptions{ElicitationHandler: form, Capabilities: urlOnly}},
		{"older client", stateless, "2025-06-18", &mcp.ClientOptions{ElicitationHandler: form}},
		{"older client", stateless, "2025-11-25", &mcp.ClientOptions{ElicitationHandler: form}},
	} {
		t.Run(fmt.Sprint(c.name, " ", c.way, " ", c.version), func(t *testing.T) {
			set, runs := wiper(mcptools.ConfirmOptions{})
			result, err := reach(t, c.way, set, c.options, c.version).CallTool(t.Context(), wipeDB1())
			if err != nil {
				t.Fatal(err)
			}
			got := textOf(t, result)
			if !result.IsError || !strings.HasPrefix(got, "declined: a person must confirm this call") || !strings.Contains(got, refusalHint) {
				t.Errorf("isError %v, text %q", result.IsError, got)
			}
			if runs.Load() != 0 {
				t.Error("the function ran")
			}
		})
	}
}

// TestConfirmWhenAskingFails: a client that breaks while it asks gets no run.
func TestConfirmWhenAskingFails(t *testing.T) {
	for _, version := range []string{"2025-06-18", "2025-11-25", "2026-07-28"} {
		set, runs := wiper(mcptools.ConfirmOptions{})
		session := connect(t, newServer(set), &mcp.ClientOptions{
			ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
				return nil, errors.New("the window was closed")
			},
		}, version)
		result, err := session.CallTool(t.Context(), wipeDB1())
		if err == nil && !result.IsError || runs.Load() != 0 {
			t.Errorf("%s: result %v, error %v, %d runs", version, result, err, runs.Load())
		}
	}
}

// TestConfirmDirectly: callers without MCP pass in how to ask.
func TestConfirmDirectly(t *testing.T) {
	broken := errors.New("no terminal")
	for _, c := range []struct {
		name string
		ask  func(context.Context, mcptools.Question) (bool, error)
		want string
		runs int64
	}{
		{"yes", func(_ context.Context, q mcptools.Question) (bool, error) {
			if string(q.Arguments) != `{"days":30,"host":"db1"}` || q.Tool.Name != "toy_wipe" {
				return false, fmt.Errorf("asked about %s with %s", q.Tool.Name, q.Arguments)
			}
			return true, nil
		}, "", 1},
		{"no", func(context.Context, mcptools.Question) (bool, error) { return false, nil }, "declined: the user declined", 0},
		{"error", func(context.Context, mcptools.Question) (bool, error) { return true, broken }, "declined: a person must confirm this call, and asking failed", 0},
		{"panic", func(context.Context, mcptools.Question) (bool, error) { panic("no terminal") }, "internal: ", 0},
		{"nobody", nil, "declined: a person must confirm this call, and this program gives no way to ask", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, runs := wiper(mcptools.ConfirmOptions{Ask: c.ask})
			_, err := set.Call(t.Context(), "toy_wipe", json.RawMessage(`{"host":"db1"}`))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if c.name == "error" && !errors.Is(err, broken) {
				t.Error("the cause is lost to the log")
			}
			if runs.Load() != c.runs {
				t.Errorf("%d runs, want %d", runs.Load(), c.runs)
			}
		})
	}
}
