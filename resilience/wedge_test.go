package resilience

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever becomes of the attempts that a breaker let through, in whatever
// order (good, failed, cancelled, panicking, or hanging for ever), it lets a
// probe through again in time, and closes when that is good.
func TestNoInterleavingWedgesTheBreaker(t *testing.T) {
	t.Parallel()
	runs := fromEnvironment(t, "TOOLBELT_INTERLEAVINGS", 20_000)
	synctest.Test(t, func(t *testing.T) {
		options := Options{Breaker: BreakerPolicy{Consecutive: 2, MinRequests: 4, Cooldown: time.Second, MaxCooldown: 2 * time.Second}}
		options.Retry.AttemptTimeout = 3 * time.Second
		options.setDefaults()
		for run := range runs {
			if !interleave(t, &options, uint64(run)) {
				t.Fatalf("run %d", run)
			}
		}
	})
}

func interleave(t *testing.T, options *Options, seed uint64) bool {
	random := rand.New(rand.NewPCG(seed, 3))
	opened := 0
	b := newBreaker("key", options, func(e StateEvent) {
		if e.To == Open {
			opened++
		}
	})
	classes := []Class{OK, Throttled, NotSent, Transient, Transient, Transient, Fatal, Cancelled}
	var open []permit
	for range 16 {
		switch random.IntN(5) {
		case 0, 1:
			if p, _, ok := b.admit(); ok {
				open = append(open, p)
			}
			b.tell()
		case 2, 3:
			if len(open) > 0 {
				i := random.IntN(len(open))
				b.verdict(open[i], classes[random.IntN(len(classes))], time.Now())
				open = append(open[:i], open[i+1:]...)
			}
		default:
			time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
		}
	}
	// What is still open hangs for ever. A probe may be one of them.
	time.Sleep(b.probeTime + 2*options.Breaker.MaxCooldown)
	p, wait, ok := b.admit()
	if !ok { // it has only now been found lost
		time.Sleep(min(wait, 2*options.Breaker.MaxCooldown))
		p, wait, ok = b.admit()
	}
	if !ok {
		t.Errorf("no attempt is let through, for %s, after it opened %d times", wait, opened)
		return false
	}
	b.verdict(p, OK, time.Now())
	if state, _ := b.state(); state != Closed {
		t.Errorf("%s after a good probe", state)
		return false
	}
	for _, p := range open { // they end at last, and say nothing of now
		b.verdict(p, Fatal, time.Now())
	}
	if _, _, ok := b.admit(); !ok {
		t.Error("an old attempt has closed it")
		return false
	}
	return true
}
