package graphtest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// filter is a parsed $filter: the test, and what the workloads' rules on
// filters need to know about it.
type filter struct {
	match      func(object) bool
	properties []string // paths, in the order they appear
	operators  []string // operators and functions used
}

// operand is one side of a comparison.
type operand struct {
	value func(object) any
	kind  string // of the index; "literal" kinds are null, string, number, bool, dateTimeOffset, guid
	path  string // empty for a literal
}

// filterParser parses the part of OData's filter grammar that Graph documents.
type filterParser struct {
	tokens []string
	at     int
	types  []*specindex.Type // what properties are looked up in
	ranges map[string]*specindex.Type
	filter *filter
}

func badFilter(format string, args ...any) error {
	return failf(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+format, args...)
}

func parseFilter(text string, kinds []string) (*filter, error) {
	tokens, err := filterTokens(text)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens, ranges: map[string]*specindex.Type{}, filter: &filter{}}
	for _, kind := range kinds {
		if t, ok := specindex.Graph().Type(kind); ok {
			p.types = append(p.types, t)
		}
	}
	if p.filter.match, err = p.or(); err != nil {
		return nil, err
	}
	if p.peek() != "" {
		return nil, badFilter("Syntax error at '%s' in '%s'.", p.peek(), text)
	}
	return p.filter, nil
}

// filterTokens splits the text; string literals keep their opening quote.
func filterTokens(text string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(text); {
		switch ch := text[i]; {
		case ch == ' ':
			i++
		case strings.IndexByte("(),:", ch) >= 0:
			tokens = append(tokens, string(ch))
			i++
		case ch == '\'':
			var value strings.Builder
			for i++; ; i++ {
				if i >= len(text) {
					return nil, badFilter("There is an unterminated string literal in '%s'.", text)
				}
				if text[i] == '\'' {
					if i+1 >= len(text) || text[i+1] != '\'' {
						break
					}
					i++
				}
				value.WriteByte(text[i])
			}
			i++
			tokens = append(tokens, "'"+value.String())
		default:
			end := i
			for end < len(text) && strings.IndexByte(" (),'", text[end]) < 0 {
				if text[end] == ':' && !isDigit(text[i]) { // a colon ends a name, not a time
					break
				}
				end++
			}
			tokens = append(tokens, text[i:end])
			i = end
		}
	}
	return tokens, nil
}

func isDigit(ch byte) bool { return ch >= '0' && ch <= '9' }

func (p *filterParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *filterParser) take() string {
	token := p.peek()
	p.at++
	return token
}

func (p *filterParser) accept(token string) bool {
	if p.peek() == token {
		p.at++
		return true
	}
	return false
}

func (p *filterParser) expect(token string) error {
	if !p.accept(token) {
		return badFilter("'%s' expected before '%s'.", token, p.peek())
	}
	return nil
}

func (p *filterParser) or() (func(object) bool, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		p.filter.operators = append(p.filter.operators, "or")
		var right func(object) bool
		right, err = p.and()
		before := left
		left = func(o object) bool { return before(o) || right(o) }
	}
	return left, err
}

func (p *filterParser) and() (func(object) bool, error) {
	left, err := p.not()
	for err == nil && p.accept("and") {
		var right func(object) bool
		right, err = p.not()
		before := left
		left = func(o object) bool { return before(o) && right(o) }
	}
	return left, err
}

func (p *filterParser) not() (func(object) bool, error) {
	if p.accept("not") {
		p.filter.operators = append(p.filter.operators, "not")
		inner, err := p.not()
		return func(o object) bool { return !inner(o) }, err
	}
	if p.accept("(") {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	return p.comparison()
}

func (p *filterParser) comparison() (func(object) bool, error) {
	if test, ok, err := p.lambda(); ok || err != nil {
		return test, err
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	op := p.peek()
	switch op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		p.take()
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.filter.operators = append(p.filter.operators, op)
		return compareOperands(left, op, right)
	case "in":
		p.take()
		return p.in(left)
	}
	if left.kind != "bool" {
		return nil, badFilter("A boolean expression was expected at '%s'.", p.peek())
	}
	return func(o object) bool { b, _ := left.value(o).(bool); return b }, nil
}

func (p *filterParser) in(left operand) (func(object) bool, error) {
	p.filter.operators = append(p.filter.operators, "in")
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var tests []func(object) bool
	for {
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		test, err := compareOperands(left, "eq", right)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
		if !p.accept(",") {
			break
		}
	}
	return func(o object) bool {
		return slices.ContainsFunc(tests, func(test func(object) bool) bool { return test(o) })
	}, p.expect(")")
}

// lambda parses "path/any(x:…)" and "path/all(x:…)".
func (p *filterParser) lambda() (func(object) bool, bool, error) {
	path, all := strings.CutSuffix(p.peek(), "/all")
	path, some := strings.CutSuffix(path, "/any")
	if !all && !some {
		return nil, false, nil
	}
	p.take()
	many, err := p.property(path)
	if err != nil {
		return nil, true, err
	}
	element, known := specindex.Graph().Type(strings.TrimSuffix(many.kind, "*"))
	if !strings.HasSuffix(many.kind, "*") {
		return nil, true, badFilter("'%s' is not a collection.", path)
	}
	p.filter.operators = append(p.filter.operators, "any")
	if err := p.expect("("); err != nil {
		return nil, true, err
	}
	if p.accept(")") {
		return func(o object) bool { return len(elements(many.value(o))) > 0 }, true, nil
	}
	variable := p.take()
	if err := p.expect(":"); err != nil {
		return nil, true, err
	}
	if !known {
		element = &specindex.Type{Name: strings.TrimSuffix(many.kind, "*")}
	}
	p.ranges[variable] = element
	inner, err := p.or()
	delete(p.ranges, variable)
	if err != nil {
		return nil, true, err
	}
	test := func(o object) bool {
		values := elements(many.value(o))
		holds := func(v any) bool { return inner(object{rangeKey(variable): v}) }
		if all {
			return !slices.ContainsFunc(values, func(v any) bool { return !holds(v) })
		}
		return slices.ContainsFunc(values, holds)
	}
	return test, true, p.expect(")")
}

func rangeKey(variable string) string { return "\x00" + variable }

func (p *filterParser) operand() (operand, error) {
	token := p.take()
	switch {
	case token == "":
		return operand{}, badFilter("The expression is incomplete.")
	case token[0] == '\'':
		return literal(token[1:], "string"), nil
	case token == "null":
		return literal(nil, "null"), nil
	case token == "true" || token == "false":
		return literal(token == "true", "bool"), nil
	case p.peek() == "(":
		return p.function(token)
	case isDigit(token[0]) || token[0] == '-' || guidLiteral.MatchString(token):
		return numberOrTime(token)
	}
	return p.property(token)
}

var guidLiteral = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func literal(value any, kind string) operand {
	return operand{value: func(object) any { return value }, kind: kind}
}

func numberOrTime(token string) (operand, error) {
	if n, err := strconv.ParseFloat(token, 64); err == nil {
		return literal(n, "number"), nil
	}
	if t, err := time.Parse(time.RFC3339, token); err == nil {
		return literal(t, "dateTimeOffset"), nil
	}
	if t, err := time.Parse(time.DateOnly, token); err == nil {
		return literal(t, "dateTimeOffset"), nil
	}
	if guidLiteral.MatchString(token) {
		return literal(token, "guid"), nil
	}
	return operand{}, badFilter("Unrecognized literal '%s'.", token)
}

func (p *filterParser) function(name string) (operand, error) {
	p.take() // (
	var args []operand
	for !p.accept(")") {
		arg, err := p.operand()
		if err != nil {
			return operand{}, err
		}
		args = append(args, arg)
		if !p.accept(",") && p.peek() != ")" {
			return operand{}, badFilter("Syntax error at '%s'.", p.peek())
		}
	}
	p.filter.operators = append(p.filter.operators, strings.ToLower(name))
	text := func(i int, o object) string { s, _ := args[i].value(o).(string); return strings.ToLower(s) }
	tests := map[string]func(s, part string) bool{
		"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix,
	}
	if test := tests[strings.ToLower(name)]; test != nil && len(args) == 2 {
		if args[0].kind != "string" || args[1].kind != "string" {
			return operand{}, badFilter("No function signature for the function with name '%s' matches the specified arguments.", name)
		}
		return operand{kind: "bool", value: func(o object) any { return test(text(0, o), text(1, o)) }}, nil
	}
	if strings.EqualFold(name, "tolower") && len(args) == 1 {
		return operand{kind: "string", value: func(o object) any { return text(0, o) }}, nil
	}
	return operand{}, badFilter("An unknown function with name '%s' was found.", name)
}

// property finds a path such as from/emailAddress/address.
func (p *filterParser) property(path string) (operand, error) {
	steps := strings.Split(path, "/")
	var owners []*specindex.Type
	owners = p.types
	var keys []string
	kind := specindex.Kind{}
	if element, isRange := p.ranges[steps[0]]; isRange {
		keys = []string{rangeKey(steps[0])}
		kind, owners, steps = specindex.Kind{Name: element.Name}, []*specindex.Type{element}, steps[1:]
	}
	for i, step := range steps {
		if step == "$count" && kind.Many {
			p.filter.operators = append(p.filter.operators, "$count")
			get := pathValue(keys)
			return operand{func(o object) any { return float64(len(elements(get(o)))) }, "number", path}, nil
		}
		property, ok := lookup(owners, step)
		if !ok || kind.Many {
			return operand{}, unknownProperty(step, owners)
		}
		kind = property.Kind
		keys = append(keys, step)
		owners = nil
		if t, known := specindex.Graph().Type(kind.Name); known && t.Word != "enum" {
			owners = []*specindex.Type{t}
		} else if i < len(steps)-1 && steps[i+1] != "$count" {
			return operand{}, unknownProperty(steps[i+1], nil)
		}
	}
	p.filter.properties = append(p.filter.properties, path)
	return operand{pathValue(keys), filterKind(kind), path}, nil
}

// filterKind reduces kinds to those that comparisons tell apart.
func filterKind(kind specindex.Kind) string {
	if kind.Many {
		return kind.String()
	}
	switch kind.Name {
	case "int", "number":
		return "number"
	case "date":
		return "dateTimeOffset"
	case "duration", "timeOfDay", "binary":
		return "string"
	}
	if t, ok := specindex.Graph().Type(kind.Name); ok && t.Word == "enum" {
		return "enum " + kind.Name
	}
	return kind.Name
}

func lookup(types []*specindex.Type, name string) (specindex.Property, bool) {
	for _, t := range types {
		if p, ok := t.Property(name); ok {
			return p, true
		}
	}
	return specindex.Property{}, false
}

func unknownProperty(name string, owners []*specindex.Type) error {
	owner := "Edm.String"
	if len(owners) > 0 {
		owner = "microsoft.graph." + owners[0].Name
	}
	return failf(http.StatusBadRequest, "RequestBroker--ParseUri", "Could not find a property named '%s' on type '%s'.", name, owner)
}
