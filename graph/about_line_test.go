package graph

import (
	"fmt"
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
		line := strings.Join(aboutMail(false, "corp.example").lines([]byte(from+replyTo+"}"), time.UTC), "\n")
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
	lines := aboutMail(false, "corp.example").lines([]byte(draft), time.UTC)
	if want := []string{"mail to a@x.example; b@x.example; c@x.example; d@x.example", "a copy to e@x.example", "a blind copy to mallory@evil.example", "version e3b0c442 of its text: "}; len(lines) != 5 || !slices.Equal(lines[1:], want) {
		t.Errorf("%q", lines)
	}
	many := slices.Repeat([]recipient{{}}, 40)
	for i := range many {
		many[i].EmailAddress.Address = "somebody@somewhere.example"
	}
	if line := addressed("mail to ", many, "")[0]; len(line) > 200 || !strings.HasSuffix(line, "; and 35 more") {
		t.Errorf("%q", line)
	}
}

// An answer to all goes to people that the original does not show at a glance;
// outsiders are named before colleagues push them out of sight.
func TestQuestionNamesWhoGetsAnAnswerToAll(t *testing.T) {
	t.Parallel()
	var to []string
	for i := range 20 {
		to = append(to, fmt.Sprintf(`{"emailAddress":{"address":"colleague%d@corp.example"}}`, i))
	}
	to = append(to, `{"emailAddress":{"address":"boss@competitor.example"}}`)
	body := `{"subject":"Group","from":{"emailAddress":{"address":"anna@corp.example"}},"toRecipients":[` + strings.Join(to, ",") + `],"ccRecipients":[{"emailAddress":{"address":"press@paper.example"}}]}`
	lines := aboutMail(true, "corp.example").lines([]byte(body), time.UTC)
	if len(lines) != 3 || lines[0] != "Group, from anna@corp.example" || !strings.HasPrefix(lines[1], "the answer goes to all: boss@competitor.example; colleague0@") ||
		!strings.HasSuffix(lines[1], " more") || len(lines[1]) > 200 || lines[2] != "a copy to press@paper.example" {
		t.Errorf("%q", lines)
	}
}
