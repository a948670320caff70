package graph_test

import (
	"slices"
	"testing"

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
		"m365_search": 680,
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
