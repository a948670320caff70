package mcptools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// dial connects a client to the server as a real one would be, but in memory.
func dial(server *mcp.Server, options *mcp.ClientOptions) (session *mcp.ClientSession, hangUp func()) {
	here, there := mcp.NewInMemoryTransports()
	if _, err := server.Connect(context.Background(), there, nil); err != nil {
		log.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "example"}, options).Connect(context.Background(), here, nil)
	if err != nil {
		log.Fatal(err)
	}
	return session, func() { _ = session.Close() }
}

type PingInput struct {
	Hosts []string `json:"hosts" jsonschema:"machine names" maxItems:"10"`
}

type PingOutput struct {
	Up   []string `json:"up"`
	Note string   `json:"note,omitempty"`
}

func ping(ctx context.Context, in PingInput) (*PingOutput, error) {
	for i, host := range in.Hosts {
		mcptools.Progress(ctx, float64(i+1), float64(len(in.Hosts)), "pinged "+host)
	}
	return &PingOutput{Up: in.Hosts, Note: "asked by jo@contoso.example"}, nil
}

var pingTool = mcptools.Define(mcptools.Spec{
	Name: "net_ping", Title: "Ping machines", Toolset: "net", Effect: mcptools.ReadOnly,
	Description: "Ping up to ten machines. Returns those that answer.",
}, ping)

func ExampleNewSet() {
	set := mcptools.NewSet(pingTool, rebootTool)
	for tool := range set.All() {
		spec := tool.Spec()
		fmt.Printf("%s (%s): %d bytes for the model\n", spec.Name, spec.Effect, tool.Cost())
	}
	// Output:
	// net_ping (read-only): 236 bytes for the model
	// rmm_reboot (destructive): 352 bytes for the model
}

func ExampleSet_Register() {
	server := mcp.NewServer(&mcp.Implementation{Name: "tools"}, nil)
	mcptools.NewSet(pingTool, rebootTool).Register(server)

	session, hangUp := dial(server, nil)
	defer hangUp()
	listed, err := session.ListTools(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, tool := range listed.Tools {
		fmt.Printf("%s: %s\n", tool.Name, tool.Title)
	}
	result, err := session.CallTool(context.Background(), &mcp.CallToolParams{
		Name: "net_ping", Arguments: json.RawMessage(`{"hosts":"db1"}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Content[0].(*mcp.TextContent).Text)
	// Output:
	// net_ping: Ping machines
	// rmm_reboot: Reboot a machine
	// {"up":["db1"],"note":"asked by jo@contoso.example"}
}

func ExampleSet_Keep() {
	set := mcptools.NewSet(pingTool, rebootTool)
	for tool := range set.Keep(mcptools.ReadOnlyTools, mcptools.Toolsets("net", "rmm")).All() {
		fmt.Println(tool.Spec().Name)
	}
	// Output: net_ping
}

func ExampleSet_With() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { // an example cannot know the time
			if a.Key == slog.TimeKey || a.Key == "took" {
				return slog.Attr{}
			}
			return a
		},
	}))
	set := mcptools.NewSet(pingTool).With(mcptools.Audit(logger))
	if _, err := set.Call(context.Background(), "net_ping", json.RawMessage(`{"hosts":["db1","db2"]}`)); err != nil {
		log.Fatal(err)
	}
	_, _ = set.Call(context.Background(), "net_ping", nil)
	// Output:
	// level=INFO msg="tool call" tool=net_ping effect=read-only arguments="[hosts=13B]" result_bytes=57 outcome=ok
	// level=WARN msg="tool call" tool=net_ping effect=read-only arguments=[] outcome=invalid_arguments
}

func ExampleRedact() {
	hide := func(text string) string { return strings.ReplaceAll(text, "jo@contoso.example", "…") }
	set := mcptools.NewSet(pingTool).With(mcptools.Redact(hide))
	result, err := set.Call(context.Background(), "net_ping", json.RawMessage(`{"hosts":["db1"]}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(result.Value))
	// Output: {"up":["db1"],"note":"asked by …"}
}

func ExampleProgress() {
	server := mcp.NewServer(&mcp.Implementation{Name: "tools"}, nil)
	mcptools.NewSet(pingTool).Register(server)

	steps := make(chan string, 2)
	session, hangUp := dial(server, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			steps <- fmt.Sprintf("%v of %v: %s", r.Params.Progress, r.Params.Total, r.Params.Message)
		},
	})
	defer hangUp()
	params := &mcp.CallToolParams{Name: "net_ping", Arguments: json.RawMessage(`{"hosts":["db1","db2"]}`)}
	params.SetProgressToken("ping-1")
	if _, err := session.CallTool(context.Background(), params); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-steps)
	fmt.Println(<-steps)
	// Unordered output:
	// 1 of 2: pinged db1
	// 2 of 2: pinged db2
}

// Over MCP the client asks its user; the server needs nothing but the middleware.
func ExampleConfirm_session() {
	server := mcp.NewServer(&mcp.Implementation{Name: "tools"}, nil)
	mcptools.NewSet(rebootTool).With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{})).Register(server)

	session, hangUp := dial(server, &mcp.ClientOptions{
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			fmt.Println(r.Params.Message)
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": true}}, nil
		},
	})
	defer hangUp()
	result, err := session.CallTool(context.Background(), &mcp.CallToolParams{
		Name: "rmm_reboot", Arguments: json.RawMessage(`{"host":"db1","delay":5}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Content[0].(*mcp.TextContent).Text)
	// Output:
	// Reboot a machine (rmm_reboot)?
	// It may be impossible to undo.
	// delay: 5
	// host: db1
	// {"job":"reboot db1 in 5 s"}
}
