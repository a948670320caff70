package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// callTimeout bounds a call, not counting the time that a person thinks.
const callTimeout = 2 * time.Minute

// choose returns the tools that the flags ask for.
func choose(c config, systems []system) (mcptools.Set, error) {
	var sets []mcptools.Set
	var all []mcptools.Set
	for _, s := range systems {
		all = append(all, s.tools)
		preset, ok := s.preset(c.preset)
		if !ok {
			return mcptools.Set{}, fmt.Errorf("%s has no preset %q", s.title, c.preset)
		}
		sets = append(sets, s.tools.Keep(preset))
	}
	chosen := mcptools.Join(sets...)
	if len(c.toolsets) > 0 || len(c.tools) > 0 {
		everything := mcptools.Join(all...)
		if err := checkNames(c, everything); err != nil {
			return mcptools.Set{}, err
		}
		chosen = everything.Keep(mcptools.Any(mcptools.Toolsets(c.toolsets...), matching(c.tools)))
	}
	if c.readOnly {
		chosen = chosen.Keep(mcptools.ReadOnlyTools)
	}
	if chosen.Len() == 0 {
		return chosen, errors.New("the flags leave no tool to offer")
	}
	return chosen, nil
}

// matching keeps the tools whose name fits one of the patterns.
func matching(patterns []string) mcptools.Filter {
	return func(s mcptools.Spec) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := path.Match(pattern, s.Name)
			return err == nil && ok
		})
	}
}

// checkNames refuses names that mean nothing: a typing error must not silently
// offer less, or more, than was meant.
func checkNames(c config, all mcptools.Set) error {
	var toolsets []string
	for tool := range all.All() {
		if name := tool.Spec().Toolset; !slices.Contains(toolsets, name) {
			toolsets = append(toolsets, name)
		}
	}
	for _, name := range c.toolsets {
		if !slices.Contains(toolsets, name) {
			return fmt.Errorf("-toolsets: there is no %q; there are %s", name, strings.Join(toolsets, ", "))
		}
	}
	for _, pattern := range c.tools {
		if all.Keep(matching([]string{pattern})).Len() == 0 {
			return fmt.Errorf("-tools: nothing is named %q; see -list -preset all", pattern)
		}
	}
	return nil
}

// guard adds the audit log, the confirmation and the time limit.
func guard(c config, tools mcptools.Set, logger *slog.Logger) mcptools.Set {
	needs, err := c.needsConfirmation()
	if err != nil { // validated when the flags were read
		needs = func(mcptools.Spec) bool { return true }
	}
	return tools.With(
		mcptools.Audit(logger),
		mcptools.Confirm(needs, mcptools.ConfirmOptions{
			Refusal: "use a client that shows forms (MCP elicitation), or start the server with -confirm none to run such calls without asking",
		}),
		mcptools.Timeout(callTimeout),
	)
}

// printTools writes the table of -list.
func printTools(w io.Writer, tools mcptools.Set) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TOOL\tTOOLSET\tEFFECT\tMARKS\tTOKENS\tSCOPES")
	total := 0
	for tool := range tools.All() {
		spec := tool.Spec()
		tokens := (tool.Cost() + 3) / 4
		total += tokens
		scopes := spec.Scopes.Delegated
		if scopes == nil {
			scopes = spec.Scopes.Application
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", spec.Name, spec.Toolset, spec.Effect, spec.Marks, tokens, strings.Join(scopes, " "))
	}
	fmt.Fprintf(table, "%d tools\t\t\t\t%d\t\n", tools.Len(), total)
	return table.Flush()
}

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
