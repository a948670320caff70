// Package inbound decides who calls a resource server: it verifies the access
// tokens (JWTs) that come in, for servers on the MCP Go SDK.
//
// [NewVerifier] makes the SDK's TokenVerifier, [RequireToken] the middleware
// that asks for a token and answers as RFC 6750 wants, and [MetadataURL] says
// where the document of RFC 9728 belongs, which the SDK's own
// ProtectedResourceMetadataHandler serves.
//
// # What is checked
//
// In this order, and a token that fails one check is refused without the next:
// size (16 KiB), form (three parts, strict base64url, JSON without duplicate
// names), algorithm (RS256, PS256, ES256, EdDSA; never none, never a shared
// secret), no critical extensions, type, issuer and tenant, audience, times,
// that it is no ID token, and the signature, with a key of the issuer's pinned
// key set that was made for the algorithm. Keys and addresses in the token
// itself (jwk, jku, x5c, x5u) are never looked at. See RFC 8725 for why.
//
// Key sets are fetched when first needed, kept, and fetched again for an
// unknown key id, at most once a minute whatever arrives.
//
// # An inbound token stays here
//
// A token that was issued for this server must not travel on to another one
// (confused deputy; the MCP specification forbids it). So the handlers behind
// [RequireToken] see no Authorization header, and a TokenInfo shows no token.
// [Assertion] is the one way to the token, and it is for the exchange of the
// on-behalf-of grant only, which turns it into a token for the upstream.
package inbound
