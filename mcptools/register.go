package mcptools

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
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
	if err != nil {
		return failed(err)
	}
	content := result.Content
	if content == nil {
		content = []mcp.Content{&mcp.TextContent{Text: string(result.Value)}}
	}
	answer := &mcp.CallToolResult{Meta: result.Meta, Content: content}
	if len(result.Value) > 0 {
		answer.StructuredContent = json.RawMessage(result.Value)
	}
	return answer, nil
}

// failed turns an error of run into what the protocol wants: a question, a
// protocol error, or a result that a model can read.
func failed(err error) (*mcp.CallToolResult, error) {
	if question, ok := errors.AsType[*InputRequired](err); ok {
		return &mcp.CallToolResult{InputRequests: question.Requests, RequestState: question.State}, nil
	}
	if protocol, ok := errors.AsType[*jsonrpc.Error](err); ok {
		return nil, protocol
	}
	return &mcp.CallToolResult{
		IsError: true,
		Content: []mcp.Content{&mcp.TextContent{Text: err.Error()}},
	}, nil
}
