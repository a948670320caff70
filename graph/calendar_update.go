package graph

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// UpdateEventInput says what to change; what is empty stays.
type UpdateEventInput struct {
	Mailbox         string   `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	ID              string   `json:"id"`
	Scope           string   `json:"scope,omitempty" enum:"one,series" default:"one"`
	Subject         string   `json:"subject,omitempty"`
	Start           string   `json:"start,omitempty" jsonschema:"local time, or a date for all day; the length stays"`
	End             string   `json:"end,omitempty" jsonschema:"time, length such as 45m, or last day"`
	TimeZone        string   `json:"time_zone,omitempty"`
	AddAttendees    []string `json:"add_attendees,omitempty" jsonschema:"addresses"`
	RemoveAttendees []string `json:"remove_attendees,omitempty"`
	Location        string   `json:"location,omitempty"`
	Online          bool     `json:"online,omitempty" jsonschema:"make it a Teams meeting"`
	Body            string   `json:"body,omitempty" jsonschema:"Markdown" maxLength:"1000000"`
	Recurrence      string   `json:"recurrence,omitempty" jsonschema:"as for m365_cal_create"`
}

// changeFields are what a change must know of an event.
const changeFields = "id,subject,start,end,originalStartTimeZone,isAllDay,isOrganizer,isOnlineMeeting,attendees,type,seriesMasterId,recurrence"

// UpdateEvent changes an event or its series. Attendees are told by Exchange.
// https://learn.microsoft.com/graph/api/event-update
func (c *Client) UpdateEvent(ctx context.Context, in UpdateEventInput) (*EventChange, error) {
	zoneOf := c.zone
	if in.Start != "" || in.End != "" || in.Recurrence != "" {
		zoneOf = c.zoneToWrite
	}
	zone, err := zoneOf(ctx, in.Mailbox, in.TimeZone)
	if err != nil {
		return nil, err
	}
	fields := changeFields
	if in.Body != "" {
		fields += ",body"
	}
	named, err := c.getEvent(ctx, in.Mailbox, in.ID, fields, zone)
	if err != nil {
		return nil, err
	}
	old := named
	id, err := named.seriesID(in.Scope)
	if err != nil {
		return nil, err
	}
	if id != named.ID {
		if old, err = c.getEvent(ctx, in.Mailbox, id, fields, zone); err != nil {
			return nil, err
		}
	}
	asked, note, err := in.changes(named, old, zone)
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "there is nothing to change").WithHint("name at least one field to change")
	}
	path, err := c.path(ctx, in.Mailbox, "/events/{}", old.ID)
	if err != nil {
		return nil, err
	}
	changed, err := c.sendEvent(ctx, zone, rest.Request{Method: http.MethodPatch, Path: path, Body: asked})
	if err != nil {
		return nil, err
	}
	out := eventChange(changed, zone)
	out.Note, out.Ignored = note, ignored(asked, changed, zone)
	out.Changed = slices.DeleteFunc(slices.Sorted(maps.Keys(asked)), func(field string) bool {
		return field == "onlineMeetingProvider" || slices.Contains(out.Ignored, field)
	})
	return out, nil
}

// changes returns the body of the change, and what the caller must know of it.
// named is the event that the caller named, old the one that is changed: the
// same, or its series.
func (in UpdateEventInput) changes(named, old *event, zone *time.Location) (asked map[string]any, note string, err error) {
	if !old.Organized && (in.Start != "" || in.End != "" || in.Recurrence != "" || len(in.AddAttendees)+len(in.RemoveAttendees) > 0) {
		return nil, "", mcptools.Errorf(mcptools.CodePermissionDenied, "only the organizer may change when an event takes place and who attends").
			WithHint("propose another time with m365_cal_respond")
	}
	asked = map[string]any{}
	if in.Subject != "" {
		asked["subject"] = in.Subject
	}
	if err := fillEvent(asked, in.Location, in.Body, in.Online && !old.Online); err != nil {
		return nil, "", err
	}
	if content, ok := asked["body"].(itemBody); ok && old.Online {
		block, found := joinBlock(old.Body.Content)
		if content.Content += block; !found {
			note = "the old text was kept below the new one: the link of the online meeting may be in it"
		}
		asked["body"] = content
	}
	if err := in.changeTimes(asked, named, old, zone); err != nil {
		return nil, "", err
	}
	return asked, note, in.changeAttendees(asked, old)
}

// changeTimes adds the new times and the new recurrence.
func (in UpdateEventInput) changeTimes(asked map[string]any, named, old *event, zone *time.Location) error {
	if in.Start == "" && in.End == "" && in.Recurrence == "" {
		return nil
	}
	basis := named
	if in.Start == "" && (in.End == "" || named.AllDay != old.AllDay) {
		basis = old // an exception has a shape of its own
	}
	times, err := in.times(basis, zone)
	if err != nil {
		return err
	}
	series := old.Type == "seriesMaster"
	if series {
		if times, err = in.ofSeries(times, named, old, zone); err != nil {
			return err
		}
	}
	if err := in.changeRecurrence(asked, old, times.start); err != nil {
		return err
	}
	times.fill(asked)
	if series || in.Recurrence != "" {
		times.repeat(asked)
	}
	if times.allDay == old.AllDay {
		delete(asked, "isAllDay")
	}
	if series && in.Start == "" && !times.allDay { // what is not sent cannot move
		delete(asked, "start")
		if in.End == "" {
			delete(asked, "end")
		}
	}
	return nil
}

// changeRecurrence adds the recurrence of an event that gets that start, where
// it is a new one or has to go along.
func (in UpdateEventInput) changeRecurrence(asked map[string]any, old *event, start time.Time) (err error) {
	switch {
	case in.Recurrence != "" && (old.Type == "occurrence" || old.Type == "exception"):
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "recurrence: one event of a series has none of its own").WithHint("call again with scope series")
	case in.Recurrence != "":
		asked["recurrence"], err = parseRecurrence(in.Recurrence, start)
	case old.Type == "seriesMaster" && !old.follows(start.Location()):
		// Graph refuses times in another zone than the recurrence has.
		asked["recurrence"], err = old.Recurrence.from(start)
	}
	return err
}

// times returns the new times of an event; what is not named stays, the length
// above all.
func (in UpdateEventInput) times(old *event, zone *time.Location) (eventTimes, error) {
	from := in.Start
	if from == "" {
		from, _ = old.span(zone)
	}
	times, err := readTimes(argument.Text{Name: "start", Value: from}, argument.Text{Name: "end", Value: in.End}, zone, defaultMeeting)
	if err != nil || in.End != "" || times.allDay != old.AllDay {
		return times, err
	}
	if old.AllDay {
		days := int(old.End.date().Sub(old.Start.date()).Hours()) / 24
		times.end = times.start.AddDate(0, 0, max(days, 1))
		return times, nil
	}
	times.end = times.start.Add(old.End.in(zone).Sub(old.Start.in(zone)))
	return times, nil
}

// ofSeries turns new times of the event that the caller named into those of its
// series. A series follows the clock of its own zone, which need not be the
// mailbox's, and keeps that zone unless its start is given in another one.
func (in UpdateEventInput) ofSeries(t eventTimes, named, series *event, zone *time.Location) (eventTimes, error) {
	own := series.ownZone()
	switch {
	case series.AllDay != t.allDay, in.Start != "" && in.TimeZone != "", own == nil && t.allDay:
		own = zone
	case own == nil:
		return t, mcptools.Errorf(mcptools.CodeInvalidArguments, "time_zone: the series has a time zone of its own that is unknown here").
			WithHint("give start and time_zone to put it into another")
	}
	t = t.in(own)
	if in.Start == "" {
		return t.startingAt(series.first(own)), nil
	}
	if in.Recurrence != "" {
		return t, nil
	}
	return t.onDayOf(named, series, own)
}

// onDayOf moves new times, given for the event that the caller named, to the
// first day of its series: a series keeps its days unless it gets a new
// recurrence.
func (t eventTimes) onDayOf(named, series *event, zone *time.Location) (eventTimes, error) {
	day, first := named.first(zone), series.first(zone)
	if t.start.Format(dateOnly) != day.Format(dateOnly) && t.start.Format(dateOnly) != first.Format(dateOnly) {
		return t, mcptools.Errorf(mcptools.CodeInvalidArguments, "start: a series cannot move to another day by its start alone").
			WithHint("keep the day, %s in %s, or give the new recurrence too", day.Format(dateOnly), zone)
	}
	return t.startingAt(time.Date(first.Year(), first.Month(), first.Day(), t.start.Hour(), t.start.Minute(), 0, 0, zone)), nil
}

// changeAttendees adds the new list of attendees. Graph replaces the list as a
// whole, so those who stay are sent too.
func (in UpdateEventInput) changeAttendees(asked map[string]any, old *event) error {
	if len(in.AddAttendees)+len(in.RemoveAttendees) == 0 {
		return nil
	}
	added, err := recipients("add_attendees", in.AddAttendees)
	removed, err2 := recipients("remove_attendees", in.RemoveAttendees)
	if err := argument.Faults(err, err2); err != nil {
		return err
	}
	invited := []attendee{}
	for _, a := range old.Attendees {
		if !hasAddress(removed, a.EmailAddress.Address) {
			invited = append(invited, attendee{recipient: a.recipient, Type: a.Type})
		}
	}
	for _, r := range removed {
		if !slices.ContainsFunc(old.Attendees, func(a attendee) bool { return strings.EqualFold(a.EmailAddress.Address, r.EmailAddress.Address) }) {
			return mcptools.Errorf(mcptools.CodeNotFound, "%s is not invited", r.EmailAddress.Address).WithHint("see the attendees with m365_cal_get")
		}
	}
	for _, r := range added {
		if !slices.ContainsFunc(invited, func(a attendee) bool { return strings.EqualFold(a.EmailAddress.Address, r.EmailAddress.Address) }) {
			invited = append(invited, attendee{recipient: r, Type: "required"})
		}
	}
	asked["attendees"] = invited
	return nil
}

func hasAddress(list []recipient, address string) bool {
	return slices.ContainsFunc(list, func(r recipient) bool { return strings.EqualFold(r.EmailAddress.Address, address) })
}

// joinMark matches the line that Teams draws above the details of a meeting.
var joinMark = regexp.MustCompile(`(?is)<(?:div|span|p)\b[^<>]*>(?:\s*<[^<>]+>)*\s*_{20,}`)

// joinBlock returns the part of a body that makes the event an online meeting:
// without it, a new body ends the meeting. Where it cannot be told from the
// rest, that is the whole body, and found is false.
// https://learn.microsoft.com/graph/api/event-update (note on online meetings)
func joinBlock(html string) (block string, found bool) {
	if at := joinMark.FindStringIndex(html); at != nil {
		return "<br>" + html[at[0]:], true
	}
	if html == "" {
		return "", true
	}
	return "<hr>" + html, false
}
