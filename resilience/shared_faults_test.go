package resilience_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// get sends one request and returns how long it took.
func get(t *testing.T, transport http.RoundTripper) (status int, took time.Duration, err error) {
	t.Helper()
	start := time.Now()
	status, err = send(t.Context(), t, transport, "GET")
	return status, time.Since(start), err
}

// What a server asks of one process holds the other soon.
func TestSharedHold(t *testing.T) {
	for _, status := range []int{429, 503} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var free, early atomic.Int64
				base := func(r *http.Request) (*http.Response, error) {
					now := time.Now().UnixNano()
					switch until := free.Load(); {
					case until == 0:
						free.Store(now + int64(5*time.Second))
						return answer(r, status, "5"), nil
					case now < until:
						early.Add(1)
					}
					return answer(r, 200, ""), nil
				}
				twins, _ := newTwins(t, new(memory), base, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
				free.Store(-1)
				if _, _, err := get(t, twins[1]); err != nil { // it has just looked for news
					t.Fatal(err)
				}
				free.Store(0)
				if got, _, err := get(t, twins[0]); got != status || err != nil {
					t.Fatal(got, err)
				}
				time.Sleep(250 * time.Millisecond)
				got, took, err := get(t, twins[1])
				if got != 200 || err != nil || took < 4*time.Second || early.Load() != 0 {
					t.Errorf("%d, %v after %v, %d too early", got, err, took, early.Load())
				}
			})
		})
	}
}

// One process's outage is the other's, one probe in a cooldown is enough for
// all, and one success closes the breakers of all.
func TestSharedBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		var requests, good atomic.Int64
		base := func(r *http.Request) (*http.Response, error) {
			requests.Add(1)
			time.Sleep(20 * time.Millisecond)
			if dead.Load() {
				return answer(r, 503, ""), nil
			}
			return answer(r, 200, ""), nil
		}
		twins, _ := newTwins(t, new(memory), base, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
		dead.Store(true)
		for range 10 {
			if _, err := send(t.Context(), t, twins[0], "GET"); err != nil {
				t.Fatal(err)
			}
		}
		requests.Store(0)
		if _, _, err := get(t, twins[1]); !isOpenError(err) {
			t.Errorf("%v; the other's outage is not known", err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for i := range 32 {
			callers.Go(func() {
				for ctx.Err() == nil {
					if status, err := send(ctx, t, twins[i%2], "GET"); err == nil && status == http.StatusOK {
						good.Add(1)
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		time.Sleep(9 * time.Second) // of cooldowns of 2 s and up to a fifth
		if n := requests.Load(); n < 3 || n > 4 {
			t.Errorf("%d probes in 9 s", n)
		}
		dead.Store(false)
		time.Sleep(2900 * time.Millisecond) // the cooldown and 0.5 s
		good.Store(0)
		time.Sleep(time.Second)
		if n := good.Load(); n < 900 { // of 32 callers, each 33 times
			t.Errorf("%d good answers in the second after recovery", n)
		}
		stop()
		callers.Wait()
		for _, twin := range twins {
			if state := twin.Snapshot().Breakers[0].State; state != resilience.Closed {
				t.Errorf("a breaker is %s", state)
			}
		}
	})
}

func isOpenError(err error) bool {
	_, ok := errors.AsType[*resilience.OpenError](err)
	return ok
}

// A prober that gets lost does not keep the others from trying.
func TestSharedProbeLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mode atomic.Value
		mode.Store(roundTripper(always(503)))
		base := func(r *http.Request) (*http.Response, error) { return mode.Load().(roundTripper)(r) }
		twins, _ := newTwins(t, new(memory), base, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
		for range 10 {
			_, _, _ = get(t, twins[0])
		}
		_, _, _ = get(t, twins[1])
		time.Sleep(2500 * time.Millisecond)
		mode.Store(roundTripper(hang))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		lost := make(chan error)
		go func() {
			_, err := send(ctx, t, twins[0], "GET")
			lost <- err
		}()
		synctest.Wait()
		mode.Store(roundTripper(always(200)))
		if _, _, err := get(t, twins[1]); !isOpenError(err) {
			t.Errorf("%v: a second probe while the first is under way", err)
		}
		time.Sleep(2500 * time.Millisecond)
		if status, _, err := get(t, twins[1]); status != 200 || err != nil {
			t.Errorf("%d, %v: wedged by the other's probe", status, err)
		}
		if err := <-lost; err == nil {
			t.Error("a probe that hung succeeded")
		}
	})
}

// With a KV that fails, hangs or crawls, no call fails, none waits long, and
// what is known counts on; when it is back, the limits are shared again.
func TestSharedFaults(t *testing.T) {
	for name, fault := range map[string]func(context.Context) error{
		"gone":     gone,
		"hanging":  stuck,
		"crawling": slow(time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &limited{allow: fixedWindow(100)}
				kv := new(memory)
				twins, logs := newTwins(t, kv, server.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 20 })
				failed := serveBoth(t, twins, 5*time.Second)
				before := twins[0].Snapshot().Throttles[0].Rate
				for _, phase := range []struct {
					name   string
					fault  func(context.Context) error
					length time.Duration
					used   float64
				}{
					{"alone", fault, 5 * time.Second, 0.75},
					{"finding each other", nil, 1500 * time.Millisecond, 0.3},
					{"together again", nil, 10 * time.Second, 0.85},
				} {
					kv.becomes(phase.fault)
					server.accepted, server.refused = 0, 0
					start := time.Now()
					failed += serveBoth(t, twins, phase.length)
					used := float64(server.accepted) / (100 * time.Since(start).Seconds())
					t.Logf("%s: %.1f %% used, %d refused", phase.name, 100*used, server.refused)
					if used < phase.used || server.refused > 30 {
						t.Errorf("want at least %.0f %% used, at most 30 refused", 100*phase.used)
					}
				}
				after := twins[0].Snapshot().Throttles[0].Rate
				if failed > 0 || after < 0.85*before {
					t.Errorf("%d calls failed; %.0f/s before, %.0f/s afterwards", failed, before, after)
				}
				for i, log := range logs {
					if log.warnings.Load() != 1 || log.infos.Load() != 1 {
						t.Errorf("process %d: %d warnings, %d times shared again", i, log.warnings.Load(), log.infos.Load())
					}
				}
			})
		})
	}
}

// late is a way to a KV that leads nowhere until some time.
type late struct {
	*memory
	from time.Time
}

func (l late) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := slow(time.Until(l.from))(ctx); err != nil {
		return false, err
	}
	return l.memory.CompareAndSwap(ctx, id, old, value, ttl)
}

// Processes that cannot reach the KV at first find their parts of the quota
// alone. Once together, they have it all.
func TestSharedLater(t *testing.T) {
	const ms = time.Millisecond
	for _, delays := range [][2]time.Duration{{0, 150 * ms}, {0, 900 * ms}, {150 * ms, 400 * ms}, {900 * ms, 900 * ms}, {3000 * ms, 3000 * ms}} {
		t.Run(fmt.Sprint(delays[0], " and ", delays[1]), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(rand.N(800 * ms)) // the first requests fall into one of the server's seconds
				server := &limited{allow: fixedWindow(100)}
				kv := &memory{fault: slow(time.Millisecond)}
				var twins [2]*resilience.Transport
				for i := range twins {
					twins[i] = newTransport(t, server.RoundTrip, func(o *resilience.Options) { o.Shared = late{kv, time.Now().Add(delays[i])} })
				}
				failed := serveBoth(t, twins, 5*time.Second)
				server.accepted, server.refused = 0, 0
				start := time.Now()
				failed += serveBoth(t, twins, 10*time.Second)
				if used := float64(server.accepted) / (100 * time.Since(start).Seconds()); used < 0.95 || server.refused > 0 || failed > 0 {
					t.Errorf("%.1f %% used, %d refused, %d calls failed; want at least 95 %%, and none", 100*used, server.refused, failed)
				}
			})
		})
	}
}

// Processes that part before there is a rate reckon with their own requests, so
// that the parts which they bring back are not more than the quota.
func TestSharedPartedBeforeARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(rand.N(time.Second)) // of the server's clock
		server := &limited{allow: fixedWindow(100)}
		kv := new(memory)
		twins, _ := newTwins(t, kv, server.RoundTrip)
		for i := range 1500 { // about 80 a second
			if status, err := send(t.Context(), t, twins[i%2], "GET"); status != 200 || err != nil {
				t.Fatal(status, err)
			}
			time.Sleep(8 * time.Millisecond)
		}
		kv.becomes(gone)
		failed := serveBoth(t, twins, 1500*time.Millisecond)
		kv.becomes(nil)
		failed += serveBoth(t, twins, 1500*time.Millisecond)
		server.accepted, server.refused = 0, 0
		start := time.Now()
		failed += serveBoth(t, twins, 10*time.Second)
		used := float64(server.accepted) / (100 * time.Since(start).Seconds())
		t.Logf("%.1f %% used, %d refused", 100*used, server.refused)
		if used < 0.65 || server.refused > 4 || failed > 0 {
			t.Errorf("%d calls failed; want at least 65 %% used, at most 4 refused, none failed", failed)
		}
	})
}

// While others are always faster, a process goes on alone, and stays polite.
func TestSharedContention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := &memory{busy: 1 << 20}
		twins, logs := newTwins(t, kv, always(200), func(o *resilience.Options) { o.Limits.Pacing.Rate = 1000 })
		for range 10 {
			if _, _, err := get(t, twins[0]); err != nil {
				t.Error(err)
			}
		}
		if calls := kv.calls; calls < 10*32 || calls > 10*2*34 || logs[0].warnings.Load() != 0 {
			t.Errorf("%d calls for 10 requests, %d warnings", calls, logs[0].warnings.Load())
		}
		kv.mu.Lock()
		kv.busy = 0
		kv.mu.Unlock()
		_, _, _ = get(t, twins[0])
		if len(kv.values) != 1 {
			t.Errorf("%d records", len(kv.values))
		}
	})
}

// Whatever is found in a record, calls succeed, the record is made good, and
// what the process knows itself is kept.
func TestSharedRecordsOfOthers(t *testing.T) {
	far := time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	for name, value := range map[string]string{
		"lost":           "",
		"garbage":        "\x00\xff{",
		"null":           "null",
		"a list":         "[]",
		"other types":    `{"Until":17,"Cuts":"many"}`,
		"fields to come": `{"Until":"2000-01-01T00:00:00Z","Weather":"fine","Meter":[{},{},{},{},{},{},{}]}`,
		"far ahead":      fmt.Sprintf(`{"Until":%q,"Lease":%[1]q}`, far),
		"far rate":       fmt.Sprintf(`{"Rate":1,"Since":%q}`, far),
		"far queue":      fmt.Sprintf(`{"Next":%q,"Cuts":9,"Rate":5}`, far),
		"far healed":     fmt.Sprintf(`{"Healed":%q}`, far),
		"tiny rate":      `{"Rate":1e-300,"Since":"2000-01-01T00:00:00Z"}`,
		"negative":       `{"Rate":-1,"Cuts":-1,"Steady":-1,"Failed":-1,"Meter":[{"Count":-5}]}`,
		"huge numbers":   `{"Rate":1e999}`,
		"too long":       `{"X":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kv := new(memory)
				server := &limited{allow: fixedWindow(20)}
				twins, logs := newTwins(t, kv, server.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 10 })
				for range 30 { // learns a pace
					if status, _, err := get(t, twins[0]); status != 200 || err != nil {
						t.Fatal(status, err)
					}
				}
				known := twins[0].Snapshot().Throttles[0].Rate
				kv.replace([]byte(value))
				if value == "" {
					kv.replace(nil)
				}
				time.Sleep(300 * time.Millisecond)
				for i := range 20 {
					if status, took, err := get(t, twins[i%2]); status != 200 || err != nil || took > 3*time.Second {
						t.Errorf("%d, %v after %v", status, err, took)
					}
				}
				rate := twins[1].Snapshot().Throttles[0].Rate
				if known == 0 || rate < known*0.9 || rate > known*1.1 {
					t.Errorf("%.1f/s was known, %.1f/s is", known, rate)
				}
				for id, value := range kv.values {
					if strings.Contains(id, ":pace:") && (!json.Valid(value) || len(value) > 2048) {
						t.Errorf("%s: %.100q", id, value)
					}
				}
				if n := logs[0].warnings.Load() + logs[1].warnings.Load(); n != 0 {
					t.Errorf("%d warnings", n)
				}
			})
		})
	}
}

// Keys may be anything: the ids are short, plain and different.
func TestSharedIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := new(memory)
		key := ""
		twins, _ := newTwins(t, kv, always(200), func(o *resilience.Options) {
			o.Keys = func(*http.Request) resilience.Keys { return resilience.Keys{Breaker: "b", Throttle: key} }
		})
		keys := []string{"", "a", "a:b", "\x00", "\xff\n\r{}", "ann@contoso.example", strings.Repeat("k", 10000)}
		for _, key = range keys {
			if _, _, err := get(t, twins[0]); err != nil {
				t.Error(err)
			}
		}
		if len(kv.values) != len(keys) {
			t.Errorf("%d records of %d keys", len(kv.values), len(keys))
		}
		for id := range kv.values {
			if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789:") != "" || strings.Contains(id, "contoso") {
				t.Errorf("id %q", id)
			}
		}
	})
}

// Processes, faults and recoveries in any order: no call fails because of the
// KV, no Retry-After is violated by who could know, and nothing stays behind.
func TestSharedInterleavings(t *testing.T) {
	for range 6 {
		synctest.Test(t, func(t *testing.T) {
			kv := new(memory)
			server := &limited{allow: tokenBucket(50, 50)}
			twins, _ := newTwins(t, kv, server.RoundTrip, func(o *resilience.Options) {
				o.Retry.MaxAttempts, o.Retry.MaxRetryAfter = 30, time.Hour
			})
			faults := []func(context.Context) error{nil, nil, gone, stuck, slow(30 * time.Millisecond), slow(99 * time.Millisecond), func(ctx context.Context) error {
				if rand.IntN(2) == 0 {
					return gone(ctx)
				}
				return slow(time.Millisecond)(ctx)
			}}
			end := time.Now().Add(20 * time.Second)
			var workers sync.WaitGroup
			workers.Go(func() {
				for time.Now().Before(end) {
					kv.becomes(faults[rand.IntN(len(faults))])
					if rand.IntN(4) == 0 {
						kv.replace(nil)
					}
					time.Sleep(rand.N(2 * time.Second))
				}
			})
			for i := range 16 {
				workers.Go(func() {
					for time.Now().Before(end) {
						ctx, cancel := context.WithCancel(t.Context())
						if rand.IntN(4) == 0 {
							time.AfterFunc(rand.N(200*time.Millisecond), cancel)
						}
						status, err := send(ctx, t, twins[i%2], "GET")
						if ctx.Err() == nil && (err != nil || status != 200) {
							t.Errorf("%d, %v", status, err)
						}
						cancel()
						time.Sleep(rand.N(50 * time.Millisecond))
					}
				})
			}
			workers.Wait()
			if server.accepted < 300 {
				t.Errorf("%d accepted in 20 s", server.accepted)
			}
		})
	}
}
