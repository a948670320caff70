package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// TokenSource hands out access tokens. The context bounds how long the caller
// waits; it does not end a fetch that other callers wait for too. Callers must
// not change the token. Implementations are safe for concurrent use.
type TokenSource interface {
	TokenContext(ctx context.Context) (*oauth2.Token, error)
}

// Func makes a [TokenSource] of a function. It is called for every request:
// give it a cache, or use [NewSource].
type Func func(ctx context.Context) (*oauth2.Token, error)

// TokenContext implements [TokenSource].
func (f Func) TokenContext(ctx context.Context) (*oauth2.Token, error) { return f(ctx) }

// Static always hands out the same bearer token: for tests, and for a token
// that somebody else looks after.
func Static(token string) TokenSource {
	t := &oauth2.Token{AccessToken: token, TokenType: "Bearer"}
	return Func(func(context.Context) (*oauth2.Token, error) {
		if token == "" {
			return nil, &Error{Code: "login_required", Description: "the token is empty", NeedsUser: true}
		}
		return t, nil
	})
}

// FetchFunc gets a new token. Previous is the last one, nil at first; its
// refresh token is what a refresh grant needs. [ClaimsFrom] tells from ctx what
// an API has demanded of the token.
type FetchFunc func(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error)

// SourceOptions tunes a [Source]. The zero value is right for most.
type SourceOptions struct {
	// Initial is a token from an earlier sign-in; its access token is used
	// while it lasts, its refresh token afterwards.
	Initial *oauth2.Token
	// RefreshBefore is how long before its end a token is renewed in the
	// background. Default 5 minutes, at most half of the token's life.
	RefreshBefore time.Duration
	// ExpireBefore is how long before its end a token is not handed out any
	// more. Default 30 seconds, at most a quarter of the token's life.
	ExpireBefore time.Duration
	// FetchTimeout bounds one fetch. Default 30 seconds.
	FetchTimeout time.Duration
	// Save stores each new token, fetched or signed in, before anybody gets
	// it: a server that rotates refresh tokens (RFC 9700 section 4.14) has
	// ended the old one. While Save fails the source has no token, but keeps
	// this one and offers it to Save again.
	Save func(ctx context.Context, token *oauth2.Token) error
	// Wrap goes around each fetch and its Save: to hold a lock between
	// processes, use a newer token that another process has stored, or drop
	// the stored one after "invalid_grant". It is called once, by [NewSource].
	Wrap func(next FetchFunc) FetchFunc
}

const (
	defaultLifetime = time.Hour      // of an answer without expires_in, which RFC 6749 allows
	maxLifetime     = 24 * time.Hour // whatever the server claims
	minPause        = time.Second    // between failed fetches, doubling …
	maxPause        = 30 * time.Second
	maxInvalidated  = 10 // per invalidateWindow
	invalidateIn    = 10 * time.Second
)

// Source caches the token of a [FetchFunc]. One fetch runs at a time, on the
// source's own context; all callers share its result. It is safe for
// concurrent use, and also an [oauth2.TokenSource].
type Source struct {
	fetch   FetchFunc
	options SourceOptions
	current atomic.Pointer[lease]

	ctx     context.Context // of every fetch; ended by Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	saving  sync.Mutex // one Save at a time; taken before mu
	unsaved *lease     // fetched, but not saved yet; guarded by saving

	mu              sync.Mutex
	claims          string // demanded by an API, until there is a new token
	previous        hidden
	flight          *flight
	failure         error // of the last fetch, given out until failedTill
	failures        int
	failedTill      time.Time
	invalidated     int // in the window that began at invalidatedFrom
	invalidatedFrom time.Time
}

// lease is a token with the moments that matter.
type lease struct {
	token     *oauth2.Token
	refreshAt time.Time
	expireAt  time.Time
}

// before asks both clocks: the monotonic one stands still while a machine
// sleeps, the wall clock may be set back.
func before(now, at time.Time) bool {
	return now.Before(at) && now.UnixNano() < at.UnixNano()
}

// flight is a running fetch.
type flight struct {
	done  chan struct{}
	token *oauth2.Token
	err   error
	// outdone is set, under Source.mu, when a sign-in came first: its token
	// may be another user's, and must not be replaced by this fetch.
	outdone *oauth2.Token
}

// NewSource returns a Source that gets its tokens from fetch. It fetches
// nothing until it is asked. Call [Source.Close] to end it.
func NewSource(fetch FetchFunc, options SourceOptions) *Source {
	if options.RefreshBefore <= 0 {
		options.RefreshBefore = 5 * time.Minute
	}
	if options.ExpireBefore <= 0 {
		options.ExpireBefore = defaultExpireBefore
	}
	if options.FetchTimeout <= 0 {
		options.FetchTimeout = 30 * time.Second
	}
	s := &Source{options: options, previous: hide(options.Initial)}
	s.options.Initial = nil
	s.fetch = s.saved(fetch)
	if options.Wrap != nil {
		s.fetch = options.Wrap(s.fetch)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if t := options.Initial; t != nil && t.AccessToken != "" && !t.Expiry.IsZero() {
		if l, err := s.lease(t, time.Now()); err == nil {
			s.current.Store(l)
		}
	}
	return s
}

// TokenContext returns a token with at least ExpireBefore of life left. It
// waits only if there is none, and then no longer than ctx. The error is an
// [*Error], [ErrClosed], or that of ctx.
func (s *Source) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	now := time.Now()
	if l := s.current.Load(); l != nil && before(now, l.refreshAt) {
		return l.token, nil
	}
	token, f, err := s.join(ctx, now)
	if token != nil || err != nil {
		return token, err
	}
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("auth: waiting for a token: %w", context.Cause(ctx))
	}
}

// Token implements [oauth2.TokenSource], for code that has no context.
func (s *Source) Token() (*oauth2.Token, error) { return s.TokenContext(context.Background()) }

// join returns a usable token, a remembered failure, or the fetch to wait for,
// and starts that if nobody has.
func (s *Source) join(ctx context.Context, now time.Time) (*oauth2.Token, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, nil, ErrClosed
	}
	var usable *oauth2.Token
	if l := s.current.Load(); l != nil && before(now, l.expireAt) {
		if before(now, l.refreshAt) {
			return l.token, nil, nil
		}
		usable = l.token
	}
	if s.flight == nil {
		switch {
		case now.Before(s.failedTill):
			if usable != nil {
				return usable, nil, nil
			}
			return nil, nil, s.failure
		case usable == nil && ctx.Err() != nil:
			return nil, nil, fmt.Errorf("auth: waiting for a token: %w", context.Cause(ctx))
		}
		s.flight = &flight{done: make(chan struct{})}
		s.running.Go(s.fly(s.flight, s.previous.token(), s.claims)) //nolint:contextcheck // a fetch outlives the caller that began it
	}
	return usable, s.flight, nil
}

// fly returns the body of the fetching goroutine.
func (s *Source) fly(f *flight, previous *oauth2.Token, claims string) func() {
	return func() {
		ctx, cancel := context.WithTimeout(withClaims(withFlight(s.ctx, f), claims), s.options.FetchTimeout)
		defer cancel()
		token, err := s.safeFetch(ctx, previous)
		if err == nil {
			s.takeUnsaved() // Wrap has found a better one, if there is any
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settle(f, token, err, time.Now())
		s.flight = nil
		close(f.done)
	}
}

// safeFetch turns a panic of the embedder's function into an error: it runs on
// a goroutine of ours, where a panic would end the process.
func (s *Source) safeFetch(ctx context.Context, previous *oauth2.Token) (token *oauth2.Token, err error) {
	defer func() {
		if recover() != nil {
			token, err = nil, &Error{Description: "the token function panicked"}
		}
	}()
	return s.fetch(ctx, previous)
}

// settle records the outcome of a fetch; s.mu is held.
func (s *Source) settle(f *flight, token *oauth2.Token, err error, now time.Time) {
	if f.outdone != nil {
		f.token = f.outdone
		return
	}
	if err == nil {
		var l *lease
		if l, err = s.lease(token, now); err == nil {
			f.token = l.token
			s.accept(l)
			return
		}
	}
	if s.ctx.Err() != nil {
		f.err = ErrClosed
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{cause: err}
	}
	if e.Code == "invalid_grant" {
		s.previous = nil // the refresh token is dead: asking again only repeats the offence
	}
	if e.Claims != "" {
		s.claims = e.Claims
	}
	pause := max(e.RetryAfter, min(minPause<<min(s.failures, 10), maxPause))
	s.failures++
	if e.Code == "login_required" && e.Status == 0 {
		pause = minPause // nobody was asked: perhaps somebody signs in elsewhere
	}
	s.failure, s.failedTill, f.err = e, now.Add(pause), e
}

// accept makes l the current token and forgets failures; s.mu is held.
func (s *Source) accept(l *lease) {
	s.current.Store(l)
	s.previous = hide(l.token)
	s.claims = ""
	s.failures, s.failure, s.failedTill = 0, nil, time.Time{}
}

// set replaces the token, after a new sign-in. After ErrClosed the token was
// not saved.
func (s *Source) set(ctx context.Context, token *oauth2.Token) error {
	l, err := s.lease(token, time.Now())
	if err != nil {
		return err
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	s.unsaved = nil // it belongs to the sign-in before
	if err := s.save(ctx, l.token); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		if s.options.Save != nil {
			return nil // the next source finds it; saved again, it might replace one that was renewed meanwhile
		}
		return ErrClosed
	}
	s.accept(l)
	if s.flight != nil {
		s.flight.outdone = l.token
	}
	return nil
}

// lease checks a token and works out when to renew it.
func (s *Source) lease(token *oauth2.Token, now time.Time) (*lease, error) {
	if token == nil || token.AccessToken == "" {
		return nil, &Error{Description: "the answer held no access token"}
	}
	t := *token // the fetcher's token stays as it is
	if t.Expiry.IsZero() {
		t.Expiry = now.Add(defaultLifetime)
	}
	life := min(t.Expiry.Sub(now), maxLifetime)
	if life <= 0 {
		return nil, &Error{Description: "the access token had already expired"}
	}
	t.Expiry = now.Add(life)
	l := &lease{token: &t, expireAt: t.Expiry.Add(-min(s.options.ExpireBefore, life/4))}
	// Up to a tenth later, so that processes that started together do not all
	// come at once; never so late that a token within the buffer is handed out.
	ahead := min(s.options.RefreshBefore, life/2)
	l.refreshAt = t.Expiry.Add(-ahead + rand.N(ahead/10+1)) //nolint:gosec // spread, not secrecy
	if l.refreshAt.After(l.expireAt) {
		l.refreshAt = l.expireAt
	}
	return l, nil
}

// Invalidate says that the server refused token, so that the next call fetches
// another. A token that has been replaced meanwhile is ignored. So is the
// call if it comes more than ten times in ten seconds: then the server refuses
// every token, and asking for more does not help.
func (s *Source) Invalidate(token *oauth2.Token) { s.Challenge(token, "") }

// Challenge is Invalidate for a server that has also said what the next token
// must prove: the claims of a claims challenge, a JSON object. They go into the
// token request, and into the next sign-in if it takes one.
//
// https://learn.microsoft.com/entra/identity-platform/claims-challenge
func (s *Source) Challenge(token *oauth2.Token, claims string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.current.Load()
	if l == nil || token == nil || l.token.AccessToken != token.AccessToken {
		return
	}
	if now := time.Now(); now.Sub(s.invalidatedFrom) > invalidateIn {
		s.invalidatedFrom, s.invalidated = now, 0
	}
	if s.invalidated++; s.invalidated > maxInvalidated {
		return
	}
	s.current.Store(nil)
	if claims != "" {
		s.claims = claims
	}
}

// challenged returns the claims that a sign-in must ask for.
func (s *Source) challenged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims
}

// Format implements [fmt.Formatter]: a source in use can be printed, and shows
// nothing of its tokens.
func (s *Source) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "auth.Source") // into the formatter's buffer
}

// Close ends a running fetch, waits for it, and makes later calls return
// [ErrClosed].
func (s *Source) Close() {
	s.mu.Lock()
	s.cancel()
	s.current.Store(nil)
	s.mu.Unlock()
	s.running.Wait()
}

var (
	_ TokenSource        = (*Source)(nil)
	_ oauth2.TokenSource = (*Source)(nil)
)
