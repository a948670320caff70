package inbound

import (
	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/auth"
)

// assertionKey is where a TokenInfo holds an assertion, whose type is not
// exported: nobody else can read it or put one there.
const assertionKey = "assertion"

type assertion struct{ token auth.Secret }

// Assertion returns the verified token that info was made of, to be exchanged
// for a token of an upstream by the on-behalf-of grant, and for nothing else:
// sending it to an upstream as it is would let every caller use this server's
// name (MCP specification, "Token Passthrough"). It reports false for
// information that did not come from a verifier of this package.
//
// Take info from the call at hand (mcp.RequestExtra.TokenInfo), never from a
// context that outlives it: in a session, the context is that of the request
// that opened the session.
func Assertion(info *mcpauth.TokenInfo) (auth.Secret, bool) {
	if info == nil {
		return auth.Secret{}, false
	}
	a, ok := info.Extra[assertionKey].(assertion)
	return a.token, ok
}
