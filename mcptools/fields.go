package mcptools

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// refineObject refines the fields of a struct.
func refineObject(s *jsonschema.Schema, t reflect.Type, input bool, n *node) error {
	if !input {
		s.AdditionalProperties = nil
	}
	n.fields = make(map[string]*node, len(s.Properties))
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		property, ok := s.Properties[name]
		if !ok || field.Anonymous || !field.IsExported() || n.fields[name] != nil {
			continue
		}
		child, err := refineField(property, name, options, field, input)
		if err != nil {
			return fmt.Errorf("field %s: %w", field.Name, err)
		}
		child.required = slices.Contains(s.Required, name)
		n.fields[name] = child
		n.names = append(n.names, name)
	}
	n.valid = "valid are " + strings.Join(n.names, ", ")
	if len(n.names) == 0 {
		n.valid = "there are none"
	}
	return nil
}

func refineField(s *jsonschema.Schema, name, options string, field reflect.StructField, input bool) (*node, error) {
	optional := strings.Contains(options, "omit")
	switch {
	case !propertyName.MatchString(name):
		return nil, fmt.Errorf("%q is not a portable property name", name)
	case slices.Contains(strings.Split(options, ","), "string"):
		return nil, errors.New("the json option string contradicts the schema")
	case !input && !optional && field.Type.Kind() == reflect.Pointer:
		return nil, errors.New("a pointer in a result needs omitempty: null would break the schema")
	}
	n, err := refine(s, field.Type, input)
	if err != nil {
		return nil, err
	}
	return n, applyTags(s, n, field.Tag)
}

// applyTags adds the tags that the package documentation lists.
func applyTags(s *jsonschema.Schema, n *node, tag reflect.StructTag) error {
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
			if err != nil || s.Type != "integer" && s.Type != "number" {
				return fmt.Errorf("%s:%q needs a number", name, v)
			}
			*target = &f
		}
	}
	for _, bound := range []struct {
		name, kind string
		target     **int
	}{{"minItems", "array", &s.MinItems}, {"maxItems", "array", &s.MaxItems}, {"maxLength", "string", &s.MaxLength}} {
		if v, ok := tag.Lookup(bound.name); ok {
			i, err := strconv.Atoi(v)
			if err != nil || i < 0 || s.Type != bound.kind {
				return fmt.Errorf("%s:%q needs a whole number and a type %s", bound.name, v, bound.kind)
			}
			*bound.target = &i
		}
	}
	if s.MaxLength != nil {
		n.maxLength = *s.MaxLength
	}
	if v, ok := tag.Lookup("format"); ok {
		s.Format = v
	}
	if v, ok := tag.Lookup("default"); ok {
		return applyDefault(s, n, v)
	}
	return nil
}

// applyDefault adds a default.
func applyDefault(s *jsonschema.Schema, n *node, text string) error {
	raw := json.RawMessage(text)
	if s.Type == "string" {
		raw, _ = json.Marshal(text) // a string always marshals
	}
	fallback, faults, err := parse(raw)
	if err != nil || len(faults) > 0 || !fits(s, n, fallback) {
		return fmt.Errorf("default:%q does not fit the field", text)
	}
	s.Default, n.fallback = raw, fallback
	return nil
}

// fits reports whether a default fits its field: a wrong one would be blamed on
// the callers who leave the field out. It is far cheaper than to compile the
// schema, which is left to the first call.
func fits(s *jsonschema.Schema, n *node, fallback any) bool {
	switch v := fallback.(type) {
	case string:
		return s.Type == "string" && len(v) <= n.maxLength && (n.enum == nil || slices.Contains(n.enum, v))
	case json.Number:
		f, err := v.Float64()
		whole := !strings.ContainsAny(string(v), ".eE")
		return err == nil && (s.Type == "number" || s.Type == "integer" && whole) &&
			(s.Minimum == nil || f >= *s.Minimum) && (s.Maximum == nil || f <= *s.Maximum)
	case bool:
		return s.Type == "boolean"
	case []any:
		return s.Type == "array"
	case map[string]any:
		return s.Type == "object"
	}
	return false
}
