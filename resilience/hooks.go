package resilience

import (
	"net/http"
	"time"
)

// Hooks are told what happens, as it happens, on the goroutine of the request:
// they must return quickly and be safe for concurrent use. A nil hook costs
// nothing. Requests are passed as they are; log no more of them than you must.
type Hooks struct {
	Attempt func(AttemptEvent) // after each attempt
	Retry   func(RetryEvent)   // before each wait for a repetition
	State   func(StateEvent)   // when a breaker changes
}

// AttemptEvent is one attempt.
type AttemptEvent struct {
	Key      string
	Request  *http.Request // the caller's
	Number   int           // from 1
	Class    Class
	Status   int   // 0 without an answer
	Err      error // nil with one
	Duration time.Duration
}

// RetryEvent is a decision to wait and repeat.
type RetryEvent struct {
	Key     string
	Request *http.Request
	Number  int // of the attempt that failed
	Class   Class
	Wait    time.Duration
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
	Key      string
	From, To State
}
