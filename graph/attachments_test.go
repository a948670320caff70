package graph_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestAttachmentsAsText(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, c := range []struct{ subject, name, want string }{
		{"Label printer in hall 3 prints blank labels", "printer-log.txt", "ribbon sensor: NO RIBBON SIGNAL"},
		{"Backup of the practice server", "backup-report.html", "| srv-02 | Warning: 2 files in use |"},
		{"Mail to our forwarder comes back", "Invoice 8831.eml", "Subject: Invoice 8831\n\nPlease find our invoice"},
		{"Firewall export for the audit", "firewall-export.csv", "allow tcp"},
	} {
		id := s.message(t, c.subject)
		byName := s.call(t, "m365_mail_attachment", args{"message_id": id, "attachment_id": c.name, "max_chars": 400})
		if text, _ := byName["text"].(string); !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", c.name, text)
		}
		row := s.call(t, "m365_mail_get", args{"id": id, "body": "none"})["attachments"].([]any)[0].(map[string]any)
		byID := s.call(t, "m365_mail_attachment", args{"message_id": id, "attachment_id": row["id"], "max_chars": 400})
		if byID["text"] != byName["text"] {
			t.Errorf("%s: by id: %v", c.name, byID)
		}
	}
}

func TestAttachmentInParts(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := s.message(t, "Firewall export for the audit")
	offset, total := 0, 0
	for range 3 {
		var part graph.Attachment
		s.into(t, "m365_mail_attachment", args{"message_id": id, "attachment_id": "firewall-export.csv", "max_chars": 16000, "offset": offset}, &part)
		if part.NextOffset != offset+len(part.Text) {
			t.Fatalf("%d characters from %d lead to %d", len(part.Text), offset, part.NextOffset)
		}
		offset, total = part.NextOffset, total+len(part.Text)
	}
	if total < 40_000 {
		t.Errorf("%d characters in three parts", total)
	}
}

func TestAttachmentsWithoutText(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := s.message(t, "Offer 2041 for Alster Dental")
	e := s.fails(t, mcptools.CodeNotSupported, "m365_mail_attachment", args{"message_id": id, "attachment_id": "Offer 2041.pdf"})
	if !strings.Contains(e.Message, "not available yet") || !strings.Contains(e.Hint, "as=base64") {
		t.Error(e)
	}
	file := s.call(t, "m365_mail_attachment", args{"message_id": id, "attachment_id": "Offer 2041.pdf", "as": "base64"})
	content, err := base64.StdEncoding.DecodeString(file["base64"].(string))
	if err != nil || !strings.HasPrefix(string(content), "%PDF-1.4") {
		t.Errorf("got %q, %v", content, err)
	}
	large := s.message(t, "Firewall export for the audit")
	s.fails(t, mcptools.CodeTooLarge, "m365_mail_attachment", args{"message_id": large, "attachment_id": "firewall-export.csv", "as": "base64"})
	if e := s.fails(t, mcptools.CodeNotFound, "m365_mail_attachment", args{"message_id": large, "attachment_id": "other.csv"}); !strings.Contains(e.Hint, "firewall-export.csv") {
		t.Error(e)
	}
}
