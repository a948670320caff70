package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// GetMailInput names a message and how much of it to read.
type GetMailInput struct {
	Mailbox  string `json:"mailbox,omitempty"`
	ID       string `json:"id"`
	Body     string `json:"body,omitempty" enum:"markdown,text,html,none" default:"markdown"`
	Quoted   bool   `json:"quoted,omitempty" jsonschema:"keep the quoted history"`
	MaxChars int    `json:"max_chars,omitempty" minimum:"100" maximum:"16000" default:"8000"`
	Offset   int    `json:"offset,omitempty" minimum:"0"`
	Headers  bool   `json:"headers,omitempty" jsonschema:"internet headers"`
}

// Mail is a message with as much of its body as fits.
type Mail struct {
	ID          string          `json:"id"`
	Time        string          `json:"time,omitempty"`
	From        string          `json:"from,omitempty"`
	ReplyTo     []string        `json:"reply_to,omitempty"`
	To          []string        `json:"to,omitempty"`
	CC          []string        `json:"cc,omitempty"`
	BCC         []string        `json:"bcc,omitempty"`
	Subject     string          `json:"subject"`
	Unread      bool            `json:"unread,omitempty"`
	Flagged     bool            `json:"flagged,omitempty"`
	Draft       bool            `json:"draft,omitempty"`
	Importance  string          `json:"importance,omitempty"`
	Categories  []string        `json:"categories,omitempty"`
	Headers     []string        `json:"headers,omitempty"`
	Attachments []AttachmentRow `json:"attachments,omitempty"`
	Body        string          `json:"body,omitempty"`
	Cut         string          `json:"cut,omitempty" jsonschema:"what is missing"`
	NextOffset  int             `json:"next_offset,omitempty"`
}

const (
	defaultMailChars = 8000
	maxMailBytes     = 19_500 // of a message as JSON
	maxHeaderBytes   = 4_000
	maxAttachments   = 20 // listed with a message; the others can be read by name
)

// mailFields is what a message is read with, and no more.
const mailFields = "id,receivedDateTime,sentDateTime,from,replyTo,toRecipients,ccRecipients,bccRecipients,subject,isRead,isDraft,importance,categories,flag,hasAttachments"

// GetMail reads a message. It does not mark it as read.
// https://learn.microsoft.com/graph/api/message-get
func (c *Client) GetMail(ctx context.Context, in GetMailInput) (*Mail, error) {
	path, err := c.path(ctx, in.Mailbox, "/messages/{}", in.ID)
	if err != nil {
		return nil, err
	}
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return nil, err
	}
	query := url.Values{"$select": {mailFields}, "$expand": {"attachments($select=id,name,contentType,size,isInline)"}}
	var header http.Header
	switch in.Body {
	case "none":
	case "text":
		header = prefer(`outlook.body-content-type="text"`)
		fallthrough
	default:
		query.Set("$select", mailFields+",body")
	}
	if in.Headers {
		query.Set("$select", query.Get("$select")+",internetMessageHeaders")
	}
	var m message
	if err := c.get(ctx, path, query, header, &m); err != nil {
		return nil, err
	}
	mail := &Mail{
		ID: m.ID, Time: stamp(m.when(), zone), From: m.From.String(), ReplyTo: m.otherReplyTo(), To: names(m.To), CC: names(m.CC), BCC: names(m.BCC),
		Subject: m.Subject, Unread: !m.Read && !m.Draft, Flagged: m.Flag.Status == "flagged", Draft: m.Draft,
		Importance: unusual(m.Importance, "normal"), Categories: m.Categories, Headers: shownHeaders(m.Headers),
		Attachments: attachmentRows(m.Attachments),
	}
	if more := len(m.Attachments) - maxAttachments; more > 0 {
		mail.Cut = fmt.Sprintf("%d more attachments", more)
	}
	return mail, mail.fill(m, in)
}

// fill adds the part of the body that was asked for, as far as it fits.
func (mail *Mail) fill(m message, in GetMailInput) error {
	if m.Body == nil {
		return nil
	}
	text, cut, err := readable(*m.Body, in.Body, in.Quoted || forwarded(m.Subject))
	if err != nil {
		return err
	}
	if cut {
		mail.Cut = strings.TrimPrefix(mail.Cut+"; the quoted history: quoted=true shows it", "; ")
	}
	rest, err := json.Marshal(mail)
	if err != nil {
		return fmt.Errorf("graph: message: %w", err)
	}
	part, next := markup.Window(text, in.Offset, cmp.Or(in.MaxChars, defaultMailChars))
	mail.Body = markup.Fit(part, max(maxMailBytes-len(rest), 500))
	if len(mail.Body) < len(part) {
		next = in.Offset + utf8.RuneCountInString(mail.Body)
	}
	mail.NextOffset = next
	return nil
}

// readable returns a body in the wanted form, and whether its quoted history
// was cut off.
func readable(body itemBody, form string, quoted bool) (text string, cut bool, err error) {
	html := strings.EqualFold(body.ContentType, "html")
	switch {
	case form == "html":
		return body.Content, false, nil
	case html && quoted:
		text, err = markup.FromHTML(body.Content)
		return text, false, err
	case html:
		return markup.FromMail(body.Content)
	}
	text = strings.TrimSpace(strings.ReplaceAll(body.Content, "\r\n", "\n"))
	if quoted {
		return text, false, nil
	}
	text, cut = markup.CutQuoted(text)
	return text, cut, nil
}

// forwarded tells by the subject whether what a message quotes is its point.
func forwarded(subject string) bool {
	prefix, _, found := strings.Cut(strings.ToLower(strings.TrimSpace(subject)), ":")
	switch prefix {
	case "fw", "fwd", "wg", "tr", "rv":
		return found
	}
	return false
}

// shownHeaders writes internet headers, without those that only machines read.
func shownHeaders(headers []headerLine) []string {
	var lines []string
	size := 0
	for _, h := range headers {
		lower := strings.ToLower(h.Name)
		if strings.HasPrefix(lower, "x-ms-exchange-") || strings.HasPrefix(lower, "x-microsoft-") || strings.HasPrefix(lower, "arc-") ||
			lower == "dkim-signature" || lower == "x-forefront-antispam-report-untrusted" {
			continue
		}
		line := markup.Preview(h.Name+": "+h.Value, 300)
		if size += len(line); size > maxHeaderBytes {
			return append(lines, "…")
		}
		lines = append(lines, line)
	}
	return lines
}
