package halotest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestPagingNeedsBothParameters(t *testing.T) {
	server := start(t, halotest.Options{})
	for _, test := range []struct {
		query           string
		rows, count     int
		violations      int
		hasPageInAnswer bool
	}{
		{"", 50, 50, 0, false},
		{"?page_size=20", 50, 50, 1, false},
		{"?pageinate=true&page_size=20", 50, 50, 1, false},
		{"?pageinate=true&page_size=20&page_no=0", 50, 50, 1, false},
		{"?pageinate=true&page_size=20&page_no=1", 20, 80, 0, true},
		{"?pageinate=true&page_size=20&page_no=4", 20, 80, 0, true},
		{"?pageinate=true&page_size=20&page_no=5", 0, 80, 0, true},
		{"?pageinate=true&page_size=500&page_no=1", 80, 80, 0, true},
		{"?count=7", 7, 7, 0, false},
		{"?ticketidonly=true&pageinate=true&page_no=1&page_size=10", 80, 80, 0, false},
	} {
		server.ResetRecord()
		envelope := ask[object](t, server, "GET", "/Tickets"+test.query, "")
		got := rows(t, envelope, "tickets")
		_, page := envelope["page_no"]
		if len(got) != test.rows || envelope["record_count"] != float64(test.count) || page != test.hasPageInAnswer {
			t.Errorf("%s: %d rows of %v, page_no %t; want %d of %d", test.query, len(got), envelope["record_count"], page, test.rows, test.count)
		}
		if v := server.Violations(); len(v) != test.violations {
			t.Errorf("%s: violations %v", test.query, v)
		}
	}
}

func TestTicketPagesHaveAtMost100Rows(t *testing.T) {
	server := start(t, halotest.Options{})
	many := strings.TrimSuffix(strings.Repeat(`{"summary":"x","tickettype_id":2,"client_id":12},`, 40), ",")
	ask[[]object](t, server, "POST", "/Tickets", "["+many+"]")
	if got := list(t, server, "/Tickets?pageinate=true&page_no=1&page_size=500", "tickets"); len(got) != 100 {
		t.Errorf("%d rows", len(got))
	}
}

func TestOrder(t *testing.T) {
	server := start(t, halotest.Options{})
	var ids []float64
	for _, row := range list(t, server, "/Tickets?client_id=12&order=status_id&order2=id&orderdesc2=true", "tickets") {
		ids = append(ids, 10000*row["status_id"].(float64)-row["id"].(float64))
	}
	if len(ids) < 10 || !slices.IsSorted(ids) {
		t.Errorf("order %v", ids)
	}
}

func TestTicketFilters(t *testing.T) {
	server := start(t, halotest.Options{})
	all := "pageinate=true&page_no=1&page_size=100"
	for _, test := range []struct {
		filter string
		holds  func(halotest.Record) bool
	}{
		{"agent_id=1", func(r halotest.Record) bool { return r.Int("agent_id") == halotest.AgentUnassigned }},
		{"open_only=true&client_id=12", func(r halotest.Record) bool { return !r.Bool("hasbeenclosed") && r.Int("client_id") == 12 }},
		{"closed_only=true", func(r halotest.Record) bool { return r.Bool("hasbeenclosed") }},
		{"team=2", func(r halotest.Record) bool { return r.String("team") == "2nd Line" }},
		{"status=1,2&requesttype_id=1", func(r halotest.Record) bool {
			return r.Int("tickettype_id") == halotest.TypeIncident && slices.Contains([]int{1, 2}, r.Int("status_id"))
		}},
		{"search=printer", func(r halotest.Record) bool { return strings.Contains(strings.ToLower(r.String("summary")), "printer") }},
		{"category_1=Network%3EVPN", func(r halotest.Record) bool { return r.String("category_1") == "Network>VPN" }},
		{"parent_id=2045", func(r halotest.Record) bool { return r.Int("parent_id") == halotest.TicketMigration }},
		{"mine=true", func(r halotest.Record) bool { return r.Int("agent_id") == halotest.AgentSam }},
		{"datesearch=dateoccured&startdate=2026-11-17T00:00:00Z&enddate=2026-11-18T00:00:00Z", func(r halotest.Record) bool {
			return r.Time("dateoccurred").Day() == 17 && r.Time("dateoccurred").Month() == 11
		}},
		{"advanced_search=" + `%5B%7B%22filter_name%22:%22client_name%22,%22filter_type%22:4,%22filter_value%22:%22elbe%22%7D%5D`, func(r halotest.Record) bool {
			return strings.HasPrefix(r.String("client_name"), "Elbe")
		}},
	} {
		want := 0
		for _, row := range server.Tickets() {
			if test.holds(row) {
				want++
			}
		}
		got := list(t, server, "/Tickets?"+all+"&"+test.filter, "tickets")
		if len(got) != want || want == 0 {
			t.Errorf("%s: %d rows, want %d", test.filter, len(got), want)
		}
	}
	expectViolations(t, server)
}

// What Halo ignores, it ignores in silence, and the server tells.
func TestUnknownNamesAreIgnoredAndRecorded(t *testing.T) {
	server := start(t, halotest.Options{})
	if got := list(t, server, "/Tickets?tickettype_id=5", "tickets"); len(got) != 50 {
		t.Errorf("an unknown parameter filtered: %d rows", len(got))
	}
	expectViolations(t, server, "unknown-query tickettype_id")
	list(t, server, "/Tickets?datesearch=dateoccurred&startdate=2026-11-18", "tickets")
	expectViolations(t, server, "silently-ignored datesearch")
	list(t, server, "/Tickets?client_id=hafen", "tickets")
	expectViolations(t, server, "wrong-kind client_id=hafen")
	ticket := ask[object](t, server, "POST", "/Tickets", `[{"id":2041,"summery":"x","agent_name":"Tom","summary":"New words"}]`)
	if ticket["summary"] != "New words" || ticket["summery"] != nil {
		t.Errorf("saved %v", ticket)
	}
	expectViolations(t, server, "unknown-field Faults.summery", "silently-ignored Faults.agent_name")
	list(t, server, "/Tickets?team=1st+Line", "tickets")
	expectViolations(t, server, "silently-ignored team=1st Line")
	expectRefusal(t, server, "GET", "/RequestType", "", http.StatusNotFound, "No HTTP resource")
	expectRefusal(t, server, "PUT", "/Tickets", "[]", http.StatusMethodNotAllowed, "PUT")
	expectViolations(t, server, "unknown-path", "unknown-path")
}

func TestBrokenQueriesGetThe500EveryTime(t *testing.T) {
	server := start(t, halotest.Options{})
	for range 2 {
		expectRefusal(t, server, "GET", "/Tickets?order=nosuchcolumn", "", http.StatusInternalServerError, "Invalid column name")
		expectRefusal(t, server, "GET", "/Tickets?datesearch=dateoccured&startdate=yesterday", "", http.StatusInternalServerError, "Conversion failed")
	}
	expectRefusal(t, server, "GET", "/Tickets?advanced_search=%5B%7B%22filter_name%22:%22details%22,%22filter_type%22:2,%22filter_value%22:1%7D%5D", "",
		http.StatusBadRequest, `"Invalid advanced search parameter"`)
}

func TestTicketShapes(t *testing.T) {
	server := start(t, halotest.Options{})
	row := list(t, server, "/Tickets?search_id=2041", "tickets")[0]
	for _, absent := range []string{"agent_name", "datecreated", "priority_name", "tickettype_name", "status_name"} {
		if _, ok := row[absent]; ok {
			t.Errorf("a list row has %s", absent)
		}
	}
	if row["targetdate"] != "1900-01-01T00:00:00" || row["fixbydate"] == row["targetdate"] {
		t.Errorf("dates of the row: %v, %v", row["targetdate"], row["fixbydate"])
	}
	if priority, ok := row["priority"].(object); !ok || priority["name"] != "Medium" || priority["priorityid"] != 3.0 {
		t.Errorf("priority of the row: %v", row["priority"])
	}
	if at := fmt.Sprint(row["dateoccurred"]); !strings.HasSuffix(at, "Z") {
		t.Errorf("dateoccurred %s", at)
	}
	zoneless := list(t, start(t, halotest.Options{NoZone: true}), "/Tickets?search_id=2041", "tickets")[0]
	if at := fmt.Sprint(zoneless["dateoccurred"]); at != "2026-11-18T04:30:00" {
		t.Errorf("dateoccurred without a zone %s", at)
	}
	_, plain := send(t, server, "GET", "/Tickets/2044", "")
	_, detailed := send(t, server, "GET", "/Tickets/2044?includedetails=true", "")
	if len(plain) > 4000 || len(detailed) < 130_000 || len(detailed) > 220_000 {
		t.Errorf("a large ticket has %d bytes, %d with details", len(plain), len(detailed))
	}
	var ticket object
	if err := json.Unmarshal([]byte(detailed), &ticket); err != nil {
		t.Fatal(err)
	}
	if _, ok := ticket["tickettype"].(object); !ok {
		t.Error("no embedded ticket type")
	}
	expectRefusal(t, server, "GET", "/Tickets/999999", "", http.StatusNotFound, "not found")
}

func TestCreateTicket(t *testing.T) {
	server := start(t, halotest.Options{})
	ticket := ask[object](t, server, "POST", "/Tickets", `[{"summary":"Scanner dead","details_html":"<p>No light.<br>Hall 3</p>","tickettype_id":1,
		"client_id":12,"site_id":22,"user_id":102,"priority_id":2,"category_1":"Hardware","team_id":2,"agent_id":5,"source":0,"customfields":[{"id":201,"value":"NL-1"}]}]`)
	id := int(ticket["id"].(float64))
	saved, ok := server.Ticket(id)
	if !ok || saved.String("user_name") != "Jonas Weber" || saved.String("details") != "No light.\nHall 3" || saved.String("team") != "2nd Line" ||
		saved.Int("priority_id") != 2 || saved.Int("status_id") != halotest.StatusNew || saved.Bool("hasbeenclosed") {
		t.Errorf("saved %v", saved)
	}
	if actions := server.Actions(id); len(actions) != 1 || actions[0].Int("id") != 1 {
		t.Errorf("actions %v", actions)
	}
	expectViolations(t, server)
	object2 := ask[object](t, server, "POST", "/Tickets/Object", `{"summary":"Bare","tickettype_id":2,"client_id":1}`)
	if object2["client_name"] != "Unknown" || object2["user_name"] != "General User" {
		t.Errorf("a ticket of the unknown client belongs to %v, %v", object2["client_name"], object2["user_name"])
	}
	two := ask[[]object](t, server, "POST", "/Tickets", `[{"summary":"a","tickettype_id":2,"client_id":12,"userlookup":{"id":-1}},{"summary":"b","tickettype_id":2,"site_id":23}]`)
	if len(two) != 2 || two[0]["client_name"] != "Hafen Logistik GmbH" || two[0]["site_name"] != "Hamburg HQ" {
		t.Errorf("two tickets: %v", two)
	}
	expectViolations(t, server)
}

func TestCreateTicketRefusals(t *testing.T) {
	server := start(t, halotest.Options{})
	for _, test := range []struct{ body, part string }{
		{`{"summary":"x"}`, "JSON array"},
		{`[{"id":2041.0,"summary":"x"}]`, "integer"},
		{`[{"summary":"x","tickettype_id":"one"}]`, "integer"},
		{`[{"summary":{"a":1}}]`, "string"},
		{`[{"tickettype_id":2}]`, "Summary"},
		{`[{"summary":"x","tickettype_id":77}]`, "valid Ticket Type"},
		{`[{"summary":"x","tickettype_id":2}]`, "valid Client/Site/User"},
		{`[{"summary":"x","tickettype_id":2,"user_id":101}]`, "valid Client/Site/User"},
		{`[{"summary":"x","tickettype_id":2,"user_id":101,"site_id":22}]`, "valid Client/Site/User"},
		{`[{"summary":"x","tickettype_id":1,"client_id":12}]`, "Category"},
		{`[{"summary":"x","tickettype_id":4,"client_id":12,"impact":1}]`, "Urgency"},
		{`[{"summary":"x","tickettype_id":2,"client_id":12,"category_1":"Laptop"}]`, "valid Category"},
		{`[{"summary":"x","tickettype_id":2,"client_id":12,"status_id":9}]`, "Status"},
		{`[{"summary":"x","tickettype_id":2,"client_id":12,"agent_id":6}]`, "Agent"},
		{`[]`, "No records"},
		{`[{"summary":`, "body"},
	} {
		expectRefusal(t, server, "POST", "/Tickets", test.body, http.StatusBadRequest, test.part)
	}
	expectRefusal(t, server, "POST", "/Tickets", `[{"id":1,"summary":"x"}]`, http.StatusNotFound, "not found")
	if n := len(server.Tickets()); n != 80 {
		t.Errorf("%d tickets after refused writes", n)
	}
}

func TestPriorityOfAnotherSLAFallsBack(t *testing.T) {
	server := start(t, halotest.Options{})
	ticket := ask[object](t, server, "POST", "/Tickets", `[{"summary":"x","tickettype_id":21,"client_id":12,"category_1":"Network","priority_id":4}]`)
	if ticket["priority_id"] != float64(2) {
		t.Errorf("priority %v, want the type's default", ticket["priority_id"])
	}
	expectViolations(t, server, "silently-ignored the priority belongs to another SLA")
}

func TestTemplateAndTeamOfBuilds(t *testing.T) {
	server := start(t, halotest.Options{NoTeamID: true})
	body := `[{"summary":"Lea","tickettype_id":24,"client_id":12,"team":"Projects"%s}]`
	if ticket := ask[object](t, server, "POST", "/Tickets", fmt.Sprintf(body, "")); ticket["summary"] != "New starter: Lea" || ticket["team"] != "2nd Line" {
		t.Errorf("the template did not win: %v, %v", ticket["summary"], ticket["team"])
	}
	if ticket := ask[object](t, server, "POST", "/Tickets", fmt.Sprintf(body, `,"donotapplytemplateintheapi":true`)); ticket["summary"] != "Lea" || ticket["team"] != "Projects" {
		t.Errorf("the template won: %v, %v", ticket["summary"], ticket["team"])
	}
	expectViolations(t, server)
	if ticket := ask[object](t, server, "POST", "/Tickets", `[{"id":2041,"team_id":2}]`); ticket["team"] != "1st Line" || ticket["team_id"] != nil {
		t.Errorf("an old build took team_id: %v", ticket["team"])
	}
	expectViolations(t, server, "silently-ignored this build has no Faults.team_id")
}

func TestNestedArraysAreReplacedWhole(t *testing.T) {
	for _, merge := range []bool{false, true} {
		server := start(t, halotest.Options{MergeCustomFields: merge})
		ask[object](t, server, "POST", "/Tickets", `[{"id":2048,"customfields":[{"id":202,"value":"99"}]}]`)
		ticket, _ := server.Ticket(halotest.TicketClosed)
		want := 1
		if merge {
			want = 2
		}
		if fields := ticket.List("customfields"); len(fields) != want || fields[want-1].String("value") != "99" {
			t.Errorf("merge %t: %v", merge, fields)
		}
	}
	server := start(t, halotest.Options{})
	ask[object](t, server, "POST", "/Tickets", `[{"id":2048,"customfields":[{"id":999,"value":"99"}]}]`)
	expectViolations(t, server, "silently-ignored there is no such custom field")
	ask[object](t, server, "POST", "/Asset", `[{"id":1,"fields":[{"id":11,"value":"Store"}]}]`)
	if asset, _ := server.Asset(1); len(asset.List("fields")) != 1 {
		t.Errorf("asset fields %v", asset["fields"])
	}
}

func TestCloseDeleteRecover(t *testing.T) {
	server := start(t, halotest.Options{})
	ticket := ask[object](t, server, "POST", "/Tickets", `[{"id":2041,"status_id":23}]`)
	if ticket["hasbeenclosed"] != true || ticket["dateclosed"] == "1900-01-01T00:00:00" {
		t.Errorf("closed: %v, %v", ticket["hasbeenclosed"], ticket["dateclosed"])
	}
	ticket = ask[object](t, server, "POST", "/Tickets", `[{"id":2041,"status_id":2}]`)
	if ticket["hasbeenclosed"] != false {
		t.Error("a reopened ticket is still closed")
	}
	project := ask[object](t, server, "POST", "/Tickets", `[{"id":2045,"status_id":23}]`)
	if project["hasbeenclosed"] != false || project["_warning"] == nil {
		t.Errorf("a project with open tasks: closed %v, warning %v", project["hasbeenclosed"], project["_warning"])
	}
	ask[object](t, server, "DELETE", "/Tickets/2041?reason=duplicate", "")
	expectRefusal(t, server, "GET", "/Tickets/2041", "", http.StatusNotFound, "")
	expectRefusal(t, server, "DELETE", "/Tickets/2041", "", http.StatusNotFound, "")
	if deleted := list(t, server, "/Tickets?deleted=true", "tickets"); len(deleted) != 1 {
		t.Errorf("%d deleted tickets", len(deleted))
	}
	ask[object](t, server, "POST", "/Tickets", `[{"id":2041,"_recover":true,"_validate_updates":true}]`)
	ask[object](t, server, "GET", "/Tickets/2041", "")
	expectViolations(t, server)
}

func TestReplyAndErrorShapes(t *testing.T) {
	body := `[{"id":2041,"summary":"x"}]`
	ask[object](t, start(t, halotest.Options{}), "POST", "/Tickets", body)
	ask[[]object](t, start(t, halotest.Options{Replies: halotest.ReplyArray}), "POST", "/Tickets", body)
	enveloped := start(t, halotest.Options{Replies: halotest.ReplyEnvelope})
	rows(t, ask[object](t, enveloped, "POST", "/Tickets", body), "tickets")
	rows(t, ask[object](t, enveloped, "GET", "/Tickets/2041", ""), "tickets")
	for shape, want := range map[halotest.ErrorShape]string{
		halotest.ErrorSentence: `"An Outcome`, halotest.ErrorText: `An Outcome`, halotest.ErrorMessage: `{"Message":"An Outcome`,
		halotest.ErrorException: `"ClassName":"System.Exception"`, halotest.ErrorResult: `"errorMessage":"An Outcome`, halotest.ErrorField: `{"error":"An Outcome`,
	} {
		expectRefusal(t, start(t, halotest.Options{ErrorShape: shape}), "POST", "/Actions", `[{"ticket_id":2041,"note":"x"}]`, http.StatusBadRequest, want)
	}
}
