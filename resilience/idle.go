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
	reads  body // the ring of those that are under way; itself none
	timer  *time.Timer
	onDuty bool // the timer runs
}

// read is a body's place in the ring of those that are read, which costs less
// than a map.
type read struct {
	prev, next *body // nil while it is not read
	looks      int32 // of the watchman, since the read began
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
	if b.next != nil { // somebody else reads it, who must not
		return
	}
	b.read = read{prev: w.reads.prev, next: &w.reads}
	b.prev.next, b.next.prev = b, b
	if !w.onDuty {
		w.lookLater()
	}
}

// end notes that the read of b has returned.
func (w *watchman) end(b *body) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b.remove()
}

// remove takes a read out of the ring, if it is in there.
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
	for b := w.reads.next; b != &w.reads; {
		next := b.next
		if b.looks++; b.looks >= looks {
			over = append(over, b)
			b.remove()
		}
		b = next
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
