package halopsa_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Every ticket comes exactly once, whatever the pages; paging that Halo would
// ignore is a violation, which fails the test.
func TestSearchWalksAllPages(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	seen := map[int]bool{}
	in := halopsa.SearchTicketsInput{State: "all", Limit: 17, Sort: "oldest"}
	for {
		page, err := s.client.SearchTickets(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Items {
			if seen[row.ID] {
				t.Errorf("ticket %d came twice", row.ID)
			}
			seen[row.ID] = true
			if text, _ := json.Marshal(row); len(text) > 400 || strings.Contains(string(text), "1900") {
				t.Errorf("%d bytes: %s", len(text), text)
			}
		}
		if page.Total == nil || *page.Total != len(s.server.Tickets()) {
			t.Fatalf("the total is %v", page.Total)
		}
		if in.Cursor = page.Cursor; in.Cursor == "" {
			break
		}
	}
	if len(seen) != len(s.server.Tickets()) {
		t.Errorf("%d of %d tickets", len(seen), len(s.server.Tickets()))
	}
	for _, request := range s.server.Requests() {
		if request.Template == "/Tickets" && (request.Query.Get("pageinate") != "true" || request.Query.Get("page_no") == "") {
			t.Errorf("a page was asked for with %v", request.Query)
		}
	}
	in.Cursor, in.State = "", "open"
	page, err := s.client.SearchTickets(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	in.State, in.Cursor = "closed", page.Cursor
	_, err = s.client.SearchTickets(t.Context(), in)
	fails(t, err, mcptools.CodeInvalidArguments, "cursor")
}

// A priority that has another number in the next SLA does not bring the tickets
// with that number in the first: they have another priority.
func TestAPriorityInSeveralSLAs(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.save("/Priority", []halotest.Record{{"slaid": halotest.SLAGold, "priorityid": 4, "name": "Medium"}}) // 3 in the standard SLA
	want, others := 0, 0
	for _, r := range s.server.Tickets() {
		switch [2]int{r.Int("sla_id"), r.Int("priority_id")} {
		case [2]int{halotest.SLAStandard, 3}, [2]int{halotest.SLAGold, 4}:
			want++
		case [2]int{halotest.SLAStandard, 4}, [2]int{halotest.SLAGold, 3}:
			others++
		}
	}
	if others == 0 {
		t.Fatal("the fake has no tickets to mix up")
	}
	in, found := halopsa.SearchTicketsInput{Priority: "medium", State: "all", Limit: 7}, map[int]bool{}
	for {
		page, err := s.client.SearchTickets(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != nil {
			t.Errorf("a total of %d, which counts others too", *page.Total)
		}
		for _, row := range page.Items {
			if row.Priority != "Medium" || found[row.ID] {
				t.Errorf("ticket %d has the priority %s", row.ID, row.Priority)
			}
			found[row.ID] = true
		}
		if in.Cursor = page.Cursor; in.Cursor == "" {
			break
		}
	}
	if len(found) != want {
		t.Errorf("found %d, want %d", len(found), want)
	}
}

func TestSearchFilters(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for name, test := range map[string]struct {
		in   halopsa.SearchTicketsInput
		fits func(halotest.Record) bool
	}{
		"nobody's":      {halopsa.SearchTicketsInput{Agent: "unassigned"}, func(r halotest.Record) bool { return r.Int("agent_id") == 1 && !r.Bool("hasbeenclosed") }},
		"team":          {halopsa.SearchTicketsInput{Team: "2nd Line"}, func(r halotest.Record) bool { return r.String("team") == "2nd Line" && !r.Bool("hasbeenclosed") }},
		"type":          {halopsa.SearchTicketsInput{Type: "Problem", State: "all"}, func(r halotest.Record) bool { return r.Int("tickettype_id") == halotest.TypeProblem }},
		"closed":        {halopsa.SearchTicketsInput{State: "closed"}, func(r halotest.Record) bool { return r.Bool("hasbeenclosed") }},
		"category":      {halopsa.SearchTicketsInput{Category: "Wi-Fi", State: "all"}, func(r halotest.Record) bool { return r.String("category_1") == "Network>Wi-Fi" }},
		"statuses":      {halopsa.SearchTicketsInput{Status: []string{"New", "scheduled"}}, func(r halotest.Record) bool { return slices.Contains([]int{1, 5}, r.Int("status_id")) }},
		"gold priority": {halopsa.SearchTicketsInput{Priority: "P2 High", State: "all"}, func(r halotest.Record) bool { return r.Int("sla_id") == halotest.SLAGold && r.Int("priority_id") == 2 }},
		"priority id": {halopsa.SearchTicketsInput{Priority: "2", SLA: "Standard", State: "all"}, func(r halotest.Record) bool {
			return r.Int("sla_id") == halotest.SLAStandard && r.Int("priority_id") == 2
		}},
		"recent": {halopsa.SearchTicketsInput{From: "-1d", State: "all"}, func(r halotest.Record) bool {
			return r.Time("dateoccurred").After(time.Now().Add(-24 * time.Hour))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.Limit = 100
			page, err := s.client.SearchTickets(t.Context(), test.in)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			for _, record := range s.server.Tickets() {
				if test.fits(record) {
					want++
				}
			}
			if page.Total == nil || *page.Total != want || want == 0 {
				t.Errorf("found %v, want %d", *page.Total, want)
			}
		})
	}
}

// Lists carry no names of agents and priorities; the reference tables do.
// Halo's 1900-01-01 comes before every date, but nobody is in a hurry for it.
func TestTicketsWithoutADueDateComeLast(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	page, err := s.client.SearchTickets(t.Context(), halopsa.SearchTicketsInput{Sort: "due", Limit: 30})
	if err != nil {
		t.Fatal(err)
	}
	dated := 0
	for _, row := range page.Items {
		if row.Due != "" {
			dated++
		}
	}
	if dated == 0 || dated == len(page.Items) || !slices.IsSortedFunc(page.Items[:dated], func(a, b halopsa.FoundTicket) int { return cmp.Compare(a.Due, b.Due) }) {
		t.Errorf("%d of %d have a date: %+v", dated, len(page.Items), page.Items)
	}
}

func TestRowsHaveNames(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	page, err := s.client.SearchTickets(t.Context(), halopsa.SearchTicketsInput{Query: "Warehouse network"})
	if err != nil {
		t.Fatal(err)
	}
	row := page.Items[0]
	if row.Agent != "Elif Demir" || row.Priority != "P1 Emergency" || row.Status != "In Progress" || row.Type != "Major Incident" || row.Due == "" {
		t.Errorf("%+v", row)
	}
}

// A reference table that cannot be read costs its names only.
func TestRowsWithoutNames(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.server.Faults().Next(1, "GET", "/Agent", halotest.Answer{Status: 403})
	out, err := s.client.GetTicket(t.Context(), halopsa.GetTicketInput{TicketID: halotest.TicketPrinter})
	if err != nil || out.Agent != "#2" || out.Status != "In Progress" {
		t.Errorf("%+v, %v", out, err)
	}
}

// A ticket of 150 KB is shown in less than 4,000 bytes, also one with a long
// description.
func TestTicketsAreSmall(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	long, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: strings.Repeat("very ", 100), Type: "Major Incident",
		TicketFields: halopsa.TicketFields{User: halotest.AnnaBergEmail, Category: "Network", Details: strings.Repeat("All scanners are **offline**. ", 2000)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int{halotest.TicketOutage, halotest.TicketSecondRaid, long.ID} {
		result := s.call("halo_tickets_get", map[string]any{"ticket_id": id})
		text, _ := json.Marshal(result)
		if len(text) > 4000 || strings.Contains(string(text), "1900-01-01") {
			t.Errorf("ticket %d is shown in %d bytes: %s", id, len(text), text)
		}
		if result["details_cut"] != (map[bool]any{true: true}[id == long.ID]) {
			t.Errorf("ticket %d: details_cut is %v", id, result["details_cut"])
		}
	}
	full, err := s.client.GetTicket(t.Context(), halopsa.GetTicketInput{TicketID: long.ID, Detail: "full"})
	if err != nil || len(full.Details) < 10_000 || !strings.Contains(full.Details, "**offline**") {
		t.Errorf("the full description has %d bytes, %v", len(full.Details), err)
	}
}

// What include asks for and cannot be read is reported, and hides nothing.
func TestTicketsKeepWhatAMissingScopeLeaves(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets"}})
	out, err := s.client.GetTicket(t.Context(), halopsa.GetTicketInput{TicketID: halotest.TicketPrinter, Include: []string{"appointments", "attachments", "actions"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Attachments) != 1 || len(out.Actions) != 5 && len(out.Actions) != 4 || len(out.Problems) != 1 || !strings.Contains(out.Problems[0], "appointments") {
		t.Errorf("%+v", out)
	}
}

func TestTimelineIsAConversation(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.TicketTimeline(t.Context(), halopsa.TimelineInput{TicketID: halotest.TicketPrinter})
	if err != nil {
		t.Fatal(err)
	}
	var who []string
	for i, item := range out.Items {
		who = append(who, item.Who)
		if i > 0 && item.At < out.Items[i-1].At {
			t.Error("the oldest is not first")
		}
	}
	if strings.Join(who, ", ") != "Anna Berg, System, Sam Okafor, Sam Okafor, Anna Berg" || out.Omitted {
		t.Errorf("%v, omitted %v", who, out.Omitted)
	}
	if note := out.Items[2]; !note.Private || note.Time != "15m" || note.Text != "Printer answers **ping**, spooler on PC-H3-02 is stuck." {
		t.Errorf("%+v", note)
	}
	latest, err := s.client.TicketTimeline(t.Context(), halopsa.TimelineInput{TicketID: halotest.TicketPrinter, Limit: 2})
	if err != nil || len(latest.Items) != 2 || latest.Items[1].Text != "Done, still offline." || !latest.Omitted {
		t.Errorf("%+v, %v", latest, err)
	}
}

// What a person answers between quoted lines is the point of the mail.
func TestTimelineKeepsAnswersBelowQuotations(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	note := "Hi Sam,\n\nOn Monday, 3 Jan 2026 Sam Okafor wrote:\n> May we reboot at noon?\n\nNO, never at noon."
	if _, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: note, Format: "text"}); err != nil {
		t.Fatal(err)
	}
	out, err := s.client.TicketTimeline(t.Context(), halopsa.TimelineInput{TicketID: halotest.TicketPrinter, Limit: 1})
	if err != nil || len(out.Items) != 1 || !strings.Contains(out.Items[0].Text, "NO, never at noon.") || strings.Contains(out.Items[0].Text, "May we") {
		t.Errorf("%+v, %v", out, err)
	}
}

// "What is due today?" ends at midnight where the service desk is.
func TestRiskOfToday(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.SLARisk(t.Context(), halopsa.SLARiskInput{Within: "Today", Limit: 100})
	if err != nil || len(out.Items) == 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tomorrow := time.Now().Add(time.Minute).In(zone).AddDate(0, 0, 1).Format(time.DateOnly)
	for _, row := range out.Items {
		if row.By >= tomorrow {
			t.Errorf("%d is due %s", row.ID, row.By)
		}
	}
}

func TestRiskFollowsTheRightDates(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.SLARisk(t.Context(), halopsa.SLARiskInput{Within: "4h", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	breached, near, now := 0, 0, time.Now()
	for _, r := range s.server.Tickets() {
		by := r.Time("fixbydate")
		if respond := r.Time("respondbydate"); r.Int("status_id") == halotest.StatusNew && r.Time("lastactiondate").Equal(r.Time("dateoccurred")) && (by.IsZero() || respond.Before(by)) {
			by = respond
		}
		switch {
		case r.Bool("hasbeenclosed"), by.IsZero(), by.After(now.Add(4 * time.Hour)):
		case by.Before(now):
			breached++
		default:
			near++
		}
	}
	if out.Breached != breached || out.AtRisk != near || len(out.Items) != breached+near || out.Problem != "" {
		t.Errorf("%d breached, %d at risk, %d rows; want %d and %d", out.Breached, out.AtRisk, len(out.Items), breached, near)
	}
	if !slices.IsSortedFunc(out.Items, func(a, b halopsa.RiskRow) int {
		first, _ := time.Parse("2006-01-02T15:04Z07:00", a.By)
		second, _ := time.Parse("2006-01-02T15:04Z07:00", b.By)
		return first.Compare(second)
	}) {
		t.Error("the most urgent is not first")
	}
}

func TestQueueSummaryCountsEveryOpenTicket(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	open := map[string]int{}
	for _, r := range s.server.Tickets() {
		if !r.Bool("hasbeenclosed") {
			open[r.String("team")]++
		}
	}
	out, err := s.client.QueueSummary(t.Context(), halopsa.QueueSummaryInput{GroupBy: "team"})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, group := range out.Groups {
		if group.Open != open[group.Name] {
			t.Errorf("%s has %d, want %d", group.Name, group.Open, open[group.Name])
		}
		sum += group.Open
	}
	if sum != out.Total.Open || len(out.Groups) != len(open) || out.Total.OldestID != halotest.TicketMigration {
		t.Errorf("%+v", out)
	}
	if n := len(s.server.Requests()); n > 6 {
		t.Errorf("%d requests for a summary", n)
	}
}

// A build that does not say how many tickets there are has them counted all the
// same.
func TestOverviewsOfListsWithoutACount(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, reading(func(path string, object map[string]any) {
		if strings.HasSuffix(path, "/Tickets") {
			delete(object, "record_count")
		}
	}))
	many := make([]halotest.Record, 150)
	for i := range many {
		many[i] = halotest.Record{"summary": "Bulk", "details": "x", "tickettype_id": halotest.TypeServiceRequest, "client_id": halotest.ClientAlster}
	}
	s.save("/Tickets", many)
	open := 0
	for _, r := range s.server.Tickets() {
		if !r.Bool("hasbeenclosed") {
			open++
		}
	}
	queue, err := s.client.QueueSummary(t.Context(), halopsa.QueueSummaryInput{})
	if err != nil || queue.Total.Open != open || queue.Problem != "" {
		t.Errorf("%d of %d open tickets are counted: %+v, %v", queue.Total.Open, open, queue.Problem, err)
	}
	risk, err := s.client.SLARisk(t.Context(), halopsa.SLARiskInput{})
	if err != nil || risk.Checked != open || risk.Problem != "" {
		t.Errorf("%d of %d open tickets are checked: %+v, %v", risk.Checked, open, risk.Problem, err)
	}
}

// A page that cannot be read leaves the counts of those before it.
func TestQueueSummaryKeepsWhatItCounted(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for i := range 60 {
		if _, err := s.client.CreateTicket(t.Context(), halopsa.CreateTicketInput{Summary: "Bulk " + time.Duration(i).String(), Type: "Service Request",
			TicketFields: halopsa.TicketFields{Client: "Alster Dental"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.client.QueueSummary(t.Context(), halopsa.QueueSummaryInput{}); err != nil {
		t.Fatal(err)
	}
	s.server.Faults().Next(1, "GET", "/Tickets", halotest.Answer{Delay: time.Nanosecond})
	s.server.Faults().Next(1, "GET", "/Tickets", halotest.Answer{Status: 400})
	out, err := s.client.QueueSummary(t.Context(), halopsa.QueueSummaryInput{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Total.Open != 100 || !strings.Contains(out.Problem, "only 100 tickets") {
		t.Errorf("%d counted, problem %q", out.Total.Open, out.Problem)
	}
}
