package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
)

// binary is examples/server, built once for all tests that start it.
var binary struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func serverBinary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "toolbelt-e2e-"); binary.err != nil { //nolint:usetesting // outlives the test
			return
		}
		binary.path = filepath.Join(binary.dir, "server")
		if runtime.GOOS == "windows" {
			binary.path += ".exe"
		}
		build := exec.Command("go", "build", "-o", binary.path, "./examples/server")
		build.Dir = filepath.Join("..", "..")
		if output, err := build.CombinedOutput(); err != nil {
			binary.err = &buildError{err, output}
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

type buildError struct {
	err    error
	output []byte
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + string(e.output) }
func (e *buildError) Unwrap() error { return e.err }

// serverEnvironment is all that a server started by a test knows of the machine.
func serverEnvironment(t testing.TB, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, more...)
}

// output collects what a process writes to stderr.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// find waits for a pattern and returns its first group, or all of it.
func (o *output) find(t testing.TB, pattern string) string {
	t.Helper()
	want := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := want.FindStringSubmatch(o.String()); m != nil {
			return m[len(m)-1]
		}
	}
	t.Fatalf("no %s in:\n%s", pattern, o)
	return ""
}

// startHTTP starts the server with -http and returns the address of /mcp and
// what it logs.
func startHTTP(t testing.TB, env []string, args ...string) (string, *output) {
	t.Helper()
	logs := &output{}
	cmd := exec.Command(serverBinary(t), append([]string{"-http", "127.0.0.1:0"}, args...)...)
	cmd.Env, cmd.Stderr = serverEnvironment(t, env...), logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // how it ends is examples/server's own test
		_ = cmd.Wait()
	})
	return logs.find(t, `url=(http://\S+/mcp)`), logs
}

// slowGraph is a Graph whose next answer to a search is slow, and the environment
// of a server that uses it.
func slowGraph(t testing.TB, delay time.Duration) (fake *graphtest.Server, env []string) {
	fake = graphtest.New(graphtest.Options{})
	t.Cleanup(fake.Close)
	fake.Faults().Next(1, "GET", "/messages", graphtest.Answer{Delay: delay})
	return fake, []string{"M365_ACCESS_TOKEN=" + fake.Token(), "M365_GRAPH_URL=" + fake.URL()}
}
