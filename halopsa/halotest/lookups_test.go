package halotest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestReferenceListsAreBareArrays(t *testing.T) {
	server := start(t, halotest.Options{})
	for path, atLeast := range map[string]int{
		"/Status": 12, "/Priority": 8, "/SLA": 3, "/TicketType": 8, "/Category": 18, "/Outcome": 10, "/Workflow": 2, "/workflowstep": 8,
		"/Lookup": 10, "/TopLevel": 3, "/TicketArea": 3, "/AssetType": 4, "/Agent": 4, "/Team": 3, "/CannedText": 2, "/FAQLists": 2, "/Tags": 3,
		"/Workday": 1, "/Holiday": 1, "/FieldInfo": 3, "/ToDo": 1, "/TicketApproval": 1, "/TimesheetEvent": 6, "/Timesheet/mine": 7,
	} {
		if got := ask[[]object](t, server, "GET", path, ""); len(got) < atLeast {
			t.Errorf("%s: %d rows, want at least %d", path, len(got), atLeast)
		}
	}
	for path, key := range map[string]string{
		"/Tickets": "tickets", "/Projects": "tickets", "/Opportunities": "tickets", "/Client": "clients", "/Site": "sites", "/Users": "users",
		"/Asset": "assets", "/ClientContract": "contracts", "/Invoice": "invoices", "/RecurringInvoice": "invoices", "/Appointment": "appointments",
		"/KBArticle": "articles", "/Quotation": "quotes", "/Report": "reports", "/Attachment?ticket_id=2041": "attachments", "/Feedback": "feedback",
	} {
		list(t, server, path, key)
	}
	expectViolations(t, server)
}

func TestStatuses(t *testing.T) {
	server := start(t, halotest.Options{})
	names := func(query string) string {
		text := ""
		for _, row := range ask[[]object](t, server, "GET", "/Status"+query, "") {
			for _, flag := range []string{"isclosed", "closed", "is_closed", "open"} {
				if _, ok := row[flag]; ok {
					t.Errorf("a status has %s", flag)
				}
			}
			text += fmt.Sprint(row["name"], ";")
		}
		return text
	}
	all, open := names("?type=0"), names("?type=0&excludeclosed=true")
	if !strings.Contains(all, "Closed") || strings.Contains(open, "Closed") || !strings.Contains(open, "Resolved") || strings.Contains(all, "Delivered") {
		t.Errorf("all %s\nopen %s", all, open)
	}
	if change := names("?type=0&tickettype_id=4"); change != "New;In Progress;Scheduled;Closed;Cancelled;" {
		t.Errorf("of a change request: %s", change)
	}
}

func TestPrioritiesRepeatBySLA(t *testing.T) {
	server := start(t, halotest.Options{})
	ids := map[string]bool{}
	numbers := map[float64]int{}
	for _, row := range ask[[]object](t, server, "GET", "/Priority", "") {
		ids[row["id"].(string)] = true
		numbers[row["priorityid"].(float64)]++
	}
	if len(ids) != 8 || numbers[1] != 2 {
		t.Errorf("%d ids, priorityid 1 occurs %d times", len(ids), numbers[1])
	}
	if gold := ask[[]object](t, server, "GET", "/Priority?slaid=2", ""); len(gold) != 3 {
		t.Errorf("Gold has %d priorities", len(gold))
	}
}

func TestOutcomesOfAStep(t *testing.T) {
	server := start(t, halotest.Options{})
	buttons := func(query string) string {
		text := ""
		for _, row := range ask[[]object](t, server, "GET", "/Outcome"+query, "") {
			text += fmt.Sprint(row["buttonname"], ";")
		}
		return text
	}
	if got := buttons("?tickettype_id=1&workflow_id=1&workflow_step=3"); got != "Email User;Internal Note;Log Time;Start Work;Chase User;" {
		t.Errorf("on hold: %s", got)
	}
	if got := buttons(""); !strings.Contains(got, "Approve;") || strings.Contains(got, ";;") {
		t.Errorf("all: %s", got)
	}
	workflow := ask[object](t, server, "GET", "/Workflow/1?includedetails=true", "")
	if steps := rows(t, workflow, "steps"); steps[0]["step_id"] != 1.0 || len(rows(t, steps[0], "actions")) != 4 {
		t.Errorf("steps %v", steps)
	}
}

func TestTicketTypeDetails(t *testing.T) {
	server := start(t, halotest.Options{})
	kind := ask[object](t, server, "GET", "/TicketType/4?includedetails=true", "")
	mandatory := 0
	for _, field := range rows(t, kind, "fields") {
		if info, ok := field["fieldinfo"].(object); ok && info["mandatory"] == true {
			mandatory++
		}
	}
	if mandatory != 3 || len(rows(t, kind, "allowed_status")) != 5 || kind["default_sla"] != 1.0 {
		t.Errorf("%d mandatory fields, type %v", mandatory, kind)
	}
	if lookups := ask[[]object](t, server, "GET", "/Lookup?lookupid=17", ""); len(lookups) != 5 || lookups[0]["id"] != 1.0 {
		t.Errorf("charge types %v", lookups)
	}
}

func TestClientsSitesUsers(t *testing.T) {
	server := start(t, halotest.Options{})
	advanced := func(field string, kind int, value string) string {
		return query("advanced_search", fmt.Sprintf(`[{"filter_name":%q,"filter_type":%d,"filter_value":%q}]`, field, kind, value))
	}
	for path, want := range map[string]int{
		"/Client?search=elbe": 2, "/Client": 7, "/Client?includeinactive=true": 8, "/Client" + advanced("name", 4, "hafen"): 1,
		"/Site?client_id=12": 2, "/Users?search=anna": 2, "/Users?client_id=12&exclude_generaluser=true": 3,
		"/Users" + advanced("azureoid", 2, halotest.AnnaBergEntraID): 1, "/Users" + advanced("emailaddress", 2, halotest.LenaVogtEmail): 1,
	} {
		_, rest, _ := strings.Cut(path, "/")
		area, _, _ := strings.Cut(rest, "?")
		if got := list(t, server, path, map[string]string{"Client": "clients", "Site": "sites", "Users": "users"}[area]); len(got) != want {
			t.Errorf("%s: %d rows, want %d", path, len(got), want)
		}
	}
	ignoring := start(t, halotest.Options{IgnoreClientSearch: true})
	if got := list(t, ignoring, "/Client?search=elbe", "clients"); len(got) != 7 {
		t.Errorf("a build that ignores search found %d", len(got))
	}
	if _, text := send(t, server, "GET", "/Users/101", ""); !strings.Contains(text, `"site_id":21.0`) {
		t.Errorf("a user's site_id is a decimal number: %s", text)
	}
	narrow := start(t, halotest.Options{AdvancedSearch: map[string][]string{"/Users": {"name"}}})
	expectRefusal(t, narrow, "GET", "/Users"+advanced("azureoid", 2, "x"), "", http.StatusBadRequest, "Invalid advanced search parameter")
	expectViolations(t, server)
}

func TestWriteClientsSitesUsers(t *testing.T) {
	server := start(t, halotest.Options{})
	expectRefusal(t, server, "POST", "/Client", `[{"name":"Nur Name"}]`, http.StatusBadRequest, "errorMessage")
	client := ask[object](t, server, "POST", "/Client", `[{"name":"Alsterblick Hotel","newclient_sitename":"Main","newclient_contactname":"Udo Prien","toplevel_id":1}]`)
	id := int(client["id"].(float64))
	if users := list(t, server, fmt.Sprintf("/Users?client_id=%d", id), "users"); len(users) != 2 {
		t.Errorf("the new client has %d users", len(users))
	}
	site := ask[object](t, server, "POST", "/Site", fmt.Sprintf(`[{"name":"Annex","client_id":%d,"issitedetails":true}]`, id))
	user := ask[object](t, server, "POST", "/Users", fmt.Sprintf(`[{"firstname":"Uta","surname":"Prien","site_id":%v}]`, site["id"]))
	if user["name"] != "Uta Prien" || user["client_name"] != "Alsterblick Hotel" {
		t.Errorf("user %v", user)
	}
	expectViolations(t, server)
	ask[object](t, server, "POST", "/Site", `[{"id":21,"phonenumber":"1"}]`)
	if saved, _ := server.Site(21); saved.String("phonenumber") == "1" {
		t.Error("a site was saved without issitedetails")
	}
	expectViolations(t, server, "silently-ignored a site is not saved")
	expectRefusal(t, server, "POST", "/Users", `[{"name":"Nobody"}]`, http.StatusBadRequest, "valid Client/Site/User")
	expectRefusal(t, server, "DELETE", "/Client/12", "", http.StatusBadRequest, "has Tickets")
}

func TestAgentsAndTeams(t *testing.T) {
	server := start(t, halotest.Options{})
	me := ask[object](t, server, "GET", "/Agent/me", "")
	if me["name"] != "Sam Okafor" || me["id"] != float64(halotest.AgentSam) {
		t.Errorf("me %v", me)
	}
	for query, want := range map[string]int{"": 4, "?includedisabled=true": 5, "?includeunassigned=true": 5, "?team_id=2": 3, "?search=elif": 1, "?team=Projects": 2} {
		if got := ask[[]object](t, server, "GET", "/Agent"+query, ""); len(got) != want {
			t.Errorf("agents%s: %d, want %d", query, len(got), want)
		}
	}
	teams := ask[[]object](t, server, "GET", "/Team?type=reqs&includeagentsforteams=1st+Line", "")
	if len(teams) != 2 || len(rows(t, teams[0], "agents")) != 2 || teams[1]["agents"] != nil {
		t.Errorf("teams %v", teams)
	}
	expectViolations(t, server)
}
