package halotest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// call makes a request with the static API key.
func call(server *halotest.Server, method, path, body string) string {
	request, err := http.NewRequestWithContext(context.Background(), method, server.URL()+"/api"+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("X-Halo-Api-Key", halotest.APIKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(response.StatusCode, " ", strings.TrimSpace(string(text)))
}

func Example() {
	server := halotest.New(halotest.Options{})
	defer server.Close()

	fmt.Println(call(server, "POST", "/Actions", `[{"ticket_id": 2041, "note": "On my way"}]`))
	call(server, "POST", "/Actions", `[{"ticket_id": 2041, "outcome": "Internal Note", "note": "On my way", "timetaken": 0.25}]`)

	actions := server.Actions(halotest.TicketPrinter)
	last := actions[len(actions)-1]
	fmt.Println(last.String("who"), last.String("note"), last.Float("timetaken"), "h, private:", last.Bool("hiddenfromuser"))
	// Output:
	// 400 "An Outcome must be entered for this Action"
	// Sam Okafor On my way 0.25 h, private: true
}

// What Halo ignores in silence is recorded.
func ExampleServer_Violations() {
	server := halotest.New(halotest.Options{})
	defer server.Close()
	call(server, "GET", "/Tickets?tickettype_id=1", "")
	call(server, "POST", "/Actions", `[{"ticket_id": 2041, "outcome_id": 12, "hiddenfromclient": true}]`)
	for _, violation := range server.Violations() {
		fmt.Println(violation)
	}
	// Output:
	// unknown-query: GET /api/Tickets: tickettype_id
	// unknown-field: POST /api/Actions: Actions.hiddenfromclient
}

func ExampleServer_Faults() {
	server := halotest.New(halotest.Options{})
	defer server.Close()
	server.Faults().Next(1, "GET", "/Status", halotest.Answer{Status: 429, RetryAfter: "5"})
	fmt.Println(call(server, "GET", "/Status/1", ""))
	fmt.Println(call(server, "GET", "/Status/1", "")[:3])
	// Output:
	// 429 Rate Limit Reached - 300 Requests per rolling 5 minute window
	// 200
}

// An old self-hosted build with another form of errors and a fixed clock.
func ExampleNew() {
	server := halotest.New(halotest.Options{
		OnPremises: true,
		NoTeamID:   true,
		ErrorShape: halotest.ErrorMessage,
		Now:        func() time.Time { return time.Date(2026, 11, 18, 9, 30, 0, 0, time.UTC) },
	})
	defer server.Close()
	fmt.Println(call(server, "DELETE", "/Actions/2", ""))
	ticket, _ := server.Ticket(halotest.TicketPrinter)
	fmt.Println(ticket.Time("dateoccurred"), server.Tenant() == "")
	// Output:
	// 400 {"Message":"ticket_id must be included when deleting an Action"}
	// 2026-11-18 04:30:00 +0000 UTC true
}
