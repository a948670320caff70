package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// endpoint counts fetches; each takes a second and, unless err is set, gives a
// token for an hour.
type endpoint struct {
	mu    sync.Mutex
	count int
	err   error
	life  time.Duration
	last  *oauth2.Token // what the last fetch was told was before
}

func (e *endpoint) fetch(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	e.last = previous
	if e.err != nil {
		return nil, e.err
	}
	token := &oauth2.Token{AccessToken: fmt.Sprintf("t%d", e.count), RefreshToken: fmt.Sprintf("r%d", e.count)}
	if e.life >= 0 {
		token.Expiry = time.Now().Add(max(e.life, time.Second))
	}
	return token, nil
}

func (e *endpoint) fetches() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count
}

func (e *endpoint) fails(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

// want calls the source and compares the token and how long that took.
func want(t *testing.T, s *auth.Source, token string, took time.Duration) *oauth2.Token {
	t.Helper()
	start := time.Now()
	got, err := s.TokenContext(t.Context())
	if err != nil {
		t.Fatalf("no token: %v", err)
	}
	if got.AccessToken != token || time.Since(start) != took {
		t.Errorf("token %s after %v, want %s after %v", got.AccessToken, time.Since(start), token, took)
	}
	return got
}

func bubble(t *testing.T, life time.Duration, test func(t *testing.T, e *endpoint, s *auth.Source)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: life}
		s := auth.NewSource(e.fetch, auth.SourceOptions{})
		defer s.Close()
		test(t, e, s)
	})
}

func TestRenewalStallsNobody(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, e *endpoint, s *auth.Source) {
		want(t, s, "t1", time.Second)
		time.Sleep(54 * time.Minute)
		want(t, s, "t1", 0)
		if e.fetches() != 1 {
			t.Error("renewed too early")
		}
		time.Sleep(2 * time.Minute)
		for range 100 {
			want(t, s, "t1", 0) // the fetch takes a second; nobody waits for it
		}
		time.Sleep(2 * time.Second)
		want(t, s, "t2", 0)
		if e.fetches() != 2 || e.last.RefreshToken != "r1" {
			t.Errorf("%d fetches", e.fetches())
		}
	})
}

func TestTokenIsNotUsedToItsEnd(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, _ *endpoint, s *auth.Source) {
		want(t, s, "t1", time.Second)
		time.Sleep(59*time.Minute + 31*time.Second)
		want(t, s, "t2", time.Second)
	})
}

func TestLifetimes(t *testing.T) {
	for name, test := range map[string]struct{ life, used time.Duration }{
		"minute":       {time.Minute, 29 * time.Second},
		"missing":      {-1, 54 * time.Minute},
		"year, capped": {365 * 24 * time.Hour, 24*time.Hour - 6*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, test.life, func(t *testing.T, e *endpoint, s *auth.Source) {
				want(t, s, "t1", time.Second)
				time.Sleep(test.used)
				want(t, s, "t1", 0)
				if e.fetches() != 1 {
					t.Error("renewed too early")
				}
				time.Sleep(2 * time.Minute)
				if _, err := s.TokenContext(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Second)
				if e.fetches() != 2 {
					t.Error("not renewed")
				}
			})
		})
	}
}

// A dead endpoint sees a request a second at most, ever fewer, whatever the load.
func TestFailuresAreRemembered(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, e *endpoint, s *auth.Source) {
		broken := &auth.Error{Code: "server_error", Status: 500}
		e.fails(broken)
		for range 600 {
			for range 50 {
				if _, err := s.TokenContext(t.Context()); !errors.Is(err, broken) {
					t.Fatal(err)
				}
			}
			time.Sleep(500 * time.Millisecond)
		}
		if n := e.fetches(); n < 8 || n > 20 { // 1, 2, 4, 8, 16, 30, 30 … in five minutes
			t.Errorf("%d fetches", n)
		}
		e.fails(nil)
		time.Sleep(31 * time.Second)
		if _, err := s.TokenContext(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRetryAfterOfTheEndpointIsKept(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, e *endpoint, s *auth.Source) {
		e.fails(&auth.Error{Status: 429, RetryAfter: 2 * time.Minute})
		for range 115 {
			if _, err := s.TokenContext(t.Context()); err == nil {
				t.Fatal("no error")
			}
			time.Sleep(time.Second)
		}
		if e.fetches() != 1 {
			t.Errorf("%d fetches", e.fetches())
		}
	})
}

// While the old token lasts, a failing renewal is nobody's problem.
func TestFailedRenewalKeepsTheToken(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, e *endpoint, s *auth.Source) {
		want(t, s, "t1", time.Second)
		e.fails(errors.New("down"))
		time.Sleep(56 * time.Minute)
		for range 100 {
			want(t, s, "t1", 0)
			time.Sleep(time.Second)
		}
		time.Sleep(3 * time.Minute)
		_, err := s.TokenContext(t.Context())
		if failure, ok := errors.AsType[*auth.Error](err); !ok || !failure.NoRetry() {
			t.Errorf("error = %v", err)
		}
	})
}

func TestCallersContext(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, e *endpoint, s *auth.Source) {
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				start := time.Now()
				if i > 0 { // the first one gives up, the others go on with its fetch
					ctx = t.Context()
				}
				token, err := s.TokenContext(ctx)
				switch {
				case i == 0 && (!errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond):
					t.Errorf("%v after %v", err, time.Since(start))
				case i > 0 && (err != nil || token.AccessToken != "t1"):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if e.fetches() != 1 {
			t.Errorf("%d fetches", e.fetches())
		}
	})
}

func TestInvalidate(t *testing.T) {
	bubble(t, time.Hour, func(t *testing.T, e *endpoint, s *auth.Source) {
		first := want(t, s, "t1", time.Second)
		s.Invalidate(first)
		s.Invalidate(first)
		want(t, s, "t2", time.Second)
		s.Invalidate(first) // late news of an old token
		s.Invalidate(nil)
		want(t, s, "t2", 0)

		for range 100 { // a server that refuses every token
			token, err := s.TokenContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.Invalidate(token)
		}
		if n := e.fetches(); n > 12 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour}
		s := auth.NewSource(e.fetch, auth.SourceOptions{})
		waiting := make(chan error)
		go func() {
			_, err := s.TokenContext(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		go s.Close()
		if err := <-waiting; !errors.Is(err, auth.ErrClosed) {
			t.Errorf("error = %v", err)
		}
		if _, err := s.Token(); !errors.Is(err, auth.ErrClosed) || e.fetches() != 0 {
			t.Errorf("error = %v", err)
		}
	})
}

func TestBadFetches(t *testing.T) {
	for name, fetch := range map[string]auth.FetchFunc{
		"panics":  func(context.Context, *oauth2.Token) (*oauth2.Token, error) { panic("c4n4ry") },
		"nothing": func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, nil },
		"empty":   func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return &oauth2.Token{}, nil },
		"expired": func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: "c4n4ry", Expiry: time.Now().Add(-time.Second)}, nil
		},
		"hangs": func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) { <-ctx.Done(); return nil, ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := auth.NewSource(fetch, auth.SourceOptions{})
				defer s.Close()
				_, err := s.TokenContext(t.Context())
				if failure, ok := errors.AsType[*auth.Error](err); !ok || strings.Contains(failure.Error(), "c4n4ry") {
					t.Errorf("error = %v", err)
				}
			})
		})
	}
}

func TestInitialToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour}
		s := auth.NewSource(e.fetch, auth.SourceOptions{Initial: &oauth2.Token{
			AccessToken: "t0", RefreshToken: "r0", Expiry: time.Now().Round(0).Add(20 * time.Minute), // as read from a file
		}})
		defer s.Close()
		want(t, s, "t0", 0)
		time.Sleep(time.Hour)
		want(t, s, "t1", time.Second)
		if e.last.RefreshToken != "r0" {
			t.Error("the refresh token was lost")
		}
	})
}

func BenchmarkCachedToken(b *testing.B) {
	s := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: "x", Expiry: time.Now().Add(time.Hour)}, nil
	}, auth.SourceOptions{})
	b.Cleanup(s.Close)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.TokenContext(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCachedTokenAllocatesNothing(t *testing.T) {
	s := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: "x"}, nil
	}, auth.SourceOptions{})
	defer s.Close()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.TokenContext(t.Context()); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
