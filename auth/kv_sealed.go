package auth

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// SealKV returns a KV whose values are sealed by keys and kept in kv, such as
// web sessions in a database. A [Store] does that by itself. Values that cannot
// be opened are an [*UnreadableError], and are not overwritten; what an older
// key has sealed is sealed anew when it is next changed. Ids are kept as they are.
func SealKV(kv KV, keys *Keyring) KV { return sealedKV{kv, keys} }

type sealedKV struct {
	kv   KV
	keys *Keyring
}

func (s sealedKV) Get(ctx context.Context, id string) ([]byte, error) {
	value, _, err := s.open(ctx, id)
	return value, err
}

// open returns a value, and as it lies in the KV.
func (s sealedKV) open(ctx context.Context, id string) (value, sealed []byte, err error) {
	sealed, err = s.kv.Get(ctx, id)
	if err != nil || sealed == nil {
		return nil, nil, err
	}
	value, _, err = s.keys.open(id, sealed)
	return value, sealed, err
}

func (s sealedKV) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := errors.Join(ctx.Err(), checkEntry(id, value)); err != nil {
		return false, err
	}
	current, sealed, err := s.open(ctx, id)
	if err != nil || (current == nil) != (old == nil) || !bytes.Equal(current, old) {
		return false, err
	}
	anew, err := s.keys.seal(id, value)
	if err != nil {
		return false, err
	}
	return s.kv.CompareAndSwap(ctx, id, sealed, anew, ttl)
}

func (s sealedKV) Delete(ctx context.Context, id string) error { return s.kv.Delete(ctx, id) }
