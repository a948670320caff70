package halopsa

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/msptoolbelt/toolbelt/internal/doctext"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

const (
	maxUpload   = 10 << 20 // bytes of a file that is attached
	maxFileText = 12_000   // characters of a file's text in one result
	maxDownload = 100_000  // bytes of a file as base64, unless more is asked for
)

// attachment is a file as Halo sends it. The content is in one of several
// fields, depending on the build.
type attachment struct {
	ID       whole  `json:"id"`
	Filename string `json:"filename"`
	Type     string `json:"content_type"`
	Size     whole  `json:"filesize"`
	At       moment `json:"datecreated"`
	TicketID whole  `json:"ticket_id"`
	ActionID whole  `json:"action_id"`
	Visible  *truth `json:"showforusers"`
	Base64   string `json:"data_base64"`
	Data     string `json:"data"`
	Link     string `json:"link"`
}

// AttachmentRow is a file in a list.
type AttachmentRow struct {
	ID       int    `json:"id"`
	Filename string `json:"filename"`
	Type     string `json:"content_type,omitempty"`
	Size     int    `json:"size,omitempty" jsonschema:"bytes"`
	At       string `json:"at,omitempty"`
	ActionID int    `json:"action_id,omitempty"`
}

func (c *Client) attachmentRow(a attachment) AttachmentRow {
	return AttachmentRow{ID: int(a.ID), Filename: markup.Preview(a.Filename, 120), Type: a.Type, Size: int(a.Size), At: c.stamp(a.At), ActionID: int(a.ActionID)}
}

// ListAttachmentsInput names a ticket, or an action of it.
type ListAttachmentsInput struct {
	TicketID int    `json:"ticket_id" minimum:"1"`
	ActionID int    `json:"action_id,omitempty" minimum:"1" jsonschema:"of this action"`
	Limit    int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`
	Cursor   string `json:"cursor,omitempty"`
}

// ListAttachments lists the files of a ticket. GET /Attachment, whose answer
// has a second list, of folders.
func (c *Client) ListAttachments(ctx context.Context, in ListAttachmentsInput) (*mcptools.Page[AttachmentRow], error) {
	l := collection{tool: "attachments_list", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 50), path: "/Attachment", key: "attachments",
		query: params("ticket_id", number(in.TicketID), "action_id", number(in.ActionID))}
	return unpaged(ctx, c, l, func(a attachment) (AttachmentRow, bool) {
		return c.attachmentRow(a), in.ActionID == 0 || int(a.ActionID) == in.ActionID
	})
}

// GetAttachmentInput names a file and the form it is wanted in.
type GetAttachmentInput struct {
	ID       int    `json:"id" minimum:"1"`
	As       string `json:"as,omitempty" enum:"text,base64,metadata" default:"text"`
	Offset   int    `json:"offset,omitempty" minimum:"0" jsonschema:"next_offset of a long text"`
	MaxBytes int    `json:"max_bytes,omitempty" minimum:"1" maximum:"5000000" default:"100000" jsonschema:"for base64"`
}

// File is one file.
type File struct {
	AttachmentRow

	Text          string `json:"text,omitempty"`
	NextOffset    int    `json:"next_offset,omitempty"`
	ContentBase64 string `json:"content_base64,omitempty"`
}

// GetAttachment reads a file: the text of text, HTML, data and mail files, or
// any file as base64. GET /Attachment/{id}
func (c *Client) GetAttachment(ctx context.Context, in GetAttachmentInput) (*File, error) {
	location, err := rest.Path("/Attachment/{}", strconv.Itoa(in.ID))
	if err != nil {
		return nil, err
	}
	kind := cmp.Or(in.As, "text")
	var a attachment
	err = c.record(ctx, location, in.ID, params("includedetails", flag(kind != "metadata")), &a)
	if errors.Is(err, mcptools.CodeNotFound) {
		return nil, mcptools.Errorf(mcptools.CodeNotFound, "there is no attachment %d", in.ID).WithHint("list them with halo_attachments_list")
	}
	if err != nil {
		return nil, err
	}
	out := &File{AttachmentRow: c.attachmentRow(a)}
	if kind == "metadata" {
		return out, nil
	}
	content, err := a.content()
	if err != nil {
		return nil, err
	}
	out.Size = len(content)
	if out.Type == "" || out.Type == "application/octet-stream" {
		out.Type = http.DetectContentType(content)
	}
	if kind == "base64" {
		if limit := cmp.Or(in.MaxBytes, maxDownload); len(content) > limit {
			return nil, mcptools.Errorf(mcptools.CodeTooLarge, "%s has %d bytes, more than the %d allowed here", out.Filename, len(content), limit).
				WithHint("raise max_bytes")
		}
		out.ContentBase64 = base64.StdEncoding.EncodeToString(content)
		return out, nil
	}
	text, err := doctext.Text(a.Filename, a.Type, content)
	if err != nil {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "the text of %s (%s, %d bytes) cannot be read", out.Filename, out.Type, len(content)).
			WithHint("get it with as=base64")
	}
	out.Text, out.NextOffset = markup.Window(text, in.Offset, maxFileText)
	return out, nil
}

// content returns the bytes of a file. A link is followed only when it holds
// the content itself: others lead to hosts that are none of Halo's API.
func (a attachment) content() ([]byte, error) {
	encoded := cmp.Or(a.Base64, a.Data, a.Link)
	if strings.HasPrefix(encoded, "http:") || strings.HasPrefix(encoded, "https:") {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "this instance keeps the content of %s elsewhere", markup.Preview(a.Filename, 80)).WithHint("open it in HaloPSA")
	}
	content, err := decodeBase64(encoded)
	if err != nil || encoded == "" {
		return nil, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "HaloPSA sent no content of " + markup.Preview(a.Filename, 80), Err: err}
	}
	return content, nil
}

// decodeBase64 reads base64 with or without padding, line breaks and the head
// of a data URL.
func decodeBase64(text string) ([]byte, error) {
	if _, data, ok := strings.Cut(text, ";base64,"); ok && strings.HasPrefix(text, "data:") {
		text = data
	}
	text = strings.TrimRight(strings.Join(strings.Fields(text), ""), "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

// UploadInput is a file for a ticket.
type UploadInput struct {
	TicketID      int    `json:"ticket_id" minimum:"1"`
	ActionID      int    `json:"action_id,omitempty" minimum:"1" jsonschema:"attach to this action"`
	Filename      string `json:"filename"`
	ContentBase64 string `json:"content_base64,omitempty" maxLength:"14000000"`
	Text          string `json:"text,omitempty" jsonschema:"in place of base64" maxLength:"1000000"`
	VisibleToUser bool   `json:"visible_to_user,omitempty"`
}

// UploadOutput says which file Halo has now.
type UploadOutput struct {
	ID       int    `json:"id"`
	TicketID int    `json:"ticket_id"`
	Filename string `json:"filename"`
	Size     int    `json:"size" jsonschema:"bytes"`
	Warning  string `json:"warning,omitempty"`
	Problem  string `json:"problem,omitempty"`
}

// UploadAttachment attaches a file to a ticket. POST /Attachment
func (c *Client) UploadAttachment(ctx context.Context, in UploadInput) (*UploadOutput, error) {
	upload := Upload{Filename: in.Filename, ContentBase64: in.ContentBase64, Text: in.Text}
	files, err := attachmentsOf([]Upload{upload})
	if err != nil {
		return nil, err
	}
	if _, err := c.ticket(ctx, in.TicketID); err != nil {
		return nil, err
	}
	object := files[0]
	object["ticket_id"], object["showforusers"] = in.TicketID, in.VisibleToUser
	if in.ActionID != 0 {
		object["action_id"] = in.ActionID
	}
	reply, err := c.save(ctx, "/Attachment", object)
	if err != nil {
		if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeUncertain {
			e.Hint = "look with halo_attachments_list whether it is there before trying again"
		}
		return nil, err
	}
	content, _ := upload.content() // it could be decoded above
	out := &UploadOutput{ID: reply.whole("id"), TicketID: in.TicketID, Filename: cmp.Or(reply.text("filename"), in.Filename), Size: len(content), Warning: reply.warning()}
	if out.ID == 0 {
		out.Problem = "HaloPSA did not say which file it saved: look with halo_attachments_list"
	}
	if saved := reply.whole("filesize"); saved != 0 && saved != out.Size {
		out.Problem = fmt.Sprintf("HaloPSA has %d bytes instead of %d", saved, out.Size)
	}
	switch shown, told := c.shown(ctx, out.ID, reply); {
	case !told:
		out.Warning = joinNonEmpty(". ", out.Warning, "HaloPSA did not say whether end users see it")
	case shown && !in.VisibleToUser:
		out.Problem = joinNonEmpty(". ", out.Problem, "HaloPSA shows it to end users although it was to be private: hide it there")
	case !shown && in.VisibleToUser:
		out.Problem = joinNonEmpty(". ", out.Problem, "HaloPSA hides it from end users")
	}
	return out, nil
}

// shown reports whether end users see a file that was saved, and whether Halo
// tells. What the reply lacks is read back.
func (c *Client) shown(ctx context.Context, id int, reply saved) (shown, told bool) {
	if _, told = reply["showforusers"]; told || id == 0 {
		return reply.truth("showforusers"), told
	}
	var a attachment
	if c.record(ctx, "/Attachment/"+strconv.Itoa(id), id, nil, &a) != nil || a.Visible == nil {
		return false, false
	}
	return bool(*a.Visible), true
}

// content is what the file holds.
func (u Upload) content() ([]byte, error) {
	if u.Text != "" {
		return []byte(u.Text), nil
	}
	return decodeBase64(u.ContentBase64)
}

// attachmentsOf checks files and returns them as Halo takes them.
func attachmentsOf(uploads []Upload) ([]fields, error) {
	var files []fields
	total := 0
	for _, u := range uploads {
		name := strings.TrimSpace(u.Filename)
		if name == "" || name == "." || name == ".." || name != path.Base(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsAny(name, `\:`) || len(name) > 200 {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "filename: %q is no name of a file", markup.Preview(u.Filename, 80))
		}
		if u.Text != "" && u.ContentBase64 != "" {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s has text and content_base64: only one of them can be meant", name)
		}
		content, err := u.content()
		if err != nil || len(content) == 0 {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "content_base64: the content of %s is empty or no base64", name)
		}
		if total += len(content); total > maxUpload {
			return nil, mcptools.Errorf(mcptools.CodeTooLarge, "more than %d MB cannot be attached", maxUpload>>20).WithHint("share a link instead")
		}
		files = append(files, fields{"filename": name, "data_base64": base64.StdEncoding.EncodeToString(content)})
	}
	return files, nil
}
