package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// table is the results in Markdown: a column for each contender.
func table(r Results) string {
	var b strings.Builder
	names, rule := []string{"what"}, "|---"
	for _, c := range r.Contenders {
		name := c.Name
		if name == Ours {
			name = "**" + name + "**"
		}
		names, rule = append(names, name), rule+"|---:"
	}
	fmt.Fprintf(&b, "| %s |\n%s|\n", strings.Join(names, " | "), rule)
	for _, row := range rows {
		cells := []string{row.name}
		for _, c := range r.Contenders {
			cells = append(cells, row.cell(c))
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String()
}

type row struct {
	name string
	cell func(Result) string
}

var rows = []row{
	{"503 with p = 0.30: good calls", func(r Result) string { return fmt.Sprintf("%.1f %%", r.Flaky.Success) }},
	{"requests per call", func(r Result) string { return fmt.Sprintf("%.2f", r.Flaky.PerCall) }},
	{"TCP connections opened", func(r Result) string { return fmt.Sprint(r.Flaky.Connections) }},
	{"p99 of good calls", func(r Result) string { return ms(r.Flaky.P99) }},
	{"outage (503): requests to the dead server", func(r Result) string { return fmt.Sprint(r.Outage503.Reached) }},
	{"p99 of failing calls", func(r Result) string { return ms(r.Outage503.P99) }},
	{"95 % good again after", func(r Result) string { return ms(r.Outage503.Recovered) }},
	{"outage (resets): requests to the dead server", func(r Result) string { return fmt.Sprint(r.OutageReset.Reached) }},
	{"p99 of failing calls", func(r Result) string { return ms(r.OutageReset.P99) }},
	{"95 % good again after", func(r Result) string { return ms(r.OutageReset.Recovered) }},
}

func ms(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.2f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

func machine() string {
	return fmt.Sprintf("%s %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// modules are the contenders' Go modules.
var modules = map[string][]string{
	"go-retryablehttp":    {"github.com/hashicorp/go-retryablehttp"},
	"failsafe-go":         {"github.com/failsafe-go/failsafe-go"},
	"kiota-http-go":       {"github.com/microsoft/kiota-http-go"},
	"azcore":              {"github.com/Azure/azure-sdk-for-go/sdk/azcore"},
	"backoff + gobreaker": {"github.com/cenkalti/backoff/v4", "github.com/sony/gobreaker"},
}

// version of a contender that was built in.
func version(c contender) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var versions []string
	for _, module := range modules[c.Name] {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				versions = append(versions, dependency.Version)
			}
		}
	}
	return strings.Join(versions, " + ")
}
