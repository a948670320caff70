package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/oauth2"
)

// Account is one sign-in of one user: the same user with other scopes is
// another.
type Account struct {
	// Tenant is where the user signs in, as [AccountsConfig.Authority]
	// understands it; empty if there is only one place.
	Tenant string
	// Subject is who the user is to the embedder: the verified user id of the
	// session or request, never a name that the caller chooses. It must not be
	// empty; programs for a single person may use any constant.
	Subject string
	// Scopes are those that the user is asked for. Nil means those of
	// [AccountsConfig.SignIn].
	Scopes []string
}

// AccountInfo is what [Accounts.List] tells about a sign-in.
type AccountInfo struct {
	Account
	Granted           []string // scopes that the server granted
	SignedIn, Renewed time.Time
}

// AccountsConfig describes an application that several users sign in to.
type AccountsConfig struct {
	// Store keeps the sign-ins. Several Accounts may share it.
	Store *Store
	// SignIn is the application, and how its users sign in with a browser. Of
	// its Source, the times count.
	SignIn PKCEConfig
	// Authority returns the authority of a tenant, for an application that
	// users of several sign in to. It must refuse tenants that are not wanted,
	// and must not block. Nil: that of SignIn, for the empty tenant.
	Authority func(tenant string) (Authority, error)
	// Why explains scopes to the users who are asked for them, by scope.
	Why map[string]string
	// Size is how many sources are kept in memory, those used last; default
	// 1000. The others start from the store.
	Size int
	// Event is told what happens to sign-ins, for an audit log; it must not
	// block. Nil: nobody is.
	Event func(AccountEvent)
}

// EventKind is what has happened to a sign-in.
type EventKind string

// The kinds of events.
const (
	EventSignedIn   EventKind = "signed_in"
	EventSignedOut  EventKind = "signed_out"
	EventErased     EventKind = "erased"
	EventRefused    EventKind = "refused"    // the server does not accept it any more: revoked, or its token was used twice
	EventUnreadable EventKind = "unreadable" // its record was damaged or swapped, or its key is gone
)

// AccountEvent says what has happened to the sign-in of an account.
type AccountEvent struct {
	Kind    EventKind
	Account Account
}

// Accounts keeps apart the sign-ins of many users, tenants and scope sets in
// one process. There is no account that is used by default. It is safe for
// concurrent use.
type Accounts struct {
	config AccountsConfig
	pool   *Pool
}

// NewAccounts checks config. Call [Accounts.Close] when done.
func NewAccounts(config AccountsConfig) (*Accounts, error) {
	if config.Store == nil || config.SignIn.ClientID == "" {
		return nil, errors.New("auth: accounts need a store and a client id")
	}
	if config.Authority == nil {
		if err := config.SignIn.Authority.check(); err != nil {
			return nil, err
		}
		only := config.SignIn.Authority
		config.Authority = func(tenant string) (Authority, error) {
			if tenant != "" {
				return Authority{}, errors.New("auth: there is only one authority; the tenant must be empty")
			}
			return only, nil
		}
	}
	return &Accounts{config: config, pool: NewPool(config.Size, nil)}, nil
}

// Source returns the tokens of an account. While nobody is signed in, and after
// the sign-in has ended, it returns an [*Error] whose NeedsUser is true; it
// works again right after the next sign-in in this process, and within half a
// minute of one in another. It may be kept, and costs nothing to get again.
func (a *Accounts) Source(account Account) TokenSource {
	account = a.complete(account)
	return SourceFunc(func(context.Context) (TokenSource, error) {
		return a.source(account)
	})
}

// complete fills in the scopes, and makes the account our own.
func (a *Accounts) complete(account Account) Account {
	if account.Scopes == nil {
		account.Scopes = a.config.SignIn.Scopes
	}
	account.Scopes = scopeSet(account.Scopes)
	return account
}

// endpoint returns where the tokens of a tenant come from.
func (a *Accounts) endpoint(tenant string) (*tokenEndpoint, error) {
	authority, err := a.config.Authority(tenant)
	if err != nil {
		return nil, err
	}
	if err := authority.check(); err != nil {
		return nil, err
	}
	c := a.config.SignIn
	return &tokenEndpoint{
		authority: authority, clientID: c.ClientID, auth: c.ClientAuth, resource: c.Resource, client: tokenClient(c.HTTPClient),
	}, nil
}

// key returns the key of an account's record.
func (a *Accounts) key(account Account) (StoreKey, *tokenEndpoint, error) {
	if account.Subject == "" {
		return StoreKey{}, nil, errors.New("auth: an account needs a subject")
	}
	endpoint, err := a.endpoint(account.Tenant)
	if err != nil {
		return StoreKey{}, nil, err
	}
	issuer := endpoint.authority.Issuer
	if issuer == "" {
		issuer = endpoint.authority.TokenURL
	}
	return StoreKey{
		Issuer: issuer, Tenant: account.Tenant, ClientID: a.config.SignIn.ClientID,
		Subject: account.Subject, Scopes: account.Scopes,
	}, endpoint, nil
}

// source returns the source of an account, the same for all who ask.
func (a *Accounts) source(account Account) (*Source, error) {
	key, endpoint, err := a.key(account)
	if err != nil {
		return nil, err
	}
	return a.pool.get(key.ID(), func() (*Source, error) {
		options := a.config.Store.Keep(key, a.config.SignIn.Source)
		kept := options.Wrap
		options.Wrap = func(next FetchFunc) FetchFunc { return a.watched(account, kept(next)) }
		return NewSource(endpoint.refresh, options), nil
	})
}

// watched tells about sign-ins that end by themselves.
func (a *Accounts) watched(account Account, fetch FetchFunc) FetchFunc {
	return func(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
		token, err := fetch(ctx, previous)
		if e, ok := errors.AsType[*Error](err); ok && e.Code == "invalid_grant" {
			a.tell(EventRefused, account)
		}
		if _, ok := errors.AsType[*UnreadableError](err); ok {
			a.tell(EventUnreadable, account)
		}
		return token, err
	}
}

func (a *Accounts) tell(kind EventKind, account Account) {
	if a.config.Event != nil {
		a.config.Event(AccountEvent{kind, account})
	}
}

// SignIn returns the sign-in of an account with a browser: whoever completes it
// is signed in to this account and to no other. Get one for each sign-in.
func (a *Accounts) SignIn(account Account) (*PKCE, error) {
	account = a.complete(account)
	_, endpoint, err := a.key(account)
	if err != nil {
		return nil, err
	}
	source, err := a.source(account)
	if err != nil {
		return nil, err
	}
	config := a.config.SignIn
	config.Authority, config.Scopes, config.Source = endpoint.authority, account.Scopes, a.Options(account)
	p, err := NewPKCE(config)
	if err != nil {
		return nil, err
	}
	p.source.claims = source.challenged() // nobody else has it yet
	return p, nil
}

// Options returns the options for the source of any other grant whose user is
// to be signed in to the account, such as [DeviceCodeConfig].
func (a *Accounts) Options(account Account) SourceOptions {
	options := a.config.SignIn.Source
	options.Initial = nil
	options.Save = func(ctx context.Context, token *oauth2.Token) error { return a.Accept(ctx, account, token) }
	options.Wrap = func(FetchFunc) FetchFunc { // two sources must not use one refresh token
		return func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
			return a.Source(account).TokenContext(ctx)
		}
	}
	return options
}

// Accept stores the token of a new sign-in as that of the account, in the place
// of an earlier one. The caller answers for it that the token is the user's.
func (a *Accounts) Accept(ctx context.Context, account Account, token *oauth2.Token) error {
	account = a.complete(account)
	for range maxRounds {
		source, err := a.source(account)
		if err != nil {
			return err
		}
		if err = source.set(ctx, token); errors.Is(err, ErrClosed) && !a.pool.isClosed() {
			continue // closed this very moment, and nothing was saved
		}
		if err == nil {
			a.tell(EventSignedIn, account)
		}
		return err
	}
	return ErrClosed
}

// List returns the accounts that are signed in, in no particular order, and
// the joined errors of those whose records cannot be read.
func (a *Accounts) List(ctx context.Context) ([]AccountInfo, error) {
	records, err := a.config.Store.Records(ctx)
	var accounts []AccountInfo
	for _, r := range records {
		if account, ok := a.mine(r.Key); ok {
			accounts = append(accounts, AccountInfo{account, r.Granted, r.SignedIn, r.Renewed})
		}
	}
	return accounts, err
}

// mine returns the account of a key, if it is one of this application's.
func (a *Accounts) mine(key StoreKey) (Account, bool) {
	account := Account{Tenant: key.Tenant, Subject: key.Subject, Scopes: slices.Clone(key.Scopes)}
	if account.Scopes == nil {
		account.Scopes = []string{}
	}
	own, _, err := a.key(account)
	return account, err == nil && own.ID() == key.ID()
}

// SignOut ends the sign-in of an account; without Scopes, all of the user's in
// that tenant. It revokes them where the authority offers that, and deletes
// them in any case: an error that wraps [ErrNotRevoked] says that only the
// server could not be told. Other processes may use an access token that they
// have until it ends.
func (a *Accounts) SignOut(ctx context.Context, account Account) error {
	if account.Scopes != nil {
		account = a.complete(account)
		key, endpoint, err := a.key(account)
		if err != nil {
			return err
		}
		return a.end(ctx, EventSignedOut, account, key, endpoint)
	}
	keys, err := a.config.Store.KeysOf(ctx, account.Subject)
	faults := []error{err}
	for _, key := range keys {
		if one, ok := a.mine(key); ok && one.Tenant == account.Tenant {
			faults = append(faults, a.SignOut(ctx, one))
		}
	}
	return errors.Join(faults...)
}

// Erase removes all that the store holds about a subject, in all tenants, and
// those of other applications too, and revokes what this application can. It
// returns how many sign-ins there were. Errors are those of
// [Accounts.SignOut].
func (a *Accounts) Erase(ctx context.Context, subject string) (int, error) {
	keys, err := a.config.Store.KeysOf(ctx, subject)
	faults := []error{err}
	for _, key := range keys {
		account, ok := a.mine(key)
		var endpoint *tokenEndpoint
		if ok {
			if endpoint, err = a.endpoint(key.Tenant); err != nil {
				faults = append(faults, err)
			}
		}
		faults = append(faults, a.end(ctx, EventErased, account, key, endpoint))
	}
	return len(keys), errors.Join(faults...)
}

// end deletes one record, then the tokens in memory, then revokes.
func (a *Accounts) end(ctx context.Context, kind EventKind, account Account, key StoreKey, endpoint *tokenEndpoint) error {
	// A renewal under way may bring a new refresh token, the one to revoke.
	// But nobody stays signed in because it hangs.
	patience, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	if unlock, err := a.config.Store.lock(patience, key.ID()); err == nil {
		defer unlock()
	}
	record, _ := a.config.Store.Load(ctx, key) // what cannot be read is deleted all the same
	err := a.config.Store.Delete(ctx, key)
	a.pool.Remove(key.ID())
	if record != nil && err == nil {
		a.tell(kind, account)
	}
	if record != nil && endpoint != nil {
		err = errors.Join(err, endpoint.revoke(ctx, record.RefreshToken))
	}
	if err != nil {
		return fmt.Errorf("auth: sign out: %w", err)
	}
	return nil
}

// Close closes all sources. What is stored stays.
func (a *Accounts) Close() { a.pool.Close() }
