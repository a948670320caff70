package resilience_test

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// load runs calls GETs by 64 workers and returns how many got a 200.
func load(t *testing.T, transport *resilience.Transport, calls int64, think time.Duration) int64 {
	t.Helper()
	var left, good atomic.Int64
	left.Store(calls)
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if status, err := send(t.Context(), t, transport, "GET"); err == nil && status == http.StatusOK {
					good.Add(1)
				}
				time.Sleep(think)
			}
		})
	}
	workers.Wait()
	return good.Load()
}

// A server that fails three times in ten is survivable: the breaker stays
// closed and the budget suffices.
func TestThirtyPercentFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var upstream atomic.Int64
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			upstream.Add(1)
			time.Sleep(5 * time.Millisecond)
			if rand.Float64() < 0.3 {
				return answer(r, 503, ""), nil
			}
			return answer(r, 200, ""), nil
		})
		const calls = 2000
		good := load(t, transport, calls, 0)
		if good < calls*985/1000 || upstream.Load() > calls*150/100 { // 0.3⁴ = 0.8 % fail all four attempts
			t.Errorf("%d of %d good at %d requests", good, calls, upstream.Load())
		}
	})
}

// A dead server sees the requests in flight and then a probe per cooldown, and
// is in use again soon after it lives.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead, whileDead, afterwards atomic.Int64
		dead.Store(1)
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			time.Sleep(5 * time.Millisecond)
			if dead.Load() == 1 {
				whileDead.Add(1)
				return answer(r, 503, ""), nil
			}
			afterwards.Add(1)
			return answer(r, 200, ""), nil
		})
		time.AfterFunc(10*time.Second, func() { dead.Store(0) })
		start := time.Now()
		for time.Since(start) < 25*time.Second {
			load(t, transport, 64*10, 100*time.Millisecond)
		}
		if whileDead.Load() > 64+64+5 || afterwards.Load() == 0 {
			t.Errorf("%d requests to the dead server, %d afterwards", whileDead.Load(), afterwards.Load())
		}
	})
}

// What a call that goes well costs more, the guarded body of its answer
// included.
func TestOverheadInAllocations(t *testing.T) {
	base := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: empty{}}, nil
	})
	wrapped := newTransport(t, base)
	count := func(transport http.RoundTripper, method string) (allocations, bytes float64) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, site, nil)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		buffer := make([]byte, 8) // of our own: io.Copy has one that it sometimes allocates
		allocations, bytes = math.Inf(1), math.Inf(1)
		for range 20 { // others allocate, too
			const calls = 100
			runtime.ReadMemStats(&before)
			for range calls {
				resp, err := transport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = resp.Body.Read(buffer)
				_ = resp.Body.Close()
			}
			runtime.ReadMemStats(&after)
			allocations = min(allocations, float64(after.Mallocs-before.Mallocs)/calls)
			bytes = min(bytes, float64(after.TotalAlloc-before.TotalAlloc)/calls)
		}
		return allocations, bytes
	}
	for method, limit := range map[string]struct{ allocations, bytes float64 }{"GET": {2, 100}, "POST": {8, 1024}} {
		allocations, bytes := count(base, method)
		ours, oursBytes := count(wrapped, method)
		t.Logf("%s: %.2f allocations, %.1f bytes", method, ours-allocations, oursBytes-bytes)
		if ours-allocations > limit.allocations || oursBytes-bytes > limit.bytes {
			t.Errorf("%s: %.2f allocations and %.1f bytes more", method, ours-allocations, oursBytes-bytes)
		}
	}
}

// empty is a body that is not known to be.
type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }
func (empty) Close() error             { return nil }
