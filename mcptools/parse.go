package mcptools

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds that every argument document keeps, whatever its schema says. They
// keep the most hostile call below a few milliseconds.
const (
	maxDepth        = 32      // nested arrays and objects
	maxValues       = 5_000   // values of any kind
	maxNumberLength = 40      // bytes of a number; the longest int64 has 20
	maxExponent     = 400     // beyond what a float64 can hold, and still cheap
	maxDocument     = 8 << 20 // bytes
	maxFaults       = 20      // reported for one call
)

// parser reads JSON into the tree that the validator wants (json.Number for
// numbers). encoding/json accepts what must not reach a tool: duplicate keys,
// broken Unicode and numbers such as 1e999999999, on which the validator panics.
type parser struct {
	text   string
	pos    int
	values int  // that may still come
	utf8   bool // the whole text is valid
	path   path
	faults []Fault
	empty  []replacement
}

// replacement stands for a null at pos.
type replacement struct {
	pos  int
	text string
}

var errSyntax = errors.New("not valid JSON")

// parse returns the tree of a JSON document of a caller, and what is wrong with
// it although it is JSON. The error says that it is not JSON, or too much of it.
func parse(data []byte) (any, []Fault, error) {
	if len(data) > maxDocument {
		return nil, nil, fmt.Errorf("longer than %d bytes", maxDocument)
	}
	p := newParser(string(data), maxValues) // all strings of the tree share this one
	v, err := p.document(nil)
	if err != nil {
		return nil, nil, err
	}
	return v, p.faults, nil
}

// parseResult is parse for what a tool returned, whose size is the tool's own
// business. Where n wants a list, a map or bytes, the null that nil became is
// replaced by an empty one, in the tree and in the text.
func parseResult(n *node, data []byte) (tree any, text []byte, faults []Fault, err error) {
	p := newParser(string(data), math.MaxInt)
	if tree, err = p.document(n); err != nil {
		return nil, nil, nil, err
	}
	if len(p.empty) == 0 {
		return tree, data, p.faults, nil
	}
	from := 0
	for _, e := range p.empty {
		text = append(append(text, data[from:e.pos]...), e.text...)
		from = e.pos + len("null")
	}
	return tree, append(text, data[from:]...), p.faults, nil
}

func newParser(text string, values int) *parser {
	return &parser{text: text, values: values, utf8: utf8.ValidString(text)}
}

// document reads all of the text. n, which may be nil, is what is wanted.
func (p *parser) document(n *node) (any, error) {
	v, err := p.value(n)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos != len(p.text) {
		return nil, errSyntax
	}
	return v, nil
}

func (p *parser) fault(message string) {
	p.faults = append(p.faults, Fault{Path: p.path.String(), Message: message})
}

// peek returns the byte to come, or 0 at the end. No token starts with 0.
func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(n *node) (any, error) {
	if p.values--; p.values < 0 {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	p.space()
	switch p.peek() {
	case '{':
		return p.object(n)
	case '[':
		return p.array(n)
	case '"':
		return p.string()
	case 't':
		return true, p.literal("true")
	case 'f':
		return false, p.literal("false")
	case 'n':
		return p.null(n)
	default:
		return p.number()
	}
}

func (p *parser) literal(text string) error {
	if !strings.HasPrefix(p.text[p.pos:], text) {
		return errSyntax
	}
	p.pos += len(text)
	return nil
}

func (p *parser) null(n *node) (any, error) {
	switch pos := p.pos; {
	case n == nil:
	case n.kind == "array":
		p.empty = append(p.empty, replacement{pos, "[]"})
		return []any{}, p.literal("null")
	case n.bytes:
		p.empty = append(p.empty, replacement{pos, `""`})
		return "", p.literal("null")
	case n.values != nil:
		p.empty = append(p.empty, replacement{pos, "{}"})
		return map[string]any{}, p.literal("null")
	}
	return nil, p.literal("null")
}

// enter notes one more level of nesting under the given name.
func (p *parser) enter(name string) error {
	if len(p.path) == maxDepth {
		return fmt.Errorf("nested more than %d levels deep", maxDepth)
	}
	p.path.push(name)
	return nil
}

func (p *parser) object(n *node) (any, error) {
	p.pos++
	object := map[string]any{}
	for first := true; ; first = false {
		done, err := p.next('}', first)
		if done || err != nil {
			return object, err
		}
		if p.peek() != '"' {
			return nil, errSyntax
		}
		name, err := p.string()
		if err != nil {
			return nil, err
		}
		if p.space(); p.peek() != ':' {
			return nil, errSyntax
		}
		p.pos++
		if err := p.enter(name); err != nil {
			return nil, err
		}
		v, err := p.value(n.field(name))
		if err != nil {
			return nil, err
		}
		before := len(object)
		if object[name] = v; len(object) == before {
			p.fault("given twice")
		}
		p.path.pop()
	}
}

func (p *parser) array(n *node) (any, error) {
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
		v, err := p.value(n.item())
		if err != nil {
			return nil, err
		}
		array = append(array, v)
		p.path.pop()
	}
}

// next moves to the next element of an array or object, or past its end.
func (p *parser) next(end byte, first bool) (done bool, err error) {
	p.space()
	switch c := p.peek(); {
	case c == end:
		p.pos++
		return true, nil
	case first:
		return false, nil
	case c != ',':
		return false, errSyntax
	}
	p.pos++
	if p.space(); p.peek() == end {
		return false, errSyntax
	}
	return false, nil
}

func (p *parser) string() (string, error) {
	start, plain := p.pos, true
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return p.unquote(p.text[start:p.pos], plain)
		case c == '\\':
			plain = false
			p.pos++
		case c < ' ':
			return "", errSyntax
		}
	}
	return "", errSyntax
}

// unquote returns the value of a string. Broken Unicode is a fault: what a tool
// would get is not what the caller meant.
func (p *parser) unquote(raw string, plain bool) (string, error) {
	if !p.utf8 && !utf8.ValidString(raw) {
		p.fault("not valid UTF-8")
	}
	if plain {
		return raw[1 : len(raw)-1], nil
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return "", errSyntax
	}
	if loneSurrogate(raw) {
		p.fault("not valid Unicode: half of a surrogate pair")
	}
	return s, nil
}

// loneSurrogate reports whether a valid JSON string has a \u escape that is
// half of a pair. encoding/json silently replaces those.
func loneSurrogate(raw string) bool {
	high := false // the escape just before was a high surrogate
	for i := 0; i < len(raw); i++ {
		unit := uint64(0)
		if raw[i] == '\\' {
			if i++; raw[i] == 'u' {
				unit, _ = strconv.ParseUint(raw[i+1:i+5], 16, 16) // valid, or Unmarshal had failed
				i += 4
			}
		}
		if low := unit >= 0xDC00 && unit <= 0xDFFF; low != high {
			return true
		}
		high = unit >= 0xD800 && unit <= 0xDBFF
	}
	return high
}

func (p *parser) number() (any, error) {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.pos]) >= 0 {
		p.pos++
	}
	raw := p.text[start:p.pos]
	if !isNumber(raw) {
		return nil, errSyntax
	}
	if tooBig(raw) {
		p.fault(outOfRange)
		return json.Number("0"), nil
	}
	return json.Number(raw), nil
}

const outOfRange = "number out of range"

// isNumber reports whether text is a number as JSON writes them: no sign but a
// minus, no leading zeros, no hexadecimal, no NaN.
func isNumber(text string) bool {
	digits := func(s string) string { return strings.TrimLeft(s, "0123456789") }
	whole := strings.TrimPrefix(text, "-")
	rest := digits(whole)
	if rest == whole || whole[0] == '0' && len(whole)-len(rest) > 1 {
		return false
	}
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		if rest = digits(fraction); rest == fraction {
			return false
		}
	}
	if rest == "" || rest[0] != 'e' && rest[0] != 'E' {
		return rest == ""
	}
	exponent := rest[1:]
	if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
		exponent = exponent[1:]
	}
	return exponent != "" && digits(exponent) == ""
}

// tooBig reports whether a number is too long or its exponent too large to be
// handled exactly and cheaply.
func tooBig(number string) bool {
	if len(number) > maxNumberLength {
		return true
	}
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(number[i+1:])
		return err != nil || exponent > maxExponent || exponent < -maxExponent
	}
	return false
}
