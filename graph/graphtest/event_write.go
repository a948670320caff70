package graphtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

var eventReadOnly = []string{
	"id", "bodyPreview", "changeKey", "createdDateTime", "lastModifiedDateTime", "iCalUId", "hasAttachments", "isCancelled",
	"isDraft", "isOrganizer", "onlineMeeting", "onlineMeetingUrl", "organizer", "originalStart", "originalStartTimeZone",
	"originalEndTimeZone", "responseStatus", "seriesMasterId", "type", "webLink", "cancelledOccurrences",
}

// createEvent books an event and invites its attendees.
// https://learn.microsoft.com/graph/api/calendar-post-events
func createEvent(c *call) (reply, error) {
	calendar, err := c.calendar()
	if err != nil {
		return reply{}, err
	}
	body, err := c.decode("event")
	if err != nil {
		return reply{}, err
	}
	again, err := c.repeated(body)
	if err != nil {
		return reply{}, err
	}
	if again != nil {
		return created(c.entity(again)), nil
	}
	sent, _ := json.Marshal(body) // it came from JSON
	c.ignored(body, eventReadOnly...)
	e := &event{box: c.owner.box, calendar: calendar, n: c.item(), exceptions: map[string]*exception{}}
	e.uid = strings.ToUpper(fmt.Sprintf("040000008200E00074C5B7101A82E008%x", itemPart("uid", e.n, 0)))
	e.props = newEventProps(c.owner, timestamp(c.opts.Now()))
	if err := c.setEvent(e, body); err != nil {
		return reply{}, err
	}
	if e.start.IsZero() || e.end.IsZero() {
		c.violate(fakehttp.WrongKind, "an event needs start and end")
		return reply{}, failf(http.StatusBadRequest, "ErrorPropertyValidationFailure", "At least one property failed validation.")
	}
	e.props[creationBody] = string(sent)
	c.owner.box.events = append(c.owner.box.events, e)
	c.invite(e)
	return created(c.entity(e.view(c.prefs))), nil
}

// creationBody is the key under which an event keeps the request that made it,
// to tell a retry from a second use of its transactionId.
const creationBody = "@creationBody"

// repeated answers a retry that carries the transactionId of an event.
func (c *call) repeated(body object) (object, error) {
	id := textAt(body, "transactionId")
	if id == "" {
		return nil, nil
	}
	sent, _ := json.Marshal(body) // it came from JSON
	for _, e := range c.owner.box.events {
		if e.props["transactionId"] != id {
			continue
		}
		if e.props[creationBody] == string(sent) {
			return e.view(c.prefs), nil
		}
		return nil, failf(http.StatusConflict, "ErrorDuplicateTransactionId", "Your request can't be completed. The TransactionId specified in the request has already been used to create a different event.")
	}
	return nil, nil
}

func newEventProps(organizer *user, now string) object {
	return object{
		"subject": "", "body": object{"contentType": "html", "content": ""}, "bodyPreview": "", "importance": "normal", "sensitivity": "normal",
		"showAs": "busy", "isCancelled": false, "isOrganizer": true, "isDraft": false, "responseRequested": true,
		"allowNewTimeProposals": true, "hideAttendees": false, "isOnlineMeeting": false, "onlineMeetingProvider": "unknown",
		"onlineMeeting": nil, "onlineMeetingUrl": nil, "isReminderOn": true, "reminderMinutesBeforeStart": 15, "transactionId": nil,
		"categories": []any{}, "attendees": []any{}, "location": object{"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": object{}, "coordinates": object{}},
		"locations": []any{}, "createdDateTime": now, "lastModifiedDateTime": now,
		"organizer":      recipient(organizer.name(), organizer.mail()),
		"responseStatus": object{"response": "organizer", "time": "0001-01-01T00:00:00Z"},
	}
}

// setEvent applies a body to an event.
func (c *call) setEvent(e *event, body object) error {
	if allDay, given := body["isAllDay"].(bool); given {
		e.allDay = allDay
	}
	if err := c.setTimes(e, body); err != nil {
		return err
	}
	if recurrence, given := body["recurrence"].(object); given {
		if problem := checkRecurrence(recurrence, e.start.In(e.location)); problem != "" {
			c.violate(fakehttp.WrongKind, "%s", problem)
			return failf(http.StatusBadRequest, "ErrorPropertyValidationFailure", "At least one property failed validation. %s", problem)
		}
		e.recurrence = recurrence
	} else if _, cleared := body["recurrence"]; cleared {
		e.recurrence = nil
	}
	if name := textAt(e.recurrence, "range", "recurrenceTimeZone"); name != "" && body["start"] != nil {
		if location, err := zone(name); err != nil || location.String() != e.location.String() {
			c.violate(fakehttp.WrongKind, "a series in %q that starts in %q", name, e.zone)
			return failf(http.StatusBadRequest, "ErrorPropertyValidationFailure", "At least one property failed validation. The time zone of the series differs from that of its start.")
		}
	}
	c.setProps(e.props, body)
	e.version++
	return nil
}

func (c *call) setTimes(e *event, body object) error {
	endLocation := e.location
	if body["start"] != nil { // it says which zone a series follows
		start, err := c.moment(body["start"])
		if err != nil {
			return err
		}
		e.start, e.zone, e.location = start, zoneName(body["start"]), start.Location()
		endLocation = e.location
	}
	if body["end"] != nil {
		end, err := c.moment(body["end"])
		if err != nil {
			return err
		}
		e.end, e.endZone, endLocation = end, zoneName(body["end"]), end.Location()
	}
	if e.end.Before(e.start) {
		return failf(http.StatusBadRequest, "ErrorInvalidRequest", "The start time must not be later than the end time.")
	}
	if e.allDay && (!midnight(e.start.In(e.location)) || !midnight(e.end.In(endLocation)) || !e.end.After(e.start)) {
		c.violate(fakehttp.WrongKind, "an all-day event from %s to %s", e.start, e.end)
		return failf(http.StatusBadRequest, "ErrorInvalidRequest", "The Event.Start and Event.End properties for an all-day event need to be set to midnight, at least 24 hours apart.")
	}
	return nil
}

func midnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 }

func zoneName(value any) string { return firstOf(textAt(value, "timeZone"), "UTC") }

// moment reads a start or an end, in its zone.
func (c *call) moment(value any) (time.Time, error) {
	var t time.Time
	location, err := zone(zoneName(value))
	if err == nil {
		t, err = parseWallClock(textAt(value, "dateTime"), location)
	}
	if err != nil {
		c.violate(fakehttp.WrongKind, "dateTime %q in %q", textAt(value, "dateTime"), zoneName(value))
		return t, failf(http.StatusBadRequest, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", zoneName(value))
	}
	return t.In(location), nil
}

// setProps copies the plain properties of a body.
func (c *call) setProps(props, body object) {
	for name, value := range body {
		switch name {
		case "start", "end", "isAllDay", "recurrence":
			continue
		case "body":
			value = storedBody(asObject(value))
		case "attendees":
			value = invited(elements(value), elements(props["attendees"]))
		case "location":
			place := maps.Clone(asObject(value))
			place["locationType"], place["uniqueIdType"] = firstOf(textAt(place, "locationType"), "default"), "private"
			props["locations"] = []any{place}
			value = place
		}
		props[name] = value
	}
	if body["isOnlineMeeting"] == true && props["onlineMeeting"] == nil {
		props["onlineMeetingProvider"] = "teamsForBusiness"
		props["onlineMeeting"] = object{"joinUrl": "https://teams.example/l/meetup-join/" + newGUID()}
	}
	props["lastModifiedDateTime"] = timestamp(c.opts.Now())
}

// invited gives new attendees no response yet, and keeps those of known ones.
func invited(attendees, before []any) []any {
	out := []any{}
	for _, a := range attendees {
		attendee := maps.Clone(asObject(a))
		attendee["type"] = firstOf(textAt(attendee, "type"), "required")
		attendee["status"] = object{"response": "none", "time": "0001-01-01T00:00:00Z"}
		for _, old := range before {
			if strings.EqualFold(textAt(old, "emailAddress", "address"), textAt(attendee, "emailAddress", "address")) {
				attendee["status"] = at(old, "status")
			}
		}
		out = append(out, attendee)
	}
	return out
}

// invite puts copies of a meeting into the calendars of attendees in the
// tenant, or brings the copies there up to date.
func (s *Server) invite(e *event) {
	for _, address := range addresses(e.props["attendees"]) {
		who := s.user(address)
		if who == nil || who.box == nil || who.box == e.box {
			continue
		}
		duplicate := who.box.findEvent(e.uid)
		if duplicate == nil {
			duplicate = &event{box: who.box, calendar: who.box.calendars[0], n: s.item(), uid: e.uid, props: object{}}
			duplicate.props["responseStatus"] = object{"response": "notResponded", "time": "0001-01-01T00:00:00Z"}
			who.box.events = append(who.box.events, duplicate)
		}
		mine := duplicate.props["responseStatus"]
		duplicate.props = maps.Clone(e.props)
		delete(duplicate.props, creationBody)
		duplicate.props["responseStatus"], duplicate.props["isOrganizer"], duplicate.props["transactionId"] = mine, false, nil
		duplicate.start, duplicate.end, duplicate.zone, duplicate.endZone, duplicate.location = e.start, e.end, e.zone, e.endZone, e.location
		duplicate.allDay, duplicate.recurrence, duplicate.exceptions = e.allDay, e.recurrence, maps.Clone(e.exceptions)
		duplicate.version++
		if who.box.settings["userPurpose"] == "room" { // rooms accept by themselves
			accepted := object{"response": "accepted", "time": timestamp(s.opts.Now())}
			duplicate.props["responseStatus"] = accepted
			e.props["attendees"] = responded(elements(e.props["attendees"]), address, accepted, nil)
		}
	}
}

func updateEvent(c *call) (reply, error) {
	o, err := c.occurrence()
	if err != nil {
		return reply{}, err
	}
	body, err := c.decode("event")
	if err != nil {
		return reply{}, err
	}
	e := o.event
	if err := c.checkMatch(changeKey(e.n, e.version)); err != nil {
		return reply{}, err
	}
	c.ignored(body, eventReadOnly...)
	c.ignored(body, "transactionId")
	if o.day != "" {
		if o, err = c.changeOccurrence(o, body); err != nil {
			return reply{}, err
		}
	} else {
		changed := *e
		changed.props = maps.Clone(e.props)
		if err := c.setEvent(&changed, body); err != nil {
			return reply{}, err
		}
		*e = changed
		o.start, o.end = e.start, e.end
	}
	if e.isOrganizer() {
		c.invite(e)
	}
	return c.one(eventListing(nil), o.item())
}

// changeOccurrence makes an occurrence an exception of its series.
func (c *call) changeOccurrence(o occurrence, body object) (occurrence, error) {
	if _, given := body["recurrence"]; given {
		c.violate(fakehttp.WrongKind, "recurrence of an occurrence")
		return o, failf(http.StatusBadRequest, "ErrorOccurrenceCannotBeRecurring", "An occurrence cannot have a recurrence of its own.")
	}
	one := &event{start: o.start, end: o.end, zone: o.event.zone, location: o.event.location, allDay: o.event.allDay, props: object{}}
	maps.Copy(one.props, o.changed)
	one.props["attendees"] = firstNonNil(one.props["attendees"], o.event.props["attendees"])
	if err := c.setEvent(one, body); err != nil {
		return o, err
	}
	o.start, o.end, o.changed = one.start, one.end, one.props
	o.event.exceptions[o.day] = &exception{one.props, one.start, one.end}
	o.event.version++
	return o, nil
}

func firstNonNil(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// deleteEvent removes an event, or one occurrence; an organizer's attendees
// get it cancelled.
func deleteEvent(c *call) (reply, error) {
	o, err := c.occurrence()
	if err != nil {
		return reply{}, err
	}
	c.drop(o)
	return noContent(), nil
}

func (c *call) drop(o occurrence) {
	e := o.event
	if o.day != "" {
		e.exceptions[o.day] = nil
		if e.isOrganizer() {
			c.invite(e)
		}
		return
	}
	e.box.removeEvent(e)
	if !e.isOrganizer() {
		return
	}
	for _, box := range c.boxes {
		if duplicate := box.findEvent(e.uid); duplicate != nil {
			duplicate.props["isCancelled"], duplicate.props["showAs"] = true, "free"
			duplicate.props["subject"] = "Canceled: " + textAt(duplicate.props, "subject")
			duplicate.version++
		}
	}
}

func cancelEvent(c *call) (reply, error) {
	o, err := c.occurrence()
	if err != nil {
		return reply{}, err
	}
	if _, err := c.parameters(); err != nil {
		return reply{}, err
	}
	if !o.event.isOrganizer() {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Your request can't be completed. You need to be an organizer to cancel a meeting.")
	}
	c.drop(o)
	return accepted(), nil
}

// answerEvent accepts, declines or tentatively accepts an invitation.
func answerEvent(c *call, response string) (reply, error) {
	o, err := c.occurrence()
	if err != nil {
		return reply{}, err
	}
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	e := o.event
	if e.isOrganizer() {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Your request can't be completed. You can't respond to this meeting because you're the meeting organizer.")
	}
	if params["proposedNewTime"] != nil && (e.props["allowNewTimeProposals"] == false || params["sendResponse"] == false) {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "The meeting does not take proposals of a new time, or no response is sent.")
	}
	status := object{"response": response, "time": timestamp(c.opts.Now())}
	e.props["responseStatus"] = status
	e.version++
	if organizer := c.user(textAt(e.props["organizer"], "emailAddress", "address")); organizer != nil && organizer.box != nil && params["sendResponse"] != false {
		if original := organizer.box.findEvent(e.uid); original != nil {
			original.props["attendees"] = responded(elements(original.props["attendees"]), e.box.owner.mail(), status, params["proposedNewTime"])
			original.version++
		}
	}
	if response == "declined" {
		if o.day != "" {
			e.exceptions[o.day] = nil
		} else {
			e.box.removeEvent(e)
		}
	}
	return accepted(), nil
}

func responded(attendees []any, address string, status object, proposed any) []any {
	attendees = slices.Clone(attendees)
	for i, a := range attendees {
		if strings.EqualFold(textAt(a, "emailAddress", "address"), address) {
			attendee := maps.Clone(asObject(a))
			attendee["status"] = status
			if proposed != nil {
				attendee["proposedNewTime"] = proposed
			}
			attendees[i] = attendee
		}
	}
	return attendees
}
