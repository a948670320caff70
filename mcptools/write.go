package mcptools

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"
)

// appendSchema writes a refined schema. json.Marshal would write the same, in
// four times the time, which adds up in the start of a server with many tools.
func appendSchema(b []byte, s *jsonschema.Schema) ([]byte, error) {
	w := schemaWriter{b: append(b, '{')}
	if s.Type != "" {
		w.member("type", s.Type)
	}
	w.properties(s)
	if s.Items != nil {
		w.schema("items", s.Items)
	}
	if s.Description != "" {
		w.member("description", s.Description)
	}
	if s.Default != nil {
		w.member("default", s.Default)
	}
	if s.Enum != nil {
		w.member("enum", s.Enum)
	}
	if s.Format != "" {
		w.member("format", s.Format)
	}
	if s.ContentEncoding != "" {
		w.member("contentEncoding", s.ContentEncoding)
	}
	w.float("minimum", s.Minimum)
	w.float("maximum", s.Maximum)
	w.int("minItems", s.MinItems)
	w.int("maxItems", s.MaxItems)
	w.int("maxLength", s.MaxLength)
	if len(s.Required) > 0 {
		w.member("required", s.Required)
	}
	switch values := s.AdditionalProperties; {
	case values == nil:
	case values.Not != nil:
		w.member("additionalProperties", false)
	default:
		w.schema("additionalProperties", values)
	}
	return append(w.b, '}'), w.err
}

// schemaWriter appends the members of one object.
type schemaWriter struct {
	b   []byte
	err error
}

func (w *schemaWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), `":`...) // names need no escapes
}

func (w *schemaWriter) member(name string, value any) {
	w.name(name)
	text, err := json.Marshal(value)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s: %w", name, err)
	}
	w.b = append(w.b, text...)
}

func (w *schemaWriter) schema(name string, s *jsonschema.Schema) {
	w.name(name)
	b, err := appendSchema(w.b, s)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s: %w", name, err)
	}
	w.b = b
}

func (w *schemaWriter) properties(s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	w.name("properties")
	w.b = append(w.b, '{')
	for _, name := range s.PropertyOrder {
		w.schema(name, s.Properties[name])
	}
	w.b = append(w.b, '}')
}

func (w *schemaWriter) int(name string, value *int) {
	if value != nil {
		w.name(name)
		w.b = strconv.AppendInt(w.b, int64(*value), 10)
	}
}

func (w *schemaWriter) float(name string, value *float64) {
	switch {
	case value == nil:
	case *value == math.Trunc(*value) && math.Abs(*value) < 1<<53:
		w.name(name)
		w.b = strconv.AppendInt(w.b, int64(*value), 10)
	default:
		w.member(name, *value)
	}
}
