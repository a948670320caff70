package resilience

import (
	"io"
	"strings"
	"testing"
	"time"
)

// Who reads a body from two goroutines does what nobody may, but it must not
// end the process: the watchman's goroutine has nobody to recover it.
func TestWatchmanOfABodyReadTwice(t *testing.T) {
	w := newWatchman(time.Hour)
	b := &body{ReadCloser: io.NopCloser(strings.NewReader("")), watch: w}
	w.begin(b)
	w.begin(b)
	for range looks {
		w.look()
	}
	if !b.stalled.Load() || w.reads.next != &w.reads {
		t.Error("the read goes on")
	}
	w.end(b)
	w.end(b)
	w.timer.Stop()
}
