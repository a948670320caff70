//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package auth

import (
	"errors"
	"os"
)

const (
	noFollow   = 0
	lockToRead = true
)

func exposed(os.FileInfo) string { return "" }

func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func (*privateDir) sync() error { return nil }
