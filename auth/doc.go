// Package auth gets OAuth 2.0 access tokens and puts them on requests.
//
// A [TokenSource] hands out tokens. [Source] is the one that this package
// builds on: it caches a token, fetches it once however many callers wait,
// renews it in the background before it ends, and remembers failures for a
// moment so that a dead token endpoint is not hammered. The grants are ways to
// make one:
//
//   - [NewClientCredentials]: an application signs in by itself.
//   - [NewManagedIdentity]: an application that runs in Azure, without a secret.
//   - [NewPKCE]: a person signs in with a browser (authorization code with
//     PKCE), over a loopback redirect or a web server's own redirect.
//   - [NewDeviceCode]: a person signs in on another device.
//   - [NewOnBehalfOf]: a server calls another API for the user who calls it.
//   - [FromCredential]: a credential of another library, such as azidentity.
//   - [Static], [APIKey] and [Func]: bring your own token or key.
//   - [NewSource]: anything else, from a function.
//
// Where to sign in is an [Authority]: [Entra], [Halo] or one that [Discover]
// finds. How an application proves who it is, is a [ClientAuth]. A [Pool] keeps
// the sources of many tenants or users, and a [SourceFunc] chooses among them.
//
// [Transport] is an [net/http.RoundTripper] that adds the token to requests to
// allowed hosts, and to no others, and answers one 401 by one renewal.
//
// # Sign-ins that last
//
// A [Store] keeps the tokens, sealed by a [Keyring], in any [KV]: [FileKV],
// [MemoryKV], or those of the nested modules. [Store.Keep] makes any of the
// grants above use it; a new refresh token is stored before its access token
// is used, and of the processes that share a store one renews for all.
// [Accounts] keep many users apart: each has a source of their own, signs out,
// consents to more scopes when a tool needs them, and can be erased.
//
// # Secrecy
//
// Token requests never follow redirects, so a secret cannot be carried to
// another host. Failures are an [*Error], which holds neither the answer's
// body nor any secret or token. [Secret] prints as [REDACTED] whichever way it
// is formatted or encoded. [Redactor] takes credentials out of what others log:
// wrap the program's slog handler in it.
//
// # Together with a retrying transport
//
// Put [Transport] inside the retry loop (retrying transport, then this
// transport, then the network), so that each attempt carries a fresh token. A
// retrying transport must not repeat a request because no token could be had:
// [Source] has its own schedule. [*Error] says so with the method
// NoRetry() bool, which a retrying transport finds with [errors.As] on a small
// interface, without importing this package.
package auth
