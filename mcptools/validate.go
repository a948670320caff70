package mcptools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v5"
)

// prepare parses, mends and validates arguments. It returns them in their
// canonical form: equal calls have equal bytes. No arguments at all, null and
// "" are what callers send to tools that need none: they count as {}.
func (s *schema) prepare(args json.RawMessage) (json.RawMessage, error) {
	var tree any
	var m mender
	if len(bytes.TrimSpace(args)) > 0 {
		var err error
		if tree, m.faults, err = parse(args); err != nil {
			return nil, invalid([]Fault{{Message: "the arguments are " + err.Error()}})
		}
	}
	if tree == nil || tree == "" {
		tree = map[string]any{}
	}
	tree = m.value(s.root, tree)
	if _, ok := tree.(map[string]any); !ok {
		return nil, invalid([]Fault{{Message: "the arguments must be a JSON object"}})
	}
	violations, err := s.check(tree)
	if err != nil {
		return nil, err
	}
	if all := addUnexplained(m.faults, violations); len(all) > 0 {
		return nil, invalid(all)
	}
	canonical, err := marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("mcptools: marshal arguments: %w", err)
	}
	return canonical, nil
}

// addUnexplained adds the violations at places for which there is no better
// explanation yet.
func addUnexplained(faults, violations []Fault) []Fault {
	if len(violations) == 0 {
		return faults
	}
	explained := make(map[string]bool, len(faults))
	for _, f := range faults {
		explained[f.Path] = true
	}
	for _, v := range violations {
		if !explained[v.Path] {
			faults = append(faults, v)
		}
	}
	return faults
}

// check validates a tree. The error is a bug: a schema that does not compile.
func (s *schema) check(tree any) ([]Fault, error) {
	judge, err := s.compile()
	if err != nil {
		return nil, fmt.Errorf("mcptools: compile schema: %w", err)
	}
	err = judge.validate(tree)
	if err == nil {
		return nil, nil
	}
	violation, ok := errors.AsType[*validator.ValidationError](err)
	if !ok {
		return nil, fmt.Errorf("mcptools: validate: %w", err)
	}
	return leaves(violation, nil), nil
}

// leaves flattens the tree of a validation error: only its leaves say what is
// wrong, and the validator itself would show one of them in changing order.
func leaves(e *validator.ValidationError, faults []Fault) []Fault {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			faults = leaves(cause, faults)
		}
		return faults
	}
	at := location(e.InstanceLocation)
	// Missing and unknown fields are named one by one, with their own path, by
	// the mender; for outputs the message names them.
	switch {
	case strings.HasSuffix(e.KeywordLocation, "/required"):
		for name := range strings.SplitSeq(strings.TrimPrefix(e.Message, "missing properties: "), ", ") {
			faults = append(faults, Fault{Path: append(slices.Clip(at), strings.Trim(name, "'")).String(), Message: "missing"})
		}
		return faults
	case strings.HasSuffix(e.KeywordLocation, "/additionalProperties"):
		return faults
	case strings.HasSuffix(e.KeywordLocation, "/format"): // its message quotes the value, and errors get into logs
		format := e.Message[strings.LastIndex(e.Message, " ")+1:]
		return append(faults, Fault{Path: at.String(), Message: "not a valid " + strings.Trim(format, "'")})
	}
	return append(faults, Fault{Path: at.String(), Message: clip(e.Message, 300)})
}

// location reads the validator's JSON pointer, which is also escaped as a URL.
func location(pointer string) path {
	var at path
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for segment := range strings.SplitSeq(pointer, "/") {
		if name, err := url.PathUnescape(segment); err == nil {
			segment = name
		}
		at.push(unescape.Replace(segment))
	}
	return at[1:] // a pointer starts with a slash, or is empty
}

// encode turns what a tool returned into the JSON object that leaves it.
func (s *schema) encode(value any, untrusted bool) (json.RawMessage, error) {
	text, err := marshal(value)
	if err != nil {
		return nil, fmt.Errorf("mcptools: marshal result: %w", err)
	}
	tree, text, violations, err := parseResult(s.root, text)
	if err != nil {
		return nil, fmt.Errorf("mcptools: result: %w", err)
	}
	if _, ok := tree.(map[string]any); !ok {
		return nil, errors.New("mcptools: the result is no JSON object")
	}
	more, err := s.check(tree)
	if err != nil {
		return nil, err
	}
	if violations = append(violations, more...); len(violations) > 0 {
		return nil, fmt.Errorf("mcptools: the result breaks its schema: %v", violations[:min(len(violations), maxFaults)])
	}
	if untrusted {
		text = withNotice(text)
	}
	return text, nil
}
