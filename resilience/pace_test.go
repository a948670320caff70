package resilience

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A quota decides whether a server accepts a request, and how long it asks to
// wait if not.
type quota interface {
	ask(now time.Duration) (bool, time.Duration)
}

// window allows so many requests in each period of a clock of its own.
type window struct {
	allow, used   int
	period, phase time.Duration
	current       int64
}

func (w *window) ask(now time.Duration) (bool, time.Duration) {
	now += w.phase
	if n := int64(now / w.period); n != w.current {
		w.current, w.used = n, 0
	}
	if w.used++; w.used <= w.allow {
		return true, 0
	}
	return false, seconds(w.period - now%w.period)
}

// bucket refills steadily, and goes below zero for what it refuses.
type bucket struct {
	rate, size, tokens float64
	last               time.Duration
}

func (b *bucket) ask(now time.Duration) (bool, time.Duration) {
	b.tokens = min(b.size, b.tokens+b.rate*(now-b.last).Seconds())
	b.last = now
	if b.tokens--; b.tokens >= 0 {
		return true, 0
	}
	b.tokens = max(b.tokens, -b.size)
	return false, seconds(time.Duration((1 - b.tokens) / b.rate * float64(time.Second)))
}

// rolling allows so many requests in any span of a length.
type rolling struct {
	allow int
	span  time.Duration
	times []time.Duration
}

func (r *rolling) ask(now time.Duration) (bool, time.Duration) {
	for len(r.times) > 0 && now-r.times[0] >= r.span {
		r.times = r.times[1:]
	}
	if len(r.times) < r.allow {
		r.times = append(r.times, now)
		return true, 0
	}
	return false, seconds(r.span - (now - r.times[0]))
}

// whimsical refuses one request in ten, whatever the rate.
type whimsical struct{ random *rand.Rand }

func (w whimsical) ask(time.Duration) (bool, time.Duration) {
	return w.random.IntN(10) > 0, time.Second
}

// seconds rounds up, as Retry-After does.
func seconds(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }

type event struct {
	at   time.Duration
	what func()
}
type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

// distance is the time that passes between a request and its answer.
type distance struct {
	far  time.Duration // of a refusal
	work time.Duration // more of others, about
}

// latency returns the time of one request. Some take longer.
func (d distance) latency(random *rand.Rand) time.Duration {
	latency := d.far + 2*time.Millisecond + time.Duration(random.Int64N(int64(3*time.Millisecond)))
	if random.IntN(20) == 0 {
		latency += time.Duration(random.Int64N(int64(30 * time.Millisecond)))
	}
	return latency
}

// simulate lets workers call a server without a pause, and returns what was
// accepted and refused from a moment on. It is the pace alone, without the
// transport, on a clock of its own: an hour takes no time.
func simulate(q quota, workers int, d distance, warm, length time.Duration, seed uint64) (accepted, refused int) {
	var p pace
	var queue events
	random := rand.New(rand.NewPCG(seed, 1))
	epoch := time.Unix(1e9, 0)
	latency := func() time.Duration { return d.latency(random) }
	at := func(t time.Duration, f func()) { heap.Push(&queue, event{t, f}) }
	now := time.Duration(0)
	var line []func() // the first holds it
	var send func(cuts int)
	var take func()
	pass := func() {
		if line = line[1:]; len(line) > 0 {
			line[0]()
		}
	}
	take = func() {
		clock := epoch.Add(now)
		wait := p.wait(clock, Pacing{})
		p.take(clock, Pacing{})
		cuts := p.Cuts
		at(now+wait, func() {
			if p.Until.After(epoch.Add(now)) || p.Cuts != cuts {
				take()
				return
			}
			pass()
			send(cuts)
		})
	}
	call := func() {
		if line = append(line, take); len(line) == 1 {
			take()
		}
	}
	send = func(cuts int) {
		at(now+latency()/2, func() {
			ok, ask := q.ask(now)
			switch {
			case now < warm:
			case ok:
				accepted++
			default:
				refused++
			}
			back := now + latency()/2
			if ok && d.work > 0 {
				back += d.work/2 + time.Duration(random.Int64N(int64(d.work)))
			}
			at(back, func() {
				if ok {
					p.accepted(epoch.Add(now), cuts, 1)
					call()
					return
				}
				p.throttled(epoch.Add(now), cuts, ask)
				at(now+ask+time.Duration(random.Int64N(int64(ask/10)+1)), call)
			})
		})
	}
	for range workers {
		at(0, call)
	}
	for len(queue) > 0 && queue[0].at < warm+length {
		e := heap.Pop(&queue).(event)
		now = e.at
		e.what()
	}
	return accepted, refused
}

// Whatever way a server counts, its quota is found and used, and little is
// wasted on refusals.
func TestPaceFindsTheQuota(t *testing.T) {
	t.Parallel()
	const seeds = 20
	near, far := distance{}, distance{far: 150 * time.Millisecond}
	// Real work is answered later than what is refused, so much that was
	// accepted is not known of yet when the first refusal is.
	busy, farAndBusy := distance{work: 60 * time.Millisecond}, distance{150 * time.Millisecond, 60 * time.Millisecond}
	for _, test := range []struct {
		name         string
		rate         float64
		make         func() quota
		warm, length time.Duration
		distance     distance
		used, wasted float64
	}{
		{"window of a second, from the start", 100, func() quota { return &window{allow: 100, period: time.Second} }, 0, 15 * time.Second, near, .95, .05},
		{"window of a second, out of phase", 100, func() quota { return &window{allow: 100, period: time.Second, phase: 700 * time.Millisecond} }, 0, 15 * time.Second, near, .95, .05},
		{"bucket, from the start", 100, func() quota { return &bucket{rate: 100, size: 100, tokens: 100} }, 0, 15 * time.Second, near, .95, .05},
		{"rolling second", 100, func() quota { return &rolling{allow: 100, span: time.Second} }, 0, 15 * time.Second, near, .95, .05},
		{"far away, rolling second", 100, func() quota { return &rolling{allow: 100, span: time.Second} }, 0, 15 * time.Second, far, .9, .05},
		{"window of a second, busy", 100, func() quota { return &window{allow: 100, period: time.Second} }, 0, 15 * time.Second, busy, .95, .05},
		{"bucket, busy", 100, func() quota { return &bucket{rate: 100, size: 100, tokens: 100} }, 0, 15 * time.Second, busy, .95, .05},
		{"rolling second, busy", 100, func() quota { return &rolling{allow: 100, span: time.Second} }, 0, 15 * time.Second, busy, .95, .05},
		{"far away and busy, rolling second", 100, func() quota { return &rolling{allow: 100, span: time.Second} }, 0, 15 * time.Second, farAndBusy, .9, .05},
		{"far away and busy, bucket", 100, func() quota { return &bucket{rate: 100, size: 100, tokens: 100} }, 0, 15 * time.Second, farAndBusy, .9, .05},
		// Two windows come into the first reckoning, and mislead it.
		{"far away, window", 100, func() quota { return &window{allow: 100, period: time.Second, phase: 700 * time.Millisecond} }, 0, 15 * time.Second, far, .75, .1},
		{"far away, window, later", 100, func() quota { return &window{allow: 100, period: time.Second, phase: 700 * time.Millisecond} }, time.Minute, 10 * time.Minute, far, .9, .01},
		{"far away, bucket", 100, func() quota { return &bucket{rate: 100, size: 100, tokens: 100} }, 0, 15 * time.Second, far, .9, .05},
		{"window of a second, for ten minutes", 100, func() quota { return &window{allow: 100, period: time.Second} }, time.Minute, 10 * time.Minute, near, .93, .01},
		{"bucket, for ten minutes", 100, func() quota { return &bucket{rate: 100, size: 100, tokens: 100} }, time.Minute, 10 * time.Minute, near, .93, .01},
		// The gate alone would let 29 through, and then wait for a second.
		{"refusals at random", 29, func() quota { return whimsical{rand.New(rand.NewPCG(1, 1))} }, time.Minute, 10 * time.Minute, near, .7, .12},
		{"a large bucket", 100, func() quota { return &bucket{rate: 100, size: 500, tokens: 500} }, time.Minute, 10 * time.Minute, near, .9, .01},
		{"bucket of three", 100, func() quota { return &bucket{rate: 100, size: 3, tokens: 3} }, time.Minute, 10 * time.Minute, near, .85, .01},
		{"bucket that others have emptied", 100, func() quota { return &bucket{rate: 100, size: 100, tokens: 1} }, 0, 10 * time.Minute, near, .9, .01},
		{"small bucket", 5, func() quota { return &bucket{rate: 5, size: 5, tokens: 5} }, time.Minute, 10 * time.Minute, near, .9, .02},
		{"a minute's window", 10, func() quota { return &window{allow: 600, period: time.Minute} }, 10 * time.Minute, time.Hour, near, .9, .01},
		// What an uneven pace took frees itself as unevenly, ten minutes later.
		{"ten minutes rolling", 10000.0 / 600, func() quota { return &rolling{allow: 10000, span: 10 * time.Minute} }, 20 * time.Minute, 2 * time.Hour, near, .85, .08},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				accepted, refused := simulate(test.make(), 32, test.distance, test.warm, test.length, seed)
				used := float64(accepted) / (test.rate * test.length.Seconds())
				wasted := float64(refused) / float64(accepted+refused)
				t.Logf("%.1f %% used, %.2f %% wasted (%d refused)", 100*used, 100*wasted, refused)
				if used < test.used || wasted > test.wasted {
					t.Errorf("%.1f %% used, %.2f %% wasted; want at least %.0f %% and at most %.0f %%", 100*used, 100*wasted, 100*test.used, 100*test.wasted)
				}
			}
		})
	}
}

// A burst passes at once, from the first request on.
func TestPaceBurst(t *testing.T) {
	t.Parallel()
	var p pace
	now, fixed := time.Unix(1e9, 0), Pacing{Rate: 2, Burst: 10}
	for i := range 12 {
		want := max(time.Duration(i-9), 0) * 500 * time.Millisecond
		if wait := p.wait(now, fixed); wait != want {
			t.Errorf("request %d waits %v, want %v", i, wait, want)
		}
		p.take(now, fixed)
	}
}

// A Retry-After beyond all measure does not make the pace faster.
func TestPaceAfterEndlessWait(t *testing.T) {
	var p pace
	now := time.Unix(1e9, 0)
	for range 100 {
		now = now.Add(10 * time.Millisecond)
		p.accepted(now, p.Cuts, 1)
	}
	p.throttled(now, 0, math.MaxInt64)
	if p.Rate > 100 || p.Until.Sub(now) != longestHold {
		t.Errorf("%v a second, from %v on", p.Rate, p.Until.Sub(now))
	}
}

// What is no number is no pace.
func TestPaceThatIsNoNumber(t *testing.T) {
	o := Options{Limits: Limits{Pacing: Pacing{Rate: math.NaN()}}}
	if o.setDefaults(); o.Limits.Pacing.Rate != 0 {
		t.Error(o.Limits.Pacing.Rate)
	}
}

// A configured burst is a promise, also while the server wants it slower, and no
// reason to come all at once at a pace that was learned.
func TestBurstWhileSlower(t *testing.T) {
	for _, test := range []struct {
		fixed Pacing
		eased float64
		want  int
	}{{Pacing{1000, 2}, 995, 2}, {Pacing{100, 100}, 5, 1}, {Pacing{1000, 100}, 500, 10}} {
		now := time.Now()
		var p pace
		p.ease(now, test.eased, time.Minute)
		now = now.Add(30 * time.Second)
		passed := 0
		for range 200 {
			if _, ok := p.turn(now, test.fixed, 0); ok {
				passed++
			}
		}
		if passed != test.want {
			t.Errorf("%+v: %d at once", test, passed)
		}
	}
}
