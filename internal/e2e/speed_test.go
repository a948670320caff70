package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// The targets, and how far a measurement may be off before a test fails. The
// benchmarks print the figures; see the README.
const (
	targetStart    = 30 * time.Millisecond
	targetMemory   = 30.0 // MB
	targetOverhead = 60 * time.Microsecond
	targetRatio    = 1.3
	targetRate     = 3000.0 // calls a second
	leeway         = 3      // for times
)

// ours is the real server with every tool, as configured in life.
func ours(t testing.TB, c canned) *exec.Cmd {
	cmd := exec.Command(serverBinary(t), "-preset", "all")
	cmd.Env = c.environment(t) // stderr is discarded
	return cmd
}

// theirsByHand is the server without this library.
func theirsByHand(t testing.TB, c canned) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	// It collects garbage as seldom as ours does.
	cmd.Env = append(c.environment(t), "TOOLBELT_E2E_HANDWRITTEN=1", "GOGC=400")
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
// json.Marshal for ten rows, of mail and of tickets: medians of n.
func measureOverhead(t testing.TB, n int) (mail, tickets time.Duration) {
	fakeGraph, fakeHalo := graphtest.New(graphtest.Options{}), halotest.New(halotest.Options{})
	defer fakeGraph.Close()
	defer fakeHalo.Close()
	microsoft, err := graph.New(auth.Static(fakeGraph.Token()), graph.Options{BaseURL: fakeGraph.URL(), TimeZone: "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	halo, err := halopsa.New(auth.Static(fakeHalo.Token()), halopsa.Options{URL: fakeHalo.URL()})
	if err != nil {
		t.Fatal(err)
	}
	mails, err := microsoft.SearchMail(t.Context(), graph.SearchMailInput{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := halo.SearchTickets(t.Context(), halopsa.SearchTicketsInput{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return overhead[graph.SearchMailInput](t, n, microsoft.Tools(), "m365_mail_search", mails),
		overhead[halopsa.SearchTicketsInput](t, n, halo.Tools(), "halo_tickets_search", queue)
}

// overhead measures one tool, whose function is replaced by one that returns page.
func overhead[In, Row any](t testing.TB, n int, tools mcptools.Set, name string, page *mcptools.Page[Row]) time.Duration {
	if len(page.Items) != 10 {
		t.Fatalf("%s: %d rows", name, len(page.Items))
	}
	tool, _ := tools.Tool(name)
	set := mcptools.NewSet(mcptools.Define(tool.Spec(), func(context.Context, In) (*mcptools.Page[Row], error) { return page, nil }))
	args := json.RawMessage(`{"limit":10}`)
	added := make([]time.Duration, 0, n)
	for range n {
		start := time.Now()
		if _, err := set.Call(t.Context(), name, args); err != nil {
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

// throughput is what a server does with as many calls as it can take.
type throughput struct {
	rate   float64       // calls a second
	cpu    time.Duration // the server's processor time of a call
	memory float64       // resident after all of them, in MB
}

// measureRate makes n calls through stdio.
func measureRate(t testing.TB, n int, server func(testing.TB, canned) *exec.Cmd) throughput {
	p := spawn(t, server(t, newCanned(t)))
	defer p.end(t)
	p.load(t, "tools/call", search, 10*atOnce, atOnce) // warm
	used, start := p.cpu(t), time.Now()
	p.load(t, "tools/call", search, n, atOnce)
	took := time.Since(start)
	return throughput{float64(n) / took.Seconds(), (p.cpu(t) - used) / time.Duration(n), p.resident(t)}
}

// TestSpeed fails when a figure is far from its target. Other tests that run at
// the same time would be measured, too, so it waits to be asked.
func TestSpeed(t *testing.T) {
	if slowed > 1 {
		t.Skip("figures under the race detector say nothing")
	}
	if os.Getenv("TOOLBELT_QUIET") == "" {
		t.Skip("figures say nothing while other tests run: set TOOLBELT_QUIET=1 on a machine that does nothing else")
	}
	start, memory := measureStart(t, 11)
	mail, tickets := measureOverhead(t, 2000)
	our, hand := measureCPU(t, 1000)
	var rates, byHand []float64
	for range 3 {
		rates = append(rates, measureRate(t, 2000, ours).rate)
		byHand = append(byHand, measureRate(t, 2000, theirsByHand).rate)
	}
	rate, handRate := median(rates), median(byHand)
	t.Logf("start %s, memory %.1f MB, validation %s and %s, cpu %s against %s, %.0f calls/s against %.0f",
		start, memory, mail, tickets, our, hand, rate, handRate)
	// A machine on which nothing comes near the target tells by the handler by hand.
	tooSlow := rate < min(targetRate, handRate)/leeway
	if start > leeway*targetStart || memory > 1.5*targetMemory || max(mail, tickets) > leeway*targetOverhead ||
		float64(our) > 1.5*targetRatio*float64(hand) || tooSlow {
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
		mail, tickets := measureOverhead(b, 20_000)
		b.ReportMetric(float64(mail.Nanoseconds())/1000, "µs-added-to-mail")
		b.ReportMetric(float64(tickets.Nanoseconds())/1000, "µs-added-to-tickets")
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
		our := measureRate(b, 20_000, ours)
		hand := measureRate(b, 20_000, theirsByHand)
		b.ReportMetric(our.rate, "calls/s")
		b.ReportMetric(hand.rate, "calls/s-by-hand")
		b.ReportMetric(float64(our.cpu.Microseconds()), "µs-server")
		b.ReportMetric(float64(hand.cpu.Microseconds()), "µs-server-by-hand")
		b.ReportMetric(measureDirect(b, 40_000), "calls/s-without-MCP")
		b.ReportMetric(our.memory, "MB-resident")
	}
}
