package resilience

import (
	"context"
	"math"
	"time"
)

// common is what a lane has in common with those of other processes. Its zero
// value shares nothing.
type common struct {
	record *record

	// Guarded by the lane's mu.
	changes []*change // to be made with the next exchange
	untold  tally     // accepted requests that the others do not know of
	own     counter   // accepted requests, ours alone
	agreed  *pace     // what was known together, while alone
	share   float64   // of what was agreed that was ours
	joined  time.Time // when we were last not alone any more
}

// change is a change of the pace. Those that come while an exchange is under
// way are made together in the next one: a slow KV slows each but once.
type change struct {
	op   func(*pace, Pacing, time.Time)
	made bool // guarded by the record's lock
}

// tally counts requests.
type tally struct {
	count int
	late  int       // of them, sent before the last cut
	since time.Time // of the first
}

// accepted counts a request of ours.
func (c *common) accepted(now time.Time, late bool) {
	if c.record == nil {
		return
	}
	c.untold.add(now, late)
	c.own.add(now, 1, spans[shareSpan])
}

func (t *tally) add(now time.Time, late bool) {
	if t.count == 0 {
		t.since = now
	}
	t.count++
	if late {
		t.late++
	}
}

// before returns how many were sent before a cut, which is the last that we knew
// of, or a later one.
func (t *tally) before(last bool) int {
	if last {
		return t.late
	}
	return t.count
}

// exchange makes a change of the pace that the processes share, or of ours if
// there is no way to the others. Op may be called several times; its last call
// counts.
func (l *lane) exchange(ctx context.Context, op func(*pace, Pacing, time.Time)) {
	r := l.shared.record
	ticket, ok := r.reach()
	if !ok {
		l.alone(op)
		return
	}
	own := &change{op: op}
	l.mu.Lock()
	l.shared.changes = append(l.shared.changes, own)
	l.mu.Unlock()

	r.lock()
	defer r.unlock()
	if own.made {
		return
	}
	var batch []*change
	var next pace
	var told tally
	done := swap(ctx, r, ticket, func(p *pace, now time.Time) {
		l.mu.Lock()
		defer l.mu.Unlock()
		batch = append(batch, l.shared.changes...)
		l.shared.changes = nil
		told = l.shared.untold
		l.contribute(p, now)
		fixed := l.fixed
		if now.Sub(l.shared.joined) < aloneTime { // others may be alone yet
			fixed = Pacing{p.rate(now, fixed), fixed.Burst}.part(l.shared.share)
		}
		for _, c := range batch {
			c.op(p, fixed, now)
		}
		next = *p
	})
	if done {
		l.agree(next, told)
	} else {
		l.mu.Lock()
		batch = append(batch, l.shared.changes...)
		l.shared.changes = nil
		l.mu.Unlock()
		for _, c := range batch {
			l.alone(c.op)
		}
	}
	for _, c := range batch {
		c.made = true
	}
}

// alone makes a change that the others are not told of, except by its effects
// later.
func (l *lane) alone(op func(*pace, Pacing, time.Time)) {
	now := wall()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared.agreed == nil && !l.shared.record.valid(0) { // else they are just too busy
		l.part(now)
	}
	fixed := l.fixed
	if l.shared.agreed != nil {
		fixed = fixed.part(l.shared.share)
	}
	op(&l.pace, fixed, now)
}

// part begins a time alone with our part of the pace.
func (l *lane) part(now time.Time) {
	agreed := l.pace
	l.shared.agreed, l.shared.share = &agreed, l.share(now)
	if learned := agreed.learned(now); learned > 0 {
		l.pace.Rate, l.pace.Fast, l.pace.Most = max(l.shared.share*learned, minRate), false, margin*learned
		if now.After(l.pace.Since) {
			l.pace.Since = now
		}
		return
	}
	for i := range l.pace.Meter { // to reckon with, if it comes to that
		c := &l.pace.Meter[i]
		c.Count, c.Past = int(l.shared.share*float64(c.Count)), int(l.shared.share*float64(c.Past))
	}
}

const (
	shareSpan  = 2   // of a meter's, over which a share is reckoned
	leastShare = 0.2 // for a process that had little to do
)

// share returns which part of all requests was ours lately: what we may count on
// if the others keep to theirs.
func (l *lane) share(now time.Time) float64 {
	all := l.pace.Meter[shareSpan]
	if total := all.rate(now); total > 0 && all.Past+all.Count >= sample {
		return min(max(l.shared.own.rate(now)/total, leastShare), 1)
	}
	return 1
}

func (p Pacing) part(share float64) Pacing {
	return Pacing{share * p.Rate, int(share * float64(p.Burst))}
}

// agree takes over what was written, with the accepted requests of ours that
// were told in it.
func (l *lane) agree(next pace, told tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, untold := wall(), &l.shared.untold
	*untold = tally{count: untold.count - told.count, late: untold.late - told.late, since: now}
	untold.late = untold.before(next.Cuts == l.pace.Cuts)
	next.heed(&l.pace) // what came meanwhile
	if untold.count > 0 {
		next.Meter.add(now, untold.count)
		next.ran(now, untold.count, untold.late)
	}
	if l.shared.agreed != nil {
		l.shared.joined = now
	}
	l.pace, l.shared.agreed = next, nil
}

// rejoined reports whether we have not been alone for long enough that what was
// accepted lately is what the server allows: alone, everyone is too fast or too
// slow.
func (l *lane) rejoined(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.shared.joined) < minSteady
}

// contribute adds to p, which the others wrote, what we know and they do not.
// What was found alone is only our part of the quota.
func (l *lane) contribute(p *pace, now time.Time) {
	own, agreed, parts := l.pace, l.shared.agreed, 0.0
	switch {
	case agreed == nil:
	case agreed.learned(now) > own.learned(now):
		own.Rate, own.Fast, own.Most, own.Since, own.Steady = agreed.Rate, agreed.Fast, agreed.Most, agreed.Since, agreed.Steady
	case agreed.learned(now) == 0 && own.found(now) && p.found(now):
		parts = own.Rate + p.Rate // theirs was found without us
	}
	if p.Meter.empty() {
		p.Meter = own.Meter // the KV has lost it
	} else {
		untold := &l.shared.untold
		p.Meter.spread(untold.since, now, untold.count)
		p.ran(now, untold.count, untold.before(p.Cuts == own.Cuts))
	}
	p.merge(&own)
	if parts > 0 {
		p.Rate, p.Most = parts, max(p.Most, own.Most)
	}
}

// found reports whether a rate is known that is no guess.
func (p *pace) found(now time.Time) bool { return !p.Fast && p.learned(now) > 0 }

// merge takes over what another copy learned later.
func (p *pace) merge(other *pace) {
	p.heed(other)
	if other.Since.After(p.Since) {
		p.Rate, p.Fast, p.Most, p.Since, p.Steady = other.Rate, other.Fast, other.Most, other.Since, other.Steady
		p.Top, p.Doubts, p.Run, p.Past = other.Top, other.Doubts, other.Run, other.Past
	}
	if other.Cuts == p.Cuts && other.Since.Equal(p.Since) {
		p.correct(other.Rate)
	}
	if other.Deaf.After(p.Deaf) {
		p.Deaf = other.Deaf
	}
	// The queue begins anew with each cut: an older one is none to stand in.
	if other.Cuts > p.Cuts || other.Cuts == p.Cuts && other.Next.After(p.Next) {
		p.Next = other.Next
	}
	p.Cuts = max(p.Cuts, other.Cuts)
}

// heed takes over the server's wishes that another copy knows of.
func (p *pace) heed(other *pace) {
	if other.Until.After(p.Until) {
		p.Until = other.Until
	}
	if other.EasedUntil.After(p.EasedUntil) {
		p.Eased, p.EasedUntil = other.Eased, other.EasedUntil
	}
}

func (p pace) held() time.Time { return p.Until }

// sound reports whether a pace can be meant.
func (p pace) sound(now time.Time) bool {
	for _, t := range []time.Time{p.Until, p.Next, p.Since, p.EasedUntil, p.Deaf} {
		if !plausible(t, now) {
			return false
		}
	}
	for _, rate := range []float64{p.Rate, p.Most, p.Eased} {
		if rate < 0 || rate > 0 && rate < margin*slower*minRate || math.IsNaN(rate) {
			return false
		}
	}
	for _, c := range p.Meter {
		if c.Count < 0 || c.Past < 0 || !plausible(c.Start, now) || !plausible(c.Last, now) {
			return false
		}
	}
	return p.Cuts >= 0 && p.Run >= 0 && p.Past >= 0 && p.Steady >= 0 && p.Steady <= maxSteady
}

func (m *meter) empty() bool { return m[0].Start.IsZero() }

// spread adds n requests that came evenly since a moment.
func (m *meter) spread(since, now time.Time, n int) {
	if n == 0 {
		return
	}
	span := max(now.Sub(since), 0)
	if longest := spans[len(spans)-1]; span > longest { // the rest does not count any more
		n = int(float64(n) * float64(longest) / float64(span))
		span = longest
	}
	steps := min(max(int(span/spans[0]), 1), 1000)
	for i := range steps {
		m.add(now.Add(-span*time.Duration(steps-1-i)/time.Duration(steps)), n*(i+1)/steps-n*i/steps)
	}
}
