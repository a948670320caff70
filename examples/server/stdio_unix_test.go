//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The pipes of the server may be shared with other processes, which would fail
// if it left them unable to wait.
func TestStdioIsGivenBackAsItWas(t *testing.T) {
	for name, end := range map[string]func(process *os.Process, in io.Closer) error{
		"the client hangs up": func(_ *os.Process, in io.Closer) error { return in.Close() },
		"a signal":            func(process *os.Process, _ io.Closer) error { return process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			stdin, in := pipe(t)
			out, stdout := pipe(t)
			cmd := command(t, nil, "-demo")
			cmd.Stdin, cmd.Stdout = stdin, stdout
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`+"\n"); err != nil {
				t.Fatal(err)
			}
			if answer, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(answer, `"toolbelt"`) {
				t.Fatalf("%v in %s", err, answer)
			}
			if !nonblocking(t, stdin) || !nonblocking(t, stdout) {
				t.Error("threads wait for the client")
			}
			start := time.Now()
			if err := end(cmd.Process, in); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			// Nothing is under way, so there is nothing to wait for.
			if took := time.Since(start); took > stopTime {
				t.Errorf("ended after %s", took)
			}
			if nonblocking(t, stdin) || nonblocking(t, stdout) {
				t.Error("the pipes are left unable to wait")
			}
		})
	}
}

func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
	return reader, writer
}

// nonblocking reports whether reads and writes of an open file fail where they
// would have to wait. (File.Fd would change it.)
func nonblocking(t *testing.T, file *os.File) (yes bool) {
	t.Helper()
	conn, err := file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Control(func(fd uintptr) {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		if errno != 0 {
			t.Error(errno)
		}
		yes = flags&syscall.O_NONBLOCK != 0
	}); err != nil {
		t.Fatal(err)
	}
	return yes
}
