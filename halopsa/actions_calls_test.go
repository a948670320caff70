package halopsa_test

import (
	"encoding/base64"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

type args = map[string]any

// items returns the rows of a result.
func items(result map[string]any) []any {
	rows, _ := result["items"].([]any)
	return rows
}

// wants checks that a result has exactly these values.
func wants(values args) func(t *testing.T, result map[string]any) {
	return func(t *testing.T, result map[string]any) {
		t.Helper()
		for name, want := range values {
			if got := result[name]; got != want {
				t.Errorf("%s is %v, want %v, in %v", name, got, want, result)
			}
		}
	}
}

// wantsItems checks how many rows a result has.
func wantsItems(least int) func(t *testing.T, result map[string]any) {
	return func(t *testing.T, result map[string]any) {
		t.Helper()
		if len(items(result)) < least {
			t.Errorf("want %d rows in %v", least, result)
		}
	}
}

func cursorOf(tool string) func(catalogtest.Results) map[string]any {
	return func(earlier catalogtest.Results) map[string]any {
		return args{"cursor": earlier.Last(tool)["cursor"]}
	}
}

// actionsCalls uses every tool of the toolset with every argument.
func actionsCalls() []catalogtest.Call {
	ticket := halotest.TicketPrinter
	file := base64.StdEncoding.EncodeToString([]byte("<p>Hello <b>there</b></p>"))
	return []catalogtest.Call{
		{Tool: "halo_actions_list", Args: args{"ticket_id": ticket, "limit": 2}, Check: wantsItems(2)},
		{Tool: "halo_actions_list", Args: args{"ticket_id": ticket, "limit": 2}, With: cursorOf("halo_actions_list"), Check: wantsItems(2)},
		{Tool: "halo_actions_list", Args: args{"ticket_id": ticket, "exclude_system": true, "exclude_private": true, "conversation_only": true, "body": "none",
			"agent_only": true, "from": "-30d", "to": "now"}, Check: wantsItems(1)},
		{Tool: "halo_actions_list", Args: args{"ticket_id": ticket, "time_only": true, "body": "html"}, Check: wantsItems(2)},
		{Tool: "halo_actions_list", Args: args{"ticket_id": ticket, "important_only": true}, Check: wantsItems(0)},
		{Tool: "halo_actions_get", Args: args{"ticket_id": ticket, "action_id": 4, "include_email": true, "offset": 0}, Check: wants(args{"action": "Emailed User"})},
		{Tool: "halo_actions_get", Args: args{"ticket_id": ticket, "action_id": 400}, Code: mcptools.CodeNotFound},
		{Tool: "halo_actions_add_note", Args: args{"ticket_id": ticket, "note": "**Ordered** a spare", "format": "markdown", "outcome": "Internal Note", "important": true},
			Check: wants(args{"private": true})},
		{Tool: "halo_actions_add_note", Args: args{"ticket_id": ticket, "note": "A spare is on its way.", "private": false, "time": "20m"},
			Check: wants(args{"private": false, "minutes": 20.0, "hours": 0.3333})},
		{Tool: "halo_actions_update", With: func(earlier catalogtest.Results) map[string]any {
			return args{"ticket_id": ticket, "action_id": earlier.Last("halo_actions_add_note")["action_id"], "note": "Ordered two", "format": "text", "private": true, "time": "15m"}
		}, Check: wants(args{"private": true, "time": "15m"})},
		{Tool: "halo_actions_reply_to_user", Args: args{"ticket_id": ticket, "message": "A **new** printer is on its way.", "format": "markdown",
			"to": []string{"Anna Berg <anna.berg@hafenlogistik.example>"}, "cc": []string{"mira.koch@hafenlogistik.example"}, "subject": "Your printer",
			"outcome": "Email User", "new_status": "Waiting on User", "attachments": []any{args{"filename": "order.html", "content_base64": file}, args{"filename": "order.txt", "text": "One sensor"}}},
			Check: wants(args{"private": false})},
		{Tool: "halo_time_log", Args: args{"ticket_id": ticket, "duration": "1h30m", "note": "Replaced the printer", "billable": true, "charge_rate": "Remote Support",
			"started_at": "-3d", "travel": "20m", "visible_to_user": true, "outcome": "Log Time"}, Check: wants(args{"minutes": 90.0, "hours": 1.5})},
		{Tool: "halo_time_list", Args: args{"ticket_id": ticket, "from": "-30d", "to": "now", "agent": "me", "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_time_list", Args: args{"ticket_id": ticket, "from": "-30d", "to": "now", "agent": "me", "limit": 1}, With: cursorOf("halo_time_list"), Check: wantsItems(1)},
		{Tool: "halo_attachments_upload", Args: args{"ticket_id": ticket, "filename": "reading.txt", "text": "4.2 V"}},
		{Tool: "halo_attachments_upload", Args: args{"ticket_id": ticket, "action_id": 2, "filename": "reading.html", "content_base64": file, "visible_to_user": true}},
		{Tool: "halo_attachments_list", Args: args{"ticket_id": ticket, "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_attachments_list", Args: args{"ticket_id": ticket, "limit": 1}, With: cursorOf("halo_attachments_list"), Check: wantsItems(1)},
		{Tool: "halo_attachments_list", Args: args{"ticket_id": ticket, "action_id": 2}, Check: wantsItems(1)},
		{Tool: "halo_attachments_get", With: func(earlier catalogtest.Results) map[string]any {
			return args{"id": earlier.Last("halo_attachments_upload")["id"], "as": "text", "offset": 0}
		}, Check: wants(args{"text": "Hello **there**"})},
		{Tool: "halo_attachments_get", With: func(earlier catalogtest.Results) map[string]any {
			return args{"id": earlier.Last("halo_attachments_upload")["id"], "as": "base64", "max_bytes": 1000}
		}, Check: wants(args{"content_base64": file})},
	}
}
