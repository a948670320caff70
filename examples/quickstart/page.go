package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
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

// call shows a call as the assistant makes it, long values cut short.
func (p *page) call(tool string, args map[string]any) {
	short := map[string]any{}
	for name, value := range args {
		if text, ok := value.(string); ok {
			value = shorten(text, 48)
		}
		short[name] = value
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(short) != nil {
		text.WriteString("?")
	}
	for i, line := range wrap(text.String(), width-len(tool)) {
		mark := p.paint(cyan, "→ "+tool)
		if i > 0 {
			mark = strings.Repeat(" ", len("→ "+tool)-len("→")+1)
		}
		p.printf("  %s %s\n", mark, line)
	}
}

func (p *page) cost(bytes int, took time.Duration) {
	p.printf("  %s\n", p.paint(dim, fmt.Sprintf("← %d bytes in %s", bytes, took.Round(time.Millisecond))))
}

func (p *page) result(format string, args ...any) {
	p.block(green, fmt.Sprintf(format, args...))
}

func (p *page) failure(text string) {
	for line := range strings.Lines(text) {
		p.block(yellow, line)
	}
}

// block writes indented lines of one colour.
func (p *page) block(style, text string) {
	for _, line := range wrap(text, width) {
		p.printf("    %s\n", p.paint(style, line))
	}
}

// question shows what the user is asked and answers.
func (p *page) question(text, answer string) {
	for i, line := range strings.Split(text, "\n") {
		mark := "  "
		if i == 0 {
			mark = "? "
		}
		p.printf("    %s\n", p.paint(yellow, mark+shorten(line, 72)))
	}
	p.printf("    %s\n", p.paint(yellow, "  user: "+answer))
}

// width is how many columns a line of the page may take, without its indent.
const width = 104

// wrap breaks text between words.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

func shorten(text string, limit int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit-1]) + "…"
}
