package graph

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/specindex"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := when.Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestParseRecurrence(t *testing.T) {
	start := time.Date(2027, 3, 31, 9, 0, 0, 0, berlin(t)) // a Wednesday, the last day of the month
	tests := []struct{ text, want string }{
		{"daily", "daily"},
		{"every day for 10 times", "daily 10 times"},
		{"Every 3 days until 2027-06-01", "every 3 days until 2027-06-01"},
		{"weekdays", "weekly on mon,tue,wed,thu,fri"},
		{"weekly", "weekly on wed"},
		{"weekly on wednesday and friday, mon", "weekly on mon,wed,fri"},
		{"every 2 weeks on wed 5 times", "every 2 weeks on wed 5 times"},
		{"monthly", "monthly on 31"},
		{"monthly on 31", "monthly on 31"},
		{"monthly on last wed", "monthly on last wed"},
		{"monthly on last weekday until 2028-01-31", "monthly on last weekday until 2028-01-31"},
		{"monthly on last day", "monthly on last day"},
		{"every 3 months on last wednesday", "every 3 months on last wed"},
		{"yearly", "yearly on 31 mar"},
		{"yearly on 31 march 3 times", "yearly on 31 mar 3 times"},
		{"yearly on march 31", "yearly on 31 mar"},
		{"yearly on last wed of mar", "yearly on last wed of mar"},
		{"every Wednesday until 2027-12-31", "weekly on wed until 2027-12-31"},
		{"every Wed and Fri for 6 times", "weekly on wed,fri 6 times"},
		{"each monday, wednesday, and fridays", "weekly on mon,wed,fri"},
		{"every weekday", "weekly on mon,tue,wed,thu,fri"},
		{"weekly, 10 times", "weekly on wed 10 times"},
		{"Weekly on Wednesday, until 2027-12-31", "weekly on wed until 2027-12-31"},
		{"monthly on the last Wednesday", "monthly on last wed"},
		{"the last Wednesday of every month, 5 occurrences", "monthly on last wed 5 times"},
		{"every last wednesday of the month", "monthly on last wed"},
		{"every month on the 31st", "monthly on 31"},
		{"31st of each month", "monthly on 31"},
	}
	for _, tt := range tests {
		r, err := parseRecurrence(tt.text, start)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if r.String() != tt.want {
			t.Errorf("%q is %q, want %q", tt.text, r, tt.want)
		}
		if r.Range.Start != "2027-03-31" || r.Range.Zone != "W. Europe Standard Time" {
			t.Errorf("%q: range %+v", tt.text, r.Range)
		}
	}
	for _, text := range []string{
		"", "hourly", "weekly on foo", "weekly on thu", "monthly on 15", "monthly on 32", "monthly on first wed", "every 0 weeks", "daily on mon",
		"weekly until 2027-03-01", "weekly until 2027-13-01", "weekly 0 times", "yearly on 24 dec", "monthly on 31 mar", "yearly on 31 marble",
		"weekdays on sat", "every 100 days", "daily daily", "weekly until 2027-06-01 10 times",
		"every other week", "every wednesdaily", "every wed fortnightly", "every thursday",
	} {
		if r, err := parseRecurrence(text, start); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
}

// Whatever is read is written in a form that reads the same again, and has only
// words that Graph knows.
func FuzzParseRecurrence(f *testing.F) {
	for _, text := range []string{"daily", "every 2 weeks on mon,wed 5 times", "monthly on last fri", "yearly on 29 feb until 2040-02-29", "weekdays"} {
		f.Add(text, 0)
	}
	zone := berlin(f)
	f.Fuzz(func(t *testing.T, text string, days int) {
		start := time.Date(2027, 1, 1+days%1500, 9, 0, 0, 0, zone)
		r, err := parseRecurrence(text, start)
		if err != nil {
			return
		}
		again, err := parseRecurrence(r.String(), start)
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q became %q, then %v, %v", text, r, again, err)
		}
		for enum, value := range map[string]string{
			"recurrencePatternType": r.Pattern.Type, "recurrenceRangeType": r.Range.Type, "weekIndex": r.Pattern.Index, "dayOfWeek": strings.Join(r.Pattern.Days, " "),
		} {
			kind, ok := specindex.Graph().Type(enum)
			for word := range strings.FieldsSeq(value) {
				if !ok || !strings.Contains(" "+strings.Join(kind.Values, " ")+" ", " "+word+" ") {
					t.Errorf("%q: Graph's %s has no %q", text, enum, word)
				}
			}
		}
	})
}

// Bodies in Teams' layout, shortened.
const teamsBlock = `<div class="me-email-text" lang="en"><div><span style="white-space:nowrap; opacity:.36;">________________________________________________________________________________</span></div><a href="https://teams.example/l/meetup-join/1">Join</a></div>`

func TestJoinBlock(t *testing.T) {
	tests := []struct {
		old, kept string
		found     bool
	}{
		{"<html><body>Old text<br>" + teamsBlock + "</body></html>", `<a href="https://teams.example/l/meetup-join/1">Join</a>`, true},
		{"<html><body>unknown <a href='https://teams.example/2'>layout</a></body></html>", "<a href='https://teams.example/2'>", false},
		{"", "", true},
	}
	for _, tt := range tests {
		got, found := joinBlock(tt.old)
		if !strings.Contains(got, tt.kept) {
			t.Errorf("%q lost the link: %q", tt.old, got)
		}
		if found != tt.found {
			t.Errorf("%q: found is %v", tt.old, found)
		}
		if strings.Contains(got, "Old text") {
			t.Errorf("the old text is still there: %q", got)
		}
	}
}

func TestFreeBusy(t *testing.T) {
	zone := berlin(t)
	at := func(text string) time.Time {
		instant, err := when.Instant(text, zone, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	var known, view, strange schedule
	decode := func(text string, into *schedule) {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	// Friday and, after the clocks went forward on Sunday, Monday.
	decode(`{"scheduleId":"known@a.example","availabilityView":"","scheduleItems":[
		{"status":"busy","start":{"dateTime":"2027-03-26T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2027-03-26T10:00:00.0000000","timeZone":"UTC"}},
		{"status":"tentative","start":{"dateTime":"2027-03-26T09:30:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2027-03-26T11:00:00.0000000","timeZone":"UTC"}},
		{"status":"free","start":{"dateTime":"2027-03-26T12:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2027-03-26T13:00:00.0000000","timeZone":"UTC"}},
		{"status":"oof","start":{"dateTime":"2027-03-29T06:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2027-03-29T14:00:00.0000000","timeZone":"UTC"}}],
		"workingHours":{"daysOfWeek":["monday","tuesday","wednesday","thursday","friday"],"startTime":"08:00:00.0000000","endTime":"17:00:00.0000000","timeZone":{"name":"W. Europe Standard Time"}}}`, &known)
	decode(`{"scheduleId":"VIEW@b.example","availabilityView":"0000`+strings.Repeat("0", 32)+`1223`+strings.Repeat("0", 300)+`","scheduleItems":[]}`, &view)
	view.grain = viewInterval * time.Minute
	decode(`{"scheduleId":"strange@c.example","error":{"responseCode":"ErrorMailRecipientNotFound"}}`, &strange)
	whole := span{start: at("2027-03-26"), end: at("2027-03-30")}
	coarse := view
	coarse.grain = time.Hour
	if spans := coarse.busy(whole, zone); len(spans) != 1 || spans[0].start != at("2027-03-27T12:00") || spans[0].end != at("2027-03-27T16:00") {
		t.Errorf("in hours: %v", spans)
	}
	schedules := map[string]schedule{"known@a.example": known, "view@b.example": view, "strange@c.example": strange}

	out := freeBusy([]string{"known@a.example", "view@b.example", "strange@c.example", "none@d.example"}, schedules, whole, zone, 30*time.Minute, false)
	busy := out.People[0].Busy
	if len(busy) != 2 || busy[0] != (TimeSlot{"2027-03-26T10:00+01:00", "2027-03-26T12:00+01:00", "busy"}) || busy[1] != (TimeSlot{"2027-03-29T08:00+02:00", "2027-03-29T16:00+02:00", "oof"}) {
		t.Errorf("busy %v", busy)
	}
	free := freeBusy([]string{"known@a.example"}, schedules, whole, zone, 30*time.Minute, false).AllFree
	want := []TimeSlot{
		{Start: "2027-03-26T08:00+01:00", End: "2027-03-26T10:00+01:00"}, {Start: "2027-03-26T12:00+01:00", End: "2027-03-26T17:00+01:00"},
		{Start: "2027-03-29T16:00+02:00", End: "2027-03-29T17:00+02:00"},
	}
	if !slices.Equal(free, want) || out.People[0].Free != nil {
		t.Errorf("free %v, and again %v", free, out.People[0].Free)
	}
	if busy := out.People[1].Busy; len(busy) != 1 || busy[0] != (TimeSlot{"2027-03-26T09:00+01:00", "2027-03-26T10:00+01:00", "oof"}) {
		t.Errorf("by view, busy %v", busy)
	}
	if len(out.AllFree) != 3 || out.AllFree[0] != (TimeSlot{Start: "2027-03-26T08:00+01:00", End: "2027-03-26T09:00+01:00"}) {
		t.Errorf("all free %v", out.AllFree)
	}
	for _, person := range out.People[2:] {
		if person.Problem == "" || person.Free != nil {
			t.Errorf("%v", person)
		}
	}
	if any := freeBusy([]string{"known@a.example"}, schedules, whole, zone, 30*time.Minute, true); any.AllFree[0].Start != "2027-03-26T00:00+01:00" {
		t.Errorf("at any hour, free %v", any.AllFree)
	}
	if !strings.Contains(out.Note, "left out") {
		t.Errorf("the note is %q, want those that are left out", out.Note)
	}

	// Where nobody is free together, each one's time helps to choose, and the
	// note says why.
	both := []string{"known@a.example", "view@b.example"}
	saturday := span{start: at("2027-03-27"), end: at("2027-03-28")}
	if out := freeBusy(both, schedules, saturday, zone, time.Hour, false); len(out.AllFree) != 0 || len(out.People[1].Free) == 0 || !strings.Contains(out.Note, "any_hour") {
		t.Errorf("on Saturday: %+v", out)
	}
	if out := freeBusy(both, schedules, whole, zone, 72*time.Hour, true); len(out.AllFree) != 0 || !strings.Contains(out.Note, "shorter") {
		t.Errorf("for three days: %+v", out)
	}
}

// Working hours that reach into the next day, in another zone, at an offset.
func TestWorkingHoursAtNight(t *testing.T) {
	zone := berlin(t)
	var s schedule
	text := `{"workingHours":{"daysOfWeek":["sunday"],"startTime":"22:00:00.0000000","endTime":"06:00:00.0000000","timeZone":{"name":"UTC"}}}`
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	monday := time.Date(2027, 3, 29, 0, 0, 0, 0, zone)
	hours := within(s.working(span{start: monday, end: monday.AddDate(0, 0, 1)}, zone), []span{{start: monday, end: monday.AddDate(0, 0, 1)}})
	if len(hours) != 1 || stamp(hours[0].start, zone) != "2027-03-29T00:00+02:00" || stamp(hours[0].end, zone) != "2027-03-29T08:00+02:00" {
		t.Errorf("hours %v", hours)
	}
}

// A series whose zone nobody knows must not be put into another one silently.
func TestSeriesInAnUnknownZone(t *testing.T) {
	series := event{
		Type: "seriesMaster", Zone: "tzone://Microsoft/Custom",
		Start: dateTimeZone{"2027-03-01T15:00:00", "W. Europe Standard Time"}, End: dateTimeZone{"2027-03-01T15:30:00", "W. Europe Standard Time"},
		Recurrence: &recurrence{Pattern: recurrencePattern{Type: "weekly", Interval: 1, Days: []string{"monday"}}},
	}
	change := func(in UpdateEventInput) (map[string]any, error) {
		asked := map[string]any{}
		return asked, in.changeTimes(asked, &series, &series, berlin(t))
	}
	for _, in := range []UpdateEventInput{{End: "45m"}, {Start: "2027-03-01T16:00"}, {End: "45m", TimeZone: "Europe/Berlin"}} {
		if asked, err := change(in); !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%+v: %v, %v", in, asked, err)
		}
	}
	asked, err := change(UpdateEventInput{Start: "2027-03-01T16:00", TimeZone: "Europe/Berlin"})
	if rule, ok := asked["recurrence"].(*recurrence); err != nil || !ok || rule.Range.Zone != "W. Europe Standard Time" || asked["start"] != (dateTimeZone{"2027-03-01T16:00:00", "W. Europe Standard Time"}) {
		t.Errorf("%v, %v", asked, err)
	}
	series.Zone = "Eastern Standard Time"
	asked, err = change(UpdateEventInput{End: "45m"})
	if err != nil || len(asked) != 1 || asked["end"] != (dateTimeZone{"2027-03-01T09:45:00", "Eastern Standard Time"}) {
		t.Errorf("%v, %v", asked, err)
	}
}
