package graph_test

import (
	"slices"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
)

// TestCatalogue calls every tool with every argument over MCP.
func TestCatalogue(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	calls := slices.Concat(directoryCalls(), calendarCalls(), mailCalls())
	catalogtest.Run(t, s.tools, calls, catalogtest.Options{After: func(t *testing.T, _ string) {
		t.Helper()
		for _, v := range s.fake.Violations() {
			t.Errorf("violation: %s", v)
		}
		s.fake.ResetRecord()
	}})
}
