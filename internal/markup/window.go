package markup

import (
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
