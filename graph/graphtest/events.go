package graphtest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// eventRoutes answers for reading events; event_write.go for the rest.
// https://learn.microsoft.com/graph/api/resources/event
func eventRoutes() map[string]handler {
	const e = "POST /users/{id}/events/{id}/"
	return map[string]handler{
		"GET /users/{id}/calendars/{id}/calendarView": calendarView,
		"GET /users/{id}/calendars/{id}/events":       listEvents,
		"POST /users/{id}/calendars/{id}/events":      createEvent,
		"GET /users/{id}/events/{id}":                 getEvent,
		"PATCH /users/{id}/events/{id}":               updateEvent,
		"DELETE /users/{id}/events/{id}":              deleteEvent,
		"GET /users/{id}/events/{id}/instances":       listInstances,
		e + "accept":                                  func(c *call) (reply, error) { return answerEvent(c, "accepted") },
		e + "decline":                                 func(c *call) (reply, error) { return answerEvent(c, "declined") },
		e + "tentativelyAccept":                       func(c *call) (reply, error) { return answerEvent(c, "tentativelyAccepted") },
		e + "cancel":                                  cancelEvent,
	}
}

type event struct {
	box        *mailbox
	calendar   *calendar
	n, version int
	uid        string // iCalUId, the same in every attendee's copy
	props      object // everything but times, ids and recurrence
	start, end time.Time
	zone       string // of the start, as it was given
	endZone    string // likewise
	location   *time.Location
	allDay     bool
	recurrence object                // nil: a single event
	exceptions map[string]*exception // by date; nil value: cancelled
	files      []*attachment
}

// exception is an occurrence that differs from its series.
type exception struct {
	props      object
	start, end time.Time
}

// daysSince numbers dates, so that occurrences have ids of their own.
func daysSince(day string) int {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return int(t.Unix()/86400) + 1
}

func (e *event) id(p prefs, day string) string {
	if p.immutable {
		return e.box.immutableID(e.n + 1_000_000*daysSince(day))
	}
	return e.box.regularID(e.n, daysSince(day))
}

// event finds the event, or with an occurrence's id its series.
func (c *call) event() (*event, error) {
	o, err := c.occurrence()
	return o.event, err
}

// occurrence finds what an id stands for; day is empty for a single event or
// a series master.
func (c *call) occurrence() (occurrence, error) {
	id := c.ids[1]
	if len(id) < 20 {
		return occurrence{}, failf(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
	}
	form := prefs{immutable: len(id) == len(c.owner.box.immutableID(0))}
	for _, e := range c.owner.box.events {
		if id == e.id(form, "") {
			return occurrence{event: e, start: e.start, end: e.end}, nil
		}
	}
	horizon := c.opts.Now().AddDate(3, 0, 0)
	for _, e := range c.owner.box.events {
		if e.recurrence == nil {
			continue
		}
		for _, o := range e.occurrences(e.start.AddDate(0, 0, -1), horizon) {
			if id == e.id(form, o.day) {
				return o, nil
			}
		}
	}
	return occurrence{}, errNotFound()
}

func (e *event) view(p prefs) object {
	return occurrence{event: e, start: e.start, end: e.end}.view(p)
}

// view shows an event, a series master or an occurrence.
func (o occurrence) view(p prefs) object {
	e := o.event
	view := maps.Clone(e.props)
	maps.Copy(view, o.changed)
	delete(view, creationBody)
	view["id"], view["iCalUId"] = e.id(p, o.day), e.uid
	view["changeKey"] = changeKey(e.n, e.version)
	view["@odata.etag"] = `W/"` + changeKey(e.n, e.version) + `"`
	view["start"], view["end"] = e.moment(o.start, p), e.moment(o.end, p)
	view["isAllDay"], view["originalStartTimeZone"], view["originalEndTimeZone"] = e.allDay, e.zone, firstOf(e.endZone, e.zone)
	view["hasAttachments"] = len(e.files) > 0
	view["webLink"] = "https://outlook.office365.com/owa/?itemid=" + e.id(p, o.day) + "&exvsurl=1&path=/calendar/item"
	view["recurrence"], view["seriesMasterId"], view["type"] = nil, nil, "singleInstance"
	switch {
	case o.day != "":
		view["seriesMasterId"], view["type"] = e.id(p, ""), "occurrence"
		if o.changed != nil {
			view["type"] = "exception"
		}
	case e.recurrence != nil:
		view["recurrence"], view["type"] = e.recurrence, "seriesMaster"
	}
	if body, isObject := view["body"].(object); isObject {
		view["body"] = showBody(body, p.bodyType)
		view["bodyPreview"] = preview(body)
	}
	return view
}

// moment writes a time in the zone the caller prefers. All-day events have no
// zone: their midnight is midnight everywhere.
func (e *event) moment(t time.Time, p prefs) object {
	if e.allDay {
		return object{"dateTime": t.In(e.location).Format(wallClock), "timeZone": firstOf(p.zone, "UTC")}
	}
	return dateTimeTimeZone(t, p.zone, p.location)
}

func (o occurrence) item() item {
	return item{props: o.view(prefs{}), view: o.view, nav: func(name string, p prefs) any {
		switch name {
		case "attachments":
			views := []object{}
			h := holder{box: o.event.box, n: o.event.n, files: &o.event.files}
			for _, a := range o.event.files {
				views = append(views, a.view(h, p))
			}
			return views
		case "calendar":
			return calendarItem(o.event.box, o.event.calendar).view(prefs{})
		}
		return nil
	}}
}

func eventListing(rows []item) listing {
	return listing{kinds: []string{"event"}, items: rows, top: 10, maxTop: 1000}
}

// calendarView lists what overlaps a period, series expanded.
func calendarView(c *call) (reply, error) {
	calendar, err := c.calendar()
	if err != nil {
		return reply{}, err
	}
	from, to, err := c.period()
	if err != nil {
		return reply{}, err
	}
	var found []occurrence
	for _, e := range c.owner.box.events {
		if e.calendar == calendar {
			found = append(found, e.occurrences(from, to)...)
		}
	}
	return c.list(eventListing(eventRows(found)))
}

func eventRows(found []occurrence) []item {
	slices.SortStableFunc(found, func(a, b occurrence) int {
		return cmp.Or(a.start.Compare(b.start), a.event.n-b.event.n)
	})
	var rows []item
	for _, o := range found {
		rows = append(rows, o.item())
	}
	return rows
}

// period reads startDateTime and endDateTime; without an offset they are UTC.
func (c *call) period() (from, to time.Time, err error) {
	for name, t := range map[string]*time.Time{"startDateTime": &from, "endDateTime": &to} {
		text := c.option(name)
		if text == "" {
			c.violate(fakehttp.UnknownQuery, "%s is needed", name)
			return from, to, failf(http.StatusBadRequest, "ErrorInvalidParameter", "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
		}
		if *t, err = parseWallClock(text, time.UTC); err != nil {
			c.violate(fakehttp.WrongKind, "%s=%q", name, text)
			return from, to, failf(http.StatusBadRequest, "ErrorInvalidParameter", "The value '%s' of parameter '%s' is invalid.", text, name)
		}
	}
	if to.Before(from) || to.Sub(from) > 1825*24*time.Hour {
		return from, to, failf(http.StatusBadRequest, "ErrorInvalidParameter", "The time window must not be negative or longer than 1825 days.")
	}
	return from, to, nil
}

// listEvents lists single events and series masters.
func listEvents(c *call) (reply, error) {
	calendar, err := c.calendar()
	if err != nil {
		return reply{}, err
	}
	var found []occurrence
	for _, e := range c.owner.box.events {
		if e.calendar == calendar {
			found = append(found, occurrence{event: e, start: e.start, end: e.end})
		}
	}
	rows := eventRows(found)
	slices.Reverse(rows)
	return c.list(eventListing(rows))
}

func getEvent(c *call) (reply, error) {
	o, err := c.occurrence()
	if err != nil {
		return reply{}, err
	}
	return c.one(eventListing(nil), o.item())
}

func listInstances(c *call) (reply, error) {
	e, err := c.event()
	if err != nil {
		return reply{}, err
	}
	if e.recurrence == nil {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Expanding instances of a single event is not possible.")
	}
	from, to, err := c.period()
	if err != nil {
		return reply{}, err
	}
	return c.list(eventListing(eventRows(e.occurrences(from, to))))
}

// findEvent finds the copy of a meeting in a mailbox.
func (b *mailbox) findEvent(uid string) *event {
	for _, e := range b.events {
		if e.uid == uid {
			return e
		}
	}
	return nil
}

func (b *mailbox) removeEvent(e *event) {
	b.events = slices.DeleteFunc(b.events, func(other *event) bool { return other == e })
}

// isOrganizer says whether the event is the organizer's own copy.
func (e *event) isOrganizer() bool {
	return strings.EqualFold(textAt(e.props["organizer"], "emailAddress", "address"), e.box.owner.mail())
}
