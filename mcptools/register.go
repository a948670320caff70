package mcptools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"reflect"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// InputRequired is the error of a call that needs something from a person
// first. Over MCP it becomes an input-required result, which the SDK turns into
// a request to clients of older protocol versions.
type InputRequired struct {
	Requests mcp.InputRequestMap
	State    string // echoed by the client with the answers; must be authenticated
}

// Error says that input is required.
func (*InputRequired) Error() string { return "input is required before this call can run" }

// Register adds the tools to server.
//
// It uses Server.AddTool rather than mcp.AddTool: the latter rounds large
// integers, reports one fault at a time and emits types that some model
// providers refuse.
func (s Set) Register(server *mcp.Server) {
	for _, t := range s.tools {
		server.AddTool(t.listed(), t.serve)
	}
}

// listed returns the tool as tools/list shows it.
func (t Tool) listed() *mcp.Tool {
	spec := t.Spec()
	return &mcp.Tool{
		Name: spec.Name, Title: spec.Title, Description: spec.Description,
		Annotations: spec.Annotations(),
		InputSchema: t.InputSchema(), OutputSchema: t.OutputSchema(),
	}
}

// Cost returns the number of bytes of the tool that a model sees: its name,
// description and input schema. Four bytes are about one token.
func (t Tool) Cost() int {
	return len(t.Spec().Name) + len(t.Spec().Description) + len(t.InputSchema())
}

func (t Tool) serve(ctx context.Context, request *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	call := &Call{Tool: t, Request: request}
	if request.Params != nil {
		call.Arguments = request.Params.Arguments
	}
	result, err := t.run(ctx, call)
	if err == nil && !result.sendable() {
		err = &Error{Code: CodeInternal, Message: "the tool returned something that is no result"}
	}
	if err != nil {
		return failed(err)
	}
	content := result.Content
	if content == nil {
		content = []mcp.Content{&mcp.TextContent{Text: string(result.Value)}}
	}
	return &mcp.CallToolResult{Meta: result.Meta, Content: content, StructuredContent: result.Value}, nil
}

var seed = maphash.MakeSeed()

// fingerprint tells whether text has changed in place since it was validated,
// which takes thirty times as long.
func fingerprint(text []byte) uint64 { return maphash.Bytes(seed, text) }

// sendable reports whether the result is what a client expects of a tool with
// an output schema. Middleware may have made it up.
func (r *Result) sendable() bool {
	return bytes.HasPrefix(r.Value, []byte("{")) && (r.valid == fingerprint(r.Value) || json.Valid(r.Value)) &&
		!slices.ContainsFunc(r.Content, func(c mcp.Content) bool {
			v := reflect.ValueOf(c)
			return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
		})
}

// failed turns an error of run into what the protocol wants: a question, a
// protocol error, or a result that a model can read.
func failed(err error) (*mcp.CallToolResult, error) {
	if e, ok := errors.AsType[*Error](err); ok {
		return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: e.Error()}}}, nil
	}
	if question, ok := errors.AsType[*InputRequired](err); ok {
		return &mcp.CallToolResult{InputRequests: question.Requests, RequestState: question.State}, nil
	}
	return nil, err
}
