package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// node returns a command of Node in the directory of the packages. Without Node
// or the packages the test is skipped, unless TOOLBELT_REQUIRE_NODE is set, as
// .ci/run does after installing them:
//
//	npm install --prefix internal/e2e/testdata/node
func node(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("TOOLBELT_REQUIRE_NODE") != "" {
		missing = t.Fatalf
	}
	dir, err := filepath.Abs(filepath.Join("testdata", "node"))
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "node_modules", "node", "bin", "node")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if _, err := os.Stat(binary); err != nil {
		missing("NOT TESTED with the TypeScript SDK and the MCP Inspector: run npm install --prefix internal/e2e/testdata/node (%v)", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, append([]string{script}, args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, serverEnvironment(t), 5*time.Second
	return cmd
}

// target is a server as client.mjs and the Inspector take it.
type target struct {
	URL     string            `json:"url,omitempty"`
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

type said struct {
	Error      bool
	Text       string
	Structured bool
}

// TestTypeScriptSDK uses the real server with both lines of the official
// TypeScript SDK: v1, which most products are built with, and v2, which speaks
// all protocol versions.
func TestTypeScriptSDK(t *testing.T) {
	for _, client := range []struct{ sdk, version string }{
		{"v1", "2025-11-25"}, {"v2", "2025-06-18"}, {"v2", "2025-11-25"}, {"v2", "2026-07-28"},
	} {
		for _, wire := range []string{"stdio", "http"} {
			t.Run(strings.Join([]string{client.sdk, client.version, wire}, " "), func(t *testing.T) {
				exerciseTypeScript(t, client.sdk, client.version, wire)
			})
		}
	}
}

func exerciseTypeScript(t *testing.T, sdk, version, wire string) {
	all := []string{"-demo", "-preset", "all"}
	_, env := slowGraph(t, time.Minute)
	demo, slow := target{Command: serverBinary(t), Args: all}, target{Command: serverBinary(t), Env: map[string]string{}}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		slow.Env[name] = value
	}
	var logs *output
	if wire == "http" {
		demo, slow = target{}, target{}
		demo.URL, _ = startHTTP(t, nil, all...)
		slow.URL, logs = startHTTP(t, env)
	}
	request, err := json.Marshal(map[string]any{"sdk": sdk, "version": version, "demo": demo, "slow": slow})
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Version                            string
		Tools, Asked                       int
		Search, Mistakes, Confirmed, After said
		Cancelled                          string
	}
	if err := json.Unmarshal(run(t, node(t, "client.mjs", string(request))), &report); err != nil {
		t.Fatal(err)
	}
	if report.Version != "" && report.Version != version {
		t.Errorf("speaks %s", report.Version)
	}
	if report.Tools < 50 || report.Search.Error || !report.Search.Structured || !strings.Contains(report.Search.Text, "Label printer") {
		t.Errorf("%d tools, search: %+v", report.Tools, report.Search)
	}
	if !report.Mistakes.Error || !strings.Contains(report.Mistakes.Text, "agnet: unknown argument") {
		t.Errorf("mistakes: %+v", report.Mistakes)
	}
	if report.Confirmed.Error || report.Asked != 1 {
		t.Errorf("asked %d times, then: %+v", report.Asked, report.Confirmed)
	}
	if report.Cancelled != "" || report.After.Error {
		t.Errorf("cancelled %q, then: %+v", report.Cancelled, report.After)
	}
	if logs != nil {
		logs.find(t, `m365_mail_search.*cancelled`)
	}
}

// run returns the standard output of a command.
func run(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, stdout, stderr.String())
	}
	return stdout
}

// TestInspector uses the real server with the command line of the MCP Inspector,
// which also judges the schemas.
func TestInspector(t *testing.T) {
	inspector := filepath.Join("node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
	endpoint := ""
	for _, wire := range []string{"stdio", "http"} {
		inspect := func(t *testing.T, args ...string) []byte {
			server := []string{serverBinary(t), "-demo", "-preset=all"}
			if wire == "http" {
				if endpoint == "" {
					endpoint, _ = startHTTP(t, nil, "-demo", "-preset", "all")
				}
				server = []string{endpoint}
			}
			return run(t, node(t, inspector, append(append([]string{"--cli"}, server...), args...)...))
		}
		t.Run(wire, func(t *testing.T) {
			endpoint = ""
			var listed struct{ Tools []struct{ Name string } }
			if err := json.Unmarshal(inspect(t, "--method", "tools/list", "--strict"), &listed); err != nil || len(listed.Tools) < 50 {
				t.Errorf("%d tools, %v", len(listed.Tools), err)
			}
			called := inspect(t, "--method", "tools/call", "--tool-name", "m365_mail_search", "--tool-arg", "unread=true", "limit=3")
			if !bytes.Contains(called, []byte("Label printer")) {
				t.Errorf("search: %s", called)
			}
		})
	}
}

// TestConformance runs the official conformance suite: the scenarios that are
// for any server, and not for one with the suite's own tools and resources.
func TestConformance(t *testing.T) {
	suite := filepath.Join("node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js")
	for _, scenario := range []string{"server-initialize", "ping", "tools-list", "dns-rebinding-protection"} {
		t.Run(scenario, func(t *testing.T) {
			cmd := node(t, suite, "server", "--url", "", "--scenario", scenario)
			endpoint, _ := startHTTP(t, nil, "-demo")
			cmd.Args[slices.Index(cmd.Args, "--url")+1] = endpoint
			if verdict := run(t, cmd); !bytes.Contains(verdict, []byte(" 0 failed")) {
				t.Errorf("%s", verdict)
			}
		})
	}
}
