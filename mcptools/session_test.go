package mcptools_test

import (
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect opens an in-memory session with server. An empty version negotiates
// the newest one.
func connect(tb testing.TB, server *mcp.Server, options *mcp.ClientOptions, version string) *mcp.ClientSession {
	tb.Helper()
	here, there := mcp.NewInMemoryTransports()
	served, err := server.Connect(tb.Context(), there, nil)
	if err != nil {
		tb.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, options)
	session, err := client.Connect(tb.Context(), here, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = session.Close()
		_ = served.Wait()
	})
	return session
}
