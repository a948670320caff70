package halopsa_test

import (
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// A build that ignores views answers with all tickets, and the answer does not
// show it: the result does.
func TestAViewThatIsIgnoredIsTold(t *testing.T) {
	t.Parallel()
	in := halopsa.SearchTicketsInput{ViewID: halotest.ViewUnassigned, Limit: 2}
	for _, ignored := range []bool{false, true} {
		s := start(t, halotest.Options{IgnoreViews: ignored})
		page, err := s.client.SearchTickets(t.Context(), in)
		if err != nil || strings.Contains(page.Problem, "ignored") != ignored || len(page.Items) != 2 {
			t.Errorf("ignored %v: %+v, %v", ignored, page, err)
		}
		if !ignored && (page.Items[0].Agent != "Unassigned" || page.Cursor == "") {
			t.Errorf("%+v", page)
		}
	}
}

func TestFieldsOfFoundTickets(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	page, err := s.client.SearchTickets(t.Context(), halopsa.SearchTicketsInput{Query: "printer", Client: "Hafen", Fields: []string{"sla", "user_email", "client_id", "time_taken", "parent_id"}})
	if err != nil || len(page.Items) == 0 {
		t.Fatalf("%+v, %v", page, err)
	}
	fields := page.Items[0].Fields
	if fields["sla"] != "Standard 8x5" || fields["user_email"] != halotest.AnnaBergEmail || fields["client_id"] != 12.0 || fields["time_taken"] == nil || fields["parent_id"] != nil {
		t.Errorf("%v", fields)
	}
	_, err = s.client.SearchTickets(t.Context(), halopsa.SearchTicketsInput{Fields: []string{"details"}})
	fails(t, err, mcptools.CodeInvalidArguments, `"details"`, "user_email")
}

func TestAuditOfATicket(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	if _, err := s.client.AssignTicket(t.Context(), halopsa.AssignTicketInput{TicketID: halotest.TicketVPN, Team: "2nd Line"}); err != nil {
		t.Fatal(err)
	}
	in := halopsa.GetTicketInput{TicketID: halotest.TicketVPN, Include: []string{"audit"}}
	got, err := s.client.GetTicket(t.Context(), in)
	if err != nil || len(got.Problems) > 0 || len(got.Audit) != 1 || got.Audit[0].Field != "Team" || got.Audit[0].From != "1st Line" || got.Audit[0].To != "2nd Line" || got.Audit[0].Who != "Sam Okafor" {
		t.Errorf("%+v, %v", got, err)
	}
	s = start(t, halotest.Options{}, reading(func(_ string, object map[string]any) { delete(object, "audit_log") }))
	if got, err = s.client.GetTicket(t.Context(), in); err != nil || len(got.Problems) != 1 || !strings.HasPrefix(got.Problems[0], "audit: ") {
		t.Errorf("a build that sends none: %+v, %v", got, err)
	}
}

func TestReferenceDataOfAClient(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for kind, reserved := range map[string]string{"ticket_type": "New Starter", "category": "Accounts>New Starter", "charge_rate": "Out of Hours"} {
		for client, want := range map[string]bool{"": true, "Alster": kind != "charge_rate", "Hafen": kind == "charge_rate"} {
			out, err := s.client.Lookups(t.Context(), halopsa.LookupsInput{Kinds: []string{kind}, Client: client, Query: reserved})
			if err != nil || (len(out.Tables[0].Entries) == 1) != want {
				t.Errorf("%s of %q: %+v, %v", kind, client, out, err)
			}
		}
	}
}

// Activity is what was last worked on, whether it is open or not.
func TestActivity(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	if _, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketVPN, Note: "x"}); err != nil {
		t.Fatal(err)
	}
	client, err := s.client.GetClient(t.Context(), halopsa.GetClientInput{ID: "Hafen", Include: []string{"activity"}})
	if err != nil || client.Activity == nil || client.Activity.Items[0].ID != halotest.TicketVPN || client.Problem != "" {
		t.Errorf("%+v, %v", client, err)
	}
	user, err := s.client.GetUser(t.Context(), halopsa.GetUserInput{ID: halotest.JonasWeberEmail, Include: []string{"activity"}})
	if err != nil || user.Included["activity"].Items[0].ID != halotest.TicketVPN {
		t.Errorf("%+v, %v", user, err)
	}
}

func TestNotesAsHTML(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	if _, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketVPN, Note: "**Look** here"}); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{"": "**Look** here", "html": "<p><strong>Look</strong> here</p>", "none": ""} {
		page, err := s.client.ListActions(t.Context(), halopsa.ListActionsInput{TicketID: halotest.TicketVPN, Body: body, Limit: 1})
		if err != nil || page.Items[0].Text != want {
			t.Errorf("%q: %+v, %v", body, page, err)
		}
	}
}

func TestFieldsOfAnAction(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.RunActionInput{TicketID: halotest.TicketPrinter, Outcome: "Escalate", CustomFields: map[string]any{"Cost centre": "12"}}
	if out, err := s.client.RunAction(t.Context(), in); err != nil || len(out.Ignored) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if saved := s.lastAction(halotest.TicketPrinter).List("customfields"); len(saved) != 1 || saved[0].String("label") != "Cost centre" || saved[0].String("value") != "12" {
		t.Errorf("saved %v", saved)
	}
	in.CustomFields = map[string]any{"Shoe size": 44}
	_, err := s.client.RunAction(t.Context(), in)
	fails(t, err, mcptools.CodeNotFound, "Cost centre")
}
