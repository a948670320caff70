package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answered is a response as a client sees it.
type answered struct {
	ID     json.RawMessage
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// A client that gets one line wrong must not lose the server and what is under
// way there.
func TestBadLinesAreAnswered(t *testing.T) {
	cmd := command(t, nil, "-demo")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReaderSize(out, 1<<20)
	ask := func(what string, send func() error) answered {
		t.Helper()
		sent := make(chan error, 1)
		go func() { sent <- send() }()
		line, err := answers.ReadBytes('\n')
		var got answered
		if err != nil || json.Unmarshal(line, &got) != nil {
			t.Fatalf("%s: %v in %.300s", what, err, line)
		}
		if err := <-sent; err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return got
	}
	say := func(line string) func() error {
		return func() error { _, err := io.WriteString(in, line+"\n"); return err }
	}
	ask("initialize", say(`{"jsonrpc":"2.0","id":"first","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`))
	deep := func(n int) string {
		return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"halo_teams_list","arguments":` + strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) + `}}`
	}
	for i, test := range []struct {
		line string
		code int
		id   string
	}{
		{`nonsense`, -32700, "null"},
		{`{"jsonrpc":"2.0","id":7,"method":"ping"`, -32700, "null"},
		{`{"jsonrpc":"2.0","id":7,"method":"ping"} {}`, -32700, "null"},
		{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"pi\xffng\"}", -32700, "7"},
		{"\x00\x01", -32700, "null"},
		{`[]`, -32600, "null"},
		{`[[{"jsonrpc":"2.0","id":7,"method":"ping"}]]`, -32600, "null"},
		{`[{"id":8}]`, -32600, "8"},
		{`null`, -32600, "null"},
		{`"text"`, -32600, "null"},
		{`{"id":7}`, -32600, "7"},
		{`{"jsonrpc":"1.0","id":"seven","method":"ping"}`, -32600, `"seven"`},
		{`{"jsonrpc":"2.0","id":7,"method":5}`, -32600, "7"},
		{`{"jsonrpc":"2.0","id":{},"method":"ping"}`, -32600, "null"},
		{`{"jsonrpc":"2.0","id":7,"error":5}`, -32600, "null"}, // an answer, though none of an answer's shape
		{`{"jsonrpc":"2.0"}`, -32600, "null"},
		{deep(1500), -32600, "7"},
		{deep(200_000), -32700, "null"},
	} {
		got := ask(test.line[:min(60, len(test.line))], say("\r\n \n"+test.line+"\r"))
		if got.Error == nil || got.Error.Code != test.code || string(got.ID) != test.id {
			t.Errorf("%.60s: %+v id %s", test.line, got.Error, got.ID)
		}
		id := strconv.Itoa(100 + i)
		if next := ask("after it", say(`{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`)); next.Error != nil || string(next.ID) != id {
			t.Errorf("after %.60s: %+v", test.line, next)
		}
	}
	if got := ask("a list", say(`[{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":"listed","method":"ping"}]`)); got.Error != nil || string(got.ID) != `"listed"` {
		t.Errorf("a list: %+v id %s", got.Error, got.ID)
	}
	before := resident(t, cmd.Process.Pid)
	got := ask("a long line", func() error {
		_, err := io.Copy(in, io.MultiReader(strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"`), io.LimitReader(letters{}, 400<<20), strings.NewReader("\"}\n")))
		return err
	})
	if got.Error == nil || got.Error.Code != -32600 || string(got.ID) != "null" {
		t.Errorf("a long line: %+v id %s", got.Error, got.ID)
	}
	if grown := resident(t, cmd.Process.Pid) - before; grown > 16*maxRequestBytes {
		t.Errorf("a long line is held in memory: %d MB more", grown>>20)
	}
	if next := ask("after it", say(`{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"halo_teams_list"}}`)); next.Error != nil || len(next.Result) == 0 {
		t.Errorf("after a long line: %+v", next)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// A client that has said all, such as a shell's pipe, gets its answers; one that
// hangs up while a call waits for a person is not waited for.
func TestEndOfInput(t *testing.T) {
	initialize := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"test","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	search := `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"m365_mail_search"}}`
	ask := `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"m365_mail_send","arguments":{"to":["anna.berg@hafenlogistik.example"],"subject":"x","body":"x"}}}`
	for name, test := range map[string]struct {
		say, want string
		most      time.Duration
	}{
		"an answer is under way": {initialize + search + "\n", `"id":2`, 10 * time.Second},
		"the last line is open":  {initialize + search, `"id":2`, 10 * time.Second},
		"a person is asked":      {initialize + ask + "\n", `elicitation`, lastAnswers + stopTime},
	} {
		cmd := command(t, nil, "-demo")
		cmd.Stdin = strings.NewReader(test.say)
		start := time.Now()
		out, err := cmd.Output()
		if took := time.Since(start); err != nil || took > test.most || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %v after %s\n%.500s", name, err, took, out)
		}
	}
}

// letters never ends.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// resident returns the most memory that a process has had, in bytes; 0 where the
// system does not tell.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes int
	if _, err := fmt.Sscan(string(rest), &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// The session ends as soon as its connection is closed, even where a read cannot
// be interrupted.
func TestCloseEndsRead(t *testing.T) {
	in, hold := io.Pipe()
	defer hold.Close()
	conn, err := lines{in: struct {
		io.Reader
		io.Closer
	}{in, io.NopCloser(nil)}, out: io.Discard}.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := conn.Read(t.Context()); ended <- err }()
	for range 2 {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	select {
	case err := <-ended:
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the read goes on")
	}
}
