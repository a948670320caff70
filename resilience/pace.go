package resilience

import (
	"math"
	"time"
)

// Pacing is how fast the requests of a throttle key may follow each other.
type Pacing struct {
	// Rate is requests a second, over time. Zero, or less: as fast as they come,
	// until the server throttles.
	Rate float64
	// Burst is how many may come at once before Rate counts; at least 1. In no
	// span of time t are more than Burst + Rate·t let through, so a server's
	// "300 requests in a rolling window of 5 minutes" is kept by every pair for
	// which Burst + Rate·300 ≤ 300.
	Burst int
}

// How a pace that was learned from a server is held, and how it grows again.
const (
	minRate  = 1.0  // a second; slower than this the gate alone is enough
	margin   = 0.97 // of a rate that was sustained until the server refused
	reckoned = 0.98 // of a rate that was reckoned
	slower   = 0.9  // of a rate that was refused soon after it had been found
	minGuess = 10.0 // a second, where there is nothing to reckon with
	deafFor  = time.Minute
	sample   = 20 // that must have been accepted for the quota to be reckoned from it
	// steadyWaits is how long a rate is kept before more is tried, in units of
	// the wait that the server asks for when it is too much: trying then costs
	// about 1/steadyWaits of the quota.
	steadyWaits = 20
	minSteady   = 20 * time.Second
	maxSteady   = 10 * time.Minute
	forgetAfter = 4                      // steady times; the rate would be 14 times as high
	moment      = 200 * time.Millisecond // that the news of a refusal takes
)

// pace is what is known of the pace that a throttle key allows. It is a plain
// value with the time passed in: it can be simulated, copied, and shared
// between processes.
//
// Until the server throttles there is no limit but the configured one. When it
// does, the gate closes for as long as the server asks, and the quota is
// reckoned from what it had accepted in the period that ends with that wait. The
// rate stays just below for a while, and then grows along a cubic curve, slowly
// at first, to find whether there is more (the idea of CUBIC, RFC 9438: near
// the last limit go carefully). A server that refuses in the time of growth
// confirms the rate; one that refuses before lowers it. Where hardly anything
// had been accepted (others may have used up the quota) there is nothing to
// reckon with: then the rate starts low and doubles twice in the time of such a
// wait, until the next refusal, as in TCP's slow start. And where slowing down
// does not help, for refusals come at random, there is only the gate.
type pace struct {
	Until      time.Time     // the gate is closed until then
	Next       time.Time     // of the next request if all keep the rate
	Rate       float64       // learned, at Since; 0 if nothing was
	Since      time.Time     // since when, or until when the gate is closed
	Steady     time.Duration // how long Rate is kept
	Fast       bool          // Rate is a guess and doubles, instead of being kept
	Most       float64       // what Rate may be corrected to by late news of the last cut
	Cuts       int           // how often Rate was set; who sends under an older one sends in good faith
	Eased      float64       // a rate that the server hinted at, until EasedUntil
	EasedUntil time.Time
	Run, Past  int       // requests accepted since the last cut, and from that to the one before
	Top        float64   // the rate when it was last reckoned anew
	Doubts     int       // cuts in a row that bought nothing
	Deaf       time.Time // until then refusals are not taken for a matter of the rate
	Meter      meter     // of the requests that were accepted
}

// rate returns what may be sent a second; 0 is as much as there is.
func (p *pace) rate(now time.Time, fixed Pacing) float64 {
	rate := fixed.Rate
	if learned := p.learned(now); learned > 0 && (rate == 0 || learned < rate) {
		rate = learned
	}
	if now.Before(p.EasedUntil) && (rate == 0 || p.Eased < rate) {
		rate = p.Eased
	}
	return rate
}

// learned returns the learned rate as it has grown until now.
func (p *pace) learned(now time.Time) float64 {
	if p.Rate == 0 {
		return 0
	}
	age := now.Sub(p.Since)
	switch {
	case p.Fast && age > p.Steady:
		return 0
	case p.Fast && age > 0:
		return p.Rate * math.Exp2(2*steadyWaits*float64(age)/float64(p.Steady))
	case age <= p.Steady:
		return p.Rate
	}
	x := float64(age-p.Steady) / float64(p.Steady)
	if x > forgetAfter-1 {
		return 0
	}
	return p.Rate * (1 + x*x*x/2)
}

// wait returns how long a request must wait now.
func (p *pace) wait(now time.Time, fixed Pacing) time.Duration {
	gate := max(p.Until.Sub(now), 0)
	rate := p.rate(now, fixed)
	if rate == 0 {
		return gate
	}
	// Next runs ahead of the clock by one interval for each request of a burst.
	credit := time.Duration((p.burst(rate, fixed) - 1) / rate * float64(time.Second))
	return max(max(p.Next.Sub(now), 0)-credit, gate)
}

// burst returns how many requests may come at once. A rate that was learned
// has room for those that come late by a hair.
func (p *pace) burst(rate float64, fixed Pacing) float64 {
	promised, late := float64(max(fixed.Burst, 1)), max(1, rate/50)
	switch fixed.Rate {
	case 0:
		return late
	case rate:
		return promised
	}
	return min(promised, late)
}

// take lets one request pass, after its wait, and returns the time that it
// takes of those that follow.
func (p *pace) take(now time.Time, fixed Pacing) time.Duration {
	rate := p.rate(now, fixed)
	if rate == 0 {
		return 0
	}
	start := now
	if p.Until.After(start) {
		start = p.Until
	}
	if p.Next.After(start) {
		start = p.Next
	}
	cost := time.Duration(float64(time.Second) / rate)
	p.Next = start.Add(cost)
	return cost
}

// accepted notes n requests that the server did not refuse. Cuts is what p.Cuts
// was when they were sent: a refusal is answered sooner than a request that is
// carried out, so at a cut the rate was reckoned without the last ones.
func (p *pace) accepted(now time.Time, cuts, n int) {
	p.Meter.add(now, n)
	if cuts == p.Cuts {
		p.ran(now, n, 0)
	} else {
		p.ran(now, n, n)
	}
}

// ran notes n accepted requests, late of which were sent before the last cut,
// when they are in the meter.
func (p *pace) ran(now time.Time, n, late int) {
	p.Run += n - late
	p.Past += late
	if late > 0 && p.Until.After(now) {
		p.correct(p.Meter.quota(now, p.Until.Sub(now)))
	}
}

// correct raises the rate of the last cut by late news of the time before it.
func (p *pace) correct(quota float64) {
	if p.Rate > 0 {
		p.Rate = max(p.Rate, min(quota, p.Most))
	}
}

// hold closes the gate for wait; it never opens it earlier than before.
func (p *pace) hold(now time.Time, wait time.Duration) {
	if until := now.Add(min(wait, longestHold)); until.After(p.Until) {
		p.Until = until
	}
}

// longestHold bounds the memory of a nonsensical Retry-After.
const longestHold = 24 * time.Hour

// throttled notes that the server refused a request and asked for a wait. With
// none (0) there is nothing to reckon with, and the requests' own waits, which
// double, must do. Cuts is what p.Cuts was when the request was sent: what was
// under way at a cut is not a second reason to slow down.
func (p *pace) throttled(now time.Time, cuts int, wait time.Duration) {
	wait = min(wait, longestHold)
	p.hold(now, wait)
	if wait <= 0 || now.Before(p.Deaf) {
		return
	}
	quota := p.Meter.quota(now, wait)
	learned := p.learned(now)
	if learned > 0 && cuts == p.Cuts && p.doubt(now) {
		return
	}
	switch {
	case cuts != p.Cuts:
		p.correct(quota)
	case learned == 0:
		p.Fast = p.Meter.total() < sample
		if p.Fast {
			quota = max(quota, minGuess)
		}
		p.cut(now, wait, quota, math.MaxFloat64)
		p.Top, p.Doubts = p.Rate, 0
	case p.Fast || now.Sub(p.Since) > p.Steady: // it was too much only now
		p.Fast = false
		// After a time with little to do, recent says less than the period.
		p.cut(now, wait, margin*min(learned, max(p.Meter.recent(now), quota)), margin*learned)
		p.Top = p.Rate
	default:
		if now.Sub(p.Since) > 2*wait {
			quota = learned // it was nearly right
		}
		p.cut(now, wait, min(slower*learned, max(quota, p.sinceGate(now, wait))), slower*learned)
	}
}

// cut sets the rate, from the moment when the gate opens.
func (p *pace) cut(now time.Time, wait time.Duration, rate, most float64) {
	p.Rate, p.Most = max(rate, minRate), most
	p.Past, p.Run = p.Run, 0
	p.Cuts++
	p.Since = now
	if p.Until.After(now) {
		p.Since = p.Until
	}
	p.Next = p.Since
	p.Steady = min(max(steadyWaits*wait, minSteady), maxSteady)
}

// doubt reports whether refusals are no matter of the rate: a server that counts
// lets no fewer requests through when they come more slowly. One that does,
// twice in a row and at half of the rate that was reckoned first, refuses for
// other reasons, and slowing down would be in vain.
func (p *pace) doubt(now time.Time) bool {
	if !p.Fast && now.Sub(p.Since) > p.Steady {
		p.Doubts = 0
		return false
	}
	if p.Run > p.Past {
		p.Doubts = 0
		return false
	}
	if p.Doubts++; p.Doubts < 2 || p.learned(now) > p.Top/2 {
		return false
	}
	p.Rate, p.Fast, p.Doubts = 0, false, 0
	p.Past, p.Run = 0, 0
	p.Cuts++
	p.Deaf = now.Add(deafFor)
	return true
}

// ease keeps to a rate for a while that the server hinted at.
func (p *pace) ease(now time.Time, rate float64, d time.Duration) {
	p.Eased, p.EasedUntil = max(rate, minRate), now.Add(min(d, longestHold))
}

// spans are the lengths of time over which a meter counts.
var spans = [...]time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second, 100 * time.Second, 1000 * time.Second}

// meter counts over several lengths of time at once.
type meter [len(spans)]counter

// counter counts in a span that began with the first event after the one
// before had ended.
type counter struct {
	Start       time.Time
	Last        time.Time // start of the span before, if that ended at Start
	Count, Past int
}

func (m *meter) add(now time.Time, n int) {
	for i := range m {
		m[i].add(now, n, spans[i])
	}
}

func (c *counter) add(now time.Time, n int, span time.Duration) {
	if age := now.Sub(c.Start); age >= 2*span {
		*c = counter{Start: now, Last: now}
	} else if age >= span {
		*c = counter{Start: now, Last: c.Start, Past: c.Count}
	}
	c.Count += n
}

// rate returns the requests a second since the counter's past began.
func (c *counter) rate(now time.Time) float64 {
	elapsed := now.Sub(c.Last)
	if c.Count == 0 || elapsed <= 0 {
		return 0
	}
	return float64(c.Past+c.Count) / elapsed.Seconds()
}

// quota reckons what a server allows that now asks for a wait: the period that
// is full by now is the one in which the most was accepted.
func (m *meter) quota(now time.Time, wait time.Duration) float64 {
	best := 0.0
	for i := range m {
		if c := &m[i]; c.Count > 0 {
			best = max(best, float64(c.Past+c.Count)/period(now.Sub(c.Last)+wait).Seconds())
		}
	}
	return reckoned * best
}

// period returns the length of the period that a server counts in, if it ends
// with a wait that was rounded up to whole seconds: a round one if that is
// possible, such as the second of which 1.45 s seem to have passed.
func period(seems time.Duration) time.Duration {
	for _, round := range [...]time.Duration{1, 5, 10, 15, 30, 60, 300, 600, 900, 3600} {
		if round *= time.Second; seems-time.Second < round && round <= seems {
			return round
		}
	}
	return max(seems, spans[0])
}

// sinceGate reckons like meter.quota, from the moment when the gate opened. The
// first period after it is often full when it ends; the news of that takes a
// moment.
func (p *pace) sinceGate(now time.Time, wait time.Duration) float64 {
	open := max(now.Sub(p.Since)-moment, 0)
	return reckoned * float64(p.Run) / period(open+wait).Seconds()
}

// total returns what was accepted lately.
func (m *meter) total() int {
	c := m[len(m)-1]
	return c.Past + c.Count
}

// recent returns what was accepted a second lately.
func (m *meter) recent(now time.Time) float64 {
	c := m[1]
	if now.Sub(c.Last) < time.Second {
		return math.Inf(1)
	}
	return c.rate(now)
}
