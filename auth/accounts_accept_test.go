package auth_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// evicting does something after the first change of a record.
type evicting struct {
	auth.KV
	id    string
	swaps int
	then  func()
}

func (e *evicting) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	done, err := e.KV.CompareAndSwap(ctx, id, old, value, ttl)
	if id == e.id && done {
		if e.swaps++; e.swaps == 1 {
			e.then()
		}
	}
	return done, err
}

// A sign-in whose source is closed while it is saved is saved once: saved again,
// it would replace the refresh token of a renewal in between, or undo a sign-out.
func TestSignInIsSavedOnce(t *testing.T) {
	d := newDirectory()
	kv := &evicting{KV: new(auth.MemoryKV)}
	store := newStore(t, kv, ring(t), auth.StoreOptions{})
	accounts := newAccounts(t, d, store, nil)
	signIn(t, d, accounts, contoso("ann"))
	records, err := store.Records(t.Context())
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	kv.id = records[0].Key.ID()
	kv.then = func() {
		if err := accounts.SignOut(t.Context(), contoso("ann")); err != nil { // closes the source
			t.Error(err)
		}
	}
	token := &oauth2.Token{AccessToken: "access|ann|contoso|Mail.Read|9", RefreshToken: "refresh|ann|contoso|9", Expiry: time.Now().Add(time.Hour)}
	if err := accounts.Accept(t.Context(), contoso("ann"), token); err != nil {
		t.Error(err)
	}
	if kv.swaps != 1 {
		t.Errorf("the sign-in was saved %d times", kv.swaps)
	}
}
