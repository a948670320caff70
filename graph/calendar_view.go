package graph

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ViewCalendarInput says which part of a calendar to show.
type ViewCalendarInput struct {
	Mailbox  string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	Start    string `json:"start,omitempty" jsonschema:"date or time; default: today"`
	End      string `json:"end,omitempty" jsonschema:"default: 7 days later"`
	Query    string `json:"query,omitempty" jsonschema:"words in subject, location or organizer"`
	Calendar string `json:"calendar,omitempty" jsonschema:"name or id"`
	TimeZone string `json:"time_zone,omitempty" jsonschema:"such as Europe/Berlin; default: the mailbox's"`
	Limit    int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"25"`
	Cursor   string `json:"cursor,omitempty"`
}

// EventPage is a part of a calendar.
type EventPage struct {
	TimeZone string `json:"time_zone"`
	mcptools.Page[EventRow]
}

// EventRow is one event. End of an all-day event is its last day.
type EventRow struct {
	ID        string `json:"id"`
	Start     string `json:"start"`
	End       string `json:"end"`
	Subject   string `json:"subject"`
	Location  string `json:"location,omitempty"`
	Organizer string `json:"organizer,omitempty"`
	Response  string `json:"response,omitempty"`
	ShowAs    string `json:"show_as,omitempty"`
	Recurring bool   `json:"recurring,omitempty"`
	Cancelled bool   `json:"cancelled,omitempty"`
}

const eventRowFields = "id,subject,start,end,isAllDay,location,organizer,isOrganizer,responseStatus,showAs,type,isCancelled"

// ViewCalendar lists the events between two times in order, recurring ones
// expanded.
// https://learn.microsoft.com/graph/api/calendar-list-calendarview
func (c *Client) ViewCalendar(ctx context.Context, in ViewCalendarInput) (*EventPage, error) {
	zone, err := c.zone(ctx, in.Mailbox, in.TimeZone)
	if err != nil {
		return nil, err
	}
	start, end, err := window(cmp.Or(in.Start, "today"), in.End, zone, 7)
	if err != nil {
		return nil, err
	}
	path, err := c.calendarPath(ctx, in.Mailbox, in.Calendar, "/calendarView")
	if err != nil {
		return nil, err
	}
	page, err := choose(ctx, c, collection{
		tool: "m365_cal_view", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 25), path: path, header: zoned(zone),
		query:  url.Values{"$select": {eventRowFields}, "$orderby": {"start/dateTime"}},
		moving: url.Values{"startDateTime": {start.UTC().Format(time.RFC3339)}, "endDateTime": {end.UTC().Format(time.RFC3339)}},
		sparse: in.Query != "",
	}, func(e event) (EventRow, bool) { return eventRow(&e, zone), e.matches(in.Query) })
	if err != nil {
		return nil, err
	}
	return &EventPage{TimeZone: zone.String(), Page: *page}, nil
}

// window reads a range of time that has that many days unless its end is named.
func window(from, to string, zone *time.Location, days int) (start, end time.Time, err error) {
	now := time.Now().Truncate(time.Second)
	if start, err = when.Instant(from, zone, now); err != nil {
		start = now // and the range says what is wrong
	}
	return when.Range(argument.Text{Name: "start", Value: from}, argument.Text{Name: "end", Value: to}, zone, now, start, start.In(zone).AddDate(0, 0, days))
}

func (e *event) matches(query string) bool {
	return contains(query, e.Subject, e.Location.Name, e.Organizer.String())
}

func eventRow(e *event, zone *time.Location) EventRow {
	row := EventRow{
		ID: e.ID, Subject: e.Subject, Location: e.Location.Name, Organizer: e.Organizer.String(),
		Response: responseName(e.Response.Response), ShowAs: unusual(e.ShowAs, "busy"),
		Recurring: e.Type == "occurrence" || e.Type == "exception" || e.Type == "seriesMaster", Cancelled: e.Cancelled,
	}
	row.Start, row.End = e.span(zone)
	if e.Organized {
		row.Organizer, row.Response = "", "organizer"
	}
	return row
}

// GetEventInput says which event to read.
type GetEventInput struct {
	Mailbox  string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	ID       string `json:"id"`
	Body     string `json:"body,omitempty" enum:"markdown,none" default:"markdown"`
	TimeZone string `json:"time_zone,omitempty"`
}

// Event is an event in full.
type Event struct {
	EventRow
	TimeZone      string          `json:"time_zone"`
	Online        string          `json:"online,omitempty"`
	Recurrence    string          `json:"recurrence,omitempty"`
	SeriesID      string          `json:"series_id,omitempty"`
	Importance    string          `json:"importance,omitempty"`
	Private       bool            `json:"private,omitempty"`
	Attachments   bool            `json:"attachments,omitempty"`
	Categories    []string        `json:"categories,omitempty"`
	Attendees     []EventAttendee `json:"attendees,omitempty"`
	MoreAttendees int             `json:"more_attendees,omitempty"`
	Body          string          `json:"body,omitempty"`
	BodyCut       bool            `json:"body_cut,omitempty"`
}

// EventAttendee is somebody who was invited.
type EventAttendee struct {
	Who      string `json:"who"`
	Response string `json:"response,omitempty"`
	Type     string `json:"type,omitempty"`
}

const (
	maxEventBody = 8000 // characters
	maxAttendees = 60
)

// GetEvent reads an event.
// https://learn.microsoft.com/graph/api/event-get
func (c *Client) GetEvent(ctx context.Context, in GetEventInput) (*Event, error) {
	zone, err := c.zone(ctx, in.Mailbox, in.TimeZone)
	if err != nil {
		return nil, err
	}
	fields := eventRowFields + ",attendees,onlineMeeting,onlineMeetingUrl,recurrence,seriesMasterId,importance,sensitivity,hasAttachments,categories"
	if in.Body != "none" {
		fields += ",body"
	}
	e, err := c.getEvent(ctx, in.Mailbox, in.ID, fields, zone)
	if err != nil {
		return nil, err
	}
	out := &Event{
		EventRow: eventRow(e, zone), TimeZone: zone.String(), Online: e.joinURL(), Recurrence: e.Recurrence.String(),
		SeriesID: e.SeriesMaster, Importance: unusual(e.Importance, "normal"), Private: e.Sensitivity == "private" || e.Sensitivity == "confidential",
		Attachments: e.Attached, Categories: e.Categories,
	}
	for i, a := range e.Attendees {
		if i == maxAttendees {
			out.MoreAttendees = len(e.Attendees) - i
			break
		}
		out.Attendees = append(out.Attendees, eventAttendee(a))
	}
	out.Body, out.BodyCut, err = eventText(e.Body, maxEventBody)
	return out, err
}

func eventAttendee(a attendee) EventAttendee {
	out := EventAttendee{Who: a.String(), Type: unusual(a.Type, "required")}
	if a.Status != nil {
		out.Response = responseName(a.Status.Response)
	}
	return out
}

// eventText returns a body as Markdown, at most limit characters, and whether
// there is more.
func eventText(b itemBody, limit int) (text string, cut bool, err error) {
	if text, _, err = readable(b, "markdown", true); err != nil {
		return "", false, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "the body cannot be read", Err: err}
	}
	text, next := markup.Window(strings.TrimSpace(text), 0, limit)
	return text, next != 0, nil
}
