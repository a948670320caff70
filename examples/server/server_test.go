package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// TestMain lets the test binary be the server, so that the tests start a real
// process without building one.
func TestMain(m *testing.M) {
	if os.Getenv("TOOLBELT_TEST_SERVER") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command returns the server as a process.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{"TOOLBELT_TEST_SERVER=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	return cmd
}

// clients of three protocol versions.
var versions = []string{"2025-06-18", "2025-11-25", "2026-07-28"}

// dial connects a client that answers questions with the given action.
func dial(t *testing.T, transport mcp.Transport, version, action string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: action, Content: map[string]any{"confirm": action == "accept"}}, nil
		},
	})
	session, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() }) // a server that was stopped cannot be said goodbye to
	return session
}

func text(result *mcp.CallToolResult) string {
	var b strings.Builder
	for _, content := range result.Content {
		if part, ok := content.(*mcp.TextContent); ok {
			b.WriteString(part.Text)
		}
	}
	return b.String()
}

// exercise lists, calls, confirms, declines and cancels.
func exercise(t *testing.T, connect func(action string) *mcp.ClientSession) {
	session := connect("accept")
	list, err := session.ListTools(t.Context(), nil)
	if err != nil || len(list.Tools) < 30 {
		t.Fatalf("%d tools, %v", len(list.Tools), err)
	}
	call := func(session *mcp.ClientSession, tool string, args map[string]any) *mcp.CallToolResult {
		t.Helper()
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if result := call(session, "m365_mail_search", map[string]any{"unread": true}); result.IsError || !strings.Contains(text(result), "Label printer") {
		t.Errorf("search: %s", text(result))
	}
	mail := map[string]any{"to": []string{"anna.berg@hafenlogistik.example"}, "subject": "Test", "body": "Hello"}
	if result := call(session, "m365_mail_send", mail); result.IsError {
		t.Errorf("a confirmed mail: %s", text(result))
	}
	if result := call(connect("decline"), "m365_mail_send", mail); !result.IsError || !strings.HasPrefix(text(result), "declined") {
		t.Errorf("a declined mail: %s", text(result))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "m365_mail_search"}); err == nil {
		t.Error("a cancelled call succeeded")
	}
	if result := call(session, "halo_teams_list", nil); result.IsError {
		t.Errorf("after a cancelled call: %s", text(result))
	}
}

func TestStdio(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			exercise(t, func(action string) *mcp.ClientSession {
				return dial(t, &mcp.CommandTransport{Command: command(t, nil, "-demo")}, version, action)
			})
		})
	}
}

func TestHTTP(t *testing.T) {
	endpoint := startHTTP(t, "-demo")
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			exercise(t, func(action string) *mcp.ClientSession {
				return dial(t, &mcp.StreamableClientTransport{Endpoint: endpoint, DisableStandaloneSSE: true}, version, action)
			})
		})
	}
	for name, header := range map[string]http.Header{
		"foreign origin": {"Origin": {"https://evil.example"}},
		"null origin":    {"Origin": {"null"}},
		"cross site":     {"Sec-Fetch-Site": {"cross-site"}},
		"rebound name":   {"Host": {"evil.example"}, "Origin": {"http://evil.example"}},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header
		request.Host = header.Get("Host")
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json, text/event-stream")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", name, response.StatusCode)
		}
	}
}

// startHTTP starts the server on a free port and returns its endpoint.
func startHTTP(t *testing.T, args ...string) string {
	t.Helper()
	cmd := command(t, nil, append(args, "-http", "127.0.0.1:0")...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // ended by a signal
	})
	found := make(chan string, 1)
	go func() {
		buffer := make([]byte, 4096)
		var log []byte
		for {
			n, err := stderr.Read(buffer)
			log = append(log, buffer[:n]...)
			if m := regexp.MustCompile(`http://127\.0\.0\.1:\d+/mcp`).Find(log); m != nil {
				found <- string(m)
				_, _ = io.Copy(io.Discard, stderr) // keeps the pipe from filling up
				return
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case endpoint := <-found:
		return endpoint
	case <-time.After(20 * time.Second):
		t.Fatal("the server did not say where it listens")
		return ""
	}
}

func TestSignalEndsCallsInFlight(t *testing.T) {
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	fake.Faults().Next(100, "", "", graphtest.Answer{Delay: time.Minute})
	cmd := command(t, []string{"M365_ACCESS_TOKEN=" + fake.Token(), "M365_GRAPH_URL=" + fake.URL()}, "-systems", "m365")
	session := dial(t, &mcp.CommandTransport{Command: cmd}, "2025-11-25", "accept")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "m365_mail_search"}) // cut off by the signal
	}()
	for len(fake.Requests()) == 0 {
		time.Sleep(5 * time.Millisecond)
		if t.Context().Err() != nil {
			t.Fatal("the call did not arrive")
		}
		if fake.Faults().Injected()["delay"] > 0 {
			break
		}
	}
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the call goes on")
	}
	_ = session.Close() // waits for the process
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("ended after %s", took)
	}
}

// A server that cannot reach its sign-in services still starts at once.
func TestInitializeWaitsForNoSignIn(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nobody ever answers here
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	address := "http://" + silent.Addr().String()
	cmd := command(t, []string{
		"M365_TENANT_ID=contoso.example", "M365_CLIENT_ID=id", "M365_CLIENT_SECRET=canary-secret", "M365_LOGIN_URL=" + address, "M365_GRAPH_URL=" + address + "/v1.0",
		"HALO_URL=" + address, "HALO_CLIENT_ID=id", "HALO_CLIENT_SECRET=canary-secret",
	})
	start := time.Now()
	session := dial(t, &mcp.CommandTransport{Command: cmd}, "2025-11-25", "accept")
	if _, err := session.ListTools(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the list took %s", took)
	}
}

// output runs the server to its end.
func output(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestListAndCheck(t *testing.T) {
	list, _, err := output(t, nil, "-list", "-preset", "all")
	if err != nil || !strings.Contains(list, "m365_mail_search") || !strings.Contains(list, "halo_time_log") {
		t.Errorf("-list: %v\n%s", err, list)
	}
	readOnly, _, err := output(t, nil, "-list", "-preset", "all", "-read-only")
	if err != nil || strings.Contains(readOnly, "m365_mail_send") {
		t.Errorf("-read-only: %v\n%s", err, readOnly)
	}
	check, _, err := output(t, nil, "-check", "-demo")
	if err != nil || strings.Count(check, ": ok") != 2 {
		t.Errorf("-check: %v\n%s", err, check)
	}
	check, _, err = output(t, []string{"M365_ACCESS_TOKEN=canary-token", "M365_GRAPH_URL=http://127.0.0.1:1/v1.0"}, "-check")
	if err == nil || !strings.Contains(check, "FAILED") || strings.Contains(check, "canary") {
		t.Errorf("-check without a server: %v\n%s", err, check)
	}
}

// Who has set some variables of a system and forgotten one wants that system.
func TestForgottenVariable(t *testing.T) {
	fake := halotest.New(halotest.Options{})
	defer fake.Close()
	halo := []string{"HALO_URL=" + fake.URL(), "HALO_API_KEY=" + halotest.APIKey}
	half := append(halo, "M365_TENANT_ID=contoso.example", "M365_CLIENT_SECRET=canary-secret")
	out, _, err := output(t, half, "-check")
	if err == nil || !strings.Contains(out, "Microsoft 365: FAILED") || !strings.Contains(out, "set M365_CLIENT_ID\n") || !strings.Contains(out, "HaloPSA: ok") {
		t.Errorf("-check: %v\n%s", err, out)
	}
	for _, test := range []struct {
		env  []string
		want bool
	}{{half, true}, {halo, false}} {
		_, stderr, err := output(t, test.env) // without a client it ends at once
		if err != nil || strings.Contains(stderr, "M365_CLIENT_ID") != test.want || strings.Contains(stderr, "canary") {
			t.Errorf("start: %v\n%s", err, stderr)
		}
	}
	if out, _, err := output(t, halo, "-check"); err != nil || strings.Contains(out, "Microsoft") {
		t.Errorf("-check of one system: %v\n%s", err, out)
	}
}

func TestSystemNamedTwice(t *testing.T) {
	once, _, err := output(t, nil, "-list", "-systems", "halo")
	if err != nil {
		t.Fatal(err)
	}
	if twice, stderr, err := output(t, nil, "-list", "-systems", "halo,halo"); err != nil || twice != once {
		t.Errorf("%v\n%s%s", err, twice, stderr)
	}
}

func TestHelp(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		if _, help, err := output(t, nil, flag); err != nil || !strings.Contains(help, "HALO_URL") || strings.Contains(help, "server:") {
			t.Errorf("%s: %v\n%s", flag, err, help)
		}
	}
}

// Whoever reads that an address is wrong must not have to guess which.
func TestWrongAddressIsNamed(t *testing.T) {
	m365 := []string{"M365_TENANT_ID=contoso.example", "M365_CLIENT_ID=app", "M365_CLIENT_SECRET=canary"}
	halo := []string{"HALO_URL=https://psa.example", "HALO_CLIENT_ID=id", "HALO_CLIENT_SECRET=canary"}
	for _, test := range []struct {
		env     []string
		setting string
	}{
		{m365, "M365_LOGIN_URL=foo"},
		{m365, "M365_LOGIN_URL=http://login.example"},
		{m365, "M365_GRAPH_URL=foo"},
		{m365, "M365_GRAPH_URL=http://graph.example/v1.0"},
		{m365, "M365_TENANT_ID=a/b"},
		{halo, "HALO_URL=nope"},
		{halo, "HALO_URL=http://psa.example"},
		{[]string{"HALO_API_KEY=canary"}, "HALO_URL=http://psa.example"},
		{[]string{"HALO_API_KEY=canary"}, "HALO_URL=nope"},
		{halo, "HALO_AUTH_URL=foo"},
		{halo, "HALO_AUTH_URL=http://psa.example/auth"},
	} {
		name, _, _ := strings.Cut(test.setting, "=")
		_, stderr, err := inside(t, append([]string{test.setting}, test.env...), "-check", "-store", "none")
		if err == nil || !strings.Contains(stderr, name+": ") || strings.Contains(stderr, "canary") {
			t.Errorf("%s: %v\n%s", test.setting, err, stderr)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		want string
		args []string
	}{
		{"M365_TENANT_ID", nil},
		{"HALO_URL", []string{"-systems", "halo"}},
		{"there are m365 and halo", []string{"-systems", "teams"}},
		{"-preset", []string{"-demo", "-preset", "nobody"}},
		{"-confirm", []string{"-demo", "-confirm", "maybe"}},
		{"-toolsets", []string{"-demo", "-toolsets", "mial"}},
		{"-tools", []string{"-demo", "-tools", "m365_mail_serach"}},
		{"other machines", []string{"-demo", "-http", "0.0.0.0:0"}},
		{"other machines", []string{"-demo", "-http", ":0"}},
		{"unexpected argument", []string{"-demo", "now"}},
		{"no sign-in is kept", []string{"-accounts", "-store", "none"}},
		{"no sign-in is kept", []string{"-logout", "-store", "none"}},
	} {
		stdout, stderr, err := output(t, nil, test.args...)
		if err == nil || !strings.Contains(stderr, test.want) || stdout != "" {
			t.Errorf("%v: %v\n%s%s", test.args, err, stdout, stderr)
		}
	}
	if _, stderr, err := output(t, []string{"HALO_URL=${user_config.url}"}, "-systems", "halo"); err == nil || !strings.Contains(stderr, "HALO_URL") {
		t.Errorf("a placeholder passes for a setting: %s", stderr)
	}
}

func TestRefusalNamesTheFlag(t *testing.T) {
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: command(t, nil, "-demo")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "m365_mail_send", Arguments: map[string]any{
		"to": "anna.berg@hafenlogistik.example", "subject": "x", "body": "x",
	}})
	if err != nil || !result.IsError || !strings.Contains(text(result), "-confirm none") {
		t.Errorf("%v %s", err, text(result))
	}
}

// What a person sees who starts the server by hand can be pasted, and shows no
// secret.
func TestExplain(t *testing.T) {
	values := map[string]string{"HALO_URL": "https://psa.example", "HALO_CLIENT_SECRET": "canary", "M365_ACCESS_TOKEN": "canary"}
	c := config{env: func(name string) string { return values[name] }}
	var b bytes.Buffer
	explain(&b, c, mcptools.NewSet(), "")
	if strings.Contains(b.String(), "canary") {
		t.Error("a secret is shown")
	}
	start, end := strings.Index(b.String(), "{"), strings.LastIndex(b.String(), "}")
	var pasted struct {
		Servers map[string]struct {
			Command string
			Env     map[string]string
		} `json:"mcpServers"`
	}
	if err := json.Unmarshal(b.Bytes()[start:end+1], &pasted); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	entry := pasted.Servers["toolbelt"]
	if entry.Command == "" || entry.Env["HALO_URL"] != "https://psa.example" {
		t.Errorf("%+v", entry)
	}
}
