package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// The marks between which the README has what a run found out.
const (
	tableBegins = "<!-- written by go run ./resilience/bench -->\n"
	tableEnds   = "<!-- end -->\n"
)

// withTable returns the README with the results between its marks.
func withTable(readme string, r Results) (string, error) {
	before, rest, found := strings.Cut(readme, tableBegins)
	_, after, ended := strings.Cut(rest, tableEnds)
	if !found || !ended {
		return "", fmt.Errorf("%s has no place for the table", readmeFile)
	}
	head := fmt.Sprintf("%s (shared), one run of %.0f minutes:\n\n", r.Machine, r.Seconds/60)
	return before + tableBegins + head + table(r) + "\n" + configurations(r) + tableEnds + after, nil
}

// configurations says what the contenders are, and how they are told to do
// their job.
func configurations(r Results) string {
	var b strings.Builder
	b.WriteString("| contender | version | configured |\n|---|---|---|\n")
	how := make(map[string]string)
	for _, c := range contenders() {
		how[c.Name] = c.How
	}
	for _, c := range r.Contenders {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, c.Version, how[c.Name])
	}
	return b.String()
}

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
	{"**503 with p = 0.30**, 64 callers: good calls", func(r Result) string { return fmt.Sprintf("%.1f %%", r.Flaky.Success) }},
	{"requests per call", func(r Result) string { return fmt.Sprintf("%.2f", r.Flaky.PerCall) }},
	{"TCP connections opened", func(r Result) string { return fmt.Sprint(r.Flaky.Connections) }},
	{"p99 of good calls", func(r Result) string { return ms(r.Flaky.P99) }},
	{"**POST, 10 % answered 503**: done twice / lost / reported done", func(r Result) string { return r.Posts503.cell() }},
	{"POST, 10 % reset: the same", func(r Result) string { return r.PostsReset.cell() }},
	{"POST, 10 % answered too late: the same", func(r Result) string { return r.PostsLate.cell() }},
	{"POST refused by 429 / by the dial: succeeds in the end", func(r Result) string {
		return fmt.Sprintf("%d / %d of %d", r.Harmless.OnThrottle, r.Harmless.OnRefusedDial, r.Harmless.Sent)
	}},
	{"**Outage of 10 s, 503**: requests to the dead server", func(r Result) string { return thousands(r.Outage503.Reached) }},
	{"p99 of failing calls", func(r Result) string { return ms(r.Outage503.P99) }},
	{"95 % good again after", func(r Result) string { return ms(r.Outage503.Recovered) }},
	{"**Outage of 10 s, resets**: requests to the dead server", func(r Result) string { return thousands(r.OutageReset.Reached) }},
	{"p99 of failing calls", func(r Result) string { return ms(r.OutageReset.P99) }},
	{"95 % good again after", func(r Result) string { return ms(r.OutageReset.Recovered) }},
	{"**Quota 100/s, token bucket**: used / wasted / failed calls", func(r Result) string { return r.Bucket.cell() }},
	{"Quota 100/s, fixed window: the same", func(r Result) string { return r.Fixed.cell() }},
	{"Quota 100/s, rolling window: the same", func(r Result) string { return r.Rolling.cell() }},
	{"Quota 100/s, rolling window, answers after 150 ms: the same", func(r Result) string { return r.Far.cell() }},
	{"**After mixed calls**: goroutines / connections left (of so many calls)", func(r Result) string {
		return fmt.Sprintf("%d / %d (%d)", r.Leaks.Goroutines, r.Leaks.Connections, r.Leaks.Calls)
	}},
	{"100 serial calls, each repeated: TCP connections", func(r Result) string { return fmt.Sprint(r.Leaks.Serial) }},
	{"**Upload of 64 MiB repeated**: heap", func(r Result) string {
		if !r.Memory.UploadOK {
			return "not repeated, " + mib(r.Memory.UploadPeak)
		}
		return mib(r.Memory.UploadPeak)
	}},
	{"Bomb of 100 MiB: handed to the caller / heap", func(r Result) string {
		return mib(uint64(max(r.Memory.BombHanded, 0))) + " / " + mib(r.Memory.BombPeak)
	}},
	{"**Overhead**, GET: ns / allocations / bytes", func(r Result) string { return r.Overhead.StubGet.cell() }},
	{"POST of 1 KiB: the same", func(r Result) string { return r.Overhead.StubPost.cell() }},
	{"GET over loopback: time over bare", func(r Result) string { return fmt.Sprintf("%.2f", r.Overhead.LoopbackGet.Ratio) }},
	{"POST over loopback: time over bare", func(r Result) string { return fmt.Sprintf("%.2f", r.Overhead.LoopbackPost.Ratio) }},
	{"GET over https: the same", func(r Result) string { return fmt.Sprintf("%.2f", r.Overhead.TLSGet.Ratio) }},
	{"POST over https: the same", func(r Result) string { return fmt.Sprintf("%.2f", r.Overhead.TLSPost.Ratio) }},
	{"Open breaker: ns / allocations / bytes", func(r Result) string {
		if r.Overhead.Open.Nanoseconds == 0 {
			return "–"
		}
		return r.Overhead.Open.cell()
	}},
}

func (p Posts) cell() string {
	return fmt.Sprintf("%d / %d / %.1f %%", p.Doubled, p.Lost, 100*float64(p.OK)/float64(p.Sent))
}

func (t Throttled) cell() string {
	return fmt.Sprintf("%.0f %% / %.0f %% / %s", t.Used(), t.WastedShare(), thousands(int64(t.Failed)))
}

func (c Cost) cell() string {
	return fmt.Sprintf("%.0f / %.0f / %.0f", c.Nanoseconds, c.Allocations, c.Bytes)
}

func mib(bytes uint64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

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
	switch c.Name {
	case Ours:
		return "this"
	case "net/http":
		return runtime.Version()
	}
	for _, module := range modules[c.Name] {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				versions = append(versions, dependency.Version)
			}
		}
	}
	return strings.Join(versions, " + ")
}
