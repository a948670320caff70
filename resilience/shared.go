package resilience

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"
)

// KV is where several processes that serve the same tenants keep their keys'
// gates, paces and breakers together: together they stay within one quota, and
// what one learns of an outage spares the others the same lesson.
//
// Its methods are those of auth.KV, so that the Redis module of package auth
// (auth/rediskv) is one. Ids are hashes of [Keys], values are numbers and times.
// The processes' clocks should agree to within some 100 ms.
//
// A KV that fails, or takes longer than 100 ms, is left alone for up to a
// second: each process goes on with what it knows, alone, and no request fails
// or waits for that reason. Its methods must return when ctx ends.
type KV interface {
	// Get returns the value of id, nil if there is none or it has expired.
	Get(ctx context.Context, id string) ([]byte, error)
	// CompareAndSwap sets the value of id to value if it is old at this moment
	// (nil: if there is none), and reports whether it did. The value expires
	// after ttl.
	CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error)
}

const (
	exchangeTime = 100 * time.Millisecond // for one exchange with the KV
	firstAlone   = 100 * time.Millisecond // before a KV that failed is tried again
	aloneTime    = time.Second            // the same, when it has failed for a while
	newsTime     = 250 * time.Millisecond // between two looks at what the others know
	recordLife   = time.Hour
	maxRecord    = 16 << 10 // ours have 1 KiB
	maxSwaps     = 16
)

// sharing is the connection to other processes; nil if there is none.
type sharing struct {
	kv         KV
	logger     *slog.Logger
	aloneUntil atomic.Int64 // in nanoseconds of the Unix epoch; 0 if the KV works
	backSince  atomic.Int64 // likewise, when it works again after failures
	failures   atomic.Int64 // since it last worked for a while
}

func newSharing(o *Options) *sharing {
	if o.Shared == nil {
		return nil
	}
	return &sharing{kv: o.Shared, logger: o.Logger}
}

// record returns the shared record of a key; nil if nothing is shared. Its id
// names the layout of the value, so that versions that differ do not meet.
func (s *sharing) record(kind, key string) *record {
	if s == nil {
		return nil
	}
	hash := sha256.Sum256([]byte(key))
	return &record{sharing: s, id: "resilience1:" + kind + ":" + hex.EncodeToString(hash[:]), turn: make(chan struct{}, 1)}
}

// ticket is the right to ask the KV, until it fails.
type ticket int64

// reach returns a ticket if the KV is to be asked: not if it has failed lately,
// and after that by one caller at a time, so that the others need not wait for
// what may well fail again.
func (s *sharing) reach() (ticket, bool) {
	until := s.aloneUntil.Load()
	if until == 0 {
		return 0, true
	}
	now := time.Now()
	next := now.Add(aloneTime).UnixNano()
	ok := now.UnixNano() >= until && s.aloneUntil.CompareAndSwap(until, next)
	return ticket(next), ok
}

// valid reports whether the KV has not failed since the ticket was given.
func (s *sharing) valid(t ticket) bool {
	until := s.aloneUntil.Load()
	return until == 0 || until == int64(t)
}

// failed notes an error of the KV. Only the first since it last worked for a
// while is worth a warning.
func (s *sharing) failed(err error) {
	now := time.Now()
	failures := s.failures.Add(1)
	s.backSince.Store(0)
	s.aloneUntil.Store(now.Add(min(firstAlone<<min(failures-1, 4), aloneTime)).UnixNano())
	if failures == 1 && s.logger != nil {
		s.logger.Warn("resilience: shared limits cannot be reached; going on alone", "error", err)
	}
}

func (s *sharing) worked() {
	failures := s.failures.Load()
	if failures == 0 {
		return
	}
	s.aloneUntil.Store(0)
	now := time.Now().UnixNano()
	s.backSince.CompareAndSwap(0, now)
	if now-s.backSince.Load() < int64(aloneTime) || !s.failures.CompareAndSwap(failures, 0) {
		return // it may be a fluke
	}
	if s.logger != nil {
		s.logger.Info("resilience: limits are shared again")
	}
}

// record is a value in the KV that belongs to a key.
type record struct {
	*sharing
	id    string
	looks atomic.Int64 // when it was last read, in nanoseconds of the Unix epoch

	turn chan struct{} // holds one thing while an exchange is under way
	raw  []byte        // as last seen; guarded by turn
}

// lock lets one exchange be under way at a time.
func (r *record) lock()   { r.turn <- struct{}{} }
func (r *record) unlock() { <-r.turn }

// due reports, to one caller at a time, that it is time to look for news.
func (r *record) due(now time.Time) bool {
	last := r.looks.Load()
	return now.UnixNano()-last >= int64(newsTime) && r.looks.CompareAndSwap(last, now.UnixNano())
}

// shared is what a record may hold. A value that is not sound was written by a
// stranger, or by a process whose clock is wrong, and is taken for none.
type shared interface {
	sound(now time.Time) bool
	held() time.Time // until when it must not be forgotten
}

func decode[T shared](raw []byte, now time.Time) (value T, ok bool) {
	if len(raw) == 0 || len(raw) > maxRecord || json.Unmarshal(raw, &value) != nil || !value.sound(now) {
		return *new(T), false
	}
	return value, true
}

// swap changes the value of a record, and reports whether it surely did. Op may
// be called several times, or never. The caller holds the lock.
func swap[T shared](ctx context.Context, r *record, t ticket, op func(*T, time.Time)) bool {
	if !r.valid(t) { // since we stood in line
		return false
	}
	// The caller's haste must not make the KV look broken.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
	defer cancel()
	for range maxSwaps {
		now := wall()
		value, _ := decode[T](r.raw, now)
		op(&value, now)
		raw, err := json.Marshal(value)
		if err != nil {
			r.failed(err)
			return false
		}
		done, err := r.kv.CompareAndSwap(ctx, r.id, r.raw, raw, max(recordLife, value.held().Sub(now)))
		if err == nil && done {
			r.raw = raw
			r.looks.Store(now.UnixNano())
			r.worked()
			return true
		}
		if err == nil {
			r.raw, err = r.kv.Get(ctx, r.id)
		}
		if err != nil {
			r.raw = nil
			r.failed(err)
			return false
		}
	}
	return false // the others are too busy; this once, alone
}

// look reads the value of a record.
func look[T shared](ctx context.Context, r *record) (value T, ok bool) {
	t, ok := r.reach()
	if !ok || !r.valid(t) {
		return value, false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
	defer cancel()
	raw, err := r.kv.Get(ctx, r.id)
	if err != nil {
		r.failed(err)
		return value, false
	}
	r.worked()
	return decode[T](raw, wall())
}

// wall returns the time that processes have in common: without the monotonic
// clock, which is one's own.
func wall() time.Time { return time.Now().Round(0) }

// plausible reports whether a time lies not too far ahead to be meant.
func plausible(t, now time.Time) bool { return !t.After(now.Add(longestHold + time.Hour)) }
