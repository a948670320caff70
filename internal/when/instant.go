package when

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// instants with an offset, and local ones without.
var (
	absoluteLayouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00"}
	localLayouts    = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2.1.2006 15:04", "2.1.2006"}
	relative        = regexp.MustCompile(`^([+-])\s*(\d{1,5})\s*(m|min|h|d|w)$`)
	clockTime       = regexp.MustCompile(`^(\d{1,2}):(\d{2})$`)
)

// Instant returns the time that text means to somebody in loc. It takes RFC
// 3339 with an offset, a local date or date and time, also with a date such as
// 24.12.2026, "now", "today", "tomorrow" and "yesterday" with or without a time
// of day, and distances from now such as "-7d" or "+2h".
//
// Names of weekdays are refused, as they can mean the last or the next one. The
// error tells today's date, which a model cannot know.
//
// A local time that the clocks skip is an error; of one that comes twice, the
// first is meant.
func Instant(text string, loc *time.Location, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range absoluteLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	for _, layout := range localLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return local(t, loc, text)
		}
	}
	if t, ok, err := spoken(strings.ToLower(text), loc, now); ok {
		return t, err
	}
	return time.Time{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "cannot read the time %q", clip(text)).
		WithHint("write 2026-03-27T14:30, with an offset such as +01:00 if it is not local time, or a date, now, today, tomorrow or -7d; today is %s",
			now.In(loc).Format("Monday 2006-01-02"))
}

// local moves the wall clock of t, read as UTC, to loc.
func local(t time.Time, loc *time.Location, text string) (time.Time, error) {
	found := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
	if found.Hour() != t.Hour() || found.Minute() != t.Minute() {
		if t.Hour() == 0 && t.Minute() == 0 { // a day that has no midnight begins later
			return found, nil
		}
		return time.Time{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s does not exist in %s: the clocks go forward", clip(text), loc)
	}
	// The first of two: an hour earlier the wall clock shows the same.
	if earlier := found.Add(-time.Hour); earlier.Hour() == found.Hour() {
		return earlier, nil
	}
	return found, nil
}

// spoken reads words and distances. ok is false when text is neither.
func spoken(text string, loc *time.Location, now time.Time) (t time.Time, ok bool, err error) {
	if text == "now" {
		return now, true, nil
	}
	if m := relative.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1] + m[2]) // digits by the pattern
		switch m[3] {
		case "d", "w":
			days := n
			if m[3] == "w" {
				days *= 7
			}
			return now.In(loc).AddDate(0, 0, days), true, nil
		case "h":
			return now.Add(time.Duration(n) * time.Hour), true, nil
		}
		return now.Add(time.Duration(n) * time.Minute), true, nil
	}
	day, clock, _ := strings.Cut(text, " ")
	days, known := map[string]int{"yesterday": -1, "today": 0, "tomorrow": 1}[day]
	if !known {
		return time.Time{}, false, nil
	}
	hour, minute := 0, 0
	if clock = strings.TrimPrefix(strings.TrimSpace(clock), "at "); clock != "" {
		m := clockTime.FindStringSubmatch(clock)
		if m == nil {
			return time.Time{}, false, nil
		}
		hour, _ = strconv.Atoi(m[1]) // digits by the pattern
		minute, _ = strconv.Atoi(m[2])
		if hour > 23 || minute > 59 {
			return time.Time{}, false, nil
		}
	}
	d := now.In(loc).AddDate(0, 0, days)
	t, err = local(time.Date(d.Year(), d.Month(), d.Day(), hour, minute, 0, 0, time.UTC), loc, text)
	return t, true, err
}

// Range reads a pair of times that may be left out. An end that is a date
// without a time of day means the end of that day. The error names both, if both
// cannot be read.
func Range(from, to argument.Text, loc *time.Location, now time.Time, fallbackFrom, fallbackTo time.Time) (start, end time.Time, err error) {
	start, end = fallbackFrom, fallbackTo
	var faults []error
	if from.Value != "" {
		if start, err = Instant(from.Value, loc, now); err != nil {
			faults = append(faults, argument.Of(from.Name, err))
		}
	}
	if to.Value != "" {
		if end, err = Instant(to.Value, loc, now); err != nil {
			faults = append(faults, argument.Of(to.Name, err))
		}
		if WholeDay(to.Value) {
			end = end.In(loc).AddDate(0, 0, 1)
		}
	}
	if len(faults) > 0 {
		return start, end, argument.Faults(faults...)
	}
	if !start.IsZero() && !end.IsZero() && !end.After(start) {
		return start, end, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: the end %s is not after the start %s", to.Name,
			end.In(loc).Format(time.RFC3339), start.In(loc).Format(time.RFC3339))
	}
	return start, end, nil
}

// WholeDay reports whether text names a day and no time of day.
func WholeDay(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	_, err := time.Parse("2006-01-02", text)
	if err != nil {
		_, err = time.Parse("2.1.2006", text)
	}
	return err == nil || text == "today" || text == "tomorrow" || text == "yesterday"
}

// Now says what day and time it is in loc, for models, which cannot know:
// "Friday 2026-03-27T14:30+01:00".
func Now(loc *time.Location) string {
	return time.Now().In(loc).Format("Monday 2006-01-02T15:04Z07:00")
}

func clip(text string) string { return text[:min(len(text), 40)] }
