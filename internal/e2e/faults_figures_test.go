package e2e

import (
	"sync"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// attempts counts what went upstream, by how it ended.
type attempts struct {
	mu      sync.Mutex
	all     int
	classes map[string]int
}

// note is the hook.
func (a *attempts) note(e resilience.AttemptEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.classes == nil {
		a.classes = map[string]int{}
	}
	a.all++
	a.classes[e.Class.String()]++
}

// writes sums up what became of the writes.
type writes struct {
	asked   int
	done    int
	doubled int // done twice or more
	lost    int // reported done and not done, or done and reported as failed
	unsure  int // reported as possibly done
}

// note takes one write: what was reported, and how often it was done.
func (w *writes) note(reported string, times int) {
	w.asked++
	w.done += min(times, 1)
	switch {
	case times > 1:
		w.doubled++
	case reported == string(unsure):
		w.unsure++
	case reported == "" && times == 0, reported != "" && times > 0:
		w.lost++
	}
}
