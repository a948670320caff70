package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// SendMailInput is a new message.
type SendMailInput struct {
	Mailbox     string               `json:"mailbox,omitempty" jsonschema:"send as; default: own"`
	To          []string             `json:"to" jsonschema:"addresses" minItems:"1"`
	CC          []string             `json:"cc,omitempty"`
	BCC         []string             `json:"bcc,omitempty"`
	Subject     string               `json:"subject"`
	Body        string               `json:"body" maxLength:"1000000"`
	BodyType    string               `json:"body_type,omitempty" enum:"markdown,html,text" default:"markdown"`
	Importance  string               `json:"importance,omitempty" enum:"low,normal,high"`
	Attachments []OutgoingAttachment `json:"attachments,omitempty"`
	DraftOnly   bool                 `json:"draft_only,omitempty" jsonschema:"save, do not send"`
}

// SentMail says what became of a message, and who gets it.
type SentMail struct {
	Status  string   `json:"status" jsonschema:"sent or draft"`
	ID      string   `json:"id,omitempty" jsonschema:"of the draft"`
	Subject string   `json:"subject,omitempty"`
	To      []string `json:"to"`
	CC      []string `json:"cc,omitempty"`
	BCC     []string `json:"bcc,omitempty"`
}

// SendMail sends a message. One with attachments beyond what fits a request is
// made as a draft first; when a later step fails, the error names the draft.
// https://learn.microsoft.com/graph/api/user-sendmail
func (c *Client) SendMail(ctx context.Context, in SendMailInput) (*SentMail, error) {
	if len(in.To) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "to: name at least one address")
	}
	m := map[string]any{"subject": in.Subject}
	if in.Importance != "" {
		m["importance"] = in.Importance
	}
	content, err := body(in.Body, in.BodyType)
	if err != nil {
		return nil, err
	}
	m["body"] = content
	if err := fillRecipients(m, in.To, in.CC, in.BCC); err != nil {
		return nil, err
	}
	list, err := files(in.Attachments)
	if err != nil {
		return nil, err
	}
	wires, fits := inline(list, len(content.Content)*5/4+len(in.To)*200) // escaping makes HTML longer
	if fits && len(wires) > 0 {
		m["attachments"], list = wires, nil
	}
	if in.DraftOnly || !fits {
		return c.sendDrafted(ctx, in, m, list)
	}
	path, err := c.path(ctx, in.Mailbox, "/sendMail")
	if err != nil {
		return nil, err
	}
	if err := c.send(ctx, http.MethodPost, path, map[string]any{"message": m, "saveToSentItems": true}, nil); err != nil {
		return nil, perhapsSent(err)
	}
	return &SentMail{Status: "sent", Subject: in.Subject, To: in.To, CC: in.CC, BCC: in.BCC}, nil
}

// sendDrafted makes a draft, adds the attachments that it does not have yet,
// and sends it unless it is to stay a draft.
func (c *Client) sendDrafted(ctx context.Context, in SendMailInput, m map[string]any, list []file) (*SentMail, error) {
	ctx = alsoNeeds(ctx, "Mail.ReadWrite")
	path, err := c.path(ctx, in.Mailbox, "/messages")
	if err != nil {
		return nil, err
	}
	var draft message
	if err := c.send(ctx, http.MethodPost, path, m, &draft); err != nil {
		return nil, notSent(err)
	}
	return c.finish(ctx, in.Mailbox, draft, list, in.DraftOnly)
}

// finish attaches files to a draft and sends it, unless it is to stay one.
func (c *Client) finish(ctx context.Context, mailbox string, draft message, list []file, draftOnly bool) (*SentMail, error) {
	result := &SentMail{
		Status: "draft", ID: draft.ID, Subject: draft.Subject,
		To: names(draft.To), CC: names(draft.CC), BCC: names(draft.BCC),
	}
	path, err := c.path(ctx, mailbox, "/messages/{}", draft.ID)
	if err != nil {
		return nil, kept(err, draft.ID, "")
	}
	if done, err := c.attach(ctx, path, list); err != nil {
		return nil, kept(err, draft.ID, fmt.Sprintf(" with %d of its %d attachments", done, len(list)))
	}
	if draftOnly {
		return result, nil
	}
	if err := c.send(ctx, http.MethodPost, path+"/send", nil, nil); err != nil {
		return nil, kept(err, draft.ID, "")
	}
	result.Status, result.ID = "sent", ""
	return result, nil
}

// perhapsSent tells where to look whether a message was sent after all.
func perhapsSent(err error) error {
	if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeUncertain {
		e.Hint = "look for it with m365_mail_search in the folder Sent Items before sending it again"
	}
	return err
}

// notSent says of an error that it came before anything was sent.
func notSent(err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		return err
	}
	early := *e
	early.Message = "nothing was sent: " + e.Message
	if e.Code == mcptools.CodeUncertain {
		early.Code, early.Message = mcptools.CodeUnavailable, "nothing was sent, but an unfinished draft may be left in Drafts: "+e.Message
		early.Hint = "try again"
	}
	return &early
}

// kept says of an error that the message is still there as a draft. An error
// that leaves doubt about sending stays one.
func kept(err error, id, state string) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		e = &mcptools.Error{Code: mcptools.CodeInternal, Message: "a step failed", Err: err}
	}
	late := *e
	if e.Code == mcptools.CodeUncertain && state == "" {
		late.Message = "draft " + id + ": " + e.Message
		late.Hint = "it was sent if it is not in Drafts any more: look before sending it again"
		return &late
	}
	late.Message = fmt.Sprintf("the message was not sent; it is kept as draft %s%s: %s", id, state, e.Message)
	late.Hint = strings.TrimPrefix(e.Hint+"; go on with m365_mail_draft and m365_mail_draft_send, or remove it with m365_mail_delete", "; ")
	if e.Code == mcptools.CodeUncertain { // about an attachment only
		late.Code = mcptools.CodeUnavailable
	}
	return &late
}

// body returns a body as Graph takes it.
func body(text, kind string) (itemBody, error) {
	switch kind {
	case "html":
		return itemBody{ContentType: "html", Content: text}, nil
	case "text":
		return itemBody{ContentType: "text", Content: text}, nil
	}
	if markup.IsHTML(text) {
		return itemBody{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "body: this is HTML").WithHint("set body_type=html, or write Markdown")
	}
	html, err := markup.ToHTML(text)
	if err != nil {
		return itemBody{}, &mcptools.Error{Code: mcptools.CodeInvalidArguments, Message: "body: it cannot be read as Markdown, or is longer than 100 KB",
			Hint: "shorten it, or set body_type to html or text", Err: err}
	}
	return itemBody{ContentType: "html", Content: html}, nil
}

// fillRecipients adds who gets a message; a list that is nil stays out.
func fillRecipients(message map[string]any, to, cc, bcc []string) error {
	var faults []error
	for _, l := range []struct {
		name      string
		addresses []string
	}{{"to", to}, {"cc", cc}, {"bcc", bcc}} {
		if l.addresses != nil {
			list, err := recipients(l.name, l.addresses)
			message[l.name+"Recipients"], faults = list, append(faults, err)
		}
	}
	return argument.Faults(faults...)
}

// recipients reads addresses, with or without a name, that were given for an
// argument.
func recipients(name string, addresses []string) ([]recipient, error) {
	list := []recipient{}
	var faults []error
	for i, text := range addresses {
		one, err := readRecipient(fmt.Sprintf("%s[%d]", name, i), text)
		list, faults = append(list, one), append(faults, err)
	}
	return list, argument.Faults(faults...)
}

// readRecipient reads an address. A bare name is an error: guessing whom it means
// could mail the wrong person.
func readRecipient(name, text string) (r recipient, err error) {
	parsed, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil {
		return r, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: %q is not a mail address", name, markup.Preview(text, 80)).
			WithHint("find it with m365_people_find")
	}
	r.EmailAddress.Name, r.EmailAddress.Address = parsed.Name, parsed.Address
	return r, nil
}
