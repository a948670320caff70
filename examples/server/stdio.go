package main

import (
	"context"
	"io"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// stdio returns the transport of stdin and stdout, and what makes them as they
// were.
//
// Where the system can tell when a read or write goes on, no thread waits in it.
// Such a thread keeps the processor that the Go runtime lent it until the runtime
// takes note, which cost a fifth of the calls that two processors could answer.
func stdio() (mcp.Transport, func()) {
	in, restoreIn := polled(os.Stdin)
	out, restoreOut := polled(os.Stdout)
	return lines{in, out}, func() { restoreIn(); restoreOut() }
}

// lines is a transport of one message a line. Unlike mcp.IOTransport it outlives
// what a client gets wrong: a line that is no message is answered with an error,
// and the next one is read.
type lines struct {
	in  io.ReadCloser
	out io.Writer // outlives the session
}

// Connect implements [mcp.Transport].
func (l lines) Connect(context.Context) (mcp.Connection, error) {
	c := &lineConn{lines: l, incoming: make(chan message), closed: make(chan struct{}), answered: make(chan struct{}, 1)}
	go c.receive()
	return c, nil
}
