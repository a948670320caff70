// Package match finds the one thing that a person or a model means by a name.
package match

import (
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Candidate is something that a name may mean.
type Candidate struct {
	ID   string
	Name string
	Also []string // other exact names, such as an e-mail address
	Note string   // tells candidates of the same name apart
}

const (
	maxListed = 8  // candidates that an error names
	maxName   = 80 // characters of each
)

// One returns the candidate that query names: by id, else by its exact name,
// else, as the only one, by the beginning of its name or of a word in it. Case
// and surrounding space do not count. kind is used in errors, such as "folder".
//
// Errors: CodeAmbiguous with the candidates, or CodeNotFound with what there is.
func One(kind, query string, candidates []Candidate) (Candidate, error) {
	wanted := fold(query)
	if wanted == "" {
		return Candidate{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: must not be empty", kind)
	}
	for _, fits := range []func(Candidate) bool{
		func(c Candidate) bool { return c.ID != "" && c.ID == strings.TrimSpace(query) },
		func(c Candidate) bool {
			return fold(c.Name) == wanted || slices.ContainsFunc(c.Also, func(a string) bool { return fold(a) == wanted })
		},
		// The first word is no better than another: Berg may be Anna Berg or Eva Bergmann.
		func(c Candidate) bool { return strings.Contains(" "+fold(c.Name), " "+wanted) },
	} {
		switch found := filter(candidates, fits); len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return Candidate{}, mcptools.Errorf(mcptools.CodeAmbiguous, "%s %q could be: %s", kind, markup.Preview(query, maxName), list(found)).
				WithHint("call again with one of these ids")
		}
	}
	e := mcptools.Errorf(mcptools.CodeNotFound, "there is no %s %q", kind, markup.Preview(query, maxName))
	if len(candidates) > 0 {
		e.Hint = "there is: " + list(named(candidates))
	}
	return Candidate{}, e
}

func filter(candidates []Candidate, fits func(Candidate) bool) []Candidate {
	var found []Candidate
	for _, c := range candidates {
		if fits(c) {
			found = append(found, c)
		}
	}
	return found
}

// maxID is how long an id may be to be worth listing where a name does.
const maxID = 20

// named returns the candidates without the long ids of those that their name
// tells apart.
func named(candidates []Candidate) []Candidate {
	count := map[string]int{}
	for _, c := range candidates {
		count[fold(c.Name)]++
	}
	out := slices.Clone(candidates)
	for i, c := range out {
		if len(c.ID) > maxID && count[fold(c.Name)] == 1 {
			out[i].ID = ""
		}
	}
	return out
}

func list(candidates []Candidate) string {
	var texts []string
	for _, c := range candidates[:min(len(candidates), maxListed)] {
		// Names are other people's: a line break in one must not begin a new line here.
		var more []string
		if c.ID != "" {
			more = append(more, "id "+c.ID)
		}
		if c.Note != "" {
			more = append(more, markup.Preview(c.Note, maxName))
		}
		text := markup.Preview(c.Name, maxName)
		if len(more) > 0 {
			text += " (" + strings.Join(more, ", ") + ")"
		}
		texts = append(texts, text)
	}
	if more := len(candidates) - maxListed; more > 0 {
		texts = append(texts, "…")
	}
	return strings.Join(texts, "; ")
}

func fold(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }
