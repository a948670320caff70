package graph_test

import (
	"context"
	"fmt"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// demo returns a client of a fake tenant, and the end of it.
func demo() (*graph.Client, *graphtest.Server) {
	server := graphtest.New(graphtest.Options{})
	client, err := graph.New(auth.Static(server.Token()), graph.Options{BaseURL: server.URL()})
	if err != nil {
		panic(err)
	}
	return client, server
}

func ExampleClient_SearchMail() {
	client, server := demo()
	defer server.Close()

	page, err := client.SearchMail(context.Background(), graph.SearchMailInput{Query: "label printer", Unread: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range page.Items {
		fmt.Println(row.From, "|", row.Subject)
	}
	// Output: Anna Berg <anna.berg@hafenlogistik.example> | Label printer in hall 3 prints blank labels
}

func ExampleClient_ReplyMail() {
	client, server := demo()
	defer server.Close()

	ctx := context.Background()
	page, err := client.SearchMail(ctx, graph.SearchMailInput{Subject: "VPN drops", From: "Jonas Weber", Limit: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, err := client.ReplyMail(ctx, graph.ReplyMailInput{ID: page.Items[0].ID, Mode: "reply_all", Body: "Glad to hear that. **Closed.**"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sent.Status, sent.Subject, sent.To, sent.CC)
	// Output: sent RE: VPN drops every hour [Jonas Weber <jonas.weber@hafenlogistik.example>] [Mira Koch <mira.koch@hafenlogistik.example>]
}

// A name instead of an address is refused rather than guessed.
func ExampleClient_SendMail() {
	client, server := demo()
	defer server.Close()

	_, err := client.SendMail(context.Background(), graph.SendMailInput{To: []string{"Anna"}, Subject: "Printer", Body: "On my way"})
	fmt.Println(err)
	// Output:
	// invalid_arguments: to[0]: "Anna" is not a mail address
	// What to do: find it with m365_people_find
}

func ExamplePreset() {
	client, server := demo()
	defer server.Close()

	user, _ := graph.Preset("user")
	for tool := range client.Tools().Keep(user, mcptools.Toolsets("mail"), mcptools.ReadOnlyTools).All() {
		fmt.Println(tool.Spec().Name)
	}
	// Output:
	// m365_mail_search
	// m365_mail_get
	// m365_mail_attachment
}
