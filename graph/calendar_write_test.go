package graph_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// named returns the events of a mailbox whose subject contains name.
func named(s *suite, mailbox, name string) []map[string]any {
	return slices.DeleteFunc(s.fake.Events(mailbox), func(e map[string]any) bool {
		subject, _ := e["subject"].(string)
		return !strings.Contains(subject, name)
	})
}

func TestCreateEventRefusesNames(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, who := range []string{"Tom", "Tom Lindqvist", "tom@", ""} {
		e := s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_create", args{"subject": "Nobody", "start": "2027-05-04T10:00", "attendees": []any{who}})
		if !strings.Contains(e.Hint, "m365_people_find") {
			t.Errorf("%q: hint %q", who, e.Hint)
		}
	}
	if made := named(s, sam, "Nobody"); len(made) > 0 {
		t.Errorf("made %v", made)
	}
}

// An end such as 12:00 is a time of day and not a length of twelve hours.
func TestEndIsATimeOfDay(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, tt := range []struct{ start, end string }{
		{"2027-05-04T11:00", "12:00"}, {"2027-05-04 11:00", " 12:00"}, {"2027-05-04T11:00+02:00", "12:00"}, {"2027-05-04T11:00", "1h"},
	} {
		made := s.call(t, "m365_cal_create", args{"subject": "Short", "start": tt.start, "end": tt.end, "time_zone": "Europe/Berlin"})
		if made["start"] != "2027-05-04T11:00+02:00" || made["end"] != "2027-05-04T12:00+02:00" {
			t.Errorf("%v: from %v to %v", tt, made["start"], made["end"])
		}
		if longer := s.call(t, "m365_cal_update", args{"id": made["id"], "end": "12:30"}); longer["end"] != "2027-05-04T12:30+02:00" {
			t.Errorf("changed, it ends %v", longer["end"])
		}
	}
	for start, end := range map[string]string{"2027-05-04T11:00Z": "12:00", "2027-05-04T11:00": "10:30", "2027-05-04": "12:00"} {
		s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_create", args{"subject": "Short", "start": start, "end": end, "time_zone": "Europe/Berlin"})
	}
}

func TestFoundTimesSayWhereToLook(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	saturday := args{"people": []any{tom}, "start": "2027-05-08", "end": "2027-05-08"}
	found := s.call(t, "m365_cal_find_times", saturday)
	if reason, _ := found["reason"].(string); len(asList(found["times"])) > 0 || !strings.Contains(reason, "any_hour") {
		t.Errorf("on Saturday: %v", found)
	}
	saturday["any_hour"] = true
	if found := s.call(t, "m365_cal_find_times", saturday); len(asList(found["times"])) == 0 {
		t.Errorf("at any hour: %v", found)
	}
}

// A lost answer is asked for again: the transactionId keeps the event single.
func TestCreateEventOnce(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.Faults().Next(1, "POST", "/events", graphtest.Answer{Drop: graphtest.DropAfter})
	s.call(t, "m365_cal_create", args{"subject": "Once", "start": "2027-05-04T10:00", "attendees": []any{tom}})
	if made := named(s, sam, "Once"); len(made) != 1 {
		t.Errorf("%d events were made", len(made))
	}
	s.call(t, "m365_cal_create", args{"subject": "Once", "start": "2027-05-04T10:00", "attendees": []any{tom}})
	if made := named(s, sam, "Once"); len(made) != 2 {
		t.Errorf("a second call made %d events", len(made)-1)
	}
}

func TestCreateEventInDoubt(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.Faults().Next(20, "POST", "/events", graphtest.Answer{Drop: graphtest.DropAfter})
	s.fails(t, mcptools.CodeUncertain, "m365_cal_create", args{"subject": "Perhaps", "start": "2027-05-04T10:00"})
	if made := named(s, sam, "Perhaps"); len(made) != 1 {
		t.Errorf("%d events were made", len(made))
	}
	s = newSuite(t, graphtest.Options{})
	s.fake.Faults().Next(1, "POST", "/events", graphtest.Answer{Status: 409})
	e := s.fails(t, mcptools.CodeUncertain, "m365_cal_create", args{"subject": "Perhaps", "start": "2027-05-04T10:00"})
	if !strings.Contains(e.Hint, "m365_cal_view") {
		t.Errorf("hint %q", e.Hint)
	}
}

func TestUpdateEvent(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	made := s.call(t, "m365_cal_create", args{
		"subject": "Plan", "start": "2027-03-26T10:00", "end": "1h15m", "attendees": []any{tom, anna}, "location": "Elbe",
	})
	id := made["id"]
	moved := s.call(t, "m365_cal_update", args{"id": id, "start": "2027-03-29T09:00"})
	if moved["start"] != "2027-03-29T09:00+02:00" || moved["end"] != "2027-03-29T10:15+02:00" || len(asList(moved["attendees"])) != 2 || moved["subject"] != "Plan" {
		t.Errorf("moved %v", moved)
	}
	longer := s.call(t, "m365_cal_update", args{"id": id, "end": "2h"})
	if longer["start"] != "2027-03-29T09:00+02:00" || longer["end"] != "2027-03-29T11:00+02:00" {
		t.Errorf("longer %v", longer)
	}
	changed := s.call(t, "m365_cal_update", args{"id": id, "add_attendees": []any{elif, tom}, "remove_attendees": []any{anna}})
	if got := asList(changed["attendees"]); !slices.Equal(got, []any{tom, elif}) || !slices.Equal(asList(changed["changed"]), []any{"attendees"}) {
		t.Errorf("changed %v", changed)
	}
	day := s.call(t, "m365_cal_update", args{"id": id, "start": "2027-03-29"})
	if day["start"] != "2027-03-29" || day["end"] != "2027-03-29" {
		t.Errorf("all day %v", day)
	}
	days := s.call(t, "m365_cal_update", args{"id": id, "end": "2027-03-31"})
	if days["start"] != "2027-03-29" || days["end"] != "2027-03-31" {
		t.Errorf("three days %v", days)
	}
	if later := s.call(t, "m365_cal_update", args{"id": id, "start": "2027-04-05"}); later["end"] != "2027-04-07" {
		t.Errorf("three other days %v", later)
	}
	s.fails(t, mcptools.CodeNotFound, "m365_cal_update", args{"id": id, "remove_attendees": []any{anna}})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_update", args{"id": id})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_update", args{"id": "..", "subject": "x"})
}

// A series keeps to the clock of the zone it was made in, whatever the zone of
// the mailbox: between the two changes of clocks New York is an hour closer.
func TestUpdateSeriesKeepsItsZone(t *testing.T) {
	const monday, clock = "2027-03-01", "T09:00-05:00 2027-03-08T09:00-05:00 2027-03-15T09:00-04:00 2027-03-22T09:00-04:00 2027-03-29T09:00-04:00 2027-04-05T09:00-04:00"
	tests := []struct {
		name   string
		change args
		want   string // starts in New York
		length time.Duration
	}{
		{"length", args{"end": "45m"}, monday + clock, 45 * time.Minute},
		{"end of one", args{"end": "2027-03-15T15:00"}, monday + clock, time.Hour}, // the third is at 14:00 in Berlin
		{"end in a zone", args{"end": "2027-03-15T10:00", "time_zone": "America/New_York"}, monday + clock, time.Hour},
		{"length in a zone", args{"end": "45m", "time_zone": "Europe/Berlin"}, monday + clock, 45 * time.Minute},
		{"recurrence", args{"recurrence": "weekly on mon until 2027-05-31"}, monday + clock, 30 * time.Minute},
		{"start", args{"start": "2027-03-15T15:00"}, monday + strings.ReplaceAll(clock, "T09", "T10"), 30 * time.Minute},
		{"start in a zone", args{"start": "2027-03-15T14:00", "time_zone": "Europe/Berlin"},
			"2027-03-01T08:00-05:00 2027-03-08T08:00-05:00 2027-03-15T09:00-04:00 2027-03-22T09:00-04:00 2027-03-29T08:00-04:00 2027-04-05T08:00-04:00", 30 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSuite(t, graphtest.Options{})
			s.call(t, "m365_cal_create", args{"subject": "Far", "start": monday + "T09:00", "time_zone": "America/New_York", "recurrence": "weekly on mon until 2027-04-26"})
			view := args{"start": monday, "end": "2027-04-08", "query": "Far", "time_zone": "America/New_York"}
			third := items(s.call(t, "m365_cal_view", view))[2]
			change := maps.Clone(tt.change)
			change["id"], change["scope"] = third["id"], "series"
			if got := s.call(t, "m365_cal_update", change); got["ignored"] != nil {
				t.Errorf("ignored %v", got["ignored"])
			}
			var starts []string
			for _, row := range items(s.call(t, "m365_cal_view", view)) {
				from, _ := row["start"].(string)
				starts = append(starts, from)
				if length := instantOf(t, row["end"]).Sub(instantOf(t, from)); length != tt.length {
					t.Errorf("%s takes %s, want %s", from, length, tt.length)
				}
			}
			if got := strings.Join(starts, " "); got != tt.want {
				t.Errorf("starts at\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

// In the evening of New York it is another day in Berlin already.
func TestUpdateSeriesKeepsItsDay(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	made := s.call(t, "m365_cal_create", args{"subject": "Late", "start": "2027-03-01T20:00", "time_zone": "America/New_York", "recurrence": "weekly on mon 5 times"})
	s.call(t, "m365_cal_update", args{"id": made["id"], "scope": "series", "recurrence": "weekly on mon 6 times"})
	later := s.call(t, "m365_cal_update", args{"id": made["id"], "scope": "series", "start": "2027-03-02T03:00"})
	if later["start"] != "2027-03-02T03:00+01:00" || later["recurrence"] != "weekly on mon 6 times" {
		t.Errorf("later %v", later)
	}
	e := s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_update", args{"id": made["id"], "scope": "series", "start": "2027-03-02T03:00", "time_zone": "Europe/Berlin"})
	if !strings.Contains(e.Message, "Tuesday 2027-03-02") {
		t.Error(e)
	}
	rows := items(s.call(t, "m365_cal_view", args{"start": "2027-03-01", "end": "2027-04-20", "query": "Late", "time_zone": "America/New_York"}))
	if len(rows) != 6 || rows[5]["start"] != "2027-04-05T21:00-04:00" {
		t.Errorf("rows %v", rows)
	}
}

func instantOf(t *testing.T, text any) time.Time {
	t.Helper()
	written, _ := text.(string)
	at, err := time.Parse("2006-01-02T15:04Z07:00", written)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A new body must not end the online meeting, whose link is in the old one.
func TestUpdateKeepsOnlineMeeting(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	made := s.call(t, "m365_cal_create", args{"subject": "Call", "start": "2027-05-04T10:00", "online": true, "body": "Old text"})
	if made["online"] == nil {
		t.Fatalf("no link in %v", made)
	}
	got := s.call(t, "m365_cal_update", args{"id": made["id"], "body": "New text"})
	if got["online"] != made["online"] {
		t.Errorf("the link was %v and is %v", made["online"], got["online"])
	}
	text, _ := s.call(t, "m365_cal_get", args{"id": made["id"]})["body"].(string)
	if !strings.HasPrefix(text, "New text") {
		t.Errorf("body %q", text)
	}
}

func TestUpdateSeries(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	series := s.call(t, "m365_cal_create", args{"subject": "Jour fixe", "start": "2027-03-09T09:00", "end": "1h", "recurrence": "weekly 5 times", "time_zone": "Europe/Berlin"})
	view := args{"start": "2027-03-01", "end": "2027-05-01", "query": "Jour fixe", "time_zone": "Europe/Berlin"}
	third := items(s.call(t, "m365_cal_view", view))[2]
	if third["start"] != "2027-03-23T09:00+01:00" {
		t.Fatalf("the third is %v", third)
	}
	one := s.call(t, "m365_cal_update", args{"id": third["id"], "start": "2027-03-24T11:00", "time_zone": "Europe/Berlin"})
	if one["start"] != "2027-03-24T11:00+01:00" || one["id"] == series["id"] {
		t.Errorf("one is %v", one)
	}
	all := s.call(t, "m365_cal_update", args{"id": items(s.call(t, "m365_cal_view", view))[4]["id"], "scope": "series", "start": "2027-04-06T14:00", "time_zone": "Europe/Berlin"})
	if all["id"] != series["id"] || all["start"] != "2027-03-09T14:00+01:00" || all["end"] != "2027-03-09T15:00+01:00" {
		t.Errorf("all is %v", all)
	}
	rows := items(s.call(t, "m365_cal_view", view))
	if last := rows[len(rows)-1]["start"]; last != "2027-04-06T14:00+02:00" {
		t.Errorf("the last starts %v", last)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_update", args{"id": rows[4]["id"], "scope": "series", "start": "2027-04-07T14:00"})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_update", args{"id": rows[4]["id"], "recurrence": "daily"})
	// Its own id means a whole series: one call for one event must not change or
	// cancel all of them.
	for tool, more := range map[string]args{"m365_cal_update": {"subject": "x"}, "m365_cal_cancel": {}} {
		more["id"] = series["id"]
		if e := s.fails(t, mcptools.CodeInvalidArguments, tool, more); !strings.Contains(e.Hint, "scope") {
			t.Errorf("%s: %v", tool, e)
		}
	}
	if left := items(s.call(t, "m365_cal_view", view)); len(left) != len(rows) {
		t.Errorf("%d events are left of %d", len(left), len(rows))
	}
	moved := s.call(t, "m365_cal_update", args{"id": rows[4]["id"], "scope": "series", "start": "2027-03-11T08:00", "recurrence": "every 2 weeks on thu 3 times", "time_zone": "Europe/Berlin"})
	if moved["start"] != "2027-03-11T08:00+01:00" || moved["recurrence"] != "every 2 weeks on thu 3 times" || moved["ignored"] != nil {
		t.Errorf("moved %v", moved)
	}
}

func TestRespondAndCancel(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	invited := items(s.call(t, "m365_cal_view", args{"start": "today", "end": "+14d", "query": "dispatch"}))[0]
	id := invited["id"]
	s.fails(t, mcptools.CodePermissionDenied, "m365_cal_update", args{"id": id, "start": "2027-05-04T10:00"})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_respond", args{"id": id, "response": "accept", "propose_start": "2027-05-04T10:00"})
	if got := s.call(t, "m365_cal_respond", args{"id": id, "response": "accept"}); got["status"] != "accepted" || got["note"] != nil {
		t.Errorf("accepted: %v", got)
	}
	if got := s.call(t, "m365_cal_get", args{"id": id}); got["response"] != "accepted" {
		t.Errorf("after accepting: %v", got)
	}
	s.call(t, "m365_cal_respond", args{"id": id, "response": "decline", "comment": "ill", "propose_start": "2027-05-04T10:00", "propose_end": "2027-05-04T11:00"})
	s.fails(t, mcptools.CodeNotFound, "m365_cal_get", args{"id": id})

	own := s.call(t, "m365_cal_create", args{"subject": "Outing", "start": "2027-05-04T10:00", "attendees": []any{tom}})
	s.fails(t, mcptools.CodeNotSupported, "m365_cal_respond", args{"id": own["id"], "response": "accept"})
	if got := s.call(t, "m365_cal_cancel", args{"id": own["id"], "comment": "rain"}); got["status"] != "cancelled" {
		t.Errorf("cancelled: %v", got)
	}
	if left := named(s, tom, "Canceled: Outing"); len(left) != 1 {
		t.Errorf("Tom has %v", left)
	}

	alone := s.call(t, "m365_cal_create", args{"subject": "Alone", "start": "2027-05-04T10:00"})
	if got := s.call(t, "m365_cal_cancel", args{"id": alone["id"], "comment": "never mind"}); got["status"] != "deleted" || got["note"] == nil {
		t.Errorf("deleted: %v", got)
	}
	if left := named(s, sam, "Alone"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestRespondToSeries(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	rows := items(s.call(t, "m365_cal_view", args{"start": "today", "end": "+14d", "query": "stand-up"}))
	got := s.call(t, "m365_cal_respond", args{"id": rows[2]["id"], "response": "tentative", "scope": "series"})
	if got["id"] == rows[2]["id"] || got["status"] != "tentative" || got["note"] != nil {
		t.Errorf("responded %v", got)
	}
	s.call(t, "m365_cal_cancel", args{"id": rows[2]["id"]})
	if after := items(s.call(t, "m365_cal_view", args{"start": "today", "end": "+14d", "query": "stand-up"})); len(after) != len(rows)-1 {
		t.Errorf("%d of %d occurrences are left", len(after), len(rows))
	}
}

func TestCalendarPermissions(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	roles := func() map[any]any {
		found := map[any]any{}
		for _, row := range items(s.call(t, "m365_cal_permissions", args{})) {
			found[row["person"]] = row["role"]
		}
		return found
	}
	set := func(person, role, before string) {
		t.Helper()
		got := s.call(t, "m365_cal_permission_set", args{"person": person, "role": role})
		if got["role"] != role || got["before"] != before {
			t.Errorf("%s to %s: %v", person, role, got)
		}
	}
	set(elif, "read", "none")
	set(strings.ToUpper(elif[:1])+elif[1:], "write", "read")
	set("organization", "limitedRead", "freeBusyRead")
	set(tom, "delegate", "none")
	if got := roles(); got[elif] != "write" || got["organization"] != "limitedRead" || got[tom] != "delegate" || len(got) != 3 {
		t.Errorf("roles %v", got)
	}
	set(elif, "none", "write")
	set(elif, "none", "none")
	set("organization", "none", "limitedRead")
	if got := roles(); got[elif] != nil || got["organization"] != "none" {
		t.Errorf("roles %v", got)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_permission_set", args{"person": "Elif Demir", "role": "read"})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_permission_set", args{"person": "mira.koch@hafenlogistik.example", "role": "write"})
}

func asList(value any) []any {
	list, _ := value.([]any)
	return list
}

// A second DELETE would find the event in Deleted Items and remove it for good:
// it is sent again only when the first was surely refused.
func TestEventIsDeletedOnce(t *testing.T) {
	for name, test := range map[string]struct {
		first   graphtest.Answer
		deletes int
	}{
		"unavailable":    {graphtest.Answer{Status: 503}, 1},
		"cut off before": {graphtest.Answer{Drop: graphtest.DropBefore}, 1},
		"cut off after":  {graphtest.Answer{Drop: graphtest.DropAfter}, 1},
		"refused":        {graphtest.Answer{Status: 429}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSuite(t, graphtest.Options{})
			made := s.call(t, "m365_cal_create", args{"subject": "Alone", "start": "2027-05-04T10:00"})
			s.fake.ResetRecord()
			s.fake.Faults().Next(1, "DELETE", "/events/", test.first)
			if test.deletes == 2 {
				s.call(t, "m365_cal_cancel", args{"id": made["id"]})
			} else if e := s.fails(t, mcptools.CodeUncertain, "m365_cal_cancel", args{"id": made["id"]}); !strings.Contains(e.Hint, "m365_cal_view") {
				t.Errorf("hint %q", e.Hint)
			}
			deletes := slices.DeleteFunc(s.paths(), func(path string) bool { return !strings.HasPrefix(path, "DELETE ") })
			if len(deletes) != test.deletes {
				t.Errorf("deleted by %v", deletes)
			}
		})
	}
}

// An exception has a shape of its own, which is not that of its series.
func TestRecurrenceAloneKeepsTheShapeOfASeries(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_cal_create", args{"subject": "Watch", "start": "2027-03-01", "end": "2027-03-01", "recurrence": "weekly on mon 4 times"})
	view := args{"start": "2027-03-01", "end": "2027-05-01", "query": "Watch"}
	second := items(s.call(t, "m365_cal_view", view))[1]["id"]
	s.call(t, "m365_cal_update", args{"id": second, "start": "2027-03-08", "end": "2027-03-09"})
	s.call(t, "m365_cal_update", args{"id": second, "scope": "series", "recurrence": "weekly on mon 5 times"})
	rows := items(s.call(t, "m365_cal_view", view))
	if len(rows) != 5 || rows[4]["start"] != "2027-03-29" || rows[4]["end"] != rows[4]["start"] {
		t.Errorf("rows %v", rows)
	}
}
