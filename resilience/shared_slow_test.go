package resilience_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// Callers that come together wait together for a KV that hangs, once.
func TestSharedKVHangs(t *testing.T) {
	for name, pacing := range map[string]resilience.Pacing{"paced": {Rate: 1e4, Burst: 1e4}, "unpaced": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				twins, _ := newTwins(t, &memory{fault: stuck}, always(200), func(o *resilience.Options) {
					o.Limits.Pacing, o.Limits.MaxInFlight = pacing, -1
				})
				var longest, delayed atomic.Int64
				for range 30 { // of 100 ms
					var callers sync.WaitGroup
					for range 64 {
						callers.Go(func() {
							_, took, err := get(t, twins[0])
							if err != nil {
								t.Error(err)
							}
							longest.Store(max(longest.Load(), int64(took)))
							if took > 0 {
								delayed.Add(1)
							}
						})
					}
					time.Sleep(100 * time.Millisecond)
					callers.Wait()
				}
				t.Logf("at most %v; %d of %d delayed", time.Duration(longest.Load()), delayed.Load(), 30*64)
				if longest.Load() > int64(200*time.Millisecond) || delayed.Load() > 64+4 { // breaker and pace, one after the other
					t.Errorf("waited up to %v; %d of %d delayed", time.Duration(longest.Load()), delayed.Load(), 30*64)
				}
			})
		})
	}
}

// A slow KV delays all that come together by one exchange or two, not by one
// each.
func TestSharedKVSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twins, logs := newTwins(t, &memory{fault: slow(40 * time.Millisecond)}, always(200), func(o *resilience.Options) {
			o.Limits.Pacing, o.Limits.MaxInFlight = resilience.Pacing{Rate: 1e4, Burst: 1e4}, -1
		})
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				if _, took, err := get(t, twins[0]); err != nil || took > 160*time.Millisecond {
					t.Errorf("%v after %v", err, took)
				}
			})
		}
		callers.Wait()
		if n := logs[0].warnings.Load(); n != 0 {
			t.Errorf("%d warnings", n)
		}
	})
}

// A KV that comes and goes is worth one warning.
func TestSharedKVFlickers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := new(memory)
		calls := 0
		kv.fault = func(ctx context.Context) error {
			if calls++; calls%3 == 0 {
				return errGone
			}
			return ctx.Err()
		}
		twins, logs := newTwins(t, kv, always(200), func(o *resilience.Options) { o.Limits.Pacing.Rate = 20 })
		for range 200 {
			if _, _, err := get(t, twins[0]); err != nil {
				t.Fatal(err)
			}
		}
		if calls < 30 || logs[0].warnings.Load() != 1 || logs[0].infos.Load() != 0 {
			t.Errorf("%d calls, %d warnings, %d times shared again", calls, logs[0].warnings.Load(), logs[0].infos.Load())
		}
		kv.becomes(nil)
		for range 60 {
			_, _, _ = get(t, twins[0])
		}
		if logs[0].warnings.Load() != 1 || logs[0].infos.Load() != 1 {
			t.Errorf("%d warnings, %d times shared again", logs[0].warnings.Load(), logs[0].infos.Load())
		}
	})
}

// Callers that leave say nothing about the KV.
func TestSharedCancelledCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := &memory{fault: slow(10 * time.Millisecond)}
		twins, logs := newTwins(t, kv, always(200), func(o *resilience.Options) { o.Limits.Pacing.Rate = 1000 })
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			_, _ = send(ctx, t, twins[0], "GET")
			cancel()
			ctx, cancel = context.WithCancel(t.Context())
			cancel()
			_, _ = send(ctx, t, twins[0], "GET")
		}
		if kv.calls < 50 || logs[0].warnings.Load() != 0 {
			t.Errorf("%d calls, %d warnings", kv.calls, logs[0].warnings.Load())
		}
	})
}
