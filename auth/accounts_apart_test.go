package auth_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// countFrom reads how much to do from the environment: a nightly run does more.
func countFrom(name string, normally int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return normally
}

// T4: whatever several users do at the same time, nobody ever gets another's
// token. TOOLBELT_AUTH_INTERLEAVINGS=100000 is the full run.
func TestNobodyGetsAnothersToken(t *testing.T) {
	d := newDirectory()
	store := newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{})
	sign := func(c *auth.AccountsConfig) { c.Size = 5 } // far fewer than accounts
	replicas := []*auth.Accounts{newAccounts(t, d, store, sign), newAccounts(t, d, store, sign)}
	var all []auth.Account
	for _, tenant := range []string{"contoso", "fabrikam"} {
		for _, user := range []string{"ann", "bob", "ann|b", "a"} {
			for _, scopes := range [][]string{{"Mail.Read"}, {"Calendars.Read", "Mail.Read"}} {
				all = append(all, auth.Account{Tenant: tenant, Subject: user, Scopes: scopes})
			}
		}
	}
	var left, got atomic.Int64
	left.Store(int64(countFrom("TOOLBELT_AUTH_INTERLEAVINGS", 4000)))
	var workers sync.WaitGroup
	for seed := range uint64(8) {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			for left.Add(-1) >= 0 && !t.Failed() {
				account := all[random.IntN(len(all))]
				if act(t, d, replicas[random.IntN(2)], account, random.IntN(100)) {
					got.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if got.Load() == 0 {
		t.Error("nobody ever got a token: this proved nothing")
	}
	if _, reused, _ := d.count(); reused != 0 {
		t.Errorf("%d refresh tokens were used twice", reused)
	}
}

// act does one thing in the name of a user, and reports whether that gave a
// token. It fails the test if the token is not the user's.
func act(t *testing.T, d *directory, accounts *auth.Accounts, account auth.Account, dice int) bool {
	source := accounts.Source(account)
	var err error
	switch {
	case dice < 12:
		signInQuietly(t, d, accounts, account)
		return false
	case dice < 15:
		err = accounts.SignOut(t.Context(), account)
	case dice < 16:
		_, err = accounts.Erase(t.Context(), account.Subject)
	case dice < 17:
		_, err = accounts.List(t.Context())
	case dice < 22:
		if source, err = accounts.Require(t.Context(), account, "mail.read"); err == nil {
			account.Scopes = nil // any set of the same user
			_, err = check(t, source, account)
		}
	default:
		var token *oauth2.Token
		if token, err = check(t, source, account); err == nil && dice < 50 {
			invalidate(t.Context(), source, token)
		}
		return err == nil
	}
	if err != nil && !userNeeded(err) {
		t.Errorf("dice %d: %v", dice, err)
	}
	return false
}

func check(t *testing.T, source auth.TokenSource, account auth.Account) (*oauth2.Token, error) {
	token, err := source.TokenContext(t.Context())
	if err != nil {
		if !userNeeded(err) {
			t.Errorf("no token: %v", err)
		}
		return nil, err
	}
	prefix := "access|" + account.Subject + "|" + account.Tenant + "|"
	rest, own := strings.CutPrefix(token.AccessToken, prefix)
	scopes, _, _ := strings.Cut(rest, "|")
	if !own || account.Scopes != nil && scopes != strings.Join(account.Scopes, "+") {
		t.Errorf("%+v got %s", account, token.AccessToken)
	}
	return token, nil
}

// userNeeded accepts what the other users' actions may lead to.
func userNeeded(err error) bool {
	e, ok := errors.AsType[*auth.Error](err)
	return ok && e.NeedsUser || errors.Is(err, auth.ErrClosed)
}

func invalidate(ctx context.Context, source auth.TokenSource, token *oauth2.Token) {
	chosen, err := source.(auth.SourceFunc).SourceFor(ctx)
	if err == nil {
		chosen.(*auth.Source).Invalidate(token)
	}
}

func signInQuietly(t *testing.T, d *directory, accounts *auth.Accounts, account auth.Account) {
	p, err := accounts.SignIn(account)
	if err != nil {
		t.Error(err)
		return
	}
	flow, err := p.Begin("https://portal.example/callback")
	if err != nil {
		t.Error(err)
		return
	}
	answer := d.approve(t, flow.URL, account.Subject)
	if _, err := p.Complete(t.Context(), flow, answer); err != nil {
		t.Errorf("sign-in: %v", err)
	}
	// Whoever has the answer of another's sign-in gets nothing for it.
	if other, err := accounts.SignIn(account); err == nil {
		second, err := other.Begin("https://portal.example/callback")
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := other.Complete(t.Context(), second, answer); err == nil {
			t.Error("an answer was redeemed in another sign-in")
		}
	}
}
