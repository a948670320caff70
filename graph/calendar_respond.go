package graph

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// RespondToEventInput is the answer to an invitation.
type RespondToEventInput struct {
	Mailbox      string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	ID           string `json:"id"`
	Response     string `json:"response" enum:"accept,tentative,decline"`
	Comment      string `json:"comment,omitempty"`
	ProposeStart string `json:"propose_start,omitempty" jsonschema:"another time; not with accept"`
	ProposeEnd   string `json:"propose_end,omitempty" jsonschema:"time or length; default: as long as now"`
	TimeZone     string `json:"time_zone,omitempty"`
	Scope        string `json:"scope,omitempty" enum:"one,series" default:"one"`
}

// EventOutcome says what became of an event.
type EventOutcome struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Start   string `json:"start"`
	Status  string `json:"status"`
	Note    string `json:"note,omitempty"`
}

// RespondToEvent answers an invitation; the organizer gets a mail.
// https://learn.microsoft.com/graph/api/event-accept,
// https://learn.microsoft.com/graph/api/event-tentativelyaccept and
// https://learn.microsoft.com/graph/api/event-decline
func (c *Client) RespondToEvent(ctx context.Context, in RespondToEventInput) (*EventOutcome, error) {
	zoneOf := c.zone
	if in.ProposeStart != "" || in.ProposeEnd != "" {
		zoneOf = c.zoneToWrite
	}
	zone, err := zoneOf(ctx, in.Mailbox, in.TimeZone)
	if err != nil {
		return nil, err
	}
	e, err := c.getEvent(ctx, in.Mailbox, in.ID, changeFields, zone)
	if err != nil {
		return nil, err
	}
	if e.Organized {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "the organizer cannot respond to the own event").
			WithHint("change it with m365_cal_update or cancel it with m365_cal_cancel")
	}
	answer := map[string]any{"comment": in.Comment, "sendResponse": true}
	if in.ProposeStart != "" || in.ProposeEnd != "" {
		if answer["proposedNewTime"], err = in.proposal(e, zone); err != nil {
			return nil, err
		}
	}
	id, err := e.seriesID(in.Scope)
	if err != nil {
		return nil, err
	}
	action := map[string]string{"accept": "accept", "tentative": "tentativelyAccept", "decline": "decline"}[in.Response]
	if action == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "response: it must be accept, tentative or decline")
	}
	path, err := c.path(ctx, in.Mailbox, "/events/{}/"+action, id)
	if err != nil {
		return nil, err
	}
	if err := c.send(ctx, http.MethodPost, path, answer, nil); err != nil {
		return nil, err
	}
	out := &EventOutcome{ID: id, Subject: e.Subject, Status: map[string]string{"accept": "accepted", "tentative": "tentative", "decline": "declined"}[in.Response]}
	out.Start, _ = e.span(zone)
	if in.Response == "decline" { // which takes the event out of the calendar
		return out, nil
	}
	after, err := c.getEvent(ctx, in.Mailbox, id, "id,responseStatus", zone)
	switch {
	case err != nil:
		out.Note = "the response was sent, but could not be read back"
	case responseName(after.Response.Response) != out.Status:
		out.Note = "the response was sent, but the calendar does not show it yet"
	}
	return out, nil
}

// proposal is the other time that an attendee proposes.
func (in RespondToEventInput) proposal(e *event, zone *time.Location) (any, error) {
	if in.Response == "accept" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "propose_start: who accepts proposes no other time").WithHint("respond tentative or decline")
	}
	start, _ := e.span(zone)
	times, err := readTimes(argument.Text{Name: "propose_start", Value: cmp.Or(in.ProposeStart, start)}, argument.Text{Name: "propose_end", Value: in.ProposeEnd}, zone, e.End.in(zone).Sub(e.Start.in(zone)))
	if err != nil {
		return nil, err
	}
	return map[string]any{"start": times.wall(times.start), "end": times.wall(times.end)}, nil
}

// CancelEventInput says which event to cancel.
type CancelEventInput struct {
	Mailbox string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	ID      string `json:"id"`
	Comment string `json:"comment,omitempty" jsonschema:"to the attendees"`
	Scope   string `json:"scope,omitempty" enum:"one,series" default:"one"`
}

// CancelEvent takes an event out of the calendar. The organizer's attendees are
// told; an event of others, or one without attendees, is only deleted.
//
// An event goes to Deleted Items, and its immutable id with it: a repeated DELETE
// would remove it from there.
// https://learn.microsoft.com/graph/api/event-cancel and
// https://learn.microsoft.com/graph/api/event-delete
func (c *Client) CancelEvent(ctx context.Context, in CancelEventInput) (*EventOutcome, error) {
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return nil, err
	}
	e, err := c.getEvent(ctx, in.Mailbox, in.ID, changeFields, zone)
	if err != nil {
		return nil, err
	}
	id, err := e.seriesID(in.Scope)
	if err != nil {
		return nil, err
	}
	out := &EventOutcome{ID: id, Subject: e.Subject}
	out.Start, _ = e.span(zone)
	path, err := c.path(ctx, in.Mailbox, "/events/{}", id)
	if err != nil {
		return nil, err
	}
	if e.Organized && len(e.Attendees) > 0 {
		out.Status = "cancelled"
		return out, c.send(ctx, http.MethodPost, path+"/cancel", map[string]any{"comment": in.Comment}, nil)
	}
	out.Status = "deleted"
	if !e.Organized {
		out.Note = "only from this calendar; the organizer is not told. To tell them, decline with m365_cal_respond instead"
	} else if in.Comment != "" {
		out.Note = "nobody was invited, so nobody got the comment"
	}
	_, err = c.service.Do(ctx, rest.Request{Method: http.MethodDelete, Path: path, Once: true}, nil)
	return out, gone(err)
}

// gone returns the error of the deletion of something that was there a moment
// ago. When it is not found, the answer to the first of two attempts was lost.
func gone(err error) error {
	if errors.Is(err, mcptools.CodeNotFound) {
		return nil
	}
	return err
}
