package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// terminal returns the two ends of a terminal: that of the person, and that of
// the program.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	var unlock, number int32
	for _, call := range []struct {
		request uintptr
		value   *int32
	}{{syscall.TIOCSPTLCK, &unlock}, {syscall.TIOCGPTN, &number}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), call.request, uintptr(unsafe.Pointer(call.value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// shown starts a server by hand and returns what it says until it has said want.
func shown(t *testing.T, cmd *exec.Cmd, want string) string {
	t.Helper()
	_, cmd.Stdin = terminal(t)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // "go run" has a child
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) })
	timer := time.AfterFunc(time.Minute, end)
	defer timer.Stop()
	var said bytes.Buffer
	buffer := make([]byte, 4096)
	for !strings.Contains(said.String(), want) {
		n, err := stderr.Read(buffer)
		said.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	end()
	_, _ = io.Copy(&said, stderr)
	_ = cmd.Wait() // ended by a signal
	return said.String()
}

// entry is a server in the configuration of a client.
type entry struct {
	Type, URL, Command string
	Args               []string
	Env                map[string]string
}

// pasted reads the configuration out of what was shown.
func pasted(t *testing.T, said string) entry {
	t.Helper()
	start, end := strings.Index(said, "{"), strings.LastIndex(said, "}")
	var configuration struct {
		Servers map[string]entry `json:"mcpServers"`
	}
	if start < 0 || json.Unmarshal([]byte(said[start:end+1]), &configuration) != nil {
		t.Fatalf("no configuration in\n%s", said)
	}
	return configuration.Servers["toolbelt"]
}

const lastWords = `"mcpServers".)`

// A configuration without -read-only would let a model write that its owner
// meant to read.
func TestConfigurationKeepsTheFlags(t *testing.T) {
	given := []string{"-demo", "-read-only", "-confirm", "writes", "-toolsets", "mail,tickets", "-store", "here"}
	got := pasted(t, shown(t, command(t, nil, given...), lastWords)).Args
	here, err := filepath.Abs("here")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-demo", "-read-only", "-confirm=writes", "-toolsets=mail,tickets", "-store=" + here} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
}

// Over HTTP the server runs already, so a client needs its address.
func TestConfigurationOverHTTP(t *testing.T) {
	said := shown(t, command(t, nil, "-demo", "-http", "127.0.0.1:0"), lastWords)
	if paste := pasted(t, said); paste.Type != "http" || paste.Command != "" || !strings.Contains(said, `serving url=`+paste.URL) {
		t.Errorf("%+v in\n%s", paste, said)
	}
}

// A service whose input is the null device has nobody to explain itself to.
func TestNullDeviceIsNoTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd := command(t, nil, "-demo")
	cmd.Stdin = null
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Paste") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The program that "go run" builds is gone later, so the configuration must
// name something else: started from anywhere, it offers the same tools.
func TestConfigurationOutlivesGoRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the server")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go: ", err)
	}
	paste := pasted(t, shown(t, exec.Command("go", "run", ".", "-demo", "-read-only"), lastWords))
	if isPassing(paste.Command) {
		t.Errorf("%s will be gone", paste.Command)
	}
	again := exec.Command(paste.Command, append(paste.Args, "-list")...) //nolint:gosec // what is tested
	again.Dir = t.TempDir()
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "m365_mail_search") || strings.Contains(string(out), "m365_mail_send") {
		t.Errorf("%v %v\n%s", paste, err, out)
	}
}
