package graphtest

import "testing"

// FuzzQueries: what comes in a URL may be refused, but must not panic.
func FuzzQueries(f *testing.F) {
	for _, seed := range []string{
		"isRead eq false and (from/emailAddress/address eq 'a''b' or not contains(subject,'x'))", "categories/any(c:c eq 'x')", "a in ('b',",
		"receivedDateTime ge 2026-03-21T00:00:00Z", `"from:anna (a OR b) NOT c received>=2026-01-01..2026-02-01"`, `"\"two words\" -x"`, `"displayName:x" AND "mail:y"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		row := emptyMessage(1)
		if parsed, err := parseFilter(text, []string{"message"}); err == nil {
			parsed.match(row)
		}
		if test, err := mailSearch(text); err == nil {
			test(row)
		}
		if test, err := directorySearch("user")(text); err == nil {
			test(object{"displayName": "x"})
		}
	})
}
