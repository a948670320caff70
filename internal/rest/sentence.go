package rest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSentence bounds how much of a service's own words reaches a model.
const maxSentence = 300

// secretive matches what looks like a credential: JSON web tokens and long runs
// without a space that no sentence has.
var secretive = regexp.MustCompile(`(?i)(bearer\s+)?(eyJ[\w-]+\.[\w.-]+|[\w+/=~-]{48,})`)

// Sentence makes a service's own explanation fit to be shown to a model: one
// line, bounded, and without anything that looks like a credential.
func Sentence(text string) string {
	if len(text) > 4*maxSentence {
		text = text[:4*maxSentence]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	text = secretive.ReplaceAllString(strings.Join(strings.Fields(text), " "), "[removed]")
	if len(text) <= maxSentence {
		return text
	}
	cut := maxSentence
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
