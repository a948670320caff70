package mcptools

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Call is one call of a tool, as middleware sees it.
type Call struct {
	Tool      Tool
	Arguments json.RawMessage      // as the caller sent them; may be nil, may be hostile
	Request   *mcp.CallToolRequest // nil when the call did not come over MCP
}

// Result is what a tool answered.
type Result struct {
	Value   json.RawMessage // a JSON object that fits the output schema
	Content []mcp.Content   // nil: the text of Value
	Meta    mcp.Meta

	valid uint64 // the fingerprint of a Value that is known to be JSON
}

// Handler runs a call. It returns a result or an error, never neither.
type Handler func(ctx context.Context, call *Call) (*Result, error)

// Middleware wraps a [Handler].
type Middleware func(next Handler) Handler

type callKey struct{}

// CallFrom returns the call that ctx belongs to, or nil outside of one.
func CallFrom(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// Header returns the header of the HTTP request that carried this very call,
// or nil when there was none. Values of the context are no substitute: in a
// stateful session they belong to the request that opened the session.
func (c *Call) Header() http.Header {
	if c == nil || c.Request == nil || c.Request.Extra == nil {
		return nil
	}
	return c.Request.Extra.Header
}

// UserID returns the authenticated user of this very call as the host's token
// verifier named it, or "" when there is none.
func (c *Call) UserID() string {
	if c == nil || c.Request == nil || c.Request.Extra == nil || c.Request.Extra.TokenInfo == nil {
		return ""
	}
	return c.Request.Extra.TokenInfo.UserID
}

// Progress tells the caller how far a long call has come. It does nothing when
// the caller did not ask for progress. total is 0 when it is unknown.
func Progress(ctx context.Context, done, total float64, message string) {
	call := CallFrom(ctx)
	if call == nil || call.Request == nil || call.Request.Params == nil || call.Request.Session == nil {
		return
	}
	token := call.Request.Params.GetProgressToken()
	if token == nil {
		return
	}
	// Progress is a courtesy: a client that went away is noticed by the call itself.
	_ = call.Request.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
		ProgressToken: token, Progress: done, Total: total, Message: message,
	})
}
