package graph_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools/mcptoolstest"
)

// catalogueCalls use every tool with every argument.
func catalogueCalls() []catalogtest.Call {
	return slices.Concat(directoryCalls(), calendarCalls(), mailCalls())
}

// TestCatalogue calls every tool with every argument over MCP.
func TestCatalogue(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	catalogtest.Run(t, s.tools, catalogueCalls(), catalogtest.Options{After: func(t *testing.T, _ string) {
		t.Helper()
		for _, v := range s.fake.Violations() {
			t.Errorf("violation: %s", v)
		}
		s.fake.ResetRecord()
	}})
}

// TestGolden pins what models, clients and policies see of each tool.
func TestGolden(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for tool := range s.tools.All() {
		mcptoolstest.CheckPortable(t, tool)
	}
	mcptoolstest.Golden(t, s.tools, "testdata/tools")
}

// What tools may cost, in bytes of name, description and arguments. A tool
// without an entry is a small one.
const smallTool = 620

func budgets() map[string]int {
	return map[string]int{
		"m365_mail_search": 800, "m365_mail_send": 1100, "m365_mail_reply": 1000, "m365_mail_draft": 1050,
		"m365_mail_rule_edit": 1250, "m365_mailbox_settings_edit": 1000,
		"m365_cal_view": 750, "m365_cal_create": 1150, "m365_cal_update": 1050, "m365_cal_find_times": 780, "m365_cal_free_busy": 680, "m365_cal_respond": 700,
		"m365_search": 680, "m365_users_find": 680,
	}
}

func TestCosts(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	user, ok := graph.Preset("user")
	if !ok {
		t.Fatal("no preset user")
	}
	total, preset, results := 0, 0, 0
	for tool := range s.tools.All() {
		spec := tool.Spec()
		limit, ok := budgets()[spec.Name]
		if !ok {
			limit = smallTool
		}
		if tool.Cost() > limit {
			t.Errorf("%s costs %d bytes, more than %d", spec.Name, tool.Cost(), limit)
		}
		if len(spec.Description) > 160 {
			t.Errorf("%s: its description has %d characters", spec.Name, len(spec.Description))
		}
		total, results = total+tool.Cost(), results+len(tool.OutputSchema())
		if user(spec) {
			preset += tool.Cost()
		}
	}
	if preset > 12<<10 || total > 24<<10 || results > 800*s.tools.Len() {
		t.Errorf("the preset user costs %d bytes, all tools %d, an output schema %d on average", preset, total, results/s.tools.Len())
	}
}

// A typed caller who leaves a field out gets what a caller of the tool gets,
// whose schema fills in defaults.
func TestDefaultsAreTheSame(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	ctx := t.Context()
	from, to := time.Now().AddDate(0, 0, -28).Format(time.DateOnly), time.Now().AddDate(0, 0, 28).Format(time.DateOnly)
	for tool, typed := range map[string]func() (any, error){
		"m365_cal_view":    func() (any, error) { return s.client.ViewCalendar(ctx, graph.ViewCalendarInput{Start: from, End: to}) },
		"m365_cal_rooms":   func() (any, error) { return s.client.ListRooms(ctx, graph.ListRoomsInput{}) },
		"m365_users_find":  func() (any, error) { return s.client.FindUsers(ctx, graph.FindUsersInput{}) },
		"m365_groups_find": func() (any, error) { return s.client.FindGroups(ctx, graph.FindGroupsInput{}) },
		"m365_people_find": func() (any, error) { return s.client.FindPeople(ctx, graph.FindPeopleInput{Query: "a"}) },
		"m365_search":      func() (any, error) { return s.client.Search(ctx, graph.SearchInput{Query: "a*"}) },
		"m365_cal_find_times": func() (any, error) {
			return s.client.FindMeetingTimes(ctx, graph.FindTimesInput{People: []string{tom}, Start: "today"})
		},
		"m365_group_get": func() (any, error) {
			return s.client.GetGroup(ctx, graph.GetGroupInput{Group: "All Staff", Members: true})
		},
	} {
		out, err := typed()
		if err != nil {
			t.Errorf("%s: %v", tool, err)
			continue
		}
		text, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		a := map[string]args{
			"m365_cal_view": {"start": from, "end": to}, "m365_people_find": {"query": "a"}, "m365_search": {"query": "a*"},
			"m365_cal_find_times": {"people": []any{tom}, "start": "today"}, "m365_group_get": {"group": "All Staff", "members": true},
		}[tool]
		got := s.call(t, tool, a)
		delete(got, "notice")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: typed %v, as a tool %v", tool, want, got)
		}
	}
}
