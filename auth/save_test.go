package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// shelf saves tokens, or fails.
type shelf struct {
	mu    sync.Mutex
	err   error
	saved []string
}

func (s *shelf) save(_ context.Context, token *oauth2.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.saved = append(s.saved, token.RefreshToken)
	return nil
}

func (s *shelf) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func TestTokenIsSavedBeforeItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, store := &endpoint{life: time.Hour}, &shelf{}
		var used []string
		s := auth.NewSource(e.fetch, auth.SourceOptions{Save: func(ctx context.Context, token *oauth2.Token) error {
			time.Sleep(time.Second)
			if len(used) > len(store.saved) {
				t.Error("used before it was saved")
			}
			return store.save(ctx, token)
		}})
		defer s.Close()
		for range 3 {
			token := want(t, s, []string{"t1", "t2", "t3"}[len(used)], 2*time.Second)
			used = append(used, token.AccessToken)
			s.Invalidate(token)
		}
		if len(store.saved) != 3 || store.saved[2] != "r3" {
			t.Errorf("saved %v", store.saved)
		}
	})
}

// The server has rotated the refresh token: what could not be saved is kept,
// not fetched again with the old one.
func TestTokenThatCouldNotBeSavedIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left")
		e, store := &endpoint{life: time.Hour}, &shelf{err: full}
		s := auth.NewSource(e.fetch, auth.SourceOptions{Save: store.save})
		defer s.Close()
		for range 3 {
			if _, err := s.TokenContext(t.Context()); !errors.Is(err, full) {
				t.Fatalf("error = %v", err)
			}
			time.Sleep(5 * time.Second)
		}
		store.fails(nil)
		time.Sleep(time.Minute)
		want(t, s, "t1", 0)
		if e.fetches() != 1 || len(store.saved) != 1 {
			t.Errorf("%d fetches, saved %v", e.fetches(), store.saved)
		}

		// Too late for the token itself, its refresh token is still the one to use.
		store.fails(full)
		time.Sleep(2 * time.Hour)
		if _, err := s.TokenContext(t.Context()); !errors.Is(err, full) {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		store.fails(nil)
		want(t, s, "t3", time.Second)
		if e.last.RefreshToken != "r2" {
			t.Errorf("refreshed with %s", e.last.RefreshToken)
		}
	})
}

// Wrap finds the token that another process has stored meanwhile.
func TestWrapUsesTheWinnersToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conflict := errors.New("conflict")
		e, store := &endpoint{life: time.Hour}, &shelf{err: conflict}
		wrapped := 0
		s := auth.NewSource(e.fetch, auth.SourceOptions{Save: store.save, Wrap: func(next auth.FetchFunc) auth.FetchFunc {
			return func(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
				wrapped++
				token, err := next(ctx, previous)
				if errors.Is(err, conflict) {
					return &oauth2.Token{AccessToken: "winner", RefreshToken: "w", Expiry: time.Now().Add(time.Hour)}, nil
				}
				return token, err
			}
		}})
		defer s.Close()
		want(t, s, "winner", time.Second)
		store.fails(nil)
		time.Sleep(2 * time.Hour)
		want(t, s, "t2", time.Second)
		if e.last.RefreshToken != "w" || wrapped != 2 {
			t.Errorf("refreshed with %s, wrapped %d", e.last.RefreshToken, wrapped)
		}
	})
}

func TestSignInThatCannotBeSavedFails(t *testing.T) {
	s := newServer(t)
	store := &shelf{}
	p := newSignIn(t, auth.PKCEConfig{Authority: s.authority(), Source: auth.SourceOptions{Save: store.save}})
	for _, err := range []error{nil, errors.New("full")} {
		store.fails(err)
		flow, beginErr := p.Begin("http://localhost/")
		if beginErr != nil {
			t.Fatal(beginErr)
		}
		if _, got := p.Complete(t.Context(), flow, authorized(t, flow.URL)); !errors.Is(got, err) {
			t.Errorf("error = %v", got)
		}
	}
	token, err := p.Source().TokenContext(t.Context())
	if err != nil || len(store.saved) != 1 || store.saved[0] != token.RefreshToken {
		t.Errorf("saved %d, %v", len(store.saved), err)
	}
}

// authorized visits the sign-in page and returns the answer in its redirect.
func authorized(t *testing.T, page string) url.Values {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back.Query()
}
