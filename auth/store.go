package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// StoreKey says which sign-in a record is about. Two keys lead to the same
// record only if all of their fields agree; the order of the scopes does not
// matter.
type StoreKey struct {
	// Issuer is the authorization server, by its issuer or token endpoint.
	Issuer string `json:"issuer"`
	// Tenant is the tenant at the issuer, if its name is not part of it.
	Tenant   string `json:"tenant,omitempty"`
	ClientID string `json:"client_id"`
	// Subject is whose sign-in it is, in the embedder's own words, such as the
	// user id of the session.
	Subject string   `json:"subject"`
	Scopes  []string `json:"scopes,omitempty"`
}

// ID is the record's id: a hash of the fields, each with its length before
// it, so that no two keys can be spelled alike.
func (k StoreKey) ID() string {
	scopes := scopeSet(k.Scopes)
	data := []byte("toolbelt sign-in 1\x00")
	for _, field := range []string{k.Issuer, k.Tenant, k.ClientID, k.Subject} {
		data = appendField(data, field)
	}
	data = binary.BigEndian.AppendUint64(data, uint64(len(scopes)))
	for _, scope := range scopes {
		data = appendField(data, scope)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// scopeSet sorts scopes and drops repeated ones.
func scopeSet(scopes []string) []string {
	set := slices.Clone(scopes)
	slices.Sort(set)
	return slices.Compact(set)
}

// Record is what a [Store] keeps of a sign-in.
type Record struct {
	Key          StoreKey
	RefreshToken Secret
	// AccessToken and Expiry are zero in a Store of RefreshTokensOnly.
	AccessToken Secret
	Expiry      time.Time
	// Granted are the scopes that the server granted, if it said.
	Granted []string
	// SignedIn is when the user signed in, Renewed when the tokens came.
	SignedIn, Renewed time.Time

	sealed []byte // as it lies in the KV; nil for one that does not yet
}

// wireRecord is the plain text of a sealed record.
type wireRecord struct {
	Key          StoreKey  `json:"key"`
	RefreshToken string    `json:"refresh_token"`
	AccessToken  string    `json:"access_token,omitempty"`
	Expiry       time.Time `json:"expiry,omitzero"`
	Granted      []string  `json:"granted,omitempty"`
	SignedIn     time.Time `json:"signed_in"`
	Renewed      time.Time `json:"renewed"`
	// Gone says that the record was removed, but only if nobody had changed it.
	Gone bool `json:"gone,omitempty"`
}

// ErrConflict says that a record was changed by somebody else since it was
// loaded: load it again and go on with that.
var ErrConflict = errors.New("auth: the stored record has changed meanwhile")

// StoreOptions tunes a [Store]. The zero value is right for most.
type StoreOptions struct {
	// TTL is how long a record is kept without being renewed. Default 90 days,
	// after which Entra's refresh tokens are dead too.
	TTL time.Duration
	// RefreshTokensOnly keeps access tokens out of the records. By default they
	// lie there too, sealed like the rest: several processes share one until
	// it ends, one of them renews it for all, and a restarted process need not
	// fetch. With this option, each process renews for itself, one after the
	// other.
	RefreshTokensOnly bool
}

// Store keeps sign-ins over any [KV], sealed by a [Keyring]. It is safe for
// concurrent use, and, if the KV is, between processes.
//
// A reader of the KV learns how many records there are and how large they are.
// A writer can delete a record, or put an older one of the same sign-in back:
// that is not noticed here (the authorization server will see a refresh token
// used twice).
type Store struct {
	kv      KV
	keys    *Keyring
	options StoreOptions
}

// NewStore returns a Store over kv.
func NewStore(kv KV, keys *Keyring, options StoreOptions) (*Store, error) {
	if kv == nil || keys == nil {
		return nil, errors.New("auth: a store needs a KV and a keyring")
	}
	if options.TTL <= 0 {
		options.TTL = 90 * 24 * time.Hour
	}
	return &Store{kv: kv, keys: keys, options: options}, nil
}

// Load returns the record of key, nil if there is none. The error is an
// [*UnreadableError] if there is one that must not be trusted.
func (s *Store) Load(ctx context.Context, key StoreKey) (*Record, error) {
	id := key.ID()
	var wire wireRecord
	sealed, err := s.get(ctx, id, &wire, s.options.TTL)
	if err != nil || sealed == nil || wire.Gone {
		return nil, err
	}
	if wire.Key.ID() != id {
		return nil, &UnreadableError{id, "it is about another sign-in"}
	}
	return &Record{
		Key:          wire.Key,
		RefreshToken: NewSecret(wire.RefreshToken),
		AccessToken:  NewSecret(wire.AccessToken),
		Expiry:       wire.Expiry,
		Granted:      wire.Granted,
		SignedIn:     wire.SignedIn,
		Renewed:      wire.Renewed,
		sealed:       sealed,
	}, nil
}

// Save stores r if nobody has changed the record since r was loaded, and if r
// is new, only if there is none; otherwise it returns [ErrConflict]. Nothing
// but such an agreed change ever replaces a record.
func (s *Store) Save(ctx context.Context, r *Record) error {
	wire := wireRecord{
		Key:          r.Key,
		RefreshToken: r.RefreshToken.Expose(),
		Granted:      r.Granted,
		SignedIn:     r.SignedIn,
		Renewed:      r.Renewed,
	}
	wire.Key.Scopes = scopeSet(wire.Key.Scopes)
	if !s.options.RefreshTokensOnly {
		wire.AccessToken, wire.Expiry = r.AccessToken.Expose(), r.Expiry
	}
	id, old := r.Key.ID(), r.sealed
	if old == nil {
		if err := s.enlist(ctx, wire.Key); err != nil {
			return err
		}
		var last wireRecord
		sealed, err := s.get(ctx, id, &last, s.options.TTL)
		if err != nil {
			return err
		}
		if last.Gone {
			old = sealed
		}
	}
	sealed, err := s.swap(ctx, id, old, wire, s.options.TTL)
	if err != nil {
		return err
	}
	r.sealed = sealed
	return nil
}

// Delete removes the record of key, readable or not.
func (s *Store) Delete(ctx context.Context, key StoreKey) error {
	entry, fault := s.entry(ctx, key)
	if err := s.kv.Delete(ctx, key.ID()); err != nil {
		return fmt.Errorf("auth: delete a stored record: %w", err)
	}
	if fault != nil {
		return fault
	}
	return s.delist(ctx, entry)
}

// goneTTL is how long the mark of a removed record stays in its place.
const goneTTL = time.Minute

// retire removes r, unless somebody has changed it: a KV has no compare and
// delete, so a mark takes its place for a while.
func (s *Store) retire(ctx context.Context, r *Record) error {
	entry, err := s.entry(ctx, r.Key)
	if err != nil {
		return err
	}
	if _, err := s.swap(ctx, r.Key.ID(), r.sealed, wireRecord{Key: r.Key, Gone: true}, goneTTL); err != nil {
		return err
	}
	return s.delist(ctx, entry)
}

// get opens the record id into wire and returns it as it lies in the KV. What
// an older key sealed is sealed anew, to be kept for ttl.
func (s *Store) get(ctx context.Context, id string, wire any, ttl time.Duration) ([]byte, error) {
	sealed, err := s.kv.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("auth: read a stored record: %w", err)
	}
	if sealed == nil {
		return nil, nil
	}
	plain, old, err := s.keys.open(id, sealed)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.DisallowUnknownFields() // rewriting would lose what a later version added
	if err := decoder.Decode(wire); err != nil {
		return nil, &UnreadableError{id, "its content is of another version"}
	}
	if !old {
		return sealed, nil
	}
	switch anew, err := s.swap(ctx, id, sealed, wire, ttl); {
	case err == nil:
		return anew, nil
	case errors.Is(err, ErrConflict): // somebody else was faster
		return s.get(ctx, id, wire, ttl)
	default:
		return nil, err
	}
}

// swap seals wire as the record id in the place of old.
func (s *Store) swap(ctx context.Context, id string, old []byte, wire any, ttl time.Duration) ([]byte, error) {
	plain, err := json.Marshal(wire)
	if err != nil {
		return nil, errors.New("auth: the record cannot be encoded")
	}
	sealed, err := s.keys.seal(id, plain)
	if err != nil {
		return nil, err
	}
	swapped, err := s.kv.CompareAndSwap(ctx, id, old, sealed, ttl)
	if err != nil {
		return nil, fmt.Errorf("auth: write a stored record: %w", err)
	}
	if !swapped {
		return nil, ErrConflict
	}
	return sealed, nil
}

// granted reads the scopes of a token answer (RFC 6749 section 5.1): what was
// asked for if the server does not say.
func granted(scope any, asked []string) []string {
	if text, ok := scope.(string); ok && strings.TrimSpace(text) != "" {
		return scopeSet(strings.Fields(text))
	}
	return scopeSet(asked)
}
