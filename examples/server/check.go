package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// check signs in to each system with its whoami tool and prints what it says.
func check(ctx context.Context, w io.Writer, systems []system, left []connected, tools mcptools.Set) error {
	failed := 0
	fail := func(s system, err error) {
		failed++
		fmt.Fprintf(w, "%s: FAILED\n  %s\n", s.title, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	for _, s := range systems {
		result, err := checkOne(ctx, w, s)
		if err != nil {
			fail(s, err)
			continue
		}
		fmt.Fprintf(w, "%s: ok\n  %s\n", s.title, result.Value)
		printLacking(w, s, result, tools)
	}
	for _, one := range left {
		fail(one.system, one.err)
	}
	fmt.Fprintf(w, "%d tools would be offered\n", tools.Len())
	if failed > 0 {
		return fmt.Errorf("%d of %d systems failed", failed, len(systems)+len(left))
	}
	return nil
}

func checkOne(ctx context.Context, w io.Writer, s system) (*mcptools.Result, error) {
	if s.person != nil {
		if err := s.person.ensure(ctx, func(todo string) { fmt.Fprintf(w, "%s: please %s\n", s.title, todo) }); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.tools.Call(ctx, s.whoami, nil)
}

// printLacking names the offered tools that the sign-in's scopes do not suffice
// for, where the system's own answer does not: it says which scopes there are.
func printLacking(w io.Writer, s system, result *mcptools.Result, offered mcptools.Set) {
	var granted struct{ Scopes []string }
	if json.Unmarshal(result.Value, &granted) != nil || len(granted.Scopes) == 0 || slices.Contains(granted.Scopes, "all") {
		return // everything is granted, or nobody knows
	}
	for tool := range offered.All() {
		spec := tool.Spec()
		missing := slices.DeleteFunc(slices.Clone(spec.Scopes.Application), func(scope string) bool { return slices.Contains(granted.Scopes, scope) })
		if _, own := s.tools.Tool(spec.Name); own && len(missing) > 0 {
			fmt.Fprintf(w, "  %s lacks %s\n", spec.Name, strings.Join(missing, ", "))
		}
	}
}
