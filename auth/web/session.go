package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// SessionOptions say where sessions are kept and how long they last.
type SessionOptions struct {
	// KV is required. Several replicas of a server share sessions by sharing it.
	KV auth.KV
	// Idle is how long a session lasts unused: default 30 minutes.
	Idle time.Duration
	// Absolute is how long it lasts at most: default 8 hours.
	Absolute time.Duration
	// Name of the cookie after "__Host-", in small letters: default "session".
	Name string
	// Proxies in front of the server, for knowing what TLS is. Over anything
	// else there are no sessions, loopback without a proxy excepted.
	Proxies Proxies
}

var (
	// ErrNoSession means that a request has no session, or one that has ended.
	ErrNoSession = errors.New("web: no session")
	// ErrInsecure means that a session was to start over a connection that
	// others can read.
	ErrInsecure = errors.New("web: sessions need https")

	errBusy = errors.New("web: the session is being changed by others")
)

// Session is who signed in, and what the server wants to remember of them.
// Keep no tokens in it: they belong into a store of package auth, under the
// user's name.
type Session struct {
	User    string
	Values  map[string]string
	Started time.Time

	key string // in the KV
	raw []byte // as it is in the KV
}

// record is a session as it is kept.
type record struct {
	User    string            `json:"user"`
	Values  map[string]string `json:"values,omitempty"`
	Started time.Time         `json:"started"`
	Seen    time.Time         `json:"seen"`
}

// Sessions keeps who signed in. The browser holds a random id of 130 bits and
// nothing else, in a cookie that scripts cannot read, that other hosts cannot
// set (__Host-), and that requests from other sites do not carry
// (SameSite=Strict); the store holds a hash of the id, so that who reads the
// store cannot take a session over. An id that the server did not hand out is
// never adopted. Safe for concurrent use.
type Sessions struct {
	options SessionOptions
	cookie  cookie
}

// NewSessions checks options.
func NewSessions(options SessionOptions) (*Sessions, error) {
	if options.Idle == 0 {
		options.Idle = 30 * time.Minute
	}
	if options.Absolute == 0 {
		options.Absolute = 8 * time.Hour
	}
	if options.Name == "" {
		options.Name = "session"
	}
	if options.KV == nil || options.Idle < time.Minute || options.Absolute < options.Idle {
		return nil, errors.New("web: sessions need a store, a minute at least, and an absolute end that is not before the idle one")
	}
	c := cookie{name: hostPrefix + options.Name, sameSite: http.SameSiteStrictMode, proxies: options.Proxies}
	if strings.ContainsFunc(options.Name, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' }) {
		return nil, fmt.Errorf("web: %q cannot be part of a cookie's name", options.Name)
	}
	return &Sessions{options: options, cookie: c}, nil
}

// Get returns the session of a request, and notes that it is in use. It
// returns [ErrNoSession] if there is none that lasts, or the store's error.
func (s *Sessions) Get(r *http.Request) (*Session, error) {
	id := s.cookie.read(r)
	if id == "" {
		return nil, ErrNoSession
	}
	session, rec, err := s.load(r.Context(), sessionKey(id))
	if err != nil {
		return nil, err
	}
	// Not each time: a write for each request would be much.
	if now := time.Now(); now.Sub(rec.Seen) >= s.options.Idle/10 {
		rec.Seen = now
		if err := s.touch(r.Context(), session, rec); err != nil {
			return nil, err
		}
	}
	return session, nil
}

// touch leaves a session that somebody else changed or ended meanwhile as it is.
func (s *Sessions) touch(ctx context.Context, session *Session, rec record) error {
	raw, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("web: session: %w", err)
	}
	ok, err := s.options.KV.CompareAndSwap(ctx, session.key, session.raw, raw, s.left(rec))
	if err != nil {
		return fmt.Errorf("web: session: %w", err)
	}
	if ok {
		session.raw = raw
	}
	return nil
}

func (s *Sessions) load(ctx context.Context, key string) (*Session, record, error) {
	raw, err := s.options.KV.Get(ctx, key)
	if err != nil {
		return nil, record{}, fmt.Errorf("web: session: %w", err)
	}
	var rec record
	if raw == nil || json.Unmarshal(raw, &rec) != nil || rec.User == "" || s.left(rec) <= 0 {
		return nil, record{}, ErrNoSession
	}
	return &Session{User: rec.User, Values: maps.Clone(rec.Values), Started: rec.Started, key: key, raw: raw}, rec, nil
}

// left is how long a session lasts if it is not used. The store's own expiry
// is a help, not the judge.
func (s *Sessions) left(rec record) time.Duration {
	now := time.Now()
	return min(rec.Seen.Add(s.options.Idle).Sub(now), rec.Started.Add(s.options.Absolute).Sub(now))
}

// Start begins the session of a user who has just signed in, under a new id;
// the one that the request had before, whoever's it was, ends (session
// fixation). It returns [ErrInsecure] without TLS.
func (s *Sessions) Start(w http.ResponseWriter, r *http.Request, user string, values map[string]string) (*Session, error) {
	if user == "" {
		return nil, errors.New("web: a session needs a user")
	}
	now := time.Now()
	return s.start(w, r, record{User: user, Values: values, Started: now, Seen: now})
}

// Rotate gives the session of a request a new id, as is due when its user
// gains rights. How long it lasts does not change.
func (s *Sessions) Rotate(w http.ResponseWriter, r *http.Request) (*Session, error) {
	id := s.cookie.read(r)
	if id == "" {
		return nil, ErrNoSession
	}
	_, rec, err := s.load(r.Context(), sessionKey(id))
	if err != nil {
		return nil, err
	}
	rec.Seen = time.Now()
	return s.start(w, r, rec)
}

func (s *Sessions) start(w http.ResponseWriter, r *http.Request, rec record) (*Session, error) {
	if !secure(r, s.options.Proxies) {
		return nil, ErrInsecure
	}
	if old := s.cookie.read(r); old != "" {
		if err := s.options.KV.Delete(r.Context(), sessionKey(old)); err != nil {
			return nil, fmt.Errorf("web: session: %w", err)
		}
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("web: session: %w", err)
	}
	id := rand.Text()
	session := &Session{User: rec.User, Values: maps.Clone(rec.Values), Started: rec.Started, key: sessionKey(id), raw: raw}
	ok, err := s.options.KV.CompareAndSwap(r.Context(), session.key, nil, raw, s.left(rec))
	if err != nil {
		return nil, fmt.Errorf("web: session: %w", err)
	}
	if !ok {
		return nil, errBusy
	}
	s.cookie.write(w, id, time.Until(rec.Started.Add(s.options.Absolute)))
	return session, nil
}

// Update changes the values of a session: change may run several times, when
// others change it too. Session then holds the outcome.
func (s *Sessions) Update(ctx context.Context, session *Session, change func(values map[string]string)) error {
	for range 10 {
		current, rec, err := s.load(ctx, session.key)
		if err != nil {
			return err
		}
		if current.Values == nil {
			current.Values = map[string]string{}
		}
		change(current.Values)
		rec.Values, rec.Seen = current.Values, time.Now()
		raw, err := json.Marshal(rec)
		if err != nil {
			return fmt.Errorf("web: session: %w", err)
		}
		ok, err := s.options.KV.CompareAndSwap(ctx, session.key, current.raw, raw, s.left(rec))
		if err != nil {
			return fmt.Errorf("web: session: %w", err)
		}
		if ok {
			current.raw = raw
			*session = *current
			return nil
		}
	}
	return errBusy
}

// End ends the session of a request, if it has one, and takes the cookie away.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	id := s.cookie.read(r)
	s.cookie.write(w, "", -1)
	if id == "" {
		return nil
	}
	if err := s.options.KV.Delete(r.Context(), sessionKey(id)); err != nil {
		return fmt.Errorf("web: session: %w", err)
	}
	return nil
}

func sessionKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "session:" + hex.EncodeToString(sum[:])
}
