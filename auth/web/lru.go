package web

import "container/list"

// lru is a map of bounded size: what was not used for longest makes room. Not
// safe for concurrent use.
type lru[K comparable, V any] struct {
	max     int
	entries map[K]*list.Element
	order   list.List // of pair[K, V], the last used in front
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

// get returns the value of key, which counts as used.
func (l *lru[K, V]) get(key K) (v V, ok bool) {
	e, ok := l.entries[key]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*pair[K, V]).value, true
}

func (l *lru[K, V]) set(key K, value V) {
	if e, ok := l.entries[key]; ok {
		e.Value.(*pair[K, V]).value = value
		l.order.MoveToFront(e)
		return
	}
	if l.entries == nil {
		l.entries = map[K]*list.Element{}
	}
	for len(l.entries) >= l.max {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.entries, oldest.Value.(*pair[K, V]).key)
	}
	l.entries[key] = l.order.PushFront(&pair[K, V]{key, value})
}

func (l *lru[K, V]) remove(key K) {
	if e, ok := l.entries[key]; ok {
		l.order.Remove(e)
		delete(l.entries, key)
	}
}
