package mcptools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Set is an immutable collection of tools in a fixed order. The zero Set is
// empty. A Set is safe for concurrent use.
type Set struct {
	tools []Tool
	index map[string]int
}

// NewSet returns the set of the given tools. It panics when two share a name.
func NewSet(tools ...Tool) Set {
	s := Set{tools: slices.Clone(tools), index: make(map[string]int, len(tools))}
	for i, t := range tools {
		name := t.Spec().Name
		if _, twice := s.index[name]; twice {
			panic(fmt.Sprintf("mcptools: two tools are named %q", name))
		}
		s.index[name] = i
	}
	return s
}

// Join returns the set of all tools of the sets. It panics when two share a name.
func Join(sets ...Set) Set {
	var tools []Tool
	for _, s := range sets {
		tools = append(tools, s.tools...)
	}
	return NewSet(tools...)
}

// All returns the tools in their order.
func (s Set) All() iter.Seq[Tool] { return slices.Values(s.tools) }

// Len returns the number of tools.
func (s Set) Len() int { return len(s.tools) }

// Tool returns the tool of that name.
func (s Set) Tool(name string) (Tool, bool) {
	i, ok := s.index[name]
	if !ok {
		return Tool{}, false
	}
	return s.tools[i], true
}

// Keep returns the tools that every filter keeps.
func (s Set) Keep(filters ...Filter) Set {
	var kept []Tool
	for _, t := range s.tools {
		if !slices.ContainsFunc(filters, func(f Filter) bool { return !f(t.Spec()) }) {
			kept = append(kept, t)
		}
	}
	return NewSet(kept...)
}

// With returns the same tools with every call wrapped. The first middleware is
// the outermost; a later With wraps around an earlier one.
func (s Set) With(middleware ...Middleware) Set {
	wrapped := slices.Clone(s.tools)
	for i := range wrapped {
		for _, m := range slices.Backward(middleware) {
			wrapped[i].handler = m(wrapped[i].handler)
		}
	}
	return NewSet(wrapped...)
}

// Explained returns the same tools with explain to tell more about their calls
// to whoever has to confirm them.
func (s Set) Explained(explain Explainer) Set {
	explained := slices.Clone(s.tools)
	for i := range explained {
		explained[i].explain = explain
	}
	return NewSet(explained...)
}

// Call runs the named tool without MCP. See [Tool.Call] for its errors; an
// unknown name is an [*Error] with CodeUnknownTool.
func (s Set) Call(ctx context.Context, name string, args json.RawMessage) (*Result, error) {
	t, ok := s.Tool(name)
	if !ok {
		e := Errorf(CodeUnknownTool, "there is no tool %q", clip(name, 64))
		if near := s.near(name); len(near) > 0 {
			e.Hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return nil, e
	}
	return t.Call(ctx, args)
}

// near returns up to three names of the set that look like name.
func (s Set) near(name string) []string {
	if len(name) > 64 {
		return nil
	}
	distances := map[string]int{}
	for known := range s.index {
		if d := distance(strings.ToLower(name), known); d <= max(3, len(known)/3) || strings.HasSuffix(known, "_"+name) {
			distances[known] = d
		}
	}
	names := slices.SortedFunc(maps.Keys(distances), func(a, b string) int {
		return cmp.Or(cmp.Compare(distances[a], distances[b]), cmp.Compare(a, b))
	})
	return names[:min(len(names), 3)]
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
