package graph_test

import (
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestPeopleFind(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	tests := []struct{ query, address, why string }{
		{"tom", "tom.lindqvist@nordlicht.example", "directory, relevant to you"},
		{"Lindqvist Tom", "tom.lindqvist@nordlicht.example", ""},
		{"jana.pet", "jana.petersen@nordlicht.example", ""},
		{"anna.berg@hafen", "anna.berg@hafenlogistik.example", ""},
		{`Berg" OR "displayName:x`, "", ""},
	}
	for _, tt := range tests {
		rows := items(s.call(t, "m365_people_find", args{"query": tt.query, "limit": 3}))
		if tt.address == "" {
			if len(rows) > 0 {
				t.Errorf("%q found %v", tt.query, rows)
			}
			continue
		}
		if len(rows) == 0 || rows[0]["address"] != tt.address || tt.why != "" && rows[0]["why"] != tt.why {
			t.Errorf("%q found %v, want %s (%s)", tt.query, rows, tt.address, tt.why)
		}
		seen := map[any]bool{}
		for _, row := range rows {
			if seen[row["address"]] {
				t.Errorf("%q found %v twice", tt.query, row["address"])
			}
			seen[row["address"]] = true
		}
	}
}

func TestPeopleFindForApplication(t *testing.T) {
	s := newAppSuite(t, graphtest.Options{})
	rows := items(s.call(t, "m365_people_find", args{"query": "Priya"}))
	if len(rows) != 1 || rows[0]["address"] != "priya.nair@nordlicht.example" || rows[0]["why"] != "directory" {
		t.Errorf("found %v", rows)
	}
	for _, path := range s.paths() {
		if strings.HasPrefix(path, "GET /me") {
			t.Errorf("an application asked for %s", path)
		}
	}
}

// Where one source may not be read, the other still answers, and says so.
func TestPeopleFindInPart(t *testing.T) {
	s := newSuite(t, graphtest.Options{Deny: []string{"People.Read"}})
	result := s.call(t, "m365_people_find", args{"query": "tom"})
	if problem, _ := result["problem"].(string); len(items(result)) == 0 || !strings.Contains(problem, "People.Read") {
		t.Errorf("got %v", result)
	}
	s = newSuite(t, graphtest.Options{})
	s.signInWith(t, "Mail.Read")
	s.fails(t, mcptools.CodePermissionDenied, "m365_people_find", args{"query": "tom"})
}
