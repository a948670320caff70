package halopsa_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// deaf drops fields of tickets before Halo gets them, as a build would that
// does not know them.
type deaf struct {
	http.RoundTripper
	fields []string
}

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Tickets") {
		var objects []map[string]any
		if err := json.NewDecoder(r.Body).Decode(&objects); err != nil {
			return nil, err
		}
		for _, field := range d.fields {
			delete(objects[0], field)
		}
		body, err := json.Marshal(objects)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return d.RoundTripper.RoundTrip(r)
}

func deafTo(fields ...string) func(*halopsa.Options) {
	return func(o *halopsa.Options) { o.Resilience.Base = deaf{resilience.NewBase(), fields} }
}

// What Halo would refuse, or replace without a word, is refused before anything
// is written.
func TestCreateChecksFirst(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for name, test := range map[string]struct {
		in   halopsa.CreateTicketInput
		code mcptools.Code
		says []string
	}{
		"nobody's": {halopsa.CreateTicketInput{Type: "Incident"}, mcptools.CodeInvalidArguments, []string{"whose ticket"}},
		"priority of another SLA": {halopsa.CreateTicketInput{Type: "Major Incident", TicketFields: halopsa.TicketFields{Client: "Hafen", Category: "Network", Priority: "Low"}},
			mcptools.CodeNotFound, []string{"P1 Emergency", "P3 Normal"}},
		"no category": {halopsa.CreateTicketInput{Type: "Incident", TicketFields: halopsa.TicketFields{Client: "Hafen"}},
			mcptools.CodeInvalidArguments, []string{"Incident needs: Category (category_1)", "halo_lookups_get"}},
		"no impact": {halopsa.CreateTicketInput{Type: "Change", TicketFields: halopsa.TicketFields{Client: "Hafen", Urgency: 1}},
			mcptools.CodeInvalidArguments, []string{"Impact (impact)"}},
		"no details": {halopsa.CreateTicketInput{Type: "Problem", TicketFields: halopsa.TicketFields{Client: "Hafen"}},
			mcptools.CodeInvalidArguments, []string{"Details (details)"}},
		"unknown category": {halopsa.CreateTicketInput{Type: "Incident", TicketFields: halopsa.TicketFields{Client: "Hafen", Category: "Plumbing"}}, mcptools.CodeNotFound, []string{"category"}},
		"unknown type":     {halopsa.CreateTicketInput{Type: "Wish", TicketFields: halopsa.TicketFields{Client: "Hafen"}}, mcptools.CodeNotFound, []string{"Service Request"}},
		"two clients":      {halopsa.CreateTicketInput{Type: "Problem", TicketFields: halopsa.TicketFields{Client: "Elbe"}}, mcptools.CodeAmbiguous, []string{"Elbe Architekten (id 14)"}},
		"another's user": {halopsa.CreateTicketInput{Type: "Problem", TicketFields: halopsa.TicketFields{Client: "Hafen", User: halotest.LenaVogtEmail}},
			mcptools.CodeNotFound, []string{"halo_users_search"}},
		"another site": {halopsa.CreateTicketInput{Type: "Problem", TicketFields: halopsa.TicketFields{Site: "Hamburg HQ", User: halotest.JonasWeberEmail}},
			mcptools.CodeInvalidArguments, []string{"Hall 3"}},
		"former agent": {halopsa.CreateTicketInput{Type: "Service Request", TicketFields: halopsa.TicketFields{Client: "Hafen", Agent: "Nora"}}, mcptools.CodeNotFound, []string{"Sam Okafor"}},
		"odd field": {halopsa.CreateTicketInput{Type: "Service Request", TicketFields: halopsa.TicketFields{Client: "Hafen", CustomFields: map[string]any{"Shoe size": 44}}},
			mcptools.CodeNotFound, []string{"Cost centre"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.Summary = "Something"
			_, err := s.client.CreateTicket(t.Context(), test.in)
			fails(t, err, test.code, test.says...)
		})
	}
	if posts := s.posts(); len(posts) > 0 {
		t.Errorf("there were writes: %v", posts)
	}
}

// Halo wants the site of a user; the caller need not know it.
func TestCreateFillsInTheSite(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Gate stuck", Type: "Incident",
		TicketFields: halopsa.TicketFields{User: "Jonas Weber", Category: "Hardware", Details: "It is **stuck**.", Priority: "high", Agent: "me"}})
	if err != nil {
		t.Fatal(err)
	}
	record, _ := s.server.Ticket(out.ID)
	if record.Int("site_id") != halotest.SiteHafenHall3 || record.Int("client_id") != halotest.ClientHafen || record.Int("priority_id") != 2 ||
		record.String("details_html") != "<p>It is <strong>stuck</strong>.</p>" || record.Int("agent_id") != halotest.AgentSam {
		t.Errorf("%v", record)
	}
	if len(out.Ignored)+len(out.Warnings)+len(out.Duplicates) > 0 || out.Priority != "High" || out.User != "Jonas Weber" {
		t.Errorf("%+v", out)
	}
}

// A template of the type has the last word, unless it is skipped.
func TestCreateReportsWhatATemplateReplaced(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.CreateTicketInput{Summary: "Tim Voss", Type: "New Starter", TicketFields: halopsa.TicketFields{Client: "Alster", Team: "1st Line"}}
	out, err := s.client.CreateTicket(t.Context(), in)
	if err != nil || !slices.Equal(out.Ignored, []string{"summary", "team"}) || out.Team != "2nd Line" {
		t.Errorf("%+v, %v", out, err)
	}
	in.SkipTemplate = true
	out, err = s.client.CreateTicket(t.Context(), in)
	if err != nil || len(out.Ignored) > 0 || out.Summary != "Tim Voss" || out.Team != "1st Line" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestCreateReportsWhatABuildIgnores(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, deafTo("impact", "customfields", "agent_id"))
	out, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Beep", Type: "Service Request",
		TicketFields: halopsa.TicketFields{Client: "Hafen", Impact: 3, Urgency: 2, Agent: "me", CustomFields: map[string]any{"Cost centre": "7"}}})
	if err != nil || !slices.Equal(out.Ignored, []string{"agent", "custom_fields", "impact"}) {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestCreateSeesDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.CreateTicketInput{Summary: "vpn drops every ten minutes", Type: "Service Request", TicketFields: halopsa.TicketFields{User: halotest.JonasWeberEmail}, StopOnDuplicate: true}
	_, err := s.client.CreateTicket(t.Context(), in)
	fails(t, err, mcptools.CodeConflict, "2042")
	if posts := s.posts(); len(posts) > 0 {
		t.Fatalf("there were writes: %v", posts)
	}
	in.StopOnDuplicate = false
	out, err := s.client.CreateTicket(t.Context(), in)
	if err != nil || len(out.Duplicates) != 1 || out.Duplicates[0].ID != halotest.TicketVPN {
		t.Errorf("%+v, %v", out, err)
	}
	in.User, in.StopOnDuplicate = halotest.LenaVogtEmail, true // another client's is none
	if _, err := s.client.CreateTicket(t.Context(), in); err != nil {
		t.Error(err)
	}
}

// A ticket that may have been created is not created again.
func TestAnUncertainTicketIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	before := len(s.server.Tickets())
	s.server.Faults().Next(1, http.MethodPost, "/Tickets", halotest.Answer{Drop: halotest.DropAfter})
	_, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Once", Type: "Service Request", TicketFields: halopsa.TicketFields{Client: "Hafen"}})
	fails(t, err, mcptools.CodeUncertain)
	if after := len(s.server.Tickets()); after != before+1 {
		t.Errorf("%d tickets were created", after-before)
	}
}

// A refusal can have the status 200.
func TestAWarningThatIsAnErrorIsARefusal(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.server.Faults().Next(1, http.MethodPost, "/Tickets", halotest.Answer{Status: 200, ContentType: "application/json",
		Body: `[{"id":0,"_warning":"A change freeze is active.","_warning_is_error":"true"}]`})
	_, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Firmware", Type: "Service Request", TicketFields: halopsa.TicketFields{Client: "Hafen"}})
	fails(t, err, mcptools.CodeConflict, "A change freeze is active.")
}

// An answer that shows no ticket leaves a doubt, and says so.
func TestAnAnswerWithoutATicketIsADoubt(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.server.Faults().Next(1, http.MethodPost, "/Tickets", halotest.Answer{Status: 200, ContentType: "application/json", Body: `[]`})
	_, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Firmware", Type: "Service Request", TicketFields: halopsa.TicketFields{Client: "Hafen"}})
	fails(t, err, mcptools.CodeUncertain)
}

// Halo replaces the whole list of custom fields.
func TestUpdateKeepsOtherCustomFields(t *testing.T) {
	t.Parallel()
	for name, merges := range map[string]bool{"replaces": false, "merges": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{MergeCustomFields: merges})
			out, err := s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketClosed,
				TicketFields: halopsa.TicketFields{CustomFields: map[string]any{"Cost centre": "0815", "CFStartDate": "2026-04-01"}}})
			if err != nil || len(out.Ignored) > 0 || len(out.Changed) != 1 || out.Changed[0].Field != "custom_fields" {
				t.Fatalf("%+v, %v", out, err)
			}
			record, _ := s.server.Ticket(halotest.TicketClosed)
			values := map[int]string{}
			for _, field := range record.List("customfields") {
				values[field.Int("id")] = field.String("value")
			}
			if len(values) != 3 || values[201] != "NL-0815" || values[202] != "0815" || values[203] != "2026-04-01" {
				t.Errorf("%v", values)
			}
		})
	}
}

func TestUpdateTellsWhatChanged(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, deafTo("urgency"))
	out, err := s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketPrinter,
		TicketFields: halopsa.TicketFields{Priority: "High", Urgency: 1, Impact: 3, Category: "Hardware>Printer", Agent: "me", User: halotest.MiraKochEmail}})
	if err != nil {
		t.Fatal(err)
	}
	want := []halopsa.Change{{Field: "priority", From: "Medium", To: "High"}, {Field: "user", From: "Anna Berg", To: "Mira Koch"}}
	if !slices.Equal(out.Changed, want) || !slices.Equal(out.Ignored, []string{"urgency"}) {
		t.Errorf("changed %v, ignored %v", out.Changed, out.Ignored)
	}
	_, err = s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketPrinter})
	fails(t, err, mcptools.CodeInvalidArguments, "halo_tickets_set_status")
	_, err = s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: 99, Summary: "x"})
	fails(t, err, mcptools.CodeNotFound, "halo_tickets_search")
	_, err = s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{Summary: "x"})
	fails(t, err, mcptools.CodeInvalidArguments, "ticket_id")
}

// A ticket that moves to another client moves to its main site.
func TestUpdateMovesToAnotherClient(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketVPN, TicketFields: halopsa.TicketFields{Client: "Alster"}})
	record, _ := s.server.Ticket(halotest.TicketVPN)
	if err != nil || out.Client != "Alster Dental" || len(out.Ignored) > 0 || record.Int("site_id") != halotest.SiteAlster {
		t.Errorf("%+v, %v", out, err)
	}
}

// A change that was made stays a success when the ticket cannot be read again.
func TestUpdateThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.server.Faults().Next(1, http.MethodGet, "/Tickets/2041", halotest.Answer{Delay: 1})
	s.server.Faults().Next(1, http.MethodGet, "/Tickets/2041", halotest.Answer{Status: 403})
	out, err := s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketPrinter, Summary: "Printer"})
	if err != nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "could not be read again") {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAssignByBuild(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]bool{"by id": false, "by name": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{NoTeamID: old})
			out, err := s.client.AssignTicket(t.Context(), halopsa.AssignTicketInput{TicketID: halotest.TicketPrinter, Agent: "unassigned", Team: "projects", Note: "Wrong queue."})
			if err != nil || out.Agent != "Unassigned" || out.Team != "Projects" || len(out.Ignored)+len(out.Warnings) > 0 || out.ActionID == 0 {
				t.Fatalf("%+v, %v", out, err)
			}
			if note := s.lastAction(halotest.TicketPrinter); !note.Bool("hiddenfromuser") || note.Int("outcome_id") != halotest.OutcomeNote {
				t.Errorf("%v", note)
			}
		})
	}
}

// Of two steps, the one that was done is reported when the other fails.
func TestAssignWithoutItsNote(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.server.Faults().Next(1, http.MethodPost, "/Actions", halotest.Answer{Status: 403})
	out, err := s.client.AssignTicket(t.Context(), halopsa.AssignTicketInput{TicketID: halotest.TicketVPN, Agent: "me", Note: "Mine."})
	if err != nil || out.Agent != "Sam Okafor" || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "the note was not added") {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = s.client.AssignTicket(t.Context(), halopsa.AssignTicketInput{TicketID: halotest.TicketVPN})
	fails(t, err, mcptools.CodeInvalidArguments, "who gets it")
}
