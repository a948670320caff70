package graph_test

import (
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
)

// foundMail gives the id of the first message of the latest search, by
// the name of the argument that takes it.
func foundMail(argument string) func(catalogtest.Results) map[string]any {
	return func(earlier catalogtest.Results) map[string]any {
		id := items(earlier.Last("m365_mail_search"))[0]["id"]
		if argument == "ids" {
			return args{"ids": []any{id}}
		}
		return args{argument: id}
	}
}

// mailCalls uses every tool and every argument of the mail toolset.
func mailCalls() []catalogtest.Call {
	const me = graphtest.SignedInUser
	small := []any{args{"name": "note.txt", "text": "hello"}, args{"name": "a.bin", "content_base64": "AAEC", "content_type": "application/x-test"}}
	draftID := func(earlier catalogtest.Results) map[string]any {
		return args{"id": earlier.Last("m365_mail_draft")["id"]}
	}
	return []catalogtest.Call{
		{Tool: "m365_mail_search", Args: args{"mailbox": me, "folder": "inbox", "from": "anna.berg@hafenlogistik.example", "after": "-30d", "before": "now", "limit": 5, "has_attachments": true}, Check: hasItems},
		{Tool: "m365_mail_search", Args: args{"query": "shift", "unread": true, "subject": "afternoon"}, Check: hasItems},
		{Tool: "m365_mail_search", Args: args{"flagged": true}, Check: hasItems},
		{Tool: "m365_mail_search", Args: args{"limit": 3}, Check: hasItems},
		{Tool: "m365_mail_search", Args: args{"limit": 3}, With: func(earlier catalogtest.Results) map[string]any {
			return args{"cursor": earlier.Last("m365_mail_search")["cursor"]}
		}, Check: hasItems},
		{Tool: "m365_mail_search", Args: args{"query": "label printer"}, Check: hasItems},
		{Tool: "m365_mail_get", Args: args{"mailbox": me, "body": "markdown", "max_chars": 200, "offset": 10, "headers": true, "quoted": true}, With: foundMail("id")},
		{Tool: "m365_mail_thread", Args: args{"mailbox": me, "limit": 10}, With: foundMail("id")},
		{Tool: "m365_mail_folders", Args: args{"mailbox": me, "recursive": true, "limit": 4}, Check: hasItems},
		{Tool: "m365_mail_folders", Args: args{"mailbox": me, "recursive": true, "limit": 4}, With: func(earlier catalogtest.Results) map[string]any {
			return args{"cursor": earlier.Last("m365_mail_folders")["cursor"]}
		}, Check: hasItems},
		{Tool: "m365_mail_attachment", Args: args{"mailbox": me, "attachment_id": "printer-log.txt", "as": "text", "max_chars": 100, "offset": 5}, With: foundMail("message_id")},
		{Tool: "m365_mail_send", Args: args{"mailbox": me, "to": []any{"Anna Berg <anna.berg@hafenlogistik.example>"}, "cc": []any{"tom.lindqvist@nordlicht.example"}, "bcc": []any{"mira.koch@hafenlogistik.example"},
			"subject": "Printer", "body": "**Done**", "body_type": "markdown", "importance": "high", "attachments": small, "draft_only": false}},
		{Tool: "m365_mail_reply", Args: args{"mailbox": me, "mode": "reply_all", "body": "On my way", "body_type": "text", "to": []any{"tom.lindqvist@nordlicht.example"}, "cc": []any{"priya.nair@nordlicht.example"}, "attachments": small, "draft_only": true}, With: foundMail("id")},
		{Tool: "m365_mail_draft", Args: args{"mailbox": me, "to": []any{"anna.berg@hafenlogistik.example"}, "cc": []any{"tom.lindqvist@nordlicht.example"}, "bcc": []any{},
			"subject": "Draft", "body": "<p>Hi</p>", "body_type": "html", "importance": "low", "attachments": small}},
		{Tool: "m365_mail_draft", Args: args{"subject": "Draft 2"}, With: draftID},
		{Tool: "m365_mail_draft_send", Args: args{"mailbox": me}, With: draftID},
		{Tool: "m365_mail_update", Args: args{"mailbox": me, "read": true, "flag": "flagged", "categories": []any{"Customer"}, "importance": "high"}, With: foundMail("ids")},
		{Tool: "m365_mail_folder_edit", Args: args{"mailbox": me, "name": "Printers", "parent": "Customers/Hafen Logistik"}},
		{Tool: "m365_mail_folder_edit", Args: args{"folder": "Printers", "name": "Label printers"}},
		{Tool: "m365_mail_move", Args: args{"mailbox": me, "folder": "Label printers", "copy": true}, With: foundMail("ids")},
		{Tool: "m365_mail_delete", Args: args{"mailbox": me, "permanent": false}, With: foundMail("ids")},
		{Tool: "m365_mail_rules", Args: args{"mailbox": me}},
		{Tool: "m365_mail_rule_edit", Args: args{"mailbox": me, "action": "create", "name": "Printers", "enabled": true, "from": []any{"anna.berg@hafenlogistik.example"}, "subject_contains": []any{"printer"},
			"body_contains": []any{"label"}, "sent_to": []any{me}, "has_attachments": true, "move_to": "Archive", "forward_to": []any{"tom.lindqvist@nordlicht.example"}, "redirect_to": []any{"priya.nair@nordlicht.example"},
			"mark_read": true, "delete": false, "stop": true}},
		{Tool: "m365_mail_rule_edit", Args: args{"action": "delete", "rule": "Printers"}},
		{Tool: "m365_mailbox_settings", Args: args{"mailbox": me}},
		{Tool: "m365_mailbox_settings_edit", Args: args{"mailbox": me, "auto_reply": "scheduled", "reply_start": "tomorrow 08:00", "reply_end": "+5d", "internal_reply": "Away", "external_reply": "Away until *Monday*", "audience": "all",
			"time_zone": "Europe/London", "work_days": []any{"monday", "tuesday"}, "work_start": "09:00", "work_end": "15:30"}},
	}
}

func hasItems(t *testing.T, result map[string]any) {
	t.Helper()
	if len(items(result)) == 0 {
		t.Errorf("no items in %v", result)
	}
}
