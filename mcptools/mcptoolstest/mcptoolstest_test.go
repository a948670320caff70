package mcptoolstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/mcptools/mcptoolstest"
)

type inner struct {
	Tags   []string           `json:"tags"`
	Labels map[string][]int   `json:"labels,omitempty"`
	Any    any                `json:"any,omitempty"`
	Raw    json.RawMessage    `json:"raw,omitempty"`
	Number *float64           `json:"number,omitempty"`
	Bytes  []byte             `json:"bytes,omitempty"`
	Deep   map[string]*inner2 `json:"deep,omitempty"`
}

type inner2 struct {
	Names []*string `json:"names"`
}

type everything struct {
	inner
	List []inner `json:"list,omitempty"`
	One  *inner  `json:"one,omitempty" jsonschema:"what; who"`
	Mode string  `json:"mode,omitempty" enum:"a,b" default:"a"`
}

func tool(name, title string) mcptools.Tool {
	return mcptools.Define(mcptools.Spec{Name: name, Title: title, Toolset: "toy", Description: "Do it.", Scopes: mcptools.AllScopes("Mail.Read")},
		func(_ context.Context, in everything) (*everything, error) { return &in, nil })
}

// TestInferredSchemas: whatever type Define accepts has portable schemas.
func TestInferredSchemas(t *testing.T) {
	mcptoolstest.CheckPortable(t, tool("toy_everything", "Everything"))
	mcptoolstest.CheckPortable(t, mcptools.Define(mcptools.Spec{Name: "toy_nothing", Title: "Nothing", Toolset: "toy", Description: "Do nothing."},
		func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }))
	mcptoolstest.CheckPortable(t, mcptools.Define(mcptools.Spec{Name: "toy_page", Title: "Page", Toolset: "toy", Description: "List.", Marks: mcptools.Untrusted},
		func(context.Context, struct{}) (*mcptools.Page[inner], error) { return &mcptools.Page[inner]{}, nil }))
}

func TestSchemaProblems(t *testing.T) {
	for _, c := range []struct{ schema, want string }{
		{`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, ""},
		{`true`, "in: the schema is not a JSON object"},
		{`{"type":"array","items":{"type":"string"}}`, "in: the root is not an object; in: the root has no properties"},
		{`{"type":"object","properties":{},"anyOf":[{"required":["a"]}]}`, "in: anyOf at the root"},
		{`{"type":"object","properties":{"$top":{"type":"integer"}}}`, `in: "$top" is not a portable name`},
		{`{"type":"object","properties":{"a":{"type":["null","array"],"items":{"type":"string"}}}}`, "in.a: a list of types [null array]"},
		{`{"type":"object","properties":{"a":true}}`, "in.a: true as a schema"},
		{`{"type":"object","properties":{"a":{}}}`, "in.a: an empty schema"},
		{`{"type":"object","properties":{"a":{"type":"array"}}}`, "in.a: a list of what?"},
		{`{"type":"object","properties":{"a":{"type":"array","items":{"$ref":"#"}}}}`, "in.a.items: $ref"},
		{`{"type":"object","properties":{"a":{"type":"object","additionalProperties":true}}}`, "in.a.*: true as a schema"},
		{`{"type":"object","properties":{"a":{"oneOf":[{"type":"string"},false]}}}`, "in.a.oneOf[1]: false as a schema"},
		{`{"type":"object","properties":{"a":{"type":"text"}}}`, "in: jsonschema mem:schema compilation failed"},
	} {
		got := strings.Join(mcptoolstest.SchemaProblems("in", json.RawMessage(c.schema)), "; ")
		if got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s\n got %q\nwant %q", c.schema, got, c.want)
		}
	}
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed []string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Errorf(f string, a ...any) { r.failed = append(r.failed, fmt.Sprintf(f, a...)) }

func (r *recorder) take() string {
	all := strings.Join(r.failed, "\n")
	r.failed = nil
	return all
}

func TestGolden(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tools")
	set := mcptools.NewSet(tool("toy_a", "A"), tool("toy_b", "B"))
	r := &recorder{TB: t}
	wantFailure := func(want string) {
		t.Helper()
		if got := r.take(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("failed with %q, want %q", got, want)
		}
	}
	t.Setenv("UPDATE_GOLDEN", "")
	mcptoolstest.Golden(r, set, dir)
	wantFailure("UPDATE_GOLDEN=1")

	t.Setenv("UPDATE_GOLDEN", "1")
	mcptoolstest.Golden(r, set, dir)
	wantFailure("")
	t.Setenv("UPDATE_GOLDEN", "")
	mcptoolstest.Golden(r, set, dir)
	wantFailure("")

	mcptoolstest.Golden(r, mcptools.NewSet(tool("toy_a", "Other"), tool("toy_b", "B")), dir)
	wantFailure(`toy_a.json: the tool has "title": "Other", where the file has "title": "A",`)
	mcptoolstest.Golden(r, mcptools.NewSet(tool("toy_a", "A")), dir)
	wantFailure("toy_b.json belongs to no tool")

	t.Setenv("UPDATE_GOLDEN", "1")
	mcptoolstest.Golden(r, mcptools.NewSet(tool("toy_a", "A")), dir)
	wantFailure("")
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files (%v), want one", len(files), err)
	}
}

func ExampleProblems() {
	type input struct {
		Host string `json:"host" jsonschema:"machine name"`
	}
	ping := mcptools.Define(mcptools.Spec{
		Name: "net_ping", Title: "Ping a machine", Toolset: "net", Effect: mcptools.ReadOnly, Description: "Ping one machine.",
	}, func(_ context.Context, in input) (input, error) { return in, nil })
	fmt.Println(len(mcptoolstest.Problems(ping)), "problems")
	// Output: 0 problems
}
