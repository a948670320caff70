package graph_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestWhoAmI(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	got := s.call(t, "m365_whoami", args{})
	if got["account"] != sam || got["name"] != "Sam Okafor" || got["sign_in"] != "user" || got["tenant_id"] != graphtest.TenantID || got["time_zone"] != "Europe/Berlin" {
		t.Errorf("signed in is %v", got)
	}
	text, _ := got["now"].(string)
	if now, err := time.Parse("Monday 2006-01-02T15:04Z07:00", text); err != nil || time.Since(now) > 5*time.Minute {
		t.Errorf("now is %q, %v", text, err)
	}
	if !slices.Contains(asList(got["permissions"]), any("Mail.Send")) {
		t.Errorf("permissions %v", got["permissions"])
	}
}

func TestWhoAmINamesWhatIsMissing(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.signInWith(t, "User.Read", "Calendars.ReadWrite", "Mail.Read")
	got := s.call(t, "m365_whoami", args{})
	lacking := strings.Join(texts(got["lacking"]), "\n")
	for _, want := range []string{"m365_mail_send: Mail.Send", "m365_users_find: User.Read.All", "m365_people_find: People.Read, User.ReadBasic.All"} {
		if !strings.Contains(lacking, want) {
			t.Errorf("lacking does not say %q: %s", want, lacking)
		}
	}
	for _, tool := range []string{"m365_cal_view:", "m365_cal_create:", "m365_mail_search:", "m365_whoami:"} {
		if strings.Contains(lacking, tool) {
			t.Errorf("%s is said to lack a permission: %s", tool, lacking)
		}
	}
}

func TestWhoAmIForApplication(t *testing.T) {
	s := newAppSuite(t, graphtest.Options{})
	got := s.call(t, "m365_whoami", args{})
	if got["sign_in"] != "application" || got["account"] != graphtest.ClientID || got["tenant"] == nil || got["domain"] != "nordlicht.example" {
		t.Errorf("signed in is %v", got)
	}
	if unusable := texts(got["unusable"]); !slices.Equal(unusable, []string{"m365_cal_find_times"}) {
		t.Errorf("unusable are %v", unusable)
	}
}

// Who has signed in is known from /me; what fails besides is told beside it.
func TestWhoAmIWithoutTheTenant(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.Faults().Next(9, "GET", "/organization", graphtest.Answer{Status: 404})
	if got := s.call(t, "m365_whoami", args{}); got["account"] == nil || got["problem"] == nil {
		t.Errorf("signed in is %v", got)
	}
	app := newAppSuite(t, graphtest.Options{})
	app.fake.Faults().Next(9, "GET", "/organization", graphtest.Answer{Drop: graphtest.DropBefore})
	if e := app.fails(t, mcptools.CodeUnavailable, "m365_whoami", args{}); !e.Retryable() {
		t.Error(e)
	}
	s.fake.Faults().Next(9, "GET", "/organization", graphtest.Answer{Drop: graphtest.DropBefore})
	if got := s.call(t, "m365_whoami", args{}); got["account"] == nil || got["problem"] == nil {
		t.Errorf("signed in is %v", got)
	}
}

func TestSearch(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	rows := items(s.call(t, "m365_search", args{"query": "printer", "types": []any{"mail", "event"}}))
	if len(rows) == 0 || rows[0]["type"] != "mail" || rows[0]["title"] == "" || rows[0]["who"] == nil || rows[0]["time"] == nil {
		t.Errorf("found %v", rows)
	}
	rows = items(s.call(t, "m365_search", args{"query": "anna", "types": []any{"mail", "event", "person"}, "limit": 3}))
	var types []any
	for _, row := range rows {
		types = append(types, row["type"])
		if row["link"] != nil { // long, and the id does
			t.Errorf("%v has the link %v", row["type"], row["link"])
		}
	}
	if !slices.Equal(types, []any{"mail", "event", "person"}) {
		t.Errorf("by rank, found %v", types)
	}
}

func TestSearchGoesOn(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	seen := map[any]bool{}
	a := args{"query": "a*", "types": []any{"mail", "event", "person"}, "limit": 2}
	whole := items(s.call(t, "m365_search", args{"query": "a*", "types": a["types"], "limit": 25}))
	var rows []map[string]any
	for range 40 {
		page := s.call(t, "m365_search", a)
		rows = append(rows, items(page)...)
		if a["cursor"] = page["cursor"]; a["cursor"] == nil || len(rows) >= 24 {
			break
		}
	}
	for i, row := range rows {
		if seen[row["id"]] {
			t.Errorf("%v came twice", row["id"])
		}
		seen[row["id"]] = true
		if i < 6 && row["id"] != whole[i]["id"] {
			t.Errorf("row %d is %v, want %v", i, row, whole[i])
		}
	}
}

// A type that may not be searched does not spoil the others.
func TestSearchInPart(t *testing.T) {
	s := newSuite(t, graphtest.Options{Deny: []string{"Mail.Read", "Mail.ReadWrite"}})
	result := s.call(t, "m365_search", args{"query": "stand-up", "types": []any{"mail", "event"}})
	if problem, _ := result["problem"].(string); len(items(result)) == 0 || !strings.Contains(problem, "mail") {
		t.Errorf("got %v", result)
	}
	s.fails(t, mcptools.CodePermissionDenied, "m365_search", args{"query": "stand-up", "types": []any{"mail"}})
}

func TestSearchForApplication(t *testing.T) {
	s := newAppSuite(t, graphtest.Options{})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_search", args{"query": "hall"})
	s.fails(t, mcptools.CodeNotSupported, "m365_search", args{"query": "hall", "region": "EUR", "types": []any{"mail"}})
	s.call(t, "m365_search", args{"query": "hall", "region": "EUR"})
}

func TestFreeTime(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	made := s.call(t, "m365_cal_create", args{"subject": "Taken", "start": "2027-05-04T10:00", "end": "1h", "attendees": []any{tom}, "time_zone": "Europe/Berlin"})
	if made["ignored"] != nil {
		t.Fatal(made)
	}
	result := s.call(t, "m365_cal_free_busy", args{
		"people": []any{"me", tom, "nobody@nordlicht.example"}, "start": "2027-05-04", "end": "2027-05-04", "time_zone": "Europe/Berlin",
	})
	for _, person := range asList(result["people"])[:2] {
		row, _ := person.(map[string]any)
		busy := asList(row["busy"])
		first := map[string]any{"start": "2027-05-04T10:00+02:00", "end": "2027-05-04T11:00+02:00", "status": "busy"}
		if !slices.ContainsFunc(busy, func(b any) bool {
			slot, _ := b.(map[string]any)
			return slot["start"] == first["start"] && slot["end"] == first["end"] && slot["status"] == first["status"]
		}) {
			t.Errorf("%v is busy %v", row["address"], busy)
		}
	}
	last, _ := asList(result["people"])[2].(map[string]any)
	if problem, _ := last["problem"].(string); !strings.Contains(problem, "m365_people_find") {
		t.Errorf("nobody: %v", last)
	}
	if free := asList(result["all_free"]); len(free) < 2 {
		t.Errorf("free together: %v", free)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_free_busy", args{"people": []any{"Tom"}})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_cal_free_busy", args{"people": []any{tom}, "end": "+90d"})
}

// Exchange takes 20 schedules at once.
func TestFreeTimeOfMany(t *testing.T) {
	s := newAppSuite(t, graphtest.Options{})
	people := []any{}
	for _, row := range items(s.call(t, "m365_users_find", args{"limit": 50})) {
		people = append(people, row["username"])
	}
	for len(people) < 45 {
		people = append(people, "p"+strings.Repeat("x", len(people))+"@other.example")
	}
	s.fake.ResetRecord()
	result := s.call(t, "m365_cal_free_busy", args{"people": people, "start": "today"})
	if got := asList(result["people"]); len(got) != len(people) {
		t.Errorf("%d of %d people", len(got), len(people))
	}
	if posts := len(slices.DeleteFunc(s.paths(), func(p string) bool { return !strings.HasPrefix(p, "POST") })); posts != 3 {
		t.Errorf("%d requests", posts)
	}
	if size := len(marshal(t, result)); size > 20_000 {
		t.Errorf("the result has %d bytes", size)
	}
}

func texts(value any) []string {
	var list []string
	for _, item := range asList(value) {
		text, _ := item.(string)
		list = append(list, text)
	}
	return list
}

// An opaque token tells nothing, and everything still works.
func TestOpaqueToken(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.violations = true
	s.signIn(t, "opaque", graph.Options{})
	s.fails(t, mcptools.CodeUnauthenticated, "m365_whoami", args{})
}
