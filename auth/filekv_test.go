package auth_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

func notOnWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("modes and symbolic links are for Unix")
	}
}

func swap(t testing.TB, kv auth.KV, id string, old, value string) {
	t.Helper()
	var before []byte
	if old != "" {
		before = []byte(old)
	}
	if ok, err := kv.CompareAndSwap(t.Context(), id, before, []byte(value), 0); err != nil || !ok {
		t.Fatalf("swap %q to %q: %v, %v", old, value, ok, err)
	}
}

// valueFile returns the one file that holds a value.
func valueFile(t testing.TB, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.kv"))
	if err != nil || len(files) != 1 {
		t.Fatalf("value files: %v, %v", files, err)
	}
	return files[0]
}

// T7: nobody else can read what is stored, whatever the umask is.
func TestFileModes(t *testing.T) {
	notOnWindows(t)
	dir := filepath.Join(t.TempDir(), "a", "store")
	kv := openFiles(t, dir)
	swap(t, kv, "id", "", "one")
	swap(t, kv, "id", "one", "two")
	unlock, err := kv.Lock(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if _, err := auth.LoadKeyring(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 4 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v", entry.Name(), info.Mode(), err)
		}
		if strings.HasPrefix(entry.Name(), ".new") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("directory mode %v, %v", info.Mode(), err)
		}
	}
}

// T7: what others can reach, or can have put there, is refused.
func TestFileKVRefusesWhatOthersCanReach(t *testing.T) {
	notOnWindows(t)
	for name, spoil := range map[string]func(dir, file string) error{
		"open directory":   func(dir, _ string) error { return os.Chmod(dir, 0o750) }, //nolint:gosec // the point of it
		"open file":        func(_, file string) error { return os.Chmod(file, 0o640) },
		"symbolic link":    func(dir, file string) error { return replace(file, filepath.Join(dir, "..", "elsewhere")) },
		"link inside":      func(dir, file string) error { return replace(file, filepath.Join(dir, "other")) },
		"dangling link":    func(dir, file string) error { return replace(file, filepath.Join(dir, "nothing")) },
		"directory":        func(_, file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) },
		"linked directory": func(dir, _ string) error { return errors.Join(os.Rename(dir, dir+"2"), os.Symlink(dir+"2", dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			kv := openFiles(t, dir)
			swap(t, kv, "id", "", "good")
			file := valueFile(t, dir)
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, planted := range []string{filepath.Join(dir, "..", "elsewhere"), filepath.Join(dir, "other")} {
				if err := os.WriteFile(planted, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := spoil(dir, file); err != nil {
				t.Fatal(err)
			}
			kv, err = auth.NewFileKV(dir)
			if err == nil {
				defer func() { _ = kv.Close() }()
				var value []byte
				if value, err = kv.Get(t.Context(), "id"); value != nil {
					t.Errorf("read %q", value)
				}
				if ok, err := kv.CompareAndSwap(t.Context(), "id", []byte("good"), []byte("new"), 0); ok || err == nil {
					t.Errorf("overwritten: %v, %v", ok, err)
				}
				if ok, _ := kv.CompareAndSwap(t.Context(), "id", nil, []byte("new"), 0); ok {
					t.Error("overwritten as if it were new")
				}
			}
			if _, ok := errors.AsType[*auth.UnsafeFileError](err); !ok {
				t.Errorf("error %v, want an UnsafeFileError", err)
			}
		})
	}
}

func replace(file, target string) error {
	return errors.Join(os.Remove(file), os.Symlink(target, file))
}

// T7: the lock and temporary files are no way in either.
func TestFileKVDoesNotWriteThroughLinks(t *testing.T) {
	notOnWindows(t)
	dir := filepath.Join(t.TempDir(), "store")
	kv := openFiles(t, dir)
	swap(t, kv, "id", "", "one")
	victim := filepath.Join(dir, "..", "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, ".new-"+filepath.Base(valueFile(t, dir)))); err != nil {
		t.Fatal(err)
	}
	swap(t, kv, "id", "one", "two")
	if err := replace(filepath.Join(dir, ".values.lock"), victim); err != nil {
		t.Fatal(err)
	}
	if ok, err := kv.CompareAndSwap(t.Context(), "id", []byte("two"), []byte("three"), 0); ok || err == nil {
		t.Errorf("a linked lock: %v, %v", ok, err)
	}
	if content, err := os.ReadFile(victim); err != nil || string(content) != "precious" {
		t.Errorf("the victim holds %q, %v", content, err)
	}
}

// T7: the directory is held open, so nobody can put another in its place.
func TestFileKVHoldsItsDirectory(t *testing.T) {
	notOnWindows(t)
	dir := filepath.Join(t.TempDir(), "store")
	kv := openFiles(t, dir)
	swap(t, kv, "id", "", "one")
	if err := errors.Join(os.Rename(dir, dir+"-moved"), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	swap(t, kv, "id", "one", "two")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("written into the other directory: %v, %v", entries, err)
	}
}

func TestFileKVRefusesDamagedFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	kv := openFiles(t, dir)
	swap(t, kv, "id", "", "value")
	file := valueFile(t, dir)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for size := range good[:14+1] {
		if err := os.WriteFile(file, good[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if value, err := kv.Get(t.Context(), "id"); value != nil || !isUnreadable(err) {
			t.Errorf("%d bytes: %q, %v", size, value, err)
		}
		if ok, err := kv.CompareAndSwap(t.Context(), "id", nil, []byte("new"), 0); ok || !isUnreadable(err) {
			t.Errorf("%d bytes: overwritten: %v, %v", size, ok, err)
		}
	}
	if err := kv.Delete(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	swap(t, kv, "id", "", "new")
}

func TestFileKVSweepsExpiredValues(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	kv := openFiles(t, dir)
	for _, id := range []string{"a", "b", "c"} {
		if ok, err := kv.CompareAndSwap(t.Context(), id, nil, []byte("v"), time.Millisecond); !ok || err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(5 * time.Millisecond)
	again := openFiles(t, dir) // the next process
	swap(t, again, "kept", "", "v")
	valueFile(t, dir)
}

func TestFileLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	one, two := openFiles(t, dir), openFiles(t, dir)
	unlock, err := one.Lock(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := two.Lock(ctx, "id"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second holder: %v", err)
	}
	unlock()
	again, err := two.Lock(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// The lock over any other KV ends with its lease.
func TestStoreLockOverAnyKV(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv, key := new(auth.MemoryKV), keyOf("ann")
		store := newStore(t, kv, ring(t), auth.StoreOptions{})
		save(t, store, key, "r1")
		put(t, kv, key.ID()+".lock", []byte("a process that was killed"))
		if ok, err := kv.CompareAndSwap(t.Context(), key.ID()+".lock", []byte("a process that was killed"), []byte("its lease"), 20*time.Second); !ok || err != nil {
			t.Fatal(err)
		}
		as := newSignIns("r1")
		source := auth.NewSource(as.fetch, store.Keep(key, auth.SourceOptions{}))
		defer source.Close()
		start := time.Now()
		if _, err := source.TokenContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("waited %v", took)
		}
		source.Invalidate(tokenOf(t, source))
		start = time.Now()
		if _, err := source.TokenContext(t.Context()); err != nil || time.Since(start) > time.Second {
			t.Errorf("after a release: %v, %v", err, time.Since(start))
		}
	})
}

// tokenOf returns the token of a source that must have one.
func tokenOf(t testing.TB, source auth.TokenSource) *oauth2.Token {
	t.Helper()
	token, err := source.TokenContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestFilesHoldNothingInTheClear(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	store := newStore(t, openFiles(t, dir), ring(t), auth.StoreOptions{})
	save(t, store, keyOf("ann@contoso.example", "Mail.Read"), "canary-refresh")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"canary", "ann", "contoso", "Mail", "login.example"} {
			if bytes.Contains(content, []byte(word)) || strings.Contains(entry.Name(), word) {
				t.Errorf("%s shows %q", entry.Name(), word)
			}
		}
	}
}
