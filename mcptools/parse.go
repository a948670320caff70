package mcptools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// The bounds that every argument document keeps, whatever its schema says.
const (
	maxDepth        = 32      // nested arrays and objects
	maxNumberLength = 40      // bytes of a number; the longest int64 has 20
	maxExponent     = 308     // what a float64 can hold
	maxDocument     = 8 << 20 // bytes
	maxFaults       = 20      // reported for one call
)

// parser reads JSON into the tree that the validator wants (json.Number for
// numbers). encoding/json accepts what must not reach a tool: duplicate keys,
// broken UTF-8 and numbers such as 1e999999999, on which the validator panics.
type parser struct {
	data   []byte
	pos    int
	path   []string
	faults []Fault
}

var errSyntax = errors.New("not valid JSON")

// parse returns the tree of a JSON document, and what is wrong with it although
// it is JSON. The error says that it is not JSON.
func parse(data []byte) (any, []Fault, error) {
	if len(data) > maxDocument {
		return nil, nil, fmt.Errorf("longer than %d bytes", maxDocument)
	}
	p := &parser{data: data}
	v, err := p.value()
	if err != nil {
		return nil, nil, err
	}
	if p.space(); p.pos != len(p.data) {
		return nil, nil, errSyntax
	}
	return v, p.faults, nil
}

func (p *parser) fault(message string) {
	p.faults = append(p.faults, Fault{Path: joinPath(p.path), Message: message})
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value() (any, error) {
	p.space()
	if p.pos == len(p.data) {
		return nil, errSyntax
	}
	switch c := p.data[p.pos]; c {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.string()
	case 't':
		return true, p.literal("true")
	case 'f':
		return false, p.literal("false")
	case 'n':
		return nil, p.literal("null")
	default:
		return p.number()
	}
}

func (p *parser) literal(text string) error {
	if !bytes.HasPrefix(p.data[p.pos:], []byte(text)) {
		return errSyntax
	}
	p.pos += len(text)
	return nil
}

// enter notes one more level of nesting under the given name.
func (p *parser) enter(name string) error {
	if len(p.path) == maxDepth {
		return fmt.Errorf("nested more than %d levels deep", maxDepth)
	}
	p.path = append(p.path, name)
	return nil
}

func (p *parser) leave() { p.path = p.path[:len(p.path)-1] }

func (p *parser) object() (any, error) {
	p.pos++
	object := map[string]any{}
	for first := true; ; first = false {
		done, err := p.next('}', first)
		if done || err != nil {
			return object, err
		}
		if p.pos == len(p.data) || p.data[p.pos] != '"' {
			return nil, errSyntax
		}
		name, err := p.string()
		if err != nil {
			return nil, err
		}
		if p.space(); p.pos == len(p.data) || p.data[p.pos] != ':' {
			return nil, errSyntax
		}
		p.pos++
		if err := p.enter(name); err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			p.fault("given twice")
		}
		if object[name], err = p.value(); err != nil {
			return nil, err
		}
		p.leave()
	}
}

func (p *parser) array() (any, error) {
	p.pos++
	array := []any{}
	for first := true; ; first = false {
		done, err := p.next(']', first)
		if done || err != nil {
			return array, err
		}
		if err := p.enter(strconv.Itoa(len(array))); err != nil {
			return nil, err
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		array = append(array, v)
		p.leave()
	}
}

// next moves to the next element of an array or object, or past its end.
func (p *parser) next(end byte, first bool) (done bool, err error) {
	p.space()
	if p.pos == len(p.data) {
		return false, errSyntax
	}
	if p.data[p.pos] == end {
		p.pos++
		return true, nil
	}
	if first {
		return false, nil
	}
	if p.data[p.pos] != ',' {
		return false, errSyntax
	}
	p.pos++
	if p.space(); p.pos < len(p.data) && p.data[p.pos] == end {
		return false, errSyntax
	}
	return false, nil
}

func (p *parser) string() (string, error) {
	start, plain := p.pos, true
	for p.pos++; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			raw := p.data[start:p.pos]
			if !utf8.Valid(raw) {
				p.fault("not valid UTF-8")
			}
			if plain {
				return string(raw[1 : len(raw)-1]), nil
			}
			var s string
			if json.Unmarshal(raw, &s) != nil {
				return "", errSyntax
			}
			return s, nil
		case c == '\\':
			plain = false
			p.pos++
		case c < ' ':
			return "", errSyntax
		}
	}
	return "", errSyntax
}

func (p *parser) number() (any, error) {
	start := p.pos
	for p.pos < len(p.data) && bytes.IndexByte([]byte("+-.0123456789eE"), p.data[p.pos]) >= 0 {
		p.pos++
	}
	raw := p.data[start:p.pos]
	if len(raw) == 0 || !json.Valid(raw) {
		return nil, errSyntax
	}
	if tooBig(raw) {
		p.fault("number out of range")
		return json.Number("0"), nil
	}
	return json.Number(raw), nil
}

// tooBig reports whether a number is too long or its exponent too large to be
// handled exactly and cheaply.
func tooBig(raw []byte) bool {
	if len(raw) > maxNumberLength {
		return true
	}
	if i := bytes.IndexAny(raw, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(string(raw[i+1:]))
		return err != nil || exponent > maxExponent || exponent < -maxExponent
	}
	return false
}
