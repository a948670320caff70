package resilience

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// scope is what is remembered of a key.
type scope struct {
	key     string
	breaker *breaker
	gate    gate
	budget  budget
}

// scopes is a bounded map of them; the least recently used goes first.
type scopes struct {
	options *Options
	mu      sync.Mutex
	byKey   map[string]*list.Element
	recent  list.List // of *scope
}

func newScopes(o *Options) *scopes {
	return &scopes{options: o, byKey: make(map[string]*list.Element)}
}

func (s *scopes) get(key string) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byKey[key]; ok {
		s.recent.MoveToFront(e)
		return e.Value.(*scope) //nolint:errcheck,forcetypeassert // the list holds nothing else
	}
	made := &scope{key: key, breaker: newBreaker(key, s.options)}
	made.budget = budget{left: s.options.Retry.Budget, size: s.options.Retry.Budget}
	s.byKey[key] = s.recent.PushFront(made)
	for len(s.byKey) > s.options.Breaker.MaxKeys {
		oldest := s.recent.Remove(s.recent.Back()).(*scope) //nolint:errcheck,forcetypeassert // as above
		delete(s.byKey, oldest.key)
	}
	return made
}

// gate remembers until when a server wants to be left alone.
type gate struct{ until atomic.Pointer[time.Time] }

// longestHold bounds the memory of a nonsensical Retry-After.
const longestHold = 24 * time.Hour

// hold closes the gate for d from now; it never opens it earlier than before.
func (g *gate) hold(now time.Time, d time.Duration) {
	until := now.Add(min(d, longestHold))
	for {
		old := g.until.Load()
		if old != nil && !old.Before(until) || g.until.CompareAndSwap(old, &until) {
			return
		}
	}
}

// wait returns how long the gate stays closed; 0 if it is open.
func (g *gate) wait() time.Duration {
	until := g.until.Load()
	if until == nil {
		return 0
	}
	return max(time.Until(*until), 0)
}

// The prices of the AWS SDKs' standard retry mode.
const (
	retryCost   = 5
	timeoutCost = 10
)

// budget is the bucket that repetitions take from. Size < 0 is unlimited.
type budget struct {
	mu         sync.Mutex
	left, size int
}

func (b *budget) take(cost int) bool {
	if b.size < 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < cost {
		return false
	}
	b.left -= cost
	return true
}

func (b *budget) give(back int) {
	if b.size < 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.left+back, b.size)
}
