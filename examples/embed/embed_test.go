package main

import (
	"slices"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// TestEmbed finds the server's own tool and the new ones side by side.
func TestEmbed(t *testing.T) {
	m365, psa := graphtest.New(graphtest.Options{}), halotest.New(halotest.Options{})
	defer m365.Close()
	defer psa.Close()
	microsoft, err := graph.New(auth.Static(m365.Token()), graph.Options{BaseURL: m365.URL()})
	if err != nil {
		t.Fatal(err)
	}
	halo, err := halopsa.New(auth.Static(psa.Token()), halopsa.Options{URL: psa.URL()})
	if err != nil {
		t.Fatal(err)
	}
	server := newServer()
	embed(server, microsoft, halo)
	clientSide, serverSide := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), serverSide, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), clientSide, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()

	var names []string
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	for _, want := range []string{"shout", "m365_mail_search", "halo_tickets_get"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s among %v", want, names)
		}
	}
	for _, call := range []*mcp.CallToolParams{
		{Name: "shout", Arguments: map[string]any{"text": "hello"}},
		{Name: "m365_mail_search", Arguments: map[string]any{"unread": true}},
		{Name: "halo_tickets_get", Arguments: map[string]any{"ticket_id": halotest.TicketPrinter}},
	} {
		if result, err := session.CallTool(t.Context(), call); err != nil || result.IsError {
			t.Errorf("%s: %v %+v", call.Name, err, result)
		}
	}
}
