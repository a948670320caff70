package graphtest

import (
	"net/http"
	"strings"
	"time"
)

// mailSearch makes the test for a $search expression: KQL in double quotes.
// https://learn.microsoft.com/graph/search-query-parameter
func mailSearch(text string) (func(object) bool, error) {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return nil, failf(http.StatusBadRequest, "BadRequest", "Syntax error: the $search clause must be enclosed in double quotes.")
	}
	return kql(strings.ReplaceAll(strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`), `\\`, `\`))
}

// kqlParser parses the part of the Keyword Query Language that Outlook's users
// need: words, "phrases", property:value, AND, OR, NOT, parentheses.
type kqlParser struct {
	tokens []string
	at     int
}

func kql(text string) (func(object) bool, error) {
	p := &kqlParser{tokens: kqlTokens(text)}
	test, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = badKQL(p.tokens[p.at])
	}
	return test, err
}

func badKQL(at string) error {
	return failf(http.StatusBadRequest, "BadRequest", "Syntax error in the search expression at '%s'.", at)
}

// kqlTokens splits at spaces and parentheses outside quotes.
func kqlTokens(text string) []string {
	var tokens []string
	var word strings.Builder
	quoted := false
	flush := func() {
		if word.Len() > 0 {
			tokens = append(tokens, word.String())
			word.Reset()
		}
	}
	for _, ch := range text {
		switch {
		case ch == '"':
			quoted = !quoted
			word.WriteRune(ch)
		case quoted:
			word.WriteRune(ch)
		case ch == ' ' || ch == '\t':
			flush()
		case ch == '(' || ch == ')':
			flush()
			tokens = append(tokens, string(ch))
		default:
			word.WriteRune(ch)
		}
	}
	flush()
	return tokens
}

func (p *kqlParser) accept(token string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at] == token {
		p.at++
		return true
	}
	return false
}

func (p *kqlParser) or() (func(object) bool, error) {
	left, err := p.and()
	for err == nil && p.accept("OR") {
		var right func(object) bool
		right, err = p.and()
		before := left
		left = func(o object) bool { return before(o) || right(o) }
	}
	return left, err
}

func (p *kqlParser) and() (func(object) bool, error) {
	left, err := p.not()
	for err == nil && p.at < len(p.tokens) && p.tokens[p.at] != "OR" && p.tokens[p.at] != ")" {
		p.accept("AND")
		var right func(object) bool
		right, err = p.not()
		before := left
		left = func(o object) bool { return before(o) && right(o) }
	}
	return left, err
}

func (p *kqlParser) not() (func(object) bool, error) {
	if p.accept("NOT") {
		inner, err := p.not()
		return func(o object) bool { return !inner(o) }, err
	}
	if p.accept("(") {
		inner, err := p.or()
		if err == nil && !p.accept(")") {
			err = badKQL("(")
		}
		return inner, err
	}
	if p.at >= len(p.tokens) || p.tokens[p.at] == ")" {
		return nil, badKQL("end")
	}
	token := p.tokens[p.at]
	p.at++
	if negated, ok := strings.CutPrefix(token, "-"); ok && negated != "" {
		test, err := kqlTerm(negated)
		return func(o object) bool { return !test(o) }, err
	}
	return kqlTerm(token)
}

// kqlTerm makes the test for one word, phrase or property restriction.
func kqlTerm(token string) (func(object) bool, error) {
	if strings.Count(token, `"`)%2 != 0 {
		return nil, badKQL(token)
	}
	i := strings.IndexAny(token, ":<>=")
	if i <= 0 || token[0] == '"' {
		return containsWord(everything, token), nil
	}
	name, value := strings.ToLower(token[:i]), strings.Trim(token[i+1:], `"`)
	op := token[i : i+1]
	if strings.HasPrefix(value, "=") {
		op, value = op+"=", value[1:]
	}
	switch name {
	case "received", "sent":
		return kqlDate(map[string]string{"received": "receivedDateTime", "sent": "sentDateTime"}[name], op, value)
	case "hasattachment", "hasattachments":
		return func(o object) bool { return (o["hasAttachments"] == true) == strings.EqualFold(value, "true") }, nil
	case "isread", "importance":
		field := map[string]string{"isread": "isRead", "importance": "importance"}[name]
		return func(o object) bool { return strings.EqualFold(toText(o[field]), value) }, nil
	}
	if text := kqlFields()[name]; text != nil {
		return containsWord(text, value), nil
	}
	return containsWord(everything, token), nil // an unknown property is searched for as text
}

func kqlFields() map[string]func(object) string {
	people := func(names ...string) func(object) string {
		return func(o object) string {
			var text []string
			for _, name := range names {
				text = append(text, peopleText(o[name]))
			}
			return strings.Join(text, " ")
		}
	}
	return map[string]func(object) string{
		"from": people("from"), "to": people("toRecipients"), "cc": people("ccRecipients"), "bcc": people("bccRecipients"),
		"recipients": people("toRecipients", "ccRecipients", "bccRecipients"), "participants": people("from", "toRecipients", "ccRecipients", "bccRecipients"),
		"subject":    func(o object) string { return textAt(o, "subject") },
		"body":       bodyText,
		"attachment": func(o object) string { return textAt(o, attachmentNames) },
		"category":   func(o object) string { return toText(o["categories"]) },
		"kind":       func(object) string { return "email" },
	}
}

// attachmentNames is the key under which a message keeps the names of its
// attachments for searching; Graph never shows it.
const attachmentNames = "@attachmentNames"

func everything(o object) string {
	return strings.Join([]string{
		textAt(o, "subject"), bodyText(o), textAt(o, attachmentNames),
		peopleText(o["from"]), peopleText(o["toRecipients"]), peopleText(o["ccRecipients"]),
	}, " ")
}

func bodyText(o object) string {
	if textAt(o, "body", "contentType") == "html" {
		return plainText(textAt(o, "body", "content"))
	}
	return textAt(o, "body", "content")
}

func peopleText(value any) string {
	var text []string
	for _, r := range append(elements(value), value) {
		text = append(text, textAt(r, "emailAddress", "name"), textAt(r, "emailAddress", "address"))
	}
	return strings.Join(text, " ")
}

// containsWord tests for a word's beginning, as Exchange's index does: "print"
// finds "printer", but "inter" does not. A trailing * changes nothing.
func containsWord(text func(object) string, word string) func(object) bool {
	word = strings.ToLower(strings.TrimSuffix(strings.Trim(word, `"`), "*"))
	return func(o object) bool {
		rest := strings.ToLower(text(o))
		for {
			i := strings.Index(rest, word)
			if i < 0 {
				return false
			}
			if i == 0 || !isWordByte(rest[i-1]) {
				return true
			}
			rest = rest[i+1:]
		}
	}
}

func isWordByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_' || b >= 0x80
}

// kqlDate compares the day of a date: "=" or ":" means on that day; a range is
// written from..to.
func kqlDate(field, op, value string) (func(object) bool, error) {
	from, to, isRange := strings.Cut(value, "..")
	day, err := kqlDay(from)
	last := day
	if err == nil && isRange {
		last, err = kqlDay(to)
	}
	if err != nil {
		return nil, badKQL(value)
	}
	end := last.AddDate(0, 0, 1)
	return func(o object) bool {
		t, ok := asTime(o[field])
		switch {
		case !ok:
			return false
		case op == ">":
			return !t.Before(end)
		case op == ">=":
			return !t.Before(day)
		case op == "<":
			return t.Before(day)
		case op == "<=":
			return t.Before(end)
		}
		return !t.Before(day) && t.Before(end)
	}, nil
}

func kqlDay(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.Parse("2006-01-02", text); err == nil {
		return t, nil
	}
	return time.Parse("1/2/2006", text)
}
