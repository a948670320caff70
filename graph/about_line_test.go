package graph

import (
	"slices"
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
		line := strings.Join(aboutMail().lines([]byte(from+replyTo+"}"), time.UTC), "\n")
		if strings.Contains(line, "replies") != (want != "") || !strings.Contains(line, want) || !strings.HasPrefix(line, "Invoice, from Anna Berg") {
			t.Errorf("%s: %q", replyTo, line)
		}
	}
}

// Whoever is asked about a draft must see everybody who gets it, whatever its
// subject and names are like: a question cuts long lines.
func TestQuestionNamesWhoGetsADraft(t *testing.T) {
	t.Parallel()
	party := func(address string) string {
		return `{"emailAddress":{"name":"` + strings.Repeat("名", 60) + `","address":"` + address + `"}}`
	}
	draft := `{"subject":"` + strings.Repeat("名", 250) + `","isDraft":true,"toRecipients":[` + party("a@x.example") + `,` + party("b@x.example") + `,` + party("c@x.example") + `,` + party("d@x.example") +
		`],"ccRecipients":[` + party("e@x.example") + `],"bccRecipients":[` + party("mallory@evil.example") + `]}`
	lines := aboutMail().lines([]byte(draft), time.UTC)
	if want := []string{"mail to a@x.example; b@x.example; c@x.example; d@x.example", "a copy to e@x.example", "a blind copy to mallory@evil.example"}; len(lines) != 4 || !slices.Equal(lines[1:], want) {
		t.Errorf("%q", lines)
	}
	many := slices.Repeat([]recipient{{}}, 40)
	for i := range many {
		many[i].EmailAddress.Address = "somebody@somewhere.example"
	}
	if line := addressed("mail to ", many)[0]; len(line) > 200 || !strings.HasSuffix(line, "; and 35 more") {
		t.Errorf("%q", line)
	}
}
