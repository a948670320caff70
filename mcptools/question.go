package mcptools

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// questionText shows a call to the person who is to approve it. Values come
// from a model that may have been talked into something: each stays on its own
// line, and characters that could disguise it are dropped.
func questionText(spec Spec, args json.RawMessage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)?", spec.Title, spec.Name)
	if warning := warning(spec); warning != "" {
		b.WriteString("\n" + warning)
	}
	tree, _, err := parse(args)
	fields, _ := tree.(map[string]any)
	if err != nil {
		return b.String()
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if b.Len() > 4000 {
			b.WriteString("\n…")
			break
		}
		fmt.Fprintf(&b, "\n%s: %s", name, visible(fields[name], 300))
	}
	return b.String()
}

func warning(spec Spec) string {
	var parts []string
	if spec.Effect == Destructive {
		parts = append(parts, "This cannot be undone.")
	}
	for _, m := range []struct {
		mark Mark
		text string
	}{
		{Outbound, "Other people will see it."},
		{Privileged, "It changes who can do what."},
		{Financial, "It changes what somebody pays."},
		{Secret, "It shows a secret."},
	} {
		if spec.Marks&m.mark != 0 {
			parts = append(parts, m.text)
		}
	}
	return strings.Join(parts, " ")
}

// visible writes a value on one line.
func visible(v any, limit int) string {
	switch v := v.(type) {
	case string:
		line := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r):
				return ' '
			case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: zero width and direction marks
				return -1
			}
			return r
		}, v)
		if len(line) > limit {
			return clip(line, limit) + " (" + sizeOf(len(v)) + ")"
		}
		return line
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			parts = append(parts, visible(item, limit/2))
		}
		return clip(strings.Join(parts, ", "), 4*limit)
	default:
		text, err := marshal(v)
		if err != nil {
			return "?"
		}
		return visible(string(text), limit)
	}
}

// sizeOf writes a number of bytes for people.
func sizeOf(n int) string {
	switch {
	case n < 1<<10:
		return strconv.Itoa(n) + "B"
	case n < 1<<20:
		return strconv.Itoa(n>>10) + "KiB"
	}
	return strconv.Itoa(n>>20) + "MiB"
}
