package auth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// signIns is a server's side of one grant: each refresh token is good once.
type signIns struct {
	mu      sync.Mutex
	current string
	dead    bool
	serial  int
	reused  int
	life    time.Duration
	delay   time.Duration
	during  func() // runs after the server has answered, before the answer arrives
}

func newSignIns(refresh string) *signIns { return &signIns{current: refresh, life: time.Hour} }

func (s *signIns) fetch(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	token, err := s.renew(previous)
	if s.during != nil {
		s.during()
	}
	return token, err
}

func (s *signIns) renew(previous *oauth2.Token) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case previous == nil || previous.RefreshToken == "":
		return nil, &auth.Error{Code: "login_required", NeedsUser: true}
	case s.dead || previous.RefreshToken != s.current:
		s.dead = true
		s.reused++
		return nil, &auth.Error{Code: "invalid_grant", NeedsUser: true}
	}
	s.serial++
	s.current = fmt.Sprintf("renewed-%d", s.serial)
	return &oauth2.Token{AccessToken: fmt.Sprintf("access-%d", s.serial), RefreshToken: s.current, Expiry: time.Now().Add(s.life)}, nil
}

// brokenKV fails to write while it is broken.
type brokenKV struct {
	*auth.MemoryKV
	mu     sync.Mutex
	broken error
	lies   bool // what fails is done all the same
}

func (b *brokenKV) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = err
}

func (b *brokenKV) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil && len(value) > 40 { // locks are shorter than records
		if b.lies {
			_, _ = b.MemoryKV.CompareAndSwap(ctx, id, old, value, ttl)
		}
		return false, b.broken
	}
	return b.MemoryKV.CompareAndSwap(ctx, id, old, value, ttl)
}

// T11: an access token is not used before its refresh token is stored, and the
// refresh token is not lost because the store fails for a while.
func TestSavedBeforeUsed(t *testing.T) {
	for _, lies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			kv, as, key := &brokenKV{MemoryKV: new(auth.MemoryKV), lies: lies}, newSignIns("r1"), keyOf("ann")
			store := newStore(t, kv, ring(t), auth.StoreOptions{})
			save(t, store, key, "r1")
			source := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
			defer source.Close()
			kv.fail(errors.New("disk full"))
			for try := range 3 {
				if lies && try > 0 {
					break // the store then shows that it is saved
				}
				if token, err := source.TokenContext(t.Context()); err == nil {
					t.Fatalf("%s was handed out unsaved", token.AccessToken)
				}
				time.Sleep(time.Minute)
			}
			kv.fail(nil)
			token, err := source.TokenContext(t.Context())
			if err != nil || token.AccessToken != "access-1" || as.serial != 1 {
				t.Fatalf("%v, %v after %d refreshes; want the first token", token, err, as.serial)
			}
			if got := stored(t, store, key); got != "renewed-1" {
				t.Errorf("stored %s", got)
			}
		})
	}
}

// On a conflict the winner's record counts: a sign-in, or another process.
func TestConflictUsesTheWinners(t *testing.T) {
	kv, key := new(auth.MemoryKV), keyOf("ann")
	store := newStore(t, kv, ring(t), auth.StoreOptions{})
	save(t, store, key, "r1")
	loser := newSignIns("r1")
	loser.during = func() { // somebody signs in anew while the answer is on its way
		loser.during = nil
		loser.current, loser.dead = "r2", false
		save(t, store, key, "r2")
	}
	source := auth.NewSource(loser.fetch, store.Keep(key, auth.SourceOptions{}))
	defer source.Close()
	token, err := source.Token()
	if err != nil || token.AccessToken != "access-2" || loser.reused != 0 {
		t.Errorf("%v, %v, want the winner's", token, err)
	}
	if got := stored(t, store, key); got != loser.current {
		t.Errorf("stored %s, want %s", got, loser.current)
	}
}

// A refusal that comes late does not remove a new sign-in.
func TestLateRefusalSparesANewSignIn(t *testing.T) {
	kv, key := new(auth.MemoryKV), keyOf("ann")
	store := newStore(t, kv, ring(t), auth.StoreOptions{})
	save(t, store, key, "old")
	as := newSignIns("new")
	as.during = func() {
		as.during = nil
		as.dead = false
		save(t, store, key, "new")
	}
	source := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
	defer source.Close()
	if token, err := source.Token(); err != nil || token.AccessToken != "access-1" {
		t.Errorf("%v, %v", token, err)
	}
}

// Signing out while a renewal is under way does not bring the record back.
func TestSignOutDuringRenewal(t *testing.T) {
	kv, key := new(auth.MemoryKV), keyOf("ann")
	store := newStore(t, kv, ring(t), auth.StoreOptions{})
	save(t, store, key, "r1")
	as := newSignIns("r1")
	as.during = func() {
		if err := store.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	source := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
	defer source.Close()
	if token, err := source.Token(); err == nil {
		t.Errorf("token %s after signing out", token.AccessToken)
	}
	if got := stored(t, store, key); got != "" {
		t.Errorf("stored %s", got)
	}
}

// A source that is closed during a renewal waits for it: the answer holds the
// only good refresh token.
func TestCloseKeepsTheGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv, as, key := new(auth.MemoryKV), newSignIns("r1"), keyOf("ann")
		as.delay = time.Second
		store := newStore(t, kv, ring(t), auth.StoreOptions{})
		save(t, store, key, "r1")
		source := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
		go func() { _, _ = source.Token() }()
		time.Sleep(time.Second / 2)
		start := time.Now()
		source.Close()
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("Close took %v", took)
		}
		if got := stored(t, store, key); got != "renewed-1" {
			t.Errorf("stored %s: the grant is lost", got)
		}
		as.delay = time.Hour // a server that hangs holds nobody up for long
		hung := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
		go func() { _, _ = hung.Token() }()
		time.Sleep(time.Second)
		start = time.Now()
		hung.Close()
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}

// Two sources over one store, as two processes have them.
func TestTwoSourcesShareATokenOrTakeTurns(t *testing.T) {
	for _, shared := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			kv, as, key := new(auth.MemoryKV), newSignIns("r1"), keyOf("ann")
			as.delay = time.Second
			store := newStore(t, kv, ring(t), auth.StoreOptions{RefreshTokensOnly: !shared})
			r := &auth.Record{Key: key, RefreshToken: auth.NewSecret("r1")}
			if err := store.Save(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			one, two := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{})), auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
			defer one.Close()
			defer two.Close()
			ask := func(round int) {
				var both sync.WaitGroup
				for _, s := range []*auth.Source{one, two} {
					both.Go(func() {
						if _, err := s.TokenContext(t.Context()); err != nil {
							t.Errorf("round %d: %v", round, err)
						}
					})
				}
				both.Wait()
			}
			for round := range 3 {
				ask(round)
				time.Sleep(time.Hour)
			}
			want := 6
			if shared {
				want = 3
			}
			if as.serial != want || as.reused != 0 {
				t.Errorf("shared %v: %d refreshes, %d with a used token; want %d, 0", shared, as.serial, as.reused, want)
			}
			// A refused token is not taken from the store again.
			two.Invalidate(tokenOf(t, two))
			fresh := tokenOf(t, two)
			if shared && fresh.AccessToken != fmt.Sprintf("access-%d", as.serial) {
				t.Errorf("got %s after a refusal", fresh.AccessToken)
			}
		})
	}
}
