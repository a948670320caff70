package project_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// TestReadmeSnippets holds every Go snippet of the README to code that is
// compiled with the tests.
func TestReadmeSnippets(t *testing.T) {
	compiled := squeeze(read(t, "example_test.go"))
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "../../README.md"), -1)
	if len(snippets) < 8 {
		t.Fatalf("found %d snippets", len(snippets))
	}
	for _, snippet := range snippets {
		if !strings.Contains(compiled, squeeze(snippet[1])) {
			t.Errorf("not in example_test.go:\n%s", snippet[1])
		}
	}
}

// TestReadmeTools holds the table of the README to the tools that there are.
func TestReadmeTools(t *testing.T) {
	const begin, end = "<!-- tools: generated; UPDATE_GOLDEN=1 go test ./internal/project -->\n", "<!-- end of tools -->"
	readme := read(t, "../../README.md")
	before, rest, ok1 := strings.Cut(readme, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("the README has no place for the tools")
	}
	want := before + begin + toolTable(t) + end + after
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile("../../README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if readme != want {
		t.Error("the table of tools is out of date; run UPDATE_GOLDEN=1 go test ./internal/project")
	}
}

func toolTable(t *testing.T) string {
	var b strings.Builder
	for _, system := range []struct {
		title string
		tools mcptools.Set
	}{{"Microsoft 365", microsoftTools(t)}, {"HaloPSA", haloTools(t)}} {
		toolset, tools := "", system.tools
		fmt.Fprintf(&b, "\n### %s\n", system.title)
		for tool := range tools.All() {
			spec := tool.Spec()
			if spec.Toolset != toolset {
				toolset = spec.Toolset
				fmt.Fprintf(&b, "\n**%s**\n\n| tool | what it does | effect and marks | scopes |\n|---|---|---|---|\n", toolset)
			}
			effect := spec.Effect.String()
			if marks := (spec.Marks &^ mcptools.Untrusted).String(); marks != "" {
				effect += ", " + strings.ReplaceAll(marks, ",", ", ")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", spec.Name, firstSentence(spec.Description), effect, strings.Join(spec.Scopes.Delegated, ", "))
		}
	}
	return b.String() + "\n"
}

func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i+1]
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

func microsoftTools(t *testing.T) mcptools.Set {
	client, err := graph.New(auth.Static(""), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return client.Tools()
}

func haloTools(t *testing.T) mcptools.Set {
	client, err := halopsa.New(auth.Static(""), halopsa.Options{URL: "https://psa.example"})
	if err != nil {
		t.Fatal(err)
	}
	return client.Tools()
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// squeeze drops indentation and line ends, which differ between a snippet and
// the body of a function.
func squeeze(code string) string { return strings.Join(strings.Fields(code), " ") }
