package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// process is a server on stdio and the barest of clients, so that what is
// measured is the server.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	id  int
}

// spawn starts a server and makes the handshake.
func spawn(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
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
	p := &process{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	p.request(t, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bare","version":"1"}}`)
	p.write(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return p
}

// end closes the server's input and waits for its end.
func (p *process) end(t testing.TB) {
	t.Helper()
	_ = p.in.Close()
	timer := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // how it ends is examples/server's own test
}

func (p *process) write(t testing.TB, line string) {
	t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (p *process) send(t testing.TB, method, params string) int {
	t.Helper()
	p.id++
	p.write(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, p.id, method, params))
	return p.id
}

// receive returns the next answer.
func (p *process) receive(t testing.TB) []byte {
	t.Helper()
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(line, []byte(`"id":`)) {
			return line
		}
	}
}

func (p *process) request(t testing.TB, method, params string) []byte {
	t.Helper()
	p.send(t, method, params)
	return p.receive(t)
}

// load makes n calls, up to atOnce of them at the same time, and fails unless
// each is answered once. It does as little as it can besides: of an answer it
// looks at the id, and reads the whole of every hundredth.
func (p *process) load(t testing.TB, method, params string, n, atOnce int) {
	t.Helper()
	var lines []byte // to be sent
	first, answered := p.id+1, make([]bool, n)
	call := func() {
		p.id++
		lines = strconv.AppendInt(append(lines, answerStart...), int64(p.id), 10)
		lines = append(append(append(append(lines, `,"method":"`...), method...), `","params":`...), params...)
		lines = append(lines, "}\n"...)
	}
	for range min(n, atOnce) {
		call()
	}
	for left := n; left > 0; {
		if _, err := p.in.Write(lines); err != nil {
			t.Fatal(err)
		}
		lines = lines[:0]
		for more := true; more; more = p.hasLine() {
			line, err := p.out.ReadSlice('\n')
			if err != nil {
				t.Fatal(err)
			}
			i := answerID(line) - first
			if i < 0 || i >= n || answered[i] {
				t.Fatalf("not the answer to a call: %s", line)
			}
			if i%100 == 0 {
				checkRows(t, line)
			}
			answered[i] = true
			left--
			if p.id-first+1 < n {
				call()
			}
		}
	}
}

// hasLine reports whether a whole line can be read without waiting.
func (p *process) hasLine() bool {
	next, err := p.out.Peek(p.out.Buffered())
	return err == nil && bytes.IndexByte(next, '\n') >= 0
}

// answerStart is how an answer begins; its id follows.
const answerStart = `{"jsonrpc":"2.0","id":`

// answerID returns the id of an answer, or -1.
func answerID(line []byte) int {
	after, ok := bytes.CutPrefix(line, []byte(answerStart))
	id, _, _ := bytes.Cut(after, []byte(","))
	n, err := strconv.Atoi(string(id))
	if !ok || err != nil {
		return -1
	}
	return n
}

// search is a call of the tool that is measured.
const search = `{"name":"m365_mail_search","arguments":{"limit":10}}`

// checkRows fails unless an answer has ten rows.
func checkRows(t testing.TB, answer []byte) {
	t.Helper()
	var message struct {
		Result struct {
			StructuredContent struct{ Items []struct{ ID string } }
			IsError           bool
		}
	}
	if err := json.Unmarshal(answer, &message); err != nil || message.Result.IsError || len(message.Result.StructuredContent.Items) != 10 {
		t.Fatalf("%v in %s", err, answer)
	}
}

// cpu returns the processor time that a process has used, in user and kernel
// mode, over all its threads.
func (p *process) cpu(t testing.TB) time.Duration {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		t.Skip("this system does not tell the processor time of threads")
	}
	total := time.Duration(0)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ns, _, _ := strings.Cut(string(data), " ")
		used, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += time.Duration(used)
	}
	return total
}

// resident returns the memory that a process occupies, in MB.
func (p *process) resident(t testing.TB) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("this system does not tell the memory of processes")
	}
	_, after, _ := strings.Cut(string(data), "VmRSS:")
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb * 1024 / 1e6
}
