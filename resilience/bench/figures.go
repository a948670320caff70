package main

import (
	"fmt"
	"slices"
	"time"
)

// pictures are the figures of the results, by the names of their files.
func pictures(r Results) map[string]figure {
	return map[string]figure{"outage.svg": outageFigure(r), "throttled.svg": throttledFigure(r)}
}

func outageFigure(r Results) figure {
	f := figure{
		subtitle: "Requests per second that reach the server; each panel is one HTTP transport for Go",
		good:     "answered well",
		bad:      "wasted: answered with 503",
		top:      4000,
		ticks:    []float64{0, 1000, 2000, 3000},
		every:    5,
		band:     "the server is down",
	}
	for _, c := range r.Contenders {
		o := c.Outage503
		f.seconds = float64(len(o.Requests)) * tick.Seconds()
		f.from, f.to = warmUp.Seconds(), f.seconds-aftermath.Seconds()
		p := panel{title: c.Name, ours: c.Name == Ours}
		p.notes = []string{thousands(o.Reached) + " requests while down", "calls fail in " + duration(o.P99) + " (p99)", "all is well again after " + duration(o.Recovered)}
		for i, n := range o.Requests {
			good, bad := 10*float64(n), 0.0
			if at := (float64(i) + 0.5) * tick.Seconds(); at > f.from && at < f.to {
				good, bad = bad, good
			}
			p.good, p.bad = append(p.good, good), append(p.bad, bad)
		}
		f.add(p)
	}
	f.title = fmt.Sprintf("An outage of %.0f s: the server answers 503, and 64 callers go on calling", f.to-f.from)
	return f
}

// add puts ours first.
func (f *figure) add(p panel) {
	if p.ours {
		f.panels = slices.Insert(f.panels, 0, p)
		return
	}
	f.panels = append(f.panels, p)
}

func throttledFigure(r Results) figure {
	f := figure{
		title:    "A quota: the server answers 100 requests per second, and counts those it refuses",
		subtitle: "Requests per second that reach the server, from 64 callers who never stop; a token bucket",
		good:     "answered",
		bad:      "wasted: refused with 429",
		top:      240,
		ticks:    []float64{0, 50, 100, 150, 200},
		every:    5,
		line:     quota,
		lineName: "quota",
	}
	perSecond := int(time.Second / tick)
	for _, c := range r.Contenders {
		t := c.Bucket
		f.seconds = float64(len(t.Good)) * tick.Seconds()
		p := panel{title: c.Name, ours: c.Name == Ours}
		p.notes = []string{fmt.Sprintf("%.0f %% of the quota used", t.Used()), fmt.Sprintf("%.0f %% of the requests wasted", t.WastedShare()), calls(t.Failed)}
		for i := 0; i+perSecond <= len(t.Good); i += perSecond {
			p.good = append(p.good, float64(sum(t.Good[i:i+perSecond])))
			p.bad = append(p.bad, float64(sum(t.Wasted[i:i+perSecond])))
		}
		f.add(p)
	}
	return f
}

func sum(v []int64) (s int64) {
	for _, n := range v {
		s += n
	}
	return s
}

// thousands groups digits by a thin space.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s\u2009%03d", thousands(n/1000), n%1000)
}

func calls(failed int) string {
	if failed == 0 {
		return "no call failed"
	}
	return thousands(int64(failed)) + " calls failed"
}

func duration(milliseconds float64) string {
	switch {
	case milliseconds < 1:
		return "< 1 ms"
	case milliseconds < 100:
		return fmt.Sprintf("%.0f ms", milliseconds)
	}
	return fmt.Sprintf("%.1f s", milliseconds/1000)
}
