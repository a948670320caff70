package mcptools

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong with the arguments of a call.
type Fault struct {
	Path    string // such as "to[1].address"; "" for the arguments as a whole
	Message string
}

// String returns the fault as a model reads it.
func (f Fault) String() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + ": " + f.Message
}

// path is the way to a value: the names of fields and the indexes of items.
type path []string

func (p *path) push(name string) { *p = append(*p, name) }

func (p *path) pop() { *p = (*p)[:len(*p)-1] }

// String writes the path as code would: to[1].address.
func (p path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch _, err := strconv.ParseUint(s, 10, 32); {
		case err == nil:
			b.WriteString("[" + s + "]")
		case b.Len() > 0:
			b.WriteString("." + clip(s, 64))
		default:
			b.WriteString(clip(s, 64))
		}
	}
	return b.String()
}

// clip shortens text from a caller so that it can be repeated to the caller.
func clip(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}

// invalid returns the one error that names every fault, sorted, each once.
func invalid(faults []Fault) *Error {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	faults = slices.Compact(faults)
	more := len(faults) - maxFaults
	texts := make([]string, 0, maxFaults+1)
	for _, f := range faults[:min(len(faults), maxFaults)] {
		texts = append(texts, f.String())
	}
	if more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return &Error{
		Code:    CodeInvalidArguments,
		Message: strings.Join(texts, "; "),
		Hint:    "repair these arguments and call again; nothing was done",
	}
}
