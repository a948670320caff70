package halotest

import (
	"encoding/base64"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

func attachmentRoutes() map[string]handler {
	return map[string]handler{
		"GET /Attachment":         (*call).listAttachments,
		"GET /Attachment/{id}":    (*call).getAttachment,
		"POST /Attachment":        (*call).saveAttachments,
		"DELETE /Attachment/{id}": func(c *call) (any, error) { return c.remove(c.data.attachments, "Attachment") },
	}
}

// Attachment is a file on a ticket.
type Attachment struct {
	ID, TicketID, ActionID int
	Filename, ContentType  string
	Content                []byte
}

// Attachments returns the files of a ticket.
func (s *Server) Attachments(ticketID int) []Attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var files []Attachment
	for _, row := range s.data.attachments.all() {
		if row.Int("ticket_id") == ticketID {
			content, _ := row["content"].([]byte)
			files = append(files, Attachment{ID: row.Int("id"), TicketID: ticketID, ActionID: row.Int("action_id"),
				Filename: row.String("filename"), ContentType: row.String("content_type"), Content: content})
		}
	}
	return files
}

// listAttachments needs a ticket; its envelope has a second array, folders,
// which is not the one to read (research 3.5).
func (c *call) listAttachments() (any, error) {
	ticket, ok := c.query.number("ticket_id")
	if !ok {
		ticket, ok = c.query.number("unique_id")
	}
	rows := []Record{}
	if ok {
		rows = c.data.attachments.where(func(row Record) bool { return row.Int("ticket_id") == ticket }, c.query.within("action_id", "action_id"))
	}
	side := Record{"folders": []Record{{"id": 1, "name": "Contracts"}, {"id": 2, "name": "Photos"}}, "ticket_id": ticket, "type": 0, "unique_id": ticket}
	return c.reply(listing{key: "attachments", rows: rows, view: describe, unpaged: true, side: side})
}

// describe is an attachment without its content.
func describe(row Record) Record {
	content, _ := row["content"].([]byte)
	return row.without("content").with(Record{"filesize": len(content)})
}

// getAttachment brings the content with includedetails=true, in the field that
// the build uses (3.6, open question 5).
func (c *call) getAttachment() (any, error) {
	row, err := c.find(c.data.attachments, "Attachment")
	if err != nil {
		return nil, err
	}
	view := describe(row)
	if c.query.flag("includedetails") {
		content, _ := row["content"].([]byte)
		encoded := base64.StdEncoding.EncodeToString(content)
		if c.options.AttachmentContent == "link" {
			encoded = "data:" + row.String("content_type") + ";base64," + encoded
		}
		view[c.options.AttachmentContent] = encoded
	}
	return c.single("attachments", view)
}

func (c *call) saveAttachments() (any, error) {
	return c.each("attachments", func(in Record) (Record, error) {
		ticket := in.Int("ticket_id")
		if row, ok := c.data.tickets.rows[ticket]; !ok || row.Bool("deleted") {
			return nil, refuse(ErrorException, "Object reference not set to an instance of an object.")
		}
		if action := in.Int("action_id"); action != 0 && c.data.actions[ticket].rows[action] == nil {
			return nil, notFound("Action", action)
		}
		return c.attach(in, ticket, in.Int("action_id"))
	})
}

// addAttachments stores the files that ride on a ticket or an action.
func (c *call) addAttachments(in Record, ticket, action int) error {
	for _, file := range in.List("attachments") {
		if _, err := c.attach(file, ticket, action); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) attach(in Record, ticket, action int) (Record, error) {
	name := in.String("filename")
	if name == "" {
		return nil, refuse(ErrorSentence, "A filename must be entered for this Attachment")
	}
	text := in.String("data_base64")
	if _, data, isURL := strings.Cut(text, ";base64,"); isURL && strings.HasPrefix(text, "data:") {
		text = data
	}
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(content) == 0 {
		c.violate(fakehttp.WrongKind, "Attachment.data_base64 must be base64")
		return nil, &failure{http.StatusBadRequest, ErrorException, "The input is not a valid Base-64 string."}
	}
	kind := mime.TypeByExtension(path.Ext(name))
	row := c.data.attachments.add(Record{
		"filename": name, "ticket_id": ticket, "unique_id": ticket, "action_id": action, "type": 0, "desc": in.String("desc"), "datecreated": stamp(c.now),
		"isimage": strings.HasPrefix(kind, "image/"), "content_type": kind, "showforusers": in.Bool("showforusers"), "content": content,
	})
	count := func(t *table, id int) {
		if have, ok := t.rows[id]; ok {
			t.put(have.with(Record{"attachment_count": have.Int("attachment_count") + 1}))
		}
	}
	count(c.data.tickets, ticket)
	count(c.data.actions[ticket], action)
	return describe(row), nil
}
