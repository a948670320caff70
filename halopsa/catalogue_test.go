package halopsa_test

import (
	"slices"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools/mcptoolstest"
)

// allCalls are the calls of every area.
func allCalls() []catalogtest.Call {
	return slices.Concat(coreCalls(), lookupCalls(), ticketCalls(), clientsCalls(), agentsCalls(), actionsCalls())
}

// TestCatalogue calls every tool with every argument, over MCP, against each
// kind of build. A request that a real HaloPSA would not understand in full
// fails it.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	for name, instance := range map[string]halotest.Options{
		"hosted":      {},
		"on premises": {OnPremises: true, NoTeamID: true, IgnoreClientSearch: true, OpaqueTokens: true},
		"arrays":      {Replies: halotest.ReplyArray, MergeCustomFields: true},
		"envelopes":   {Replies: halotest.ReplyEnvelope},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, instance)
			catalogtest.Run(t, s.client.Tools(), allCalls(), catalogtest.Options{})
		})
	}
}

// TestScopes: the scopes that a tool names are enough for it.
func TestScopes(t *testing.T) {
	t.Parallel()
	tools := start(t, halotest.Options{}).client.Tools()
	calls := map[string][]catalogtest.Call{}
	for _, call := range allCalls() {
		if call.Code == "" && call.With == nil {
			calls[call.Tool] = append(calls[call.Tool], call)
		}
	}
	for name, mine := range calls {
		tool, _ := tools.Tool(name)
		s := start(t, halotest.Options{Scopes: tool.Spec().Scopes.Application})
		for _, call := range mine {
			s.call(name, call.Args)
		}
	}
}

// TestTools: every model provider and client accepts the tools, and what models
// see of them changes only on purpose.
func TestTools(t *testing.T) {
	t.Parallel()
	tools := start(t, halotest.Options{}).client.Tools()
	for tool := range tools.All() {
		mcptoolstest.CheckPortable(t, tool)
	}
	mcptoolstest.Golden(t, tools, "testdata/tools")
}

// TestCost holds the tools to what they may cost a model, in bytes of name,
// description and input schema.
func TestCost(t *testing.T) {
	t.Parallel()
	tools := start(t, halotest.Options{}).client.Tools()
	cost := func(preset string) int {
		filter, ok := halopsa.Preset(preset)
		if !ok {
			t.Fatalf("there is no preset %q", preset)
		}
		total := 0
		for tool := range tools.Keep(filter).All() {
			total += tool.Cost()
		}
		return total
	}
	for preset, budget := range map[string]int{"technician": 16_000, "user": 26_000, "all": 29_000} {
		if got := cost(preset); got > budget {
			t.Errorf("the preset %s costs %d bytes, more than %d", preset, got, budget)
		}
	}
	answers := 0
	for tool := range tools.All() {
		answers += len(tool.OutputSchema())
		if tool.Cost() > 1300 {
			t.Errorf("%s costs %d bytes", tool.Spec().Name, tool.Cost())
		}
	}
	if average := answers / tools.Len(); average > 800 {
		t.Errorf("an output schema has %d bytes on average", average)
	}
}

// TestPresets: presets name tools that exist, and "user" has no tool that is
// not for daily work.
func TestPresets(t *testing.T) {
	t.Parallel()
	tools := start(t, halotest.Options{}).client.Tools()
	user, _ := halopsa.Preset("user")
	technician, _ := halopsa.Preset("technician")
	if _, ok := halopsa.Preset("nobody"); ok {
		t.Error("there is a preset that nobody made")
	}
	for _, name := range []string{"halo_tickets_search", "halo_tickets_create", "halo_tickets_close", "halo_users_search"} {
		if _, ok := tools.Keep(user, technician).Tool(name); !ok {
			t.Errorf("%s is not in both presets", name)
		}
	}
	if _, ok := tools.Keep(user).Tool("halo_sites_get"); ok {
		t.Error("the preset user has halo_sites_get")
	}
}
