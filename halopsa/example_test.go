package halopsa_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// A Go program calls the methods: names where the API wants ids, checked before
// anything is written.
func ExampleClient_CreateTicket() {
	server := halotest.New(halotest.Options{}) // a real program has https://psa.example here
	defer server.Close()
	client, err := halopsa.New(auth.Static(server.Token()), halopsa.Options{URL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	in := halopsa.CreateTicketInput{
		Summary: "Scanner in Hall 3 beeps",
		Type:    "Incident",
		TicketFields: halopsa.TicketFields{
			User: "anna.berg@hafenlogistik.example", Priority: "Urgent", Category: "Hardware", Agent: "me",
		},
	}
	if _, err := client.CreateTicket(context.Background(), in); err != nil {
		fmt.Println(err)
	}
	in.Priority = "High"
	ticket, err := client.CreateTicket(context.Background(), in)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ticket.ID, ticket.Client, ticket.Agent, ticket.Priority)
	// Output:
	// not_found: the SLA of the ticket has no priority "Urgent"
	// What to do: there is: Critical (id 1, SLA 1, fix in 4 H); High (id 2, SLA 1, fix in 8 H); Medium (id 3, SLA 1, fix in 24 H); Low (id 4, SLA 1, fix in 5 D)
	// 2121 Hafen Logistik GmbH Sam Okafor High
}

// An agent without MCP calls tools by name, with the JSON that a model wrote.
func ExampleClient_Tools() {
	server := halotest.New(halotest.Options{})
	defer server.Close()
	client, err := halopsa.New(auth.Static(server.Token()), halopsa.Options{URL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	user, _ := halopsa.Preset("user")
	tools := client.Tools().Keep(user)
	result, err := tools.Call(context.Background(), "halo_tickets_available_actions", json.RawMessage(`{"ticket_id": "2042"}`))
	if err != nil {
		log.Fatal(err)
	}
	var answer struct {
		Step    string `json:"step"`
		Actions []struct{ Outcome string }
	}
	if err := json.Unmarshal(result.Value, &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Step, answer.Actions)
	// Output:
	// New [{Escalated} {Emailed User} {Internal Note} {Closed} {Time Logged} {Work Started}]
}
