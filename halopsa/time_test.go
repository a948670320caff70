package halopsa_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Halo counts hours. Minutes taken for hours, or the other way round, end up on
// an invoice.
func TestTimeIsLoggedInHours(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		hours   float64
		minutes int
	}{
		"45m": {0.75, 45}, "1h30m": {1.5, 90}, "1.5h": {1.5, 90}, "1:30": {1.5, 90}, "PT15M": {0.25, 15}, "20 min": {0.3333, 20}, "24h": {24, 1440}, "1m": {0.0167, 1},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{})
			got, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: text, Note: "worked"})
			if err != nil {
				t.Fatal(err)
			}
			saved := s.lastAction(halotest.TicketPrinter)
			if saved.Float("timetaken") != want.hours || got.Hours != want.hours || got.Minutes != want.minutes || got.Problem != "" || len(got.Ignored) > 0 {
				t.Errorf("saved %v, got %+v", saved["timetaken"], got)
			}
			if !got.Private || !saved.Bool("hiddenfromuser") || got.Action != "Time Logged" {
				t.Errorf("%+v", got)
			}
			if len(s.server.Sent()) > 0 {
				t.Error("a mail was sent")
			}
		})
	}
}

func TestTimeThatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for name, in := range map[string]halopsa.LogTimeInput{
		"no unit":        {Duration: "45"},
		"minutes as h":   {Duration: "45h"},
		"more than 24 h": {Duration: "24h1m"},
		"nothing":        {},
		"travel":         {Duration: "1h", Travel: "90"},
		"long travel":    {Duration: "1h", Travel: "90h"},
		"in the future":  {Duration: "1h", StartedAt: "+2h"},
		"at midnight":    {Duration: "1h", StartedAt: "yesterday"},
		"no such rate":   {Duration: "1h", ChargeRate: "Gold"},
		"no such action": {Duration: "1h", Outcome: "Approve"},
	} {
		in.TicketID = halotest.TicketPrinter
		if _, err := s.client.LogTime(t.Context(), in); !errors.Is(err, mcptools.CodeInvalidArguments) && !errors.Is(err, mcptools.CodeNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if saved := s.lastAction(halotest.TicketPrinter); saved.Int("id") != 5 {
		t.Errorf("saved %v", saved)
	}
}

func TestTimeHasARateABeginningAndTravel(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	no := false
	got, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: "45m", Billable: &no, ChargeRate: "remote support",
		StartedAt: "2026-01-15T09:00", Travel: "30m", VisibleToUser: true})
	if err != nil {
		t.Fatal(err)
	}
	saved := s.lastAction(halotest.TicketPrinter)
	if got.ChargeRate != "Remote Support" || saved.Int("chargerate") == 0 || saved.Bool("actisbillable") || saved.Float("traveltime") != 0.5 || got.TravelMinutes != 30 {
		t.Errorf("%+v, saved %v", got, saved)
	}
	begin, end := saved.Time("actionarrivaldate"), saved.Time("actioncompletiondate")
	if begin.Format(time.RFC3339) != "2026-01-15T08:00:00Z" || end.Sub(begin) != 45*time.Minute || got.Started != "2026-01-15T09:00+01:00" {
		t.Errorf("from %v to %v, %q", begin, end, got.Started)
	}
	if got.Private || saved.Bool("hiddenfromuser") || got.Problem != "" || len(got.Ignored) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestTimeThatHaloChangesIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { object["timetaken"] = 1 }))
	got, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: "45m"})
	if err != nil || got.Minutes != 60 || !strings.Contains(got.Problem, "1h 00m instead of 45m") || len(got.Ignored) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUncertainTimeIsNotLoggedTwice(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]fakehttp.Drop{"handled": fakehttp.DropAfter, "half an answer": fakehttp.DropDuring} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{})
			s.server.Faults().Next(1, http.MethodPost, "/Actions", halotest.Answer{Drop: drop})
			_, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: "45m"})
			if !errors.Is(err, mcptools.CodeUncertain) {
				t.Errorf("got %v", err)
			}
			if all := s.server.Actions(halotest.TicketPrinter); len(all) != 6 {
				t.Errorf("%d actions instead of 6", len(all))
			}
		})
	}
}

func TestLoggedTimeIsListedWithItsSum(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	if _, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: "45m", Note: "Toner **changed**"}); err != nil {
		t.Fatal(err)
	}
	ticket, err := s.client.ListTime(t.Context(), halopsa.ListTimeInput{TicketID: halotest.TicketPrinter})
	if err != nil {
		t.Fatal(err)
	}
	// 45 minutes now, 15 and 6 of the seeded conversation.
	if len(ticket.Items) != 3 || ticket.TotalMinutes != 66 || ticket.TotalHours != 1.1 || ticket.Items[0].Minutes != 45 || ticket.Items[0].Agent != "Sam Okafor" {
		t.Errorf("%+v", ticket)
	}
	if others, err := s.client.ListTime(t.Context(), halopsa.ListTimeInput{TicketID: halotest.TicketPrinter, Agent: "Elif Demir"}); err != nil || others.TotalMinutes != 0 {
		t.Errorf("%+v, %v", others, err)
	}
	first, err := s.client.ListTime(t.Context(), halopsa.ListTimeInput{Agent: "elif", From: "-30d", Limit: 2})
	if err != nil || len(first.Items) != 2 || *first.Total != 3 || first.TotalMinutes != 270 || first.TotalHours != 4.5 || first.Items[0].Client != "Hafen Logistik GmbH" {
		t.Fatalf("%+v, %v", first, err)
	}
	rest, err := s.client.ListTime(t.Context(), halopsa.ListTimeInput{Agent: "elif", From: "-30d", Limit: 2, Cursor: first.Cursor})
	if err != nil || len(rest.Items) != 1 || rest.TotalMinutes != 270 || rest.Cursor != "" {
		t.Errorf("%+v, %v", rest, err)
	}
}

func TestWorkloadCountsWhatIsOpenBookedAndLogged(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	if _, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: "30m"}); err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	year, month, day := time.Now().In(berlin).Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, berlin)
	before := len(s.server.Requests())
	got, err := s.client.AgentsWorkload(t.Context(), halopsa.WorkloadInput{Horizon: 5})
	if err != nil || len(got.Problems) > 0 || len(got.Items) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	if requests := len(s.server.Requests()) - before; requests > 5 {
		t.Errorf("%d requests", requests)
	}
	for _, w := range got.Items {
		open, overdue := 0, 0
		for _, ticket := range s.server.Tickets() {
			if ticket.Int("agent_id") != w.ID || ticket.Bool("hasbeenclosed") {
				continue
			}
			open++
			if due := ticket.Time("fixbydate"); !due.IsZero() && due.Before(time.Now()) {
				overdue++
			}
		}
		if w.Open != open || w.Overdue != overdue || open == 0 {
			t.Errorf("%+v, want %d open and %d overdue", w, open, overdue)
		}
		logged := 0
		for _, event := range s.server.TimesheetEvents() {
			if start := event.Time("start_date"); event.Int("agent_id") == w.ID && !start.Before(today) && start.Before(time.Now()) {
				logged += int(60 * event.Float("timetaken"))
			}
		}
		if w.LoggedToday != logged {
			t.Errorf("%+v, want %d minutes logged", w, logged)
		}
		if w.ID == halotest.AgentSam && w.BookedHours != 2 || w.ID == halotest.AgentTom && w.BookedHours != 0 /* a task */ {
			t.Errorf("%+v", w)
		}
	}
}

func TestWorkloadKeepsWhatAMissingScopeLeaves(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets"}})
	got, err := s.client.AgentsWorkload(t.Context(), halopsa.WorkloadInput{Team: "2nd line", Agents: []string{"me", "priya", "sam"}})
	if err != nil || len(got.Items) != 1 || got.Items[0].Open == 0 || len(got.Problems) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Breaks and leave are in a timesheet too, and are no work.
func TestBreaksAreNoLoggedTime(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	body := `[{"agent_id":3,"start_date":"2026-01-15T11:00:00Z","end_date":"2026-01-15T11:30:00Z","subject":"Lunch","timetaken":0.5,"break_type":1},
		{"agent_id":3,"start_date":"2026-01-15T12:00:00Z","end_date":"2026-01-15T13:00:00Z","subject":"Rota","timetaken":1}]`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL()+"/api/TimesheetEvent", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.server.Token())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := s.client.ListTime(t.Context(), halopsa.ListTimeInput{Agent: "priya", From: "2026-01-15", To: "2026-01-15"})
	if err != nil || len(got.Items) != 1 || got.Items[0].Subject != "Rota" || got.TotalMinutes != 60 {
		t.Errorf("%d: %+v, %v", response.StatusCode, got, err)
	}
}

func TestWhatHaloIgnoresOfATimeEntryIsNamed(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) {
		delete(object, "chargerate")
		object["actionarrivaldate"], object["actioncompletiondate"] = "2020-01-01T00:00:00Z", "2020-01-01T00:45:00Z"
	}))
	got, err := s.client.LogTime(t.Context(), halopsa.LogTimeInput{TicketID: halotest.TicketPrinter, Duration: "45m", ChargeRate: "On Site Support", StartedAt: "-2h"})
	if err != nil || !slices.Equal(got.Ignored, []string{"started_at", "charge_rate"}) {
		t.Errorf("%+v, %v", got, err)
	}
}
