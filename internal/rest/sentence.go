package rest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/msptoolbelt/toolbelt/auth"
)

// maxSentence bounds how much of a service's own words reaches a model.
const maxSentence = 300

// secretive matches what looks like a credential: JSON web tokens, long runs
// without a space that no sentence has (the secrets of Entra have 40 characters).
// queried matches the query of an address, which may hold anything.
var (
	secretive = regexp.MustCompile(`(?i)(bearer\s+)?(eyJ[\w-]+\.[\w.-]+|[\w+/=~-]{40,})`)
	queried   = regexp.MustCompile(`(?i)\b(https?://[^\s?"'<>]*)\?[^\s"'<>]+`)
)

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
	text = queried.ReplaceAllString(strings.Join(strings.Fields(text), " "), "$1?[removed]")
	text = (&auth.Redactor{}).String(text) // what is called a credential, however short
	text = secretive.ReplaceAllString(text, "[removed]")
	if len(text) <= maxSentence {
		return text
	}
	cut := maxSentence
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
