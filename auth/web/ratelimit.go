package web

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// RateOptions say how much one user, or one client address, may ask for.
type RateOptions struct {
	// Every is the pace: one request in that time, on average.
	Every time.Duration
	// Burst is how many requests may come at once: at least one.
	Burst int
	// User names who makes a request, such as a session's user or a
	// TokenInfo's UserID; "" counts by client address. Nil: always so.
	User func(*http.Request) string
	// Proxies in front of the server, for knowing the client's address.
	Proxies Proxies
	// MaxKeys bounds how many users and addresses are remembered: default
	// 65,536. Beyond, who was not seen for longest is forgotten.
	MaxKeys int
	// Refused, if set, is told of each request that is not let through, for
	// audit and metrics.
	Refused func(*http.Request)
}

// RateLimit is a token bucket for each user or client address: 429 and
// Retry-After for who asks too much. IPv6 addresses count by their /64, which
// is what one customer gets. Safe for concurrent use.
type RateLimit struct {
	options RateOptions

	mu      sync.Mutex
	buckets lru[[sha256.Size]byte, time.Time] // when each would be full again
}

// NewRateLimit checks options.
func NewRateLimit(options RateOptions) (*RateLimit, error) {
	if options.Every <= 0 || options.Burst < 1 || options.MaxKeys < 0 {
		return nil, errors.New("web: a rate limit needs a pace and a burst")
	}
	if options.MaxKeys == 0 {
		options.MaxKeys = 1 << 16
	}
	l := &RateLimit{options: options}
	l.buckets.max = options.MaxKeys
	return l, nil
}

// Wrap returns next behind the limit.
func (l *RateLimit) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := l.Take(r); wait > 0 {
			if l.options.Refused != nil {
				l.options.Refused(r)
			}
			seconds := (wait + time.Second - 1) / time.Second
			w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Take counts a request. It returns 0 if the request may go on, otherwise how
// long its maker has to wait; then it was not counted.
func (l *RateLimit) Take(r *http.Request) time.Duration {
	key := l.key(r)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	full, _ := l.buckets.get(key)
	if full.Before(now) {
		full = now
	}
	// Full again at that time is another way to say how much is left.
	if wait := full.Sub(now) - time.Duration(l.options.Burst-1)*l.options.Every; wait > 0 {
		return wait
	}
	l.buckets.set(key, full.Add(l.options.Every))
	return 0
}

// key is of one size, however long a name somebody has.
func (l *RateLimit) key(r *http.Request) [sha256.Size]byte {
	if l.options.User != nil {
		if user := l.options.User(r); user != "" {
			return sha256.Sum256([]byte("user " + user))
		}
	}
	address := l.options.Proxies.Client(r)
	if address.Is6() {
		address = netip.PrefixFrom(address, 64).Masked().Addr()
	}
	return sha256.Sum256([]byte("address " + address.String()))
}
