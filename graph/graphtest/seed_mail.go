package graphtest

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// seedMail is one row of the seeded mail. An empty sender means the owner of
// the mailbox, whose copy is in Sent Items.
type seedMail struct {
	folder  string // well-known name or display name; empty: inbox
	thread  string // conversation; empty: one of its own
	from    string // name of an employee or contact, or "Name <address>"
	to      string // names; empty: the owner of the mailbox
	cc      string
	hours   float64 // before the start of the server
	subject string
	body    string // HTML when it begins with <
	unread  bool
	flag    string
	files   func() []*attachment
}

func (s *Server) seedMail() {
	sam := s.box(SignedInUser)
	root := sam.folder("msgfolderroot")
	customers := s.addFolder(sam, root, "Customers")
	s.addFolder(sam, customers, "Hafen Logistik")
	s.addFolder(sam, customers, "Alster Dental")
	s.addFolder(sam, root, "Alerts")
	for _, row := range samsMail {
		s.file(sam, row)
	}
	for i := range 22 { // the noise every technician has
		host := fmt.Sprintf("srv-%02d.hafenlogistik.example", i%7+1)
		s.file(sam, seedMail{
			folder: "Alerts", from: "Monitoring <no-reply@monitoring.nordlicht.example>", hours: float64(30 + i*19), subject: fmt.Sprintf("[RESOLVED] Disk space on %s", host),
			body: fmt.Sprintf("Disk C: on %s is back to %d %% used. Check %d of today.", host, 60+i, i+1),
		})
	}
	s.file(s.box("servicedesk@nordlicht.example"), seedMail{from: "Mira Koch", hours: 5, subject: "Shared calendar for the gate team", unread: true, body: "Hello,\ncould you set up a shared calendar for the gate team, please? Six people, all of us should be able to edit.\nThanks, Mira Koch"})
	s.file(s.box("servicedesk@nordlicht.example"), seedMail{from: "Dr. Lena Vogt", hours: 52, subject: "X-ray workstation is slow in the morning", body: "Between 8 and 9 the X-ray workstation takes minutes to open a picture. Best regards, Lena Vogt"})
	for _, name := range []string{"Priya Nair", "Tom Lindqvist", "Elif Demir"} {
		s.file(s.box(address(name)), seedMail{from: "Henrik Olsen", hours: 28, subject: "Quarterly all-hands on Thursday", body: "Dear all, we meet at 10:00 in room Elbe. Henrik"})
	}
	s.addRule(sam, "Monitoring to Alerts", object{
		"conditions": object{"senderContains": []any{"no-reply@monitoring.nordlicht.example"}},
		"actions":    object{"moveToFolder": sam.named("Alerts").id, "stopProcessingRules": true},
	})
	s.addRule(sam, "Flag mails from Tom", object{
		"conditions": object{"fromAddresses": []any{recipient("Tom Lindqvist", "tom.lindqvist@nordlicht.example")}},
		"actions":    object{"markImportance": "high"},
	})
}

func (b *mailbox) named(name string) *folder {
	for _, f := range b.folders {
		if f.name == name {
			return f
		}
	}
	return b.folder(name)
}

// file puts a row into a mailbox.
func (s *Server) file(b *mailbox, row seedMail) {
	f := b.named(firstOf(row.folder, "inbox"))
	when := timestamp(s.started.Add(-time.Duration(row.hours * float64(time.Hour))))
	kind := "text"
	if strings.HasPrefix(row.body, "<") {
		kind = "html"
	}
	props := emptyMessage(s.nextItem)
	me := recipient(b.owner.name(), b.owner.mail())
	props["from"], props["sender"] = me, me
	if row.from != "" {
		from := s.correspondent(row.from)
		props["from"], props["sender"] = from, from
		props["internetMessageHeaders"] = []any{object{"name": "Received", "value": "from mx.example by mail.nordlicht.example"}, object{"name": "X-Spam-Score", "value": "0.1"}}
	}
	props["toRecipients"], props["ccRecipients"] = []any{me}, s.correspondents(row.cc)
	if row.to != "" {
		props["toRecipients"] = s.correspondents(row.to)
	}
	props["subject"], props["body"] = row.subject, object{"contentType": kind, "content": row.body}
	props["bodyPreview"] = preview(props["body"].(object))
	for _, name := range []string{"createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime"} {
		props[name] = when
	}
	props["isRead"], props["isDraft"] = !row.unread, row.folder == "drafts"
	if row.flag != "" {
		props["flag"] = object{"flagStatus": row.flag}
	}
	props["conversationId"] = b.conversationID(s.nextItem + 1)
	if row.thread != "" {
		props["conversationId"] = b.conversationID(-1 - len(row.thread)*31 - int(row.thread[0]))
	}
	var files []*attachment
	if row.files != nil {
		files = row.files()
	}
	for _, a := range files {
		a.n = s.item()
		a.props["lastModifiedDateTime"] = when
	}
	s.add(b, f, props, files...)
}

func (s *Server) correspondents(names string) []any {
	out := []any{}
	for name := range strings.SplitSeq(names, ",") {
		if name != "" {
			out = append(out, s.correspondent(strings.TrimSpace(name)))
		}
	}
	return out
}

// correspondent finds the address behind a name.
func (s *Server) correspondent(name string) object {
	if name, mail, ok := strings.Cut(name, " <"); ok {
		return recipient(name, strings.TrimSuffix(mail, ">"))
	}
	for _, c := range contacts {
		if c.name == name {
			return recipient(c.name, c.address)
		}
	}
	return recipient(name, address(name))
}

func printerLog() []*attachment {
	return []*attachment{
		newFile("printer-log.txt", "text/plain", []byte("08:02:11 job 4711 accepted\n08:02:12 ribbon sensor: NO RIBBON SIGNAL\n08:02:12 label printed (0 dots)\n08:04:55 job 4712 accepted\n08:04:56 ribbon sensor: NO RIBBON SIGNAL\n")),
		inline(newFile("logo.png", "image/png", []byte("\x89PNG\r\n\x1a\n logo of Hafen Logistik"))),
	}
}

func inline(a *attachment) *attachment {
	a.props["isInline"], a.props["contentId"] = true, a.props["name"]
	return a
}

func offerPDF() []*attachment {
	return []*attachment{newFile("Offer 2041.pdf", "application/pdf", []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"))}
}

func firewallExport() []*attachment {
	line := []byte("allow tcp 10.20.0.0/16 any 443 # reviewed\n")
	return []*attachment{newFile("firewall-export.csv", "text/csv", bytes.Repeat(line, (4<<20)/len(line)))}
}

func report() []*attachment {
	return []*attachment{newFile("backup-report.html", "text/html", []byte("<html><body><h1>Backup report</h1><table><tr><th>Server</th><th>Result</th></tr><tr><td>srv-01</td><td>OK</td></tr><tr><td>srv-02</td><td>Warning: 2 files in use</td></tr></table></body></html>"))}
}

// bounced is a mail attached to a mail.
func bounced() []*attachment {
	original := object{
		"@odata.type": "#microsoft.graph.message", "subject": "Invoice 8831", "from": recipient("Jonas Weber", "jonas.weber@hafenlogistik.example"),
		"toRecipients": []any{recipient("Accounts", "accounts@spediteur.example")}, "sentDateTime": "2026-01-12T09:30:00Z", "internetMessageId": "<8831@hafenlogistik.example>",
		"body": object{"contentType": "text", "content": "Please find our invoice 8831 attached.\nJonas Weber"},
	}
	a := newFile("Invoice 8831.eml", "message/rfc822", messageMIME(original, nil))
	a.kind, a.item = "itemAttachment", original
	a.props["contentType"] = nil
	return []*attachment{a}
}
