// Package oskeyring keeps the key of an auth.Store in the keyring of the
// operating system: Keychain on macOS, Credential Manager on Windows, the
// Secret Service (GNOME Keyring, KWallet) on Linux and BSD.
//
// Only the key goes there, 32 bytes of it. Sign-ins lie sealed in another
// place, such as an auth.FileKV: Credential Manager takes no more than 2560
// bytes, Keychain about 3000, and both show all of a user's programs what they
// hold.
package oskeyring

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/msptoolbelt/toolbelt/auth"
)

// ErrUnavailable is wrapped by the errors of a machine whose keyring cannot be
// used: a Linux server, container or SSH session without a Secret Service, or a
// keyring that stays locked. Keep the key elsewhere there: in a mounted secret
// with [auth.LoadKeyring], or from a key vault with [auth.NewKeyring].
var ErrUnavailable = errors.New("oskeyring: this machine has no keyring that can be used; keep the key in a file or a key vault")

// maxKeys is how many keys fit into every keyring with room to spare.
const maxKeys = 8

// Load returns the key ring that the operating system keeps under the two
// names, such as "toolbelt" and the name of the program. If there is none, it
// puts one new key there. It may ask the user to unlock the keyring, and waits
// until they have.
func Load(service, account string) (*auth.Keyring, error) {
	keys, err := read(service, account)
	if err != nil {
		return nil, err
	}
	if keys == nil {
		if err := write(service, account, [][]byte{auth.NewKey()}); err != nil {
			return nil, err
		}
		// A keyring cannot create without overwriting. Of two programs that
		// start for the first time together, both take what the last one put.
		time.Sleep(200 * time.Millisecond)
		if keys, err = read(service, account); err != nil {
			return nil, err
		}
	}
	return auth.NewKeyring(keys...)
}

// Rotate puts a new key before those that are there, and returns them as the
// key ring to use from now on. Running programs keep theirs: restart them, or
// they will not be able to read what is sealed from now on. The oldest of more
// than eight keys is dropped; records that it sealed and nobody has read since
// are lost.
func Rotate(service, account string) (*auth.Keyring, error) {
	keys, err := read(service, account)
	if err != nil {
		return nil, err
	}
	keys = append([][]byte{auth.NewKey()}, keys...)
	keys = keys[:min(len(keys), maxKeys)]
	if err := write(service, account, keys); err != nil {
		return nil, err
	}
	return auth.NewKeyring(keys...)
}

// Delete removes the keys, and with them all that they sealed. There may be
// none.
func Delete(service, account string) error {
	if err := keyring.Delete(service, account); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return unavailable(err)
	}
	return nil
}

// read returns the keys, nil if there are none.
func read(service, account string) ([][]byte, error) {
	text, err := keyring.Get(service, account)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var keys [][]byte
	for word := range strings.SplitSeq(text, ",") {
		key, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(key) != auth.KeySize {
			return nil, errors.New("oskeyring: the entry is not one of ours; it is left as it is")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func write(service, account string, keys [][]byte) error {
	words := make([]string, 0, len(keys))
	for _, key := range keys {
		words = append(words, base64.StdEncoding.EncodeToString(key))
	}
	if err := keyring.Set(service, account, strings.Join(words, ",")); err != nil {
		return unavailable(err)
	}
	return nil
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
