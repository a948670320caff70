package graphtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// scheduleRoutes answers for free/busy times and suggestions.
// https://learn.microsoft.com/graph/api/calendar-getschedule
func scheduleRoutes() map[string]handler {
	return map[string]handler{
		"POST /users/{id}/calendars/{id}/getSchedule": getSchedule,
		"POST /users/{id}/findMeetingTimes":           findMeetingTimes,
	}
}

func getSchedule(c *call) (reply, error) {
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	from, to, err := c.window(asObject(params["startTime"]), asObject(params["endTime"]))
	if err != nil {
		return reply{}, err
	}
	interval := 30
	if params["availabilityViewInterval"] != nil {
		interval = number(params["availabilityViewInterval"])
	}
	people := elements(params["schedules"])
	switch {
	case interval < 5 || interval > 1440:
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidMergedFreeBusyInterval", "The interval must be between 5 and 1440 minutes.")
	case len(people) == 0 || len(people) > 20:
		c.violate(fakehttp.WrongKind, "%d schedules", len(people))
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Between 1 and 20 schedules can be asked for.")
	case to.Sub(from) > 62*24*time.Hour || to.Sub(from) < time.Duration(interval)*time.Minute:
		return reply{}, failf(http.StatusBadRequest, "ErrorTimeIntervalTooBig", "The requested time window must be at least the interval and at most 62 days.")
	}
	value := []object{}
	for _, who := range people {
		address, _ := who.(string)
		value = append(value, c.schedule(address, from, to, time.Duration(interval)*time.Minute))
	}
	return ok(object{"@odata.context": c.URL() + "/$metadata#Collection(microsoft.graph.scheduleInformation)", "value": value}), nil
}

func (c *call) window(start, end object) (from, to time.Time, err error) {
	if from, err = c.moment(start); err == nil {
		to, err = c.moment(end)
	}
	if err == nil && !from.Before(to) {
		err = failf(http.StatusBadRequest, "ErrorInvalidRequest", "The start of the time window must be before its end.")
	}
	return from, to, err
}

// busy are the times somebody is not free, with how they show.
func (c *call) busy(address string, from, to time.Time) (found []occurrence, known bool) {
	who := c.user(address)
	if who == nil || who.box == nil {
		return nil, false
	}
	for _, e := range who.box.events {
		if e.calendar.isDefault && e.props["isCancelled"] != true {
			found = append(found, e.occurrences(from, to)...)
		}
	}
	slices.SortFunc(found, func(a, b occurrence) int { return a.start.Compare(b.start) })
	return found, true
}

func (c *call) schedule(address string, from, to time.Time, interval time.Duration) object {
	found, known := c.busy(address, from, to)
	if !known {
		return object{"scheduleId": address, "availabilityView": "", "error": object{
			"message": "Microsoft.Exchange.InfoWorker.Common.Availability.MailRecipientNotFoundException: Unable to resolve e-mail address <" + address + "> to an Active Directory object.", "responseCode": "ErrorMailRecipientNotFound",
		}}
	}
	items := []object{}
	for _, o := range found {
		view := o.view(c.prefs)
		items = append(items, object{
			"status": view["showAs"], "start": view["start"], "end": view["end"], "isPrivate": view["sensitivity"] == "private",
			"subject": view["subject"], "location": textAt(view, "location", "displayName"), "isMeeting": len(elements(view["attendees"])) > 0,
			"isRecurring": o.day != "", "isException": o.changed != nil, "isReminderSet": true,
		})
	}
	var digits strings.Builder
	for t := from; t.Before(to); t = t.Add(interval) {
		digits.WriteByte(availability(found, t, t.Add(interval)))
	}
	return object{
		"scheduleId": address, "availabilityView": digits.String(), "scheduleItems": items,
		"workingHours": object{
			"daysOfWeek": []string{"monday", "tuesday", "wednesday", "thursday", "friday"}, "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000",
			"timeZone": object{"name": "W. Europe Standard Time"},
		},
	}
}

// availability is the digit of a slot: 0 free, 1 tentative, 2 busy, 3 out of
// office, 4 working elsewhere.
func availability(found []occurrence, from, to time.Time) byte {
	digit := byte('0')
	for _, o := range found {
		if o.start.Before(to) && o.end.After(from) {
			showAs := textAt(o.event.props, "showAs")
			digit = max(digit, cmp.Or(map[string]byte{"tentative": '1', "busy": '2', "oof": '3', "workingElsewhere": '4'}[showAs], '0'))
		}
	}
	return digit
}

// findMeetingTimes suggests times when everybody is free in working hours.
// https://learn.microsoft.com/graph/api/user-findmeetingtimes
func findMeetingTimes(c *call) (reply, error) {
	if c.caller.app {
		return reply{}, c.denied()
	}
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	length, valid := isoDuration(firstOf(textAt(params, "meetingDuration"), "PT30M"))
	if !valid {
		c.violate(fakehttp.WrongKind, "meetingDuration %q", textAt(params, "meetingDuration"))
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidParameter", "The meeting duration is not valid.")
	}
	slots := elements(at(params, "timeConstraint", "timeSlots"))
	if len(slots) == 0 {
		now := c.opts.Now().UTC()
		slots = []any{object{"start": dateTimeTimeZone(now, "", nil), "end": dateTimeTimeZone(now.AddDate(0, 0, 7), "", nil)}}
	}
	wanted := 5
	if params["maxCandidates"] != nil {
		wanted = number(params["maxCandidates"])
	}
	people := addresses(params["attendees"])
	if params["isOrganizerOptional"] != true {
		people = append(people, c.owner.mail())
	}
	suggestions := []object{}
	for _, slot := range slots {
		from, to, err := c.window(asObject(at(slot, "start")), asObject(at(slot, "end")))
		if err != nil {
			return reply{}, err
		}
		for start := from.Truncate(30 * time.Minute); !start.Add(length).After(to) && len(suggestions) < wanted; start = start.Add(30 * time.Minute) {
			if !start.Before(from) && working(start, start.Add(length), textAt(params, "timeConstraint", "activityDomain")) && c.allFree(people, start, start.Add(length)) {
				suggestions = append(suggestions, c.suggestion(start, start.Add(length), elements(params["attendees"]), len(suggestions)))
			}
		}
	}
	reason := ""
	if len(suggestions) == 0 {
		reason = "AttendeesUnavailable"
	}
	return ok(object{
		"@odata.context": c.URL() + "/$metadata#microsoft.graph.meetingTimeSuggestionsResult", "emptySuggestionsReason": reason, "meetingTimeSuggestions": suggestions,
	}), nil
}

func working(from, to time.Time, domain string) bool {
	if domain == "unrestricted" {
		return true
	}
	location, err := zone("W. Europe Standard Time")
	if err != nil {
		return false
	}
	start, end := from.In(location), to.In(location)
	day := time.Date(start.Year(), start.Month(), start.Day(), 8, 0, 0, 0, location)
	return start.Weekday() != time.Saturday && start.Weekday() != time.Sunday && !start.Before(day) && !end.After(day.Add(9*time.Hour))
}

func (c *call) allFree(people []string, from, to time.Time) bool {
	return !slices.ContainsFunc(people, func(address string) bool {
		found, _ := c.busy(address, from, to)
		return availability(found, from, to) != '0'
	})
}

func (c *call) suggestion(from, to time.Time, attendees []any, order int) object {
	availabilities := []object{}
	for _, a := range attendees {
		state := "free"
		if _, known := c.busy(textAt(a, "emailAddress", "address"), from, to); !known {
			state = "unknown"
		}
		availabilities = append(availabilities, object{"availability": state, "attendee": object{
			"type": firstOf(textAt(a, "type"), "required"), "emailAddress": object{"address": textAt(a, "emailAddress", "address")},
		}})
	}
	return object{
		"confidence": 100.0, "order": order + 1, "organizerAvailability": "free", "suggestionReason": "Suggested because it is one of the nearest times when all attendees are available.",
		"meetingTimeSlot":      object{"start": dateTimeTimeZone(from, c.prefs.zone, c.prefs.location), "end": dateTimeTimeZone(to, c.prefs.zone, c.prefs.location)},
		"attendeeAvailability": availabilities, "locations": []any{},
	}
}

// isoDuration reads the days, hours and minutes of an ISO 8601 duration.
func isoDuration(text string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(text, "P")
	days, clock, _ := strings.Cut(rest, "T")
	d, err := time.ParseDuration(firstOf(strings.ToLower(clock), "0s"))
	if days != "" {
		whole, err := time.ParseDuration(strings.Replace(strings.ToLower(days), "d", "h", 1))
		if err != nil {
			return 0, false
		}
		d += 24 * whole
	}
	return d, ok && err == nil && d > 0
}
