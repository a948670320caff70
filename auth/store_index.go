package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A KV cannot list, so the keys of all records are records themselves, spread
// over a few by subject. A key is there before its record and goes after it:
// no record is ever missing from the index.
const (
	indexShards = 16
	// A sign-in under way may have its key in the index but no record yet.
	indexGrace = 10 * time.Minute
	// From this size on, keys whose records have expired are looked for.
	indexFull = 512
)

type wireIndex struct {
	Entries []indexEntry `json:"entries"`
}

type indexEntry struct {
	Key   StoreKey  `json:"key"`
	Added time.Time `json:"added"`
}

func shardOf(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return shardID(int(sum[0]) % indexShards)
}

func shardID(n int) string { return fmt.Sprintf("index-%d", n) }

// Keys returns the keys of all records, in no particular order.
func (s *Store) Keys(ctx context.Context) ([]StoreKey, error) {
	var keys []StoreKey
	for n := range indexShards {
		index, _, err := s.index(ctx, shardID(n))
		if err != nil {
			return nil, err
		}
		for _, e := range index.Entries {
			keys = append(keys, e.Key)
		}
	}
	return keys, nil
}

// KeysOf returns the keys of all records of one subject.
func (s *Store) KeysOf(ctx context.Context, subject string) ([]StoreKey, error) {
	index, _, err := s.index(ctx, shardOf(subject))
	if err != nil {
		return nil, err
	}
	var keys []StoreKey
	for _, e := range index.Entries {
		if e.Key.Subject == subject {
			keys = append(keys, e.Key)
		}
	}
	return keys, nil
}

// Records returns all records that can be read, in no particular order, and
// the errors of those that cannot, joined.
func (s *Store) Records(ctx context.Context) ([]*Record, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return nil, err
	}
	var records []*Record
	var faults []error
	for _, key := range keys {
		switch r, err := s.Load(ctx, key); {
		case err != nil:
			faults = append(faults, err)
		case r != nil:
			records = append(records, r)
		}
	}
	return records, errors.Join(faults...)
}

func (s *Store) index(ctx context.Context, shard string) (wireIndex, []byte, error) {
	var index wireIndex
	sealed, err := s.get(ctx, shard, &index, 0)
	return index, sealed, err
}

func (s *Store) enlist(ctx context.Context, key StoreKey) error {
	id := key.ID()
	return s.reindex(ctx, key, func(entries []indexEntry) []indexEntry {
		entries = slices.DeleteFunc(entries, func(e indexEntry) bool { return e.Key.ID() == id })
		if len(entries) >= indexFull {
			entries = s.prune(ctx, entries)
		}
		return append(entries, indexEntry{key, time.Now().UTC()})
	})
}

// entry returns the entry of key in the index, an empty one if there is none.
func (s *Store) entry(ctx context.Context, key StoreKey) (indexEntry, error) {
	id := key.ID()
	index, _, err := s.index(ctx, shardOf(key.Subject))
	for _, e := range index.Entries {
		if e.Key.ID() == id {
			return e, err
		}
	}
	return indexEntry{Key: key}, err
}

// delist takes out an entry that was read before its record was removed: if it
// was made anew since, there is a new record.
func (s *Store) delist(ctx context.Context, entry indexEntry) error {
	return s.reindex(ctx, entry.Key, func(entries []indexEntry) []indexEntry {
		return slices.DeleteFunc(entries, func(e indexEntry) bool { return sameEntry(e, entry) })
	})
}

// prune drops the keys whose records have expired.
func (s *Store) prune(ctx context.Context, entries []indexEntry) []indexEntry {
	return slices.DeleteFunc(entries, func(e indexEntry) bool {
		if time.Since(e.Added) < indexGrace {
			return false
		}
		sealed, err := s.kv.Get(ctx, e.Key.ID())
		return err == nil && sealed == nil
	})
}

func sameEntry(a, b indexEntry) bool { return a.Added.Equal(b.Added) && a.Key.ID() == b.Key.ID() }

// reindex changes the part of the index that key belongs to.
func (s *Store) reindex(ctx context.Context, key StoreKey, change func([]indexEntry) []indexEntry) error {
	shard := shardOf(key.Subject)
	for {
		index, sealed, err := s.index(ctx, shard)
		if err != nil {
			return err
		}
		before := slices.Clone(index.Entries)
		index.Entries = change(index.Entries)
		if slices.EqualFunc(before, index.Entries, sameEntry) {
			return nil
		}
		if len(index.Entries) == 0 { // an index without entries need not last
			_, err = s.swap(ctx, shard, sealed, index, time.Minute)
		} else {
			_, err = s.swap(ctx, shard, sealed, index, 0)
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := pause(ctx, rand.N(20*time.Millisecond)); err != nil { //nolint:gosec // jitter
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
