package halopsa_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func visible() *bool { return new(bool) }

// A note for the end user is saved as that, whatever its outcome does by itself,
// and is not mailed.
func TestANoteForTheUser(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "A spare is on its way.", Private: visible()})
	if err != nil || got.Private || got.Problem != "" || len(got.Ignored) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if saved := s.lastAction(halotest.TicketPrinter); saved.Bool("hiddenfromuser") || saved.String("note") != "A spare is on its way." || got.Minutes != 0 {
		t.Errorf("saved %v", saved)
	}
	if mails := s.server.Sent(); len(mails) > 0 {
		t.Errorf("it was mailed: %+v", mails)
	}
	s = start(t, halotest.Options{}, meddling(func(object map[string]any) { object["hiddenfromuser"] = true }))
	got, err = s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "x", Private: visible()})
	if err != nil || !got.Private || !strings.Contains(got.Problem, "does not see it") {
		t.Errorf("saved as private: %+v, %v", got, err)
	}
}

func TestTimeOnANote(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "Cleaned it.", Time: "1h20m"}
	got, err := s.client.AddNote(t.Context(), in)
	if err != nil || got.Minutes != 80 || got.Hours != 1.3333 || !got.Private || len(got.Ignored) > 0 || got.Problem != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if saved := s.lastAction(halotest.TicketPrinter); saved.Float("timetaken") != 1.3333 || !saved.Bool("hiddenfromuser") || saved.String("note") != "Cleaned it." {
		t.Errorf("saved %v", saved)
	}
	s = start(t, halotest.Options{}, meddling(func(object map[string]any) { delete(object, "timetaken") }))
	got, err = s.client.AddNote(t.Context(), in)
	if err != nil || got.Minutes != 0 || got.Hours != 0 || !strings.Contains(got.Problem, "no time instead of 1h 20m") || len(got.Ignored) > 0 {
		t.Errorf("time that was dropped: %+v, %v", got, err)
	}
}

// Minutes that were taken for hours are not billed, whichever tool logs them.
func TestMoreThanADayIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	ctx, ticket := t.Context(), halotest.TicketPrinter
	_, note := s.client.AddNote(ctx, halopsa.AddNoteInput{TicketID: ticket, Note: "x", Time: "45h"})
	_, closed := s.client.CloseTicket(ctx, halopsa.CloseTicketInput{TicketID: ticket, Time: "45h"})
	_, run := s.client.RunAction(ctx, halopsa.RunActionInput{TicketID: ticket, Outcome: "Escalate", Time: "45h"})
	_, logged := s.client.LogTime(ctx, halopsa.LogTimeInput{TicketID: ticket, Duration: "45h"})
	for name, err := range map[string]error{"note": note, "close": closed, "run": run, "log": logged} {
		t.Run(name, func(t *testing.T) { fails(t, err, mcptools.CodeInvalidArguments, "more than a day") })
	}
	for _, text := range []string{"1d", "1 day", "0.5 d", "P1D"} { // 24 hours, or those that somebody works?
		_, err := s.client.LogTime(ctx, halopsa.LogTimeInput{TicketID: ticket, Duration: text})
		t.Run(text, func(t *testing.T) { fails(t, err, mcptools.CodeInvalidArguments, "such as 8h") })
	}
	if posts := s.posts(); len(posts) > 0 {
		t.Errorf("there were writes: %v", posts)
	}
}

// A build that keeps two decimals has not ignored the time.
func TestTimeThatIsRounded(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) {
		if taken, ok := object["timetaken"].(float64); ok {
			object["timetaken"] = math.Round(taken*100) / 100
		}
	}))
	out, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketVPN, Time: "20m"})
	if err != nil || len(out.Ignored) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// A person is asked about a note that the end user sees or that has time, and
// not about one that stays among the agents.
func TestWhichNotesAreConfirmed(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	var asked []mcptools.Mark
	tools := s.client.Tools().With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: func(_ context.Context, q mcptools.Question) (bool, error) {
		asked = append(asked, q.Tool.Marks&(mcptools.Outbound|mcptools.Financial))
		return false, nil
	}}))
	for _, tt := range []struct {
		tool string
		args args
		want mcptools.Mark
	}{
		{"halo_actions_add_note", args{"note": "x"}, 0},
		{"halo_actions_add_note", args{"note": "x", "private": true}, 0},
		{"halo_actions_add_note", args{"note": "x", "private": false}, mcptools.Outbound},
		{"halo_actions_add_note", args{"note": "x", "private": "false"}, mcptools.Outbound},
		{"halo_actions_add_note", args{"note": "x", "time": "5m"}, mcptools.Financial},
		{"halo_actions_add_note", args{"note": "x", "outcome": "Close"}, mcptools.Outbound}, // a note that closes the ticket
		{"halo_tickets_set_status", args{"status": "In Progress", "outcome": "Close"}, mcptools.Outbound},
		{"halo_tickets_set_status", args{"status": "In Progress", "note": "x"}, 0},
		{"halo_tickets_set_status", args{"status": "In Progress", "note": "x", "visible_to_user": true}, mcptools.Outbound},
		{"halo_time_log", args{"duration": "5m"}, mcptools.Financial},
		{"halo_time_log", args{"duration": "5m", "visible_to_user": true}, mcptools.Financial | mcptools.Outbound},
		{"halo_tickets_close", args{}, mcptools.Outbound},
		{"halo_tickets_run_action", args{"outcome": "Escalate", "time": "5m"}, mcptools.Financial | mcptools.Outbound},
	} {
		asked = nil
		tt.args["ticket_id"] = halotest.TicketPrinter
		data, err := json.Marshal(tt.args)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tools.Call(t.Context(), tt.tool, data)
		switch {
		case tt.want == 0 && (err != nil || asked != nil):
			t.Errorf("%s %s: %v, asked %v", tt.tool, data, err, asked)
		case tt.want != 0 && (!errors.Is(err, mcptools.CodeDeclined) || !slices.Equal(asked, []mcptools.Mark{tt.want})):
			t.Errorf("%s %s: %v, asked about %v, want %v", tt.tool, data, err, asked, tt.want)
		}
	}
}

func TestAStatusWithANoteForTheUser(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.SetStatusInput{TicketID: halotest.TicketVPN, Status: "Waiting on User", Visible: true}
	_, err := s.client.SetTicketStatus(t.Context(), in)
	fails(t, err, mcptools.CodeInvalidArguments, "no note")
	in.Note = "Which version do you have?"
	out, err := s.client.SetTicketStatus(t.Context(), in)
	if err != nil || out.Status != "Waiting on User" || len(out.Warnings)+len(out.Ignored) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if saved := s.lastAction(halotest.TicketVPN); saved.Bool("hiddenfromuser") || saved.String("note") != in.Note {
		t.Errorf("saved %v", saved)
	}
}

// A build that does not say which time it has is not taken to have what was sent.
func TestTimeThatIsNotTold(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{},
		reading(func(path string, object map[string]any) {
			if strings.Contains(path, "/Actions/") {
				delete(object, "timetaken")
			}
		}),
		func(o *halopsa.Options) { o.Resilience.Base = silent{o.Resilience.Base, "timetaken"} })
	note, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "x", Time: "45m"})
	if err != nil || !strings.Contains(note.Warning, "which time it saved") {
		t.Errorf("%+v, %v", note, err)
	}
	closed, err := s.client.CloseTicket(t.Context(), halopsa.CloseTicketInput{TicketID: halotest.TicketVPN, Time: "45m"})
	if err != nil || len(closed.Warnings) != 1 || !strings.Contains(closed.Warnings[0], "which time it saved") {
		t.Errorf("%+v, %v", closed, err)
	}
}

// A status that closes a ticket would end the work without whoever confirms
// calls being asked; a ticket that is closed can change its status.
func TestSetStatusDoesNotCloseATicket(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for _, in := range []halopsa.SetStatusInput{{Status: "Closed"}, {Status: "cancelled", Note: "x"}, {Status: strconv.Itoa(halotest.StatusClosed), Outcome: "Close"}} {
		in.TicketID = halotest.TicketPrinter
		_, err := s.client.SetTicketStatus(t.Context(), in)
		fails(t, err, mcptools.CodeConflict, "halo_tickets_close")
	}
	if posts := s.posts(); len(posts) > 0 {
		t.Errorf("there were writes: %v", posts)
	}
	out, err := s.client.SetTicketStatus(t.Context(), halopsa.SetStatusInput{TicketID: halotest.TicketClosed, Status: "Cancelled"})
	if err != nil || out.Status != "Cancelled" {
		t.Errorf("%+v, %v", out, err)
	}
}
