package halopsa

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// patient tells the transport above it how long to wait after a 429, which Halo
// does not: its answer is the sentence "Rate Limit Reached - 300 Requests per
// rolling 5 minute window" without Retry-After. Such a window frees little at a
// time, and what is refused may count, so the first wait is long and each further
// one in a row doubles, up to what the transport is willing to wait.
type patient struct {
	base        http.RoundTripper
	first, most time.Duration

	mu    sync.Mutex
	wait  time.Duration // the latest in a row
	until time.Time     // its end
}

// newPatient returns a patient on the base of the options: 5 s at first and a
// minute at most, with their defaults.
func newPatient(o resilience.Options) *patient {
	p := &patient{base: o.Base, first: 20 * positive(o.Retry.BaseDelay, 250*time.Millisecond), most: positive(o.Retry.MaxRetryAfter, time.Minute)}
	if p.base == nil {
		p.base = resilience.NewBase()
	}
	return p
}

// positive returns the wait, or its default where it is none, as the transport
// reads it.
func positive(wait, fallback time.Duration) time.Duration {
	if wait <= 0 {
		return fallback
	}
	return wait
}

// RoundTrip implements [http.RoundTripper].
func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.base.RoundTrip(r)
	switch {
	case err != nil:
	case response.StatusCode != http.StatusTooManyRequests:
		p.served(time.Now())
	case response.Header.Get("Retry-After") == "":
		// Less than a second, which is what the header counts in, is left to the
		// transport's own waits.
		if wait := p.refused(time.Now()); wait >= time.Second {
			if response.Header == nil { // such as of somebody's own base
				response.Header = http.Header{}
			}
			response.Header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		}
	}
	return response, err
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the base.
func (p *patient) CloseIdleConnections() {
	if c, ok := p.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// refused returns how long to wait after a refusal.
func (p *patient) refused(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.until) { // it was under way when the wait began
		return p.until.Sub(now)
	}
	p.wait = min(max(2*p.wait, p.first), p.most)
	p.until = now.Add(p.wait)
	return p.wait
}

// served ends a row of refusals, unless the answer was under way when it began.
func (p *patient) served(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !now.Before(p.until) {
		p.wait = 0
	}
}
