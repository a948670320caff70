package resilience

import (
	"net/http"
	"time"
)

// Hooks are told what happens, as it happens, on the goroutine of the request:
// they must return quickly and be safe for concurrent use. A nil hook costs
// nothing. Requests are passed as they are; log no more of them than you must.
type Hooks struct {
	Attempt  func(AttemptEvent)  // after each attempt
	Retry    func(RetryEvent)    // before each wait for a repetition
	Throttle func(ThrottleEvent) // when a server refuses, or asks for a wait
	Refuse   func(RefuseEvent)   // when a request may not be attempted (again)
	State    func(StateEvent)    // when a breaker changes
}

// AttemptEvent is one attempt.
type AttemptEvent struct {
	Keys     Keys
	Request  *http.Request // the caller's
	Number   int           // from 1
	Class    Class
	Status   int           // 0 without an answer
	Err      error         // nil with one
	Waited   time.Duration // before it: for the gate, the pace and a free place
	Duration time.Duration // until the answer's headers
}

// RetryEvent is a decision to wait and repeat.
type RetryEvent struct {
	Keys    Keys
	Request *http.Request
	Number  int // of the attempt that failed
	Class   Class
	Wait    time.Duration
}

// ThrottleEvent is a refusal (429, 509), or another answer with Retry-After.
type ThrottleEvent struct {
	Keys    Keys
	Request *http.Request
	Class   Class
	Wait    time.Duration // that the server asks for; 0 if it does not say
}

// RefuseEvent is a request that may not be attempted (again), and that could
// have been.
type RefuseEvent struct {
	Keys     Keys
	Request  *http.Request
	Attempts int   // that were made before
	Err      error // *OpenError, *ThrottledError, ErrOverloaded, or the end of the caller's context
}

// State of a circuit breaker: "closed", "open" or "half-open".
type State string

// The states.
const (
	Closed   State = "closed"
	Open     State = "open"
	HalfOpen State = "half-open"
)

// StateEvent is a change of a breaker.
type StateEvent struct {
	Key      string // Keys.Breaker
	From, To State
}
