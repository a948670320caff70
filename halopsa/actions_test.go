package halopsa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// meddler changes the actions and files that are posted before Halo gets
// them, as a build would that ignores or overrides a field.
type meddler struct {
	http.RoundTripper
	meddle func(object map[string]any)
}

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/Actions") || strings.HasSuffix(r.URL.Path, "/Attachment")) {
		var objects []map[string]any
		if err := json.NewDecoder(r.Body).Decode(&objects); err != nil {
			return nil, err
		}
		m.meddle(objects[0])
		body, err := json.Marshal(objects)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return m.RoundTripper.RoundTrip(r)
}

func meddling(meddle func(object map[string]any)) func(*halopsa.Options) {
	return func(o *halopsa.Options) { o.Resilience.Base = meddler{resilience.NewBase(), meddle} }
}

// lastAction returns the newest action of a ticket as Halo has it.
func (s *suite) lastAction(ticketID int) halotest.Record {
	s.t.Helper()
	all := s.server.Actions(ticketID)
	if len(all) == 0 {
		s.t.Fatal("the ticket has no actions")
	}
	return all[len(all)-1]
}

func TestNotesArePrivate(t *testing.T) {
	t.Parallel()
	for name, replies := range map[string]halotest.ReplyShape{"object": halotest.ReplyObject, "array": halotest.ReplyArray, "envelope": halotest.ReplyEnvelope} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{Replies: replies})
			got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "Spooler **restarted**.\nWait and see.", Important: true})
			if err != nil {
				t.Fatal(err)
			}
			saved := s.lastAction(halotest.TicketPrinter)
			if !got.Private || got.ActionID != saved.Int("id") || got.Action != "Internal Note" || got.Problem != "" || len(got.Ignored) > 0 || got.Status != "" {
				t.Errorf("%+v", got)
			}
			if !saved.Bool("hiddenfromuser") || !saved.Bool("important") || saved.String("note_html") != "<p>Spooler <strong>restarted</strong>.<br>\nWait and see.</p>" {
				t.Errorf("saved %v", saved)
			}
			if mails := s.server.Sent(); len(mails) > 0 {
				t.Errorf("a note was mailed: %+v", mails)
			}
		})
	}
}

func TestANoteThatWasSavedVisibleIsHiddenAndReported(t *testing.T) {
	t.Parallel()
	posts := 0
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) {
		if posts++; posts == 1 {
			object["hiddenfromuser"] = false
		}
	}))
	got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "internal"})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Private || !strings.Contains(got.Problem, "VISIBLE TO THE END USER") || !strings.Contains(got.Problem, "hidden since") {
		t.Errorf("%+v", got)
	}
	if saved := s.lastAction(halotest.TicketPrinter); !saved.Bool("hiddenfromuser") || saved.Int("id") != got.ActionID {
		t.Errorf("saved %v", saved)
	}
}

// silent removes a field from the answers to posts, as some builds leave it out.
type silent struct {
	http.RoundTripper
	field string
}

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return response, err
	}
	defer response.Body.Close()
	var object map[string]any
	if err := json.NewDecoder(response.Body).Decode(&object); err != nil {
		return nil, err
	}
	delete(object, s.field)
	body, err := json.Marshal(object)
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, err
}

func TestVisibilityIsReadBackWhenTheReplyLacksIt(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, func(o *halopsa.Options) { o.Resilience.Base = silent{resilience.NewBase(), "hiddenfromuser"} })
	got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "internal"})
	if err != nil || !got.Private || got.Problem != "" || len(got.Ignored) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestANoteWithoutANumberIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, func(o *halopsa.Options) { o.Resilience.Base = silent{resilience.NewBase(), "id"} })
	got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "internal"})
	if err != nil || got.ActionID != 0 || !strings.Contains(got.Problem, "halo_actions_list") {
		t.Errorf("%+v, %v", got, err)
	}
	// One that cannot be found cannot be hidden either.
	s = start(t, halotest.Options{}, meddling(func(object map[string]any) { object["hiddenfromuser"] = false }),
		func(o *halopsa.Options) { o.Resilience.Base = silent{o.Resilience.Base, "id"} })
	got, err = s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "internal"})
	if err != nil || got.Private || !strings.Contains(got.Problem, "whether the end user sees it") || len(s.posts()) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestANoteThatStaysVisibleIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { object["hiddenfromuser"] = false }))
	got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "internal"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Private || !strings.Contains(got.Problem, "could not be hidden") {
		t.Errorf("%+v", got)
	}
}

func TestNotesHaveAnOutcomeThatTheTicketAllows(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, func(o *halopsa.Options) { o.NoteOutcome = "Log Time" })
	note := func(outcome string) (*halopsa.NoteResult, error) {
		return s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "x", Format: "text", Outcome: outcome})
	}
	if got, err := note(""); err != nil || got.Action != "Time Logged" {
		t.Errorf("the configured outcome: %+v, %v", got, err)
	}
	if got, err := note("internal note"); err != nil || got.Action != "Internal Note" {
		t.Errorf("a named outcome: %+v, %v", got, err)
	}
	before := len(s.server.Actions(halotest.TicketPrinter))
	if _, err := note("Approve"); !errors.Is(err, mcptools.CodeNotFound) || !strings.Contains(err.Error(), "halo_tickets_available_actions") {
		t.Errorf("an outcome that is not allowed: %v", err)
	}
	if after := len(s.server.Actions(halotest.TicketPrinter)); after != before {
		t.Error("something was saved")
	}
	if _, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: 99999, Note: "x"}); !errors.Is(err, mcptools.CodeNotFound) {
		t.Errorf("a missing ticket: %v", err)
	}
	if _, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter}); !errors.Is(err, mcptools.CodeInvalidArguments) {
		t.Errorf("an empty note: %v", err)
	}
}

func TestFieldsThatHaloDropsAreNamed(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { delete(object, "important") }))
	got, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "x", Important: true})
	if err != nil || !slices.Equal(got.Ignored, []string{"important"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A note must not be repeated when nobody knows whether it was saved.
func TestAnUncertainNoteIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.server.Faults().Next(1, http.MethodPost, "/Actions", halotest.Answer{Drop: fakehttp.DropAfter})
	before := len(s.server.Actions(halotest.TicketPrinter))
	_, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "x"})
	if !errors.Is(err, mcptools.CodeUncertain) || !strings.Contains(err.Error(), "halo_actions_list") {
		t.Errorf("got %v", err)
	}
	if after := len(s.server.Actions(halotest.TicketPrinter)); after != before+1 {
		t.Errorf("%d actions more", after-before)
	}
}
