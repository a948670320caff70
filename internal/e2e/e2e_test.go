package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	theirs "github.com/mark3labs/mcp-go/mcp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestMain(m *testing.M) {
	if os.Getenv("TOOLBELT_E2E_HANDWRITTEN") != "" {
		handwritten()
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if binary.dir != "" {
			_ = os.RemoveAll(binary.dir) // a temporary directory
		}
		os.Exit(code)
	}))
}

type greetInput struct {
	Name  string `json:"name" jsonschema:"whom to greet"`
	Times int    `json:"times,omitempty" minimum:"1" maximum:"3" default:"1"`
}

type greetOutput struct {
	Text string `json:"text"`
	ID   int64  `json:"id"`
}

// toys returns a set with a harmless tool, one that needs a yes and one that
// waits, and a channel that says when the last one was cancelled.
func toys() (mcptools.Set, *atomic.Int64, chan struct{}) {
	cancelled, runs := make(chan struct{}, 1), new(atomic.Int64)
	define := func(name string, effect mcptools.Effect, run func(context.Context, greetInput) (*greetOutput, error)) mcptools.Tool {
		return mcptools.Define(mcptools.Spec{Name: name, Title: "Greet", Toolset: "toy", Description: "Greet somebody.", Effect: effect}, run)
	}
	greet := func(_ context.Context, in greetInput) (*greetOutput, error) {
		return &greetOutput{Text: strings.Repeat("Hello "+in.Name+". ", in.Times), ID: 1<<53 + 1}, nil
	}
	return mcptools.NewSet(
		define("toy_greet", mcptools.ReadOnly, greet),
		define("toy_wipe", mcptools.Destructive, func(ctx context.Context, in greetInput) (*greetOutput, error) {
			runs.Add(1)
			return greet(ctx, in)
		}),
		define("toy_wait", mcptools.ReadOnly, func(ctx context.Context, _ greetInput) (*greetOutput, error) {
			<-ctx.Done()
			cancelled <- struct{}{}
			return nil, ctx.Err()
		}),
	).With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Refusal: "see -confirm"})), runs, cancelled
}

func newServer(set mcptools.Set) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "toy", Version: "1"}, nil)
	set.Register(server)
	return server
}

// user answers every question with yes.
type user struct{ asked atomic.Int64 }

func (u *user) Elicit(context.Context, theirs.ElicitationRequest) (*theirs.ElicitationResult, error) {
	u.asked.Add(1)
	return &theirs.ElicitationResult{ElicitationResponse: theirs.ElicitationResponse{
		Action: theirs.ElicitationResponseActionAccept, Content: map[string]any{"confirm": true},
	}}, nil
}

// overPipes connects as a client does to a server on stdio.
func overPipes(t *testing.T, server *mcp.Server, options ...client.ClientOption) *client.Client {
	t.Helper()
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Run(ctx, &mcp.IOTransport{Reader: toServer, Writer: fromServer}) // ends as the client or ctx does
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return start(t, client.NewClient(transport.NewIO(toClient, fromClient, io.NopCloser(strings.NewReader(""))), options...))
}

// overHTTP connects to a stateless streamable HTTP endpoint.
func overHTTP(t *testing.T, server *mcp.Server, options ...client.ClientOption) *client.Client {
	t.Helper()
	web := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true}))
	t.Cleanup(web.Close)
	pool := &http.Transport{}
	t.Cleanup(pool.CloseIdleConnections)
	wire, err := transport.NewStreamableHTTP(web.URL, transport.WithHTTPBasicClient(&http.Client{Transport: pool}))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, client.NewClient(wire, options...))
}

func start(t *testing.T, c *client.Client) *client.Client {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	request := theirs.InitializeRequest{}
	request.Params.ClientInfo = theirs.Implementation{Name: "e2e", Version: "1"}
	if _, err := c.Initialize(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	return c
}

func call(name string, arguments map[string]any) theirs.CallToolRequest {
	request := theirs.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = name, arguments
	return request
}

func textOf(t *testing.T, result *theirs.CallToolResult) string {
	t.Helper()
	if len(result.Content) != 1 {
		t.Fatalf("%d contents, want one", len(result.Content))
	}
	text, ok := result.Content[0].(theirs.TextContent)
	if !ok {
		t.Fatalf("content is a %T", result.Content[0])
	}
	return text.Text
}

func TestClientOfAnotherMake(t *testing.T) {
	for _, c := range []struct {
		name    string
		connect func(*testing.T, *mcp.Server, ...client.ClientOption) *client.Client
		options []client.ClientOption
		// Over stateless HTTP a client of an older protocol can neither be asked
		// nor cancel: its calls are refused, or end by the server's time limit.
		complete bool
	}{
		{"stdio", overPipes, nil, true},
		{"stdio, older protocol", overPipes, []client.ClientOption{client.WithProtocolVersion("2025-06-18")}, true},
		{"HTTP", overHTTP, nil, true},
		{"HTTP, older protocol", overHTTP, []client.ClientOption{client.WithProtocolVersion("2025-11-25")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, runs, cancelled := toys()
			if !c.complete {
				set = set.With(mcptools.Timeout(200 * time.Millisecond))
			}
			person := &user{}
			session := c.connect(t, newServer(set), append(c.options, client.WithElicitationHandler(person))...)

			listed, err := session.ListTools(t.Context(), theirs.ListToolsRequest{})
			if err != nil || len(listed.Tools) != 3 {
				t.Fatalf("list: %v, %v", listed, err)
			}
			if hint := listed.Tools[0].Annotations.ReadOnlyHint; listed.Tools[0].Name != "toy_greet" || hint == nil || !*hint {
				t.Errorf("first of the list: %+v", listed.Tools[0])
			}

			result, err := session.CallTool(t.Context(), call("toy_greet", map[string]any{"name": "Jo", "times": "2"}))
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, result); result.IsError || got != `{"text":"Hello Jo. Hello Jo. ","id":9007199254740993}` || result.StructuredContent == nil {
				t.Errorf("isError %v, text %s, structured %v", result.IsError, got, result.StructuredContent)
			}

			result, err = session.CallTool(t.Context(), call("toy_greet", map[string]any{"nam": "Jo", "times": 9}))
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, result); !result.IsError || !strings.HasPrefix(got, "invalid_arguments: nam: unknown argument; valid are name, times; name: missing; times: must be <= 3") {
				t.Errorf("isError %v, text %s", result.IsError, got)
			}

			result, err = session.CallTool(t.Context(), call("toy_wipe", map[string]any{"name": "Jo"}))
			if err != nil {
				t.Fatal(err)
			}
			got := textOf(t, result)
			if c.complete && (result.IsError || runs.Load() != 1 || person.asked.Load() != 1) {
				t.Errorf("confirmed: %s, %d runs, asked %d times", got, runs.Load(), person.asked.Load())
			}
			if !c.complete && (!result.IsError || runs.Load() != 0 || !strings.Contains(got, "see -confirm")) {
				t.Errorf("nobody to ask: %s, %d runs", got, runs.Load())
			}

			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := session.CallTool(ctx, call("toy_wait", map[string]any{"name": "Jo"})); err == nil {
				t.Error("the cancelled call answered")
			}
			select {
			case <-cancelled:
			case <-time.After(5 * time.Second):
				t.Error("the function was not cancelled")
			}
		})
	}
}

// TestSchemasOnTheWire: the schemas reach a client of another make unchanged.
func TestSchemasOnTheWire(t *testing.T) {
	set, _, _ := toys()
	listed, err := overPipes(t, newServer(set)).ListTools(t.Context(), theirs.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range listed.Tools {
		ours, _ := set.Tool(tool.Name)
		var want map[string]any
		if err := json.Unmarshal(ours.InputSchema(), &want); err != nil {
			t.Fatal(err)
		}
		properties, _ := want["properties"].(map[string]any)
		if len(tool.InputSchema.Properties) != len(properties) || tool.InputSchema.Type != "object" || len(tool.InputSchema.Required) != 1 {
			t.Errorf("%s: %+v, want %v", tool.Name, tool.InputSchema, want)
		}
	}
}
