package resilience_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

var errGone = errors.New("connection refused")

// memory is a KV with faults. Its zero value has none.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	fault  func(ctx context.Context) error // before each call
	busy   int                             // so many swaps fail, for another was faster
	calls  int
}

func (m *memory) becomes(fault func(context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

func (m *memory) enter(ctx context.Context) error {
	m.mu.Lock()
	fault := m.fault
	m.calls++
	m.mu.Unlock()
	if fault == nil {
		return ctx.Err()
	}
	return fault(ctx)
}

func (m *memory) Get(ctx context.Context, id string) ([]byte, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.values[id]), nil
}

func (m *memory) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := m.enter(ctx); err != nil {
		return false, err
	}
	if id == "" || len(id) > 128 || len(value) == 0 || len(value) > 4096 || ttl < time.Minute {
		return false, errors.New("not a record")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy--; m.busy >= 0 || !bytes.Equal(m.values[id], old) || (m.values[id] == nil) != (old == nil) {
		return false, nil
	}
	if m.values == nil {
		m.values = make(map[string][]byte)
	}
	m.values[id] = value
	return true, nil
}

// replace puts value in the place of every value; nil loses them.
func (m *memory) replace(value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.values {
		if m.values[id] = value; value == nil {
			delete(m.values, id)
		}
	}
}

func gone(context.Context) error { return errGone }

func stuck(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func slow(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// journal counts the lines of a log.
type journal struct{ warnings, infos atomic.Int64 }

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	switch r.Message {
	case "resilience: shared limits cannot be reached; going on alone":
		j.warnings.Add(1)
	case "resilience: limits are shared again":
		j.infos.Add(1)
	}
	return nil
}

// newTwins returns transports of two processes that share kv and the server
// behind base.
func newTwins(t *testing.T, kv resilience.KV, base roundTripper, change ...func(*resilience.Options)) (twins [2]*resilience.Transport, logs [2]*journal) {
	t.Helper()
	for i := range twins {
		logs[i] = new(journal)
		twins[i] = newTransport(t, base, append([]func(*resilience.Options){func(o *resilience.Options) {
			o.Shared, o.Logger = kv, slog.New(logs[i])
		}}, change...)...)
	}
	return twins, logs
}

// limited is a server with a quota in which refused requests count. It asks for
// whole seconds.
type limited struct {
	mu                sync.Mutex
	allow             func(now time.Time) (bool, time.Duration)
	accepted, refused int
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Millisecond + rand.N(2*time.Millisecond))
	l.mu.Lock()
	ok, wait := l.allow(time.Now())
	if ok {
		l.accepted++
	} else {
		l.refused++
	}
	l.mu.Unlock()
	time.Sleep(time.Millisecond + rand.N(2*time.Millisecond))
	if ok {
		return answer(r, 200, ""), nil
	}
	return answer(r, 429, strconv.Itoa(int((wait+time.Second-1)/time.Second))), nil
}

// fixedWindow allows so many in each second.
func fixedWindow(limit int) func(time.Time) (bool, time.Duration) {
	var current, used int64
	return func(now time.Time) (bool, time.Duration) {
		if now.Unix() != current {
			current, used = now.Unix(), 0
		}
		used++
		return used <= int64(limit), now.Truncate(time.Second).Add(time.Second).Sub(now)
	}
}

// tokenBucket refills steadily and goes below zero.
func tokenBucket(rate, size float64) func(time.Time) (bool, time.Duration) {
	tokens, last := size, time.Time{}
	return func(now time.Time) (bool, time.Duration) {
		if !last.IsZero() {
			tokens = min(size, tokens+rate*now.Sub(last).Seconds())
		}
		last = now
		if tokens--; tokens >= 0 {
			return true, 0
		}
		tokens = max(tokens, -size)
		return false, time.Duration((1 - tokens) / rate * float64(time.Second))
	}
}

// serveBoth lets 32 workers of each twin call without a pause, and returns how many
// calls failed.
func serveBoth(t *testing.T, twins [2]*resilience.Transport, length time.Duration) (failed int64) {
	t.Helper()
	var failures atomic.Int64
	var workers sync.WaitGroup
	end := time.Now().Add(length)
	for i := range 64 {
		workers.Go(func() {
			for time.Now().Before(end) {
				if status, err := send(t.Context(), t, twins[i%2], "GET"); err != nil || status != http.StatusOK {
					failures.Add(1)
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	workers.Wait()
	return failures.Load()
}

// Two processes together keep within one quota, from the start.
func TestSharedQuota(t *testing.T) {
	for name, make := range map[string]func() func(time.Time) (bool, time.Duration){
		"window": func() func(time.Time) (bool, time.Duration) { return fixedWindow(100) },
		"bucket": func() func(time.Time) (bool, time.Duration) { return tokenBucket(100, 100) },
	} {
		for faults, fault := range map[string]func(context.Context) error{
			"at once": nil,
			"slow":    slow(3 * time.Millisecond),
		} {
			t.Run(name+", "+faults, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := &limited{allow: make()}
					twins, logs := newTwins(t, &memory{fault: fault}, server.RoundTrip)
					start := time.Now()
					failed := serveBoth(t, twins, 15*time.Second)
					used := float64(server.accepted) / (100 * time.Since(start).Seconds())
					wasted := float64(server.refused) / float64(server.accepted+server.refused)
					t.Logf("%.1f %% used, %.1f %% wasted, %d failed", 100*used, 100*wasted, failed)
					if used < 0.9 || wasted > 0.08 || failed > 0 {
						t.Error("want at least 90 % used, at most 8 % wasted, none failed")
					}
					if n := logs[0].warnings.Load() + logs[1].warnings.Load(); n > 0 {
						t.Errorf("%d warnings", n)
					}
				})
			})
		}
	}
}

// Where the first requests meet the turn of the server's clock, twice the quota
// is reckoned at first. That is put right soon.
func TestSharedQuotaOfTwoWindows(t *testing.T) {
	const phases = 15
	var used, refused float64
	for phase := range time.Duration(phases) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(985*time.Millisecond + phase*time.Millisecond)
			server := &limited{allow: fixedWindow(100)}
			twins, _ := newTwins(t, &memory{fault: slow(time.Millisecond)}, server.RoundTrip)
			failed := serveBoth(t, twins, 1500*time.Millisecond)
			server.accepted, server.refused = 0, 0
			start := time.Now()
			failed += serveBoth(t, twins, 9*time.Second)
			if failed > 0 {
				t.Errorf("%d calls failed", failed)
			}
			used += float64(server.accepted) / (100 * time.Since(start).Seconds())
			refused += float64(server.refused)
		})
	}
	t.Logf("%.1f %% used, %.1f refused", 100*used/phases, refused/phases)
	if used/phases < 0.89 || refused/phases > 2 {
		t.Error("want at least 89 % used, at most 2 refused")
	}
}

// lasting is a KV that remembers for how long it was told to keep a value.
type lasting struct {
	memory
	longest time.Duration
}

func (l *lasting) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	l.longest = max(l.longest, ttl)
	return l.memory.CompareAndSwap(ctx, id, old, value, ttl)
}

// A long wait is not forgotten before it is over because nobody calls meanwhile.
func TestSharedWaitOutlivesSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := &lasting{}
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) { return answer(r, 429, "10800"), nil },
			func(o *resilience.Options) { o.Shared = kv })
		if _, err := send(t.Context(), t, transport, http.MethodGet); err != nil {
			t.Fatal(err)
		}
		if kv.longest < 3*time.Hour {
			t.Errorf("kept for %v", kv.longest)
		}
	})
}
