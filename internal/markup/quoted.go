package markup

import (
	"regexp"
	"slices"
	"strings"
)

// LeftOut stands for a quotation that was cut out of a mail.
const LeftOut = "(quotation left out)"

// Lines with which mail programs begin the quoted history.
var (
	separator    = regexp.MustCompile(`(?i)^[\s*_>\\-]*-{2,}\s*(original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine)\b`)
	introduction = regexp.MustCompile(`(?i)^\s*(on\b.{5,200}\bwrote:|am\b.{5,200}\bschrieb\b.{0,200}:|le\b.{5,200}\ba écrit\s*:)\s*$`)
)

// Lines of a quoted header block. From and To also begin what people write of
// times and places, and a date can be that of a journey.
var (
	fromLine    = regexp.MustCompile(`(?i)^[\s*_]*(from|von|de)\s*:[\s*_]*\S`)
	sentLine    = regexp.MustCompile(`(?i)^[\s*_]*(sent|gesendet|envoyé)\s*:[\s*_]*\S`)
	dateLine    = regexp.MustCompile(`(?i)^[\s*_]*(date|datum)\s*:[\s*_]*\S`)
	subjectLine = regexp.MustCompile(`(?i)^[\s*_]*(subject|betreff|objet)\s*:`)
)

// headerLines are how many lines after the first a header block may have, blank
// ones between them included.
const headerLines = 6

// CutQuoted returns the text without the quoted history in it, for which
// [LeftOut] stands, and whether there was any. What is written below or between
// quoted lines stays, and so does text that is nothing but quotation.
func CutQuoted(text string) (string, bool) {
	lines := strings.Split(text, "\n")
	var kept []string
	cut := false
	for i := 0; i < len(lines); {
		end := endOfHistory(lines, i)
		if end == i && cut && quoted(lines[i]) {
			end = endOfQuotation(lines, i)
		}
		if end == i {
			kept = append(kept, lines[i])
			i++
			continue
		}
		kept = append(kept, "", LeftOut, "")
		cut, i = true, end
	}
	if !cut {
		return text, false
	}
	shorter := settle(strings.Join(kept, "\n"))
	if !saysMore(shorter) {
		return text, false
	}
	return shorter, true
}

// settle removes what parted the text from its quotations, and names those that
// follow each other once.
func settle(text string) string {
	parts := strings.Split("\n"+text+"\n", "\n"+LeftOut+"\n")
	var kept []string
	for i, part := range parts {
		if i < len(parts)-1 {
			part = withoutRule(part)
		}
		if part = strings.Trim(part, "\n"); strings.TrimSpace(part) != "" {
			kept = append(kept, part)
		}
		if i < len(parts)-1 && (len(kept) == 0 || kept[len(kept)-1] != LeftOut) {
			kept = append(kept, LeftOut)
		}
	}
	return strings.Join(kept, "\n\n")
}

// saysMore reports whether there is anything beside quotations.
func saysMore(text string) bool {
	return strings.TrimSpace(strings.ReplaceAll(text, LeftOut, "")) != ""
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

// endOfHistory returns where the history ends that begins at line i; i if none does.
func endOfHistory(lines []string, i int) int {
	if separator.MatchString(lines[i]) || startsHeaders(lines, i) {
		return len(lines)
	}
	if !introduction.MatchString(lines[i]) {
		return i
	}
	switch next := afterBlank(lines, i+1); {
	case next == len(lines) || !quoted(lines[next]):
		return len(lines) // it has no marks of its own
	default:
		return endOfQuotation(lines, next)
	}
}

func startsHeaders(lines []string, i int) bool {
	if !fromLine.MatchString(lines[i]) {
		return false
	}
	block := lines[i+1 : min(i+1+headerLines, len(lines))]
	if slices.ContainsFunc(block, sentLine.MatchString) {
		return true
	}
	return slices.ContainsFunc(block, dateLine.MatchString) &&
		(strings.Contains(lines[i], "@") || slices.ContainsFunc(block, subjectLine.MatchString))
}

func quoted(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, ">") || line == LeftOut
}

// endOfQuotation returns where the quoted lines end that begin at line i.
func endOfQuotation(lines []string, i int) int {
	for i < len(lines) && quoted(lines[i]) {
		i++
		if next := afterBlank(lines, i); next < len(lines) && quoted(lines[next]) {
			i = next
		}
	}
	return i
}

func afterBlank(lines []string, i int) int {
	for i < len(lines) && strings.TrimSpace(lines[i]) == "" {
		i++
	}
	return i
}
