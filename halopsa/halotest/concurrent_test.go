package halotest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// Writers, readers and accessors at once: nothing is lost, and no reply is
// encoded from a record that another request is changing.
func TestConcurrentUse(t *testing.T) {
	server := start(t, halotest.Options{})
	token := server.Token()
	request := func(method, path, body string) error {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL()+"/api"+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %s: %s", method, path, response.Status)
		}
		return nil
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for range 20 {
				for _, err := range []error{
					request("POST", "/Actions", `[{"ticket_id":2041,"outcome_id":12,"note":"n","timetaken":0.1}]`),
					request("POST", "/Tickets", fmt.Sprintf(`[{"id":2041,"impact":%d}]`, worker)),
					request("GET", "/Tickets/2041?includedetails=true", ""),
					request("GET", "/Actions?ticket_id=2041", ""),
				} {
					if err != nil {
						t.Error(err)
					}
				}
				server.Ticket(halotest.TicketPrinter)
				server.Actions(halotest.TicketPrinter)
				server.Violations()
			}
		})
	}
	group.Wait()
	if n := len(server.Actions(halotest.TicketPrinter)); n != 5+160 {
		t.Errorf("%d actions, want %d", n, 5+160)
	}
	if n := len(server.TimesheetEvents()); n != 6+160 {
		t.Errorf("%d timesheet events, want %d", n, 6+160)
	}
}

// The seeded company itself passes the server's own checks.
func TestSeedIsConsistent(t *testing.T) {
	server := start(t, halotest.Options{})
	overdue, soon, unassigned, closed := 0, 0, 0, 0
	tickets := server.Tickets()
	for _, ticket := range tickets {
		user, ok := server.User(ticket.Int("user_id"))
		client, clientOK := server.Client(ticket.Int("client_id"))
		site, siteOK := server.Site(ticket.Int("site_id"))
		if !ok || !clientOK || !siteOK || user.Int("client_id") != client.Int("id") || site.Int("client_id") != client.Int("id") {
			t.Errorf("ticket %d: user %v, client %v, site %v", ticket.Int("id"), user["name"], client["name"], site["name"])
		}
		if _, ok := server.Agent(ticket.Int("agent_id")); !ok {
			t.Errorf("ticket %d has no agent", ticket.Int("id"))
		}
		if len(server.Actions(ticket.Int("id"))) == 0 {
			t.Errorf("ticket %d has no action", ticket.Int("id"))
		}
		due := ticket.Time("fixbydate")
		if !due.IsZero() && due.Before(ticket.Time("dateoccurred")) && due.Year() > 1900 {
			t.Errorf("ticket %d is due before it is reported", ticket.Int("id"))
		}
		switch {
		case ticket.Bool("hasbeenclosed"):
			closed++
		case !due.IsZero() && due.Before(now):
			overdue++
		case !due.IsZero() && due.Sub(now).Hours() < 8:
			soon++
		}
		if ticket.Int("agent_id") == halotest.AgentUnassigned {
			unassigned++
		}
		if !ticket.Time("targetdate").IsZero() {
			t.Errorf("ticket %d has a target date", ticket.Int("id"))
		}
	}
	if len(tickets) != 80 || overdue < 5 || soon < 3 || unassigned < 10 || closed < 10 {
		t.Errorf("%d tickets, %d overdue, %d due soon, %d unassigned, %d closed", len(tickets), overdue, soon, unassigned, closed)
	}
}
