package graph

import (
	"context"
	"net/http"
	"net/mail"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// SendMailInput is a new message.
type SendMailInput struct {
	Mailbox    string   `json:"mailbox,omitempty" jsonschema:"send as; default: self"`
	To         []string `json:"to" jsonschema:"addresses" minItems:"1"`
	CC         []string `json:"cc,omitempty"`
	BCC        []string `json:"bcc,omitempty"`
	Subject    string   `json:"subject"`
	Body       string   `json:"body" maxLength:"1000000"`
	BodyType   string   `json:"body_type,omitempty" enum:"markdown,html,text" default:"markdown"`
	Importance string   `json:"importance,omitempty" enum:"low,normal,high"`
}

// SendMailOutput says what became of the message.
type SendMailOutput struct {
	Status string   `json:"status" jsonschema:"sent or draft"`
	To     []string `json:"to"`
}

// SendMail sends a message.
// https://learn.microsoft.com/graph/api/user-sendmail
func (c *Client) SendMail(ctx context.Context, in SendMailInput) (*SendMailOutput, error) {
	path, err := c.path(ctx, in.Mailbox, "/sendMail")
	if err != nil {
		return nil, err
	}
	m := map[string]any{"subject": in.Subject}
	if in.Importance != "" {
		m["importance"] = in.Importance
	}
	if m["body"], err = body(in.Body, in.BodyType); err != nil {
		return nil, err
	}
	for name, addresses := range map[string][]string{"toRecipients": in.To, "ccRecipients": in.CC, "bccRecipients": in.BCC} {
		if m[name], err = recipients(addresses); err != nil {
			return nil, err
		}
	}
	if err := c.send(ctx, http.MethodPost, path, map[string]any{"message": m, "saveToSentItems": true}, nil); err != nil {
		return nil, err
	}
	return &SendMailOutput{Status: "sent", To: in.To}, nil
}

// body returns a body as Graph takes it.
func body(text, kind string) (itemBody, error) {
	switch kind {
	case "html":
		return itemBody{ContentType: "html", Content: text}, nil
	case "text":
		return itemBody{ContentType: "text", Content: text}, nil
	}
	html, err := markup.ToHTML(text)
	if err != nil {
		return itemBody{}, &mcptools.Error{Code: mcptools.CodeInvalidArguments, Message: "body: cannot be read as Markdown", Err: err}
	}
	return itemBody{ContentType: "html", Content: html}, nil
}

// recipients reads addresses, with or without a name. A bare name is an error:
// guessing whom it means could mail the wrong person.
func recipients(addresses []string) ([]recipient, error) {
	list := []recipient{}
	for _, text := range addresses {
		parsed, err := mail.ParseAddress(strings.TrimSpace(text))
		if err != nil {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "%q is not a mail address", markup.Preview(text, 80)).
				WithHint("find it with m365_people_find")
		}
		var r recipient
		r.EmailAddress.Name, r.EmailAddress.Address = parsed.Name, parsed.Address
		list = append(list, r)
	}
	return list, nil
}
