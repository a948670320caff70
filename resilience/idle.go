package resilience

import (
	"sync"
	"time"
)

// watchman ends reads of bodies that wait for too long. It has one timer for all
// of them: one for each would have to be set and stopped at every read, which
// wakes the thread that waits for the network.
type watchman struct {
	idle  time.Duration
	began time.Time

	mu     sync.Mutex
	reads  map[*body]time.Duration // that are under way, and when they began
	timer  *time.Timer
	onDuty bool // the timer runs, and not beyond the time of any read
}

func newWatchman(idle time.Duration) *watchman {
	return &watchman{idle: idle, began: time.Now(), reads: make(map[*body]time.Duration)}
}

// begin notes that b is read from now on.
func (w *watchman) begin(b *body) {
	now := time.Since(w.began)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads[b] = now
	if !w.onDuty {
		w.set(w.idle)
	}
}

// end notes that the read of b has returned.
func (w *watchman) end(b *body) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.reads, b)
}

func (w *watchman) set(d time.Duration) {
	w.onDuty = true
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.look)
		return
	}
	w.timer.Reset(d)
}

// look ends the reads whose time is over. If there are none under way, it need
// not look again until there are.
func (w *watchman) look() {
	var over []*body
	now := time.Since(w.began)
	w.mu.Lock()
	next := w.idle
	for b, since := range w.reads {
		if left := since + w.idle - now; left > 0 {
			next = min(next, left)
		} else {
			over = append(over, b)
			delete(w.reads, b)
		}
	}
	w.onDuty = false
	if len(w.reads) > 0 {
		w.set(next)
	}
	w.mu.Unlock()
	for _, b := range over {
		b.stall()
	}
}
