package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

const (
	// faultCalls is how many calls the fault run makes, faultWorkers how many
	// at once.
	faultCalls, faultWorkers = 10_000 / slowed, 32
	// unsure is the result of a write that may or may not have happened.
	unsure = mcptools.CodeUncertain
)

// weather is 20 % of 429 and 503, 5 % of cut connections (before, after and in
// the middle of the work) and 5 % of slow answers.
var weather = graphtest.Rates{
	TooManyRequests: 0.10, Unavailable: 0.10,
	DropBefore: 0.02, DropAfter: 0.02, DropDuring: 0.01,
	Slow: 0.05, SlowBy: 5 * time.Millisecond,
	RetryAfter: []string{"", "0"},
}

// TestFaults makes many calls in bad weather. No write may be done twice, none
// may be lost without an error, every error must be typed and say what to do,
// and nothing may be left behind.
func TestFaults(t *testing.T) {
	defer goleak.VerifyNone(t)
	upstream := new(attempts)
	w := newWorldWith(t, func(o *resilience.Options) { o.Hooks.Attempt = upstream.note })
	defer w.close()
	run := newFaultRun(t, w)

	w.m365.Faults().SetRates(1, weather)
	w.halo.Faults().SetRates(2, weather)
	start := time.Now()
	run.all()
	took := time.Since(start)
	w.m365.Faults().Clear()
	w.halo.Faults().Clear()

	run.compare()
	if v := append(w.m365.Violations(), w.halo.Violations()...); len(v) > 0 {
		t.Errorf("%d violations, the first %+v", len(v), v[0])
	}
	if good := run.good.Load(); good < faultCalls*8/10 {
		t.Errorf("only %d of %d calls succeeded", good, faultCalls)
	}
	if run.writes.doubled+run.writes.lost > 0 {
		t.Errorf("writes: %+v", run.writes)
	}
	t.Logf("%d calls in %s: %d good, errors %v", faultCalls, took.Round(time.Millisecond), run.good.Load(), run.codes)
	t.Logf("%d requests went upstream: %v", upstream.all, upstream.classes)
	t.Logf("writes: %+v", run.writes)
	t.Logf("faults of Microsoft 365 %v, of HaloPSA %v", w.m365.Faults().Injected(), w.halo.Faults().Injected())
}

// world is the two fakes, and their tools through the whole library.
type world struct {
	m365  *graphtest.Server
	halo  *halotest.Server
	tools mcptools.Set
	close func()
}

func newWorld(t *testing.T) *world { return newWorldWith(t, nil) }

// newWorldWith starts a world whose transports are tuned.
func newWorldWith(t *testing.T, tune func(*resilience.Options)) *world {
	t.Helper()
	w := &world{m365: graphtest.New(graphtest.Options{}), halo: halotest.New(halotest.Options{})}
	base := resilience.NewBase()
	w.close = func() {
		base.CloseIdleConnections()
		w.m365.Close()
		w.halo.Close()
	}
	// Shorter waits than in life, so that the run ends the same day.
	patience := resilience.Options{Base: base, Retry: resilience.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}}
	if tune != nil {
		tune(&patience)
	}
	microsoft, err := graph.New(auth.Static(w.m365.Token()), graph.Options{BaseURL: w.m365.URL(), TimeZone: "Europe/Berlin", Resilience: patience})
	if err != nil {
		t.Fatal(err)
	}
	psa, err := halopsa.New(auth.Static(w.halo.Token()), halopsa.Options{URL: w.halo.URL(), Resilience: patience})
	if err != nil {
		t.Fatal(err)
	}
	w.tools = mcptools.Join(microsoft.Tools(), psa.Tools()).With(mcptools.Timeout(30 * time.Second))
	return w
}

// faultRun is the calls and what became of them.
type faultRun struct {
	t     *testing.T
	world *world
	kinds []faultKind
	good  atomic.Int64

	writes writes

	mu      sync.Mutex
	codes   map[mcptools.Code]int
	reports map[string]map[string]mcptools.Code // by tool and marker of a write: "" for a success
}

func newFaultRun(t *testing.T, w *world) *faultRun {
	r := &faultRun{t: t, world: w, codes: map[mcptools.Code]int{}, reports: map[string]map[string]mcptools.Code{}}
	r.kinds = append(faultReads(), faultWrites(t, w)...)
	for _, kind := range r.kinds {
		if kind.count != nil {
			r.reports[kind.name] = map[string]mcptools.Code{}
		}
	}
	return r
}

func (r *faultRun) all() {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range faultWorkers {
		workers.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= faultCalls {
					return
				}
				r.one(r.kinds[n%len(r.kinds)], n)
			}
		})
	}
	workers.Wait()
}

func (r *faultRun) one(kind faultKind, n int) {
	args, err := json.Marshal(kind.args(n))
	if err != nil {
		r.t.Error(err)
		return
	}
	result, err := r.world.tools.Call(r.t.Context(), kind.tool, args)
	code, ok := r.judge(kind.tool, err)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.good.Add(1)
	} else {
		r.codes[code]++
	}
	if kind.count == nil {
		return
	}
	for _, marker := range kind.markers(n) {
		r.reports[kind.name][marker] = code
	}
	if err == nil && kind.failed != nil {
		maps.Copy(r.reports[kind.name], kind.failed(n, result.Value))
	}
}

// judge holds an error to what every error must have.
func (r *faultRun) judge(tool string, err error) (mcptools.Code, bool) {
	if err == nil {
		return "", true
	}
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		r.t.Errorf("%s: an untyped error: %v", tool, err)
		return "", false
	}
	if e.Code == mcptools.CodeInternal || e.Hint == "" && !e.Retryable() {
		r.t.Errorf("%s: an error without a remedy: %v (%v)", tool, e, e.Err)
	}
	return e.Code, true
}

// compare holds what the callers were told against what happened.
func (r *faultRun) compare() {
	for _, kind := range r.kinds {
		if kind.count == nil {
			continue
		}
		counted := kind.count()
		tally := map[string]int{}
		for marker, code := range r.reports[kind.name] {
			n := counted[marker]
			r.writes.note(string(code), n)
			tally[fmt.Sprintf("%s %d", code, n)]++
			switch {
			case n > 1:
				r.t.Errorf("%s %s was done %d times", kind.name, marker, n)
			case code == "" && n != 1:
				r.t.Errorf("%s %s was reported done and was not", kind.name, marker)
			case code != "" && code != unsure && n != 0:
				r.t.Errorf("%s %s was done and reported as %s", kind.name, marker, code)
			}
		}
		for marker := range counted {
			if _, reported := r.reports[kind.name][marker]; !reported && strings.HasPrefix(marker, "marker-") {
				r.t.Errorf("%s %s was done and never asked for", kind.name, marker)
			}
		}
		if tally[" 1"] == 0 {
			r.t.Errorf("%s never succeeded", kind.name)
		}
		r.t.Logf("%-24s outcomes (code, times done): %v", kind.name, tally)
	}
}
