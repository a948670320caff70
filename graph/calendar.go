package graph

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// event is an event as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/event
type event struct {
	ID           string       `json:"id"`
	Subject      string       `json:"subject"`
	Body         itemBody     `json:"body"`
	Start        dateTimeZone `json:"start"`
	End          dateTimeZone `json:"end"`
	Zone         string       `json:"originalStartTimeZone"`
	AllDay       bool         `json:"isAllDay"`
	Cancelled    bool         `json:"isCancelled"`
	Organized    bool         `json:"isOrganizer"`
	Organizer    *recipient   `json:"organizer"`
	Attendees    []attendee   `json:"attendees"`
	Location     place        `json:"location"`
	Response     response     `json:"responseStatus"`
	ShowAs       string       `json:"showAs"`
	Sensitivity  string       `json:"sensitivity"`
	Importance   string       `json:"importance"`
	Type         string       `json:"type"`
	SeriesMaster string       `json:"seriesMasterId"`
	Recurrence   *recurrence  `json:"recurrence"`
	Online       bool         `json:"isOnlineMeeting"`
	OnlineURL    string       `json:"onlineMeetingUrl"`
	Meeting      *struct {
		JoinURL string `json:"joinUrl"`
	} `json:"onlineMeeting"`
	Attached   bool     `json:"hasAttachments"`
	Categories []string `json:"categories"`
}

type place struct {
	Name string `json:"displayName"`
}

type response struct {
	Response string `json:"response"`
}

type attendee struct {
	recipient
	Type   string    `json:"type"`
	Status *response `json:"status,omitempty"`
}

// dateTimeZone is a wall clock time in a named zone.
// https://learn.microsoft.com/graph/api/resources/datetimetimezone
type dateTimeZone struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

const (
	wallClock = "2006-01-02T15:04:05"
	dateOnly  = time.DateOnly
)

// wallTime writes t as a wall clock time in zone. Exchange reads the hour that
// comes twice when the clocks go back as the second one, so times in it are
// written in UTC.
func wallTime(t time.Time, zone *time.Location) dateTimeZone {
	local := t.In(zone)
	if comesTwice(local) {
		return dateTimeZone{t.UTC().Format(wallClock), "UTC"}
	}
	return dateTimeZone{local.Format(wallClock), when.WindowsName(zone)}
}

// comesTwice reports whether the clock on the wall shows t's time twice.
func comesTwice(t time.Time) bool {
	for _, other := range []time.Time{t.Add(-time.Hour), t.Add(time.Hour)} {
		if other.Format(wallClock) == t.Format(wallClock) {
			return true
		}
	}
	return false
}

// in returns the time. Of an hour that comes twice the first is taken, which
// is how the arguments of the tools are read.
func (d dateTimeZone) in(zone *time.Location) time.Time {
	source, err := when.Zone(d.TimeZone)
	if err != nil {
		source = zone
	}
	t, err := when.Instant(d.DateTime, source, time.Time{})
	if err != nil {
		return time.Time{}
	}
	return t.In(zone)
}

// date returns the day of an all-day event, which has no time zone.
func (d dateTimeZone) date() time.Time {
	day, err := time.Parse(dateOnly, d.DateTime[:min(len(d.DateTime), len(dateOnly))])
	if err != nil {
		return time.Time{}
	}
	return day
}

// span writes when an event starts and ends: times with their offset, or the
// first and the last day of an all-day event.
func (e *event) span(zone *time.Location) (start, end string) {
	if e.AllDay {
		first, last := e.Start.date(), e.End.date().AddDate(0, 0, -1)
		if last.Before(first) {
			last = first
		}
		return first.Format(dateOnly), last.Format(dateOnly)
	}
	from, to := e.Start.in(zone), e.End.in(zone)
	if to.Before(from) { // it starts in the first of two equal hours and ends in the second
		to = to.Add(time.Hour)
	}
	return stamp(from, zone), stamp(to, zone)
}

// first returns when an event or the first of a series starts; an all-day one
// starts at midnight everywhere.
func (e *event) first(zone *time.Location) time.Time {
	if e.AllDay {
		return midnight(e.Start.date(), zone)
	}
	return e.Start.in(zone)
}

// ownZone returns the zone whose clock a series follows, or nil where it is one
// that only its maker knows. originalStartTimeZone is that of the day it was made.
func (e *event) ownZone() *time.Location {
	for _, name := range []string{e.Recurrence.zoneName(), e.Zone} {
		if zone, err := when.Zone(name); err == nil && name != "" {
			return zone
		}
	}
	return nil
}

// follows reports whether a series has that zone for its own.
func (e *event) follows(zone *time.Location) bool {
	own := e.ownZone()
	return own != nil && when.WindowsName(own) == when.WindowsName(zone)
}

// joinURL is where an online meeting takes place.
func (e *event) joinURL() string {
	if e.Meeting != nil && e.Meeting.JoinURL != "" {
		return e.Meeting.JoinURL
	}
	return e.OnlineURL
}

// responses are Graph's names of a response, as the tools take and give them.
func responseName(name string) string {
	switch name {
	case "tentativelyAccepted":
		return "tentative"
	case "notResponded", "none":
		return ""
	}
	return name
}

// zoned is the header that makes Graph write times in zone.
func zoned(zone *time.Location) http.Header {
	return prefer(`outlook.timezone="` + when.WindowsName(zone) + `"`)
}

// getEvent reads the fields of an event.
func (c *Client) getEvent(ctx context.Context, mailbox, id, fields string, zone *time.Location) (*event, error) {
	path, err := c.path(ctx, mailbox, "/events/{}", id)
	if err != nil {
		return nil, err
	}
	var e event
	if err := c.get(ctx, path, url.Values{"$select": {fields}}, zoned(zone), &e); err != nil {
		return nil, err
	}
	return &e, nil
}

// sendEvent makes a change whose answer is an event.
func (c *Client) sendEvent(ctx context.Context, zone *time.Location, r rest.Request) (*event, error) {
	r.Header = zoned(zone)
	var e event
	if _, err := c.service.Do(ctx, r, &e); err != nil {
		return nil, err
	}
	if e.ID == "" {
		return nil, c.service.Unread(r, nil)
	}
	return &e, nil
}

// seriesID returns the id that a change of an event goes to: its own, or that
// of the series it belongs to.
// A series that is named itself is changed only when all of it is meant.
func (e *event) seriesID(scope string) (string, error) {
	switch {
	case scope == "series" && e.SeriesMaster != "":
		return e.SeriesMaster, nil
	case scope != "series" && e.Type == "seriesMaster":
		return "", mcptools.Errorf(mcptools.CodeInvalidArguments, "%q is a whole series", markup.Preview(e.Subject, 80)).
			WithHint("set scope to series to mean all of it, or take the id of the one event from m365_cal_view")
	}
	return e.ID, nil
}

// calendarPath returns the path of something of a calendar: the default one, or
// the one of that name or id.
func (c *Client) calendarPath(ctx context.Context, mailbox, calendar, template string) (string, error) {
	if calendar == "" {
		return c.path(ctx, mailbox, template)
	}
	path, err := c.path(ctx, mailbox, "/calendars")
	if err != nil {
		return "", err
	}
	identity, err := c.holder(ctx)
	if err != nil {
		return "", err
	}
	id, err := c.resolved.Get(ctx, "calendar\x00"+identity+"\x00"+path+"\x00"+calendar, func(ctx context.Context) (string, error) {
		var found struct {
			Value []struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"value"`
		}
		if err := c.get(ctx, path, url.Values{"$select": {"id,name"}, "$top": {"100"}}, nil, &found); err != nil {
			return "", err
		}
		var candidates []match.Candidate
		for _, one := range found.Value {
			candidates = append(candidates, match.Candidate{ID: one.ID, Name: one.Name})
		}
		one, err := match.One("calendar", calendar, candidates)
		return one.ID, err
	})
	if err != nil {
		return "", err
	}
	return c.path(ctx, mailbox, "/calendars/{}"+template, id)
}

// ListCalendarsInput says whose calendars to list.
type ListCalendarsInput struct {
	Mailbox string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
}

// CalendarRow is one calendar.
type CalendarRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Owner    string `json:"owner,omitempty"`
	Default  bool   `json:"default,omitempty"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

// ListCalendars lists the calendars of a mailbox.
// https://learn.microsoft.com/graph/api/user-list-calendars
func (c *Client) ListCalendars(ctx context.Context, in ListCalendarsInput) (*mcptools.Page[CalendarRow], error) {
	path, err := c.path(ctx, in.Mailbox, "/calendars")
	if err != nil {
		return nil, err
	}
	type calendar struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Default bool   `json:"isDefaultCalendar"`
		CanEdit bool   `json:"canEdit"`
		Owner   struct {
			Name    string `json:"name"`
			Address string `json:"address"`
		} `json:"owner"`
	}
	return list(ctx, c, collection{
		tool: "m365_cal_list", args: in, limit: 100, path: path,
		query: url.Values{"$select": {"id,name,isDefaultCalendar,canEdit,owner"}},
	}, func(one calendar) CalendarRow {
		return CalendarRow{
			ID: one.ID, Name: one.Name, Default: one.Default, ReadOnly: !one.CanEdit,
			Owner: cmp.Or(one.Owner.Address, one.Owner.Name),
		}
	})
}

// contains reports whether every word of query occurs in one of the texts,
// whatever its case.
func contains(query string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
