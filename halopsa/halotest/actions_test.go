package halotest_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestActionNeedsTicketAndOutcome(t *testing.T) {
	server := start(t, halotest.Options{})
	for _, test := range []struct{ method, path, body, part string }{
		{"POST", "/Actions", `[{"note":"x","outcome_id":12}]`, "An Action must be associated with a ticket_id"},
		{"POST", "/Actions", `[{"id":2,"note":"x"}]`, "An Action must be associated with a ticket_id"},
		{"GET", "/Actions/1", "", "An Action must be associated with a ticket_id"},
		{"DELETE", "/Actions/1", "", "ticket_id must be included when deleting an Action"},
		{"POST", "/Actions", `[{"ticket_id":2041,"note":"x"}]`, "An Outcome must be entered for this Action"},
		{"POST", "/Actions", `[{"ticket_id":2041,"note":"x","outcome":"No Such"}]`, "An Outcome must be entered for this Action"},
		{"POST", "/Actions", `[{"ticket_id":2041,"outcome_id":999}]`, "You do not have access to this Action at the moment"},
		{"POST", "/Actions", `[{"ticket_id":2041,"outcome_id":50}]`, "You do not have access to this Action at the moment"},
		{"POST", "/Actions", `[{"ticket_id":2041,"outcome_id":17}]`, "You do not have access to this Action at the moment"},
	} {
		expectRefusal(t, server, test.method, test.path, test.body, http.StatusBadRequest, test.part)
	}
	if n := len(server.Actions(2041)); n != 5 {
		t.Errorf("%d actions after refused writes", n)
	}
}

func TestActionsAreNumberedWithinTheTicket(t *testing.T) {
	server := start(t, halotest.Options{})
	for _, ticket := range []int{2042, 2043} {
		action := ask[object](t, server, "POST", "/Actions", fmt.Sprintf(`[{"ticket_id":%d,"outcome_id":12,"note":"n"}]`, ticket))
		if action["id"] != float64(2) || action["hiddenfromuser"] != true {
			t.Errorf("ticket %d: %v", ticket, action)
		}
	}
	first := ask[object](t, server, "GET", "/Actions/1?ticket_id=2042", "")
	second := ask[object](t, server, "GET", "/Actions/1?ticket_id=2043", "")
	if first["note"] == second["note"] {
		t.Error("action 1 of two tickets is the same")
	}
	ask[object](t, server, "DELETE", "/Actions/2?ticket_id=2042", "")
	if len(server.Actions(2042)) != 1 || len(server.Actions(2043)) != 2 {
		t.Error("the delete met the wrong ticket")
	}
	expectViolations(t, server)
}

func TestActionLists(t *testing.T) {
	server := start(t, halotest.Options{})
	for _, test := range []struct {
		query string
		want  int
	}{
		{"?ticket_id=2041", 5}, {"?ticket_id=2041&excludesys=true", 4}, {"?ticket_id=2041&excludeprivate=true", 3},
		{"?ticket_id=2041&agentonly=true", 2}, {"?ticket_id=2041&timeentriesonly=true", 2}, {"?ticket_id=2041&count=2", 2}, {"", 0},
		{"?ticket_id=2041&startdate=2026-11-18T06:00:00Z", 2},
	} {
		envelope := ask[object](t, server, "GET", "/Actions"+test.query, "")
		if got := rows(t, envelope, "actions"); len(got) != test.want {
			t.Errorf("%s: %d actions, want %d", test.query, len(got), test.want)
		}
	}
	newest := list(t, server, "/Actions?ticket_id=2041", "actions")[0]
	if newest["note"] != "Done, still offline." || newest["note_html"] != nil || newest["emailbody_html"] != nil {
		t.Errorf("newest: %v", newest)
	}
	newest = list(t, server, "/Actions?ticket_id=2041&includehtmlnote=true&includehtmlemail=true", "actions")[0]
	if newest["note_html"] == nil || !strings.Contains(fmt.Sprint(newest["emailbody_html"]), "MsoNormal") {
		t.Errorf("newest with HTML: %v", newest)
	}
	expectViolations(t, server)
}

// Changes, time, mail and files ride on one action.
func TestActionCarriesItAll(t *testing.T) {
	server := start(t, halotest.Options{})
	file := base64.StdEncoding.EncodeToString([]byte("log"))
	action := ask[object](t, server, "POST", "/Actions", `[{"ticket_id":2041,"outcome":"Resolved","note_html":"<p>Fixed &amp; tested</p>","timetaken":0.75,
		"hiddenfromuser":false,"new_agent":5,"new_team":"2nd Line","new_category1":"Hardware","new_priority":2,"sendemail":true,
		"emailto":"anna.berg@hafenlogistik.example","attachments":[{"filename":"fix.log","data_base64":"`+file+`"}]}]`)
	ticket, _ := server.Ticket(halotest.TicketPrinter)
	if ticket.Int("status_id") != halotest.StatusResolved || ticket.Int("agent_id") != halotest.AgentElif || ticket.String("team") != "2nd Line" ||
		ticket.String("category_1") != "Hardware" || ticket.Int("priority_id") != 2 || ticket.Float("timetaken") != 1.1 || ticket.Int("workflow_step") != 4 {
		t.Errorf("ticket %v", ticket)
	}
	if action["note"] != "Fixed & tested" || action["new_status"] != float64(21) || action["attachment_count"] != float64(1) {
		t.Errorf("action %v", action)
	}
	if sent := server.Sent(); len(sent) != 1 || sent[0].To != "anna.berg@hafenlogistik.example" || sent[0].BodyHTML != "<p>Fixed &amp; tested</p>" {
		t.Errorf("sent %+v", sent)
	}
	events := server.TimesheetEvents()
	if last := events[len(events)-1]; last.Float("timetaken") != 0.75 || last.Int("ticket_id") != 2041 || last.Int("agent_id") != halotest.AgentSam {
		t.Errorf("event %v", last)
	}
	files := server.Attachments(2041)
	if len(files) != 2 || string(files[1].Content) != "log" || files[1].ActionID != int(action["id"].(float64)) {
		t.Errorf("attachments %+v", files)
	}
	expectViolations(t, server)
}

func TestWorkflowRulesOutcomes(t *testing.T) {
	server := start(t, halotest.Options{})
	const noAccess = "You do not have access"
	post := func(outcome int) string { return fmt.Sprintf(`[{"ticket_id":2042,"outcome_id":%d}]`, outcome) }
	expectRefusal(t, server, "POST", "/Actions", post(halotest.OutcomeResolve), http.StatusBadRequest, noAccess)
	ask[object](t, server, "POST", "/Actions", post(halotest.OutcomeStart))
	if ticket, _ := server.Ticket(2042); ticket.Int("status_id") != halotest.StatusInProgress || ticket.Int("workflow_step") != 2 {
		t.Errorf("after Start Work: %v", ticket)
	}
	ask[object](t, server, "POST", "/Actions", post(halotest.OutcomeResolve))
	ask[object](t, server, "POST", "/Actions", post(halotest.OutcomeClose))
	if ticket, _ := server.Ticket(2042); !ticket.Bool("hasbeenclosed") {
		t.Errorf("after Close: %v", ticket)
	}
	ask[object](t, server, "POST", "/Actions", `[{"ticket_id":2045,"outcome_id":11,"new_status":5}]`)
	expectRefusal(t, server, "POST", "/Actions", `[{"ticket_id":2042,"outcome_id":12,"new_status":9}]`, http.StatusBadRequest, "Status")
	expectViolations(t, server)
}

func TestUpdateAction(t *testing.T) {
	server := start(t, halotest.Options{})
	ask[object](t, server, "POST", "/Actions", `[{"id":3,"ticket_id":2041,"hiddenfromuser":false,"timetaken":0.5}]`)
	action := server.Actions(2041)[2]
	if action.Bool("hiddenfromuser") || action.Float("timetaken") != 0.5 || action.String("note") == "" {
		t.Errorf("updated %v", action)
	}
	expectRefusal(t, server, "POST", "/Actions", `[{"id":77,"ticket_id":2041,"note":"x"}]`, http.StatusNotFound, "not found")
}

func TestMistakesWithActionsAreRecorded(t *testing.T) {
	server := start(t, halotest.Options{})
	ask[object](t, server, "POST", "/Actions", `[{"ticket_id":2041,"outcome_id":12,"note":"x","status_id":23}]`)
	expectViolations(t, server, "unknown-field Actions.status_id")
	ask[object](t, server, "POST", "/Actions", `[{"ticket_id":2041,"outcome_id":16,"timetaken":45}]`)
	expectViolations(t, server, "silently-ignored timetaken is in hours")
	ask[object](t, server, "POST", "/Actions", `[{"ticket_id":"2041","outcome_id":12}]`)
	expectViolations(t, server, "wrong-kind Actions.ticket_id should be sent as int")
	list(t, server, "/Actions?ticket_id=2041&page_size=5", "actions")
	expectViolations(t, server, "unknown-query page_size")
}

func TestAttachments(t *testing.T) {
	server := start(t, halotest.Options{})
	envelope := ask[object](t, server, "GET", "/Attachment?ticket_id=2041", "")
	if len(rows(t, envelope, "attachments")) != 1 || len(rows(t, envelope, "folders")) != 2 {
		t.Errorf("envelope %v", envelope)
	}
	if got := list(t, server, "/Attachment?ticket_id=2041&action_id=1", "attachments"); len(got) != 0 {
		t.Errorf("action 1 has %d attachments", len(got))
	}
	file := ask[object](t, server, "GET", "/Attachment/1?includedetails=true", "")
	if text, err := base64.StdEncoding.DecodeString(fmt.Sprint(file["data_base64"])); err != nil || !strings.Contains(string(text), "spooler") {
		t.Errorf("content %q, %v", text, err)
	}
	saved := ask[object](t, server, "POST", "/Attachment", `[{"ticket_id":2042,"filename":"a.png","data_base64":"AAEC"}]`)
	if saved["isimage"] != true || saved["filesize"] != float64(3) {
		t.Errorf("saved %v", saved)
	}
	expectViolations(t, server)
	expectRefusal(t, server, "POST", "/Attachment", `[{"ticket_id":2042,"filename":"a.png","data_base64":"!!"}]`, http.StatusBadRequest, "Base-64")
	expectRefusal(t, server, "POST", "/Attachment", `[{"ticket_id":2042,"data_base64":"AAEC"}]`, http.StatusBadRequest, "filename")
	link := ask[object](t, start(t, halotest.Options{AttachmentContent: "link"}), "GET", "/Attachment/1?includedetails=true", "")
	if !strings.HasPrefix(fmt.Sprint(link["link"]), "data:text/plain;base64,") {
		t.Errorf("link %v", link["link"])
	}
}
