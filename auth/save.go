package auth

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

type flightKey struct{}

func withFlight(ctx context.Context, f *flight) context.Context {
	return context.WithValue(ctx, flightKey{}, f)
}

// saved returns fetch followed by the save of its token. A token that could
// not be saved is saved before another is fetched: its refresh token may be the
// only good one.
func (s *Source) saved(fetch FetchFunc) FetchFunc {
	if s.options.Save == nil {
		return fetch
	}
	return func(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
		if left := s.takeUnsaved(); left != nil {
			if before(time.Now(), left.expireAt) {
				return s.saveFetched(ctx, left)
			}
			previous = left.token
		}
		token, err := fetch(ctx, previous)
		if err != nil {
			return nil, err
		}
		l, err := s.lease(token, time.Now())
		if err != nil {
			return nil, err
		}
		return s.saveFetched(ctx, l)
	}
}

func (s *Source) takeUnsaved() *lease {
	s.saving.Lock()
	defer s.saving.Unlock()
	l := s.unsaved
	s.unsaved = nil
	return l
}

// saveFetched saves the token of a fetch, unless somebody has signed in
// meanwhile: the stored token is theirs then.
func (s *Source) saveFetched(ctx context.Context, l *lease) (*oauth2.Token, error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.outdone(ctx) {
		return l.token, nil
	}
	if err := s.save(ctx, l.token); err != nil {
		s.unsaved = l
		return nil, err
	}
	return l.token, nil
}

func (s *Source) outdone(ctx context.Context) bool {
	f, ok := ctx.Value(flightKey{}).(*flight)
	s.mu.Lock()
	defer s.mu.Unlock()
	return ok && f.outdone != nil
}

// save calls the embedder's function; s.saving is held.
func (s *Source) save(ctx context.Context, token *oauth2.Token) error {
	if s.options.Save == nil {
		return nil
	}
	err := s.options.Save(ctx, token)
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return &Error{Description: "the new token could not be saved", cause: err}
}
