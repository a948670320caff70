package auth

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

const (
	noFollow   = 0
	lockToRead = true // a file that somebody reads cannot be replaced
)

// exposed is about modes, which Windows does not have.
func exposed(os.FileInfo) string { return "" }

// tryLock takes the lock of an open file unless somebody holds it.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfileex
func tryLock(file *os.File) (bool, error) {
	const (
		failImmediately = 1
		exclusive       = 2
		lockViolation   = syscall.Errno(33)
	)
	var where syscall.Overlapped
	procedure := syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")
	ok, _, err := procedure.Call(file.Fd(), failImmediately|exclusive, 0, 1, 0, uintptr(unsafe.Pointer(&where))) //nolint:gosec // as the interface asks
	switch {
	case ok != 0:
		return true, nil
	case errors.Is(err, lockViolation), errors.Is(err, syscall.ERROR_IO_PENDING):
		return false, nil
	}
	return false, err
}

// sync has nothing to do: NTFS keeps a journal of names.
func (*privateDir) sync() error { return nil }
