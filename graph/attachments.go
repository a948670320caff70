package graph

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/msptoolbelt/toolbelt/internal/doctext"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// attachment is an attachment as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/attachment
type attachment struct {
	Type        string `json:"@odata.type"`
	ID          string `json:"id"`
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Size        int    `json:"size"`
	Inline      bool   `json:"isInline"`
}

// AttachmentRow is one attachment of a message.
type AttachmentRow struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Type   string `json:"type,omitempty"`
	Size   int    `json:"size" jsonschema:"bytes"`
	Inline bool   `json:"inline,omitempty"`
}

// The types of attachments that are no files.
const (
	typeItem      = "#microsoft.graph.itemAttachment"
	typeReference = "#microsoft.graph.referenceAttachment"
)

func attachmentRows(attachments []attachment) []AttachmentRow {
	var rows []AttachmentRow
	for _, a := range attachments[:min(len(attachments), maxAttachments)] {
		rows = append(rows, AttachmentRow{ID: a.ID, Name: markup.Preview(a.Name, 120), Type: markup.Preview(a.mediaType(), 80), Size: a.Size, Inline: a.Inline})
	}
	return rows
}

// mediaType is the content type, with a name for what is no file.
func (a attachment) mediaType() string {
	switch a.Type {
	case typeItem:
		return cmp.Or(a.ContentType, "message/rfc822")
	case typeReference:
		return "link"
	}
	return a.ContentType
}

const (
	// maxReadable bounds the attachments that are read as text.
	maxReadable = 20 << 20
	// maxBase64 bounds the bytes of an attachment that go to a model: as base64
	// they cost about one token per byte.
	maxBase64 = 12 << 10

	defaultAttachmentChars = 8000
	maxAttachmentBytes     = 18_500 // of the text, as JSON
)

// GetAttachmentInput names an attachment and how to read it.
type GetAttachmentInput struct {
	Mailbox      string `json:"mailbox,omitempty"`
	MessageID    string `json:"message_id"`
	AttachmentID string `json:"attachment_id" jsonschema:"id, or the file's name"`
	As           string `json:"as,omitempty" enum:"text,base64" default:"text"`
	MaxChars     int    `json:"max_chars,omitempty" minimum:"100" maximum:"16000" default:"8000"`
	Offset       int    `json:"offset,omitempty" minimum:"0"`
}

// Attachment is an attachment with as much of its text as fits, or its bytes.
type Attachment struct {
	Name       string `json:"name"`
	Type       string `json:"type,omitempty"`
	Size       int    `json:"size"`
	Text       string `json:"text,omitempty"`
	Base64     string `json:"base64,omitempty"`
	NextOffset int    `json:"next_offset,omitempty"`
}

// GetAttachment reads an attachment: text and data formats that are text as
// they are, HTML as Markdown, an attached message as its headers and text.
// https://learn.microsoft.com/graph/api/attachment-get
func (c *Client) GetAttachment(ctx context.Context, in GetAttachmentInput) (*Attachment, error) {
	a, path, err := c.findAttachment(ctx, in)
	if err != nil {
		return nil, err
	}
	result := &Attachment{Name: a.Name, Type: a.mediaType(), Size: a.Size}
	if err := a.checkReadable(in.As); err != nil {
		return nil, err
	}
	ctx = resilience.With(ctx, resilience.Call{MaxResponseBytes: maxReadable})
	response, err := c.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: path + "/$value"})
	if err != nil {
		return nil, err
	}
	if in.As == "base64" {
		if len(response.Body) > maxBase64 {
			return nil, a.tooLargeForBase64(len(response.Body))
		}
		result.Size, result.Base64 = len(response.Body), base64.StdEncoding.EncodeToString(response.Body)
		return result, nil
	}
	text, err := a.text(response)
	if err != nil {
		return nil, err
	}
	part, next := markup.Window(text, in.Offset, cmp.Or(in.MaxChars, defaultAttachmentChars))
	result.Text = markup.Fit(part, maxAttachmentBytes)
	if len(result.Text) < len(part) {
		next = in.Offset + utf8.RuneCountInString(result.Text)
	}
	result.NextOffset = next
	return result, nil
}

// findAttachment returns what an attachment is, and its path. Models repeat a
// file's name more reliably than its id, so the name will do.
func (c *Client) findAttachment(ctx context.Context, in GetAttachmentInput) (attachment, string, error) {
	all, err := c.path(ctx, in.Mailbox, "/messages/{}/attachments", in.MessageID)
	if err != nil {
		return attachment{}, "", err
	}
	query := url.Values{"$select": {"id,name,contentType,size,isInline"}}
	if outlookID.MatchString(in.AttachmentID) {
		path, err := rest.Path("/{}", in.AttachmentID)
		if err != nil {
			return attachment{}, "", err
		}
		var a attachment
		err = c.get(ctx, all+path, query, nil, &a)
		return a, all + path, err
	}
	var list struct {
		Value []attachment `json:"value"`
	}
	if err := c.get(ctx, all, query, nil, &list); err != nil {
		return attachment{}, "", err
	}
	a, err := chooseAttachment(list.Value, in.AttachmentID)
	if err != nil {
		return attachment{}, "", err
	}
	path, err := rest.Path("/{}", a.ID)
	return a, all + path, err
}

// checkReadable refuses early what cannot be had in this form.
func (a attachment) checkReadable(as string) error {
	switch {
	case a.Type == typeReference:
		return mcptools.Errorf(mcptools.CodeNotSupported, "%q is a link to a file in the cloud, not a file", markup.Preview(a.Name, 80)).
			WithHint("the link stands in the body of the message: m365_mail_get")
	case as == "base64" && a.Type != typeItem && a.Size > maxBase64+(2<<10): // the size counts some overhead
		return a.tooLargeForBase64(a.Size)
	case as == "base64" || a.Type == typeItem:
		return nil
	}
	if kind, _ := doctext.KindOf(a.Name, a.ContentType); kind == "" {
		return a.noText()
	}
	if a.Size > maxReadable {
		return mcptools.Errorf(mcptools.CodeTooLarge, "%q has %d MB; text is read from up to %d MB", markup.Preview(a.Name, 80), a.Size>>20, maxReadable>>20)
	}
	return nil
}

func (a attachment) tooLargeForBase64(size int) error {
	return mcptools.Errorf(mcptools.CodeTooLarge, "%q has %d KB; as base64 at most %d KB are returned", markup.Preview(a.Name, 80), size>>10, maxBase64>>10).
		WithHint("read it as text if it is a text, or ask the user to open it")
}

// noText says what is not there yet rather than that something went wrong.
func (a attachment) noText() error {
	e := mcptools.Errorf(mcptools.CodeNotSupported, "no text can be read from %q (%s): text extraction for this format is not available yet",
		markup.Preview(a.Name, 80), cmp.Or(markup.Preview(a.ContentType, 60), "unknown type"))
	if a.Size <= maxBase64 {
		return e.WithHint("as=base64 returns its bytes")
	}
	return e.WithHint("ask the user to open it; it is too large for as=base64")
}

// text returns the text of the attachment's content. An attached item comes as
// the text format of its kind: a message, an appointment or a contact.
func (a attachment) text(response *rest.Response) (string, error) {
	contentType := a.ContentType
	if a.Type == typeItem {
		contentType = itemType(response)
	}
	text, err := doctext.Text(a.Name, contentType, response.Body)
	if errors.Is(err, doctext.ErrNoText) {
		return "", a.noText()
	}
	if err != nil {
		return "", &mcptools.Error{Code: mcptools.CodeNotSupported, Message: "the attachment cannot be read as text", Err: err}
	}
	return text, nil
}

// itemType tells the format of an attached item by its content: Graph labels
// them all alike.
func itemType(response *rest.Response) string {
	start := strings.ToUpper(string(response.Body[:min(len(response.Body), 20)]))
	switch {
	case strings.HasPrefix(start, "BEGIN:VCALENDAR"):
		return "text/calendar"
	case strings.HasPrefix(start, "BEGIN:VCARD"):
		return "text/vcard"
	}
	return "message/rfc822"
}

// chooseAttachment finds an attachment by its id or its name.
func chooseAttachment(list []attachment, wanted string) (attachment, error) {
	candidates := make([]match.Candidate, 0, len(list))
	for _, a := range list {
		candidates = append(candidates, match.Candidate{ID: a.ID, Name: a.Name, Note: a.mediaType()})
	}
	one, err := match.One("attachment", wanted, candidates)
	if err != nil {
		return attachment{}, err
	}
	return list[slices.IndexFunc(list, func(a attachment) bool { return a.ID == one.ID })], nil
}
