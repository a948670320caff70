package graph

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ReplyMailInput is an answer to a message, or what is added when it is
// forwarded.
type ReplyMailInput struct {
	Mailbox     string               `json:"mailbox,omitempty"`
	ID          string               `json:"id"`
	Mode        string               `json:"mode,omitempty" enum:"reply,reply_all,forward" default:"reply"`
	Body        string               `json:"body" jsonschema:"goes above the quoted original" maxLength:"1000000"`
	BodyType    string               `json:"body_type,omitempty" enum:"markdown,html,text" default:"markdown"`
	To          []string             `json:"to,omitempty" jsonschema:"more recipients; needed to forward"`
	CC          []string             `json:"cc,omitempty" jsonschema:"more recipients"`
	Attachments []OutgoingAttachment `json:"attachments,omitempty"`
	DraftOnly   bool                 `json:"draft_only,omitempty"`
}

// ReplyMail answers or forwards a message, with the original below.
//
// Graph's reply action takes a plain comment, which loses line breaks, or a
// body, which loses the original. So the answer is a draft first, as Outlook
// makes it: it has the history, the inline pictures and the recipients that the
// reply-to and cc of the original ask for. When a later step fails, the error
// names the draft.
// https://learn.microsoft.com/graph/api/message-createreply
func (c *Client) ReplyMail(ctx context.Context, in ReplyMailInput) (*SentMail, error) {
	more, err := recipients("to", in.To)
	copies, err2 := recipients("cc", in.CC)
	if err := argument.Faults(err, err2); err != nil {
		return nil, err
	}
	if in.Mode == "forward" && len(more) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "to: whom to forward it to?")
	}
	answer, err := body(in.Body, in.BodyType)
	if err != nil {
		return nil, err
	}
	list, err := files(in.Attachments)
	if err != nil {
		return nil, err
	}
	draft, err := c.createAnswer(ctx, in)
	if err != nil {
		return nil, notSent(err)
	}
	if draft, err = c.writeAnswer(ctx, in.Mailbox, draft, answer, more, copies); err != nil {
		return nil, kept(err, draft.ID, " without your text")
	}
	return c.finish(ctx, in.Mailbox, draft, list, in.DraftOnly)
}

// createAnswer makes the draft of an answer, still without its text.
func (c *Client) createAnswer(ctx context.Context, in ReplyMailInput) (message, error) {
	action := map[string]string{"reply": "createReply", "reply_all": "createReplyAll", "forward": "createForward"}[cmp.Or(in.Mode, "reply")]
	var draft message
	if action == "" {
		return draft, mcptools.Errorf(mcptools.CodeInvalidArguments, "mode: must be reply, reply_all or forward")
	}
	path, err := c.path(ctx, in.Mailbox, "/messages/{}/"+action, in.ID)
	if err != nil {
		return draft, err
	}
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return draft, err
	}
	_, err = c.service.Do(ctx, rest.Request{
		Method: http.MethodPost, Path: path, Body: struct{}{},
		Header: prefer(`outlook.timezone="` + when.WindowsName(zone) + `"`), // of the date in the quotation
	}, &draft)
	return draft, err
}

// writeAnswer puts the text above the original and adds recipients. It returns
// the draft as it was, too, when it fails.
func (c *Client) writeAnswer(ctx context.Context, mailbox string, draft message, answer itemBody, more, copies []recipient) (message, error) {
	path, err := c.path(ctx, mailbox, "/messages/{}", draft.ID)
	if err != nil {
		return draft, err
	}
	change := map[string]any{"body": above(answer, draft.Body)}
	if len(more) > 0 {
		change["toRecipients"] = addRecipients(draft.To, more)
	}
	if len(copies) > 0 {
		change["ccRecipients"] = addRecipients(draft.CC, copies)
	}
	if len(draft.To)+len(draft.CC)+len(draft.BCC)+len(more)+len(copies) == 0 {
		return draft, mcptools.Errorf(mcptools.CodeInvalidArguments, "the message has nobody to answer").WithHint("name somebody in to")
	}
	written := draft
	if err := c.send(ctx, http.MethodPatch, path, change, &written); err != nil {
		return draft, err
	}
	return written, nil
}

// above returns the answer with the original below, as HTML.
func above(answer itemBody, original *itemBody) itemBody {
	text := answer.Content
	if answer.ContentType == "text" {
		text = markup.EscapeText(text)
	}
	if original == nil {
		return itemBody{ContentType: "html", Content: text}
	}
	quoted := original.Content
	if !strings.EqualFold(original.ContentType, "html") {
		quoted = "<br>\n" + markup.EscapeText(quoted)
	}
	return itemBody{ContentType: "html", Content: markup.AddAbove(quoted, text)}
}

// addRecipients returns both lists, each address once.
func addRecipients(list, more []recipient) []recipient {
	known := map[string]bool{}
	var all []recipient
	for _, r := range append(append([]recipient{}, list...), more...) {
		if address := strings.ToLower(r.EmailAddress.Address); !known[address] {
			known[address] = true
			all = append(all, r)
		}
	}
	return all
}
