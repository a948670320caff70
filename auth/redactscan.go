package auth

import (
	"strings"
)

// Classes of bytes.
const (
	inWord  = 1 << iota // letters, digits, _ and -: names, and most of a token
	inToken             // what else a token may be written with
	isSpace
	isQuote
	isBreak // may end an unquoted value if another break follows
)

var classes = func() (t [256]uint8) {
	mark := func(chars string, class uint8) {
		for i := range len(chars) {
			t[chars[i]] |= class
		}
	}
	mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", inWord|inToken)
	mark(".~+*!$", inToken)
	mark(" \t\r\n\v\f", isSpace)
	mark("\"'`", isQuote)
	mark(",;()[]{}|", isBreak)
	return t
}()

// longRun is the length from which a run of token characters is looked at.
const longRun = 32

func is(c, class uint8) bool { return classes[c]&class != 0 }

// scanner goes through a text once and copies what is fit to be seen.
type scanner struct {
	s    string
	out  []byte // nil until something was taken out
	done int    // s[:done] is in out, or dropped
}

// scrub returns text without the credentials in it. It is a scanner by hand
// because it runs on every line of a log.
func scrub(text string) string {
	z := scanner{s: text}
	z.run()
	if z.out == nil {
		return text
	}
	return string(append(z.out, text[z.done:]...))
}

// cut replaces s[from:to].
func (z *scanner) cut(from, to int) int {
	if from < z.done {
		from = z.done
	}
	if from >= to {
		return to
	}
	if z.out == nil {
		z.out = make([]byte, 0, len(z.s)+len(redacted))
	}
	z.out = append(z.out, z.s[z.done:from]...)
	if !strings.HasSuffix(string(z.out[max(0, len(z.out)-len(redacted)):]), redacted) || from > z.done {
		z.out = append(z.out, redacted...)
	}
	z.done = to
	return to
}

func (z *scanner) run() {
	s := z.s
	runStart := -1 // of the run of token characters under way
	for i := 0; i < len(s); {
		c := classes[s[i]]
		if c&inWord == 0 {
			if c&inToken == 0 {
				if runStart >= 0 && i-runStart >= longRun {
					if end, cut := z.opaque(runStart, i); cut {
						i, runStart = end, -1
						continue
					}
				}
				runStart = -1
				if s[i] == ':' && strings.HasPrefix(s[i:], "://") {
					i = z.userinfo(i + 3)
					continue
				}
			} else if runStart < 0 {
				runStart = i
			}
			i++
			continue
		}
		if runStart < 0 {
			runStart = i
		}
		start := i
		for i++; i < len(s) && classes[s[i]]&inWord != 0; i++ {
		}
		next := byte(0)
		if i < len(s) {
			next = s[i]
		}
		if end, cut := z.word(start, i, runStart, next); cut {
			i, runStart = end, -1
		}
	}
	if runStart >= 0 && len(s)-runStart >= longRun {
		z.opaque(runStart, len(s))
	}
}

// word looks at s[start:end], which is followed by next, and returns where to
// go on if it took something out.
func (z *scanner) word(start, end, runStart int, next byte) (int, bool) {
	s := z.s
	n := end - start
	switch {
	case n == 1 && next == '.':
		return z.microsoft(start, runStart)
	case mayBeSensitive(s[start:end]):
		if at, cut := z.field(start, end, next); cut {
			return at, true
		}
	}
	switch {
	case n >= 10 && s[start] == '-' && strings.HasPrefix(s[start:end], "-----BEGIN"):
		return z.pem(start)
	case n >= 12:
		if at := strings.Index(s[start:end], "eyJ"); at >= 0 {
			if at != 2 || start == 0 || s[start-1] != '%' { // else they are the digits of an escape
				start, at = runStart, 0
			}
			return z.jwt(start+at, end)
		}
	case n >= 3 && (next == ' ' || next == '%' || next == '+' || next == '\t'):
		return z.scheme(start, end)
	}
	return end, false
}

// tokenEnd returns the end of the run of token characters from i.
func (z *scanner) tokenEnd(i int, more string) int {
	for i < len(z.s) && (is(z.s[i], inToken) || strings.IndexByte(more, z.s[i]) >= 0) {
		i++
	}
	return i
}

// jwt takes out a JSON web token, signed or encrypted: base64url of {" first.
func (z *scanner) jwt(start, end int) (int, bool) {
	to := z.tokenEnd(start, "/=%")
	if to-start < 12 {
		return end, false
	}
	return z.cut(start, to), true
}

// microsoft takes out the refresh tokens and codes of Entra (0.A…, 1.A…) and
// of Microsoft accounts (M.C5…, M.R3…).
func (z *scanner) microsoft(start, runStart int) (int, bool) {
	s, i := z.s, start+2
	if i >= len(s) {
		return start + 1, false
	}
	switch s[start] {
	case '0', '1', '2':
		if s[i] != 'A' {
			return start + 1, false
		}
	case 'M':
		if i+1 >= len(s) || s[i] < 'A' || s[i] > 'Z' || s[i+1] < '0' || s[i+1] > '9' {
			return start + 1, false
		}
	default:
		return start + 1, false
	}
	to := z.tokenEnd(start, "/=%")
	if to-start < 20 {
		return start + 1, false
	}
	return z.cut(runStart, to), true
}

// scheme takes out the credentials after a word such as Bearer (RFC 9110
// section 11.4), but leaves prose and challenges alone.
func (z *scanner) scheme(start, end int) (int, bool) {
	if !schemeWord(z.s[start:end]) {
		return end, false
	}
	s, i := z.s, end
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '+') {
		i++
	}
	for strings.HasPrefix(s[i:], "%20") {
		i += 3
	}
	to := z.tokenEnd(i, "/=%")
	value := strings.TrimRight(s[i:to], ".")
	if len(value) < 6 || wordy(value) && len(value) < 40 {
		return end, false
	}
	if name := strings.IndexByte(value, '='); name >= 0 && name < len(value)-2 || to < len(s) && s[to] == '"' && strings.HasSuffix(value, "=") {
		if name > 0 && wordy(value[:name]) {
			return end, false // a challenge: Bearer error="…"
		}
	}
	return z.cut(i, i+len(value)), true
}

// opaque takes out the run s[start:end] if a part of it looks random.
func (z *scanner) opaque(start, end int) (int, bool) {
	s := z.s
	if knownID(s[start:end]) {
		return end, false
	}
	found := strings.Contains(s[start:end], "Q~") || scattered(s[start:end])
	for part := range strings.SplitSeq(s[start:end], ".") {
		found = found || len(part) >= longRun && randomish(part)
	}
	if !found {
		return end, false
	}
	// The alphabet of base64 has the slash, that of paths too: what is on the
	// other side belongs to it unless it reads like a name.
	for start > z.done && s[start-1] == '/' {
		from := start - 1
		for from > z.done && is(s[from-1], inToken) {
			from--
		}
		if part := s[from : start-1]; part == "" || wordy(part) || strings.Contains(part, ".") {
			break
		}
		start = from
	}
	for end < len(s) && s[end] == '/' {
		to := z.tokenEnd(end+1, "")
		if part := s[end+1 : to]; part == "" || wordy(part) {
			break
		}
		end = to
	}
	for end < len(s) && s[end] == '=' {
		end++
	}
	return z.cut(start, end), true
}

// userinfo takes out what precedes the @ of a URL's authority, which starts
// at i.
func (z *scanner) userinfo(i int) int {
	end := i
	for end < len(z.s) && !is(z.s[end], isSpace|isQuote) && !strings.ContainsRune("/?#<>\\", rune(z.s[end])) {
		end++
	}
	if at := strings.LastIndexByte(z.s[i:end], '@'); at >= 0 {
		return z.cut(i, i+at)
	}
	return i
}

// pem takes out a private key in PEM form; certificates may be seen.
func (z *scanner) pem(start int) (int, bool) {
	const dashes = "-----"
	s := z.s
	head := start + len(dashes)
	tail := strings.Index(s[head:], dashes)
	if tail < 0 || tail > 64 || !strings.HasSuffix(s[head:head+tail], "PRIVATE KEY") {
		return head, false
	}
	body := head + tail + len(dashes)
	end := len(s)
	if at := strings.Index(s[body:], dashes+"END"); at >= 0 {
		end = body + at
	}
	z.cut(body, end)
	return min(end+len(dashes), len(s)), true
}
