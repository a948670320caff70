package when_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := when.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"45m": 45 * time.Minute, "45 min": 45 * time.Minute, "90 minutes": 90 * time.Minute, " 1H30M ": 90 * time.Minute,
		"1.5h": 90 * time.Minute, "1,5 h": 90 * time.Minute, "1:30": 90 * time.Minute, "0:05": 5 * time.Minute, "PT45M": 45 * time.Minute,
		"PT1H30M": 90 * time.Minute, "P1D": 24 * time.Hour, "P1DT2H": 26 * time.Hour, "2 days": 48 * time.Hour, "2 hrs 15 mins": 135 * time.Minute,
		"30s": 30 * time.Second, "1h 1m 1s": time.Hour + time.Minute + time.Second, "0.1h": 6 * time.Minute, "0.25h": 15 * time.Minute,
		"100:00": 100 * time.Hour, "1h30": 90 * time.Minute, "2 H 05": 125 * time.Minute,
	} {
		got, err := when.Duration(text)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	// A bare number could be minutes or hours, which differ by a factor of 60 on
	// an invoice.
	for _, text := range []string{"", "45", "1.5", "0m", "0h", "-45m", "m", "h30", "1h-30m", "1:60", "1:5", "1:30:00", "P", "PT", "P1M", "P1MT5M", "400 days",
		"1e9h", "99999999999999999999h", "45 meters", "1h5", "1h60", "0.001m", "NaNh", "1h1h", strings.Repeat("9", 500) + "m"} {
		if got, err := when.Duration(text); !errors.Is(err, mcptools.CodeInvalidArguments) || !strings.Contains(err.Error(), "write the unit") {
			t.Errorf("%q: got %v, %v, want a hint about units", text, got, err)
		}
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2026, 3, 27, 13, 30, 0, 0, time.UTC) // 14:30 in Berlin, two days before the clocks go forward
	for text, want := range map[string]string{
		"2026-03-27T14:30:00+01:00": "2026-03-27T14:30:00+01:00",
		"2026-03-27T13:30Z":         "2026-03-27T14:30:00+01:00",
		"2026-03-27 13:30Z":         "2026-03-27T14:30:00+01:00",
		"2026-03-27T14:30":          "2026-03-27T14:30:00+01:00",
		"2026-03-30 09:00":          "2026-03-30T09:00:00+02:00", // after the change
		"2026-03-30":                "2026-03-30T00:00:00+02:00",
		"30.3.2026":                 "2026-03-30T00:00:00+02:00",
		"27.03.2026 09:05":          "2026-03-27T09:05:00+01:00",
		"now":                       "2026-03-27T14:30:00+01:00",
		"today":                     "2026-03-27T00:00:00+01:00",
		"Tomorrow 09:15":            "2026-03-28T09:15:00+01:00",
		"yesterday at 23:59":        "2026-03-26T23:59:00+01:00",
		"+3d":                       "2026-03-30T14:30:00+02:00", // days keep the time of day …
		"+72h":                      "2026-03-30T15:30:00+02:00", // … hours do not
		"-1w":                       "2026-03-20T14:30:00+01:00",
		"+90m":                      "2026-03-27T16:00:00+01:00",
		"2026-10-25T02:30":          "2026-10-25T02:30:00+02:00", // comes twice: the first
		"2026-10-25T02:30+01:00":    "2026-10-25T02:30:00+01:00",
	} {
		got, err := when.Instant(text, berlin, now)
		if err != nil || got.In(berlin).Format(time.RFC3339) != want {
			t.Errorf("%q: got %v, %v, want %s", text, got.In(berlin), err, want)
		}
	}
	for _, text := range []string{"", "soon", "2026-03-29T02:30" /* skipped */, "2026-02-30", "30.02.2026", "03/27/2026", "monday", "today 25:00", "today 9", "+3", "+999999d", "12:00"} {
		if got, err := when.Instant(text, berlin, now); !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%q: got %v, %v, want an error", text, got, err)
		}
	}
	// A model does not know what day it is.
	if _, err := when.Instant("next friday", berlin, now); err == nil || !strings.Contains(err.Error(), "today is Friday 2026-03-27") {
		t.Errorf("got %v, want today's date in it", err)
	}
	if !when.WholeDay("30.3.2026") || when.WholeDay("30.3.2026 09:00") {
		t.Error("30.3.2026 is a whole day, 30.3.2026 09:00 is not")
	}
}

func TestADayWithoutMidnightBeginsLater(t *testing.T) {
	t.Parallel()
	// In Beirut the clocks went from 00:00 to 01:00 on 31 March 2024.
	beirut := zone(t, "Asia/Beirut")
	got, err := when.Instant("2024-03-31", beirut, time.Time{})
	if err != nil || got.Format(time.RFC3339) != "2024-03-31T01:00:00+03:00" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRange(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2026, 3, 27, 13, 30, 0, 0, time.UTC)
	early, late := now.AddDate(0, 0, -7), now
	for _, c := range []struct{ from, to, start, end string }{
		{"", "", "2026-03-20T13:30:00Z", "2026-03-27T13:30:00Z"},
		{"2026-03-23", "2026-03-23", "2026-03-22T23:00:00Z", "2026-03-23T23:00:00Z"}, // a date as the end means all of it
		{"today", "today", "2026-03-26T23:00:00Z", "2026-03-27T23:00:00Z"},
		{"2026-03-29", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // a day of 23 hours
		{"2026-03-27T08:00", "2026-03-27T09:00", "2026-03-27T07:00:00Z", "2026-03-27T08:00:00Z"},
	} {
		start, end, err := when.Range(argument.Text{Name: "from", Value: c.from}, argument.Text{Name: "to", Value: c.to}, berlin, now, early, late)
		if err != nil || start.UTC().Format(time.RFC3339) != c.start || end.UTC().Format(time.RFC3339) != c.end {
			t.Errorf("%q to %q: %v to %v, %v", c.from, c.to, start.UTC(), end.UTC(), err)
		}
	}
	for _, c := range [][2]string{{"2026-03-27T09:00", "2026-03-27T08:00"}, {"2026-03-27T09:00", "2026-03-27T09:00"}, {"never", ""}, {"", "never"}} {
		if _, _, err := when.Range(argument.Text{Name: "from", Value: c[0]}, argument.Text{Name: "to", Value: c[1]}, berlin, now, early, late); !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%v: got %v", c, err)
		}
	}
}

func TestZone(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "UTC", "utc": "UTC", "UTC": "UTC", "Europe/Berlin": "Europe/Berlin", "W. Europe Standard Time": "Europe/Berlin",
		"w. europe standard time": "Europe/Berlin", " Eastern Standard Time ": "America/New_York", "tzone://Microsoft/Utc": "UTC",
	} {
		if got, err := when.Zone(name); err != nil || got.String() != want {
			t.Errorf("%q: got %v, %v, want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"Mars/Olympus", "Local", "local", "../../etc/passwd", "CEST+1"} {
		if got, err := when.Zone(name); !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%q: got %v, %v", name, got, err)
		}
	}
}

func TestWindowsName(t *testing.T) {
	t.Parallel()
	for iana, want := range map[string]string{
		"Europe/Berlin": "W. Europe Standard Time", "Europe/Vienna": "W. Europe Standard Time", "America/New_York": "Eastern Standard Time", "UTC": "UTC",
	} {
		if got := when.WindowsName(zone(t, iana)); got != want {
			t.Errorf("%s: got %s, want %s", iana, got, want)
		}
	}
}

func ExampleDuration() {
	for _, text := range []string{"45m", "1h30m", "45"} {
		d, err := when.Duration(text)
		fmt.Println(d, err != nil)
	}
	// Output:
	// 45m0s false
	// 1h30m0s false
	// 0s true
}

// Whatever is read as a duration is positive, of whole seconds, at most a year,
// and reads back the same.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{"45m", "1h30m", "1:30", "PT45M", "1,5 h", "1e9h", "45", "0m", "0.001m", "-1h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := when.Duration(text)
		if err != nil {
			if !errors.Is(err, mcptools.CodeInvalidArguments) {
				t.Fatalf("an untyped error: %v", err)
			}
			return
		}
		if d <= 0 || d > 366*24*time.Hour || d%time.Second != 0 {
			t.Fatalf("%q is %v", text, d)
		}
		if again, err := when.Duration(fmt.Sprintf("%ds", int(d.Seconds()))); err != nil || again != d {
			t.Fatalf("%q is %v, which reads back as %v, %v", text, d, again, err)
		}
	})
}

// Whatever is read as a time reads back the same when it is written with its
// offset.
func FuzzInstant(f *testing.F) {
	for _, text := range []string{"2026-03-27T14:30", "now", "tomorrow 09:15", "-7d", "2026-10-25T02:30", "2026-03-29T02:30", "0000-01-01", "9999-12-31T23:59"} {
		f.Add(text, "Europe/Berlin")
		f.Add(text, "America/New_York")
		f.Add(text, "Asia/Kathmandu")
	}
	now := time.Date(2026, 3, 27, 13, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text, name string) {
		loc, err := when.Zone(name)
		if err != nil {
			return
		}
		got, err := when.Instant(text, loc, now)
		if err != nil {
			if !errors.Is(err, mcptools.CodeInvalidArguments) {
				t.Fatalf("an untyped error: %v", err)
			}
			return
		}
		written := got.In(loc).Format(time.RFC3339)
		again, err := when.Instant(written, loc, now)
		if parsed, ok := time.Parse(time.RFC3339, written); ok == nil && (err != nil || !again.Equal(parsed)) {
			t.Fatalf("%q in %s is %s, which reads back as %v, %v", text, name, written, again, err)
		}
	})
}
