package resilience

import (
	"errors"
	"fmt"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/dial"
)

var (
	// ErrHostNotAllowed is returned for a request to a host that Options.Hosts
	// does not list, or whose address is not plain.
	ErrHostNotAllowed = errors.New("resilience: host is not allowed")
	// ErrInsecureURL is returned for a URL that is not https (http on loopback
	// is allowed if listed).
	ErrInsecureURL = errors.New("resilience: URL is not https")
	// ErrPrivateAddress is returned by [NewBase] for a name that leads to an
	// address which is not public.
	ErrPrivateAddress = dial.ErrRefused
	// ErrResponseTooLarge is returned by the body of an answer that is longer
	// than Limits.MaxResponseBytes.
	ErrResponseTooLarge = errors.New("resilience: response is too large")
	// ErrOverloaded is returned, without a request, when Limits.MaxInFlight
	// others of its throttle key were under way for all of Limits.MaxWait.
	ErrOverloaded = errors.New("resilience: too many requests are under way")
	// ErrAttemptTimeout is returned when an attempt took longer than
	// RetryPolicy.AttemptTimeout to answer.
	ErrAttemptTimeout error = timeoutError("resilience: no answer within the attempt timeout")
	// ErrBodyIdle is returned by the body of an answer that stalled for
	// Limits.BodyIdleTimeout.
	ErrBodyIdle error = timeoutError("resilience: response body stalled")
)

// timeoutError is a timeout in the sense of [net.Error].
type timeoutError string

func (e timeoutError) Error() string { return string(e) }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// OpenError is returned, without a request, while the circuit breaker of a key
// is open.
type OpenError struct {
	Key        string
	RetryAfter time.Duration // until the next probe is let through
	Err        error         // of this request's last attempt; nil if there was none
}

// Error implements error.
func (e *OpenError) Error() string {
	return withCause(fmt.Sprintf("resilience: %s keeps failing; try again in %s", e.Key, roundUp(e.RetryAfter)), e.Err)
}

// Unwrap returns Err.
func (e *OpenError) Unwrap() error { return e.Err }

// ThrottledError is returned, without a request, while a server has asked for
// more patience (Retry-After) than the caller has, or its pace is slower than
// that.
type ThrottledError struct {
	Key        string
	RetryAfter time.Duration // until the server may be asked again
	Err        error         // of this request's last attempt; nil if there was none
}

// Error implements error.
func (e *ThrottledError) Error() string {
	return withCause(fmt.Sprintf("resilience: %s allows no request now; try again in %s", e.Key, roundUp(e.RetryAfter)), e.Err)
}

// Unwrap returns Err.
func (e *ThrottledError) Unwrap() error { return e.Err }

func withCause(text string, cause error) string {
	if cause == nil {
		return text
	}
	return text + ": " + cause.Error()
}

// roundUp shows whole seconds, never fewer than are left.
func roundUp(d time.Duration) time.Duration {
	if r := d.Truncate(time.Second); r < d {
		return r + time.Second
	}
	return d
}
