package auth_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// The environment of a child process, which is this test binary again.
const (
	childMode   = "TOOLBELT_AUTH_CHILD" // "once", "loop"; absent in the parent
	childDir    = "TOOLBELT_AUTH_CHILD_DIR"
	childServer = "TOOLBELT_AUTH_CHILD_SERVER"
	childShares = "TOOLBELT_AUTH_CHILD_SHARES" // access tokens are stored
)

// processAccounts is what each process makes for itself.
func processAccounts(t testing.TB, dir, server string, shares bool) *auth.Accounts {
	t.Helper()
	keys, err := auth.LoadKeyring(filepath.Join(dir, "key", "key"))
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(t, openFiles(t, filepath.Join(dir, "store")), keys, auth.StoreOptions{AccessTokens: shares})
	return newAccounts(t, nil, store, func(c *auth.AccountsConfig) {
		c.SignIn.HTTPClient = nil
		c.Authority = authorityAt(server)
	})
}

// TestChildProcess is not a test but the child's program.
func TestChildProcess(t *testing.T) {
	mode := os.Getenv(childMode)
	if mode == "" {
		t.Skip("runs in child processes only")
	}
	var source auth.TokenSource
	begin := func() {
		source = processAccounts(t, os.Getenv(childDir), os.Getenv(childServer), os.Getenv(childShares) != "").Source(contoso("ann"))
	}
	begin()
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		if n%8 == 0 {
			begin() // a source ignores who refuses too many tokens
		}
		token, err := source.TokenContext(t.Context())
		if err != nil {
			t.Fatalf("no token: %v", err)
		}
		fmt.Println("token", token.AccessToken)
		if mode == "once" {
			return
		}
		invalidate(t.Context(), source, token)
	}
}

type child struct {
	*exec.Cmd
	lines *bufio.Reader
	start io.WriteCloser
}

func startChild(t testing.TB, mode, dir, server string, shares bool) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildProcess$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), childMode+"="+mode, childDir+"="+dir, childServer+"="+server)
	if shares {
		cmd.Env = append(cmd.Env, childShares+"=1")
	}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, bufio.NewReader(stdout), stdin}
	if line, err := c.lines.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	return c
}

func (c *child) goOn(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(c.start, "\n"); err != nil {
		t.Fatal(err)
	}
}

// token returns the next token that the child got, "" if it has ended.
func (c *child) token() string {
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return "" // a half line too
	}
	token, ok := strings.CutPrefix(strings.TrimSpace(line), "token ")
	if !ok {
		return ""
	}
	return token
}

func (c *child) rest(t testing.TB) (token string) {
	t.Helper()
	for next := c.token(); next != ""; next = c.token() {
		token = next
	}
	if err := c.Wait(); err != nil {
		if _, killed := errors.AsType[*exec.ExitError](err); !killed {
			t.Error(err)
		}
	}
	return token
}

// T7, T11: two processes on one store make one refresh if access tokens are
// shared, and take turns if not; the grant survives.
func TestTwoProcessesOneStore(t *testing.T) {
	for _, shares := range []bool{true, false} {
		d, dir := newDirectory(), t.TempDir()
		server := httptest.NewServer(d)
		defer server.Close()
		first := processAccounts(t, dir, server.URL, false)
		signIn(t, d, first, contoso("ann"))
		first.Close()
		children := []*child{startChild(t, "once", dir, server.URL, shares), startChild(t, "once", dir, server.URL, shares)}
		for _, c := range children {
			c.goOn(t)
		}
		var tokens []string
		for _, c := range children {
			tokens = append(tokens, c.rest(t))
		}
		want := 2
		if shares {
			want = 1
		}
		if refreshes, reused, _ := d.count(); refreshes != want || reused != 0 {
			t.Errorf("shared %v: %d refreshes, %d with a used token; want %d, 0", shares, refreshes, reused, want)
		}
		if tokens[0] == "" || tokens[1] == "" || (tokens[0] == tokens[1]) != shares {
			t.Errorf("shared %v: tokens %q", shares, tokens)
		}
		if got := access(t, processAccounts(t, dir, server.URL, shares).Source(contoso("ann"))); got == "" {
			t.Errorf("shared %v: the grant is lost", shares)
		}
	}
}

// A process is killed while it renews and saves as fast as it can. The store
// opens, the grant works or asks for a sign-in, and no token is served that is
// older than one that was served before. TOOLBELT_AUTH_KILLS=1000 is the full
// run.
func TestKilledWhileSaving(t *testing.T) {
	d, dir := newDirectory(), t.TempDir()
	server := httptest.NewServer(d)
	defer server.Close()
	signIn(t, d, processAccounts(t, dir, server.URL, true), contoso("ann"))
	kills, lost := countFrom("TOOLBELT_AUTH_KILLS", 12), 0
	for n := range kills {
		if t.Failed() {
			return
		}
		shares := n%2 == 0
		c := startChild(t, "loop", dir, server.URL, shares)
		c.goOn(t)
		last := c.token()
		time.Sleep(rand.N(12 * time.Millisecond))
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if token := c.rest(t); token != "" {
			last = token
		}
		if !opensAfterKill(t, d, processAccounts(t, dir, server.URL, shares), last) {
			lost++
		}
	}
	t.Logf("%d of %d kills needed a new sign-in", lost, kills)
}

// opensAfterKill reports whether the grant works, and signs in anew if not.
func opensAfterKill(t *testing.T, d *directory, accounts *auth.Accounts, last string) bool {
	t.Helper()
	defer accounts.Close()
	if _, err := accounts.List(t.Context()); err != nil {
		t.Errorf("the store does not open: %v", err)
	}
	got := access(t, accounts.Source(contoso("ann")))
	if got == "" {
		signIn(t, d, accounts, contoso("ann"))
		return false
	}
	if serialOf(t, got) < serialOf(t, last) {
		t.Errorf("a stale token is served: %s after %s", got, last)
	}
	return true
}

func serialOf(t testing.TB, token string) int {
	t.Helper()
	n, err := strconv.Atoi(token[strings.LastIndexByte(token, '|')+1:])
	if err != nil {
		t.Fatalf("token %q", token)
	}
	return n
}
