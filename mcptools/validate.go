package mcptools

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v5"
)

// prepare parses, mends and validates arguments. It returns them in their
// canonical form: equal calls have equal bytes.
func (s *schema) prepare(args json.RawMessage) (json.RawMessage, error) {
	if len(args) == 0 || string(args) == "null" {
		args = json.RawMessage("{}")
	}
	tree, faults, err := parse(args)
	if err != nil {
		return nil, invalid([]Fault{{Message: "the arguments are " + err.Error()}})
	}
	m := mender{faults: faults}
	tree = m.value(s.root, tree, nil)
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
	explained := slices.Clone(faults)
	for _, v := range violations {
		if !slices.ContainsFunc(explained, func(f Fault) bool { return f.Path == v.Path }) {
			faults = append(faults, v)
		}
	}
	return faults
}

// check validates a tree. The error is a bug: a schema that does not compile.
func (s *schema) check(tree any) ([]Fault, error) {
	compiled, err := s.compile()
	if err != nil {
		return nil, fmt.Errorf("mcptools: compile schema: %w", err)
	}
	err = compiled.Validate(tree)
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
	path := strings.Split(strings.Trim(e.InstanceLocation, "/"), "/")
	if path[0] == "" {
		path = nil
	}
	for i, segment := range path {
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
	}
	// Missing and unknown fields are named one by one, with their own path, by
	// the mender; for outputs the message names them.
	switch {
	case strings.HasSuffix(e.KeywordLocation, "/required"):
		for _, name := range strings.Split(strings.TrimPrefix(e.Message, "missing properties: "), ", ") {
			faults = append(faults, Fault{Path: joinPath(append(slices.Clone(path), strings.Trim(name, "'"))), Message: "missing"})
		}
		return faults
	case strings.HasSuffix(e.KeywordLocation, "/additionalProperties"):
		return faults
	}
	return append(faults, Fault{Path: joinPath(path), Message: clip(e.Message, 300)})
}

// encode turns what a tool returned into the JSON object that leaves it.
func (s *schema) encode(value any, untrusted bool) (json.RawMessage, error) {
	text, err := marshal(value)
	if err != nil {
		return nil, fmt.Errorf("mcptools: marshal result: %w", err)
	}
	tree, _, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("mcptools: result: %w", err)
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return nil, errors.New("mcptools: the result is no JSON object")
	}
	if emptyLists(s.root, object) {
		if text, err = marshal(object); err != nil {
			return nil, fmt.Errorf("mcptools: marshal result: %w", err)
		}
	}
	violations, err := s.check(tree)
	if err != nil {
		return nil, err
	}
	if len(violations) > 0 {
		return nil, fmt.Errorf("mcptools: the result breaks its schema: %v", violations[:min(len(violations), maxFaults)])
	}
	if untrusted {
		text = withNotice(text)
	}
	return text, nil
}

// emptyLists replaces the null that a nil slice becomes by an empty list. It
// reports whether it changed anything.
func emptyLists(n *node, v any) bool {
	changed := false
	switch v := v.(type) {
	case map[string]any:
		for name, field := range n.fields {
			value, given := v[name]
			if given && value == nil && field.kind == "array" {
				v[name] = []any{}
				changed = true
			} else if given && emptyLists(field, value) {
				changed = true
			}
		}
	case []any:
		if n.items == nil {
			return false
		}
		for _, item := range v {
			if emptyLists(n.items, item) {
				changed = true
			}
		}
	}
	return changed
}
