package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	theirs "github.com/mark3labs/mcp-go/mcp"
)

// protocols are the versions that clients in use speak.
var protocols = []string{"2025-06-18", "2025-11-25", "2026-07-28"}

// connector starts the real server, or connects to one, and returns a client
// and the log of the server.
type connector func(t *testing.T, env, args []string, options ...client.ClientOption) (*client.Client, *output)

func viaStdio(t *testing.T, env, args []string, options ...client.ClientOption) (*client.Client, *output) {
	logs := &output{}
	wire := transport.NewStdioWithOptions(serverBinary(t), serverEnvironment(t, env...), args, transport.WithCommandStderrWriter(logs))
	return start(t, client.NewClient(wire, options...)), logs
}

func viaHTTP(t *testing.T, env, args []string, options ...client.ClientOption) (*client.Client, *output) {
	endpoint, logs := startHTTP(t, env, args...)
	pool := &http.Transport{}
	t.Cleanup(pool.CloseIdleConnections)
	wire, err := transport.NewStreamableHTTP(endpoint, transport.WithHTTPBasicClient(&http.Client{Transport: pool}))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, client.NewClient(wire, options...)), logs
}

// TestMCPGo uses the real server with the client of mark3labs/mcp-go.
func TestMCPGo(t *testing.T) {
	for name, connect := range map[string]connector{"stdio": viaStdio, "http": viaHTTP} {
		for _, version := range protocols {
			t.Run(name+" "+version, func(t *testing.T) {
				exerciseMCPGo(t, connect, version)
				// Over HTTP this client tells nobody that it gave up a call of the
				// versions before 2026-07-28, so the server cannot know.
				cancelMCPGo(t, connect, version, name == "stdio" || version >= "2026-07-28")
			})
		}
	}
}

// exerciseMCPGo lists, calls, fails and confirms.
func exerciseMCPGo(t *testing.T, connect connector, version string) {
	person := &user{}
	session, _ := connect(t, nil, []string{"-demo", "-preset", "all"}, client.WithProtocolVersion(version), client.WithElicitationHandler(person))
	if got := session.ProtocolVersion(); got != version {
		t.Errorf("speaks %s", got)
	}
	listed, err := session.ListTools(t.Context(), theirs.ListToolsRequest{})
	if err != nil || len(listed.Tools) < 50 {
		t.Fatalf("list: %v, %v", listed, err)
	}
	result := callMCPGo(t, session, "m365_mail_search", map[string]any{"unread": true})
	if got := textOf(t, result); result.IsError || result.StructuredContent == nil || !strings.Contains(got, "Label printer") {
		t.Errorf("search: %s", got)
	}
	result = callMCPGo(t, session, "halo_tickets_search", map[string]any{"agnet": "me", "limit": 1000})
	if got := textOf(t, result); !result.IsError || !strings.Contains(got, "agnet: unknown argument") || !strings.Contains(got, "limit: ") {
		t.Errorf("mistakes: %s", got)
	}
	result = callMCPGo(t, session, "m365_mail_send", map[string]any{"to": []string{contact}, "subject": "Test", "body": "Hello"})
	if result.IsError || person.asked.Load() != 1 {
		t.Errorf("confirmed %d times: %s", person.asked.Load(), textOf(t, result))
	}
}

// cancelMCPGo cancels a call that hangs upstream: the server ends it, if it is
// told, and goes on.
func cancelMCPGo(t *testing.T, connect connector, version string, told bool) {
	delay := time.Minute
	if !told {
		delay = time.Second
	}
	fake, env := slowGraph(t, delay)
	session, logs := connect(t, env, nil, client.WithProtocolVersion(version))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for fake.Faults().Injected()["delay"] == 0 && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := session.CallTool(ctx, call("m365_mail_search", nil)); err == nil {
		t.Error("the cancelled call answered")
	}
	if told {
		logs.find(t, `m365_mail_search.*cancelled`)
	}
	if result := callMCPGo(t, session, "m365_mail_search", nil); result.IsError {
		t.Errorf("after the cancelled call: %s", textOf(t, result))
	}
}

func callMCPGo(t *testing.T, session *client.Client, tool string, args map[string]any) *theirs.CallToolResult {
	t.Helper()
	result, err := session.CallTool(t.Context(), call(tool, args))
	if err != nil {
		t.Fatal(err)
	}
	return result
}
