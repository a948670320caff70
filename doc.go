// Package toolbelt is the front page of a library of MCP (Model Context
// Protocol) tool handlers for Microsoft 365 (Microsoft Graph) and HaloPSA.
//
// The packages, from the top down:
//
//   - [github.com/msptoolbelt/toolbelt/graph] and
//     [github.com/msptoolbelt/toolbelt/halopsa] are the clients and their tools.
//   - [github.com/msptoolbelt/toolbelt/mcptools] turns a plain Go function into
//     a tool that MCP servers, agents and tests can call.
//   - [github.com/msptoolbelt/toolbelt/auth] signs in: OAuth token sources and
//     the transport that carries their tokens.
//   - [github.com/msptoolbelt/toolbelt/resilience] is the HTTP transport that
//     retries, waits and gives up for the right reasons.
//
// mcptools, auth and resilience do not import each other; each is useful alone.
package toolbelt
