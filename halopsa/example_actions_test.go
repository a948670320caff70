package halopsa_test

import (
	"context"
	"fmt"
	"log"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// Somebody from Microsoft 365 is found by their object id in Entra.
func ExampleClient_SearchUsers() {
	server := halotest.New(halotest.Options{})
	defer server.Close()
	client, err := halopsa.New(auth.Static(server.Token()), halopsa.Options{URL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	page, err := client.SearchUsers(context.Background(), halopsa.SearchUsersInput{AzureOID: halotest.AnnaBergEntraID})
	if err != nil {
		log.Fatal(err)
	}
	for _, user := range page.Items {
		fmt.Println(user.Name, "of", user.Client)
	}
	// Output: Anna Berg of Hafen Logistik GmbH
}

// Time is given with its unit and comes back in minutes and hours.
func ExampleClient_LogTime() {
	server := halotest.New(halotest.Options{})
	defer server.Close()
	client, err := halopsa.New(auth.Static(server.Token()), halopsa.Options{URL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	logged, err := client.LogTime(context.Background(), halopsa.LogTimeInput{
		TicketID: halotest.TicketPrinter, Duration: "45m", Note: "Replaced the **label printer**.",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(logged.Minutes, "minutes,", logged.Hours, "hours, private:", logged.Private)
	// Output: 45 minutes, 0.75 hours, private: true
}

// A note is private, and the result says that Halo has it as private.
func ExampleClient_AddNote() {
	server := halotest.New(halotest.Options{})
	defer server.Close()
	client, err := halopsa.New(auth.Static(server.Token()), halopsa.Options{URL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	note, err := client.AddNote(context.Background(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "Spare is in *stock*."})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(note.Action, note.Private, note.Problem == "")
	// Output: Internal Note true true
}
