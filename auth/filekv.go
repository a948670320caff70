package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"
)

// FileKV is a [KV] in a directory, one file for each value. Several processes
// may share it: a value is replaced by renaming a complete, synced file over
// it, under an advisory lock, so that a process which is killed, or a machine
// which loses power, leaves the old value or the new one.
//
// The directory is the user's own, closed to others (0700, files 0600), and so
// it must be when it is there already; symbolic links in the place of it or of
// its files are refused. On Windows, its access list is left as the parent
// directory gives it. A network file system must support locks.
//
// FileKV does not encrypt: [Store] does.
type FileKV struct {
	dir *privateDir

	mu      sync.Mutex
	sweptAt time.Time
}

// NewFileKV opens the directory, and makes it if there is none.
func NewFileKV(dir string) (*FileKV, error) {
	d, err := openPrivateDir(dir)
	if err != nil {
		return nil, err
	}
	return &FileKV{dir: d}, nil
}

// Close releases the directory. Values stay.
func (f *FileKV) Close() error { return f.dir.Close() }

// A value file is: magic, the moment it expires in Unix nanoseconds (0: never),
// the value.
const (
	fileMagic  = "tbkv1\n"
	fileHeader = len(fileMagic) + 8
	fileSuffix = ".kv"
	valuesLock = ".values.lock"
	lockSlots  = 64 // for Lock: files are never removed, so their number is fixed
	sweepEvery = time.Hour
)

// fileName spells any id as a file name that is safe on every file system, also
// those that do not tell upper from lower case.
func fileName(id string) string {
	sum := sha256.Sum256([]byte(id))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])) + fileSuffix
}

// Get implements [KV].
func (f *FileKV) Get(ctx context.Context, id string) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkID(id)); err != nil {
		return nil, err
	}
	if !lockToRead {
		return f.get(id)
	}
	var value []byte
	err := f.dir.lockedFor(ctx, valuesLock, func() (err error) {
		value, err = f.get(id)
		return err
	})
	return value, err
}

func (f *FileKV) get(id string) ([]byte, error) {
	content, err := f.dir.read(fileName(id))
	if err != nil || content == nil {
		return nil, err
	}
	if len(content) <= fileHeader || len(content) > fileHeader+maxValue || string(content[:len(fileMagic)]) != fileMagic {
		return nil, &UnreadableError{id, "its file is damaged"}
	}
	if valueExpired(content, time.Now()) {
		return nil, nil
	}
	return content[fileHeader:], nil
}

func valueExpired(content []byte, now time.Time) bool {
	expires := int64(binary.BigEndian.Uint64(content[len(fileMagic):fileHeader])) //nolint:gosec // written by us from an int64
	return expires != 0 && now.UnixNano() >= expires
}

// CompareAndSwap implements [KV]. A damaged file is not overwritten: the error
// is an [*UnreadableError].
func (f *FileKV) CompareAndSwap(ctx context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := errors.Join(ctx.Err(), checkEntry(id, value)); err != nil {
		return false, err
	}
	expires := int64(0)
	if ttl > 0 {
		expires = time.Now().Add(ttl).UnixNano()
	}
	content := binary.BigEndian.AppendUint64([]byte(fileMagic), uint64(expires)) //nolint:gosec // read back as an int64
	content = append(content, value...)
	swapped := false
	err := f.dir.lockedFor(ctx, valuesLock, func() error {
		current, err := f.get(id)
		if err != nil {
			return err
		}
		if (current == nil) != (old == nil) || !bytes.Equal(current, old) {
			return nil
		}
		if err := f.dir.write(fileName(id), content); err != nil {
			return err
		}
		swapped = true
		f.sweep()
		return nil
	})
	return swapped, err
}

// Delete implements [KV].
func (f *FileKV) Delete(ctx context.Context, id string) error {
	if err := errors.Join(ctx.Err(), checkID(id)); err != nil {
		return err
	}
	return f.dir.lockedFor(ctx, valuesLock, func() error {
		return errors.Join(f.dir.remove(fileName(id)), f.dir.sync())
	})
}

// Lock waits until no other process, and nobody else in this one, holds the
// lock of id, and returns the function that releases it. The end of a process
// releases it too. [Store] uses it to let one process at a time renew a
// sign-in.
func (f *FileKV) Lock(ctx context.Context, id string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(id))
	return f.dir.lock(ctx, fmt.Sprintf(".renewal-%02d.lock", sum[0]%lockSlots))
}

// sweep removes expired values, once in a while; the lock is held. What cannot
// be read or removed is left for another time.
func (f *FileKV) sweep() {
	f.mu.Lock()
	due := time.Since(f.sweptAt) >= sweepEvery
	if due {
		f.sweptAt = time.Now()
	}
	f.mu.Unlock()
	if !due {
		return
	}
	entries, err := fs.ReadDir(f.dir.root.FS(), ".")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), fileSuffix) {
			continue
		}
		content, err := f.dir.read(entry.Name())
		if err == nil && len(content) > fileHeader && string(content[:len(fileMagic)]) == fileMagic && valueExpired(content, time.Now()) {
			_ = f.dir.remove(entry.Name()) // the next sweep tries again; Get takes it for expired anyway
		}
	}
}

var _ KV = (*FileKV)(nil)

// UnsafeFileError says that a directory or file of a [FileKV] or of a key file
// is not what only this user can have put there.
type UnsafeFileError struct{ Path, Reason string }

// Error implements error.
func (e *UnsafeFileError) Error() string { return "auth: " + e.Path + " " + e.Reason }

// privateDir is a directory of the user alone. It is held open, so that nobody
// can put another one in its place.
type privateDir struct {
	path string
	root *os.Root
}

func openPrivateDir(path string) (*privateDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("auth: make the directory: %w", err)
	}
	named, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("auth: look at the directory: %w", err)
	}
	if !named.IsDir() {
		return nil, &UnsafeFileError{path, "is a symbolic link or not a directory"}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("auth: open the directory: %w", err)
	}
	opened, err := root.Stat(".")
	if err != nil || !os.SameFile(named, opened) {
		return nil, errors.Join(&UnsafeFileError{path, "changed while it was opened"}, root.Close())
	}
	if reason := exposed(opened); reason != "" {
		return nil, errors.Join(&UnsafeFileError{path, reason + "; it must be yours alone (chmod 700)"}, root.Close())
	}
	return &privateDir{path, root}, nil
}

// Close implements [io.Closer].
func (d *privateDir) Close() error { return d.root.Close() }

// open opens a regular file that is the user's alone, and nothing else that
// might lie under its name.
func (d *privateDir) open(name string, flag int) (*os.File, error) {
	file, err := d.root.OpenFile(name, flag|noFollow, 0o600)
	if err != nil {
		if named, e := d.root.Lstat(name); e == nil && !named.Mode().IsRegular() {
			return nil, &UnsafeFileError{name, "is a symbolic link or not a file"}
		}
		return nil, err
	}
	opened, err := file.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = d.root.Lstat(name); err == nil {
			switch {
			case !named.Mode().IsRegular():
				err = &UnsafeFileError{name, "is a symbolic link or not a file"}
			case exposed(opened) != "":
				err = &UnsafeFileError{name, exposed(opened) + "; it must be yours alone (chmod 600)"}
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// read returns the content of a file, nil if there is none.
func (d *privateDir) read(name string) ([]byte, error) {
	file, err := d.open(name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("auth: read a file of %s: %w", d.path, err)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxValue+int64(fileHeader)+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("auth: read a file of %s: %w", d.path, err)
	}
	return content, nil
}

// write replaces a file, or makes it; a lock is held that all writers take.
func (d *privateDir) write(name string, content []byte) error {
	// Whoever was killed while writing left this name behind: the lock says
	// that nobody is writing now.
	temporary := ".new-" + name
	if err := d.remove(temporary); err != nil {
		return err
	}
	if err := d.fill(temporary, content); err != nil {
		return fmt.Errorf("auth: write a file of %s: %w", d.path, errors.Join(err, d.remove(temporary)))
	}
	if err := d.root.Rename(temporary, name); err != nil {
		return fmt.Errorf("auth: write a file of %s: %w", d.path, errors.Join(err, d.remove(temporary)))
	}
	return d.sync()
}

func (d *privateDir) fill(name string, content []byte) error {
	file, err := d.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

func (d *privateDir) remove(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("auth: remove a file of %s: %w", d.path, err)
	}
	return nil
}

// locked runs do while holding the lock called name.
func (d *privateDir) locked(name string, do func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return d.lockedFor(ctx, name, do)
}

func (d *privateDir) lockedFor(ctx context.Context, name string, do func() error) error {
	unlock, err := d.lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	return do()
}

// lock waits for the lock called name. Each holder opens the file anew, so it
// works between goroutines too.
func (d *privateDir) lock(ctx context.Context, name string) (unlock func(), err error) {
	file, err := d.open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("auth: open a lock of %s: %w", d.path, err)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		free, err := tryLock(file)
		if err == nil && free {
			return func() { _ = file.Close() }, nil // closing releases it
		}
		if err == nil {
			err = pause(ctx, wait/2+rand.N(wait)) //nolint:gosec // jitter
		}
		if err != nil {
			return nil, fmt.Errorf("auth: wait for a lock of %s: %w", d.path, errors.Join(err, file.Close()))
		}
	}
}
