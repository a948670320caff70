package project_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// The snippets of the README are taken from here, word for word.

func embed(source auth.TokenSource, server *mcp.Server) error {
	microsoft, err := graph.New(source, graph.Options{})
	if err != nil {
		return err
	}
	microsoft.Tools().Register(server) // server is your *mcp.Server
	return nil
}

func entra(tenant, clientID, secret string) error {
	authority, err := auth.Entra(auth.CloudGlobal, tenant)
	if err != nil {
		return err
	}
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: authority, ClientID: clientID, ClientAuth: auth.WithSecret(auth.NewSecret(secret)),
		Scopes: []string{graph.Global().DefaultScope()},
	})
	if err != nil {
		return err
	}
	source.Close()
	return nil
}

func connectHalo(address, clientID, secret string) (*halopsa.Client, error) {
	source, err := halopsa.NewSource(halopsa.Credentials{URL: address, ClientID: clientID, ClientAuth: auth.WithSecret(auth.NewSecret(secret))})
	if err != nil {
		return nil, err
	}
	halo, err := halopsa.New(source, halopsa.Options{URL: address, TimeZone: "Europe/Berlin"})
	return halo, err
}

func register(microsoft *graph.Client, halo *halopsa.Client, logger *slog.Logger, server *mcp.Server) {
	tools := mcptools.Join(
		microsoft.Tools().Keep(mcptools.Toolsets("mail", "calendar")),
		halo.Tools().Keep(mcptools.ReadOnlyTools),
	).With(
		mcptools.Audit(logger),
		mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{}),
		mcptools.Timeout(time.Minute),
	)
	tools.Register(server)
}

func tune(source auth.TokenSource, logger *slog.Logger) error {
	microsoft, err := graph.New(source, graph.Options{Resilience: resilience.Options{
		Retry:  resilience.RetryPolicy{MaxAttempts: 5, MaxRetryAfter: 2 * time.Minute},
		Limits: resilience.Limits{Pacing: resilience.Pacing{Rate: 10, Burst: 20}},
		Logger: logger,
	}})
	if err != nil {
		return err
	}
	for _, key := range microsoft.Snapshot().Throttles { // for a health tool
		logger.Info("throttled", "key", key.Key, "for", key.RetryAfter, "rate", key.Rate)
	}
	return nil
}

// A typed call: the method is the tool.
func Example_typed() {
	microsoft, closeFake := newMicrosoft()
	defer closeFake()
	ctx := context.Background()

	page, err := microsoft.SearchMail(ctx, graph.SearchMailInput{Unread: true, Limit: 5})
	fmt.Println(len(page.Items) > 0, err)
	// Output: true <nil>
}

// A call by name, as an agent makes it.
func Example_byName() {
	microsoft, closeFake := newMicrosoft()
	defer closeFake()
	ctx := context.Background()

	result, err := microsoft.Tools().Call(ctx, "m365_mail_search", json.RawMessage(`{"unread":true,"limit":5}`))
	fmt.Println(json.Valid(result.Value), err)
	// Output: true <nil>
}

func newMicrosoft() (*graph.Client, func()) {
	fake := graphtest.New(graphtest.Options{})
	client, err := graph.New(auth.Static(fake.Token()), graph.Options{BaseURL: fake.URL()})
	if err != nil {
		panic(err)
	}
	return client, fake.Close
}

// Both systems in one server: the whole way from the sign-in to a call.
func Example() {
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	microsoft, err := graph.New(auth.Static(fake.Token()), graph.Options{BaseURL: fake.URL()})
	if err != nil {
		fmt.Println(err)
		return
	}
	psa := halotest.New(halotest.Options{})
	defer psa.Close()
	halo, err := connectHalo(psa.URL(), halotest.ClientID, halotest.ClientSecret)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "example", Version: "1"}, nil)
	register(microsoft, halo, slog.New(slog.DiscardHandler), server)

	ctx := context.Background()
	clientSide, serverSide := mcp.NewInMemoryTransports()
	if _, err := server.Connect(ctx, serverSide, nil); err != nil {
		fmt.Println(err)
		return
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, nil).Connect(ctx, clientSide, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	answer, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "halo_teams_list"})
	fmt.Println(answer.IsError, err)
	// Output: false <nil>
}

type RebootInput struct {
	Host  string `json:"host" jsonschema:"machine name"`
	Delay int    `json:"delay,omitempty" jsonschema:"seconds to wait" minimum:"0" maximum:"600" default:"60"`
}

type RebootOutput struct {
	Job string `json:"job"`
}

var Reboot = mcptools.Define(mcptools.Spec{
	Name: "rmm_reboot", Title: "Reboot a machine", Toolset: "rmm", Effect: mcptools.Destructive,
	Description: "Reboot one machine. Returns the job to poll.",
}, func(ctx context.Context, in RebootInput) (RebootOutput, error) {
	return RebootOutput{Job: "job-" + in.Host}, nil
})

// A tool of your own.
func Example_ownTool() {
	result, err := Reboot.Call(context.Background(), json.RawMessage(`{"host":"db1"}`))
	fmt.Println(string(result.Value), err)
	// Output: {"job":"job-db1"} <nil>
}

var _, _, _ = embed, entra, tune // compiled, not run: they need a real tenant
