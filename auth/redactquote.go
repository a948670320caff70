package auth

import "strings"

// How quotes, brackets and tags are written: plain, escaped any number of
// times, percent-encoded, in HTML, and one inside the other.

// closer returns the length of the closing quote or bracket that text starts
// with, 0 if there is none.
func closer(text string) int {
	n := slashes(text)
	switch {
	case n == len(text):
		return 0
	case is(text[n], isQuote):
		return n + 1
	case n > 0 && strings.HasPrefix(text[n:], "u0022"):
		return n + 5
	case n > 0 && entity(text) == 0 && entity(text[n:]) > 0:
		return n + entity(text[n:])
	case text[0] == ']':
		return 1
	}
	return entity(text)
}

// slashes counts the backslashes that text starts with.
func slashes(text string) int {
	n := 0
	for n < len(text) && text[n] == '\\' {
		n++
	}
	return n
}

// entity returns the length of an encoded quote (or closing bracket).
func entity(text string) int {
	if text[0] == '%' {
		for _, quote := range [...]string{"%22", "%2522", "%27", "%5D", "%5d"} {
			if strings.HasPrefix(text, quote) {
				return len(quote)
			}
		}
		return 0
	}
	n := ampersand(text)
	if n == 0 {
		return 0
	}
	for _, quote := range [...]string{"quot;", "#34;", "#39;", "apos;", "#x22;", "#x27;"} {
		if strings.HasPrefix(text[n:], quote) {
			return n + len(quote)
		}
	}
	return 0
}

// ampersand returns the length of the & that text starts with, as HTML and
// JSON write it, also one inside the other.
func ampersand(text string) int {
	n := 0
	if text[0] == '&' {
		n = 1
	} else if k := slashes(text); k > 0 && strings.HasPrefix(text[k:], "u0026") {
		n = k + 5
	}
	for n > 0 && strings.HasPrefix(text[n:], "amp;") {
		n += 4
	}
	return n
}

// tagEnd returns the length of the > that text starts with, in HTML, in JSON
// or plain.
func tagEnd(text string) int {
	if text[0] == '>' {
		return 1
	}
	if k := slashes(text); k > 0 && strings.HasPrefix(text[k:], "u003e") {
		return k + 5
	}
	if n := ampersand(text); n > 0 && strings.HasPrefix(text[n:], "gt;") {
		return n + 3
	}
	return 0
}

// opener returns the length of the opening quote that text starts with.
func opener(text string) int {
	if text[0] == ']' || text[0] == '%' && len(text) > 2 && text[2]|0x20 == 'd' {
		return 0
	}
	return closer(text)
}

// closing returns where the quote that was opened by open ends: the end of s
// if it does not. A quote escaped n times over has 2^n-1 backslashes before
// it, and what it contains has more.
func closing(s string, from int, open string) int {
	quote := open[len(open)-1]
	if !is(quote, isQuote) { // an encoded one, which ends with itself
		for i := from; ; {
			at := strings.Index(s[i:], open)
			switch i += at; {
			case at < 0:
				return len(s)
			case i == from || s[i-1] != '\\':
				return i
			}
			i += len(open)
		}
	}
	escapes := len(open) - 1
	for i, count := from, 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			count++
			continue
		case s[i] == quote && (count < escapes || count%(2*(escapes+1)) == escapes):
			return i - count + max(0, count-escapes)
		}
		count = 0
	}
	return len(s)
}

// bracket returns where the bracket at s[i] closes: the end of s if it does
// not.
func bracket(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i
			}
		case '"', '\\':
			if n := opener(s[i:]); n > 0 && i > 0 && strings.IndexByte("[{,: ", s[i-1]) >= 0 {
				i = closing(s, i+n, s[i:i+n]) + n - 1
			}
		}
	}
	return len(s)
}

// breaksOff reports whether text is an escaped quote or ampersand.
func breaksOff(text string) bool {
	rest := strings.TrimLeft(text, `\`)
	return rest != "" && (is(rest[0], isQuote) || entity(rest) > 0) ||
		len(rest) >= 5 && rest[0] == 'u' && (rest[1:5] == "0026" || rest[1:5] == "0022" || strings.EqualFold(rest[1:5], "003c"))
}

// separates reports whether an escape is that of & or #, encoded any number of
// times.
func separates(hex string) bool {
	for strings.HasPrefix(hex, "25") {
		hex = hex[2:]
	}
	return strings.HasPrefix(hex, "26") || strings.HasPrefix(hex, "23")
}
