package main

import (
	"fmt"
	"html"
	"strings"
)

// A figure is small multiples: one panel for each contender, all with the same
// axes, of what went well and what was wasted, stacked.
type figure struct {
	title, subtitle string
	good, bad       string // what they are
	seconds         float64
	every           float64 // seconds between ticks of the time
	top             float64
	ticks           []float64
	band            string // marks the time between from and to
	from, to        float64
	line            float64 // across each panel; 0 is none
	lineName        string
	panels          []panel
}

type panel struct {
	title     string
	ours      bool
	notes     []string
	good, bad []float64
}

// The measures of a picture in pixels: as wide as a README is shown, so that
// its text keeps its size.
const (
	width       = 840
	margin      = 16
	header      = 68
	columns     = 4
	cellWidth   = (width - 2*margin) / columns
	cellHeight  = 226
	plotLeft    = 34 // within a cell
	plotTop     = 84
	plotWidth   = cellWidth - plotLeft - 12
	plotHeight  = 112
	colourGood  = "#0072b2" // of Okabe and Ito's palette, which colour-blind people can tell apart
	colourBad   = "#e69f00"
	colourText  = "#1f2328"
	colourFaint = "#59636e"
)

// svg draws the figure.
func (f figure) svg() string {
	var b strings.Builder
	rows := (len(f.panels) + columns) / columns // with a cell for the legend
	height := header + rows*cellHeight + margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" font-family="system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="12" fill="%s">`+"\n", width, height, colourText)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(f.title))
	fmt.Fprintf(&b, `<rect x="0.5" y="0.5" width="%d" height="%d" rx="8" fill="#ffffff" stroke="#d1d9e0"/>`+"\n", width-1, height-1)
	text(&b, margin, 30, f.title, `font-size="17" font-weight="600"`)
	text(&b, margin, 50, f.subtitle, `font-size="12.5" fill="`+colourFaint+`"`)
	for i, p := range f.panels {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", margin+i%columns*cellWidth, header+i/columns*cellHeight)
		f.panel(&b, p)
		b.WriteString("</g>\n")
	}
	last := len(f.panels)
	fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", margin+last%columns*cellWidth, header+last/columns*cellHeight)
	f.legend(&b)
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

func (f figure) panel(b *strings.Builder, p panel) {
	weight := "600"
	if p.ours {
		weight = "700"
		fmt.Fprintf(b, `<rect x="2" y="0" width="%d" height="%d" rx="6" fill="#eaf4fb" stroke="%s" stroke-width="1.5"/>`+"\n", cellWidth-4, cellHeight-8, colourGood)
	}
	text(b, 10, 20, p.title, `font-size="14" font-weight="`+weight+`"`)
	for i, note := range p.notes {
		text(b, 10, 38+16*float64(i), note, "")
	}
	fmt.Fprintf(b, `<g transform="translate(%d %d)">`+"\n", plotLeft, plotTop)
	if f.band != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="0" width="%.1f" height="%d" fill="#59636e" fill-opacity="0.14"/>`+"\n", f.x(f.from), f.x(f.to)-f.x(f.from), plotHeight)
	}
	for _, tick := range f.ticks {
		fmt.Fprintf(b, `<path d="M0 %.1fH%d" stroke="#59636e" stroke-opacity="0.25"/>`+"\n", f.y(tick), plotWidth)
		text(b, -5, f.y(tick)+4, short(tick), `text-anchor="end" fill="`+colourFaint+`"`)
	}
	nothing := make([]float64, len(p.good))
	all := make([]float64, len(p.good))
	most := 0.0
	for i := range all {
		all[i] = p.good[i] + p.bad[i]
		most = max(most, all[i])
	}
	f.area(b, nothing, p.good, colourGood)
	f.area(b, p.good, all, colourBad)
	if f.line > 0 {
		fmt.Fprintf(b, `<path d="M0 %.1fH%d" stroke="%s" stroke-width="1.5" stroke-dasharray="5 3"/>`+"\n", f.y(f.line), plotWidth, colourText)
	}
	if most > f.top {
		fmt.Fprintf(b, `<rect x="16" y="3" width="%d" height="17" rx="3" fill="#ffffff" fill-opacity="0.9"/>`+"\n", plotWidth-32)
		text(b, plotWidth/2, 16, "↑ up to "+thousands(int64(most))+"/s", `text-anchor="middle" font-weight="600"`)
	}
	for at := 0.0; at <= f.seconds; at += f.every {
		label, anchor := fmt.Sprint(at), "middle"
		switch at {
		case 0:
			label = "0 s"
		case f.seconds:
			anchor = "end"
		}
		text(b, f.x(at), plotHeight+15, label, `text-anchor="`+anchor+`" fill="`+colourFaint+`"`)
	}
	b.WriteString("</g>\n")
}

// area fills the space between two step lines.
func (f figure) area(b *strings.Builder, from, to []float64, colour string) {
	var path strings.Builder
	step := f.seconds / float64(max(len(to), 1))
	for i := 0; i < len(to); {
		if to[i] <= from[i] {
			i++
			continue
		}
		start := i
		fmt.Fprintf(&path, "M%.1f %.1f", f.x(float64(i)*step), f.y(to[i]))
		for ; i < len(to) && to[i] > from[i]; i++ {
			fmt.Fprintf(&path, "V%.1fH%.1f", f.y(to[i]), f.x(float64(i+1)*step))
		}
		for j := i - 1; j >= start; j-- {
			fmt.Fprintf(&path, "V%.1fH%.1f", f.y(from[j]), f.x(float64(j)*step))
		}
		path.WriteString("Z")
	}
	if path.Len() > 0 {
		// The outline keeps what is thinner than a pixel in sight.
		fmt.Fprintf(b, `<path d="%s" fill="%s" stroke="%[2]s" stroke-width="0.6"/>`+"\n", path.String(), colour)
	}
}

func (f figure) legend(b *strings.Builder) {
	y := 24
	entry := func(mark, words string) {
		fmt.Fprintf(b, `<g transform="translate(14 %d)">%s</g>`+"\n", y, mark)
		text(b, 40, float64(y)+11, words, "")
		y += 26
	}
	square := func(colour string, opacity float64) string {
		return fmt.Sprintf(`<rect width="16" height="14" fill="%s" fill-opacity="%.2f"/>`, colour, opacity)
	}
	entry(square(colourGood, 1), f.good)
	entry(square(colourBad, 1), f.bad)
	if f.band != "" {
		entry(square("#59636e", 0.14), f.band)
	}
	if f.line > 0 {
		entry(`<path d="M0 7H18" stroke="`+colourText+`" stroke-width="1.5" stroke-dasharray="5 3"/>`, f.lineName)
	}
	text(b, 14, float64(y)+14, "up: requests per second", `fill="`+colourFaint+`"`)
	text(b, 14, float64(y)+32, "across: seconds", `fill="`+colourFaint+`"`)
}

func (f figure) x(seconds float64) float64 { return seconds / f.seconds * plotWidth }

func (f figure) y(value float64) float64 { return plotHeight * (1 - min(value, f.top)/f.top) }

func text(b *strings.Builder, x, y float64, words, attributes string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f"%s>%s</text>`+"\n", x, y, attributes, html.EscapeString(words))
}

// short writes 2000 as 2k.
func short(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprint(v)
}
