package inbound

import (
	"context"
	"errors"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/auth"
)

type callerKey struct{}

// Identify is middleware for an MCP server that lets [Caller] and [Assertion]
// know who makes the call at hand:
//
//	server.AddReceivingMiddleware(inbound.Identify)
//
// It is needed because in a session the context is that of the request which
// opened the session, with a token that has perhaps expired long ago.
func Identify(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, request mcp.Request) (mcp.Result, error) {
		var info *mcpauth.TokenInfo // and nobody, if the request does not say
		if extra := request.GetExtra(); extra != nil {
			info = extra.TokenInfo
		}
		return next(context.WithValue(ctx, callerKey{}, info), method, request)
	}
}

// Caller returns who makes the call that ctx belongs to: an MCP call behind
// [Identify], or an HTTP request behind [RequireToken]. It reports false for
// anything else.
func Caller(ctx context.Context) (*mcpauth.TokenInfo, bool) {
	info, ok := ctx.Value(callerKey{}).(*mcpauth.TokenInfo)
	return info, ok && info != nil
}

// assertionKey is where a TokenInfo holds an assertion, whose type is not
// exported: nobody else can read it or put one there.
const assertionKey = "assertion"

type assertion struct{ token auth.Secret }

var errNoAssertion = errors.New("inbound: the caller brought no verified token")

// Assertion returns the verified token of the [Caller], to be exchanged for a
// token of an upstream by the on-behalf-of grant, and for nothing else: it is
// made to be the Assertion of an auth.OnBehalfOfConfig. Sending it to an
// upstream as it is would let every caller use this server's name (MCP
// specification, "Token Passthrough").
//
// It returns an error if there is no caller, or one that was not verified by a
// verifier of this package.
func Assertion(ctx context.Context) (auth.Secret, error) {
	info, ok := Caller(ctx)
	if !ok {
		return auth.Secret{}, errNoAssertion
	}
	a, ok := info.Extra[assertionKey].(assertion)
	if !ok {
		return auth.Secret{}, errNoAssertion
	}
	return a.token, nil
}
