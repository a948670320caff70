package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// page writes what happens for a person to read.
type page struct {
	out   io.Writer
	color bool
}

const (
	bold   = "1"
	dim    = "2"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p *page) paint(style, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(p.out, format, args...) }

func (p *page) chapter(title string) { p.printf("\n%s\n", p.paint(bold, title)) }

func (p *page) say(format string, args ...any) { p.printf("  "+format+"\n", args...) }

// call shows a call as the assistant makes it.
func (p *page) call(tool string, args map[string]any) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(args) != nil {
		text.WriteString("?")
	}
	p.printf("  %s %s %s\n", p.paint(cyan, "→"), p.paint(cyan, tool), shorten(text.String(), 150))
}

func (p *page) cost(bytes int, took time.Duration) {
	p.printf("  %s\n", p.paint(dim, fmt.Sprintf("← %d bytes in %s", bytes, took.Round(time.Millisecond))))
}

func (p *page) result(format string, args ...any) {
	p.printf("    %s\n", p.paint(green, fmt.Sprintf(format, args...)))
}

func (p *page) failure(text string) {
	for line := range strings.Lines(text) {
		p.printf("    %s\n", p.paint(yellow, strings.TrimRight(line, "\n")))
	}
}

// question shows what the user is asked and answers.
func (p *page) question(text, answer string) {
	for i, line := range strings.Split(text, "\n") {
		mark := "  "
		if i == 0 {
			mark = "? "
		}
		p.printf("    %s\n", p.paint(yellow, mark+shorten(line, 110)))
	}
	p.printf("    %s\n", p.paint(yellow, "  user: "+answer))
}

func shorten(text string, limit int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit-1]) + "…"
}
