package markup

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Window returns the part of text that begins at offset and has at most limit
// characters, and the offset to go on from, or 0 at the end. Offsets count
// characters, so they hold whatever the encoding.
func Window(text string, offset, limit int) (part string, next int) {
	start := advance(text, max(offset, 0))
	end := advance(text[start:], max(limit, 0)) + start
	if end == len(text) {
		return text[start:], 0
	}
	return text[start:end], max(offset, 0) + max(limit, 0)
}

// advance returns the byte position after n characters.
func advance(text string, n int) int {
	at := 0
	for range n {
		if at == len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// Preview returns the beginning of text on one line, at most limit characters.
func Preview(text string, limit int) string {
	var joined strings.Builder
	for word := range strings.FieldsSeq(text) {
		if joined.Len() > 0 {
			joined.WriteByte(' ')
		}
		joined.WriteString(word)
		if joined.Len() > utf8.UTFMax*max(limit, 0) { // enough, and most of a mail is left
			break
		}
	}
	line := joined.String()
	part, next := Window(line, 0, limit)
	if next == 0 {
		return part
	}
	part, _ = Window(line, 0, limit-1)
	return strings.TrimRight(part, " ") + "…"
}

// quoteStarts match the line with which mail programs begin the quoted history.
var quoteStarts = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^[\s*_>\\-]*-{2,}\s*(original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine)\b`),
	regexp.MustCompile(`(?i)^\s*(on\b.{5,200}\bwrote:|am\b.{5,200}\bschrieb\b.{0,200}:|le\b.{5,200}\ba écrit\s*:)\s*$`),
}

// headerLine matches the first line of a quoted header block, and nextHeader
// one that follows it.
var (
	headerLine = regexp.MustCompile(`(?i)^[\s*_]*(from|von|de)\s*:[\s*_]*\S`)
	nextHeader = regexp.MustCompile(`(?i)^[\s*_]*(sent|date|to|gesendet|datum|an|envoyé|à)\s*:[\s*_]*\S`)
)

// CutQuoted returns the text without the quoted history below it, and whether
// there was any. Text that is nothing but quotation stays.
func CutQuoted(text string) (string, bool) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !startsQuote(lines, i, line) {
			continue
		}
		kept := withoutRule(strings.Join(lines[:i], "\n"))
		if strings.TrimSpace(kept) == "" {
			return text, false
		}
		return kept, true
	}
	return text, false
}

// withoutRule returns the text without the line that parts it from what came
// below, such as "---" or "* * *".
func withoutRule(text string) string {
	for {
		text = strings.TrimRight(text, " \n")
		rest, last := "", text
		if i := strings.LastIndexByte(text, '\n'); i >= 0 {
			rest, last = text[:i], text[i+1:]
		}
		if last == "" || strings.Trim(last, ` -_*\`) != "" {
			return text
		}
		text = rest
	}
}

func startsQuote(lines []string, i int, line string) bool {
	for _, start := range quoteStarts {
		if start.MatchString(line) {
			return true
		}
	}
	if !headerLine.MatchString(line) {
		return false
	}
	return slices.ContainsFunc(lines[i+1:min(i+4, len(lines))], nextHeader.MatchString)
}

// Fit returns the longest beginning of text that, written as a JSON string,
// has at most limit bytes between its quotes.
func Fit(text string, limit int) string {
	size := 0
	for i, r := range text {
		if size += jsonSize(r); size > limit {
			return text[:i]
		}
	}
	return text
}

// JSONSize returns how many bytes text has as a JSON string, between its quotes.
func JSONSize(text string) int {
	size := 0
	for _, r := range text {
		size += jsonSize(r)
	}
	return size
}

func jsonSize(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t':
		return 2
	case r < ' ', r == '\u2028', r == '\u2029', r == utf8.RuneError:
		return 6
	}
	return utf8.RuneLen(r)
}
