package graph_test

import (
	"slices"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// TestCatalogue calls every tool with every argument over MCP.
func TestCatalogue(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	calls := slices.Concat(directoryCalls(), calendarCalls())
	catalogtest.Run(t, s.tools.Keep(mcptools.Not(mcptools.Toolsets("mail"))), calls, catalogtest.Options{After: func(t *testing.T, _ string) {
		t.Helper()
		for _, v := range s.fake.Violations() {
			t.Errorf("violation: %s", v)
		}
		s.fake.ResetRecord()
	}})
}
