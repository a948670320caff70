package resilience

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// KV is where several processes that serve the same tenants keep their keys'
// gates, paces and breakers together: together they stay within one quota, and
// what one learns of an outage spares the others the same lesson.
//
// Its methods are those of auth.KV, so that the Redis module of package auth
// (auth/rediskv) is one. Values are numbers and times, and ids contain [Keys].
// The processes' clocks should agree to within some 100 ms.
//
// A KV that fails, or takes longer than 100 ms, is left alone for a second;
// each process goes on with what it knows, alone, and no request fails or waits
// for that reason.
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
	aloneTime    = time.Second            // before a KV that failed is tried again
	newsTime     = 250 * time.Millisecond // between two looks at what the others know
	recordLife   = 30 * time.Minute
	maxSwaps     = 16
)

// sharing is the connection to other processes; nil if there is none.
type sharing struct {
	kv         KV
	logger     *slog.Logger
	aloneUntil atomic.Int64 // in nanoseconds of the Unix epoch; 0 if the KV works
}

func newSharing(o *Options) *sharing {
	if o.Shared == nil {
		return nil
	}
	return &sharing{kv: o.Shared, logger: o.Logger}
}

// record returns the shared record of an id; nil if nothing is shared.
func (s *sharing) record(id string) *record {
	if s == nil {
		return nil
	}
	return &record{sharing: s, id: "resilience:" + id}
}

// alone reports whether the KV has failed lately.
func (s *sharing) alone() bool { return time.Now().UnixNano() < s.aloneUntil.Load() }

// failed notes an error of the KV. Only the first of a row is worth a warning.
func (s *sharing) failed(err error) {
	if s.aloneUntil.Swap(time.Now().Add(aloneTime).UnixNano()) == 0 && s.logger != nil {
		s.logger.Warn("resilience: shared limits cannot be reached; going on alone", "error", err)
	}
}

func (s *sharing) worked() {
	if s.aloneUntil.Load() != 0 && s.aloneUntil.Swap(0) != 0 && s.logger != nil {
		s.logger.Info("resilience: limits are shared again")
	}
}

// record is a value in the KV that belongs to a key.
type record struct {
	*sharing
	id    string
	looks atomic.Int64 // when it was last read, in nanoseconds of the Unix epoch

	mu  sync.Mutex // one exchange at a time
	raw []byte     // as last seen
}

// due reports, to one caller at a time, that it is time to look for news.
func (r *record) due(now time.Time) bool {
	last := r.looks.Load()
	return now.UnixNano()-last >= int64(newsTime) && r.looks.CompareAndSwap(last, now.UnixNano())
}

// swap changes the value of a record, and reports whether it could. Op may be
// called several times.
func swap[T any](ctx context.Context, r *record, op func(*T)) bool {
	if r.alone() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alone() { // since we stood in line
		return false
	}
	// The caller's haste must not make the KV look broken.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
	defer cancel()
	for range maxSwaps {
		var value T
		if json.Unmarshal(r.raw, &value) != nil { // none, or another version's
			value = *new(T)
		}
		op(&value)
		raw, err := json.Marshal(value)
		if err != nil {
			r.failed(err)
			return false
		}
		done, err := r.kv.CompareAndSwap(ctx, r.id, r.raw, raw, recordLife)
		if err == nil && done {
			r.raw = raw
			r.looks.Store(time.Now().UnixNano())
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
func look[T any](ctx context.Context, r *record) (value T, ok bool) {
	if r.alone() {
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
	return value, raw != nil && json.Unmarshal(raw, &value) == nil
}
