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

	mu       sync.Mutex
	pace     pace
	accepted int // requests that the others have not been told of
	shared   *record
}

func newLane(k Keys, o *Options, s *sharing) *lane {
	l := &lane{key: k.Throttle, fixed: o.Limits.Pacing, line: make(chan struct{}, 1), shared: s.record("pace:" + k.Throttle)}
	limit := o.Limits.MaxInFlight
	if k.MaxInFlight > 0 {
		limit = k.MaxInFlight
	}
	if limit > 0 {
		l.places = make(chan struct{}, limit)
	}
	return l
}

// turn is a request's place in the order of a lane.
type turn struct {
	wait time.Duration // until it may go
	cuts int           // of the pace when the turn was given
	lone bool          // nothing but the gate keeps the requests apart
}

// take gives a request its turn, after a wait if it must, unless that is longer
// than patience. Only the first of those in line may have some patience: who
// takes a turn far ahead would keep to an old pace.
func (l *lane) take(ctx context.Context, patience time.Duration) (t turn, ok bool) {
	now := time.Now()
	op := func(p *pace) {
		t.wait = p.wait(now, l.fixed)
		t.cuts, t.lone = p.Cuts, p.rate(now, l.fixed) == 0
		if ok = t.wait <= patience; ok {
			p.take(now, l.fixed)
		}
	}
	if l.shared != nil {
		l.mu.Lock()
		paced := l.pace.rate(now, l.fixed) > 0
		l.mu.Unlock()
		if paced || l.shared.due(now) {
			l.exchange(ctx, now, op)
			return t, ok
		}
	}
	l.mu.Lock()
	op(&l.pace)
	l.mu.Unlock()
	return t, ok
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

// accept notes an answer that was no refusal.
func (l *lane) accept(now time.Time, told hint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared != nil {
		l.accepted++
	} else {
		l.pace.accepted(now, 1)
	}
	if told != (hint{}) {
		told.apply(&l.pace, now)
	}
}

// throttled notes a refusal of a request that was sent in turn t, and reports
// whether it is the first of its kind.
func (l *lane) throttled(ctx context.Context, t turn, wait time.Duration) (first bool) {
	now := time.Now()
	l.change(ctx, now, func(p *pace) {
		first = p.Cuts == t.cuts
		p.throttled(now, t.cuts, wait)
	})
	return first
}

// hold closes the gate, and reports whether it was open.
func (l *lane) hold(ctx context.Context, wait time.Duration) (first bool) {
	now := time.Now()
	l.change(ctx, now, func(p *pace) {
		first = !p.Until.After(now)
		p.hold(now, wait)
	})
	return first
}

func (l *lane) change(ctx context.Context, now time.Time, op func(*pace)) {
	if l.shared != nil {
		l.exchange(ctx, now, op)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	op(&l.pace)
}

// exchange changes the pace that the processes share, or ours if there is no
// way to the others.
func (l *lane) exchange(ctx context.Context, now time.Time, op func(*pace)) {
	var next pace
	told := 0
	done := swap(ctx, l.shared, func(p *pace) {
		l.mu.Lock()
		told = l.accepted
		p.merge(&l.pace)
		l.mu.Unlock()
		if told > 0 {
			p.accepted(now, told)
		}
		op(p)
		next = *p
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if done {
		next.merge(&l.pace) // a hint may have come meanwhile
		l.pace = next
		l.accepted -= told
		return
	}
	if l.accepted > 0 {
		l.pace.accepted(now, l.accepted)
		l.accepted = 0
	}
	op(&l.pace)
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
