package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// KeySize is the size of the keys of a [Keyring]: AES-256.
const KeySize = 32

// NewKey returns a random key for a [Keyring].
func NewKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	return key
}

// Keyring seals and opens the records of a [Store] with AES-256-GCM. It holds
// one key or several: the first seals, all of them open, and what an older one
// sealed is sealed anew when it is next read. To change the key, put a new one
// first; to end an old one, leave it out.
//
// A Keyring is safe for concurrent use. It never prints a key.
type Keyring struct {
	// The ciphers sit in a closure, where no reflection dump finds the keys.
	cipher func(keyID) (cipher.AEAD, bool)
	newest keyID
}

// keyID names a key without telling anything about it.
type keyID [8]byte

// NewKeyring returns a Keyring of keys of [KeySize] bytes, newest first.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("auth: a keyring needs a key")
	}
	ring := &Keyring{}
	ciphers := make(map[keyID]cipher.AEAD, len(keys))
	for i, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("auth: key %d of the keyring has %d bytes, not %d", i+1, len(key), KeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("auth: key %d of the keyring: %w", i+1, err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("auth: key %d of the keyring: %w", i+1, err)
		}
		id := idOf(key)
		ciphers[id] = aead
		if i == 0 {
			ring.newest = id
		}
	}
	ring.cipher = func(id keyID) (cipher.AEAD, bool) {
		aead, ok := ciphers[id]
		return aead, ok
	}
	return ring, nil
}

func idOf(key []byte) keyID {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("toolbelt key id"))
	return keyID(mac.Sum(nil))
}

// Format implements [fmt.Formatter] for every verb.
func (*Keyring) Format(f fmt.State, _ rune) {
	// A failed write to the formatter's buffer has nobody to be told.
	_, _ = io.WriteString(f, redacted)
}

// MarshalText implements [encoding.TextMarshaler].
func (*Keyring) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// A sealed record is: "TBR", version 1, id of the key, nonce, ciphertext, tag.
// Everything before the nonce, and the id of the record, is authenticated with
// it: a record under another id, with another version or key id does not open.
const (
	sealMagic  = "TBR\x01"
	sealHeader = len(sealMagic) + len(keyID{})
)

// UnreadableError says that a stored record cannot be opened: it is damaged,
// was swapped with another, or was sealed with a key that the [Keyring] does
// not have. Such a record is never overwritten; only deleting it (signing the
// user out) makes room for another.
type UnreadableError struct {
	ID     string // of the record
	Reason string
}

// Error implements error.
func (e *UnreadableError) Error() string {
	return "auth: stored record " + e.ID + " is refused and left as it is: " + e.Reason
}

// seal encrypts plain as the record id.
func (k *Keyring) seal(id string, plain []byte) ([]byte, error) {
	aead, ok := k.cipher(k.newest)
	if !ok {
		return nil, errors.New("auth: the keyring is empty")
	}
	header := append([]byte(sealMagic), k.newest[:]...)
	return aead.Seal(header, nil, plain, sealData(header, id)), nil //nolint:gosec // the cipher makes the nonce
}

// open decrypts the record id, and reports whether an older key sealed it.
func (k *Keyring) open(id string, sealed []byte) (plain []byte, old bool, err error) {
	switch {
	case len(sealed) < sealHeader:
		return nil, false, &UnreadableError{id, "it is too short"}
	case string(sealed[:3]) != sealMagic[:3]:
		return nil, false, &UnreadableError{id, "it is not a sealed record"}
	case sealed[3] != sealMagic[3]:
		return nil, false, &UnreadableError{id, fmt.Sprintf("it has the unknown version %d", sealed[3])}
	}
	key := keyID(sealed[len(sealMagic):sealHeader])
	aead, ok := k.cipher(key)
	if !ok {
		return nil, false, &UnreadableError{id, "it was sealed with a key that is not in the keyring"}
	}
	plain, err = aead.Open(nil, nil, sealed[sealHeader:], sealData(sealed[:sealHeader], id))
	if err != nil {
		return nil, false, &UnreadableError{id, "it was damaged or belongs elsewhere"}
	}
	return plain, key != k.newest, nil
}

// sealData is the additional data: header and id, each with its length.
func sealData(header []byte, id string) []byte {
	data := appendField(nil, string(header))
	return appendField(data, id)
}

func appendField(to []byte, field string) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(len(field)))
	return append(to, field...)
}

// LoadKeyring reads a [Keyring] from a file that holds a key per line, newest
// first, in base64. A file that does not exist is made, with one new key. It
// must be the user's own, closed to others (mode 0600), in a directory that is
// so too (0700); both are made that way.
//
// Whoever can read the file can read the records: an OS keyring (nested module
// auth/oskeyring) or a mounted secret is better where there is one. Keep it
// away from the records, so that a copy of them does not contain it.
func LoadKeyring(path string) (*Keyring, error) {
	dir, err := openPrivateDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	name := filepath.Base(path)
	var text []byte
	err = dir.locked("."+name+".lock", func() error {
		if text, err = dir.read(name); err != nil || text != nil {
			return err
		}
		text = []byte(base64.StdEncoding.EncodeToString(NewKey()) + "\n")
		return dir.write(name, text)
	})
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(string(text))
	if err != nil {
		return nil, err
	}
	return NewKeyring(keys...)
}

func parseKeys(text string) ([][]byte, error) {
	var keys [][]byte
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("auth: key %d of the key file is not base64", len(keys)+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
