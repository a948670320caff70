package mcptools_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// The ways to reach a server.
const (
	inMemory  = "in memory"
	stateful  = "stateful HTTP"
	stateless = "stateless HTTP"
)

var transports = []string{inMemory, stateful, stateless}

func newServer(tools mcptools.Set) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "toy"}, &mcp.ServerOptions{Capabilities: &mcp.ServerCapabilities{}})
	tools.Register(server)
	return server
}

// connect opens an in-memory session with server. An empty version negotiates
// the newest one.
func connect(tb testing.TB, server *mcp.Server, options *mcp.ClientOptions, version string) *mcp.ClientSession {
	tb.Helper()
	here, there := mcp.NewInMemoryTransports()
	served, err := server.Connect(tb.Context(), there, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = served.Wait() }) // after the client has closed
	return open(tb, here, options, version)
}

// open opens a session. It is closed when the test has ended.
func open(tb testing.TB, transport mcp.Transport, options *mcp.ClientOptions, version string) *mcp.ClientSession {
	tb.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, options)
	session, err := client.Connect(tb.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = session.Close() })
	return session
}

// reach connects to a server of tools in one of the ways.
func reach(t *testing.T, way string, tools mcptools.Set, options *mcp.ClientOptions, version string) *mcp.ClientSession {
	t.Helper()
	if way == inMemory {
		return connect(t, newServer(tools), options, version)
	}
	endpoint := serveHTTP(t, way, tools)
	return open(t, &mcp.StreamableClientTransport{Endpoint: endpoint, DisableStandaloneSSE: way == stateless}, options, version)
}

// serveHTTP serves tools over streamable HTTP. Bearer tokens of the form
// user.anything are accepted; none is needed.
func serveHTTP(t *testing.T, way string, tools mcptools.Set) (endpoint string) {
	t.Helper()
	server := newServer(tools)
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{
		Stateless: way == stateless, PropagateRequestCancellation: way == stateless, SessionTimeout: time.Minute,
	})
	authenticated := auth.RequireBearerToken(func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		user, _, _ := strings.Cut(token, ".")
		return &auth.TokenInfo{UserID: user, Expiration: time.Now().Add(time.Hour)}, nil
	}, nil)(handler)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			handler.ServeHTTP(w, r)
			return
		}
		authenticated.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// bearer sends a token that can be changed between requests.
type bearer struct{ token atomic.Pointer[string] }

func (b *bearer) use(token string) { b.token.Store(&token) }

func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+*b.token.Load())
	return http.DefaultTransport.RoundTrip(r)
}

func textOf(t *testing.T, result *mcp.CallToolResult) string {
	t.Helper()
	if len(result.Content) != 1 {
		t.Fatalf("%d contents, want one", len(result.Content))
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok {
		t.Fatalf("content is a %T, want text", result.Content[0])
	}
	return text.Text
}
