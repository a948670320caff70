package graph

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// maxAbout bounds the messages and events that a question names.
const maxAbout = 20

// about names the messages or the event that a call is about, for the person
// who is to confirm it.
func (c *Client) about(ctx context.Context, spec mcptools.Spec, args json.RawMessage) []string {
	var in struct {
		Mailbox string   `json:"mailbox"`
		ID      string   `json:"id"`
		IDs     []string `json:"ids"`
		Mode    string   `json:"mode"` // of an answer
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return nil
	}
	kind, ok := map[string]aboutKind{"mail": aboutMail(in.Mode == "reply_all", c.ownDomain(ctx, in.Mailbox)), "calendar": aboutEvents()}[spec.Toolset]
	if !ok {
		return nil
	}
	ids := slices.DeleteFunc(append(in.IDs, in.ID), func(id string) bool { return id == "" })
	var requests []batchRequest
	for _, id := range ids[:min(len(ids), maxAbout)] {
		path, err := c.path(ctx, in.Mailbox, kind.path, id)
		if err != nil {
			return nil // the call itself will say what is wrong
		}
		requests = append(requests, batchRequest{Method: http.MethodGet, Path: path, Query: url.Values{"$select": {kind.fields}}, Repeatable: true})
	}
	if len(requests) == 0 {
		return nil
	}
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return nil
	}
	answers, err := c.batch(ctx, requests)
	if err != nil {
		return nil
	}
	var lines []string
	for _, answer := range answers {
		if answer.Err != nil {
			continue
		}
		told := kind.lines(answer.Body, zone)
		if len(requests) > 1 {
			told = told[:1]
		}
		lines = append(lines, told...)
	}
	return lines
}

// aboutKind is how one kind of thing is read and named. The first line names it;
// what must not be pushed out of sight by a long subject has a line of its own.
type aboutKind struct {
	path, fields string
	lines        func(json.RawMessage, *time.Location) []string
}

// aboutMail names a message, and everybody who gets it or an answer to all.
// domain is that of the mailbox.
func aboutMail(toAll bool, domain string) aboutKind {
	return aboutKind{"/messages/{}", "subject,from,replyTo,toRecipients,ccRecipients,bccRecipients,isDraft,bodyPreview,changeKey", func(body json.RawMessage, _ *time.Location) []string {
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			return []string{"a message"}
		}
		subject := markup.Preview(m.Subject, 80)
		if m.Draft {
			return slices.Concat([]string{subject + ", a draft"}, addressed("mail to ", m.To, domain), addressed("a copy to ", m.CC, domain),
				addressed("a blind copy to ", m.BCC, domain), []string{"version " + version(m.ChangeKey) + " of its text: " + markup.Preview(m.Preview, 50)})
		}
		lines := []string{subject + ", from " + m.From.String()}
		switch {
		case toAll:
			lines = slices.Concat(lines, addressed("the answer goes to all: ", m.To, domain), addressed("a copy to ", m.CC, domain))
		case len(m.To) == 1:
			lines[0] += ", to " + m.To[0].String()
		case len(m.To) > 1:
			lines[0] += ", to " + m.To[0].String() + "; …"
		}
		if m.otherReplyTo() != nil {
			lines = append(lines, addressed("replies go to ", m.ReplyTo, domain)...)
		}
		return lines
	}}
}

// version tells a draft from what becomes of it while a person thinks about it.
func version(changeKey string) string {
	hash := sha256.Sum256([]byte(changeKey))
	return hex.EncodeToString(hash[:4])
}

// maxAddressed bounds a line of addresses, which the question cuts at 200 bytes.
const maxAddressed = 150

// addressed is a line that says who gets something, if anybody does. It has no
// names, which anybody chooses for themselves. People of other domains come
// first: they are what one must not overlook.
func addressed(what string, list []recipient, domain string) []string {
	list = slices.SortedStableFunc(slices.Values(list), func(a, b recipient) int {
		return cmp.Compare(a.isOf(domain), b.isOf(domain))
	})
	var addresses []string
	size := 0
	for i, r := range list {
		if size += len(r.EmailAddress.Address) + 2; size > maxAddressed && i > 0 {
			addresses = append(addresses, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		addresses = append(addresses, r.EmailAddress.Address)
	}
	if addresses == nil {
		return nil
	}
	return []string{what + strings.Join(addresses, "; ")}
}

// isOf is 1 for somebody of that domain, else 0.
func (r recipient) isOf(domain string) int {
	if domain != "" && domainOf(r.EmailAddress.Address) == domain {
		return 1
	}
	return 0
}

func aboutEvents() aboutKind {
	return aboutKind{"/events/{}", "subject,organizer,isAllDay,start,end", func(body json.RawMessage, zone *time.Location) []string {
		var e event
		if err := json.Unmarshal(body, &e); err != nil {
			return []string{"an event"}
		}
		start, _ := e.span(zone)
		return []string{markup.Preview(e.Subject, 80) + ", " + start + ", organized by " + e.Organizer.String()}
	}}
}
