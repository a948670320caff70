// Package e2e tests the library from outside: with MCP clients of another make,
// over the transports that real clients use. It is a module of its own, so that
// what only such tests need stays out of the library's go.mod.
package e2e
