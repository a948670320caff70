package rest

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// maxSegment bounds an id; the longest known ones, of mail, have about 200
// characters.
const maxSegment = 1024

// Path fills the {} of a template with ids, each as exactly one segment:
//
//	Path("/users/{}/messages/{}", user, message)
//
// Ids come from models. One that is empty, "." or "..", or that has a slash, a
// backslash or a control character, would turn "delete this message" into
// "delete this mailbox"; it is refused as an invalid argument.
func Path(template string, ids ...string) (string, error) {
	parts := strings.Split(template, "{}")
	if len(parts) != len(ids)+1 {
		panic(fmt.Sprintf("rest: %d ids for %q", len(ids), template))
	}
	var b strings.Builder
	b.WriteString(parts[0])
	for i, id := range ids {
		if err := checkSegment(id); err != nil {
			return "", err
		}
		b.WriteString(url.PathEscape(id))
		b.WriteString(parts[i+1])
	}
	return b.String(), nil
}

func checkSegment(id string) error {
	reason := ""
	switch {
	case id == "":
		reason = "is empty"
	case strings.Trim(id, ". \u00a0") == "": // some servers drop dots and spaces from the end of a segment
		reason = "is a relative path"
	case len(id) > maxSegment:
		reason = "is too long"
	case !utf8.ValidString(id):
		reason = "is not valid UTF-8"
	case strings.ContainsAny(id, `/\`):
		reason = "has a slash"
	case strings.ContainsFunc(id, unicode.IsControl):
		reason = "has a control character"
	default:
		return nil
	}
	return mcptools.Errorf(mcptools.CodeInvalidArguments, "an id %s", reason).
		WithHint("use an id exactly as another call returned it")
}
