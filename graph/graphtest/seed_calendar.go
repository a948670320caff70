package graphtest

import (
	"strings"
	"time"
)

// seedCalendars books meetings around the start of the server, among them a
// series that crosses a change of clocks in Berlin.
func (s *Server) seedCalendars() {
	location, err := zone(berlin)
	if err != nil {
		panic("graphtest: no zone " + berlin) // time/tzdata is linked in
	}
	now := s.started.In(location)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, location)
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	clock := func(day time.Time, hour, minute int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, location)
	}
	series := monday.AddDate(0, 0, -28)
	s.book("Tom Lindqvist", "Service desk stand-up", clock(series, 9, 0), 15, "Sam Okafor, Priya Nair, Elif Demir", object{
		"pattern": object{"type": "weekly", "interval": 1, "daysOfWeek": []any{"monday", "tuesday", "wednesday", "thursday", "friday"}, "firstDayOfWeek": "monday", "month": 0, "dayOfMonth": 0, "index": "first"},
		"range":   object{"type": "noEnd", "startDate": series.Format(time.DateOnly), "endDate": "0001-01-01", "recurrenceTimeZone": berlin, "numberOfOccurrences": 0},
	})
	s.book("Sam Okafor", "Patch window Alster Dental", clock(series.AddDate(0, 0, 2), 18, 0), 90, "", object{
		"pattern": object{"type": "weekly", "interval": 2, "daysOfWeek": []any{"wednesday"}, "firstDayOfWeek": "monday", "month": 0, "dayOfMonth": 0, "index": "first"},
		"range":   object{"type": "numbered", "startDate": series.AddDate(0, 0, 2).Format(time.DateOnly), "endDate": "0001-01-01", "recurrenceTimeZone": berlin, "numberOfOccurrences": 20},
	})
	next := workday(today.AddDate(0, 0, 1))
	s.book("Sam Okafor", "Focus: documentation of hall 3", clock(next, 10, 0), 90, "", nil)
	s.book("Sam Okafor", "Access points with Anna Berg", clock(workday(next.AddDate(0, 0, 1)), 9, 30), 60, "Anna Berg", nil)
	s.book("Priya Nair", "Dispatch review", clock(next, 14, 0), 60, "Sam Okafor, Tom Lindqvist", nil)
	s.book("Tom Lindqvist", "Interview", clock(next, 11, 0), 60, "Aylin Kaya", nil)
	s.book("Elif Demir", "Dentist", clock(today, 14, 0), 120, "", nil).props["showAs"] = "oof"
	s.book("Henrik Olsen", "All-hands", clock(monday.AddDate(0, 0, 10), 10, 0), 60, "Sam Okafor, Priya Nair, Tom Lindqvist, Elif Demir, Lars Brandt, Nina Hoffmann", nil)
	holiday := s.book("Sam Okafor", "Holiday", today.AddDate(0, 0, 21), 5*24*60, "", nil)
	holiday.allDay, holiday.props["showAs"] = true, "oof"
	holiday.end = today.AddDate(0, 0, 26)
}

// workday moves a weekend to the Monday after.
func workday(day time.Time) time.Time {
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

func (s *Server) book(organizer, subject string, start time.Time, minutes int, attendees string, recurrence object) *event {
	owner := s.user(address(organizer))
	e := &event{
		box: owner.box, calendar: owner.box.calendars[0], n: s.item(), props: newEventProps(owner, timestamp(s.started.AddDate(0, 0, -30))),
		start: start, end: start.Add(time.Duration(minutes) * time.Minute), zone: berlin, location: start.Location(),
		recurrence: recurrence, exceptions: map[string]*exception{},
	}
	e.uid = strings.ToUpper("040000008200E00074C5B7101A82E008" + strings.ReplaceAll(guid(subject), "-", ""))
	e.props["subject"] = subject
	invitees := []any{}
	for _, who := range s.correspondents(attendees) {
		o := asObject(who)
		o["type"] = "required"
		invitees = append(invitees, o)
	}
	e.props["attendees"] = invited(invitees, nil)
	owner.box.events = append(owner.box.events, e)
	s.invite(e)
	return e
}
