package resilience

import (
	"sync"
	"time"
)

// looks are what the watchman takes at a read before its time is over. It looks
// so often in that time, and the first one comes early, so it is a quarter late
// at most.
const looks = 5

// watchman ends reads of bodies that wait for too long. It has one timer for all
// of them: one for each would have to be set and stopped at every read, which
// wakes the thread that waits for the network. Nor does it look at the clock for
// each: it counts its own looks.
type watchman struct {
	pause time.Duration // between two looks

	mu     sync.Mutex
	reads  read // the ring of those that are under way
	timer  *time.Timer
	onDuty bool // the timer runs
}

// read is one of a ring of reads, which costs less than a map.
type read struct {
	of         *body
	looks      int
	prev, next *read // nil while it is not under way
}

func newWatchman(idle time.Duration) *watchman {
	w := &watchman{pause: idle / (looks - 1)}
	w.reads.prev, w.reads.next = &w.reads, &w.reads
	return w
}

// begin notes that b is read from now on.
func (w *watchman) begin(b *body) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &b.read
	r.of, r.looks, r.prev, r.next = b, 0, w.reads.prev, &w.reads
	r.prev.next, r.next.prev = r, r
	if !w.onDuty {
		w.lookLater()
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

func (w *watchman) lookLater() {
	w.onDuty = true
	if w.timer == nil {
		w.timer = time.AfterFunc(w.pause, w.look)
		return
	}
	w.timer.Reset(w.pause)
}

// look ends the reads whose time is over. If there are none under way, it need
// not look again until there are.
func (w *watchman) look() {
	var over []*body
	w.mu.Lock()
	for r := w.reads.next; r != &w.reads; {
		next := r.next
		if r.looks++; r.looks >= looks {
			over = append(over, r.of)
			r.remove()
		}
		r = next
	}
	w.onDuty = false
	if w.reads.next != &w.reads {
		w.lookLater()
	}
	w.mu.Unlock()
	for _, b := range over {
		b.stall()
	}
}
