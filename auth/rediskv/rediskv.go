// Package rediskv keeps in Redis what the replicas of a server share: sign-ins
// and sessions, as the auth.KV of an auth.Store, and the limits of the servers
// that they call, as the Shared of resilience.Options.
//
// Redis sees ids, which are hashes, what auth.Store has sealed, and of limits
// numbers and times. Use TLS and a user of its own for it (rediss:// in the
// address), and a server that does not evict: with maxmemory-policy other than
// noeviction, users may be asked to sign in anew. A failover to a replica may
// lose the last writes, and a lost refresh token asks for a new sign-in.
package rediskv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/msptoolbelt/toolbelt/auth"
)

// KV is an [auth.KV] in Redis 6 or later, Valkey, or a cluster of either. It
// is safe for concurrent use.
type KV struct {
	client redis.UniversalClient
	prefix string
}

// New returns a KV whose keys begin with prefix, such as "toolbelt:". The
// client's timeouts and retries count; closing it is up to the caller.
//
// The client of a cluster or ring should be made with ContextTimeoutEnabled, or
// else a server that hangs is waited for beyond the deadlines of contexts. That
// of a single server need not.
func New(client redis.UniversalClient, prefix string) *KV {
	return &KV{client, prefix}
}

const (
	maxID    = 256
	maxValue = 1 << 20
)

var (
	errID    = errors.New("rediskv: an id has 1 to 256 bytes")
	errValue = errors.New("rediskv: a value has 1 byte to 1 MiB")
)

// swap compares and swaps without any other client in between. ARGV: "1" if
// there must be an old value, the old value, the new one, and its life in
// milliseconds (0: for ever).
//
// https://redis.io/docs/latest/develop/programmability/eval-intro/
var swap = redis.NewScript(`
local current = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
	if current ~= ARGV[2] then return 0 end
elseif current then
	return 0
end
if ARGV[4] == '0' then
	redis.call('SET', KEYS[1], ARGV[3])
else
	redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
return 1`)

// within returns the client for a call that ends by ctx's deadline. Left to
// itself, go-redis heeds a deadline between its attempts only.
func (k *KV) within(ctx context.Context) redis.UniversalClient {
	client, single := k.client.(*redis.Client)
	deadline, limited := ctx.Deadline()
	if !single || !limited || client.Options().ContextTimeoutEnabled {
		return k.client
	}
	timeout := max(time.Until(deadline), time.Millisecond)
	if own := client.Options().ReadTimeout; own > 0 && own <= timeout {
		return k.client
	}
	return client.WithTimeout(timeout)
}

// Get implements [auth.KV].
func (k *KV) Get(ctx context.Context, id string) ([]byte, error) {
	if err := check(ctx, id); err != nil {
		return nil, err
	}
	value, err := k.within(ctx).Get(ctx, k.prefix+id).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("rediskv: get: %w", err)
	}
	return value, nil
}

// CompareAndSwap implements [auth.KV]. An error may come after Redis has made
// the change, as with any server; [auth.Store] reads again and finds out.
func (k *KV) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := check(ctx, id); err != nil {
		return false, err
	}
	if len(value) == 0 || len(value) > maxValue {
		return false, errValue
	}
	present := "1"
	if old == nil {
		present, old = "0", []byte{}
	}
	life := int64(0)
	if ttl > 0 {
		life = max(ttl.Milliseconds(), 1)
	}
	done, err := swap.Run(ctx, k.within(ctx), []string{k.prefix + id}, present, old, value, life).Int()
	if err != nil {
		return false, fmt.Errorf("rediskv: compare and swap: %w", err)
	}
	return done == 1, nil
}

// Delete implements [auth.KV].
func (k *KV) Delete(ctx context.Context, id string) error {
	if err := check(ctx, id); err != nil {
		return err
	}
	if err := k.within(ctx).Del(ctx, k.prefix+id).Err(); err != nil {
		return fmt.Errorf("rediskv: delete: %w", err)
	}
	return nil
}

func check(ctx context.Context, id string) error {
	if id == "" || len(id) > maxID {
		return errID
	}
	return ctx.Err()
}

var _ auth.KV = (*KV)(nil)
