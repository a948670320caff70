package graph

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// Hits in the form of https://learn.microsoft.com/graph/api/search-query,
// shortened.
func TestSearchRow(t *testing.T) {
	zone := berlin(t)
	tests := []struct {
		hit  string
		want SearchRow
	}{
		{
			`{"hitId":"01ABC","rank":1,"summary":"the <c0>contoso</c0> plan<ddd/>and more","resource":{"@odata.type":"#microsoft.graph.driveItem","id":"01ABC","name":"Plan.docx",
				"webUrl":"https://nordlicht.example/Plan.docx","lastModifiedDateTime":"2027-01-05T12:00:00Z","lastModifiedBy":{"user":{"displayName":"Nina Hoffmann"}}}}`,
			SearchRow{Type: "file", ID: "01ABC", Title: "Plan.docx", Snippet: "the contoso plan … and more", Who: "Nina Hoffmann", Time: "2027-01-05T13:00+01:00", Link: "https://nordlicht.example/Plan.docx"},
		},
		{
			`{"hitId":"nordlicht.example,1,2","resource":{"@odata.type":"#microsoft.graph.site","displayName":"Projects","webUrl":"https://nordlicht.example/sites/projects"}}`,
			SearchRow{Type: "site", ID: "nordlicht.example,1,2", Title: "Projects", Link: "https://nordlicht.example/sites/projects"},
		},
		{
			`{"hitId":"7","resource":{"@odata.type":"#microsoft.graph.listItem","id":"7","webUrl":"https://nordlicht.example/lists/Assets/7_.000"}}`,
			SearchRow{Type: "list_item", ID: "7", Title: "7_.000", Link: "https://nordlicht.example/lists/Assets/7_.000"},
		},
		{
			`{"hitId":"16","summary":"<c0>VPN</c0> is down","resource":{"@odata.type":"#microsoft.graph.chatMessage","id":"16","createdDateTime":"2027-07-05T12:00:00Z",
				"from":{"emailAddress":{"name":"Elif Demir","address":"elif.demir@nordlicht.example"}},"webLink":"https://teams.example/l/16"}}`,
			SearchRow{Type: "chat", ID: "16", Title: "message", Snippet: "VPN is down", Who: "Elif Demir <elif.demir@nordlicht.example>", Time: "2027-07-05T14:00+02:00", Link: "https://teams.example/l/16"},
		},
		{
			`{"hitId":"p1","resource":{"@odata.type":"#microsoft.graph.person","displayName":"Anna Berg","jobTitle":"IT Lead","scoredEmailAddresses":[{"address":"anna.berg@hafenlogistik.example"}]}}`,
			SearchRow{Type: "person", ID: "p1", Title: "Anna Berg", Snippet: "IT Lead", Who: "anna.berg@hafenlogistik.example"},
		},
		{
			`{"hitId":"e1","resource":{"@odata.type":"#microsoft.graph.event","subject":"Day off","isAllDay":true,"start":{"dateTime":"2027-07-04T22:00:00.0000000","timeZone":"UTC"}}}`,
			SearchRow{Type: "event", ID: "e1", Title: "Day off", Time: "2027-07-05"},
		},
		{
			`{"hitId":"e2","resource":{"@odata.type":"#microsoft.graph.event","subject":"Day off","isAllDay":true,"start":{"dateTime":"2027-07-05T00:00:00.0000000","timeZone":"UTC"}}}`,
			SearchRow{Type: "event", ID: "e2", Title: "Day off", Time: "2027-07-05"},
		},
		{`{"hitId":"x","resource":{"@odata.type":"#microsoft.graph.acronym","displayName":"ABC"}}`, SearchRow{Type: "other", ID: "x", Title: "ABC"}},
		{`{"hitId":"x","resource":[1]}`, SearchRow{Type: "other", ID: "x", Title: "(unreadable)"}},
		{`{"hitId":"x"}`, SearchRow{Type: "other", ID: "x", Title: "(unreadable)"}},
	}
	for _, tt := range tests {
		var hit searchHit
		if err := json.Unmarshal([]byte(tt.hit), &hit); err != nil {
			t.Fatal(err)
		}
		if got := searchRow(hit, zone); got != tt.want {
			t.Errorf("got  %+v\nwant %+v", got, tt.want)
		}
	}
}

func TestCovers(t *testing.T) {
	granted := []string{"Mail.ReadWrite", "Calendars.Read.Shared", "Directory.Read.All", "User.Read"}
	for wanted, want := range map[string]bool{
		"Mail.Read": true, "Mail.ReadBasic": true, "Mail.ReadWrite": true, "Mail.Send": false, "Mail.ReadWrite.Shared": false,
		"Calendars.Read": true, "Calendars.ReadBasic": true, "Calendars.ReadWrite": false, "Calendars.Read.Shared": true,
		"User.Read.All": true, "User.ReadBasic.All": true, "User.ReadWrite.All": false, "GroupMember.Read.All": true, "Organization.Read.All": true,
		"AuditLog.Read.All": false, "Place.Read.All": false, "People.Read": false, "": false,
	} {
		if got := covers(granted, wanted); got != want {
			t.Errorf("%s is covered: %v", wanted, got)
		}
	}
}

// What a series of spans has and lacks adds up to the whole, whatever they are.
func FuzzSpans(f *testing.F) {
	f.Add([]byte{1, 5, 3, 9, 20, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		origin := time.Date(2027, 3, 28, 0, 0, 0, 0, time.UTC)
		at := func(hours byte) time.Time { return origin.Add(time.Duration(hours) * time.Hour) }
		var spans []span
		for pair := range slices.Chunk(data, 2) {
			if len(pair) == 2 {
				spans = append(spans, span{at(pair[0]), at(pair[0]).Add(time.Duration(pair[1]%48) * time.Hour), "busy"})
			}
		}
		whole := []span{{start: at(10), end: at(200)}}
		busy := within(merged(spans), whole)
		free := without(whole, busy)
		var sum time.Duration
		for _, s := range slices.Concat(busy, free) {
			if !s.end.After(s.start) {
				t.Fatalf("empty span in %v, %v", busy, free)
			}
			sum += s.end.Sub(s.start)
		}
		if sum != 190*time.Hour || len(within(busy, free)) > 0 {
			t.Fatalf("%v of 190h in %v and %v", sum, busy, free)
		}
	})
}

func TestKeywordsCannotLeaveTheirQuotation(t *testing.T) {
	for _, text := range []string{`" OR "displayName:x`, `\" OR 1`, "a\"b", "  two   words "} {
		got := searchWords(text, "displayName")
		if inner := strings.Count(got, `"`); inner%2 != 0 || strings.Contains(got, `\`) || strings.Contains(got, `""`) {
			t.Errorf("%q became %s", text, got)
		}
	}
}
