package resilience

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lane is what is remembered of a throttle key: when its next request may go,
// and how many are under way.
type lane struct {
	key     string
	fixed   Pacing
	line    chan struct{} // held by the first of those who wait for their turn
	places  chan struct{} // one in it for each request under way; nil: no limit
	waiting atomic.Int64  // requests that have not been let through yet

	mu     sync.Mutex
	pace   pace
	seen   time.Time // of the last answer
	shared common
}

func newLane(k Keys, o *Options, s *sharing) *lane {
	l := &lane{key: k.Throttle, fixed: o.Limits.Pacing, line: make(chan struct{}, 1), shared: common{record: s.record("pace", k.Throttle)}}
	limit := o.Limits.MaxInFlight
	if k.MaxInFlight > 0 && (limit < 0 || k.MaxInFlight < limit) {
		limit = k.MaxInFlight
	}
	if limit > 0 {
		l.places = make(chan struct{}, limit)
	}
	return l
}

// busy reports whether there is something in l that must not be forgotten: a
// wait that the server asked for, or requests that keep to it.
func (l *lane) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.places) > 0 || l.waiting.Load() > 0 || l.pace.Until.After(time.Now())
}

// turn is a request's place in the order of a lane.
type turn struct {
	wait time.Duration // until it may go
	cuts int           // of the pace when the turn was given
	lone bool          // nothing but the gate keeps the requests apart
	cost time.Duration // by which it puts off the turns after it
	seen time.Time     // a moment before it was given
}

// take gives a request its turn, after a wait if it must, unless that is longer
// than patience. Only the first of those in line may have some patience: who
// takes a turn far ahead would keep to an old pace.
func (l *lane) take(ctx context.Context, patience time.Duration) (turn, bool) {
	l.mu.Lock()
	if l.shared.record == nil && l.pace.free(l.fixed) {
		t := turn{cuts: l.pace.Cuts, lone: true, seen: l.seen}
		l.mu.Unlock()
		return t, true
	}
	now := time.Now()
	if l.shared.record == nil || l.pace.rate(now, l.fixed) == 0 && !l.shared.record.due(now) {
		defer l.mu.Unlock()
		return l.pace.turn(now, l.fixed, patience)
	}
	l.mu.Unlock()
	return l.takeTogether(ctx, patience)
}

func (l *lane) takeTogether(ctx context.Context, patience time.Duration) (t turn, ok bool) {
	l.exchange(ctx, func(p *pace, fixed Pacing, now time.Time) { t, ok = p.turn(now, fixed, patience) })
	return t, ok
}

// free reports whether nothing is known that would make a request wait.
func (p *pace) free(fixed Pacing) bool {
	return fixed.Rate == 0 && p.Rate == 0 && p.Eased == 0 && p.Until.IsZero()
}

func (p *pace) turn(now time.Time, fixed Pacing, patience time.Duration) (t turn, ok bool) {
	t.wait = p.wait(now, fixed)
	t.cuts, t.lone = p.Cuts, p.rate(now, fixed) == 0
	if ok = t.wait <= patience; ok {
		t.cost = p.take(now, fixed)
	}
	return t, ok
}

// giveBack returns a turn that was not used.
func (l *lane) giveBack(ctx context.Context, t turn) {
	if t.cost == 0 {
		return
	}
	l.change(ctx, func(p *pace, _ Pacing, _ time.Time) {
		if p.Cuts == t.cuts { // else its queue is no more
			p.Next = p.Next.Add(-t.cost)
		}
	})
}

// expect estimates how long a request will stand in line.
func (l *lane) expect() time.Duration {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := l.pace.wait(now, l.fixed)
	if rate := l.pace.rate(now, l.fixed); rate > 0 && !l.pace.Fast {
		wait += time.Duration(float64(l.waiting.Load()) / rate * float64(time.Second))
	}
	return wait
}

// holds reports whether a turn, whose time has come, is still worth something.
func (l *lane) holds(t turn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pace.Cuts == t.cuts && !l.pace.Until.After(time.Now())
}

// accept notes an answer that was no refusal, to a request that was sent in turn t.
func (l *lane) accept(now time.Time, t turn, told hint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = now
	l.pace.accepted(now, t.cuts, 1)
	l.shared.accepted(now, t.cuts != l.pace.Cuts)
	if told != (hint{}) {
		told.apply(&l.pace, now)
	}
}

// throttled notes a refusal of a request that was sent in turn t, and reports
// whether it is the first of its kind.
func (l *lane) throttled(ctx context.Context, t turn, wait time.Duration) (first bool) {
	rejoined := l.rejoined(time.Now())
	l.change(ctx, func(p *pace, _ Pacing, now time.Time) {
		first = p.Cuts == t.cuts
		learned := p.learned(now)
		p.throttled(now, t.cuts, wait)
		if rejoined {
			p.Rate = max(p.Rate, slower*learned)
		}
	})
	return first
}

// hold closes the gate, and reports whether it was open.
func (l *lane) hold(ctx context.Context, wait time.Duration) (first bool) {
	l.change(ctx, func(p *pace, _ Pacing, now time.Time) {
		first = !p.Until.After(now)
		p.hold(now, wait)
	})
	return first
}

func (l *lane) change(ctx context.Context, op func(*pace, Pacing, time.Time)) {
	if l.shared.record != nil {
		l.exchange(ctx, op)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	op(&l.pace, l.fixed, time.Now())
}

// tryEnter takes one of the places for requests under way, if one is free.
func (l *lane) tryEnter() bool {
	if l.places == nil {
		return true
	}
	select {
	case l.places <- struct{}{}:
		return true
	default:
		return false
	}
}

// enter waits for a place.
func (l *lane) enter(ctx context.Context, patience time.Duration) error {
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.places <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrOverloaded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives the place back.
func (l *lane) leave() {
	if l.places != nil {
		<-l.places
	}
}
