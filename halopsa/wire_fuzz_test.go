package halopsa

import (
	"encoding/json"
	"testing"
)

// FuzzReplies: whatever Halo or something in front of it answers, reading it
// ends with rows or an error.
func FuzzReplies(f *testing.F) {
	for _, seed := range []string{
		`[{"id":1,"name":"New"}]`, `{"tickets":[{"id":21.0,"summary":"x","dateoccurred":"1900-01-01T00:00:00"}],"record_count":1}`,
		`{"tickets":[{"id":"21","team_id":null,"hasbeenclosed":1,"customfields":[{"id":1,"value":[1]}]}]}`, `[]`, `{}`, `null`, ``, `"Please log in"`,
		`<html></html>`, `{"id":9,"_warning":"no","timetaken":0.75,"hiddenfromuser":"true","datetime":"2026-03-29T02:30:00.123Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, total, err := rowsOf[ticket](body, "tickets")
		if err != nil && (rows != nil || total != nil) {
			t.Error("rows with an error")
		}
		var s saved
		if decode(unwrap(body), &s) != nil {
			return
		}
		one := s.ticket()
		if year := one.Reported.Year(); !one.Reported.IsZero() && year <= 1900 {
			t.Errorf("%d is a time", year)
		}
		sent := fields{"summary": one.Summary, "details_html": "<p>x</p>", "customfields": []fields{{"id": 1, "value": 2}}, "impact": 3}
		for _, name := range func() []string { names, _ := s.ignored(sent); return names }() {
			if name == "" {
				t.Error("a field without a name was ignored")
			}
		}
		if len(s.warning()) > 1300 {
			t.Error("a warning without end")
		}
	})
}

// FuzzWireValues: numbers, truth values and times in any form are read or count
// as none; none of them hides a record.
func FuzzWireValues(f *testing.F) {
	for _, seed := range []string{`21.0`, `"21"`, `null`, `1e300`, `1e700`, `"a-guid"`, `true`, `[]`, `"1900-01-01T00:00:00"`, `"2026-02-30"`, `-7`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		var n whole
		var b truth
		if err := json.Unmarshal(data, &n); err != nil {
			t.Errorf("whole: %v", err)
		}
		if err := json.Unmarshal(data, &b); err != nil {
			t.Errorf("truth: %v", err)
		}
		var m moment
		if err := json.Unmarshal(data, &m); err != nil || !m.IsZero() && m.Year() <= 1900 {
			t.Errorf("%s is the time %v, %v", data, m, err)
		}
	})
}
