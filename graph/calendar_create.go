package graph

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// CreateEventInput is a new event.
//
// Start is a local time, a time with an offset, or a date for an event that
// takes all day. Recurrence is a rule and, optionally, its end:
//
//	daily | weekdays | weekly | monthly | yearly | every 2 weeks
//	  [on mon,wed | on 15 | on last fri | on 24 dec | on first mon of may]
//	  [until 2026-12-31 | 10 times]
type CreateEventInput struct {
	Mailbox    string   `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	Subject    string   `json:"subject"`
	Start      string   `json:"start" jsonschema:"local time, or a date for all day"`
	End        string   `json:"end,omitempty" jsonschema:"time, length such as 45m, or last day; default: 30m"`
	TimeZone   string   `json:"time_zone,omitempty" jsonschema:"such as Europe/Berlin; default: the mailbox's"`
	Attendees  []string `json:"attendees,omitempty" jsonschema:"addresses"`
	Location   string   `json:"location,omitempty"`
	Online     bool     `json:"online,omitempty" jsonschema:"Teams meeting"`
	Body       string   `json:"body,omitempty" jsonschema:"Markdown" maxLength:"1000000"`
	Recurrence string   `json:"recurrence,omitempty" jsonschema:"daily, weekdays, weekly on mon,wed, monthly on 15 or last fri, every 2 weeks, yearly; then until 2026-12-31 or 10 times"`
	Calendar   string   `json:"calendar,omitempty" jsonschema:"name or id"`
}

// EventChange says what became of an event that was made or changed.
type EventChange struct {
	ID         string   `json:"id"`
	Subject    string   `json:"subject"`
	Start      string   `json:"start"`
	End        string   `json:"end"`
	TimeZone   string   `json:"time_zone"`
	Recurrence string   `json:"recurrence,omitempty"`
	Online     string   `json:"online,omitempty"`
	Attendees  []string `json:"attendees,omitempty"`
	Changed    []string `json:"changed,omitempty"`
	Ignored    []string `json:"ignored,omitempty" jsonschema:"what the server did not take over"`
	Note       string   `json:"note,omitempty"`
}

const defaultMeeting = 30 * time.Minute

// CreateEvent makes an event and invites its attendees.
//
// The request carries a random transactionId, by which Exchange recognizes a
// repetition: it answers with the event that is there already. So the request
// is repeated where an answer was lost.
// https://learn.microsoft.com/graph/api/user-post-events
func (c *Client) CreateEvent(ctx context.Context, in CreateEventInput) (*EventChange, error) {
	zone, err := c.zoneToWrite(ctx, in.Mailbox, in.TimeZone)
	if err != nil {
		return nil, err
	}
	times, err := readTimes(argument.Text{Name: "start", Value: in.Start}, argument.Text{Name: "end", Value: in.End}, zone, defaultMeeting)
	if err != nil {
		return nil, err
	}
	asked := map[string]any{"subject": in.Subject, "transactionId": rand.Text()}
	times.fill(asked)
	if in.Recurrence != "" {
		rule, err := parseRecurrence(in.Recurrence, times.start)
		if err != nil {
			return nil, err
		}
		asked["recurrence"] = rule
		times.repeat(asked)
	}
	if err := fillEvent(asked, in.Location, in.Body, in.Online); err != nil {
		return nil, err
	}
	invited, err := recipients("attendees", in.Attendees)
	if err != nil {
		return nil, err
	}
	if len(invited) > 0 {
		asked["attendees"] = attendees(invited)
	}
	path, err := c.calendarPath(ctx, in.Mailbox, in.Calendar, "/events")
	if err != nil {
		return nil, err
	}
	made, err := c.sendEvent(ctx, zone, rest.Request{Method: http.MethodPost, Path: path, Body: asked, Repeatable: true})
	if err != nil {
		return nil, doubted(err)
	}
	out := eventChange(made, zone)
	out.Ignored = ignored(asked, made, zone)
	return out, nil
}

// doubted makes a conflict uncertain: a new event conflicts with nothing, so it
// can only be the answer to a repetition whose first run was still going on.
func doubted(err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != mcptools.CodeConflict {
		return err
	}
	uncertain := *e
	uncertain.Code, uncertain.Hint = mcptools.CodeUncertain, "look with m365_cal_view whether the event was made before trying again"
	return &uncertain
}

// eventTimes are when an event takes place.
type eventTimes struct {
	start, end time.Time
	allDay     bool // then end is the midnight after the last day
}

// withOffset matches times that name their offset.
var withOffset = regexp.MustCompile(`(?:[Zz]|[+-]\d\d:\d\d)$`)

// readTimes reads the start and the end of an event. The end may be a length, or
// a time of day on the day of the start; without one, the event takes that long.
func readTimes(from, end argument.Text, zone *time.Location, length time.Duration) (eventTimes, error) {
	now := time.Now().Truncate(time.Minute)
	start, err := when.Instant(from.Value, zone, now)
	if err != nil {
		return eventTimes{}, argument.Faults(argument.Of(from.Name, err), checkEnd(end, zone, now))
	}
	t := eventTimes{start: start.In(zone), allDay: when.WholeDay(from.Value)}
	if t.allDay {
		return t.untilDay(end, zone, now)
	}
	return t.until(end, withOffset.MatchString(from.Value) && start.Format("Z07:00") != t.start.Format("Z07:00"), length, now)
}

// checkEnd says what is wrong with an end whatever the start is.
func checkEnd(end argument.Text, zone *time.Location, now time.Time) error {
	if _, err := time.Parse("15:04", strings.TrimSpace(end.Value)); err == nil || end.Value == "" {
		return nil
	}
	if _, err := when.Duration(end.Value); err == nil {
		return nil
	}
	if _, err := when.Instant(end.Value, zone, now); err != nil {
		return argument.Of(end.Name, err)
	}
	return nil
}

// until completes an event that starts at a time of day, foreign if that was
// given in another zone than the event's.
func (t eventTimes) until(end argument.Text, foreign bool, length time.Duration, now time.Time) (eventTimes, error) {
	to, zone := end.Value, t.start.Location()
	refuse := func(format string, args ...any) (eventTimes, error) {
		return t, mcptools.Errorf(mcptools.CodeInvalidArguments, end.Name+": "+format, args...)
	}
	if to == "" {
		t.end = t.start.Add(length)
		return t, nil
	}
	// 12:00 is a time of day here: a meeting from 11:00 of twelve hours is what
	// nobody means.
	if clock, err := time.Parse("15:04", strings.TrimSpace(to)); err == nil {
		if foreign {
			return refuse("give it a date and an offset, as start has them")
		}
		to = t.start.Format(dateOnly) + clock.Format("T15:04")
	} else if took, err := when.Duration(to); err == nil {
		t.end = t.start.Add(took)
		return t, nil
	}
	if when.WholeDay(to) {
		return refuse("it needs a time of day, as start has one")
	}
	last, err := when.Instant(to, zone, now)
	if err != nil {
		return t, argument.Of(end.Name, err)
	}
	if !last.After(t.start) {
		return refuse("%s is not after the start, %s", stamp(last, zone), stamp(t.start, zone))
	}
	t.end = last.In(zone)
	return t, nil
}

// untilDay completes an all-day event.
func (t eventTimes) untilDay(end argument.Text, zone *time.Location, now time.Time) (eventTimes, error) {
	last := t.start
	if end.Value != "" {
		if !when.WholeDay(end.Value) {
			return t, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: it must be the last day, as start is a day; or give start a time of day", end.Name)
		}
		day, err := when.Instant(end.Value, zone, now)
		if err != nil {
			return t, argument.Of(end.Name, err)
		}
		last = day.In(zone)
	}
	if last.Before(t.start) {
		return t, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: the last day is before the first", end.Name)
	}
	t.end = last.AddDate(0, 0, 1)
	return t, nil
}

// in returns the times in another zone; days stay the days they are.
func (t eventTimes) in(zone *time.Location) eventTimes {
	if t.allDay {
		return eventTimes{midnight(t.start, zone), midnight(t.end, zone), true}
	}
	return eventTimes{start: t.start.In(zone), end: t.end.In(zone)}
}

// startingAt returns times of the same length that start then.
func (t eventTimes) startingAt(start time.Time) eventTimes {
	length := t.end.Sub(t.start)
	t.start, t.end = start, start.Add(length)
	if t.allDay { // days of 23 and 25 hours count as one
		t.end = start.AddDate(0, 0, int(length.Hours()+12)/24)
	}
	return t
}

// midnight returns the beginning of t's day in a zone.
func midnight(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// fill writes the times as Graph takes them.
func (t eventTimes) fill(asked map[string]any) {
	asked["isAllDay"] = t.allDay
	asked["start"], asked["end"] = t.wall(t.start), t.wall(t.end)
}

// repeat makes sure that the times of a series are wall clock times, which stay
// the same when the clocks change.
func (t eventTimes) repeat(asked map[string]any) {
	zone := when.WindowsName(t.start.Location())
	asked["start"] = dateTimeZone{t.start.Format(wallClock), zone}
	asked["end"] = dateTimeZone{t.end.Format(wallClock), zone}
	if t.allDay {
		asked["start"], asked["end"] = t.wall(t.start), t.wall(t.end)
	}
}

func (t eventTimes) wall(at time.Time) dateTimeZone {
	if t.allDay {
		return dateTimeZone{at.Format(dateOnly) + "T00:00:00", when.WindowsName(at.Location())}
	}
	return wallTime(at, at.Location())
}

// fillEvent adds what an event may have besides its times.
func fillEvent(asked map[string]any, location, text string, online bool) error {
	if location != "" {
		asked["location"] = place{Name: location}
	}
	if text != "" {
		content, err := body(text, "markdown")
		if err != nil {
			return err
		}
		asked["body"] = content
	}
	if online {
		asked["isOnlineMeeting"], asked["onlineMeetingProvider"] = true, "teamsForBusiness"
	}
	return nil
}

func attendees(list []recipient) []attendee {
	invited := make([]attendee, 0, len(list))
	for _, r := range list {
		invited = append(invited, attendee{recipient: r, Type: "required"})
	}
	return invited
}

func eventChange(e *event, zone *time.Location) *EventChange {
	out := &EventChange{ID: e.ID, Subject: e.Subject, TimeZone: zone.String(), Recurrence: e.Recurrence.String(), Online: e.joinURL()}
	out.Start, out.End = e.span(zone)
	for _, a := range e.Attendees {
		out.Attendees = append(out.Attendees, a.EmailAddress.Address)
	}
	return out
}

// ignored compares an event with what was asked for.
func ignored(asked map[string]any, made *event, zone *time.Location) []string {
	var differs []string
	check := func(field string, same bool) {
		if _, wanted := asked[field]; wanted && !same {
			differs = append(differs, strings.ToLower(strings.TrimPrefix(field, "is")))
		}
	}
	check("subject", asked["subject"] == made.Subject)
	check("isAllDay", asked["isAllDay"] == made.AllDay)
	check("start", sameTime(asked["start"], made.Start, made.AllDay, zone))
	check("end", sameTime(asked["end"], made.End, made.AllDay, zone))
	check("location", asked["location"] == made.Location)
	check("isOnlineMeeting", asked["isOnlineMeeting"] == made.Online)
	if rule, ok := asked["recurrence"].(*recurrence); ok {
		check("recurrence", rule.String() == made.Recurrence.String())
	}
	if invited, ok := asked["attendees"].([]attendee); ok {
		there := map[string]bool{}
		for _, a := range made.Attendees {
			there[strings.ToLower(a.EmailAddress.Address)] = true
		}
		for _, a := range invited {
			if !there[strings.ToLower(a.EmailAddress.Address)] {
				differs = append(differs, fmt.Sprintf("attendee %s", a.EmailAddress.Address))
			}
		}
	}
	return differs
}

func sameTime(asked any, made dateTimeZone, allDay bool, zone *time.Location) bool {
	wanted, ok := asked.(dateTimeZone)
	if !ok {
		return false
	}
	if allDay {
		return wanted.date().Equal(made.date())
	}
	a, b := wanted.in(zone), made.in(zone)
	return a.Equal(b) || comesTwice(a) && a.Format(wallClock) == b.Format(wallClock)
}
