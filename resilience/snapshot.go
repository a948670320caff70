package resilience

import "time"

// Snapshot is the state of a transport at a moment: for a health tool, a page or
// gauges.
type Snapshot struct {
	Breakers  []BreakerState  // the most recently used first
	Throttles []ThrottleState // the most recently used first
}

// BreakerState is the state of a breaker key.
type BreakerState struct {
	Key        string
	State      State
	RetryAfter time.Duration // until the next probe; 0 unless open
	Failures   int           // in a row
	Budget     int           // what is left for repetitions; -1 is unlimited
}

// ThrottleState is the state of a throttle key.
type ThrottleState struct {
	Key        string
	RetryAfter time.Duration // until the server may be asked again; 0 if it may
	Rate       float64       // requests a second that are let through; 0 is unlimited
	InFlight   int           // requests whose answers are not read yet; 0 if there is no limit to them
	Waiting    int           // requests that have not been let through
}

// Snapshot returns the state of all keys that are remembered.
func (t *Transport) Snapshot() Snapshot {
	var s Snapshot
	for _, c := range t.circuits.all() {
		b := BreakerState{Key: c.key, Failures: int(c.breaker.streak.Load()), Budget: c.budget.rest()}
		var until time.Time
		if b.State, until = c.breaker.state(); b.State == Open {
			b.RetryAfter = time.Until(until)
		}
		s.Breakers = append(s.Breakers, b)
	}
	now := time.Now()
	for _, l := range t.lanes.all() {
		l.mu.Lock()
		gate := max(l.pace.Until.Sub(now), 0)
		rate := l.pace.rate(now, l.fixed)
		l.mu.Unlock()
		s.Throttles = append(s.Throttles, ThrottleState{
			Key: l.key, RetryAfter: gate, Rate: rate, InFlight: len(l.places), Waiting: int(l.waiting.Load()),
		})
	}
	return s
}

// tellThrottled tells of a wait that a server asks for. The log has only the
// first of those that come together.
func (t *Transport) tellThrottled(e ThrottleEvent, first bool) {
	if hook := t.options.Hooks.Throttle; hook != nil {
		hook(e)
	}
	if first && t.options.Logger != nil {
		t.options.Logger.Info("resilience: throttled", "key", e.Keys.Throttle, "class", e.Class.String(), "wait", e.Wait)
	}
}

// tellState tells of a breaker that changed.
func (t *Transport) tellState(e StateEvent) {
	if hook := t.options.Hooks.State; hook != nil {
		hook(e)
	}
	if t.options.Logger == nil {
		return
	}
	switch e.To {
	case Open:
		t.options.Logger.Warn("resilience: circuit breaker opened", "key", e.Key, "from", string(e.From))
	case Closed:
		t.options.Logger.Info("resilience: circuit breaker closed", "key", e.Key)
	}
}
