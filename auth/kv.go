package auth

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"
)

// KV keeps small values by id: the three operations that a store of sign-ins
// or sessions needs, so that any database can offer them. Package authtest has
// the tests that an implementation must pass.
//
// Ids are 1 to 256 bytes and compared exactly. Values are 1 byte to 512 KiB;
// what is over 1 MiB is refused.
// Implementations are safe for concurrent use, and those that several
// processes share are so between processes.
type KV interface {
	// Get returns the value of id, nil if there is none or it has expired.
	// The caller owns it.
	Get(ctx context.Context, id string) ([]byte, error)
	// CompareAndSwap sets the value of id to value if it is old at this moment
	// (nil: if there is none), and reports whether it did. The value expires
	// after ttl; 0 is never.
	CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error)
	// Delete removes the value of id. There may be none.
	Delete(ctx context.Context, id string) error
}

// Limits of a KV.
const (
	maxID    = 256
	maxValue = 1 << 20
)

var (
	errID    = errors.New("auth: an id has 1 to 256 bytes")
	errValue = errors.New("auth: a value has 1 byte to 1 MiB")
)

func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return errID
	}
	return nil
}

func checkEntry(id string, value []byte) error {
	if len(value) == 0 || len(value) > maxValue {
		return errValue
	}
	return checkID(id)
}

// MemoryKV is a [KV] that lives and ends with the process: for tests, and for
// programs whose users sign in anew after each start. The zero MemoryKV is
// ready for use; do not copy it.
type MemoryKV struct {
	mu      sync.Mutex
	entries map[string]memoryEntry
	sweepAt int // number of entries at which expired ones are looked for
}

type memoryEntry struct {
	value   []byte
	expires time.Time // zero: never
}

func (e memoryEntry) live(now time.Time) bool { return e.expires.IsZero() || before(now, e.expires) }

// Get implements [KV].
func (m *MemoryKV) Get(ctx context.Context, id string) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkID(id)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.get(id)), nil
}

func (m *MemoryKV) get(id string) []byte {
	e, ok := m.entries[id]
	if !ok || !e.live(time.Now()) {
		return nil
	}
	return e.value
}

// CompareAndSwap implements [KV].
func (m *MemoryKV) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := errors.Join(ctx.Err(), checkEntry(id, value)); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	current := m.get(id)
	if (current == nil) != (old == nil) || !bytes.Equal(current, old) {
		return false, nil
	}
	e := memoryEntry{value: bytes.Clone(value)}
	if ttl > 0 {
		e.expires = time.Now().Add(ttl)
	}
	m.sweep()
	m.entries[id] = e
	return true, nil
}

// sweep forgets what has expired, whenever the map has doubled since.
func (m *MemoryKV) sweep() {
	if m.entries == nil {
		m.entries = map[string]memoryEntry{}
	}
	if len(m.entries) < max(m.sweepAt, 64) {
		return
	}
	now := time.Now()
	for id, e := range m.entries {
		if !e.live(now) {
			delete(m.entries, id)
		}
	}
	m.sweepAt = 2 * len(m.entries)
}

// Delete implements [KV].
func (m *MemoryKV) Delete(ctx context.Context, id string) error {
	if err := errors.Join(ctx.Err(), checkID(id)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, id)
	return nil
}

var _ KV = (*MemoryKV)(nil)
