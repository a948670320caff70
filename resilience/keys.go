package resilience

import (
	"container/list"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Keys name what a request shares with others. Two requests with the same
// Breaker fail together, and two with the same Throttle are throttled
// together. A service is often one host for all, but counts the requests to
// each mailbox, site or tenant for themselves. Keys are found in logs, hooks
// and snapshots: put a hash into them rather than a name or an address of a
// person.
type Keys struct {
	Breaker  string // of the circuit breaker and the retry budget
	Throttle string // of the gate, the pace and the requests in flight
	// MaxInFlight, if positive, lowers Limits.MaxInFlight for Throttle: some
	// workloads of a service allow fewer requests at once than others.
	MaxInFlight int
}

// hostKeys is the default of Options.Keys: the URL's host, and its port unless
// that is the scheme's.
func hostKeys(r *http.Request) Keys {
	host := strings.ToLower(r.URL.Host)
	switch r.URL.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return Keys{Breaker: host, Throttle: host}
}

// keyed is a bounded map; the least recently used goes first, if it is not busy.
type keyed[T any] struct {
	max    int
	busy   func(*T) bool // called with the map locked; nil: none is
	mu     sync.Mutex
	lost   atomic.Uint64 // counts what was forgotten
	byKey  map[string]*list.Element
	recent list.List // of *entry[T]
}

type entry[T any] struct {
	key   string
	value *T
}

func newKeyed[T any](limit int, busy func(*T) bool) *keyed[T] {
	return &keyed[T]{max: limit, busy: busy, byKey: make(map[string]*list.Element)}
}

// get returns the value of a key. Create makes it if there is none, with the
// map locked.
func (k *keyed[T]) get(key string, create func() *T) *T {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.byKey[key]; ok {
		k.recent.MoveToFront(e)
		return e.Value.(*entry[T]).value //nolint:errcheck,forcetypeassert // the list holds nothing else
	}
	made := create()
	k.byKey[key] = k.recent.PushFront(&entry[T]{key, made})
	for len(k.byKey) > k.max {
		forgotten := k.recent.Remove(k.oldest()).(*entry[T]) //nolint:errcheck,forcetypeassert // as above
		delete(k.byKey, forgotten.key)
		k.lost.Add(1)
	}
	return made
}

// looked is how many of the oldest are looked at for one that is not busy.
const looked = 16

// oldest returns what is to be forgotten first.
func (k *keyed[T]) oldest() *list.Element {
	oldest := k.recent.Back()
	if k.busy == nil {
		return oldest
	}
	for e, n := oldest, 0; n < looked && e != k.recent.Front(); e, n = e.Prev(), n+1 {
		if !k.busy(e.Value.(*entry[T]).value) { //nolint:errcheck,forcetypeassert // as above
			return e
		}
	}
	return oldest
}

// all returns the values, the most recently used first.
func (k *keyed[T]) all() []*T {
	k.mu.Lock()
	defer k.mu.Unlock()
	values := make([]*T, 0, len(k.byKey))
	for e := k.recent.Front(); e != nil; e = e.Next() {
		values = append(values, e.Value.(*entry[T]).value) //nolint:errcheck,forcetypeassert // as above
	}
	return values
}
