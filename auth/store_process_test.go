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

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// The environment of a child process, which is this test binary again.
const (
	childMode    = "TOOLBELT_AUTH_CHILD" // "once", "loop"; absent in the parent
	childDir     = "TOOLBELT_AUTH_CHILD_DIR"
	childServer  = "TOOLBELT_AUTH_CHILD_SERVER"
	childRefresh = "TOOLBELT_AUTH_CHILD_REFRESH_TOKENS_ONLY"
)

// processAccounts is what each process makes for itself.
func processAccounts(t testing.TB, dir, server string, options auth.StoreOptions) *auth.Accounts {
	t.Helper()
	keys, err := auth.LoadKeyring(filepath.Join(dir, "key", "key"))
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(t, openFiles(t, filepath.Join(dir, "store")), keys, options)
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
	options := auth.StoreOptions{RefreshTokensOnly: os.Getenv(childRefresh) != ""}
	begin := func() {
		source = processAccounts(t, os.Getenv(childDir), os.Getenv(childServer), options).Source(contoso("ann"))
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
		if e, ok := errors.AsType[*auth.Error](err); ok && e.NeedsUser {
			// What was killed before this had sent its refresh token, which
			// arrived after that token had been used up.
			fmt.Println("signed out")
			return
		}
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

func startChild(t testing.TB, mode, dir, server string, options auth.StoreOptions) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildProcess$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), childMode+"="+mode, childDir+"="+dir, childServer+"="+server)
	if options.RefreshTokensOnly {
		cmd.Env = append(cmd.Env, childRefresh+"=1")
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

// token returns the first token that the child got, "" if it has ended.
func (c *child) token() string {
	line, err := c.lines.ReadString('\n')
	token, ok := strings.CutPrefix(line, "token ")
	if err != nil || !ok { // a half line too
		return ""
	}
	return strings.TrimSpace(token)
}

// rest returns the last token that the child got. It got each that it asked
// for, until it ended or was killed.
func (c *child) rest(t testing.TB) (token string) {
	t.Helper()
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			break // a half line is no token
		}
		if got, ok := strings.CutPrefix(line, "token "); ok {
			token = strings.TrimSpace(got)
		} else if strings.Contains(line, "no token") {
			t.Errorf("child said %s", line)
		}
	}
	if err := c.Wait(); err != nil {
		if _, killed := errors.AsType[*exec.ExitError](err); !killed {
			t.Error(err)
		}
	}
	return token
}

// both runs two processes that ask for a token at the same time.
func both(t *testing.T, dir, server string, options auth.StoreOptions) (one, two string) {
	t.Helper()
	children := []*child{startChild(t, "once", dir, server, options), startChild(t, "once", dir, server, options)}
	for _, c := range children {
		c.goOn(t)
	}
	return children[0].rest(t), children[1].rest(t)
}

// T7, T11: two processes on one store make one refresh, or take turns if they
// may not share access tokens; the grant survives.
func TestTwoProcessesOneStore(t *testing.T) {
	for _, test := range []struct {
		options auth.StoreOptions
		ended   int // refreshes when the stored access token has ended
		good    int // and when it is good
	}{
		{auth.StoreOptions{}, 1, 0},
		{auth.StoreOptions{RefreshTokensOnly: true}, 2, 2},
	} {
		d, dir := newDirectory(), t.TempDir()
		server := httptest.NewServer(d)
		defer server.Close()
		d.Life = time.Second // of the token of the sign-in
		signIn(t, d, processAccounts(t, dir, server.URL, test.options), contoso("ann"))
		d.Life = time.Hour
		refreshed := 0
		for _, want := range []int{test.ended, test.good} {
			one, two := both(t, dir, server.URL, test.options)
			refreshes, reused, _ := d.count()
			if refreshes-refreshed != want || reused != 0 {
				t.Errorf("%+v: %d refreshes, %d with a used token; want %d, 0", test.options, refreshes-refreshed, reused, want)
			}
			if one == "" || two == "" || (one == two) == test.options.RefreshTokensOnly {
				t.Errorf("%+v: tokens %q and %q", test.options, one, two)
			}
			refreshed = refreshes
		}
		accounts := processAccounts(t, dir, server.URL, test.options)
		if first, second := renewed(t, accounts); serialOf(t, second) <= serialOf(t, first) {
			t.Errorf("%+v: the grant is lost", test.options)
		}
	}
}

// renewed gets ann's token, and another after that was refused.
func renewed(t testing.TB, accounts *auth.Accounts) (first, second string) {
	t.Helper()
	source := accounts.Source(contoso("ann"))
	if first = access(t, source); first == "" {
		return "", ""
	}
	invalidate(t.Context(), source, &oauth2.Token{AccessToken: first})
	return first, access(t, source)
}

// A process is killed while it renews and saves as fast as it can. The store
// opens, the grant works or asks for a sign-in, and no token is served that is
// older than one that was served before. TOOLBELT_AUTH_KILLS=1000 is the full
// run.
func TestKilledWhileSaving(t *testing.T) {
	d, dir := newDirectory(), t.TempDir()
	server := httptest.NewServer(d)
	defer server.Close()
	signIn(t, d, processAccounts(t, dir, server.URL, auth.StoreOptions{}), contoso("ann"))
	kills, lost := countFrom("TOOLBELT_AUTH_KILLS", 12), 0
	for n := range kills {
		if t.Failed() {
			return
		}
		options := auth.StoreOptions{RefreshTokensOnly: n%2 == 1}
		c := startChild(t, "loop", dir, server.URL, options)
		c.goOn(t)
		last := c.token()
		time.Sleep(rand.N(12 * time.Millisecond))
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if token := c.rest(t); token != "" {
			last = token
		}
		if !opensAfterKill(t, d, processAccounts(t, dir, server.URL, options), last) {
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
	first, second := renewed(t, accounts)
	if first != "" && serialOf(t, first) < serialOf(t, last) {
		t.Errorf("a stale token is served: %s after %s", first, last)
	}
	if second == "" {
		signIn(t, d, accounts, contoso("ann"))
		return false
	}
	if serialOf(t, second) <= serialOf(t, first) {
		t.Errorf("a refused token is served again: %s after %s", second, first)
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
