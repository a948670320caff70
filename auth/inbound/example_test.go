package inbound_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/inbound"
)

// A server that other machines may reach: it accepts the tokens of one Entra
// tenant, and tells clients where to get one.
func Example() {
	issuers, err := inbound.Entra(auth.CloudGlobal, "8f4f4a3e-0000-4000-8000-0123456789ab")
	if err != nil {
		panic(err)
	}
	verifier, err := inbound.NewVerifier(context.Background(), inbound.Config{
		Issuers:   issuers,
		Audiences: []string{"11111111-2222-3333-4444-555555555555", "api://11111111-2222-3333-4444-555555555555"},
	})
	if err != nil {
		panic(err)
	}
	const resource = "https://tools.example/mcp"
	metadata, err := inbound.MetadataURL(resource)
	if err != nil {
		panic(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, nil)
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	mux := http.NewServeMux()
	mux.Handle("/mcp", inbound.RequireToken(verifier, inbound.Options{
		Scopes:           []string{"access_as_user"},
		ScopePrefix:      "api://11111111-2222-3333-4444-555555555555/",
		ResourceMetadata: metadata,
	})(handler))
	mux.Handle("/.well-known/oauth-protected-resource/mcp", mcpauth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
		Resource:             resource,
		AuthorizationServers: []string{"https://login.microsoftonline.com/8f4f4a3e-0000-4000-8000-0123456789ab/v2.0"},
	}))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/mcp", nil))
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer scope="api://11111111-2222-3333-4444-555555555555/access_as_user", resource_metadata="https://tools.example/.well-known/oauth-protected-resource/mcp"
}

// The token of the caller becomes one for Graph by the on-behalf-of grant; it
// is never sent to Graph itself.
func ExampleAssertion() {
	authority, err := auth.Entra(auth.CloudGlobal, "8f4f4a3e-0000-4000-8000-0123456789ab")
	if err != nil {
		panic(err)
	}
	graph, err := auth.NewOnBehalfOf(auth.OnBehalfOfConfig{
		Authority:  authority,
		ClientID:   "11111111-2222-3333-4444-555555555555",
		ClientAuth: auth.WithSecret(auth.NewSecret("from your vault")),
		Scopes:     []string{"https://graph.microsoft.com/Mail.Read"},
		Assertion:  inbound.Assertion,
	})
	if err != nil {
		panic(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, nil)
	server.AddReceivingMiddleware(inbound.Identify)

	_, err = graph.TokenContext(context.Background()) // outside of any call
	fmt.Println(err)
	// Output: auth: no token: inbound: the caller brought no verified token
}
