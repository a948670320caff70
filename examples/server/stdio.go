package main

import (
	"io"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// stdio returns the transport of stdin and stdout, and what makes them as they
// were.
//
// It is mcp.StdioTransport but for the waiting: where the system can tell when a
// read or write goes on, no thread waits in it. Such a thread keeps the processor
// that the Go runtime lent it until the runtime takes note, which cost a fifth of
// the calls that two processors could answer.
func stdio() (mcp.Transport, func()) {
	in, restoreIn := polled(os.Stdin)
	out, restoreOut := polled(os.Stdout)
	return &mcp.IOTransport{Reader: in, Writer: keepOpen{out}}, func() { restoreIn(); restoreOut() }
}

// keepOpen is a writer that outlives the session.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
