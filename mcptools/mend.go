package mcptools

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// mender repairs what models commonly get wrong and notes what it cannot
// repair but can explain better than a validator.
type mender struct {
	faults  []Fault
	changed bool
}

func (m *mender) fault(path []string, format string, args ...any) {
	m.faults = append(m.faults, Fault{Path: joinPath(path), Message: fmt.Sprintf(format, args...)})
}

// value returns v as n wants it, or v itself where that cannot be.
func (m *mender) value(n *node, v any, path []string) any {
	mended := v
	switch n.kind {
	case "object":
		if text, ok := v.(string); ok {
			mended = m.embedded(text, '{')
		}
		if object, ok := mended.(map[string]any); ok {
			m.object(n, object, path)
		}
	case "array":
		mended = m.array(n, v, path)
	case "string":
		mended = m.string(n, v, path)
	case "integer", "number":
		mended = m.number(n, v, path)
	case "boolean":
		if text, ok := v.(string); ok {
			if b, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
				mended = m.change(b)
			}
		}
	}
	return mended
}

func (m *mender) change(v any) any {
	m.changed = true
	return v
}

// embedded parses JSON that a model wrote into a string.
func (m *mender) embedded(text string, opening byte) any {
	if trimmed := strings.TrimSpace(text); trimmed != "" && trimmed[0] == opening {
		if v, faults, err := parse([]byte(trimmed)); err == nil && len(faults) == 0 {
			return m.change(v)
		}
	}
	return text
}

func (m *mender) object(n *node, object map[string]any, path []string) {
	if n.fields == nil { // a map: any key goes
		return
	}
	for name, v := range object {
		field, known := n.fields[name]
		if !known {
			m.fault(slices.Concat(path, []string{name}), "unknown argument; valid are %s", strings.Join(n.names, ", "))
			continue
		}
		required := slices.Contains(n.required, name)
		if !required && (v == nil || v == "" && (field.kind != "string" || field.enum != nil)) {
			delete(object, name)
			m.changed = true
			continue
		}
		object[name] = m.value(field, v, slices.Concat(path, []string{name}))
	}
	for _, name := range n.names {
		if _, given := object[name]; given {
			continue
		}
		if field := n.fields[name]; field.fallback != nil {
			object[name] = m.change(field.fallback)
		} else if slices.Contains(n.required, name) {
			m.fault(slices.Concat(path, []string{name}), "missing")
		}
	}
}

func (m *mender) array(n *node, v any, path []string) any {
	if text, ok := v.(string); ok {
		v = m.embedded(text, '[')
	}
	array, ok := v.([]any)
	if !ok {
		if v == nil {
			return m.change([]any{})
		}
		array = []any{v}
		m.changed = true
	}
	for i, item := range array {
		array[i] = m.value(n.items, item, slices.Concat(path, []string{strconv.Itoa(i)}))
	}
	return array
}

func (m *mender) string(n *node, v any, path []string) any {
	if number, ok := v.(json.Number); ok {
		v = m.change(string(number))
	}
	text, ok := v.(string)
	if !ok {
		return v
	}
	if len(text) > n.maxLength {
		m.fault(path, "%d bytes long; at most %d are allowed", len(text), n.maxLength)
	}
	if n.enum != nil && !slices.Contains(n.enum, text) {
		if i := slices.IndexFunc(n.enum, func(name string) bool { return strings.EqualFold(name, text) }); i >= 0 {
			return m.change(n.enum[i])
		}
	}
	return text
}

// number turns "7" into 7 and, for an integer, 7.0 and 7e0 into 7: the
// validator accepts those as integers, encoding/json does not.
func (m *mender) number(n *node, v any, path []string) any {
	number, ok := v.(json.Number)
	if text, is := v.(string); is {
		trimmed := strings.TrimSpace(text)
		if !json.Valid([]byte(trimmed)) || tooBig([]byte(trimmed)) || strings.Trim(trimmed, "+-.0123456789eE") != "" {
			return v
		}
		number, ok = json.Number(trimmed), true
		m.changed = true
	}
	if !ok || n.kind == "number" {
		if ok {
			return number
		}
		return v
	}
	if _, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		return number
	}
	f, err := strconv.ParseFloat(string(number), 64)
	switch {
	case err != nil || math.Abs(f) > 1<<53:
		m.fault(path, "number out of range")
	case f == math.Trunc(f):
		return m.change(json.Number(strconv.FormatInt(int64(f), 10)))
	}
	return number
}
