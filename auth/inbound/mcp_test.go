package inbound_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/auth/inbound"
)

// bearer sends the token that it holds at the moment.
type bearer struct {
	mu    sync.Mutex
	token string
	last  int // status
}

func (b *bearer) set(token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token = token
}

func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		b.last = response.StatusCode
	}
	return response, err
}

// TestSession is threat T5 (and T4) over real MCP: within a session, a tool
// sees the caller of the very call, with the token of that call, and nobody
// else can use the session.
func TestSession(t *testing.T) {
	var assertions, users, headers []string
	server := mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, nil)
	server.AddReceivingMiddleware(inbound.Identify)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami"}, func(ctx context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, struct{}, error) {
		secret, err := inbound.Assertion(ctx)
		if err != nil {
			return nil, struct{}{}, err
		}
		caller, _ := inbound.Caller(ctx)
		assertions, users = append(assertions, secret.Expose()), append(users, caller.UserID)
		headers = append(headers, r.Extra.Header.Get("Authorization"))
		return nil, struct{}{}, nil
	})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	web := httptest.NewServer(inbound.RequireToken(newVerifier(t, config(t, newIssuers())), inbound.Options{})(handler))
	defer web.Close()

	first := sign(header(nil), entraClaims(nil))
	second := sign(header(nil), entraClaims(m{"jti": "renewed"}))
	mallory := sign(header(nil), entraClaims(m{"oid": strings.Replace(object, "1", "2", 1)}))
	client := &bearer{token: first}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, nil).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: web.URL, HTTPClient: &http.Client{Transport: client}, DisableStandaloneSSE: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first, second} {
		client.set(token)
		if result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"}); err != nil || result.IsError {
			t.Fatal(result, err)
		}
	}
	if len(assertions) != 2 || assertions[0] != first || assertions[1] != second {
		t.Error("an assertion is not that of its call")
	}
	if users[1] != tenant+"|"+object || headers[0]+headers[1] != "" {
		t.Errorf("users %q, headers %q", users, headers)
	}
	client.set(mallory)
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"}); err == nil || client.last != http.StatusForbidden || len(users) != 2 {
		t.Error("somebody else uses the session:", err, client.last)
	}
	client.set(first)
	_ = session.Close() // the SDK gave the session up at the 403
}

func TestNoCaller(t *testing.T) {
	if secret, err := inbound.Assertion(t.Context()); err == nil || !secret.IsZero() {
		t.Error("an assertion of nobody")
	}
	// A call that brings nobody hides whoever opened the session.
	called := false
	next := inbound.Identify(func(ctx context.Context, _ string, _ mcp.Request) (mcp.Result, error) {
		_, ok := inbound.Caller(ctx)
		called = !ok
		return nil, nil
	})
	guard := inbound.RequireToken(newVerifier(t, config(t, newIssuers())), inbound.Options{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+sign(header(nil), plainClaims(nil)))
	guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := inbound.Caller(r.Context()); !ok {
			t.Error("no caller behind RequireToken")
		}
		for _, request := range []mcp.Request{&mcp.CallToolRequest{}, &mcp.CallToolRequest{Extra: &mcp.RequestExtra{}}} {
			if _, err := next(r.Context(), "tools/call", request); err != nil || !called {
				t.Error("the caller of another request")
			}
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}
