package graphtest

import (
	"slices"
	"strings"
	"time"
)

// occurrence is one date of an event; a single event has exactly one.
type occurrence struct {
	event      *event
	day        string // date in the zone of the series; empty for a single event
	start, end time.Time
	changed    object // set for an exception
}

const maxOccurrences = 1500 // of an endless series that anybody looks at

// occurrences expands the series to what overlaps [from, to). The pattern is
// applied to the wall clock of the series' own zone, so that a meeting at nine
// stays at nine when clocks change.
func (e *event) occurrences(from, to time.Time) []occurrence {
	if e.recurrence == nil {
		if e.overlaps(e.start, e.end, from, to) {
			return []occurrence{{event: e, start: e.start, end: e.end}}
		}
		return nil
	}
	var out []occurrence
	first := e.start.In(e.location)
	length := e.end.Sub(e.start)
	for _, day := range e.days(to.In(e.location).AddDate(0, 0, 1)) {
		start := time.Date(day.Year(), day.Month(), day.Day(), first.Hour(), first.Minute(), first.Second(), 0, e.location)
		o := occurrence{event: e, day: day.Format(time.DateOnly), start: start, end: start.Add(length)}
		if change, isException := e.exceptions[o.day]; isException {
			if change == nil {
				continue // cancelled
			}
			o.start, o.end, o.changed = change.start, change.end, change.props
		}
		if e.overlaps(o.start, o.end, from, to) {
			out = append(out, o)
		}
	}
	return out
}

func (e *event) overlaps(start, end, from, to time.Time) bool {
	return start.Before(to) && (end.After(from) || start.Equal(end) && !start.Before(from))
}

// days lists the dates of the series up to a limit.
func (e *event) days(limit time.Time) []time.Time {
	pattern, ends := asObject(e.recurrence["pattern"]), asObject(e.recurrence["range"])
	first := e.start.In(e.location)
	begin := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, time.UTC)
	last := time.Date(limit.Year(), limit.Month(), limit.Day(), 0, 0, 0, 0, time.UTC)
	if strings.EqualFold(textAt(ends, "type"), "endDate") {
		if end, err := time.Parse(time.DateOnly, textAt(ends, "endDate")); err == nil && end.Before(last) {
			last = end
		}
	}
	count := maxOccurrences
	if strings.EqualFold(textAt(ends, "type"), "numbered") {
		count = number(ends["numberOfOccurrences"])
	}
	var days []time.Time
	for day := begin; !day.After(last) && len(days) < count; day = day.AddDate(0, 0, 1) {
		if onPattern(pattern, begin, day) {
			days = append(days, day)
		}
	}
	return days
}

// onPattern says whether a series that begins on a day has a date on another.
// https://learn.microsoft.com/graph/api/resources/recurrencepattern
func onPattern(pattern object, begin, day time.Time) bool {
	interval := max(1, number(pattern["interval"]))
	elapsed := int(day.Sub(begin).Hours()) / 24
	months := (day.Year()-begin.Year())*12 + int(day.Month()) - int(begin.Month())
	switch textAt(pattern, "type") {
	case "daily":
		return elapsed%interval == 0
	case "weekly":
		first := weekday(firstOf(textAt(pattern, "firstDayOfWeek"), "sunday"))
		offset := (int(begin.Weekday()) - first + 7) % 7
		return (elapsed+offset)/7%interval == 0 && onDays(pattern, day)
	case "absoluteMonthly":
		return months%interval == 0 && day.Day() == number(pattern["dayOfMonth"])
	case "relativeMonthly":
		return months%interval == 0 && onIndex(pattern, day)
	case "absoluteYearly":
		return (day.Year()-begin.Year())%interval == 0 && int(day.Month()) == number(pattern["month"]) && day.Day() == number(pattern["dayOfMonth"])
	case "relativeYearly":
		return (day.Year()-begin.Year())%interval == 0 && int(day.Month()) == number(pattern["month"]) && onIndex(pattern, day)
	}
	return false
}

func onDays(pattern object, day time.Time) bool {
	return slices.ContainsFunc(elements(pattern["daysOfWeek"]), func(name any) bool {
		text, _ := name.(string)
		return weekday(text) == int(day.Weekday())
	})
}

func onIndex(pattern object, day time.Time) bool {
	week := (day.Day() - 1) / 7
	wanted := slices.Index([]string{"first", "second", "third", "fourth"}, firstOf(textAt(pattern, "index"), "first"))
	if textAt(pattern, "index") == "last" {
		return onDays(pattern, day) && day.AddDate(0, 0, 7).Month() != day.Month()
	}
	return onDays(pattern, day) && week == wanted
}

func weekday(name string) int {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String(), name) {
			return int(d)
		}
	}
	return -1
}

func number(value any) int {
	n, _ := asNumber(value)
	return int(n)
}

// checkRecurrence refuses patterns that miss what their type needs.
func checkRecurrence(recurrence object, start time.Time) string {
	pattern, ends := asObject(recurrence["pattern"]), asObject(recurrence["range"])
	needs := map[string][]string{
		"daily": {"interval"}, "weekly": {"interval", "daysOfWeek"}, "absoluteMonthly": {"interval", "dayOfMonth"},
		"relativeMonthly": {"interval", "daysOfWeek"}, "absoluteYearly": {"interval", "dayOfMonth", "month"},
		"relativeYearly": {"interval", "daysOfWeek", "month"},
	}
	wanted, known := needs[textAt(pattern, "type")]
	if !known {
		return "recurrence.pattern.type is missing"
	}
	for _, name := range wanted {
		if pattern[name] == nil {
			return "recurrence.pattern." + name + " is missing"
		}
	}
	switch textAt(ends, "type") {
	case "endDate":
		if textAt(ends, "endDate") == "" {
			return "recurrence.range.endDate is missing"
		}
	case "numbered":
		if number(ends["numberOfOccurrences"]) < 1 {
			return "recurrence.range.numberOfOccurrences is missing"
		}
	case "noEnd":
	default:
		return "recurrence.range.type is missing"
	}
	if textAt(ends, "startDate") != start.Format(time.DateOnly) {
		return "recurrence.range.startDate must be the date of start"
	}
	return ""
}
