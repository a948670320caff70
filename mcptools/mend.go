package mcptools

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// mender repairs what models commonly get wrong and notes what it cannot
// repair but can explain better than a validator. It repairs only what can mean
// one thing: "7" is 7, but "7x", "+7", "0x7" and "NaN" are faults.
type mender struct {
	path   path
	faults []Fault
}

func (m *mender) fault(format string, args ...any) {
	m.faults = append(m.faults, Fault{Path: m.path.String(), Message: fmt.Sprintf(format, args...)})
}

// value returns v as n wants it, or v itself where that cannot be.
func (m *mender) value(n *node, v any) any {
	switch n.kind {
	case "object":
		return m.object(n, v)
	case "array":
		return m.array(n, v)
	case "string":
		return m.string(n, v)
	case "integer", "number":
		return m.number(n, v)
	case "boolean":
		if text, ok := v.(string); ok {
			switch strings.ToLower(strings.TrimSpace(text)) {
			case "true":
				return true
			case "false":
				return false
			}
		}
	default:
		m.free(v)
	}
	return v
}

// embedded parses JSON that a model wrote into a string.
func embedded(text string, opening byte) any {
	if trimmed := strings.TrimSpace(text); trimmed != "" && trimmed[0] == opening {
		if v, faults, err := parse([]byte(trimmed)); err == nil && len(faults) == 0 {
			return v
		}
	}
	return text
}

func (m *mender) object(n *node, v any) any {
	if text, ok := v.(string); ok {
		v = embedded(text, '{')
	}
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if n.values != nil {
		m.entries(n, object)
		return object
	}
	for name, v := range object {
		m.path.push(name)
		switch field, known := n.fields[name]; {
		case !known:
			m.fault("unknown argument; %s", n.valid)
		case (!field.required || field.fallback != nil) && unset(field, v):
			delete(object, name)
		default:
			object[name] = m.value(field, v)
		}
		m.path.pop()
	}
	for _, name := range n.names {
		if _, given := object[name]; given {
			continue
		}
		if field := n.fields[name]; field.fallback != nil {
			object[name] = field.fallback
		} else if field.required {
			m.path.push(name)
			m.fault("missing")
			m.path.pop()
		}
	}
	return object
}

// unset reports whether v is how models leave out a field that they need not
// give. "" is a value where free text or anything at all is wanted.
func unset(field *node, v any) bool {
	if field.kind == "" {
		return false
	}
	if text, ok := v.(string); ok && (field.kind != "string" || field.enum != nil) {
		return strings.TrimSpace(text) == ""
	}
	return v == nil
}

// entries mends the values of a map, which may have any keys.
func (m *mender) entries(n *node, object map[string]any) {
	for name, v := range object {
		m.path.push(name)
		m.length(name, defaultMaxLength)
		object[name] = m.value(n.values, v)
		m.path.pop()
	}
}

func (m *mender) array(n *node, v any) any {
	if text, ok := v.(string); ok {
		v = embedded(text, '[')
	}
	array, ok := v.([]any)
	switch {
	case ok:
	case v == nil, v == "":
		return []any{}
	default:
		array = []any{v}
	}
	for i, item := range array {
		m.path.push(strconv.Itoa(i))
		array[i] = m.value(n.items, item)
		m.path.pop()
	}
	return array
}

func (m *mender) string(n *node, v any) any {
	if number, ok := v.(json.Number); ok {
		v = string(number)
	}
	text, ok := v.(string)
	if !ok {
		return v
	}
	m.length(text, n.maxLength)
	if n.enum != nil && !slices.Contains(n.enum, text) {
		trimmed := strings.TrimSpace(text)
		if i := slices.IndexFunc(n.enum, func(name string) bool { return strings.EqualFold(name, trimmed) }); i >= 0 {
			return n.enum[i]
		}
	}
	return v
}

func (m *mender) length(text string, limit int) {
	if len(text) > limit {
		m.fault("%d bytes long; at most %d are allowed", len(text), limit)
	}
}

// number turns "7" into 7 and, for an integer, 7.0 and 7e0 into 7: the
// validator accepts those as integers, encoding/json does not. It never rounds.
func (m *mender) number(n *node, v any) any {
	number, ok := v.(json.Number)
	if text, is := v.(string); is {
		if text = strings.TrimSpace(text); isNumber(text) {
			v, number, ok = json.Number(text), json.Number(text), true
		}
	}
	switch {
	case !ok:
		return v
	case !inRange(number):
		m.fault(outOfRange)
		return json.Number("0")
	case n.kind == "number":
		return v
	}
	if _, err := strconv.ParseInt(string(number), 10, 64); err == nil && number != "-0" {
		return v
	}
	exact, ok := new(big.Rat).SetString(string(number))
	if !ok || !exact.IsInt() {
		return v
	}
	if !exact.Num().IsInt64() {
		m.fault(outOfRange)
		return json.Number("0")
	}
	return json.Number(exact.Num().String())
}

// inRange reports whether a number is cheap to handle and fits a float64.
func inRange(number json.Number) bool {
	if tooBig(string(number)) {
		return false
	}
	_, err := number.Float64()
	return err == nil
}

// free bounds a value that may be anything.
func (m *mender) free(v any) {
	switch v := v.(type) {
	case string:
		m.length(v, defaultMaxLength)
	case json.Number:
		if !inRange(v) {
			m.fault(outOfRange)
		}
	case []any:
		for i, item := range v {
			m.path.push(strconv.Itoa(i))
			m.free(item)
			m.path.pop()
		}
	case map[string]any:
		for name, item := range v {
			m.path.push(name)
			m.length(name, defaultMaxLength)
			m.free(item)
			m.path.pop()
		}
	}
}
