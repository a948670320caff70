package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

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
	}
	kind, ok := map[string]aboutKind{"mail": aboutMail(), "calendar": aboutEvents()}[spec.Toolset]
	if err := json.Unmarshal(args, &in); err != nil || !ok {
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
		if answer.Err == nil {
			lines = append(lines, kind.line(answer.Body, zone))
		}
	}
	return lines
}

// aboutKind is how one kind of thing is read and named.
type aboutKind struct {
	path, fields string
	line         func(json.RawMessage, *time.Location) string
}

func aboutMail() aboutKind {
	return aboutKind{"/messages/{}", "subject,from,replyTo,toRecipients,isDraft", func(body json.RawMessage, _ *time.Location) string {
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			return "a message"
		}
		line := m.Subject + ", from " + m.From.String()
		if other := m.otherReplyTo(); len(other) > 0 {
			line += ", replies go to " + strings.Join(other, "; ")
		}
		if m.Draft {
			line = m.Subject + ", a draft"
		}
		for i := range m.To[:min(len(m.To), 3)] {
			line += []string{", to ", "; "}[min(i, 1)] + m.To[i].String()
		}
		if len(m.To) > 3 {
			line += "; …"
		}
		return line
	}}
}

func aboutEvents() aboutKind {
	return aboutKind{"/events/{}", "subject,organizer,isAllDay,start,end", func(body json.RawMessage, zone *time.Location) string {
		var e event
		if err := json.Unmarshal(body, &e); err != nil {
			return "an event"
		}
		start, _ := e.span(zone)
		return e.Subject + ", " + start + ", organized by " + e.Organizer.String()
	}}
}
