package mcptools

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v5"
)

// defaultMaxLength bounds every string argument that states no bound, so that
// a megabyte in a search box never reaches the network.
const defaultMaxLength = 64 << 10

// schema is one side of a tool: how its values are described, mended and
// validated.
type schema struct {
	text    json.RawMessage
	root    *node
	compile func() (*judge, error) // once, at the first use
}

// node is what mending needs to know of one place in a schema.
type node struct {
	kind      string           // a JSON type, or "" for any
	fields    map[string]*node // of a struct
	names     []string         // of the fields, in the order of the struct
	valid     string           // the names, for people
	values    *node            // of a map
	items     *node            // of a list
	enum      []string
	fallback  any // the default, as a tree
	maxLength int
	required  bool
	bytes     bool // in base64
}

// field returns what is wanted of the named field or entry, nil when anything is.
func (n *node) field(name string) *node {
	switch {
	case n == nil:
		return nil
	case n.values != nil:
		return n.values
	}
	return n.fields[name]
}

// item returns what is wanted of the items of a list, nil when anything is.
func (n *node) item() *node {
	if n == nil {
		return nil
	}
	return n.items
}

// propertyName is what every model provider accepts as the name of a property.
var propertyName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// infer derives the schema of t. Inputs are closed: an unknown argument is a
// mistake of the caller. Outputs are open: a new field breaks nobody.
func infer(t reflect.Type, input, untrusted bool) (*schema, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: typeSchemas()})
	if err != nil {
		return nil, err
	}
	root, err := refine(s, t, input)
	if err != nil {
		return nil, err
	}
	if s.Properties == nil {
		s.Properties = map[string]*jsonschema.Schema{}
	}
	if untrusted {
		if s.Properties[noticeField] != nil {
			return nil, fmt.Errorf("the field %q is taken by the notice of untrusted tools", noticeField)
		}
		s.Properties[noticeField] = &jsonschema.Schema{Type: "string"}
		s.PropertyOrder = append(s.PropertyOrder, noticeField)
	}
	text, err := appendSchema(nil, s)
	if err != nil {
		return nil, err
	}
	return &schema{text: text, root: root, compile: sync.OnceValues(func() (*judge, error) { return compile(text) })}, nil
}

// typeSchemas are the types whose inferred schemas would be wrong.
func typeSchemas() map[reflect.Type]*jsonschema.Schema {
	return map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
		reflect.TypeFor[json.RawMessage](): {Description: "any JSON value"},
		reflect.TypeFor[any]():             {Description: "any JSON value"},
		reflect.TypeFor[json.Number]():     {Type: "number"},
		reflect.TypeFor[[]byte]():          {Type: "string", ContentEncoding: "base64"},
	}
}

// compile builds the judge of a schema. It loads nothing from anywhere.
func compile(text json.RawMessage) (*judge, error) {
	c := validator.NewCompiler()
	c.Draft = validator.Draft2020
	c.AssertFormat = true
	c.AssertContent = true
	c.LoadURL = nil
	if err := c.AddResource("mem:tool", strings.NewReader(`{"properties":{"blank":{},"tool":`+string(text)+`}}`)); err != nil {
		return nil, err
	}
	s, err := c.Compile("mem:tool")
	if err != nil {
		return nil, err
	}
	return newJudge(s.Properties["tool"], s.Properties["blank"]), nil
}

// refine makes an inferred schema portable (no type arrays) and adds what the
// field tags say.
func refine(s *jsonschema.Schema, t reflect.Type, input bool) (*node, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Duration]() {
		return nil, errors.New("a time.Duration has no unit in JSON; take a string or a number that names its unit")
	}
	if len(s.Types) > 0 {
		s.Types = slices.DeleteFunc(s.Types, func(name string) bool { return name == "null" })
		if len(s.Types) != 1 {
			return nil, fmt.Errorf("%s has more than one JSON type", t)
		}
		s.Type, s.Types = s.Types[0], nil
	}
	n := &node{kind: s.Type, bytes: t == reflect.TypeFor[[]byte]()}
	switch s.Type {
	case "array":
		if s.Items == nil {
			return nil, fmt.Errorf("%s: an array of what?", t)
		}
		items, err := refine(s.Items, t.Elem(), input)
		if err != nil {
			return nil, err
		}
		n.items = items
	case "object":
		if t.Kind() == reflect.Map {
			values, err := refine(s.AdditionalProperties, t.Elem(), input)
			n.values = values
			return n, err
		}
		return n, refineObject(s, t, input, n)
	case "string":
		n.maxLength = defaultMaxLength
	}
	return n, nil
}
