package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// lineConn is the connection of [lines].
type lineConn struct {
	lines
	incoming chan message
	closed   chan struct{}
	closing  sync.Once
	writing  sync.Mutex

	unanswered atomic.Int64
	answered   chan struct{} // has room for one
}

// lastAnswers is how long the end of the input waits for the answers to what
// came before it. The SDK drops them at the end, also those of a client that
// said all it had to say, such as a shell's pipe.
const lastAnswers = time.Second

// message is one that arrived, or why there are no more.
type message struct {
	jsonrpc.Message
	err error
}

// SessionID implements [mcp.Connection].
func (c *lineConn) SessionID() string { return "" }

// Read implements [mcp.Connection].
func (c *lineConn) Read(ctx context.Context) (jsonrpc.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case arrived := <-c.incoming:
		return arrived.Message, arrived.err
	case <-c.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write implements [mcp.Connection].
func (c *lineConn) Write(ctx context.Context, m jsonrpc.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	line, err := jsonrpc.EncodeMessage(m)
	if err != nil {
		return err
	}
	err = c.send(line)
	if _, ok := m.(*jsonrpc.Response); ok {
		c.unanswered.Add(-1)
		select {
		case c.answered <- struct{}{}:
		default: // somebody is going to look already
		}
	}
	return err
}

// send writes one line.
func (c *lineConn) send(line []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.out.Write(append(line, '\n'))
	return err
}

// Close implements [mcp.Connection].
func (c *lineConn) Close() (err error) {
	c.closing.Do(func() {
		close(c.closed)
		err = c.in.Close()
	})
	return err
}

// receive reads lines until there are no more. It is a goroutine of its own
// because a read from a terminal cannot be interrupted.
func (c *lineConn) receive() {
	in := bufio.NewReaderSize(c.in, 64<<10)
	for {
		line, whole, err := readLine(in, maxRequestBytes)
		for _, member := range members(line) {
			var arrived jsonrpc.Message
			if refused := inspect(member, whole, &arrived); refused != nil {
				err = errors.Join(err, c.refuse(member, refused))
			}
			if arrived != nil && !c.pass(message{Message: arrived}) {
				return
			}
		}
		if err != nil {
			c.settle()
			c.pass(message{err: err})
			return
		}
	}
}

// settle waits for answers that are under way.
func (c *lineConn) settle() {
	enough := time.After(lastAnswers)
	for c.unanswered.Load() > 0 {
		select {
		case <-c.answered:
		case <-enough:
			return
		case <-c.closed:
			return
		}
	}
}

// pass hands m to Read, and reports whether the connection is still open.
func (c *lineConn) pass(m message) bool {
	if request, ok := m.Message.(*jsonrpc.Request); ok && request.IsCall() {
		c.unanswered.Add(1)
	}
	select {
	case c.incoming <- m:
		return true
	case <-c.closed:
		return false
	}
}

// readLine returns the next line without its white space. Of one that is longer
// than limit, nothing is kept and whole is false.
func readLine(in *bufio.Reader, limit int) (line []byte, whole bool, err error) {
	whole = true
	for {
		part, err := in.ReadSlice('\n')
		if whole = whole && len(line)+len(part) <= limit; !whole {
			line, part = nil, nil
		}
		if cap(line)-len(line) < len(part) {
			line = slices.Grow(line, max(len(line), len(part))) // doubling leaves less behind than append does
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), whole, err
		}
	}
}

// members returns the messages of a line. Clients of protocol version 2025-03-26
// may send several as a list; each is answered for itself.
func members(line []byte) []json.RawMessage {
	var list []json.RawMessage
	if len(line) == 0 || line[0] != '[' || json.Unmarshal(line, &list) != nil || len(list) == 0 {
		return []json.RawMessage{line}
	}
	return list
}

// inspect reads the message of a line, or returns what is wrong with it. An
// empty line is neither.
func inspect(line []byte, whole bool, m *jsonrpc.Message) *jsonrpc.Error {
	switch {
	case !whole:
		return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: fmt.Sprintf("the message is longer than %d bytes", maxRequestBytes)}
	case len(line) == 0:
		return nil
	case !utf8.Valid(line) || !json.Valid(line):
		return &jsonrpc.Error{Code: jsonrpc.CodeParseError, Message: "the line is not one JSON value in UTF-8"}
	case line[0] == '[':
		return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "a list of messages must have some, and no lists in it"}
	}
	read, err := jsonrpc.DecodeMessage(line)
	if err != nil {
		return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "this is no JSON-RPC 2.0 message: " + err.Error()}
	}
	*m = read
	return nil
}

// refuse answers a line that is no message.
func (c *lineConn) refuse(line []byte, why *jsonrpc.Error) error {
	answer, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *jsonrpc.Error  `json:"error"`
	}{"2.0", idOf(line), why})
	if err != nil {
		return err
	}
	return c.send(answer)
}

// idOf returns the id of a request, as far as there is one to be read: null
// otherwise. That of a response is one of our own.
func idOf(line []byte) json.RawMessage {
	var request struct {
		ID, Result, Error json.RawMessage
	}
	if json.Unmarshal(line, &request) != nil || len(request.ID) == 0 || request.Result != nil || request.Error != nil {
		return nil
	}
	if first := request.ID[0]; first != '"' && first != '-' && (first < '0' || first > '9') {
		return nil
	}
	return request.ID
}
