package auth

import (
	"context"
	"slices"
	"strings"
)

// Need is a scope that a user has not granted.
type Need struct {
	Scope string
	// Why it is needed, from [AccountsConfig.Why]; may be empty.
	Why string
	// Declined says that the user, or the directory, has been asked for it and
	// has not granted it: do not ask again unless the user wants.
	Declined bool
}

// ConsentError says that a user must sign in, or consent to more scopes. It
// wraps an [*Error] whose NeedsUser is true.
type ConsentError struct {
	// Account is the sign-in to begin with [Accounts.SignIn]: its scopes are
	// those that the user has granted before and those that are missing.
	Account Account
	// Missing are the scopes that are missing, sorted.
	Missing []Need

	signedIn bool
}

// Error implements error. It does not name the user.
func (e *ConsentError) Error() string {
	var b strings.Builder
	b.WriteString("auth: the user must sign in")
	if e.signedIn {
		b.WriteString(" again")
	}
	for i, need := range e.Missing {
		b.WriteString([]string{" and consent to ", ", "}[min(i, 1)])
		b.WriteString(need.Scope)
		if need.Why != "" {
			b.WriteString(" (" + need.Why + ")")
		}
		if need.Declined {
			b.WriteString(" [declined before]")
		}
	}
	return b.String()
}

// Unwrap returns the [*Error] for those who only ask whether the user is
// needed: consent_required, or login_required if nobody is signed in (OpenID
// Connect Core section 3.1.2.6).
func (e *ConsentError) Unwrap() error {
	if e.signedIn {
		return &Error{Code: "consent_required", Description: "more scopes are needed", NeedsUser: true}
	}
	return &Error{Code: "login_required", Description: "nobody is signed in", NeedsUser: true}
}

// Require returns the tokens of the user's sign-in in which all of the scopes
// have been granted: that of the account, or one with other scopes. If there
// is none, the error is a [*ConsentError]. Scopes are compared without their
// resource where one of the two does not name it, and without regard to case,
// as Entra does. It looks into the store each time.
func (a *Accounts) Require(ctx context.Context, account Account, scopes ...string) (TokenSource, error) {
	account = a.complete(account)
	if _, _, err := a.key(account); err != nil {
		return nil, err
	}
	keys, err := a.config.Store.KeysOf(ctx, account.Subject)
	if err != nil {
		return nil, unreadable(err)
	}
	var records []*Record // that do not suffice
	var fault error
	for _, key := range keys {
		one, ok := a.mine(key)
		if !ok || one.Tenant != account.Tenant {
			continue
		}
		record, err := a.config.Store.Load(ctx, key)
		switch {
		case err != nil:
			fault = unreadable(err)
		case record == nil:
		case covers(record.Granted, scopes):
			return a.Source(one), nil
		default:
			records = append(records, record)
		}
	}
	if len(records) == 0 && fault != nil {
		return nil, fault
	}
	return nil, a.consent(account, records, scopes)
}

// consent makes the error for scopes that no sign-in of the user has together.
func (a *Accounts) consent(account Account, records []*Record, scopes []string) *ConsentError {
	e := &ConsentError{Account: account, signedIn: len(records) > 0}
	var best Record // the one to build on
	for _, r := range records {
		if len(r.Granted) >= len(best.Granted) {
			best = *r
		}
	}
	ask := slices.Concat(account.Scopes, best.Granted)
	for _, scope := range scopeSet(scopes) {
		if covers(best.Granted, []string{scope}) {
			continue
		}
		declined := slices.ContainsFunc(records, func(r *Record) bool {
			return covers(r.Key.Scopes, []string{scope}) && !covers(r.Granted, []string{scope})
		})
		e.Missing = append(e.Missing, Need{Scope: scope, Why: a.config.Why[scope], Declined: declined})
		if !covers(ask, []string{scope}) {
			ask = append(ask, scope)
		}
	}
	e.Account.Scopes = scopeSet(ask)
	return e
}

func covers(granted, wanted []string) bool {
	for _, scope := range wanted {
		if !slices.ContainsFunc(granted, func(g string) bool { return sameScope(g, scope) }) {
			return false
		}
	}
	return true
}

// sameScope compares Mail.Read with https://graph.microsoft.com/mail.read.
func sameScope(a, b string) bool {
	if strings.Contains(a, "://") != strings.Contains(b, "://") {
		a, b = a[strings.LastIndexByte(a, '/')+1:], b[strings.LastIndexByte(b, '/')+1:]
	}
	return strings.EqualFold(a, b)
}
