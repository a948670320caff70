package auth

import "strings"

// pair is a field under the scanner's eye.
type pair struct {
	name    string
	kind    sensitivity
	queried bool // preceded by ? or &, so certainly a parameter
	encoded bool // the separator was percent-encoded, so the next & is too
	assign  bool // written with =
}

// field takes out the value of the field whose name is s[start:end], followed
// by next, however the pair is written: form, JSON (escaped any number of
// times), header, HTML, XML, Go's %v, %+v and %#v, command line.
func (z *scanner) field(start, end int, next byte) (int, bool) {
	s := z.s
	switch next {
	case '=', ':', '"', '\'', '`', '\\', '&', '%', '>', ']', ' ', '\t':
	default:
		return end, false
	}
	p := pair{name: s[start:end]}
	if start > 0 {
		p.trim(s[start-1])
	}
	if p.kind = sensitive(p.name); p.kind == plainField {
		return end, false
	}
	from, ok := z.separator(start, end, &p)
	if !ok {
		if !strings.HasPrefix(s[start:end], "--") || next != ' ' || p.kind == suspectField {
			return end, false
		}
		from, p.assign = end+1, true // a flag: --client-secret value
	}
	return z.value(from, end, p)
}

// trim takes off what an escape before the name has left on it: the hex
// digits of %26, the letter of \n, the u0026 of JSON.
func (p *pair) trim(before byte) {
	p.queried = before == '?' || before == '&' || before == ';'
	switch before {
	case '%':
		for again := true; again && len(p.name) > 2; p.name = p.name[2:] {
			again = p.name[:2] == "25"
			p.queried = true
		}
	case '\\':
		if len(p.name) > 5 && p.name[0] == 'u' && p.name[1:3] == "00" {
			p.name, p.queried = p.name[5:], true
		} else if len(p.name) > 1 && sensitive(p.name[1:]) != plainField {
			p.name = p.name[1:]
		}
	}
	p.name = strings.TrimLeft(p.name, "-")
}

// separator returns where the value of the named field starts.
func (z *scanner) separator(start, end int, p *pair) (int, bool) {
	s, i := z.s, end
	if n := tagEnd(s[i:]); n > 0 {
		return i + n, start > 0 && (s[start-1] == '<' || s[start-1] == ':') ||
			strings.HasSuffix(s[:start], "lt;") || strings.HasPrefix(s[start:], "u003c")
	}
	for i < len(s) {
		n := closer(s[i:])
		if n == 0 {
			break
		}
		i += n
	}
	closed := i > end
	i = skipSpace(s, i)
	if at, ok := assign(s, i, p); ok {
		return at, true
	}
	if !closed && (s[end] != ' ' || i >= len(s) || s[i]|0x20 != 'v') {
		return 0, false
	}
	return z.apart(i, p)
}

// apart finds the value that is given by a second attribute: name="x"
// value="y" in HTML, {"name":"x","value":"y"}, and the part of a multipart
// form.
func (z *scanner) apart(i int, p *pair) (int, bool) {
	s := z.s
	for _, blank := range [...]string{"\r\n\r\n", "\n\n", `\r\n\r\n`, `\n\n`} {
		if strings.HasPrefix(s[i:], blank) {
			return i + len(blank), true
		}
		if back := i - len(blank); back >= 0 && s[back:i] == blank {
			return i, true
		}
	}
	for limit := min(len(s)-5, i+96); i < limit; i++ {
		switch c := s[i]; {
		case c == '>' || c == '<' || c == '}' || c == '{':
			return 0, false
		case c|0x20 == 'v' && strings.EqualFold(s[i:i+5], "value") && (i == 0 || !is(s[i-1], inWord)):
			for i += 5; i < len(s); {
				n := closer(s[i:])
				if n == 0 {
					break
				}
				i += n
			}
			return assign(s, skipSpace(s, i), p)
		}
	}
	return 0, false
}

// assign reads = or : (also =>, and percent-encoded) at s[i:].
func assign(s string, i int, p *pair) (int, bool) {
	if i >= len(s) {
		return 0, false
	}
	switch s[i] {
	case '=':
		p.assign = true
		if i+1 < len(s) && s[i+1] == '>' {
			i++
		}
		return i + 1, true
	case ':':
		return i + 1, true
	case '%':
		at := i + 1
		for strings.HasPrefix(s[at:], "25") {
			at += 2
		}
		if at+2 <= len(s) && s[at] == '3' && (s[at+1]|0x20 == 'd' || s[at+1]|0x20 == 'a') {
			p.encoded = true
			p.assign = s[at+1]|0x20 == 'd'
			return at + 2, true
		}
	}
	return 0, false
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// value takes out the value that starts at i.
func (z *scanner) value(i, end int, p pair) (int, bool) {
	s := z.s
	i = skipTypes(s, skipSpace(s, i))
	if i >= len(s) {
		return i, true
	}
	again := strings.HasPrefix(s[i:], redacted) // this text has been here before
	if again && p.kind != lineField {
		return i + len(redacted), true
	}
	from, to := i, 0
	if n := opener(s[i:]); n > 0 {
		from = i + n
		to = closing(s, from, s[i:from])
	} else if !again && (s[i] == '[' || s[i] == '{') {
		from = i + 1
		to = bracket(s, i)
	} else if p.kind == lineField {
		if again {
			i += len(redacted)
		}
		to = lineEnd(s, i)
	} else {
		to = z.bare(i, p)
	}
	if to <= from || !p.confidential(s[from:to], to < len(s) && s[to] == '&') {
		return end, false
	}
	return z.cut(from, to), true
}

// confidential decides about a value by the name it stands under.
func (p *pair) confidential(value string, another bool) bool {
	switch value {
	case "null", "nil", "<nil>", "true", "false", "undefined", "None", redacted:
		return false
	}
	if p.kind != suspectField {
		return true
	}
	parameter := p.queried || another
	switch strings.ToLower(p.name) {
	case "token":
		value = strings.TrimRight(value, ".,:;")
		return len(value) >= 6 && (!wordy(value) || len(value) >= 32) || parameter
	case "pass":
		return parameter || p.assign && strings.Trim(value, "0123456789.") != ""
	case "code":
		return telling(value) || parameter && len(value) > 3
	}
	return parameter && len(value) >= 16
}

// skipTypes steps over the "(string) (len=3) " of a reflection dump, and the
// "[]string" of Go's own.
func skipTypes(s string, i int) int {
	if strings.HasPrefix(s[i:], "[]") {
		end := i + 2
		for end < len(s) && (is(s[end], inToken) || s[end] == '[' || s[end] == ']') {
			end++
		}
		if end < len(s) && s[end] == '{' {
			return end
		}
	}
	for i < len(s) && s[i] == '(' {
		end := strings.IndexByte(s[i:min(len(s), i+48)], ')')
		if end < 0 || i+end+1 >= len(s) || s[i+end+1] != ' ' {
			break
		}
		i = skipSpace(s, i+end+1)
	}
	return i
}

// lineEnd returns the end of a header's value, in a dump or in one string.
func lineEnd(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '\r', '\n', '"', '`', '<':
			return i
		case '\'', ']':
			if i+1 == len(s) || is(s[i+1], isSpace|isQuote|isBreak) {
				return i
			}
		case '\\':
			if i+1 < len(s) && strings.IndexByte("rn\"'`\\", s[i+1]) >= 0 {
				return i
			}
		}
	}
	return i
}

// bare returns the end of a value without quotes. In doubt it goes on: better
// to take out too much.
func (z *scanner) bare(i int, p pair) int {
	s, from := z.s, i
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case is(c, inToken):
		case is(c, isSpace):
			if !schemeWord(s[from:i]) {
				return i
			}
			from = i // Bearer and what follows it
			i = skipSpace(s, i) - 1
			if i < from {
				return from
			}
		case c == '"' || c == '`' || c == '<':
			return i
		case c == '&':
			if p.assign || p.encoded || entity(s[i:]) > 0 || strings.HasPrefix(s[i:], "&amp;") || strings.HasPrefix(s[i:], "&lt;") {
				return i
			}
		case c == '\\':
			if breaksOff(s[i:]) {
				return i
			}
		case c == '%':
			if p.encoded && (separates(s[i+1:]) || entity(s[i:]) > 0) {
				return i
			}
		case is(c, isBreak) || c == '\'' || c == '>':
			if i+1 == len(s) || is(s[i+1], isSpace|isQuote|isBreak) || s[i+1] == '\\' || s[i+1] == '<' {
				return i
			}
		}
	}
	return i
}

// schemeWord reports whether word is a scheme of HTTP authentication that is
// followed by a credential.
func schemeWord(word string) bool {
	want := ""
	switch len(word) {
	case 3:
		want = "pop"
	case 4:
		want = "dpop"
		if word[0]|0x20 == 'n' {
			want = "ntlm"
		}
	case 5:
		want = "basic"
	case 6:
		want = "bearer"
		if word[0]|0x20 == 'd' {
			want = "digest"
		}
	case 9:
		want = "negotiate"
	}
	return want != "" && word[0]|0x20 == want[0] && strings.EqualFold(word, want)
}
