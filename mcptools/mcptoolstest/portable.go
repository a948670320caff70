package mcptoolstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// portableName is what MCP and the large model providers accept as the name of
// a tool or of an argument.
var portableName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// CheckPortable fails the test for everything about the tool that some model
// provider or MCP client is known to refuse. One such tool can cost a client
// the whole list.
//
//   - name, title and description are there, and the name is portable;
//   - all four annotations are stated, and read-only tools destroy nothing;
//   - both schemas are valid JSON Schema 2020-12 with an object at the root;
//   - they have no $ref, no lists of types, no true or false as a schema (but
//     additionalProperties:false), no oneOf, anyOf or allOf at the root;
//   - every list says what its items are, and every name of a property is
//     portable.
func CheckPortable(t testing.TB, tool mcptools.Tool) {
	t.Helper()
	spec := tool.Spec()
	for _, problem := range Problems(tool) {
		t.Errorf("%s: %s", spec.Name, problem)
	}
}

// Problems returns what [CheckPortable] would fail the test for.
func Problems(tool mcptools.Tool) []string {
	spec := tool.Spec()
	var problems []string
	if !portableName.MatchString(spec.Name) {
		problems = append(problems, "the name is not portable")
	}
	if strings.TrimSpace(spec.Title) == "" || strings.TrimSpace(spec.Description) == "" {
		problems = append(problems, "title or description is missing")
	}
	a := spec.Annotations()
	switch {
	case a.DestructiveHint == nil || a.OpenWorldHint == nil:
		problems = append(problems, "an annotation is missing")
	case a.ReadOnlyHint && *a.DestructiveHint:
		problems = append(problems, "it is read-only and destructive")
	}
	problems = append(problems, SchemaProblems("input", tool.InputSchema())...)
	return append(problems, SchemaProblems("output", tool.OutputSchema())...)
}

// SchemaProblems returns what keeps a schema from being portable. Each problem
// starts with the path to its place, which starts with name.
func SchemaProblems(name string, schema json.RawMessage) []string {
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		return []string{name + ": the schema is not a JSON object"}
	}
	c := &checker{}
	if root["type"] != "object" {
		c.problem(name, "the root is not an object")
	}
	if _, ok := root["properties"]; !ok {
		c.problem(name, "the root has no properties")
	}
	for _, keyword := range []string{"oneOf", "anyOf", "allOf"} {
		if _, ok := root[keyword]; ok {
			c.problem(name, "%s at the root", keyword)
		}
	}
	c.schema(name, root)
	compiler := validator.NewCompiler()
	compiler.Draft = validator.Draft2020
	compiler.LoadURL = nil // a $ref to elsewhere is a problem already
	if len(c.problems) > 0 {
		return c.problems
	}
	if err := compiler.AddResource("mem:schema", strings.NewReader(string(schema))); err != nil {
		c.problem(name, "%v", err)
	} else if _, err := compiler.Compile("mem:schema"); err != nil {
		c.problem(name, "%v", err)
	}
	return c.problems
}

type checker struct{ problems []string }

func (c *checker) problem(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

// schema checks one place and all below it, in a fixed order.
func (c *checker) schema(path string, v any) {
	s, ok := v.(map[string]any)
	if !ok {
		c.problem(path, "%v as a schema", v)
		return
	}
	if len(s) == 0 {
		c.problem(path, "an empty schema")
	}
	for _, keyword := range []string{"$ref", "$dynamicRef", "$defs", "definitions"} {
		if _, ok := s[keyword]; ok {
			c.problem(path, "%s", keyword)
		}
	}
	if types, ok := s["type"].([]any); ok {
		c.problem(path, "a list of types %v", types)
	}
	if s["type"] == "array" && s["items"] == nil {
		c.problem(path, "a list of what?")
	}
	for _, keyword := range slices.Sorted(maps.Keys(s)) {
		switch value := s[keyword]; keyword {
		case "properties":
			c.properties(path, value)
		case "additionalProperties":
			if value != false {
				c.schema(path+".*", value)
			}
		case "items", "not", "if", "then", "else", "contains", "propertyNames":
			c.schema(path+"."+keyword, value)
		case "oneOf", "anyOf", "allOf", "prefixItems":
			list, _ := value.([]any)
			for i, item := range list {
				c.schema(fmt.Sprintf("%s.%s[%d]", path, keyword, i), item)
			}
		}
	}
}

func (c *checker) properties(path string, v any) {
	properties, ok := v.(map[string]any)
	if !ok {
		c.problem(path, "properties are no object")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !portableName.MatchString(name) {
			c.problem(path, "%q is not a portable name", name)
		}
		c.schema(path+"."+name, properties[name])
	}
}
