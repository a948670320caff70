package mcptools

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
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
	compile func() (*validator.Schema, error) // once, at the first use
}

// node is what mending needs to know of one place in a schema.
type node struct {
	kind      string // a JSON type, or "" for any
	fields    map[string]*node
	names     []string // of the fields, in the order of the struct
	required  []string
	items     *node
	enum      []string
	fallback  any // the default, as a tree
	maxLength int
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
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
		reflect.TypeFor[json.RawMessage](): {Description: "any JSON value"},
		reflect.TypeFor[any]():             {Description: "any JSON value"},
		reflect.TypeFor[[]byte]():          {Type: "string", ContentEncoding: "base64"},
	}})
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
		s.Properties[noticeField] = &jsonschema.Schema{Type: "string"}
		s.PropertyOrder = append(s.PropertyOrder, noticeField)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &schema{text: text, root: root, compile: sync.OnceValues(func() (*validator.Schema, error) { return compile(text) })}, nil
}

// compile builds the validator of a schema. It loads nothing from anywhere.
func compile(text json.RawMessage) (*validator.Schema, error) {
	c := validator.NewCompiler()
	c.Draft = validator.Draft2020
	c.AssertFormat = true
	c.LoadURL = nil
	if err := c.AddResource("tool.json", strings.NewReader(string(text))); err != nil {
		return nil, err
	}
	return c.Compile("tool.json")
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
	n := &node{kind: s.Type}
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
		return n, refineObject(s, t, input, n)
	case "string":
		n.maxLength = defaultMaxLength
	}
	return n, nil
}

func refineObject(s *jsonschema.Schema, t reflect.Type, input bool, n *node) error {
	if t.Kind() == reflect.Map {
		_, err := refine(s.AdditionalProperties, t.Elem(), input)
		return err
	}
	if !input {
		s.AdditionalProperties = nil
	}
	n.required = s.Required
	n.fields = make(map[string]*node, len(s.Properties))
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		property, ok := s.Properties[name]
		if !ok || field.Anonymous || !field.IsExported() || n.fields[name] != nil {
			continue
		}
		if !propertyName.MatchString(name) {
			return fmt.Errorf("field %s: %q is not a portable property name", field.Name, name)
		}
		child, err := refine(property, field.Type, input)
		if err == nil {
			err = applyTags(property, child, field)
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", field.Name, err)
		}
		n.fields[name] = child
		n.names = append(n.names, name)
	}
	return nil
}

// applyTags adds the tags that the package documentation lists.
func applyTags(s *jsonschema.Schema, n *node, field reflect.StructField) error {
	tag := field.Tag
	if v, ok := tag.Lookup("enum"); ok {
		target, at := s, n
		if s.Type == "array" {
			target, at = s.Items, n.items
		}
		if target.Type != "string" {
			return errors.New("enum needs a string")
		}
		at.enum = strings.Split(v, ",")
		for _, name := range at.enum {
			target.Enum = append(target.Enum, name)
		}
	}
	for name, target := range map[string]**float64{"minimum": &s.Minimum, "maximum": &s.Maximum} {
		if v, ok := tag.Lookup(name); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*target = &f
		}
	}
	for name, target := range map[string]**int{"minItems": &s.MinItems, "maxItems": &s.MaxItems, "maxLength": &s.MaxLength} {
		if v, ok := tag.Lookup(name); ok {
			i, err := strconv.Atoi(v)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*target = &i
		}
	}
	if s.MaxLength != nil {
		n.maxLength = *s.MaxLength
	}
	if v, ok := tag.Lookup("format"); ok {
		s.Format = v
	}
	return applyDefault(s, n, field)
}

func applyDefault(s *jsonschema.Schema, n *node, field reflect.StructField) error {
	v, ok := field.Tag.Lookup("default")
	if !ok {
		return nil
	}
	text := json.RawMessage(v)
	if s.Type == "string" {
		text, _ = json.Marshal(v) // a string always marshals
	}
	fallback, faults, err := parse(text)
	if err != nil || len(faults) > 0 {
		return fmt.Errorf("default %q is not JSON", v)
	}
	s.Default, n.fallback = text, fallback
	return nil
}
