//go:build !unix

package main

import "os"

// polled returns file as it is.
func polled(file *os.File) (_ *os.File, restore func()) { return file, func() {} }
