package auth

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// Keep returns options under which a [Source] keeps its sign-in as the record
// of key, in the place of their Initial, Save and Wrap. Give them to the grant
// that signs the user in, such as [PKCEConfig].
//
// The source then starts with what is stored, also by another process, and
// stores what it gets before anybody uses it. Of several processes, one at a
// time renews; the others go on with what it has stored. A record that the
// authorization server no longer accepts ("invalid_grant") is removed, and the
// source says that the user must sign in. One that cannot be read is left
// alone, and so is the server.
func (s *Store) Keep(key StoreKey, options SourceOptions) SourceOptions {
	k := &keeper{store: s, key: key, margin: options.ExpireBefore}
	if k.margin <= 0 {
		k.margin = defaultExpireBefore
	}
	options.Initial, options.Save, options.Wrap = nil, k.save, k.wrap
	return options
}

const (
	defaultExpireBefore = 30 * time.Second
	// What a token request that has been sent may still take after its source
	// is closed: the answer may hold the only good refresh token.
	closeGrace = 5 * time.Second
	// How often a fetch starts again because another process was faster.
	maxRounds = 5
)

// keeper connects one Source with its record.
type keeper struct {
	store  *Store
	key    StoreKey
	margin time.Duration // life that a stored access token must have left

	mu      sync.Mutex
	pending *renewal // fetched, but not saved yet
}

// renewal is a new token, and the record whose refresh token it cost.
type renewal struct {
	token *oauth2.Token
	from  *Record
}

type renewing struct{}

// save stores a new sign-in, whatever is there. The tokens of a fetch are
// stored by wrap, which knows what they replace.
func (k *keeper) save(ctx context.Context, token *oauth2.Token) error {
	if ctx.Value(renewing{}) != nil {
		return nil
	}
	for {
		record, err := k.store.Load(ctx, k.key)
		if err != nil {
			return unreadable(err)
		}
		if record == nil {
			record = &Record{Key: k.key}
		}
		record.SignedIn = time.Now().UTC()
		record.Granted = granted(token.Extra("scope"), k.key.Scopes)
		record.fill(token)
		if err := k.store.Save(ctx, record); !errors.Is(err, ErrConflict) {
			return err
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// fill puts a new token into r.
func (r *Record) fill(token *oauth2.Token) {
	r.RefreshToken = NewSecret(token.RefreshToken)
	r.AccessToken, r.Expiry = NewSecret(token.AccessToken), token.Expiry.UTC()
	r.Renewed = time.Now().UTC()
}

// wrap goes around the fetch of the source.
func (k *keeper) wrap(fetch FetchFunc) FetchFunc {
	return func(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
		unlock, err := k.store.lock(ctx, k.key.ID())
		if err != nil {
			return nil, &Error{Description: "the store of sign-ins cannot be used", cause: err}
		}
		defer unlock()
		for range maxRounds {
			token, err := k.renew(ctx, previous, fetch)
			if !errors.Is(err, ErrConflict) {
				return token, err
			}
		}
		return nil, &Error{Description: "the stored sign-in keeps changing", cause: ErrConflict}
	}
}

// renew is one round: it returns ErrConflict if the record changed on the way.
func (k *keeper) renew(ctx context.Context, previous *oauth2.Token, fetch FetchFunc) (*oauth2.Token, error) {
	record, err := k.store.Load(ctx, k.key)
	if err != nil {
		return nil, unreadable(err)
	}
	if token, err := k.savePending(ctx, record); token != nil || err != nil {
		return token, err
	}
	if record == nil {
		return nil, &Error{Code: "login_required", Description: "nobody is signed in", NeedsUser: true}
	}
	if token := k.stored(ctx, record, previous); token != nil {
		return token, nil
	}
	token, err := k.fetch(ctx, record, fetch)
	if err != nil {
		return nil, k.refused(ctx, record, err)
	}
	return k.keep(ctx, renewal{token, record})
}

// stored returns the access token of the record, if another process has put
// one there that is still good.
func (k *keeper) stored(ctx context.Context, record *Record, previous *oauth2.Token) *oauth2.Token {
	access := record.AccessToken.Expose()
	switch {
	case access == "" || previous != nil && previous.AccessToken == access: // there is none, or it has been refused
		return nil
	case ClaimsFrom(ctx) != "" || !before(time.Now().Add(k.margin), record.Expiry):
		return nil
	}
	return &oauth2.Token{
		AccessToken: access, RefreshToken: record.RefreshToken.Expose(), TokenType: "Bearer", Expiry: record.Expiry,
	}
}

// fetch asks the server. A source that is closed meanwhile still waits a
// moment for the answer.
func (k *keeper) fetch(ctx context.Context, record *Record, fetch FetchFunc) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	patient, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), renewing{}, true))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if pause(patient, closeGrace) == nil {
			cancel()
		}
	})
	defer stop()
	return fetch(patient, &oauth2.Token{RefreshToken: record.RefreshToken.Expose()})
}

// refused removes a record that the server does not accept any more.
func (k *keeper) refused(ctx context.Context, record *Record, cause error) error {
	if e, ok := errors.AsType[*Error](cause); !ok || e.Code != "invalid_grant" {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	switch err := k.store.retire(ctx, record); {
	case errors.Is(err, ErrConflict): // signed in anew, or renewed by a process that did not wait
		return err
	case err != nil:
		return errors.Join(cause, err)
	}
	return cause
}

// keep saves a new token. If that fails, it is saved before the next one is
// fetched.
func (k *keeper) keep(ctx context.Context, r renewal) (*oauth2.Token, error) {
	record := *r.from
	record.fill(r.token)
	if scope := r.token.Extra("scope"); scope != nil {
		record.Granted = granted(scope, record.Granted)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace) // it is too late to give up
	defer cancel()
	switch err := k.store.Save(ctx, &record); {
	case errors.Is(err, ErrConflict):
		return nil, err
	case err != nil:
		k.mu.Lock()
		defer k.mu.Unlock()
		k.pending = &r
		return nil, &Error{Description: "the new token could not be saved", cause: err}
	}
	return r.token, nil
}

// savePending saves a token that could not be saved before, if the record is
// still the one that it came from.
func (k *keeper) savePending(ctx context.Context, record *Record) (*oauth2.Token, error) {
	k.mu.Lock()
	r := k.pending
	k.pending = nil
	k.mu.Unlock()
	switch {
	case r == nil || record == nil:
		return nil, nil
	case record.RefreshToken.Equal(NewSecret(r.token.RefreshToken)): // it was saved, though the store said it failed
	case !bytes.Equal(record.sealed, r.from.sealed):
		return nil, nil
	default:
		if token, err := k.keep(ctx, *r); err != nil {
			return token, err
		}
	}
	if before(time.Now().Add(k.margin), r.token.Expiry) {
		return r.token, nil
	}
	return nil, ErrConflict // go on with the record as it is now
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*UnreadableError](err); ok {
		return &Error{Description: "the stored sign-in cannot be read; sign out to discard it, then sign in again", cause: err}
	}
	return &Error{Description: "the store of sign-ins cannot be used", cause: err}
}
