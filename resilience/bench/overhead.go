package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Overhead is what a call costs, and what it costs more than with the bare
// transport. Nanoseconds are of the fastest of many rounds: what else the machine
// does can only make one slower. Ratios are the median of those of two rounds
// that follow each other, one of them bare: the machine is not as fast in one
// moment as in another.
type Overhead struct {
	StubGet, StubPost         Cost // on a base transport that does nothing
	LoopbackGet, LoopbackPost Cost // over http
	TLSGet, TLSPost           Cost // over https, as APIs are reached
	Open                      Cost // while the circuit breaker is open
}

// Cost of one call.
type Cost struct {
	Nanoseconds float64
	Ratio       float64 // to the bare transport
	Allocations float64 // beyond those of the bare transport
	Bytes       float64 // the same
}

// A rig is one way to call all contenders.
type rig struct {
	clients []http.RoundTripper
	url     string
	method  string
	calls   int // in a row
	rounds  int
}

// overheads measures all contenders together, of which the first is the bare
// transport. One processor is enough for one caller: with more, a round takes up
// to three times as long as the one before, by where its goroutines wake up.
func overheads(list []contender, rounds int) ([]Overhead, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	all := make([]Overhead, len(list))
	handler := func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, 100) }
	plain, secure := serve(handler), serveTLS(handler)
	defer plain.end()
	defer secure.end()
	for _, m := range []struct {
		site   *site
		base   http.RoundTripper
		method string
		into   func(*Overhead) *Cost
	}{
		{plain, stub{}, http.MethodGet, func(o *Overhead) *Cost { return &o.StubGet }},
		{plain, stub{}, http.MethodPost, func(o *Overhead) *Cost { return &o.StubPost }},
		{plain, plain.base, http.MethodGet, func(o *Overhead) *Cost { return &o.LoopbackGet }},
		{plain, plain.base, http.MethodPost, func(o *Overhead) *Cost { return &o.LoopbackPost }},
		{secure, secure.base, http.MethodGet, func(o *Overhead) *Cost { return &o.TLSGet }},
		{secure, secure.base, http.MethodPost, func(o *Overhead) *Cost { return &o.TLSPost }},
	} {
		r := rig{url: m.site.URL, method: m.method, calls: 2000, rounds: rounds}
		if m.base != (stub{}) {
			r.calls, r.rounds = 50, 25*rounds
		}
		for _, c := range list {
			client, err := c.open(m.site.URL, m.base)
			if err != nil {
				return nil, err
			}
			r.clients = append(r.clients, client)
		}
		costs, err := r.measure()
		if err != nil {
			return nil, err
		}
		for i := range all {
			*m.into(&all[i]) = costs[i]
		}
	}
	for i, c := range list {
		if !c.Breaker {
			continue
		}
		cost, err := openCost(c)
		if err != nil {
			return nil, err
		}
		all[i].Open = cost
	}
	return all, nil
}

// stub is a base transport that does nothing.
type stub struct{}

// RoundTrip implements [http.RoundTripper].
func (stub) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func (r rig) measure() ([]Cost, error) {
	costs := make([]Cost, len(r.clients))
	for i, client := range r.clients {
		costs[i] = Cost{Nanoseconds: math.Inf(1), Allocations: math.Inf(1), Ratio: 1}
		for range 5 { // others allocate, too
			if err := r.allocations(client, &costs[i]); err != nil {
				return nil, err
			}
		}
	}
	for i := range costs[1:] {
		costs[i+1].Allocations -= costs[0].Allocations
		costs[i+1].Bytes -= costs[0].Bytes
	}
	ratios := make([][]float64, len(r.clients))
	for round := range r.rounds {
		for _, i := range rand.Perm(len(r.clients) - 1) { //nolint:gosec // no secret
			pair := [2]int{0, i + 1} // bare and not; in the next round the other way round
			var took [2]float64
			for k := range pair {
				k = (k + round) % 2
				var err error
				if took[k], err = r.time(r.clients[pair[k]]); err != nil {
					return nil, err
				}
				costs[pair[k]].Nanoseconds = min(costs[pair[k]].Nanoseconds, took[k])
			}
			ratios[i+1] = append(ratios[i+1], took[1]/took[0])
		}
	}
	for i := range costs[1:] {
		slices.Sort(ratios[i+1])
		costs[i+1].Ratio = ratios[i+1][r.rounds/2]
	}
	return costs, nil
}

// warmCalls come before those that are measured: the contender before has
// left its own code and data in the processor's caches.
const warmCalls = 10

// time returns how many nanoseconds a call takes, one caller calling.
func (r rig) time(client http.RoundTripper) (float64, error) {
	// Callers have a deadline; without one some contenders need a timer.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var began time.Time
	for i := range warmCalls + r.calls {
		if i == warmCalls {
			began = time.Now()
		}
		if err := r.call(ctx, client); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(began)) / float64(r.calls), nil
}

// allocations lowers the allocations of a call to what is seen.
func (r rig) allocations(client http.RoundTripper, c *Cost) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := r.time(client); err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	n := float64(warmCalls + r.calls)
	if seen := float64(after.Mallocs-before.Mallocs) / n; seen < c.Allocations {
		c.Allocations, c.Bytes = seen, float64(after.TotalAlloc-before.TotalAlloc)/n
	}
	return nil
}

var kilobyte = strings.Repeat("x", 1<<10)

func (r rig) call(ctx context.Context, client http.RoundTripper) error {
	var req *http.Request
	var err error
	if r.method == http.MethodPost {
		req, err = http.NewRequestWithContext(ctx, r.method, r.url, strings.NewReader(kilobyte))
	} else {
		req, err = http.NewRequestWithContext(ctx, r.method, r.url, nil)
	}
	if err != nil {
		return err
	}
	return do(client, req)
}

// openCost opens a circuit breaker and measures calls that it refuses.
func openCost(c contender) (Cost, error) {
	const url = "http://127.0.0.1:1"
	client, err := c.open(url, dead{})
	if err != nil {
		return Cost{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := rig{url: url, method: http.MethodGet}
	for tries := 0; !isOpen(r.call(ctx, client)); tries++ {
		if tries > 100 {
			return Cost{}, fmt.Errorf("%s does not open", c.Name)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Cost{}, err
	}
	const calls = 20_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fastest := math.Inf(1)
	for range 10 {
		began := time.Now()
		for range calls / 10 {
			if _, err := client.RoundTrip(req); err == nil { //nolint:bodyclose // its answers have none
				return Cost{}, fmt.Errorf("%s let a call through", c.Name)
			}
		}
		fastest = min(fastest, float64(time.Since(began))/(calls/10))
	}
	runtime.ReadMemStats(&after)
	return Cost{
		Nanoseconds: fastest,
		Allocations: float64(after.Mallocs-before.Mallocs) / calls,
		Bytes:       float64(after.TotalAlloc-before.TotalAlloc) / calls,
	}, nil
}

// dead is a base transport whose server is down.
type dead struct{}

// RoundTrip implements [http.RoundTripper].
func (dead) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: req}, nil
}
