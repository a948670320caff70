package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// faultKind is one kind of call of the fault run. A write leaves a marker that
// is counted at the end.
type faultKind struct {
	name, tool string
	args       func(n int) map[string]any
	count      func() map[string]int // how often each marker is there; nil for a read
	markers    func(n int) []string  // of call n
	failed     func(n int, result json.RawMessage) map[string]mcptools.Code
}

const (
	shared  = "servicedesk@nordlicht.example"
	contact = "anna.berg@hafenlogistik.example"
	// batched is how many messages a call moves or copies at once.
	batched = 2
)

func faultReads() []faultKind {
	read := func(tool string, args map[string]any) faultKind {
		return faultKind{name: tool, tool: tool, args: func(int) map[string]any { return args }}
	}
	return []faultKind{
		// Of a mailbox that the writes leave alone: it stays small.
		read("m365_mail_search", map[string]any{"mailbox": shared, "unread": true}),
		read("m365_mail_folders", map[string]any{"mailbox": shared}),
		read("m365_cal_free_busy", map[string]any{"people": []string{"priya.nair@nordlicht.example"}}),
		read("m365_users_find", map[string]any{"query": "priya"}),
		read("halo_tickets_search", map[string]any{"agent": "me", "limit": 5}),
		read("halo_users_search", map[string]any{"email": contact}),
		read("halo_clients_overview", map[string]any{"client": "Hafen Logistik"}),
		read("halo_tickets_get", map[string]any{"ticket_id": halotest.TicketVPN}),
	}
}

func faultWrites(t *testing.T, w *world) []faultKind {
	write := func(tool string, count func() map[string]int, args func(marker string) map[string]any) faultKind {
		return faultKind{
			name: tool, tool: tool, count: count,
			args:    func(n int) map[string]any { return args(marker(n)) },
			markers: func(n int) []string { return []string{marker(n)} },
		}
	}
	kinds := []faultKind{
		write("m365_mail_send", func() map[string]int {
			return tally(w.m365.Sent(), func(m graphtest.SentMail) any { return m.Subject })
		}, func(marker string) map[string]any {
			return map[string]any{"to": []string{contact}, "subject": marker, "body": "x"}
		}),
		write("m365_cal_create", func() map[string]int {
			return tally(w.m365.Events(graphtest.SignedInUser), field("subject"))
		}, func(marker string) map[string]any {
			return map[string]any{"subject": marker, "start": "2031-05-05T10:00", "end": "2031-05-05T11:00"}
		}),
		write("halo_actions_add_note", func() map[string]int {
			return tally(w.halo.Actions(halotest.TicketPrinter), func(action halotest.Record) any { return fmt.Sprint(action["note"], action["note_html"]) })
		}, func(marker string) map[string]any {
			return map[string]any{"ticket_id": halotest.TicketPrinter, "note": marker}
		}),
		write("halo_time_log", func() map[string]int {
			return tally(w.halo.Actions(halotest.TicketXray), func(action halotest.Record) any { return fmt.Sprint(action["note"], action["note_html"]) })
		}, func(marker string) map[string]any {
			return map[string]any{"ticket_id": halotest.TicketXray, "duration": "15m", "note": marker}
		}),
		write("halo_tickets_create", func() map[string]int {
			return tally(w.halo.Tickets(), func(ticket halotest.Record) any { return ticket["summary"] })
		}, func(marker string) map[string]any {
			return map[string]any{"summary": marker, "ticket_type": "Incident", "user": contact, "category_1": "Hardware>Printer"}
		}),
	}
	first := len(faultReads()) + len(kinds)
	return append(kinds, batchKinds(t, w, first, first+2)...)
}

// batchKinds moves and copies messages, several with one $batch.
func batchKinds(t *testing.T, w *world, first, kinds int) []faultKind {
	t.Helper()
	folders := [2]string{"Archive", "Customers"}
	list := []faultKind{{name: "m365_mail_move, move"}, {name: "m365_mail_move, copy"}}
	for i := range list {
		drafts := map[string]string{} // ids of the messages by marker
		for n := first + i; n < faultCalls; n += kinds {
			for _, marker := range batchMarkers(n) {
				drafts[marker] = newDraft(t, w, marker)
			}
		}
		list[i].tool = "m365_mail_move"
		list[i].markers = batchMarkers
		list[i].args = func(n int) map[string]any {
			ids := []string{}
			for _, marker := range batchMarkers(n) {
				ids = append(ids, drafts[marker])
			}
			return map[string]any{"ids": ids, "folder": folders[i], "copy": i == 1}
		}
		list[i].failed = func(n int, result json.RawMessage) map[string]mcptools.Code {
			return failedOf(t, drafts, batchMarkers(n), result)
		}
		list[i].count = func() map[string]int {
			return tally(w.m365.Messages(graphtest.SignedInUser, folders[i]), field("subject"))
		}
	}
	return list
}

// newDraft makes a message in fair weather, to be moved in bad.
func newDraft(t *testing.T, w *world, subject string) string {
	t.Helper()
	result, err := w.tools.Call(t.Context(), "m365_mail_draft", json.RawMessage(fmt.Sprintf(`{"subject":%q}`, subject)))
	if err != nil {
		t.Fatal(err)
	}
	var draft struct{ ID string }
	if err := json.Unmarshal(result.Value, &draft); err != nil || draft.ID == "" {
		t.Fatalf("%v in %s", err, result.Value)
	}
	return draft.ID
}

// failedOf reads which of several messages a result names as failed, and how.
func failedOf(t *testing.T, drafts map[string]string, markers []string, result json.RawMessage) map[string]mcptools.Code {
	var moved struct {
		Failed []struct{ ID, Problem string }
	}
	if err := json.Unmarshal(result, &moved); err != nil {
		t.Error(err)
	}
	codes := map[string]mcptools.Code{}
	for _, failure := range moved.Failed {
		code, _, ok := strings.Cut(failure.Problem, ":")
		if !ok {
			t.Errorf("a failure that says nothing: %q", failure.Problem)
		}
		for _, marker := range markers {
			if drafts[marker] == failure.ID {
				codes[marker] = mcptools.Code(code)
			}
		}
	}
	return codes
}

func marker(n int) string { return fmt.Sprintf("marker-%05d", n) }

func batchMarkers(n int) []string {
	markers := make([]string, batched)
	for i := range markers {
		markers[i] = fmt.Sprintf("marker-%05d-%d", n, i)
	}
	return markers
}

var aMarker = regexp.MustCompile(`marker-\d{5}(-\d)?`)

// tally counts markers in one text of each row.
func tally[Row any](rows []Row, text func(Row) any) map[string]int {
	counts := map[string]int{}
	for _, row := range rows {
		if marker := aMarker.FindString(fmt.Sprint(text(row))); marker != "" {
			counts[marker]++
		}
	}
	return counts
}

func field(name string) func(map[string]any) any {
	return func(row map[string]any) any { return row[name] }
}
