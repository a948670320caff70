package mcptoolstest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// golden is what a golden file holds: all that models, clients and policies see
// of a tool.
type golden struct {
	Name         string               `json:"name"`
	Title        string               `json:"title"`
	Description  string               `json:"description"`
	Toolset      string               `json:"toolset"`
	Effect       string               `json:"effect"`
	Marks        string               `json:"marks,omitempty"`
	Scopes       scopes               `json:"scopes"`
	Annotations  *mcp.ToolAnnotations `json:"annotations"`
	InputSchema  json.RawMessage      `json:"inputSchema"`
	OutputSchema json.RawMessage      `json:"outputSchema"`
}

type scopes struct {
	Delegated   []string `json:"delegated"`
	Application []string `json:"application"`
}

// Golden compares each tool of the set to the file dir/<name>.json. A difference,
// a missing file and a file without a tool fail the test. With the environment
// variable UPDATE_GOLDEN=1 it writes the files, and removes those without a tool,
// instead; review the change as any other.
func Golden(t testing.TB, set mcptools.Set, dir string) {
	t.Helper()
	update := os.Getenv("UPDATE_GOLDEN") == "1"
	if update {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for tool := range set.All() {
		file := filepath.Join(dir, tool.Spec().Name+".json")
		want, err := describe(tool)
		if err != nil {
			t.Fatal(err)
		}
		if update {
			if err := os.WriteFile(file, want, 0o600); err != nil {
				t.Error(err)
			}
			continue
		}
		have, err := os.ReadFile(file) //nolint:gosec // the name of a tool has no separator
		switch {
		case err != nil:
			t.Errorf("%v; run the test with UPDATE_GOLDEN=1", err)
		case !bytes.Equal(bytes.ReplaceAll(have, []byte("\r\n"), []byte("\n")), want):
			t.Errorf("%s: %s; if that is meant, run the test with UPDATE_GOLDEN=1", file, difference(have, want))
		}
	}
	leftovers(t, set, dir, update)
}

// leftovers finds the files of tools that are gone.
func leftovers(t testing.TB, set mcptools.Set, dir string, remove bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := set.Tool(strings.TrimSuffix(filepath.Base(file), ".json")); ok {
			continue
		}
		if !remove {
			t.Errorf("%s belongs to no tool; run the test with UPDATE_GOLDEN=1", file)
		} else if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
}

func describe(tool mcptools.Tool) ([]byte, error) {
	spec := tool.Spec()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(golden{
		Name: spec.Name, Title: spec.Title, Description: spec.Description,
		Toolset: spec.Toolset, Effect: spec.Effect.String(), Marks: spec.Marks.String(),
		Scopes:      scopes{Delegated: spec.Scopes.Delegated, Application: spec.Scopes.Application},
		Annotations: spec.Annotations(),
		InputSchema: tool.InputSchema(), OutputSchema: tool.OutputSchema(),
	})
	return b.Bytes(), err
}

// difference names the first line that differs.
func difference(have, want []byte) string {
	is, was := strings.Split(string(want), "\n"), strings.Split(string(have), "\n")
	for i, line := range is {
		if i >= len(was) {
			return "the tool has more: " + strings.TrimSpace(line)
		}
		if strings.TrimSuffix(was[i], "\r") != line {
			return "the tool has " + strings.TrimSpace(line) + " where the file has " + strings.TrimSpace(was[i])
		}
	}
	return "the file has more than the tool"
}
