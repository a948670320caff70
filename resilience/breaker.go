package resilience

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker"
)

// breaker is a circuit breaker for one key, on gobreaker's two-step form.
//
// gobreaker decides; this type keeps it from the traps of its v1:
//   - It has no verdict for "says nothing" (a cancelled caller, a 429). While
//     closed, no verdict is given at all; a probe always gets one.
//   - A probe without a verdict would keep it half-open for ever. The verdict
//     is given in a defer, and a probe that outlives probeTime is taken for
//     lost by the next caller.
//   - A verdict counts only in the window in which its attempt began, so
//     timeouts longer than the window would never count. While closed, the
//     attempt is therefore entered together with its verdict.
//   - Its streak of failures is cleared with each window; ours is not.
//   - It takes two locks and two looks at the clock for each success, which
//     says nothing but beside failures. So successes are counted here, and
//     entered together with the next failure.
//   - Its callback runs under its lock: it must not call back, and notes the
//     change for later.
type breaker struct {
	key       string
	policy    *BreakerPolicy
	notify    func(StateEvent)
	probeTime time.Duration // of a probe that is not lost
	circuit   *gobreaker.TwoStepCircuitBreaker

	closed atomic.Bool
	epoch  atomic.Uint64 // counts changes of state
	streak atomic.Int64  // failures in a row
	calls  atomic.Int64  // requests that are attempted or wait for a repetition

	mu        sync.Mutex // taken under gobreaker's lock: never call circuit while holding it
	failed    int        // probes in a row
	excused   bool       // the probe that is being settled says nothing of the service
	openUntil time.Time
	probe     *probe
	changes   []StateEvent
	good      int       // successes since the last failure, and since goodSince
	goodSince time.Time // a window ago at most

	entering sync.Mutex // held while failures are entered; taken before all others
}

// permit is the right to one attempt; it takes one verdict.
type permit struct {
	epoch uint64
	probe *probe // nil while closed
}

// probe is a trial request of a half-open breaker.
type probe struct {
	done  func(success bool)
	once  sync.Once
	since time.Time
}

func (p *probe) settle(success bool) { p.once.Do(func() { p.done(success) }) }

// newBreaker returns a closed breaker. Notify is told of changes by tell.
func newBreaker(key string, o *Options, notify func(StateEvent)) *breaker {
	b := &breaker{key: key, policy: &o.Breaker, notify: notify, probeTime: o.Retry.AttemptTimeout}
	b.closed.Store(true)
	b.circuit = gobreaker.NewTwoStepCircuitBreaker(gobreaker.Settings{
		Name:          key,
		Interval:      o.Breaker.Window,
		Timeout:       o.Breaker.Cooldown,
		ReadyToTrip:   b.readyToTrip,
		OnStateChange: b.onChange,
	})
	return b
}

func (b *breaker) readyToTrip(c gobreaker.Counts) bool {
	// Where many call at once and every third request fails, ten failures in a
	// row come by chance now and then, but not twenty.
	row := int64(b.policy.Consecutive)
	if calls := b.calls.Load(); calls > row {
		row = min(calls, 2*row)
	}
	if b.streak.Load() >= row {
		return true
	}
	verdicts := c.TotalSuccesses + c.TotalFailures // Requests also counts those under way
	return int64(verdicts) >= int64(b.policy.MinRequests) &&
		float64(c.TotalFailures) >= b.policy.FailureRatio*float64(verdicts)
}

// onChange runs under gobreaker's lock.
func (b *breaker) onChange(_ string, from, to gobreaker.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch.Add(1)
	b.closed.Store(to == gobreaker.StateClosed)
	switch to {
	case gobreaker.StateOpen:
		switch {
		case from == gobreaker.StateClosed:
			b.failed = 0
		case !b.excused:
			b.failed++
		}
		// A fifth of jitter, so that many processes do not probe as one. It
		// only ever postpones gobreaker's own timeout.
		cooldown := b.cooldown()
		b.openUntil = time.Now().Add(cooldown + 1 + rand.N(cooldown/5+1)) //nolint:gosec // jitter
	case gobreaker.StateClosed:
		b.streak.Store(0)
	}
	b.changes = append(b.changes, StateEvent{Key: b.key, From: stateOf(from), To: stateOf(to)})
}

// patientProbes may fail before the cooldown grows: one request in a cooldown
// is no load, and a longer one delays recovery.
const patientProbes = 4

func (b *breaker) cooldown() time.Duration {
	most := max(b.policy.MaxCooldown, b.policy.Cooldown)
	if doubled := b.failed - patientProbes; doubled > 0 {
		return min(b.policy.Cooldown<<min(doubled, 16), most)
	}
	return b.policy.Cooldown
}

// state returns the state, and until when it is open if it is.
func (b *breaker) state() (State, time.Time) {
	b.mu.Lock()
	until := b.openUntil
	b.mu.Unlock()
	switch {
	case b.closed.Load():
		return Closed, time.Time{}
	case until.After(time.Now()):
		return Open, until
	}
	return HalfOpen, time.Time{}
}

func stateOf(s gobreaker.State) State {
	switch s {
	case gobreaker.StateOpen:
		return Open
	case gobreaker.StateHalfOpen:
		return HalfOpen
	}
	return Closed
}

// admit lets an attempt through, or says for how long none will be. Call tell
// afterwards.
func (b *breaker) admit() (permit, time.Duration, bool) {
	epoch := b.epoch.Load() // before closed, or a change between them would go unseen
	if b.closed.Load() {
		return permit{epoch: epoch}, 0, true
	}
	if wait := b.wait(); wait > 0 {
		return permit{}, wait, false
	}
	b.giveUpLostProbe()
	done, err := b.circuit.Allow()
	if err != nil { // another probe is under way, or the clocks differ by a hair
		return permit{}, max(b.wait(), b.policy.Cooldown), false
	}
	p := &probe{done: done, since: time.Now()}
	b.mu.Lock()
	b.probe = p
	b.mu.Unlock()
	return permit{probe: p}, 0, true
}

// wait returns how long the breaker stays open; 0 if it is not.
func (b *breaker) wait() time.Duration {
	if b.closed.Load() {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(time.Until(b.openUntil), 0)
}

func (b *breaker) giveUpLostProbe() {
	b.mu.Lock()
	p := b.probe
	b.mu.Unlock()
	if p != nil && time.Since(p.since)-time.Second > b.probeTime { // it may be a little late
		p.settle(false)
	}
}

// verdict settles a permit of an attempt that ended now. Only an answer closes a
// half-open breaker.
func (b *breaker) verdict(p permit, c Class, now time.Time) {
	if p.probe == nil && c == OK && b.streak.Load() != 0 {
		b.streak.Store(0)
	}
	if p.probe != nil {
		b.settle(p.probe, c)
		b.tell()
		return
	}
	if p.epoch != b.epoch.Load() {
		return
	}
	switch c {
	case OK:
		b.succeeded(now)
	case Transient, NotSent:
		b.streak.Add(1)
		b.fail(now)
		b.tell()
	}
}

// settle ends a probe. One that was cancelled, or could not be made, leaves the
// breaker open but is no reason for a longer cooldown.
func (b *breaker) settle(p *probe, c Class) {
	b.mu.Lock()
	b.excused = p == b.probe && (c == Cancelled || c == Fatal)
	b.mu.Unlock()
	p.settle(c == OK || c == Throttled)
	b.mu.Lock()
	b.excused = false
	b.mu.Unlock()
}

// succeeded counts a success of a closed breaker.
func (b *breaker) succeeded(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.good == 0 || now.Sub(b.goodSince) >= b.policy.Window {
		b.good, b.goodSince = 0, now
	}
	b.good++
}

// maxGood bounds how many successes before a failure are entered with it, which
// takes a third of a millisecond. Failures in their midst are still few.
const maxGood = 1000

// fail counts a failure of a closed breaker, after the successes before it. One
// failure is entered at a time, or others would be judged without those.
func (b *breaker) fail(now time.Time) {
	b.entering.Lock()
	defer b.entering.Unlock()
	b.mu.Lock()
	good := min(b.good, max(maxGood, b.policy.MinRequests))
	if now.Sub(b.goodSince) >= b.policy.Window {
		good = 0
	}
	b.good = 0
	b.mu.Unlock()
	for range good {
		b.enter(true)
	}
	b.enter(false)
}

// enter gives gobreaker a verdict.
func (b *breaker) enter(success bool) {
	if done, err := b.circuit.Allow(); err == nil {
		done(success)
	}
}

// tell reports changes outside of all locks.
func (b *breaker) tell() {
	b.mu.Lock()
	changes := b.changes
	b.changes = nil
	b.mu.Unlock()
	for _, c := range changes {
		b.notify(c)
	}
}
