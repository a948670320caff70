package halotest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestAppointments(t *testing.T) {
	server := start(t, halotest.Options{})
	for query, want := range map[string]int{
		"": 5, "?agents=2": 3, "?agents=2,5": 4, "?agent_id=5": 5, "?tasksonly=true": 2, "?ticket_id=2041": 1, "?client_id=12": 2,
		"?start_date=2026-11-19T00:00:00Z&end_date=2026-11-20T00:00:00Z": 3,
	} {
		if got := list(t, server, "/Appointment"+query, "appointments"); len(got) != want {
			t.Errorf("appointments%s: %d, want %d", query, len(got), want)
		}
	}
	expectViolations(t, server, "unknown-query agent_id")
	body := `[{"subject":"Swap printer","start_date":"2026-11-19T02:30:00Z","end_date":"2026-11-19T03:30:00Z","agents":[{"id":2}],"ticket_id":2041,"client_id":12}]`
	expectRefusal(t, server, "POST", "/Appointment", body, http.StatusBadRequest, "clashes")
	forced := ask[object](t, server, "POST", "/Appointment", `[{"_force":true,`+body[2:])
	if forced["agent_name"] != "Sam Okafor" || len(server.Appointments()) != 6 {
		t.Errorf("booked %v", forced)
	}
	expectRefusal(t, server, "POST", "/Appointment", `[{"subject":"No dates"}]`, http.StatusBadRequest, "valid dates")
	expectViolations(t, server)
}

func TestTimesheets(t *testing.T) {
	server := start(t, halotest.Options{})
	if got := ask[[]object](t, server, "GET", "/TimesheetEvent?agent_id=2&start_date=2026-11-18T00:00:00Z&end_date=2026-11-18T23:59:59Z", ""); len(got) != 2 {
		t.Errorf("%d events", len(got))
	}
	event := ask[object](t, server, "POST", "/TimesheetEvent", `[{"start_date":"2026-11-18T14:00:00Z","end_date":"2026-11-18T14:45:00Z","subject":"Docs"}]`)
	if event["timetaken"] != 0.75 || event["agent_id"] != 2.0 {
		t.Errorf("event %v", event)
	}
	day := ask[object](t, server, "GET", "/Timesheet/0?agent_id=2&date=2026-11-18", "")
	if day["id"] != 0.0 || day["actual_hours"] != 3.75 {
		t.Errorf("day %v", day)
	}
	day = ask[object](t, server, "POST", "/Timesheet?utcoffset=60", `[{"id":0,"agent_id":2,"date":"2026-11-18T00:00:00","_submitapproval":true}]`)
	if approval, _ := day["approval"].(object); approval["status"] != 1.0 {
		t.Errorf("submitted %v", day["approval"])
	}
	ask[object](t, server, "DELETE", "/TimesheetEvent/1", "")
	expectRefusal(t, server, "DELETE", "/TimesheetEvent/1", "", http.StatusNotFound, "not found")
	expectRefusal(t, server, "GET", "/Timesheet/0", "", http.StatusBadRequest, "Agent and a date")
	expectViolations(t, server)
	if events := server.TimesheetEvents(); len(events) != 6 {
		t.Errorf("%d events left", len(events))
	}
}

func TestBusiness(t *testing.T) {
	server := start(t, halotest.Options{})
	envelope := ask[object](t, server, "GET", "/Asset?pageinate=true&page_no=1&page_size=100", "")
	if got := rows(t, envelope, "assets"); len(got) != 50 || envelope["record_count"] != 59.0 {
		t.Errorf("%d assets of %v", len(got), envelope["record_count"])
	}
	if second := list(t, server, "/Asset?pageinate=true&page_no=2&page_size=100", "assets"); len(second) != 9 {
		t.Errorf("second page: %d", len(second))
	}
	for path, want := range map[string]int{
		"/ClientContract?client_id=12": 2, "/ClientContract?includeinactive=true": 5, "/Invoice?client_id=12&postedonly=true": 2, "/Invoice": 8,
	} {
		key := "contracts"
		if path[1] == 'I' {
			key = "invoices"
		}
		if got := list(t, server, path, key); len(got) != want {
			t.Errorf("%s: %d rows, want %d", path, len(got), want)
		}
	}
	expectViolations(t, server)
	list(t, server, "/Invoice?invoicedatestart=2026-01-01", "invoices")
	expectViolations(t, server, "wrong-kind invoicedatestart", "silently-ignored invoicedatestart")
	found := ask[object](t, server, "GET", "/Search?search=anna&count_per_entity=3", "")
	if len(rows(t, found, "users")) != 2 {
		t.Errorf("search found %v", found)
	}
	article := ask[object](t, server, "POST", "/KBArticle", `[{"name":"Label printers","description":"d","resolution":"r"}]`)
	if got := ask[object](t, server, "GET", "/KBArticle/4", ""); got["name"] != article["name"] {
		t.Errorf("article %v", got)
	}
	expectRefusal(t, server, "POST", "/SalesOrder", `[{"id":1}]`, http.StatusNotImplemented, "does not play POST /SalesOrder")
}

func TestReports(t *testing.T) {
	server := start(t, halotest.Options{SQL: func(sql string) ([]halotest.Record, error) {
		if strings.Contains(sql, "bad") {
			return nil, errors.New("incorrect syntax near bad")
		}
		return []halotest.Record{{"n": 1}}, nil
	}})
	if got := list(t, server, "/Report?search=open", "reports"); len(got) != 0 {
		t.Errorf("a search without reportgroup_id=null found %d", len(got))
	}
	if got := list(t, server, "/Report?search=open&reportgroup_id=null", "reports"); len(got) != 1 {
		t.Errorf("the search found %d", len(got))
	}
	filters := query("loadreport", "true", "includedetails", "true", "filters", `[{"fieldname":"Client","stringruletype":0,"stringrulevalues":"Alster Dental"}]`)
	report := ask[object](t, server, "GET", "/Report/101"+filters, "")["report"].(object)
	if got := rows(t, report, "rows"); len(got) != 1 || got[0]["Client"] != "Alster Dental" {
		t.Errorf("report %v", report)
	}
	for sql, want := range map[string]string{"SELECT 1": "", "bad": "incorrect syntax near bad"} {
		result := ask[object](t, server, "POST", "/Report", `[{"id":0,"name":"","sql":"`+sql+`","_loadreportonly":true}]`)
		if report := result["report"].(object); report["load_error"] != want {
			t.Errorf("%s: %v", sql, report)
		}
	}
	result := ask[object](t, start(t, halotest.Options{}), "POST", "/Report", `[{"sql":"SELECT x FROM Nowhere"}]`)
	if report := result["report"].(object); report["load_error"] != "Invalid object name 'Nowhere'." {
		t.Errorf("report %v", report)
	}
	expectViolations(t, server)
}

func TestApprovals(t *testing.T) {
	server := start(t, halotest.Options{})
	if got := ask[[]object](t, server, "GET", "/TicketApproval?ticket_id=2045", ""); len(got) != 1 || got[0]["result"] != 0.0 {
		t.Errorf("approvals %v", got)
	}
	expectRefusal(t, server, "POST", "/TicketApproval", `[{"ticket_id":2045,"seq":1,"result":1}]`, http.StatusBadRequest, "not the approver")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/api/TicketApproval", strings.NewReader(`[{"ticket_id":2045,"seq":1,"result":1}]`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+server.TokenFor(halotest.AgentTom))
	if status, text := do(t, request); status != 200 || !strings.Contains(text, `"result":1`) {
		t.Errorf("the approver gets %d %s", status, text)
	}
	ask[object](t, server, "DELETE", "/TicketApproval/2045&1", "")
	expectRefusal(t, server, "DELETE", "/TicketApproval/2045&1", "", http.StatusNotFound, "not found")
	expectViolations(t, server)
}
