package graph

import (
	"cmp"
	"slices"
	"time"
)

// span is the time from start to before end.
type span struct {
	start, end time.Time
	status     string // of a busy one
}

// busyRank orders the kinds of busy time; what is not in it is free.
func busyRank(status string) int {
	return slices.Index([]string{"tentative", "busy", "oof"}, status) + 1
}

// merged returns the spans in order, those that touch or overlap as one with
// the strongest status of them.
func merged(spans []span) []span {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b span) int { return cmp.Or(a.start.Compare(b.start), a.end.Compare(b.end)) })
	var out []span
	for _, s := range sorted {
		if !s.end.After(s.start) {
			continue
		}
		if n := len(out); n > 0 && !s.start.After(out[n-1].end) {
			last := &out[n-1]
			if s.end.After(last.end) {
				last.end = s.end
			}
			if busyRank(s.status) > busyRank(last.status) {
				last.status = s.status
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// without returns what is left of the spans when busy is taken out. Both are
// merged.
func without(spans, busy []span) []span {
	var out []span
	for _, s := range spans {
		for _, b := range busy {
			if !b.end.After(s.start) || !b.start.Before(s.end) {
				continue
			}
			if b.start.After(s.start) {
				out = append(out, span{start: s.start, end: b.start})
			}
			s.start = b.end
			if !s.start.Before(s.end) {
				break
			}
		}
		if s.start.Before(s.end) {
			out = append(out, span{start: s.start, end: s.end})
		}
	}
	return out
}

// within returns what the spans have in common with others, with their status.
func within(spans, others []span) []span {
	var out []span
	for _, a := range spans {
		for _, b := range others {
			start, end := a.start, a.end
			if b.start.After(start) {
				start = b.start
			}
			if b.end.Before(end) {
				end = b.end
			}
			if start.Before(end) {
				out = append(out, span{start, end, a.status})
			}
		}
	}
	return out
}

// atLeast drops the spans that are shorter.
func atLeast(spans []span, length time.Duration) []span {
	return slices.DeleteFunc(spans, func(s span) bool { return s.end.Sub(s.start) < length })
}
