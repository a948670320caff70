package mcptools

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// seals authenticates the state of a pending confirmation: a nonce, an expiry
// and the digest of the question, bound by HMAC-SHA256 to the tool, its arguments
// and the user. Each seal opens once in this process.
type seals struct {
	key []byte
	ttl time.Duration

	mu   sync.Mutex
	used map[[nonceSize]byte]time.Time // nonce to expiry
}

// digest tells one question from another.
type digest [sha256.Size]byte

func digestOf(question string) digest { return sha256.Sum256([]byte(question)) }

const (
	nonceSize  = 16
	expiryEnd  = nonceSize + 8
	headerSize = expiryEnd + sha256.Size
	maxUsed    = 10_000
)

var (
	errSeal    = errors.New("it was altered or belongs to another call")
	errExpired = errors.New("it has expired")
	errUsed    = errors.New("it was used already")
)

func newSeals(o ConfirmOptions) *seals {
	s := &seals{key: o.Key, ttl: o.TTL, used: map[[nonceSize]byte]time.Time{}}
	switch {
	case len(s.key) == 0:
		s.key = randomKey()
	case len(s.key) < 32:
		panic("mcptools.Confirm: the key is shorter than 32 bytes")
	}
	if s.ttl <= 0 {
		s.ttl = 5 * time.Minute
	}
	return s
}

func (s *seals) seal(call *Call, args json.RawMessage, question string) string {
	header := make([]byte, expiryEnd, headerSize+sha256.Size)
	_, _ = rand.Read(header[:nonceSize])                                                 // never fails, see crypto/rand
	binary.BigEndian.PutUint64(header[nonceSize:], uint64(time.Now().Add(s.ttl).Unix())) //nolint:gosec // after 1970
	asked := digestOf(question)
	header = append(header, asked[:]...)
	return base64.RawURLEncoding.EncodeToString(append(header, s.mac(header, call, args)...))
}

// open returns what was asked, for a seal of exactly this call that was not
// opened before.
func (s *seals) open(state string, call *Call, args json.RawMessage) (asked digest, err error) {
	data, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil || len(data) != headerSize+sha256.Size {
		return asked, errSeal
	}
	header := data[:headerSize]
	if !hmac.Equal(data[headerSize:], s.mac(header, call, args)) {
		return asked, errSeal
	}
	expiry := time.Unix(int64(binary.BigEndian.Uint64(header[nonceSize:])), 0) //nolint:gosec // authenticated above
	if time.Now().After(expiry) {
		return asked, errExpired
	}
	return digest(header[expiryEnd:]), s.use([nonceSize]byte(header), expiry)
}

// use remembers a nonce until it expires. When there are too many to remember,
// it refuses: a forgotten nonce could approve a second run.
func (s *seals) use(nonce [nonceSize]byte, expiry time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.used[nonce]; ok {
		return errUsed
	}
	if len(s.used) >= maxUsed {
		now := time.Now()
		for n, e := range s.used {
			if now.After(e) {
				delete(s.used, n)
			}
		}
		if len(s.used) >= maxUsed {
			return errors.New("too many confirmations are under way")
		}
	}
	s.used[nonce] = expiry
	return nil
}

// mac binds the header to the call. Every part is preceded by its length, so
// that no two calls share the same bytes.
func (s *seals) mac(header []byte, call *Call, args json.RawMessage) []byte {
	h := hmac.New(sha256.New, s.key)
	for _, part := range [][]byte{header, []byte(call.Tool.Spec().Name), args, []byte(call.UserID())} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return h.Sum(nil)
}
