package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
)

// A weekly meeting keeps its local time when the clocks change.
func ExampleClient_CreateEvent() {
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	client, err := graph.New(auth.Static(fake.Token()), graph.Options{BaseURL: fake.URL()})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	made, err := client.CreateEvent(ctx, graph.CreateEventInput{
		Subject: "Review", Start: "2027-03-24T15:00", End: "45m", TimeZone: "Europe/Berlin",
		Attendees: []string{"anna.berg@hafenlogistik.example"}, Recurrence: "weekly 2 times",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(made.Recurrence, made.Attendees)
	page, err := client.ViewCalendar(ctx, graph.ViewCalendarInput{Start: "2027-03-24", End: "2027-04-07", Query: "review", TimeZone: "Europe/Berlin"})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range page.Items {
		fmt.Println(e.Start, e.Subject)
	}
	// Output:
	// weekly on wed 2 times [anna.berg@hafenlogistik.example]
	// 2027-03-24T15:00+01:00 Review
	// 2027-03-31T15:00+02:00 Review
}

// Names are looked up, and never guessed when mail or an invitation goes out.
func ExampleClient_FindPeople() {
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	client, err := graph.New(auth.Static(fake.Token()), graph.Options{BaseURL: fake.URL()})
	if err != nil {
		log.Fatal(err)
	}
	people, err := client.FindPeople(context.Background(), graph.FindPeopleInput{Query: "lindqvist"})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range people.Items {
		fmt.Printf("%s <%s>: %s\n", p.Name, p.Address, p.Title)
	}
	// Output: Tom Lindqvist <tom.lindqvist@nordlicht.example>: Service Manager
}

// The same method is a tool: by name, with JSON, without MCP.
func ExampleClient_Tools() {
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	client, err := graph.New(auth.Static(fake.Token()), graph.Options{BaseURL: fake.URL()})
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.Tools().Call(context.Background(), "m365_user_get", json.RawMessage(`{"user": "Elif Demir", "include": ["manager", "mfa"]}`))
	if err != nil {
		log.Fatal(err)
	}
	var user struct {
		Name    string
		Manager string
		MFA     []string
	}
	if err := json.Unmarshal(result.Value, &user); err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Name, "reports to", user.Manager)
	fmt.Println(user.MFA)
	// Output:
	// Elif Demir reports to Tom Lindqvist <tom.lindqvist@nordlicht.example>
	// [microsoftAuthenticator (Phone of Elif)]
}
