package halopsa_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// A ticket, an action or a file that is not the one that was asked for is not
// shown, and nothing is written because of it.
func TestAnotherRecordThanAsked(t *testing.T) {
	for _, body := range []string{`{"id":8,"ticket_id":8}`, `{}`, `null`, `{"error":"no"}`, `[]`, `{"id":"7x"}`, `[{"id":7},{"id":8}]`} {
		writes := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				writes++
			}
			fmt.Fprint(w, body)
		}))
		t.Cleanup(server.Close)
		client, err := halopsa.New(auth.Static("token"), halopsa.Options{URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		_, ticket := client.GetTicket(t.Context(), halopsa.GetTicketInput{TicketID: 7})
		_, action := client.GetAction(t.Context(), halopsa.GetActionInput{TicketID: 7, ActionID: 7})
		_, file := client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: 7})
		_, note := client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: 7, Note: "x"})
		_, update := client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: 7, Summary: "x"})
		_, change := client.UpdateAction(t.Context(), halopsa.UpdateActionInput{TicketID: 7, ActionID: 7, Note: "x"})
		for name, err := range map[string]error{"ticket": ticket, "action": action, "file": file, "note": note, "update": update, "change": change} {
			if !errors.Is(err, mcptools.CodeUpstream) {
				t.Errorf("%s, %s: %v", body, name, err)
			}
		}
		if writes != 0 {
			t.Errorf("%s: %d writes", body, writes)
		}
	}
}

// One address that Halo would read as several is refused.
func TestReceiversCannotHideOthers(t *testing.T) {
	s := start(t, halotest.Options{})
	for _, address := range []string{`"a;mallory@evil.example;b"@corp.example`, `"x,mallory@evil.example"@corp.example`, `"a b"@corp.example`} {
		for _, field := range []string{"to", "cc"} {
			text := s.refused("halo_actions_reply_to_user", map[string]any{"ticket_id": halotest.TicketPrinter, "message": "hi", field: []string{address}})
			if !strings.Contains(text, "invalid_arguments") {
				t.Errorf("%s %s: %s", field, address, text)
			}
		}
	}
	if posts := s.posts(); len(posts) != 0 {
		t.Errorf("posted to %v", posts)
	}
}

func TestMailOtherThanAskedIsTold(t *testing.T) {
	s := start(t, halotest.Options{}, meddling(func(object map[string]any) { object["emailcc"] = "mallory@evil.example" }))
	got, err := s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "hi"})
	if err != nil || !strings.Contains(got.Problem, "copied") || len(got.CC) != 1 || got.CC[0] != "mallory@evil.example" {
		t.Errorf("%+v, %v", got, err)
	}
	s = start(t, halotest.Options{}, meddling(func(object map[string]any) { object["emailcc"] = "" }))
	got, err = s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "hi", CC: []string{"mira.koch@hafenlogistik.example"}})
	if err != nil || !strings.Contains(got.Problem, "copied") || len(got.CC) != 0 {
		t.Errorf("a copy that was dropped: %+v, %v", got, err)
	}
	s = start(t, halotest.Options{}, meddling(func(object map[string]any) { object["emaildirection"] = "O" }))
	note, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: "hi"})
	if err != nil || !strings.Contains(note.Problem, "mailed") {
		t.Errorf("%+v, %v", note, err)
	}
}

// An agent without a number is nobody: as a filter, 0 would mean everybody.
func TestMeIsSomebody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	t.Cleanup(server.Close)
	client, err := halopsa.New(auth.Static("token"), halopsa.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if me, err := client.Me(t.Context(), halopsa.MeInput{}); !errors.Is(err, mcptools.CodeUpstream) {
		t.Errorf("%+v, %v", me, err)
	}
}
