package inbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	maxKeySet     = 256 << 10 // bytes
	fetchTime     = 10 * time.Second
	fetchInterval = time.Minute
)

// ErrKeysUnavailable is returned by a verifier that has no keys to judge a
// token by, because the issuer's key set cannot be had. It is no
// ErrInvalidToken: the token may be good, and works later.
var ErrKeysUnavailable = errors.New("inbound: the keys of the issuer are not available")

// keySet is what an issuer publishes at one address. However many callers come
// with however many key ids, it asks at most once a minute.
type keySet struct {
	url     string
	client  *http.Client
	life    context.Context // of the verifier: a fetch outlives the call that started it
	refresh time.Duration   // how old keys may be before newer ones are looked for
	stale   time.Duration   // how old they may be if newer ones cannot be had

	mu      sync.Mutex
	keys    map[string][]key
	fetched time.Time     // when they came
	tried   time.Time     // when they were last asked for
	pending chan struct{} // closed at the end of the fetch under way
}

// find returns the keys with an id: none if the issuer has none.
func (s *keySet) find(ctx context.Context, id string) ([]key, error) {
	found, pending, err := s.look(id, true) //nolint:contextcheck // see the field life
	if len(found) > 0 || pending == nil {
		return found, err
	}
	select {
	case <-pending:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	found, _, err = s.look(id, false) //nolint:contextcheck // as above
	return found, err
}

// look returns what is there, and the fetch under way, which it starts if need
// be and if it may.
func (s *keySet) look(id string, start bool) ([]key, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	age := now.Sub(s.fetched)
	usable := s.keys != nil && age < s.stale
	var found []key
	if usable {
		found = s.keys[id]
	}
	wanted := len(found) == 0 || age >= s.refresh
	if start && wanted && s.pending == nil && now.Sub(s.tried) >= fetchInterval && s.life.Err() == nil {
		s.tried, s.pending = now, make(chan struct{})
		go s.fetch(s.pending)
	}
	if !usable {
		return nil, s.pending, ErrKeysUnavailable
	}
	return found, s.pending, nil
}

// fetch ends by itself, within fetchTime.
func (s *keySet) fetch(done chan struct{}) {
	keys, err := s.get()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.keys, s.fetched = keys, time.Now()
	}
	s.pending = nil
	close(done)
}

func (s *keySet) get() (map[string][]key, error) {
	ctx, cancel := context.WithTimeout(s.life, fetchTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	request.Close = true // the next one is an hour away
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errKeys
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil || len(data) > maxKeySet {
		return nil, errKeys
	}
	return parseKeys(data)
}
