package graph_test

import (
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// In 2027 the clocks of Berlin go forward on 28 March, 02:00 to 03:00, and back
// on 31 October, 03:00 to 02:00.
func TestCreateEventKeepsLocalTime(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	tests := []struct{ start, end, zone, wantStart, wantEnd, utc string }{
		{"2027-03-27T14:00", "1h", "Europe/Berlin", "2027-03-27T14:00+01:00", "2027-03-27T15:00+01:00", "2027-03-27T13:00:00"},
		{"2027-03-28T14:00", "2027-03-28T15:30", "Europe/Berlin", "2027-03-28T14:00+02:00", "2027-03-28T15:30+02:00", "2027-03-28T12:00:00"},
		{"2027-03-28T01:30", "2h", "Europe/Berlin", "2027-03-28T01:30+01:00", "2027-03-28T04:30+02:00", "2027-03-28T00:30:00"},
		{"2027-10-31T02:30", "45m", "Europe/Berlin", "2027-10-31T02:30+02:00", "2027-10-31T02:15+01:00", "2027-10-31T00:30:00"},
		{"2027-10-31T14:00", "", "Europe/Berlin", "2027-10-31T14:00+01:00", "2027-10-31T14:30+01:00", "2027-10-31T13:00:00"},
		{"2027-07-01 09:15", "30m", "America/New_York", "2027-07-01T09:15-04:00", "2027-07-01T09:45-04:00", "2027-07-01T13:15:00"},
		{"2027-07-01T09:15Z", "30m", "", "2027-07-01T11:15+02:00", "2027-07-01T11:45+02:00", "2027-07-01T09:15:00"},
		{"2027-01-15T08:00", "30m", "", "2027-01-15T08:00+01:00", "2027-01-15T08:30+01:00", "2027-01-15T07:00:00"},
	}
	for _, tt := range tests {
		a := args{"subject": "Meeting " + tt.start, "start": tt.start}
		if tt.end != "" {
			a["end"] = tt.end
		}
		if tt.zone != "" {
			a["time_zone"] = tt.zone
		}
		made := s.call(t, "m365_cal_create", a)
		read := args{"id": made["id"]}
		if tt.zone != "" {
			read["time_zone"] = tt.zone
		}
		got := s.call(t, "m365_cal_get", read)
		if made["ignored"] != nil || made["start"] != tt.wantStart || got["start"] != tt.wantStart || got["end"] != tt.wantEnd {
			t.Errorf("%s: made %v, read %v to %v, want %s to %s", tt.start, made, got["start"], got["end"], tt.wantStart, tt.wantEnd)
		}
		if utc := storedStart(s, tt.start); !strings.HasPrefix(utc, tt.utc) {
			t.Errorf("%s: stored as %s UTC, want %s", tt.start, utc, tt.utc)
		}
	}
}

// storedStart is the start, in UTC, of Sam's event with that time in its subject.
func storedStart(s *suite, subject string) string {
	for _, e := range s.fake.Events(sam) {
		if text, _ := e["subject"].(string); strings.HasSuffix(text, subject) {
			start, _ := e["start"].(map[string]any)
			text, _ := start["dateTime"].(string)
			return text
		}
	}
	return ""
}

func TestTimesThatDoNotExist(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	before := len(s.fake.Events(sam))
	for _, a := range []args{
		{"start": "2027-03-28T02:30"},
		{"start": "2027-03-28T01:30", "end": "2027-03-28T02:15"},
		{"start": "2027-03-28T02:30", "time_zone": "Europe/Paris"},
		{"start": "2027-03-29T10:00", "end": "2027-03-29T09:00"},
		{"start": "2027-03-29", "end": "2027-03-28"},
		{"start": "2027-03-29", "end": "2027-03-29T10:00"},
		{"start": "2027-03-29T10:00", "end": "2027-03-30"},
		{"start": "half past nine"},
		{"start": "2027-03-29T10:00", "time_zone": "Europe/Atlantis"},
	} {
		a["subject"] = "x"
		s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_create", a)
	}
	if after := len(s.fake.Events(sam)); after != before {
		t.Errorf("%d events were made", after-before)
	}
}

func TestSeriesAcrossClockChanges(t *testing.T) {
	for _, tt := range []struct{ start, until, change string }{
		{"2027-03-10T09:00", "2027-04-14", "+01:00 +02:00"},
		{"2027-10-13T09:00", "2027-11-17", "+02:00 +01:00"},
	} {
		s := newSuite(t, graphtest.Options{})
		made := s.call(t, "m365_cal_create", args{"subject": "Weekly", "start": tt.start, "recurrence": "weekly until " + tt.until, "time_zone": "Europe/Berlin"})
		if made["recurrence"] != "weekly on wed until "+tt.until || made["ignored"] != nil {
			t.Errorf("made %v", made)
		}
		page := s.call(t, "m365_cal_view", args{"start": tt.start[:10], "end": tt.until, "query": "weekly", "time_zone": "Europe/Berlin"})
		rows := items(page)
		if len(rows) != 6 {
			t.Fatalf("%d occurrences in %v", len(rows), page)
		}
		var offsets []string
		for _, row := range rows {
			start, _ := row["start"].(string)
			if !strings.Contains(start, "T09:00") || row["recurring"] != true {
				t.Errorf("an occurrence is %v", row)
			}
			if offset := start[len(start)-6:]; len(offsets) == 0 || offsets[len(offsets)-1] != offset {
				offsets = append(offsets, offset)
			}
		}
		if strings.Join(offsets, " ") != tt.change {
			t.Errorf("offsets %v, want %s", offsets, tt.change)
		}
	}
}

func TestAllDayEvents(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, tt := range []struct{ start, end, last string }{
		{"2027-03-28", "", "2027-03-28"},
		{"2027-10-30", "2027-11-01", "2027-11-01"},
	} {
		made := s.call(t, "m365_cal_create", args{"subject": "Day " + tt.start, "start": tt.start, "end": tt.end, "time_zone": "Europe/Berlin"})
		if made["start"] != tt.start || made["end"] != tt.last || made["ignored"] != nil {
			t.Errorf("made %v", made)
		}
		rows := items(s.call(t, "m365_cal_view", args{"start": tt.start, "end": tt.last, "query": "Day", "time_zone": "Europe/Berlin"}))
		if len(rows) != 1 || rows[0]["start"] != tt.start || rows[0]["end"] != tt.last {
			t.Errorf("viewed %v", rows)
		}
	}
}

// The zone is the argument's, else the options', else the mailbox's.
func TestTimeZoneOfResults(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	if zone := s.call(t, "m365_cal_view", args{})["time_zone"]; zone != "Europe/Berlin" {
		t.Errorf("the mailbox's zone is %v", zone)
	}
	s.signIn(t, s.fake.Token(), graph.Options{TimeZone: "Asia/Tokyo"})
	if zone := s.call(t, "m365_cal_view", args{})["time_zone"]; zone != "Asia/Tokyo" {
		t.Errorf("the options' zone is %v", zone)
	}
	if zone := s.call(t, "m365_cal_view", args{"time_zone": "Eastern Standard Time"})["time_zone"]; zone != "America/New_York" {
		t.Errorf("the argument's zone is %v", zone)
	}
}

// Nobody's calendar gets an event at a guessed time.
func TestUnknownTimeZone(t *testing.T) {
	s := newSuite(t, graphtest.Options{Deny: []string{"MailboxSettings.Read", "MailboxSettings.ReadWrite"}})
	if zone := s.call(t, "m365_cal_view", args{})["time_zone"]; zone != "UTC" {
		t.Errorf("an unknown zone is %v", zone)
	}
	a := args{"subject": "When?", "start": "2027-05-04T10:00"}
	e := s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_create", a)
	if !strings.Contains(e.Hint, "time_zone") {
		t.Errorf("hint %q", e.Hint)
	}
	a["time_zone"] = "Europe/Berlin"
	made := s.call(t, "m365_cal_create", a)
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_update", args{"id": made["id"], "start": "2027-05-04T11:00"})
	s.call(t, "m365_cal_update", args{"id": made["id"], "subject": "Then"})
}

// Of another mailbox a user may not read the settings: then the own zone counts.
func TestTimeZoneOfAnotherMailbox(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	if zone := s.call(t, "m365_cal_free_busy", args{"people": []any{tom}})["time_zone"]; zone != "Europe/Berlin" {
		t.Errorf("zone %v", zone)
	}
	made := s.call(t, "m365_cal_create", args{"mailbox": desk, "subject": "Shift", "start": "2027-05-04T10:00"})
	if made["start"] != "2027-05-04T10:00+02:00" {
		t.Errorf("made %v", made)
	}
}

func TestViewCalendarPages(t *testing.T) {
	s := newSuite(t, graphtest.Options{PageSize: 2})
	all := items(s.call(t, "m365_cal_view", args{"start": "-14d", "end": "+14d", "limit": 100}))
	if len(all) < 10 {
		t.Fatalf("only %d events", len(all))
	}
	var rows []map[string]any
	a := args{"start": "-14d", "end": "+14d", "limit": 3}
	for range 50 {
		page := s.call(t, "m365_cal_view", a)
		rows = append(rows, items(page)...)
		if page["cursor"] == nil {
			break
		}
		a["cursor"] = page["cursor"]
	}
	if len(rows) != len(all) {
		t.Fatalf("%d rows by cursor, %d at once", len(rows), len(all))
	}
	for i := range rows {
		if rows[i]["id"] != all[i]["id"] {
			t.Errorf("row %d differs: %v, %v", i, rows[i], all[i])
		}
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_view", args{"start": "-14d", "end": "+13d", "cursor": a["cursor"]})
}

func TestCalendarByName(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	made := s.call(t, "m365_cal_create", args{"subject": "Cake", "start": "2027-05-04", "calendar": "birthdays"})
	find := args{"start": "2027-05-01", "end": "2027-05-31", "calendar": "Birthdays"}
	if rows := items(s.call(t, "m365_cal_view", find)); len(rows) != 1 || rows[0]["id"] != made["id"] {
		t.Errorf("in the calendar are %v", rows)
	}
	e := s.fails(t, mcptools.CodeNotFound, "m365_cal_view", args{"calendar": "Holidays"})
	if !strings.Contains(e.Hint, "Birthdays") {
		t.Errorf("the hint names no calendar: %s", e.Hint)
	}
}

func TestApplicationNeedsMailbox(t *testing.T) {
	s := newAppSuite(t, graphtest.Options{})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_view", args{})
	if rows := items(s.call(t, "m365_cal_view", args{"mailbox": "Okafor"})); len(rows) == 0 {
		t.Error("no events of Sam Okafor")
	}
	e := s.fails(t, mcptools.CodeNotSupported, "m365_cal_find_times", args{"mailbox": sam, "people": []any{tom}})
	if !strings.Contains(e.Hint, "m365_cal_free_busy") {
		t.Errorf("hint %q", e.Hint)
	}
}

// Ten rows are cheap, and a found event can be read by its id.
func TestRowsAreSmall(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	page := s.call(t, "m365_cal_view", args{"start": "-14d", "end": "+14d", "limit": 10})
	if rows := items(page); len(rows) != 10 {
		t.Fatalf("%d rows", len(rows))
	}
	if size := len(marshal(t, args{"items": page["items"]})); size > 3000 {
		t.Errorf("ten rows have %d bytes", size)
	}
	found := items(s.call(t, "m365_search", args{"query": "holiday", "types": []any{"event"}}))
	if len(found) != 1 || strings.Contains(found[0]["time"].(string), "T") {
		t.Fatalf("found %v", found)
	}
	if e := s.call(t, "m365_cal_get", args{"id": found[0]["id"]}); e["subject"] != "Holiday" || e["show_as"] != "oof" || strings.Contains(e["start"].(string), "T") {
		t.Errorf("the found event is %v", e)
	}
}
