package resilience

import (
	"log/slog"
	"net/http"
	"time"
)

// Options configure a [Transport]. Hosts is required; the zero value of
// everything else is a sensible default.
type Options struct {
	// Hosts are the origins that can be reached, such as
	// "https://graph.microsoft.com"; "http://127.0.0.1:8080" on loopback.
	Hosts []string
	// Base makes the requests; nil is [NewBase].
	Base http.RoundTripper
	// Keys names what fails and is throttled together. Nil is the host for
	// both.
	Keys func(*http.Request) Keys
	// MaxKeys is how many keys of each kind are remembered; the least recently
	// used beyond it are forgotten, throttle keys that are in use or told to wait
	// after others. Default 1024.
	MaxKeys int

	Retry   RetryPolicy
	Breaker BreakerPolicy
	Limits  Limits
	Hooks   Hooks

	// Logger is told of breakers that change and keys that are throttled; nil
	// is silence. It is told keys, times and numbers, never addresses or errors
	// of requests.
	Logger *slog.Logger
	// Shared, if set, lets several processes that serve the same tenants keep
	// to one pace: github.com/msptoolbelt/toolbelt/auth/rediskv is such a KV in
	// Redis. It is a module of its own, so that who runs one process need not
	// have its dependencies; nor do the examples.
	Shared KV
}

// RetryPolicy says how often and how patiently a request is repeated.
type RetryPolicy struct {
	MaxAttempts   int           // of one request, the first included; default 4
	BaseDelay     time.Duration // longest wait before the first repetition, doubling; default 250 ms
	MaxDelay      time.Duration // longest wait of our own choosing; default 20 s
	MaxRetryAfter time.Duration // longest wait at the server's wish; default 60 s
	// AttemptTimeout bounds one attempt up to the answer's headers; default
	// 100 s. The body is bounded by Limits.
	AttemptTimeout time.Duration
	// Budget limits repetitions when everything fails: the size of a bucket
	// per key from which a repetition takes 5 (10 after a timeout), and into
	// which a success puts back 1, or what its last repetition took. Default
	// 500, as in the AWS SDKs; negative is unlimited.
	Budget int
	// Classify may overrule the class of an attempt. Resp is nil if err is not.
	Classify func(resp *http.Response, err error, class Class) Class
}

// BreakerPolicy says when a key is taken for dead, and for how long.
type BreakerPolicy struct {
	// Consecutive is how many failures in a row open it; up to twice as many if
	// that many requests are made at once. Default 10.
	Consecutive  int
	MinRequests  int           // verdicts within Window before the ratio counts; default 50: with 20, a survivable 30 % opens it by chance now and then
	FailureRatio float64       // of the verdicts within Window that opens it; default 0.6
	Window       time.Duration // default 10 s
	// Cooldown is how long it is open before one probe is let through, and up
	// to a fifth longer, so that many processes do not probe as one. From the
	// fifth probe in a row that fails it doubles, up to MaxCooldown. Default 2 s
	// and 30 s.
	Cooldown    time.Duration
	MaxCooldown time.Duration
}

// Limits bound what goes out at once, and what an answer may cost.
type Limits struct {
	// Pacing is kept from the first request of each throttle key on. A server
	// that throttles can only make it slower.
	Pacing Pacing
	// MaxInFlight is how many requests of a throttle key may be under way at
	// once, until their answers are read or closed. Default 32; negative is
	// unlimited.
	MaxInFlight int
	// MaxWait is how long a request waits for one of these places, before it
	// fails with [ErrOverloaded]. Default 30 s.
	MaxWait time.Duration
	// MaxResponseBytes bounds a body after decompression; reading more fails
	// with [ErrResponseTooLarge]. Default 32 MiB; negative is unlimited.
	MaxResponseBytes int64
	// BodyIdleTimeout bounds the wait for the next bytes of a body; reading
	// then fails with [ErrBodyIdle], a quarter later at most. Default 30 s.
	BodyIdleTimeout time.Duration
}

// positive replaces what cannot be meant.
func positive[T int | float64 | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}

func (o *Options) setDefaults() {
	positive(&o.Retry.MaxAttempts, 4)
	positive(&o.Retry.BaseDelay, 250*time.Millisecond)
	positive(&o.Retry.MaxDelay, 20*time.Second)
	positive(&o.Retry.MaxRetryAfter, time.Minute)
	positive(&o.Retry.AttemptTimeout, 100*time.Second)
	if o.Retry.Budget == 0 {
		o.Retry.Budget = 500
	}
	positive(&o.Breaker.Consecutive, 10)
	positive(&o.Breaker.MinRequests, 50)
	positive(&o.Breaker.FailureRatio, 0.6)
	positive(&o.Breaker.Window, 10*time.Second)
	positive(&o.Breaker.Cooldown, 2*time.Second)
	positive(&o.Breaker.MaxCooldown, 30*time.Second)
	positive(&o.MaxKeys, 1024)
	if o.Limits.MaxInFlight == 0 {
		o.Limits.MaxInFlight = 32
	}
	positive(&o.Limits.MaxWait, 30*time.Second)
	if o.Limits.MaxResponseBytes == 0 {
		o.Limits.MaxResponseBytes = 32 << 20
	}
	positive(&o.Limits.BodyIdleTimeout, 30*time.Second)
	if o.Base == nil {
		o.Base = NewBase()
	}
	if !(o.Limits.Pacing.Rate > 0) { // NaN, too
		o.Limits.Pacing.Rate = 0
	}
	if o.Keys == nil {
		o.Keys = hostKeys
	}
}
