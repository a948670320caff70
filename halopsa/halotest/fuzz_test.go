package halotest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// FuzzRequests sends any query and body to the areas that read most of them.
// A panic would end the process here, where a client would only see a cut
// connection.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/Tickets", "", `[{"summary":"x","tickettype_id":2,"customfields":[{"id":201}],"assets":[{}]}]`)
	f.Add("POST", "/Actions", "", `[{"ticket_id":2041,"outcome_id":12,"attachments":[{"filename":"a","data_base64":"AAEC"}]}]`)
	f.Add("POST", "/Appointment", "", `[{"subject":"x","start_date":"2026-11-18T00:00:00Z","agents":[{}]}]`)
	f.Add("POST", "/Timesheet", "", `[{"agent_id":2,"date":"2026-11-18"}]`)
	f.Add("POST", "/Report", "", `[{"sql":" "}]`)
	f.Add("POST", "/Client", "", `[null]`)
	f.Add("GET", "/Tickets", "pageinate=true&page_no=9223372036854775807&page_size=100", "")
	f.Add("GET", "/Users", `advanced_search=[{"filter_name":"name","filter_type":4}]`, "")
	f.Add("GET", "/Report/101", `loadreport=true&filters=[{}]`, "")
	f.Add("DELETE", "/TicketApproval/1&x", "", "")
	server := halotest.New(halotest.Options{})
	f.Cleanup(server.Close)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		target := &url.URL{Path: "/api" + path, RawQuery: query}
		request := &http.Request{Method: method, URL: target, Header: http.Header{}, Body: http.NoBody}
		if body != "" {
			request = httptest.NewRequest(http.MethodPost, "/api", strings.NewReader(body))
			request.URL, request.Method = target, method
		}
		request.Header.Set("X-Halo-Api-Key", halotest.APIKey)
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, request)
		if answer.Code < 200 || answer.Code > 599 {
			t.Errorf("status %d", answer.Code)
		}
	})
}
