package e2e

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// The targets, and how far a measurement on a busy machine may be off before a
// test fails. The benchmarks print the figures; see the README.
const (
	targetStart    = 30 * time.Millisecond
	targetMemory   = 30.0 // MB
	targetOverhead = 60 * time.Microsecond
	targetRatio    = 1.3
	targetRate     = 3000.0 // calls a second
	leeway         = 3
	busy           = 20 // for what other processes slow down most
)

// ours is the real server with every tool, as configured in life.
func ours(t testing.TB, c canned) *exec.Cmd {
	cmd := exec.Command(serverBinary(t), "-preset", "all")
	cmd.Env, cmd.Stderr = c.environment(t), io.Discard
	return cmd
}

// theirsByHand is the server without this library.
func theirsByHand(t testing.TB, c canned) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	// It collects garbage as seldom as ours does.
	cmd.Env, cmd.Stderr = append(c.environment(t), "TOOLBELT_E2E_HANDWRITTEN=1", "GOGC=400"), io.Discard
	return cmd
}

// measureStart returns the time from spawn to the answered list of tools, and
// the memory after it: medians of n.
func measureStart(t testing.TB, n int) (time.Duration, float64) {
	c := newCanned(t)
	spawn(t, ours(t, c)).end(t) // warm
	var times []time.Duration
	var memory []float64
	for range n {
		start := time.Now()
		p := spawn(t, ours(t, c))
		answer := p.request(t, "tools/list", "{}")
		times = append(times, time.Since(start))
		memory = append(memory, p.resident(t))
		p.end(t)
		var message struct {
			Result struct{ Tools []struct{ Name string } }
		}
		if err := json.Unmarshal(answer, &message); err != nil || len(message.Result.Tools) < 50 {
			t.Fatalf("%d tools, %v", len(message.Result.Tools), err)
		}
	}
	return median(times), median(memory)
}

func median[T interface{ ~int64 | ~float64 }](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// measureOverhead returns what Set.Call adds to the bare function and
// json.Marshal for ten rows of the mail search: the median of n.
func measureOverhead(t testing.TB, n int) time.Duration {
	c := newCanned(t)
	client, err := graph.New(auth.Static(c.token), graph.Options{BaseURL: c.url, TimeZone: "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.SearchMail(t.Context(), graph.SearchMailInput{Limit: 10})
	if err != nil || len(page.Items) != 10 {
		t.Fatal(err)
	}
	tool, _ := client.Tools().Tool("m365_mail_search")
	spec := tool.Spec()
	set := mcptools.NewSet(mcptools.Define(spec, func(context.Context, graph.SearchMailInput) (*mcptools.Page[graph.MessageRow], error) {
		return page, nil
	}))
	args := json.RawMessage(`{"unread":false,"limit":10}`)
	added := make([]time.Duration, 0, n)
	for range n {
		start := time.Now()
		if _, err := set.Call(t.Context(), spec.Name, args); err != nil {
			t.Fatal(err)
		}
		called := time.Now()
		if _, err := json.Marshal(page); err != nil {
			t.Fatal(err)
		}
		added = append(added, called.Sub(start)-time.Since(called))
	}
	return median(added)
}

// measureCPU returns the processor time of a call of the mail search, ours and
// by hand: n calls of each, in turns, so that a busy machine slows down both.
func measureCPU(t testing.TB, n int) (our, hand time.Duration) {
	const turn = 100
	c := newCanned(t)
	a, b := spawn(t, ours(t, c)), spawn(t, theirsByHand(t, c))
	defer a.end(t)
	defer b.end(t)
	for _, p := range []*process{a, b} {
		for range turn {
			checkRows(t, p.request(t, "tools/call", search))
		}
	}
	for range n / turn {
		for p, spent := range map[*process]*time.Duration{a: &our, b: &hand} {
			before := p.cpu(t)
			for range turn {
				p.request(t, "tools/call", search)
			}
			*spent += p.cpu(t) - before
		}
	}
	calls := time.Duration(n / turn * turn)
	return our / calls, hand / calls
}

// atOnce is how many calls are under way in the measurements of throughput.
const atOnce = 32

// measureDirect returns calls a second of an agent without MCP: the client, its
// upstream and nothing else share the machine.
func measureDirect(t testing.TB, n int) float64 {
	c := newCanned(t)
	client, err := graph.New(auth.Static(c.token), graph.Options{BaseURL: c.url})
	if err != nil {
		t.Fatal(err)
	}
	tools := client.Tools()
	args := json.RawMessage(`{"limit":10}`)
	var left atomic.Int64
	left.Store(int64(n))
	var workers sync.WaitGroup
	start := time.Now()
	for range atOnce {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := tools.Call(t.Context(), "m365_mail_search", args); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return float64(n) / time.Since(start).Seconds()
}

// measureRate returns calls a second through stdio, and the server's memory
// after them.
func measureRate(t testing.TB, n int, server func(testing.TB, canned) *exec.Cmd) (rate, memory float64) {
	p := spawn(t, server(t, newCanned(t)))
	defer p.end(t)
	checkRows(t, p.request(t, "tools/call", search))
	slots := make(chan struct{}, atOnce)
	var sender sync.WaitGroup
	start := time.Now()
	sender.Go(func() {
		for range n {
			slots <- struct{}{}
			p.send(t, "tools/call", search)
		}
	})
	var last []byte
	for range n {
		last = p.receive(t)
		<-slots
	}
	took := time.Since(start)
	sender.Wait()
	checkRows(t, last)
	return float64(n) / took.Seconds(), p.resident(t)
}

func TestSpeed(t *testing.T) {
	if slowed > 1 {
		t.Skip("figures under the race detector say nothing")
	}
	start, memory := measureStart(t, 5)
	overhead := measureOverhead(t, 500)
	our, hand := measureCPU(t, 500)
	rate, _ := measureRate(t, 1000, ours)
	t.Logf("start %s, memory %.1f MB, overhead %s, cpu %s against %s, %.0f calls/s", start, memory, overhead, our, hand, rate)
	if start > busy*targetStart || memory > 1.5*targetMemory || overhead > leeway*targetOverhead ||
		float64(our) > 1.5*targetRatio*float64(hand) || rate < targetRate/busy {
		t.Error("far from the targets")
	}
}

// The benchmarks make their own number of runs; -benchtime=1x is enough.

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		start, memory := measureStart(b, 20)
		b.ReportMetric(float64(start.Microseconds())/1000, "ms-to-list")
		b.ReportMetric(memory, "MB-resident")
	}
}

func BenchmarkValidation(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(float64(measureOverhead(b, 20_000).Nanoseconds())/1000, "µs-added")
	}
}

func BenchmarkProcessorTime(b *testing.B) {
	for b.Loop() {
		our, hand := measureCPU(b, 4000)
		b.ReportMetric(float64(our.Microseconds()), "µs-ours")
		b.ReportMetric(float64(hand.Microseconds()), "µs-by-hand")
		b.ReportMetric(float64(our)/float64(hand), "ratio")
	}
}

func BenchmarkThroughput(b *testing.B) {
	for b.Loop() {
		rate, memory := measureRate(b, 20_000, ours)
		byHand, _ := measureRate(b, 20_000, theirsByHand)
		b.ReportMetric(rate, "calls/s")
		b.ReportMetric(byHand, "calls/s-by-hand")
		b.ReportMetric(measureDirect(b, 40_000), "calls/s-without-MCP")
		b.ReportMetric(memory, "MB-resident")
	}
}
