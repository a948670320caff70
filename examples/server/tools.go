package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
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
