package halopsa_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestAnAnswerGoesToTheUserOfTheTicket(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "It **works** again."})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.To, []string{halotest.AnnaBergEmail}) || len(got.CC) > 0 || got.Private || got.Action != "Emailed User" || got.Problem != "" || len(got.Ignored) > 0 {
		t.Errorf("%+v", got)
	}
	mails := s.server.Sent()
	if len(mails) != 1 || mails[0].To != halotest.AnnaBergEmail || !strings.Contains(mails[0].BodyHTML, "<strong>works</strong>") {
		t.Errorf("sent %+v", mails)
	}
	if saved := s.lastAction(halotest.TicketPrinter); saved.Bool("hiddenfromuser") || saved.Int("id") != got.ActionID {
		t.Errorf("saved %v", saved)
	}
	// The outcome has a status of its own, which the result names.
	if ticket, _ := s.server.Ticket(halotest.TicketPrinter); ticket.Int("status_id") != halotest.StatusWaiting || got.Status != "Waiting on User" {
		t.Errorf("status %d, %q", ticket.Int("status_id"), got.Status)
	}
}

func TestAnAnswerGoesToNamedReceiversOnly(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "x", To: []string{"Mira Koch <mira.koch@hafenlogistik.example>",
		"jonas.weber@hafenlogistik.example"}, CC: []string{"lager@hafenlogistik.example"}, Subject: "About the printer", NewStatus: "In Progress",
		Attachments: []halopsa.Upload{{Filename: "howto.txt", ContentBase64: "SGVsbG8"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"mira.koch@hafenlogistik.example", "jonas.weber@hafenlogistik.example"}
	if !slices.Equal(got.To, want) || !slices.Equal(got.CC, []string{"lager@hafenlogistik.example"}) || got.Problem != "" || len(got.Ignored) > 0 {
		t.Errorf("%+v", got)
	}
	if mail := s.server.Sent()[0]; strings.Contains(mail.To, "anna") || mail.CC != "lager@hafenlogistik.example" || mail.Subject != "About the printer" {
		t.Errorf("sent %+v", mail)
	}
	files := s.server.Attachments(halotest.TicketPrinter)
	if file := files[len(files)-1]; string(file.Content) != "Hello" || file.ActionID != got.ActionID {
		t.Errorf("attached %+v", file)
	}
	if ticket, _ := s.server.Ticket(halotest.TicketPrinter); ticket.Int("status_id") != halotest.StatusInProgress {
		t.Errorf("status %d", ticket.Int("status_id"))
	}
}

func TestNobodyIsMailedByAGuess(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	base := halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "x"}
	for name, change := range map[string]func(*halopsa.ReplyInput){
		"a name":            func(in *halopsa.ReplyInput) { in.To = []string{"Anna Berg"} },
		"a list in one":     func(in *halopsa.ReplyInput) { in.To = []string{"a@b.example;c@d.example"} },
		"a header":          func(in *halopsa.ReplyInput) { in.CC = []string{"a@b.example\r\nBcc: c@d.example"} },
		"an empty message":  func(in *halopsa.ReplyInput) { in.Message = "" },
		"an unknown status": func(in *halopsa.ReplyInput) { in.NewStatus = "Done and dusted" },
		"a path as a file": func(in *halopsa.ReplyInput) {
			in.Attachments = []halopsa.Upload{{Filename: "../x", ContentBase64: "SGVsbG8="}}
		},
		"no outcome like this": func(in *halopsa.ReplyInput) { in.Outcome = "Chase User" },
	} {
		in := base
		change(&in)
		if _, err := s.client.ReplyToUser(t.Context(), in); !errors.Is(err, mcptools.CodeInvalidArguments) && !errors.Is(err, mcptools.CodeNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if mails := s.server.Sent(); len(mails) > 0 {
		t.Errorf("sent %+v", mails)
	}
}

func TestHaloSendingElsewhereIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { object["emailto"] = `"Someone Else" <someone.else@hafenlogistik.example>` }))
	got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "x"})
	if err != nil || !slices.Equal(got.To, []string{"someone.else@hafenlogistik.example"}) || !strings.Contains(got.Problem, "other addresses") {
		t.Errorf("%+v, %v", got, err)
	}
}

// An answer that Halo kept to itself is not said to have gone to anybody.
func TestAnAnswerThatWasNotMailedIsReported(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(object map[string]any){
		"without a receiver": func(object map[string]any) { object["sendemail"] = false; delete(object, "emailto") },
		"with the receiver":  func(object map[string]any) { delete(object, "sendemail") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{}, meddling(meddle))
			got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "x", CC: []string{"lager@hafenlogistik.example"}})
			if err != nil || got.To == nil || len(got.To)+len(got.CC) > 0 || got.Problem != "HaloPSA saved it but did not mail it" || len(s.server.Sent()) > 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestAttachmentsThatWereDroppedAreReported(t *testing.T) {
	t.Parallel()
	files := []halopsa.Upload{{Filename: "a.txt", Text: "x"}, {Filename: "b.txt", Text: "y"}}
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { object["attachments"] = object["attachments"].([]any)[:1] }))
	got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "x", Attachments: files})
	if err != nil || len(got.To) != 1 || !strings.Contains(got.Problem, "1 of the 2 attachments") {
		t.Errorf("%+v, %v", got, err)
	}
}

// What a build does not repeat is not taken for a no: neither in its answer,
// which is completed by reading the action back, nor altogether.
func TestWhatHaloDoesNotSayOfAMailIsNoAlarm(t *testing.T) {
	t.Parallel()
	fields := []string{"emaildirection", "emailto", "emailcc", "sendemail", "attachment_count"}
	mute := func(_ string, object map[string]any) {
		for _, field := range fields {
			delete(object, field)
		}
	}
	numbers := func(_ string, object map[string]any) { // Halo writes what is true in several ways
		delete(object, "emaildirection")
		object["sendemail"] = 1
	}
	for name, more := range map[string]func(path string, object map[string]any){"in its answer": func(string, map[string]any) {}, "at all": mute, "plainly": numbers} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{}, reading(more), func(o *halopsa.Options) {
				for _, field := range fields {
					o.Resilience.Base = silent{o.Resilience.Base, field}
				}
			})
			got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "x", Attachments: []halopsa.Upload{{Filename: "a.txt", Text: "x"}}})
			if err != nil || !slices.Equal(got.To, []string{halotest.AnnaBergEmail}) || got.Problem != "" || len(s.server.Sent()) != 1 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestActionsCanBeCorrected(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	yes := true
	got, err := s.client.UpdateAction(t.Context(), halopsa.UpdateActionInput{TicketID: halotest.TicketPrinter, ActionID: 4, Note: "Please *restart* it.", Private: &yes, Time: "0:12"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Changed, []string{"note", "private", "time"}) || len(got.Ignored) > 0 || !got.Private || got.Time != "12m" {
		t.Errorf("%+v", got)
	}
	saved := s.server.Actions(halotest.TicketPrinter)[3]
	if !saved.Bool("hiddenfromuser") || saved.Float("timetaken") != 0.2 || saved.String("outcome") != "Emailed User" || len(s.server.Sent()) > 0 {
		t.Errorf("saved %v", saved)
	}
	before := len(s.server.Actions(halotest.TicketPrinter))
	for name, in := range map[string]halopsa.UpdateActionInput{
		"no change":      {TicketID: halotest.TicketPrinter, ActionID: 4},
		"no such action": {TicketID: halotest.TicketPrinter, ActionID: 44, Note: "x"},
		"no ticket":      {ActionID: 4, Note: "x"},
		"too long":       {TicketID: halotest.TicketPrinter, ActionID: 4, Time: "45h"},
	} {
		if _, err := s.client.UpdateAction(t.Context(), in); !errors.Is(err, mcptools.CodeInvalidArguments) && !errors.Is(err, mcptools.CodeNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := len(s.server.Actions(halotest.TicketPrinter)); after != before {
		t.Error("an action was added")
	}
}

func TestAnUpdateWithoutEffectIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { delete(object, "timetaken") }))
	got, err := s.client.UpdateAction(t.Context(), halopsa.UpdateActionInput{TicketID: halotest.TicketPrinter, ActionID: 3, Note: "x", Time: "2h"})
	if err != nil || !slices.Equal(got.Changed, []string{"note"}) || !slices.Equal(got.Ignored, []string{"time"}) || got.Time != "15m" {
		t.Errorf("%+v, %v", got, err)
	}
}
