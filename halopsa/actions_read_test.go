package halopsa_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestActionsAreListedNewestFirstWithoutDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	var ids []int
	in := halopsa.ListActionsInput{TicketID: halotest.TicketPrinter, Limit: 2}
	for range 5 {
		page, err := s.client.ListActions(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			ids = append(ids, a.ID)
		}
		if in.Cursor = page.Cursor; in.Cursor == "" {
			break
		}
	}
	if !slices.Equal(ids, []int{5, 4, 3, 2, 1}) {
		t.Errorf("got %v", ids)
	}
}

func TestActionsCanBeNarrowedDown(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for name, c := range map[string]struct {
		in   halopsa.ListActionsInput
		want []int
	}{
		"all":          {halopsa.ListActionsInput{}, []int{5, 4, 3, 2, 1}},
		"no system":    {halopsa.ListActionsInput{ExcludeSystem: true}, []int{5, 4, 3, 1}},
		"no private":   {halopsa.ListActionsInput{ExcludePrivate: true}, []int{5, 4, 1}},
		"conversation": {halopsa.ListActionsInput{ConversationOnly: true}, []int{5, 4, 1}},
		"agents":       {halopsa.ListActionsInput{AgentOnly: true}, []int{4, 3}},
		"time":         {halopsa.ListActionsInput{TimeOnly: true}, []int{4, 3}},
		"important":    {halopsa.ListActionsInput{ImportantOnly: true}, nil},
		"dates":        {halopsa.ListActionsInput{From: "-210m", To: "-150m"}, []int{4}},
	} {
		c.in.TicketID = halotest.TicketPrinter
		page, err := s.client.ListActions(t.Context(), c.in)
		shows(t, name, page, err, func(a halopsa.ActionRow) int { return a.ID }, c.want)
	}
}

func TestActionRowsSayWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	page, err := s.client.ListActions(t.Context(), halopsa.ListActionsInput{TicketID: halotest.TicketPrinter})
	if err != nil {
		t.Fatal(err)
	}
	answer, note, first := page.Items[1], page.Items[2], page.Items[4]
	if answer.By != "agent" || answer.Mail != "sent" || answer.Private || answer.Time != "6m" || answer.Text != "Please switch the printer off and on again." {
		t.Errorf("%+v", answer)
	}
	if note.By != "agent" || !note.Private || note.Time != "15m" || note.Attachments != 1 || note.Text != "Printer answers **ping**, spooler on PC-H3-02 is stuck." {
		t.Errorf("%+v", note)
	}
	if first.By != "user" || first.Mail != "received" || first.Private {
		t.Errorf("%+v", first)
	}
}

// Where the filter has no effect, private actions are dropped here, and do not
// hide the public ones before them.
func TestPublicActionsBehindPrivateOnes(t *testing.T) {
	t.Parallel()
	notes := func(n int, private bool) []halotest.Record {
		rows := make([]halotest.Record, n)
		for i := range rows {
			rows[i] = halotest.Record{"ticket_id": halotest.TicketVPN, "outcome_id": halotest.OutcomeNote, "note": "x", "hiddenfromuser": private}
		}
		return rows
	}
	for private, problem := range map[int]string{60: "", 1100: "newest 1000"} {
		s := start(t, halotest.Options{IgnoreQuery: map[string][]string{"/Actions": {"excludeprivate"}}})
		s.save("/Actions", notes(30, false))
		s.save("/Actions", notes(private, true))
		public := map[int]bool{}
		for _, a := range s.server.Actions(halotest.TicketVPN) {
			if !a.Bool("hiddenfromuser") {
				public[a.Int("id")] = true
			}
		}
		in, before := halopsa.ListActionsInput{TicketID: halotest.TicketVPN, ExcludePrivate: true}, len(s.server.Requests())
		var page *mcptools.Page[halopsa.ActionRow]
		for {
			var err error
			if page, err = s.client.ListActions(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			for _, a := range page.Items {
				if !public[a.ID] {
					t.Errorf("action %d is private, or came before", a.ID)
				}
				delete(public, a.ID)
			}
			if in.Cursor = page.Cursor; in.Cursor == "" {
				break
			}
		}
		if !strings.Contains(page.Problem, problem) || problem == "" && (page.Problem != "" || len(public) > 0) {
			t.Errorf("%d private: %d were not listed, problem %q", private, len(public), page.Problem)
		}
		if n := len(s.server.Requests()) - before; n > 8 {
			t.Errorf("%d requests", n)
		}
	}
}

func TestOneActionNeedsItsTicket(t *testing.T) {
	t.Parallel()
	for name, replies := range map[string]halotest.ReplyShape{"object": halotest.ReplyObject, "envelope": halotest.ReplyEnvelope} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{Replies: replies})
			got, err := s.client.GetAction(t.Context(), halopsa.GetActionInput{TicketID: halotest.TicketPrinter, ActionID: 4, IncludeEmail: true})
			if err != nil {
				t.Fatal(err)
			}
			if got.Email == nil || got.Email.To != halotest.AnnaBergEmail || !strings.Contains(got.Email.Body, "Am Sandtorkai") || strings.Contains(got.Email.Body, "MsoNormal") ||
				got.Time != "6m" || got.Billable == nil || !*got.Billable {
				t.Errorf("%+v %+v", got, got.Email)
			}
			// The same number in another ticket is another action.
			other, err := s.client.GetAction(t.Context(), halopsa.GetActionInput{TicketID: halotest.TicketVPN, ActionID: 1})
			if err != nil || other.Who != "Jonas Weber" {
				t.Errorf("%+v, %v", other, err)
			}
		})
	}
	s := start(t, halotest.Options{})
	if _, err := s.client.GetAction(t.Context(), halopsa.GetActionInput{ActionID: 4}); !errors.Is(err, mcptools.CodeInvalidArguments) {
		t.Errorf("without a ticket: %v", err)
	}
	if len(s.server.Requests()) > 0 {
		t.Error("a request was made")
	}
}

func TestLongTextsComeInParts(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	long := strings.Repeat("Grüße aus Hamburg. ", 1000)
	added, err := s.client.AddNote(t.Context(), halopsa.AddNoteInput{TicketID: halotest.TicketPrinter, Note: long, Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	text, offset := "", 0
	for range 5 {
		part, err := s.client.GetAction(t.Context(), halopsa.GetActionInput{TicketID: halotest.TicketPrinter, ActionID: added.ActionID, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		text += part.Text
		if offset = part.NextOffset; offset == 0 {
			break
		}
	}
	if strings.TrimSpace(text) != strings.TrimSpace(long) {
		t.Errorf("%d characters came of %d", len(text), len(long))
	}
}

func TestTheHistoryOfAMissingTicketIsAnError(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	if _, err := s.client.ListActions(t.Context(), halopsa.ListActionsInput{TicketID: 99999}); !errors.Is(err, mcptools.CodeNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := s.client.ListActions(t.Context(), halopsa.ListActionsInput{}); !errors.Is(err, mcptools.CodeInvalidArguments) {
		t.Errorf("got %v", err)
	}
}

// The errors of a missing scope say which one.
func TestAMissingScopeIsNamed(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets"}, ScopeRefusal: http.StatusForbidden})
	text := s.refused("halo_actions_add_note", map[string]any{"ticket_id": halotest.TicketPrinter, "note": "x"})
	if !strings.HasPrefix(text, "permission_denied") || !strings.Contains(text, "edit:tickets") {
		t.Errorf("got %s", text)
	}
}
