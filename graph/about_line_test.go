package graph

import (
	"strings"
	"testing"
	"time"
)

// Whoever is asked about an answer must see that it goes to somebody else than
// the sender.
func TestQuestionNamesWhereAnswersGo(t *testing.T) {
	t.Parallel()
	const from = `{"subject":"Invoice","from":{"emailAddress":{"name":"Anna Berg","address":"anna@corp.example"}},"replyTo":`
	for replyTo, want := range map[string]string{
		`[]`: "", `[{"emailAddress":{"address":"ANNA@corp.example"}}]`: "",
		`[{"emailAddress":{"address":"mallory@evil.example"}}]`: "replies go to mallory@evil.example",
	} {
		line := aboutMail().line([]byte(from+replyTo+"}"), time.UTC)
		if strings.Contains(line, "replies") != (want != "") || !strings.Contains(line, want) || !strings.HasPrefix(line, "Invoice, from Anna Berg") {
			t.Errorf("%s: %q", replyTo, line)
		}
	}
}
