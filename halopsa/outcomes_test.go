package halopsa

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestTheStatusThatClosesIsLookedUp(t *testing.T) {
	t.Parallel()
	closed, cancelled, done := Entry{ID: 23, Name: "Closed"}, Entry{ID: 25, Name: "Cancelled"}, Entry{ID: 31, Name: "Done"}
	for name, test := range map[string]struct {
		own     whole
		closing []Entry
		want    int
		code    mcptools.Code
	}{
		"the outcome's own":  {25, []Entry{closed, cancelled}, 25, ""},
		"the only one":       {0, []Entry{done}, 31, ""},
		"the one named so":   {0, []Entry{cancelled, closed}, 23, ""},
		"an outcome's other": {21, []Entry{cancelled, closed}, 23, ""}, // resolved does not close
		"none named so":      {0, []Entry{cancelled, done}, 0, mcptools.CodeInvalidArguments},
		"not told":           {0, nil, 0, mcptools.CodeInvalidArguments},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := closedStatus(outcome{Status: test.own}, test.closing)
			if got.ID != test.want || test.code != "" && !errors.Is(err, test.code) || test.code == "" && err != nil {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// The outcome of a note, a time entry or a mail is chosen by what it does and
// is called, and never by its number.
func TestOutcomesAreChosenByWhatTheyDo(t *testing.T) {
	t.Parallel()
	note, public, timed := outcome{ID: 41, Name: "Private Note", Private: true}, outcome{ID: 42, Name: "Note"}, outcome{ID: 43, Name: "Time Logged"}
	mail, resolve := outcome{ID: 44, Name: "Emailed User", Mails: true}, outcome{ID: 7, Name: "Resolved", Mails: true, Status: 9}
	other, approve := outcome{ID: 45, Name: "Worked"}, outcome{ID: 46, Name: "Approved", Private: true}
	for _, test := range []struct {
		use     purpose
		allowed []outcome
		want    whole
	}{
		{forNote, []outcome{resolve, mail, public, note}, 41},
		{forNote, []outcome{resolve, approve, public, timed}, 42},
		{forNote, []outcome{approve, other}, 45},
		{forNote, []outcome{resolve, approve, mail}, 0},
		{forTime, []outcome{note, timed}, 43},
		{forTime, []outcome{resolve, note}, 41},
		{forMail, []outcome{resolve, note, mail}, 44},
		{forMail, []outcome{resolve, note}, 0},
	} {
		got, err := choice{outcomes: test.allowed, step: "New"}.first("", "it", ranks(test.use)...)
		if got.ID != test.want || test.want == 0 && !errors.Is(err, mcptools.CodeConflict) {
			t.Errorf("for %d of %v it is %v, %v", test.use, test.allowed, got, err)
		}
	}
}

func TestWhatCountsAsTheSame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		sent any
		have string
		want bool
	}{
		{"impact", 3, `3.0`, true},
		{"impact", 3, `"3"`, true},
		{"impact", 3, `2`, false},
		{"impact", 0, `null`, true},
		{"impact", 3, `null`, false},
		{"hiddenfromuser", false, `null`, true},
		{"hiddenfromuser", true, `false`, false},
		{"summary", "Printer ", `"Printer"`, true},
		{"timetaken", 0.75, `0.7500`, true},
		{"dateoccurred", "2026-03-27T14:30:12Z", `"2026-03-27T14:30:00"`, true},
		{"dateoccurred", "2026-03-27T14:30:12Z", `"2026-03-27T15:30:12"`, false},
		{"details_html", "<p>It <strong>beeps</strong></p>", `"<div><p>It <b>beeps</b></p></div>"`, true},
		{"details_html", "<p>It beeps</p>", `"<p>It hums</p>"`, false},
		{"customfields", []fields{{"id": 1, "value": "a"}}, `[{"id":2,"value":"b"},{"id":1,"value":"a"}]`, true},
		{"customfields", []fields{{"id": 1, "value": "a"}}, `[{"id":1,"value":"b"}]`, false},
		{"assets", []fields{{"id": 5}}, `[{"id":5,"inventory_number":"NL-5"}]`, true},
		{"assets", []fields{{"id": 5}}, `null`, false},
	} {
		if got := same(test.name, test.sent, json.RawMessage(test.have)); got != test.want {
			t.Errorf("%s: %v and %s are the same: %v", test.name, test.sent, test.have, got)
		}
	}
}
