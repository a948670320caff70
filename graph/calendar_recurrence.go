package graph

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// recurrence says how an event is repeated.
// https://learn.microsoft.com/graph/api/resources/patternedrecurrence
type recurrence struct {
	Pattern recurrencePattern `json:"pattern"`
	Range   recurrenceRange   `json:"range"`
}

type recurrencePattern struct {
	Type     string   `json:"type"`
	Interval int      `json:"interval"`
	Days     []string `json:"daysOfWeek,omitempty"`
	Day      int      `json:"dayOfMonth,omitempty"`
	Month    int      `json:"month,omitempty"`
	Index    string   `json:"index,omitempty"`
	WeekFrom string   `json:"firstDayOfWeek,omitempty"`
}

type recurrenceRange struct {
	Type  string `json:"type"`
	Start string `json:"startDate"`
	End   string `json:"endDate,omitempty"`
	Count int    `json:"numberOfOccurrences,omitempty"`
	Zone  string `json:"recurrenceTimeZone,omitempty"`
}

const dayName = "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"

var (
	weekDays  = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	workDays  = weekDays[1:6]
	monthList = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	indexes   = []string{"first", "second", "third", "fourth", "last"}
	units     = []string{"day", "week", "month", "year"}
	adverbs   = []string{"daily", "weekly", "monthly", "yearly"}

	rule = regexp.MustCompile(`^(daily|weekly|weekdays|monthly|yearly|every(?: (?:\d{1,2}))? (?:day|week|month|year)s?)(?: on ([a-z0-9, ]+?))?(?: (?:until (\d{4}-\d{2}-\d{2})|(?:for )?(\d{1,3}) times))?$`)

	// spoken is how people put a rule, and the form that rule has for it. In order.
	spoken = []struct {
		pattern *regexp.Regexp
		written string
	}{
		{regexp.MustCompile(`\bthe `), ""},
		{regexp.MustCompile(`\b(\d{1,2})(?:st|nd|rd|th)\b`), "$1"},
		{regexp.MustCompile(`,? (?:for )?(\d{1,3}) (?:times|occurrences)$`), " $1 times"},
		{regexp.MustCompile(`, until `), " until "},
		{regexp.MustCompile(`^every weekdays?\b`), "weekdays"},
		{regexp.MustCompile(`^(?:on )?((?:first|second|third|fourth|last) [a-z]+|\d{1,2}) (?:of|in) (?:every|each) month\b`), "monthly on $1"},
		{regexp.MustCompile(`^(?:every|each) ((?:first|second|third|fourth|last) [a-z]+) of (?:a|every|each)? ?month\b`), "monthly on $1"},
		{regexp.MustCompile(`^(?:every|each|on) ((?:` + dayName + `)s?(?:(?:, ?| and |, and )(?:` + dayName + `)s?)*)\b`), "weekly on $1"},
	}
	monthDay = regexp.MustCompile(`^(?:(\d{1,2})|(\d{1,2}) ([a-z]{3,9})|([a-z]{3,9}) (\d{1,2})|(first|second|third|fourth|last) ([a-z]+)(?: of ([a-z]{3,9}))?)$`)
)

// parseRecurrence reads how an event that starts at start is repeated:
//
//	daily | weekdays | weekly | monthly | yearly | every 2 weeks
//	  [on mon,wed | on 15 | on last fri | on 24 dec | on first mon of may]
//	  [until 2026-12-31 | 10 times]
//
// and what people say for these, such as "every Tuesday", "the last Friday of
// every month" or "monthly on the 15th". What is left out follows from start,
// which must itself fit the pattern.
func parseRecurrence(text string, start time.Time) (*recurrence, error) {
	line := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	for _, s := range spoken {
		line = s.pattern.ReplaceAllString(line, s.written)
	}
	m := rule.FindStringSubmatch(line)
	if m == nil {
		return nil, badRecurrence(text)
	}
	r := &recurrence{Range: recurrenceRange{
		Type: "noEnd", Start: start.Format(dateOnly), Zone: when.WindowsName(start.Location()),
	}}
	unit, interval := every(m[1])
	r.Pattern.Interval = interval
	on := m[2]
	if m[1] == "weekdays" {
		if on != "" {
			return nil, badRecurrence(text)
		}
		on = "mon,tue,wed,thu,fri"
	}
	if interval < 1 || !r.Pattern.set(unit, on, start) {
		return nil, badRecurrence(text)
	}
	switch {
	case m[3] != "":
		last, err := time.Parse(dateOnly, m[3])
		if err != nil {
			return nil, badRecurrence(text)
		}
		if last.Format(dateOnly) < r.Range.Start {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "recurrence: it ends %s, before the event starts", m[3])
		}
		r.Range.Type, r.Range.End = "endDate", m[3]
	case m[4] != "":
		r.Range.Type = "numbered"
		if r.Range.Count, _ = strconv.Atoi(m[4]); r.Range.Count == 0 { // digits by the pattern
			return nil, badRecurrence(text)
		}
	}
	if !r.Pattern.fits(start) {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "recurrence: %s does not fit the start, %s", r, start.Format("Monday 2006-01-02")).
			WithHint("start on a day that the recurrence has")
	}
	return r, nil
}

func badRecurrence(text string) error {
	return mcptools.Errorf(mcptools.CodeInvalidArguments, "cannot read the recurrence %q", markup.Preview(text, 80)).
		WithHint("write daily, weekdays, weekly on mon,wed, every 2 weeks, monthly on 15, monthly on last fri or yearly, with until 2026-12-31 or 10 times")
}

// every reads "daily" and "every 2 weeks".
func every(text string) (unit string, interval int) {
	if text == "weekdays" {
		return "week", 1
	}
	if i := slices.Index(adverbs, text); i >= 0 {
		return units[i], 1
	}
	words := strings.Fields(text) // every [n] unit[s], by the pattern
	interval = 1
	if len(words) == 3 {
		interval, _ = strconv.Atoi(words[1])
	}
	return strings.TrimSuffix(words[len(words)-1], "s"), interval
}

// set fills in a pattern and reports whether on can be read for the unit.
func (p *recurrencePattern) set(unit, on string, start time.Time) bool {
	switch unit {
	case "day":
		p.Type = "daily"
		return on == ""
	case "week":
		p.Type, p.WeekFrom = "weekly", "monday"
		if on == "" {
			on = weekDays[start.Weekday()]
		}
		p.Days = daysOfWeek(on)
		return p.Days != nil
	}
	yearly := unit == "year"
	p.Type = "absoluteMonthly"
	if yearly {
		p.Type, p.Month = "absoluteYearly", int(start.Month())
	}
	if on == "" {
		p.Day = start.Day()
		return true
	}
	m := monthDay.FindStringSubmatch(on)
	if m == nil {
		return false
	}
	if m[6] != "" {
		p.Type = strings.Replace(p.Type, "absolute", "relative", 1)
		p.Index, p.Days, p.WeekFrom = m[6], dayGroup(m[7]), "monday"
		return p.Days != nil && p.setMonth(m[8], yearly)
	}
	p.Day, _ = strconv.Atoi(m[1] + m[2] + m[5]) // digits by the pattern, only one of them
	return p.Day >= 1 && p.Day <= 31 && p.setMonth(m[3]+m[4], yearly)
}

// setMonth sets the month of a yearly pattern, unless none is named.
func (p *recurrencePattern) setMonth(name string, yearly bool) bool {
	if name == "" {
		return true
	}
	p.Month = slices.Index(monthList, name[:3]) + 1
	return yearly && p.Month > 0 && strings.HasPrefix(strings.ToLower(time.Month(p.Month).String()), name)
}

// daysOfWeek reads "mon,wed" in the order of the week, or returns nil.
func daysOfWeek(text string) []string {
	chosen := map[string]bool{}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		if word == "and" {
			continue
		}
		group := dayGroup(word)
		if len(group) != 1 {
			return nil
		}
		chosen[group[0]] = true
	}
	var days []string
	for i := range weekDays {
		if day := weekDays[(i+1)%7]; chosen[day] {
			days = append(days, day)
		}
	}
	return days
}

// dayGroup reads "mon", "day", "weekday" and "weekend".
func dayGroup(word string) []string {
	switch word {
	case "day":
		return weekDays
	case "weekday":
		return workDays
	case "weekend":
		return []string{"saturday", "sunday"}
	}
	for _, day := range weekDays {
		if len(word) >= 2 && strings.HasPrefix(day, strings.TrimSuffix(word, "s")) {
			return []string{day}
		}
	}
	return nil
}

// fits reports whether the pattern has the day of start.
func (p *recurrencePattern) fits(start time.Time) bool {
	onDay := slices.Contains(p.Days, weekDays[start.Weekday()])
	lastDay := time.Date(start.Year(), start.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch p.Type {
	case "weekly":
		return onDay
	case "absoluteYearly", "relativeYearly":
		if int(start.Month()) != p.Month {
			return false
		}
	}
	switch p.Type {
	case "absoluteMonthly", "absoluteYearly":
		return start.Day() == min(p.Day, lastDay)
	case "relativeMonthly", "relativeYearly":
		return onDay && p.dayByIndex(start) == start.Day()
	}
	return true
}

// dayByIndex returns the day of start's month that the index chooses.
func (p *recurrencePattern) dayByIndex(start time.Time) int {
	var days []int
	for day := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC); day.Month() == start.Month(); day = day.AddDate(0, 0, 1) {
		if slices.Contains(p.Days, weekDays[day.Weekday()]) {
			days = append(days, day.Day())
		}
	}
	i := slices.Index(indexes, p.Index)
	if p.Index == "last" {
		i = len(days) - 1
	}
	if i < 0 || i >= len(days) {
		return 0
	}
	return days[i]
}

// zoneName is the zone that the days of a recurrence are in.
func (r *recurrence) zoneName() string {
	if r == nil {
		return ""
	}
	return r.Range.Zone
}

// from returns the recurrence as it is sent for a series that gets that start.
func (r *recurrence) from(start time.Time) (*recurrence, error) {
	if r == nil || !r.Pattern.fits(start) {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "start: in %s it is %s, which the series does not have", start.Location(), start.Format("Monday 2006-01-02")).
			WithHint("give the new recurrence too")
	}
	moved := *r
	moved.Range.Start, moved.Range.Zone = start.Format(dateOnly), when.WindowsName(start.Location())
	if moved.Range.Type != "endDate" {
		moved.Range.End = "" // 0001-01-01
	}
	return &moved, nil
}

// String writes a recurrence in the form that parseRecurrence reads.
func (r *recurrence) String() string {
	if r == nil {
		return ""
	}
	text := r.Pattern.String()
	switch r.Range.Type {
	case "endDate":
		text += " until " + r.Range.End
	case "numbered":
		text += fmt.Sprintf(" %d times", r.Range.Count)
	}
	return text
}

// String writes a pattern.
func (p *recurrencePattern) String() string {
	unit := map[string]int{
		"daily": 0, "weekly": 1, "absoluteMonthly": 2, "relativeMonthly": 2, "absoluteYearly": 3, "relativeYearly": 3,
	}[p.Type]
	text := adverbs[unit]
	if p.Interval > 1 {
		text = fmt.Sprintf("every %d %ss", p.Interval, units[unit])
	}
	month := ""
	if p.Month >= 1 && p.Month <= 12 {
		month = monthList[p.Month-1]
	}
	switch p.Type {
	case "weekly":
		var days []string
		for _, day := range p.Days {
			days = append(days, shortDay(day))
		}
		text += " on " + strings.Join(days, ",")
	case "absoluteMonthly":
		text += fmt.Sprintf(" on %d", p.Day)
	case "absoluteYearly":
		text += fmt.Sprintf(" on %d %s", p.Day, month)
	case "relativeMonthly":
		text += " on " + p.Index + " " + groupName(p.Days)
	case "relativeYearly":
		text += " on " + p.Index + " " + groupName(p.Days) + " of " + month
	}
	return text
}

func groupName(days []string) string {
	switch len(days) {
	case 7:
		return "day"
	case 5:
		return "weekday"
	case 2:
		return "weekend"
	case 1:
		return shortDay(days[0])
	}
	return "day"
}

func shortDay(day string) string { return day[:min(len(day), 3)] }
