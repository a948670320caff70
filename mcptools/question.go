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
// about comes from an [Explainer] and holds text of others: the same goes for it.
func questionText(spec Spec, about []string, args json.RawMessage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)?", spec.Title, spec.Name)
	if warning := warning(spec); warning != "" {
		b.WriteString("\n" + warning)
	}
	for i, line := range about {
		if i == maxAbout {
			fmt.Fprintf(&b, "\nIt is about %d more.", len(about)-i)
			break
		}
		b.WriteString("\nIt is about: " + visible(line, 200))
	}
	tree, _, err := parse(args)
	fields, _ := tree.(map[string]any)
	if err != nil {
		return b.String()
	}
	limit := max(40, min(300, 4000/max(1, len(fields)))) // no argument can push another one out of sight
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "\n%s: %s", name, visible(fields[name], limit))
	}
	return b.String()
}

// maxAbout bounds the lines on what a call is about.
const maxAbout = 5

func warning(spec Spec) string {
	var parts []string
	if spec.Effect == Destructive {
		parts = append(parts, "It may be impossible to undo.")
	}
	for _, m := range []struct {
		mark Mark
		text string
	}{
		{Outbound, "Other people may see it."},
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

// listLimit bounds a list in a question. It is generous: the one receiver that
// must not get a mail may be the last of many.
const listLimit = 2000

// visible writes a value on one line of at most about limit bytes, and says how
// much of it is not shown.
func visible(v any, limit int) string {
	switch v := v.(type) {
	case string:
		line := oneLine(v)
		if len(line) > limit {
			return clip(line, limit) + " (" + sizeOf(len(v)) + ")"
		}
		return line
	case []any:
		var line strings.Builder
		each := limit / 2
		limit = max(limit, listLimit)
		for i, item := range v {
			if i > 0 {
				line.WriteString(", ")
			}
			if line.Len() >= limit {
				fmt.Fprintf(&line, "… (%d in all)", len(v))
				break
			}
			line.WriteString(visible(item, each))
		}
		return line.String()
	default:
		text, err := marshal(v)
		if err != nil {
			return "?"
		}
		return visible(string(text), limit)
	}
}

// oneLine drops what could disguise a text: line breaks, runs of space that push
// the rest out of sight, controls, direction marks and invisible characters.
func oneLine(text string) string {
	shown := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\u2800': // the blank braille pattern
			return ' '
		case !unicode.IsGraphic(r),
			unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(shown), " ")
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
