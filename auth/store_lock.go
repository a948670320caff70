package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"
)

// locker is what a KV may offer for locks that end with their process.
type locker interface {
	Lock(ctx context.Context, id string) (unlock func(), err error)
}

// leaseTTL is how long a lock in a KV outlives its holder: longer than any
// fetch, whose default is 30 seconds.
const leaseTTL = 45 * time.Second

// lockFree is what the lock of a KV holds after its release.
const lockFree = "free"

// lock lets one process at a time renew the record id. It saves requests; what
// keeps records whole is CompareAndSwap.
func (s *Store) lock(ctx context.Context, id string) (unlock func(), err error) {
	if l, ok := s.kv.(locker); ok {
		return l.Lock(ctx, id)
	}
	name, mine := id+".lock", []byte(rand.Text())
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		taken, err := s.tryLease(ctx, name, mine)
		if err != nil {
			return nil, fmt.Errorf("auth: lock a stored record: %w", err)
		}
		if taken {
			return func() { s.release(ctx, name, mine) }, nil
		}
		if err := pause(ctx, wait/2+mathrand.N(wait)); err != nil { //nolint:gosec // jitter
			return nil, fmt.Errorf("auth: wait for the lock of a stored record: %w", err)
		}
	}
}

func (s *Store) tryLease(ctx context.Context, name string, mine []byte) (bool, error) {
	current, err := s.kv.Get(ctx, name)
	if err != nil || current != nil && string(current) != lockFree {
		return false, err
	}
	return s.kv.CompareAndSwap(ctx, name, current, mine, leaseTTL)
}

// release frees the lock if it is still ours; if that fails, it ends by itself.
func (s *Store) release(ctx context.Context, name string, mine []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = s.kv.CompareAndSwap(ctx, name, mine, []byte(lockFree), leaseTTL)
}
