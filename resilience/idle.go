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
	reads  read // the ring of those that are under way
	timer  *time.Timer
	onDuty bool // the timer runs, and not beyond the time of any read
}

// read is one of a ring of reads, which costs less than a map.
type read struct {
	of         *body
	since      time.Duration
	prev, next *read // nil while it is not under way
}

func newWatchman(idle time.Duration) *watchman {
	w := &watchman{idle: idle, began: time.Now()}
	w.reads.prev, w.reads.next = &w.reads, &w.reads
	return w
}

// begin notes that b is read from now on.
func (w *watchman) begin(b *body) {
	now := time.Since(w.began)
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &b.read
	r.of, r.since, r.prev, r.next = b, now, w.reads.prev, &w.reads
	r.prev.next, r.next.prev = r, r
	if !w.onDuty {
		w.set(w.idle)
	}
}

// end notes that the read of b has returned.
func (w *watchman) end(b *body) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b.read.remove()
}

func (r *read) remove() {
	if r.next != nil {
		r.prev.next, r.next.prev = r.next, r.prev
		r.prev, r.next = nil, nil
	}
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
	first := w.reads.next // has waited for the longest time
	for ; first != &w.reads && now-first.since >= w.idle; first = w.reads.next {
		over = append(over, first.of)
		first.remove()
	}
	w.onDuty = false
	if first != &w.reads {
		w.set(first.since + w.idle - now)
	}
	w.mu.Unlock()
	for _, b := range over {
		b.stall()
	}
}
