//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package auth

import (
	"errors"
	"os"
	"syscall"
)

const (
	noFollow   = syscall.O_NOFOLLOW | syscall.O_CLOEXEC | syscall.O_NONBLOCK // nor wait for a pipe's other end
	lockToRead = false                                                       // a rename is atomic for those who read
)

// exposed says how others than the user can get at a file; empty: they cannot.
func exposed(info os.FileInfo) string {
	if info.Mode().Perm()&0o077 != 0 {
		return "is open to other users"
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return "belongs to another user"
	}
	return ""
}

// tryLock takes the lock of an open file unless somebody holds it (flock(2)).
func tryLock(file *os.File) (bool, error) {
	for {
		switch err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); { //nolint:gosec // a descriptor is an int
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}

// sync makes the names in the directory last.
func (d *privateDir) sync() error {
	dir, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
