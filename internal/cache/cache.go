// Package cache remembers what rarely changes, such as reference tables.
package cache

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxEntries bounds a cache; the entries that expire first make room.
const maxEntries = 1024

// Cache loads values by key and keeps them for a while. Concurrent callers of
// one key share a load. Failures are not kept. The zero Cache keeps nothing for
// long: set TTL. Safe for concurrent use; do not copy it.
type Cache[V any] struct {
	TTL time.Duration

	mu      sync.Mutex
	entries map[string]*entry[V]
}

type entry[V any] struct {
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
	expires time.Time
}

// Get returns the value of key, loading it when it is absent or too old. A
// caller that shares a load waits for it no longer than its own context; when
// the loading caller gives up, the next one loads anew.
func (c *Cache[V]) Get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	for {
		e, mine := c.entry(key)
		if mine {
			c.fill(ctx, key, e, load)
			return e.value, e.err
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
		// The loading caller gave up: that says nothing about this one.
		if !errors.Is(e.err, context.Canceled) && !errors.Is(e.err, context.DeadlineExceeded) {
			return e.value, e.err
		}
		if err := ctx.Err(); err != nil {
			return e.value, err
		}
	}
}

// Drop forgets all values.
func (c *Cache[V]) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = nil
}

// Forget forgets the value of one key.
func (c *Cache[V]) Forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}

// entry returns the usable entry of key, or a new one that the caller must fill.
func (c *Cache[V]) entry(key string) (e *entry[V], mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if e := c.entries[key]; e != nil {
		select {
		case <-e.done:
			if now.Before(e.expires) {
				return e, false
			}
		default:
			return e, false
		}
	}
	if c.entries == nil {
		c.entries = map[string]*entry[V]{}
	}
	c.makeRoom()
	e = &entry[V]{done: make(chan struct{})}
	c.entries[key] = e
	return e, true
}

func (c *Cache[V]) makeRoom() {
	for len(c.entries) >= maxEntries {
		oldest := ""
		for key, e := range c.entries {
			if oldest == "" || e.expires.Before(c.entries[oldest].expires) {
				oldest = key
			}
		}
		delete(c.entries, oldest)
	}
}

// fill loads the value. A failed or panicking load leaves no entry behind.
func (c *Cache[V]) fill(ctx context.Context, key string, e *entry[V], load func(context.Context) (V, error)) {
	e.err = context.Canceled
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.err != nil && c.entries[key] == e {
			delete(c.entries, key)
		}
		e.expires = time.Now().Add(c.TTL)
		close(e.done)
	}()
	e.value, e.err = load(ctx)
}
