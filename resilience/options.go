package resilience

import (
	"net/http"
	"strings"
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
	// Key names what fails and is throttled together, for example a host and
	// a tenant. Nil is the host. It must not return an unbounded number of
	// keys; the least recently used beyond Breaker.MaxKeys are forgotten.
	Key func(*http.Request) string

	Retry   RetryPolicy
	Breaker BreakerPolicy
	Limits  Limits
	Hooks   Hooks
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
	Consecutive  int           // failures in a row that open it; default 10
	MinRequests  int           // verdicts within Window before the ratio counts; default 50: with 20, a survivable 30 % opens it by chance now and then
	FailureRatio float64       // of the verdicts within Window that opens it; default 0.6
	Window       time.Duration // default 10 s
	Cooldown     time.Duration // open time before one probe is let through; doubles with each failed probe; default 2 s
	MaxCooldown  time.Duration // default 30 s
	MaxKeys      int           // keys remembered; default 1024
}

// Limits bound what an answer may cost.
type Limits struct {
	// MaxResponseBytes bounds a body after decompression; reading more fails
	// with [ErrResponseTooLarge]. Default 32 MiB; negative is unlimited.
	MaxResponseBytes int64
	// BodyIdleTimeout bounds the wait for the next bytes of a body; reading
	// then fails with [ErrBodyIdle]. Default 30 s.
	BodyIdleTimeout time.Duration
}

// hostKey is the default of Options.Key: the URL's host and port.
func hostKey(r *http.Request) string { return strings.ToLower(r.URL.Host) }

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
	positive(&o.Breaker.MaxKeys, 1024)
	if o.Limits.MaxResponseBytes == 0 {
		o.Limits.MaxResponseBytes = 32 << 20
	}
	positive(&o.Limits.BodyIdleTimeout, 30*time.Second)
	if o.Base == nil {
		o.Base = NewBase()
	}
	if o.Key == nil {
		o.Key = hostKey
	}
}
