package auth_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// events collects what accounts tell.
type events struct {
	mu   sync.Mutex
	seen []auth.AccountEvent
}

func (e *events) add(event auth.AccountEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, event)
}

func (e *events) kinds() []auth.EventKind {
	e.mu.Lock()
	defer e.mu.Unlock()
	var kinds []auth.EventKind
	for _, event := range e.seen {
		kinds = append(kinds, event.Kind)
	}
	return kinds
}

func authorityAt(base string) func(tenant string) (auth.Authority, error) {
	return func(tenant string) (auth.Authority, error) {
		if tenant != "contoso" && tenant != "fabrikam" {
			return auth.Authority{}, errors.New("unknown tenant")
		}
		base := base + "/" + tenant
		return auth.Authority{AuthURL: base + "/authorize", TokenURL: base + "/token", RevokeURL: base + "/revoke"}, nil
	}
}

func newAccounts(t testing.TB, d *directory, store *auth.Store, change func(*auth.AccountsConfig)) *auth.Accounts {
	t.Helper()
	config := auth.AccountsConfig{
		Store:     store,
		SignIn:    auth.PKCEConfig{ClientID: "portal", Scopes: []string{"Mail.Read"}, HTTPClient: &http.Client{Transport: d}},
		Authority: authorityAt("https://login.example"),
	}
	if change != nil {
		change(&config)
	}
	accounts, err := auth.NewAccounts(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(accounts.Close)
	return accounts
}

func contoso(subject string, scopes ...string) auth.Account {
	return auth.Account{Tenant: "contoso", Subject: subject, Scopes: scopes}
}

func signIn(t testing.TB, d *directory, accounts *auth.Accounts, account auth.Account) {
	t.Helper()
	p, err := accounts.SignIn(account)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := p.Begin("https://portal.example/callback")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Complete(t.Context(), flow, d.approve(t, flow.URL, account.Subject)); err != nil {
		t.Fatal(err)
	}
}

// access returns the access token of an account, "" if the user is needed.
func access(t testing.TB, source auth.TokenSource) string {
	t.Helper()
	token, err := source.TokenContext(t.Context())
	if e, ok := errors.AsType[*auth.Error](err); ok && e.NeedsUser {
		return ""
	}
	if err != nil {
		t.Fatalf("no token: %v", err)
	}
	return token.AccessToken
}

func TestAccountsSignInAndOut(t *testing.T) {
	d, seen, kv := newDirectory(), new(events), new(auth.MemoryKV)
	store := newStore(t, kv, ring(t), auth.StoreOptions{})
	accounts := newAccounts(t, d, store, func(c *auth.AccountsConfig) { c.Event = seen.add })
	ann, bob := accounts.Source(contoso("ann")), accounts.Source(contoso("bob"))
	if got := access(t, ann); got != "" {
		t.Fatalf("before anybody signed in: %s", got)
	}
	signIn(t, d, accounts, contoso("ann"))
	signIn(t, d, accounts, contoso("bob"))
	if got := access(t, ann); !strings.HasPrefix(got, "access|ann|contoso|Mail.Read|") { // works at once
		t.Errorf("ann's token is %s", got)
	}
	if got := access(t, bob); !strings.HasPrefix(got, "access|bob|") {
		t.Errorf("bob's token is %s", got)
	}
	list, err := accounts.List(t.Context())
	if err != nil || len(list) != 2 || !slices.Equal(list[0].Granted, []string{"Mail.Read"}) || list[0].SignedIn.IsZero() {
		t.Errorf("list: %+v, %v", list, err)
	}
	if err := accounts.SignOut(t.Context(), auth.Account{Tenant: "contoso", Subject: "ann"}); err != nil {
		t.Fatal(err)
	}
	if got := access(t, ann); got != "" {
		t.Errorf("ann signed out and has %s", got)
	}
	if got := access(t, bob); got == "" {
		t.Error("bob is signed out too")
	}
	if _, _, revoked := d.count(); revoked != 1 {
		t.Errorf("%d grants revoked, want 1", revoked)
	}
	signIn(t, d, accounts, contoso("ann"))
	if got := access(t, ann); got == "" {
		t.Error("ann signed in again and has no token")
	}
	want := []auth.EventKind{auth.EventSignedIn, auth.EventSignedIn, auth.EventSignedOut, auth.EventSignedIn}
	if got := seen.kinds(); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestSignOutDeletesWhenTheServerIsDown(t *testing.T) {
	d := newDirectory()
	store := newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{})
	accounts := newAccounts(t, d, store, nil)
	signIn(t, d, accounts, contoso("ann"))
	d.Down = true
	err := accounts.SignOut(t.Context(), contoso("ann", "Mail.Read"))
	if !errors.Is(err, auth.ErrNotRevoked) || strings.Contains(err.Error(), "refresh|") {
		t.Errorf("error %v", err)
	}
	if list, _ := accounts.List(t.Context()); len(list) != 0 {
		t.Errorf("still there: %v", list)
	}
	if got := access(t, accounts.Source(contoso("ann"))); got != "" {
		t.Errorf("token %s", got)
	}
}

// A new process goes on where the last one ended.
func TestAccountsSurviveARestart(t *testing.T) {
	for options, want := range map[auth.StoreOptions]int{{}: 0, {RefreshTokensOnly: true}: 3} {
		d, dir := newDirectory(), t.TempDir()+"/store"
		store := newStore(t, openFiles(t, dir), ring(t), options)
		first := newAccounts(t, d, store, nil)
		signIn(t, d, first, contoso("ann"))
		first.Close()
		for range 3 {
			again := newAccounts(t, d, newStore(t, openFiles(t, dir), ring(t), options), nil)
			if got := access(t, again.Source(contoso("ann"))); got == "" {
				t.Fatal("the grant is lost")
			}
			again.Close()
		}
		if refreshes, reused, _ := d.count(); refreshes != want || reused != 0 {
			t.Errorf("%+v: %d refreshes, want %d; %d with a used token", options, refreshes, want, reused)
		}
	}
}

// T11: a token used twice, or revoked behind our back, ends the record and asks
// for the user; the server is not asked again.
func TestRefusedGrantIsDeleted(t *testing.T) {
	d, seen := newDirectory(), new(events)
	store := newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{})
	accounts := newAccounts(t, d, store, func(c *auth.AccountsConfig) { c.Event = seen.add })
	d.Life = time.Second // the stored access token is too short to go on with
	signIn(t, d, accounts, contoso("ann"))
	d.ends("ann")
	restarted := newAccounts(t, d, store, func(c *auth.AccountsConfig) { c.Event = seen.add })
	for range 20 {
		if got := access(t, restarted.Source(contoso("ann"))); got != "" {
			t.Fatalf("token %s", got)
		}
	}
	if refreshes, _, _ := d.count(); refreshes != 1 {
		t.Errorf("%d refreshes, want 1", refreshes)
	}
	if list, err := restarted.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("list %v, %v", list, err)
	}
	if got := seen.kinds(); !slices.Equal(got, []auth.EventKind{auth.EventSignedIn, auth.EventRefused}) {
		t.Errorf("events %v", got)
	}
	signIn(t, d, restarted, contoso("ann"))
	if got := access(t, restarted.Source(contoso("ann"))); got == "" {
		t.Error("no token after signing in again")
	}
}

func TestRequire(t *testing.T) {
	d := newDirectory()
	d.Withholds = "Mail.Send"
	accounts := newAccounts(t, d, newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{}), func(c *auth.AccountsConfig) {
		c.Why = map[string]string{"Calendars.Read": "to find free time"}
	})
	requires := func(account auth.Account, scopes ...string) *auth.ConsentError {
		t.Helper()
		_, err := accounts.Require(t.Context(), account, scopes...)
		consent, ok := errors.AsType[*auth.ConsentError](err)
		if !ok {
			t.Fatalf("%v: error %v, want a ConsentError", scopes, err)
		}
		if own, ok := errors.AsType[*auth.Error](err); !ok || !own.NeedsUser {
			t.Errorf("%v: NeedsUser is not set", scopes)
		}
		return consent
	}
	if e := requires(contoso("ann"), "Calendars.Read"); !slices.Equal(e.Account.Scopes, []string{"Calendars.Read", "Mail.Read"}) {
		t.Errorf("ask for %v", e.Account.Scopes)
	}
	ann := auth.Account{Tenant: "contoso", Subject: "ann"}
	signIn(t, d, accounts, ann)
	if source, err := accounts.Require(t.Context(), ann, "https://graph.microsoft.com/mail.read"); err != nil || access(t, source) == "" {
		t.Errorf("granted: %v", err)
	}
	e := requires(ann, "Mail.Read", "Calendars.Read")
	if len(e.Missing) != 1 || e.Missing[0].Scope != "Calendars.Read" || e.Missing[0].Why != "to find free time" || e.Missing[0].Declined {
		t.Errorf("missing %+v", e.Missing)
	}
	if want := "auth: the user must sign in again and consent to Calendars.Read (to find free time)"; e.Error() != want {
		t.Errorf("error %q, want %q", e, want)
	}
	signIn(t, d, accounts, e.Account)
	source, err := accounts.Require(t.Context(), ann, "Mail.Read", "Calendars.Read")
	if err != nil || !strings.Contains(access(t, source), "Calendars.Read+Mail.Read") {
		t.Errorf("after the step up: %v", err)
	}
	e = requires(ann, "Mail.Send")
	signIn(t, d, accounts, e.Account)
	if e = requires(ann, "Mail.Send"); len(e.Missing) != 1 || !e.Missing[0].Declined {
		t.Errorf("missing %+v, want it declined", e.Missing)
	}
	_ = requires(contoso("bob"), "Mail.Read") // ann's consent is not bob's
	_ = requires(auth.Account{Tenant: "fabrikam", Subject: "ann"}, "Mail.Read")
}

func TestEraseLeavesNothing(t *testing.T) {
	d, kv := newDirectory(), &spyKV{MemoryKV: new(auth.MemoryKV)}
	store := newStore(t, kv, ring(t), auth.StoreOptions{})
	accounts := newAccounts(t, d, store, nil)
	other := newAccounts(t, d, store, func(c *auth.AccountsConfig) { c.SignIn.ClientID = "another" })
	all := []auth.Account{contoso("ann", "Mail.Read"), contoso("ann", "Mail.Send"), {Tenant: "fabrikam", Subject: "ann"}}
	for _, account := range all {
		signIn(t, d, accounts, account)
	}
	signIn(t, d, accounts, contoso("bob"))
	signIn(t, d, other, contoso("ann"))
	if n, err := accounts.Erase(t.Context(), "ann"); n != 4 || err != nil {
		t.Fatalf("erased %d, %v; want 4", n, err)
	}
	for _, account := range all {
		if got := access(t, accounts.Source(account)); got != "" {
			t.Errorf("%v: token %s", account, got)
		}
	}
	keys, err := store.Keys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].Subject != "bob" {
		t.Errorf("left: %v, %v", keys, err)
	}
	if _, _, revoked := d.count(); revoked != 3 {
		t.Errorf("%d revoked, want the 3 of this application", revoked)
	}
	for _, word := range []string{"ann", "bob", "access|", "refresh|", "Mail"} { // it was never in the clear, in ids neither
		if bytes.Contains(kv.written, []byte(word)) {
			t.Errorf("%q was written to the KV", word)
		}
	}
}

// spyKV keeps all that was ever written.
type spyKV struct {
	*auth.MemoryKV
	mu      sync.Mutex
	written []byte
}

func (s *spyKV) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = append(append(s.written, id...), value...)
	return s.MemoryKV.CompareAndSwap(ctx, id, old, value, ttl)
}

func TestAccountsRefuse(t *testing.T) {
	accounts := newAccounts(t, newDirectory(), newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{}), nil)
	for _, bad := range []auth.Account{{Tenant: "contoso"}, {Subject: "ann"}, {Tenant: "evil", Subject: "ann"}} {
		if _, err := accounts.Source(bad).TokenContext(t.Context()); err == nil {
			t.Errorf("%+v: a token", bad)
		}
		if _, err := accounts.SignIn(bad); err == nil {
			t.Errorf("%+v: a sign-in", bad)
		}
		if _, err := accounts.Require(t.Context(), bad); err == nil {
			t.Errorf("%+v: required", bad)
		}
	}
}
