// Command embed is an MCP server that somebody already has. One line adds the
// tools of Microsoft 365 and HaloPSA to it.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

type shoutInput struct {
	Text string `json:"text"`
}

// newServer is the server as it was, with a tool of its own.
func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "mine", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "shout", Description: "Write text in capitals."},
		func(_ context.Context, _ *mcp.CallToolRequest, in shoutInput) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.ToUpper(in.Text)}}}, nil, nil
		})
	return server
}

// embed adds the tools: the line that counts is the last one.
func embed(server *mcp.Server, microsoft *graph.Client, halo *halopsa.Client) {
	confirm := mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{})
	mcptools.Join(microsoft.Tools(), halo.Tools()).With(confirm).Register(server)
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	microsoft, err := graph.New(auth.Static(os.Getenv("M365_ACCESS_TOKEN")), graph.Options{BaseURL: os.Getenv("M365_GRAPH_URL")})
	if err != nil {
		return err
	}
	source, err := halopsa.NewSource(halopsa.Credentials{
		URL: os.Getenv("HALO_URL"), ClientID: os.Getenv("HALO_CLIENT_ID"), ClientAuth: auth.WithSecret(auth.NewSecret(os.Getenv("HALO_CLIENT_SECRET"))),
	})
	if err != nil {
		return err
	}
	defer source.Close()
	halo, err := halopsa.New(source, halopsa.Options{URL: os.Getenv("HALO_URL")})
	if err != nil {
		return err
	}
	server := newServer()
	embed(server, microsoft, halo)
	return server.Run(context.Background(), &mcp.StdioTransport{})
}
