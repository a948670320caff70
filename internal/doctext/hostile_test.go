package doctext_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/doctext"
)

// An attached message that takes minutes or all memory to read is a way to stop
// the server.
func TestMailThatCostsMuch(t *testing.T) {
	t.Parallel()
	var parameters strings.Builder
	for i := range 400_000 {
		fmt.Fprintf(&parameters, "; a*%d=b", i)
	}
	long := func(text string) string { return strings.Repeat(text, 15<<20/len(text)) }
	for name, source := range map[string]string{
		"encoded words":     "Subject: " + long("=?a?q?x") + "?=\r\n\r\nhi",
		"begun words":       "Subject: " + long("=?") + "\r\n\r\nhi",
		"parameters":        "Content-Type: text/plain" + parameters.String() + "\r\n\r\nhi",
		"more parameters":   "Content-Disposition: inline" + parameters.String() + "\r\n\r\nhi",
		"parts within them": nested(2000) + long("a\r\n"),
		"parts of HTML": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
			strings.Repeat("--b\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("<p>a", 30_000)+"\r\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan string, 1)
			go func() {
				text, err := doctext.Text("a.eml", "message/rfc822", []byte(source))
				if err != nil {
					t.Error(err)
				}
				done <- text
			}()
			select {
			case text := <-done:
				if len(text) > 1<<20 {
					t.Errorf("%d bytes of text", len(text))
				}
			case <-time.After(9 * time.Second):
				t.Fatal("it takes too long")
			}
		})
	}
}

func nested(depth int) string {
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=b0\r\n\r\n")
	for i := range depth {
		fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	return b.String()
}
