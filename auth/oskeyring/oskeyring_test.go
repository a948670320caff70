package oskeyring_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
	"github.com/msptoolbelt/toolbelt/auth/oskeyring"
)

var key = auth.StoreKey{Issuer: "https://login.example", ClientID: "desktop", Subject: "ann"}

func openStore(t *testing.T, dir string, keys *auth.Keyring) *auth.Store {
	t.Helper()
	kv, err := auth.NewFileKV(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kv.Close() })
	store, err := auth.NewStore(kv, keys, auth.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// refreshToken returns what the store holds under a key ring.
func refreshToken(t *testing.T, dir string, keys *auth.Keyring) (string, error) {
	t.Helper()
	record, err := openStore(t, dir, keys).Load(t.Context(), key)
	if err != nil || record == nil {
		return "", err
	}
	return record.RefreshToken.Expose(), nil
}

func load(t *testing.T) *auth.Keyring {
	t.Helper()
	keys, err := oskeyring.Load("toolbelt", "test")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestKeyLivesInTheKeyring(t *testing.T) {
	keyring.MockInit()
	dir := filepath.Join(t.TempDir(), "store")
	err := openStore(t, dir, load(t)).Save(t.Context(), &auth.Record{Key: key, RefreshToken: auth.NewSecret("r1")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := refreshToken(t, dir, load(t)); got != "r1" || err != nil {
		t.Errorf("the next start reads %q, %v", got, err)
	}
	entry, err := keyring.Get("toolbelt", "test")
	if err != nil || len(entry) > 64 {
		t.Errorf("the keyring holds %d bytes, %v", len(entry), err)
	}
	raw, err := base64.StdEncoding.DecodeString(entry)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files { // the key is nowhere else
		content, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil || bytes.Contains(content, raw) || bytes.Contains(content, []byte(entry)) {
			t.Errorf("%s holds the key, or %v", file.Name(), err)
		}
	}
	if err := errors.Join(oskeyring.Delete("toolbelt", "test"), oskeyring.Delete("toolbelt", "test")); err != nil {
		t.Fatal(err)
	}
	_, err = refreshToken(t, dir, load(t))
	if _, ok := errors.AsType[*auth.UnreadableError](err); !ok {
		t.Errorf("without the key: %v", err)
	}
}

func TestRotate(t *testing.T) {
	keyring.MockInit()
	dir := filepath.Join(t.TempDir(), "store")
	first := load(t)
	if err := openStore(t, dir, first).Save(t.Context(), &auth.Record{Key: key, RefreshToken: auth.NewSecret("r1")}); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		keys, err := oskeyring.Rotate("toolbelt", "test")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := refreshToken(t, dir, keys); got != "r1" || err != nil {
			t.Fatalf("after a rotation: %q, %v", got, err)
		}
	}
	if got, err := refreshToken(t, dir, load(t)); got != "r1" || err != nil {
		t.Errorf("after all: %q, %v", got, err)
	}
	if _, err := refreshToken(t, dir, first); err == nil {
		t.Error("the first key still reads it")
	}
	if entry, err := keyring.Get("toolbelt", "test"); err != nil || len(entry) > 1000 {
		t.Errorf("the entry has %d bytes, %v", len(entry), err)
	}
}

func TestForeignEntryIsLeftAlone(t *testing.T) {
	keyring.MockInit()
	if err := keyring.Set("toolbelt", "test", "hunter2"); err != nil {
		t.Fatal(err)
	}
	if _, err := oskeyring.Load("toolbelt", "test"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	if entry, err := keyring.Get("toolbelt", "test"); entry != "hunter2" || err != nil {
		t.Errorf("the entry is %q, %v", entry, err)
	}
}

func TestUnavailable(t *testing.T) {
	keyring.MockInitWithError(errors.New("org.freedesktop.secrets was not provided by any .service files"))
	_, loading := oskeyring.Load("toolbelt", "test")
	_, rotating := oskeyring.Rotate("toolbelt", "test")
	for _, err := range []error{loading, rotating, oskeyring.Delete("toolbelt", "test")} {
		if !errors.Is(err, oskeyring.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	}
}

// TestHeadless asks the real keyring of a machine without one. It runs in a
// process of its own: the other tests put a mock in its place.
func TestHeadless(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux may be without a keyring")
	}
	if os.Getenv("TOOLBELT_KEYRING_CHILD") == "" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHeadless$", "-test.v")
		child.Env = append(os.Environ(), "TOOLBELT_KEYRING_CHILD=1", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "PATH=")
		if output, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	_, err := oskeyring.Load("toolbelt", "test")
	if !errors.Is(err, oskeyring.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

// The sealed values of any KV keep the contract with a key from here.
func TestContract(t *testing.T) {
	keyring.MockInit()
	dir, keys := filepath.Join(t.TempDir(), "store"), load(t)
	authtest.TestKV(t, func() auth.KV {
		kv, err := auth.NewFileKV(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = kv.Close() })
		return auth.SealKV(kv, keys)
	})
}

func ExampleLoad() {
	keyring.MockInit() // in place of the real one, in tests
	keys, err := oskeyring.Load("toolbelt", "server")
	fmt.Println(keys, err)
	// Output: [REDACTED] <nil>
}
