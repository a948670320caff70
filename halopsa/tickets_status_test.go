package halopsa_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestStatusWithAndWithoutANote(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.SetTicketStatus(t.Context(), halopsa.SetStatusInput{TicketID: halotest.TicketPrinter, Status: "waiting on supplier"})
	if err != nil || out.Status != "Waiting on Supplier" || !slices.Equal(out.Changed, []halopsa.Change{{Field: "status", From: "In Progress", To: "Waiting on Supplier"}}) {
		t.Fatalf("%+v, %v", out, err)
	}
	out, err = s.client.SetTicketStatus(t.Context(), halopsa.SetStatusInput{TicketID: halotest.TicketPrinter, Status: "Scheduled", Note: "Tomorrow at **9**."})
	if err != nil || out.Status != "Scheduled" || len(out.Ignored)+len(out.Warnings) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	if note := s.lastAction(halotest.TicketPrinter); !note.Bool("hiddenfromuser") || note.String("note_html") != "<p>Tomorrow at <strong>9</strong>.</p>" {
		t.Errorf("%v", note)
	}
	if posts := s.posts(); !slices.Equal(posts, []string{"/Tickets", "/Actions"}) {
		t.Errorf("the writes are %v", posts)
	}
}

// Statuses of orders, and those that the type does not allow, are not offered.
func TestStatusOfTheRightClass(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	change, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Firmware", Type: "Change Request",
		TicketFields: halopsa.TicketFields{Client: "Hafen", Impact: 1, Urgency: 1}})
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.posts())
	for _, test := range []struct {
		ticket int
		status string
	}{{halotest.TicketPrinter, "Delivered"}, {halotest.TicketPrinter, "9"}, {change.ID, "Waiting on User"}} {
		_, err := s.client.SetTicketStatus(t.Context(), halopsa.SetStatusInput{TicketID: test.ticket, Status: test.status})
		fails(t, err, mcptools.CodeNotFound, "In Progress")
	}
	if posts := s.posts()[before:]; len(posts) > 0 {
		t.Errorf("there were writes: %v", posts)
	}
}

// Outcomes depend on the workflow step, and on what the agent may do.
// People call the button a status: the error leads to it.
func TestAStatusThatIsAnAction(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	_, err := s.client.SetTicketStatus(t.Context(), halopsa.SetStatusInput{TicketID: halotest.TicketPrinter, Status: "on hold"})
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != mcptools.CodeNotFound || !strings.Contains(e.Hint, "halo_tickets_run_action with the outcome 15") || !strings.Contains(e.Hint, "Waiting on User") {
		t.Errorf("got %v", err)
	}
	for _, status := range []string{"15", "Flying"} { // the number of an action is no name of a status
		_, err := s.client.SetTicketStatus(t.Context(), halopsa.SetStatusInput{TicketID: halotest.TicketPrinter, Status: status})
		if !errors.Is(err, mcptools.CodeNotFound) || strings.Contains(err.Error(), "run_action") {
			t.Errorf("%s: got %v", status, err)
		}
	}
}

func TestAvailableActionsFollowTheWorkflow(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	outcomes := func(id int) string {
		t.Helper()
		out, err := s.client.AvailableActions(t.Context(), halopsa.AvailableActionsInput{TicketID: id})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, action := range out.Actions {
			names = append(names, action.Outcome)
		}
		return out.Step + ": " + strings.Join(names, ", ")
	}
	run := func(outcome string) {
		t.Helper()
		if _, err := s.client.RunAction(t.Context(), halopsa.RunActionInput{TicketID: halotest.TicketVPN, Outcome: outcome}); err != nil {
			t.Fatal(err)
		}
	}
	if got := outcomes(halotest.TicketVPN); got != "New: Escalated, Emailed User, Internal Note, Closed, Time Logged, Work Started" {
		t.Error(got)
	}
	run("start work")
	if got := outcomes(halotest.TicketVPN); got != "Working: Escalated, Emailed User, Internal Note, Resolved, Closed, On Hold, Time Logged" {
		t.Error(got) // and not Approved by Manager, which this agent may not use
	}
	run("Place on Hold")
	if got := outcomes(halotest.TicketVPN); got != "On Hold: Emailed User, Internal Note, Time Logged, Work Started, Chased User" {
		t.Error(got)
	}
	_, err := s.client.RunAction(t.Context(), halopsa.RunActionInput{TicketID: halotest.TicketVPN, Outcome: "Resolved"})
	fails(t, err, mcptools.CodeNotFound, "allows no outcome", "Chased User", "halo_tickets_available_actions")
	_, err = s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketVPN, Note: "Done."})
	fails(t, err, mcptools.CodeConflict, `in the step "On Hold"`, "halo_tickets_available_actions")
}

// Where the workflow cannot be read, Halo's own list has to do; where Halo lists
// nothing for a step, the type's list and the workflow do.
func TestAvailableActionsWithHalfTheFacts(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		path string
		halotest.Answer
	}{
		"no workflow": {"/Workflow/", halotest.Answer{Status: 403}},
		"no list":     {"/Outcome", halotest.Answer{Status: 200, ContentType: "application/json", Body: "[]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{})
			s.server.Faults().Next(1, "GET", answer.path, answer.Answer)
			out, err := s.client.AvailableActions(t.Context(), halopsa.AvailableActionsInput{TicketID: halotest.TicketVPN})
			if err != nil || len(out.Actions) != 6 {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// Closing is one action: the tenant's own closed status, a private note and the
// time in hours.
func TestCloseIsOneAction(t *testing.T) {
	t.Parallel()
	for name, instance := range map[string]halotest.Options{"object": {}, "envelope": {Replies: halotest.ReplyEnvelope}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, instance)
			out, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketPrinter, Note: "Changed the MTU.", Time: "1h 30m"})
			if err != nil || !out.Closed || out.Status != "Closed" || len(out.Ignored)+len(out.Warnings) > 0 {
				t.Fatalf("%+v, %v", out, err)
			}
			action := s.lastAction(halotest.TicketPrinter)
			if action.Float("timetaken") != 1.5 || !action.Bool("hiddenfromuser") || action.Int("outcome_id") != halotest.OutcomeClose || action.Int("new_status") != halotest.StatusClosed {
				t.Errorf("%v", action)
			}
			if posts := s.posts(); !slices.Equal(posts, []string{"/Actions"}) || len(s.server.Sent()) > 0 {
				t.Errorf("the writes are %v, the mails %v", posts, s.server.Sent())
			}
		})
	}
}

func TestCloseWithAnotherStatus(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketVPN, Status: "Cancelled", Visible: true})
	if err != nil || !out.Closed || out.Status != "Cancelled" || s.lastAction(halotest.TicketVPN).Bool("hiddenfromuser") {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketPrinter, Status: "Resolved"})
	if err != nil || out.Closed || out.Status != "Resolved" || len(out.Warnings) != 0 && !strings.Contains(out.Warnings[0], "not closed yet") {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketClosed})
	fails(t, err, mcptools.CodeConflict, "closed already")
}

// Halo answers with success and a warning when it does not close a ticket.
func TestCloseThatHaloDoesNotDo(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketMigration, Note: "Done."})
	if err != nil || out.Closed || !slices.Equal(out.Ignored, []string{"status"}) || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "open child") {
		t.Errorf("%+v, %v", out, err)
	}
}

// Halo's refusal of an action names what helps.
// On hold, nothing closes a ticket: the error says what leads there.
func TestCloseAtAStepThatDoesNotClose(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	_, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketXray})
	fails(t, err, mcptools.CodeConflict, "On Hold", "it allows", "Start Work")
}

func TestRefusedActionsNameARemedy(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for _, sentence := range []string{`"An Outcome must be entered for this Action"`, `{"Message":"You do not have access to this Action at the moment"}`} {
		s.server.Faults().Next(1, "POST", "/Actions", halotest.Answer{Status: 400, ContentType: "application/json", Body: sentence})
		_, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketPrinter})
		fails(t, err, mcptools.CodeInvalidArguments, "this Action", "halo_tickets_available_actions")
	}
}

// A number tells a person nothing: the question names the ticket.
func TestQuestionsNameTheTicket(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	question := ""
	tools := s.client.Tools().With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: func(_ context.Context, q mcptools.Question) (bool, error) {
		question = q.Text
		return false, nil
	}}))
	_, err := tools.Call(t.Context(), "halo_tickets_close", json.RawMessage(`{"ticket_id":2041}`))
	if !errors.Is(err, mcptools.CodeDeclined) || !strings.Contains(question, "about: ticket 2041 Label printer in Hall 3 is offline, Anna Berg, Hafen Logistik GmbH") {
		t.Errorf("asked %q, %v", question, err)
	}
	for to, told := range map[string]bool{"": true, `,"to":["x@y.example"]`: false} {
		_, err = tools.Call(t.Context(), "halo_actions_reply_to_user", json.RawMessage(`{"ticket_id":2041,"message":"x"`+to+`}`))
		if !errors.Is(err, mcptools.CodeDeclined) || strings.Contains(question, "about: mail to "+halotest.AnnaBergEmail) != told {
			t.Errorf("asked %q, %v", question, err)
		}
	}
	_, err = tools.Call(t.Context(), "halo_tickets_close", json.RawMessage(`{"ticket_id":99999}`))
	if !errors.Is(err, mcptools.CodeDeclined) || strings.Contains(question, "about:") {
		t.Errorf("asked %q, %v", question, err)
	}
}
