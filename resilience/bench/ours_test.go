package main

import (
	"math"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// These tests hold this project's own column to its promises. By default they
// are short; with TOOLBELT_POSTS=100000, TOOLBELT_OUTAGE=10s and
// TOOLBELT_THROTTLED=15s they are as long, and as strict, as the promises. Those
// that count what the process has run alone, before the parallel ones.

// own is this project's contender.
func own(t testing.TB) contender {
	t.Helper()
	for _, c := range contenders() {
		if c.Name == Ours {
			return c
		}
	}
	t.Fatal("ours is not among the contenders")
	return contender{}
}

// with is ours with more options.
func with(o resilience.Options) contender {
	return contender{Name: Ours, Breaker: true, open: func(site string, base http.RoundTripper) (http.RoundTripper, error) {
		return oursWith(site, base, o)
	}}
}

// A server that fails three times in ten is survivable with the breaker on.
func TestFlaky(t *testing.T) {
	t.Parallel()
	got, err := flaky(own(t), 4000, 15*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// 0.3⁴ of the calls fail all attempts: 99.19 % and 1.417 are expected, and
	// 4000 calls scatter by 0.14 % and 0.012.
	if got.Success < 98.7 || got.PerCall > 1.46 {
		t.Errorf("%.2f %% good at %.3f requests per call", got.Success, got.PerCall)
	}
	if got.Connections > 2*workers { // net/http may dial while another becomes idle
		t.Errorf("%d connections for %d callers", got.Connections, workers)
	}
}

// No operation is done twice, none is reported as done that is not, whatever
// the server does after it was carried out.
func TestPosts(t *testing.T) {
	n := 900
	if s := os.Getenv("TOOLBELT_POSTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	// The breaker would keep operations from being sent when others are late.
	patient := with(resilience.Options{Breaker: resilience.BreakerPolicy{Consecutive: 1 << 30, MinRequests: 1 << 30}})
	for name, misbehave := range map[string]http.HandlerFunc{"503": unavailable, "reset": resetting, "late": late} {
		t.Run(name, func(t *testing.T) {
			got, err := posts(patient, n/3+1, misbehave)
			if err != nil {
				t.Fatal(err)
			}
			if got.Doubled != 0 || got.Lost != 0 || got.OK < got.Sent/2 || got.OK == got.Sent {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A POST that was surely not carried out is repeated.
func TestHarmless(t *testing.T) {
	t.Parallel()
	got, err := harmless(own(t), 20)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Harmless{Sent: 20, OnThrottle: 20, OnRefusedDial: 20}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// After calls that end in every way nothing is left, and calls that have to be
// repeated use their connection again.
func TestLeaks(t *testing.T) {
	got, err := leaks(own(t), 25, 3000, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got.Goroutines != 0 || got.Connections != 0 || got.Serial != 1 || got.Calls < 500 {
		t.Errorf("%+v", got)
	}
}

// An upload is not buffered for its repetition; an answer costs no more than
// its limit.
func TestMemory(t *testing.T) {
	const limit = 1 << 20
	got, err := memory(with(resilience.Options{Limits: resilience.Limits{MaxResponseBytes: limit}}))
	if err != nil {
		t.Fatal(err)
	}
	// What net/http and the server allocate to copy is in it.
	if !got.UploadOK || got.UploadTotal > 1<<20 {
		t.Errorf("repeated: %v; %d bytes allocated", got.UploadOK, got.UploadTotal)
	}
	if !got.BombRefused || got.BombHanded > limit || got.BombTotal > limit+64<<10 {
		t.Errorf("refused: %v; %d bytes handed over, %d allocated", got.BombRefused, got.BombHanded, got.BombTotal)
	}
}

// A call that goes well costs hardly more than without the transport, and one
// that an open breaker refuses costs next to nothing.
func TestOverhead(t *testing.T) {
	list := []contender{contenders()[0], own(t)}
	all, err := overheads(list, 3)
	if err != nil {
		t.Fatal(err)
	}
	got := all[1]
	for _, c := range []struct {
		name               string
		cost               Cost
		allocations, bytes float64
	}{
		{"GET", got.StubGet, 2, 100},
		{"POST", got.StubPost, 8, 1 << 10},
		{"open", got.Open, 3, 1 << 10},
	} {
		if c.cost.Allocations > c.allocations+0.1 || c.cost.Bytes > c.bytes+1 { // the runtime allocates a little itself
			t.Errorf("%s: %.2f allocations and %.0f bytes more", c.name, c.cost.Allocations, c.cost.Bytes)
		}
	}
}

// Over loopback a call takes hardly longer than with the bare transport. What
// else the machine does is forgiven twice.
func TestTimeOverLoopback(t *testing.T) {
	if os.Getenv("TOOLBELT_QUIET") == "" {
		t.Skip("times say nothing while other tests run: set TOOLBELT_QUIET=1 on a machine that does nothing else")
	}
	const most = 1.05
	get, post := math.Inf(1), math.Inf(1)
	for try := 0; try < 3 && max(get, post) > most; try++ {
		all, err := overheads([]contender{contenders()[0], own(t)}, 20)
		if err != nil {
			t.Fatal(err)
		}
		bare, ours := all[0], all[1]
		t.Logf("GET %.3f, POST %.3f; the bare transport beside itself %.3f, %.3f", ours.LoopbackGet.Ratio, ours.LoopbackPost.Ratio, bare.LoopbackGet.Ratio, bare.LoopbackPost.Ratio)
		get, post = min(get, ours.LoopbackGet.Ratio), min(post, ours.LoopbackPost.Ratio)
	}
	if get > most || post > most {
		t.Errorf("GET takes %.3f times as long, POST %.3f", get, post)
	}
}
