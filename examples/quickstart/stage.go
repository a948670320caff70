package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// stage is everything the story needs: two systems, a server and its client.
type stage struct {
	page    *page
	m365    *graphtest.Server
	halo    *halotest.Server
	tools   mcptools.Set
	session *mcp.ClientSession
	closers []func()
	// everyday is the tools of the preset that the server offers by default.
	everyday mcptools.Set

	mail   string // the id of the mail that started it all
	ticket any    // the id of the ticket that it became
}

// newStage is what an embedding program does: two clients, one set of tools,
// one line that registers them.
func newStage(ctx context.Context, p *page) (*stage, error) {
	s := &stage{page: p, m365: graphtest.New(graphtest.Options{}), halo: halotest.New(halotest.Options{})} //nolint:contextcheck // they end with the stage
	s.closers = append(s.closers, s.m365.Close, s.halo.Close)

	microsoft, err := graph.New(auth.Static(s.m365.Token()), graph.Options{BaseURL: s.m365.URL()})
	if err != nil {
		return s, err
	}
	source, err := halopsa.NewSource(halopsa.Credentials{
		URL: s.halo.URL(), ClientID: halotest.ClientID, ClientAuth: auth.WithSecret(auth.NewSecret(halotest.ClientSecret)),
	})
	if err != nil {
		return s, err
	}
	s.closers = append(s.closers, source.Close)
	psa, err := halopsa.New(source, halopsa.Options{URL: s.halo.URL(), TimeZone: "Europe/Berlin"})
	if err != nil {
		return s, err
	}
	everyday, _ := graph.Preset("user")
	service, _ := halopsa.Preset("user")
	s.everyday = mcptools.Join(microsoft.Tools().Keep(everyday), psa.Tools().Keep(service))
	s.tools = mcptools.Join(microsoft.Tools(), psa.Tools()).With(
		mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{}),
		mcptools.Timeout(time.Minute),
	)
	return s, s.connect(ctx)
}

// connect starts an MCP server with the tools and a client of it. The client
// plays the user who is asked for confirmation.
func (s *stage) connect(ctx context.Context) error {
	server := mcp.NewServer(&mcp.Implementation{Name: "quickstart", Version: "1"}, nil)
	s.tools.Register(server)
	client := mcp.NewClient(&mcp.Implementation{Name: "assistant", Version: "1"}, &mcp.ClientOptions{
		ElicitationHandler: func(_ context.Context, request *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			s.page.question(request.Params.Message, "yes")
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": true}}, nil
		},
	})
	clientSide, serverSide := mcp.NewInMemoryTransports()
	if _, err := server.Connect(ctx, serverSide, nil); err != nil {
		return err
	}
	session, err := client.Connect(ctx, clientSide, nil)
	if err != nil {
		return err
	}
	s.session = session
	s.closers = append(s.closers, func() { _ = session.Close() }) // the tour is over either way
	return nil
}

func (s *stage) close() {
	for _, closeOne := range slices.Backward(s.closers) {
		closeOne()
	}
}

// call lets the assistant call a tool and returns its result, or the text of
// its error.
func (s *stage) call(ctx context.Context, tool string, args map[string]any) (result map[string]any, failure string, err error) {
	s.page.call(tool, args)
	start := time.Now()
	answer, err := s.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", tool, err)
	}
	text, _ := answer.Content[0].(*mcp.TextContent)
	if answer.IsError {
		return nil, text.Text, nil
	}
	s.page.cost(len(text.Text), time.Since(start))
	return result, "", json.Unmarshal([]byte(text.Text), &result)
}

// must is call for steps of the story that may not fail.
func (s *stage) must(ctx context.Context, tool string, args map[string]any) (object, error) {
	result, failure, err := s.call(ctx, tool, args)
	if failure != "" {
		err = fmt.Errorf("%s: %s", tool, failure)
	}
	return object(result), err
}

// object is a result, read by name.
type object map[string]any

// first returns the first of the items.
func (o object) first() object {
	elements, _ := o["items"].([]any)
	if len(elements) == 0 {
		return object{}
	}
	element, _ := elements[0].(map[string]any)
	return element
}

// text returns a field as text.
func (o object) text(field string) string {
	if o[field] == nil {
		return ""
	}
	return fmt.Sprint(o[field])
}
