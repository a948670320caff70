package resilience_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// Whatever servers, callers and the KV do in any order, no process is left with
// a breaker that stays open.
func TestSharedBreakersAlwaysRecover(t *testing.T) {
	for range 40 {
		synctest.Test(t, func(t *testing.T) {
			var healthy atomic.Bool
			kv := new(memory)
			twins, _ := newTwins(t, kv, func(r *http.Request) (*http.Response, error) {
				time.Sleep(rand.N(20 * time.Millisecond))
				switch n := rand.IntN(100); {
				case healthy.Load() || n < 20:
					return answer(r, 200, ""), nil
				case n < 22:
					return hang(r)
				case n < 24:
					panic("base")
				}
				return answer(r, 503, ""), nil
			}, func(o *resilience.Options) {
				o.Retry.MaxAttempts, o.Retry.AttemptTimeout, o.Breaker.MaxCooldown = 1, 5*time.Second, 4*time.Second
			})
			end := time.Now().Add(20 * time.Second)
			var workers sync.WaitGroup
			workers.Go(func() {
				faults := []func(context.Context) error{nil, nil, gone, stuck, slow(50 * time.Millisecond)}
				for time.Now().Before(end) {
					kv.becomes(faults[rand.IntN(len(faults))])
					if rand.IntN(4) == 0 {
						kv.replace(nil)
					}
					time.Sleep(rand.N(3 * time.Second))
				}
				kv.becomes(faults[rand.IntN(len(faults))])
			})
			for i := range 8 {
				workers.Go(func() {
					for time.Now().Before(end) {
						ctx, cancel := context.WithTimeout(t.Context(), rand.N(10*time.Second))
						func() {
							defer func() { _ = recover() }() // of the base
							_, _ = send(ctx, t, twins[i%2], "GET")
						}()
						cancel()
						time.Sleep(rand.N(100 * time.Millisecond))
					}
				})
			}
			workers.Wait()
			healthy.Store(true)
			time.Sleep(5*time.Second + 6*time.Second) // a lost probe, and the longest cooldown
			for range 100 {
				for _, twin := range twins {
					_, _, _ = get(t, twin)
				}
				time.Sleep(100 * time.Millisecond)
			}
			for i, twin := range twins {
				if status, _, err := get(t, twin); status != 200 || err != nil {
					t.Errorf("process %d: %d, %v: %+v", i, status, err, twin.Snapshot().Breakers)
				}
			}
		})
	}
}
