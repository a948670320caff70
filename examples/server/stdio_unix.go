//go:build unix

package main

import (
	"os"
	"syscall"
	"time"
)

// polled returns file without blocking reads and writes, if it is a pipe or
// socket. That is a property of the open file, which other processes may share:
// restore takes it back.
func polled(file *os.File) (_ *os.File, restore func()) {
	unchanged := func() {}
	info, err := file.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 || file.SetDeadline(time.Time{}) == nil {
		return file, unchanged // cannot be polled, or is already
	}
	original := int(file.Fd())
	// A file of its own, so that original is still there to be restored when the
	// session has closed this one.
	fd, err := syscall.Dup(original)
	if err != nil {
		return file, unchanged
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return file, unchanged
	}
	return os.NewFile(uintptr(fd), file.Name()), func() { _ = syscall.SetNonblock(original, false) }
}
