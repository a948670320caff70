package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestAutoReplyReadsBackAsWritten(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	start := time.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	end := time.Now().AddDate(0, 0, 10).Format(time.DateOnly)
	var got graph.MailboxSettings
	s.into(t, "m365_mailbox_settings_edit", args{
		"auto_reply": "scheduled", "reply_start": start + "T08:00", "reply_end": end,
		"internal_reply": "I am **away**.", "external_reply": "Ask\nTom.", "audience": "contactsOnly",
	}, &got)
	if got.AutoReply != "scheduled" || got.Internal != "I am **away**." || !strings.Contains(got.External, "Tom.") || got.Audience != "contactsOnly" || got.Ignored != nil {
		t.Errorf("got %+v", got)
	}
	if !strings.HasPrefix(got.Start, start+"T08:00") {
		t.Errorf("starts %s", got.Start)
	}
	// A date as the end means the end of that day.
	if day := time.Now().AddDate(0, 0, 11).Format(time.DateOnly); !strings.HasPrefix(got.End, day+"T00:00") {
		t.Errorf("ends %s", got.End)
	}
	var off graph.MailboxSettings
	s.into(t, "m365_mailbox_settings_edit", args{"auto_reply": "off"}, &off)
	if off.AutoReply != "off" || off.Internal != got.Internal || off.Start != "" {
		t.Errorf("got %+v", off)
	}
}

// Outsiders get what was written for them, and never an empty mail.
func TestAutoReplyToOutsidersIsWrittenForThem(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	e := s.fails(t, mcptools.CodeInvalidArguments, "m365_mailbox_settings_edit", args{"auto_reply": "on", "internal_reply": "Call me at home"})
	if !strings.Contains(e.Error(), "external_reply") {
		t.Error(e)
	}
	s.call(t, "m365_mailbox_settings_edit", args{"auto_reply": "on", "internal_reply": "Call me at home", "audience": "none"})
}

func TestWrongSettings(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, wrong := range []args{
		{}, {"auto_reply": "scheduled", "audience": "none"}, {"reply_start": "tomorrow", "reply_end": "today", "audience": "none"},
		{"auto_reply": "off", "reply_start": "2027-12-24", "reply_end": "2027-12-26"}, {"auto_reply": "on", "reply_end": "2027-12-26", "audience": "none"},
		{"time_zone": "Mars/Olympus"}, {"work_start": "8 o'clock"}, {"work_start": "18:00"}, {"work_days": []string{"funday"}},
	} {
		s.fails(t, mcptools.CodeInvalidArguments, "m365_mailbox_settings_edit", wrong)
	}
}

// Zones are IANA names here and Windows names there, and a change shows at once.
func TestTimeZoneOfTheMailbox(t *testing.T) {
	s := newSuite(t, graphtest.Options{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }})
	before := items(s.call(t, "m365_mail_search", args{"limit": 1}))[0]["time"].(string)
	var got graph.MailboxSettings
	s.into(t, "m365_mailbox_settings_edit", args{"time_zone": "Asia/Tokyo", "work_days": []string{"tuesday"}, "work_start": "09:00", "work_end": "15:30"}, &got)
	if got.TimeZone != "Asia/Tokyo" || got.WorkStart != "09:00" || got.WorkEnd != "15:30" || len(got.WorkDays) != 1 || got.Ignored != nil {
		t.Errorf("got %+v", got)
	}
	after := items(s.call(t, "m365_mail_search", args{"limit": 1}))[0]["time"].(string)
	if !strings.HasSuffix(before, "+02:00") || !strings.HasSuffix(after, "+09:00") {
		t.Errorf("before %s, after %s", before, after)
	}
	s.into(t, "m365_mailbox_settings_edit", args{"time_zone": "W. Europe Standard Time"}, &got)
	if got.TimeZone != "Europe/Berlin" {
		t.Errorf("got %+v", got)
	}
}

// The zone that times are read in is that of the options, as in the calendar.
func TestAutoReplyIsInTheZoneOfTheOptions(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.signIn(t, s.fake.Token(), graph.Options{TimeZone: "America/New_York"})
	var got graph.MailboxSettings
	s.into(t, "m365_mailbox_settings_edit", args{"auto_reply": "scheduled", "reply_start": "2027-12-24T08:00", "reply_end": "2027-12-26T08:00", "audience": "none"}, &got)
	if got.Start != "2027-12-24T08:00-05:00" || got.End != "2027-12-26T08:00-05:00" || got.TimeZone != "Europe/Berlin" || got.Ignored != nil {
		t.Errorf("got %+v", got)
	}
}

func TestPresets(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for name, least := range map[string]int{"user": 15, "technician": 8, "all": 34} {
		filter, ok := graph.Preset(name)
		if !ok {
			t.Fatalf("there is no preset %q", name)
		}
		cost := 0
		set := s.tools.Keep(filter)
		for tool := range set.All() {
			cost += tool.Cost()
		}
		if set.Len() < least || name == "user" && cost > 16<<10 {
			t.Errorf("%s: %d tools, %d bytes", name, set.Len(), cost)
		}
	}
	if _, ok := graph.Preset("other"); ok {
		t.Error("there is a preset that nobody made")
	}
}
