package graph

import (
	"context"
	"net/http"
	"net/url"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// DraftMailInput is a new draft, or what to change of the one that ID names.
// What is left out of a change stays.
type DraftMailInput struct {
	Mailbox     string               `json:"mailbox,omitempty"`
	ID          string               `json:"id,omitempty" jsonschema:"draft to change; none: create"`
	To          []string             `json:"to,omitempty"`
	CC          []string             `json:"cc,omitempty"`
	BCC         []string             `json:"bcc,omitempty"`
	Subject     string               `json:"subject,omitempty"`
	Body        string               `json:"body,omitempty" jsonschema:"replaces the whole body" maxLength:"1000000"`
	BodyType    string               `json:"body_type,omitempty" enum:"markdown,html,text" default:"markdown"`
	Importance  string               `json:"importance,omitempty" enum:"low,normal,high"`
	Attachments []OutgoingAttachment `json:"attachments,omitempty" jsonschema:"added"`
}

// DraftMail creates or changes a draft. Nobody sees it before it is sent.
// https://learn.microsoft.com/graph/api/user-post-messages
func (c *Client) DraftMail(ctx context.Context, in DraftMailInput) (*SentMail, error) {
	change, err := in.change()
	if err != nil {
		return nil, err
	}
	list, err := files(in.Attachments)
	if err != nil {
		return nil, err
	}
	if in.ID == "" {
		path, err := c.path(ctx, in.Mailbox, "/messages")
		if err != nil {
			return nil, err
		}
		var draft message
		if err := c.send(ctx, http.MethodPost, path, change, &draft); err != nil {
			return nil, err
		}
		return c.finish(ctx, in.Mailbox, draft, list, true)
	}
	if len(change) == 0 && len(list) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "say what to change of the draft")
	}
	// Graph changes received messages, too.
	draft, err := c.draft(ctx, in.Mailbox, in.ID)
	if err != nil {
		return nil, err
	}
	if len(change) > 0 {
		path, err := c.path(ctx, in.Mailbox, "/messages/{}", in.ID)
		if err != nil {
			return nil, err
		}
		if err := c.send(ctx, http.MethodPatch, path, change, &draft); err != nil {
			return nil, err
		}
	}
	return c.finish(ctx, in.Mailbox, draft, list, true)
}

// change is what is given, as Graph takes it.
func (in DraftMailInput) change() (map[string]any, error) {
	change := map[string]any{}
	if err := fillRecipients(change, in.To, in.CC, in.BCC); err != nil {
		return nil, err
	}
	if in.Subject != "" {
		change["subject"] = in.Subject
	}
	if in.Importance != "" {
		change["importance"] = in.Importance
	}
	if in.Body != "" {
		content, err := body(in.Body, in.BodyType)
		if err != nil {
			return nil, err
		}
		change["body"] = content
	}
	return change, nil
}

// draft reads what counts when a draft is sent. A message that was sent already
// is an error.
func (c *Client) draft(ctx context.Context, mailbox, id string) (message, error) {
	var m message
	path, err := c.path(ctx, mailbox, "/messages/{}", id)
	if err != nil {
		return m, err
	}
	query := url.Values{"$select": {"id,subject,isDraft,toRecipients,ccRecipients,bccRecipients"}}
	if err := c.get(ctx, path, query, nil, &m); err != nil {
		return m, err
	}
	if !m.Draft {
		return m, mcptools.Errorf(mcptools.CodeConflict, "the message is no draft: it was sent or received already").
			WithHint("use m365_mail_reply to answer or forward it")
	}
	return m, nil
}

// SendMailDraftInput names a draft.
type SendMailDraftInput struct {
	Mailbox string `json:"mailbox,omitempty"`
	ID      string `json:"id"`
}

// SendMailDraft sends a draft. It reads the draft first, to tell who gets it.
// https://learn.microsoft.com/graph/api/message-send
func (c *Client) SendMailDraft(ctx context.Context, in SendMailDraftInput) (*SentMail, error) {
	draft, err := c.draft(ctx, in.Mailbox, in.ID)
	if err != nil {
		return nil, err
	}
	if len(draft.To)+len(draft.CC)+len(draft.BCC) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "the draft has no recipients").WithHint("add them with m365_mail_draft")
	}
	return c.finish(ctx, in.Mailbox, draft, nil, false)
}
