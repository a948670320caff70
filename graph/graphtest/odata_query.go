package graphtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// query is what the $-options of a request ask for.
type query struct {
	selected  []string
	expanded  []expansion
	filter    *filter
	search    string
	orderBy   []ordering
	top       int // 0: not given
	skip      int
	skipToken string
	count     bool
}

type expansion struct {
	name     string
	selected []string
}

type ordering struct {
	path       string
	value      func(object) any
	descending bool
}

var systemOptions = []string{"$select", "$expand", "$filter", "$search", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$format"}

// checkQuery refuses unknown $-options and notes options that Graph ignores.
func (c *call) checkQuery() error {
	for name, values := range c.r.URL.Query() {
		switch {
		case slices.Contains(systemOptions, name):
			if len(values) > 1 {
				return failf(http.StatusBadRequest, "BadRequest", "Query option '%s' was specified more than once, but it must be specified at most once.", name)
			}
		case strings.HasPrefix(name, "$"):
			c.violate(fakehttp.UnknownQuery, "%s", name)
			return failf(http.StatusBadRequest, "BadRequest", "The query parameter '%s' is not supported.", name)
		case !slices.Contains(c.ownOptions(), name):
			c.violate(fakehttp.SilentlyIgnored, "query option %q", name)
		}
	}
	return nil
}

// ownOptions are the query options without $ that a path knows.
func (c *call) ownOptions() []string {
	switch {
	case strings.HasSuffix(c.route, "/calendarView"), strings.HasSuffix(c.route, "/instances"):
		return []string{"startDateTime", "endDateTime"}
	case strings.HasSuffix(c.route, "/mailFolders"), strings.HasSuffix(c.route, "/childFolders"):
		return []string{"includeHiddenFolders"}
	}
	return nil
}

func (c *call) option(name string) string { return c.r.URL.Query().Get(name) }

// query reads the $-options for rows of these types.
func (c *call) query(kinds ...string) (q query, err error) {
	if q.selected, err = c.selection(c.option("$select"), kinds); err != nil {
		return q, err
	}
	for _, part := range splitOutside(c.option("$expand")) {
		e, err := c.expansion(part, kinds)
		if err != nil {
			return q, err
		}
		q.expanded = append(q.expanded, e)
	}
	if text := c.option("$filter"); text != "" {
		if q.filter, err = parseFilter(text, kinds); err != nil {
			c.violate(fakehttp.UnknownQuery, "$filter: %v", err)
			return q, err
		}
	}
	for _, part := range splitOutside(c.option("$orderby")) {
		o, err := c.ordering(part, kinds)
		if err != nil {
			return q, err
		}
		q.orderBy = append(q.orderBy, o)
	}
	if q.top, err = c.number("$top", 1); err != nil {
		return q, err
	}
	if q.skip, err = c.number("$skip", 0); err != nil {
		return q, err
	}
	q.search, q.skipToken = c.option("$search"), c.option("$skiptoken")
	switch c.option("$count") {
	case "", "false":
	case "true":
		q.count = true
	default:
		return q, c.badOption("$count", "true or false")
	}
	return q, nil
}

func (c *call) badOption(name, want string) error {
	c.violate(fakehttp.WrongKind, "%s must be %s", name, want)
	return failf(http.StatusBadRequest, "BadRequest", "Invalid value '%s' for %s query option found. The %s query option requires %s.", c.option(name), name, name, want)
}

func (c *call) number(name string, least int) (int, error) {
	text := c.option(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, c.badOption(name, "a non-negative integer value")
	}
	return n, nil
}

// selection checks a $select list. A cast prefix is allowed.
func (c *call) selection(text string, kinds []string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "" || name == "*" {
			continue
		}
		types := kinds
		if cast, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(cast, "microsoft.graph.") {
			types, name = []string{strings.TrimPrefix(cast, "microsoft.graph.")}, rest
		}
		p, ok := lookup(typesOf(types), name)
		if !ok || p.Navigation {
			c.violate(fakehttp.UnknownQuery, "$select: %s has no %q", types[0], name)
			return nil, unknownProperty(name, typesOf(types))
		}
		names = append(names, name)
	}
	return names, nil
}

func (c *call) expansion(text string, kinds []string) (expansion, error) {
	name, rest, nested := strings.Cut(strings.TrimSpace(text), "(")
	p, ok := lookup(typesOf(kinds), name)
	if !ok || !p.Navigation {
		c.violate(fakehttp.UnknownQuery, "$expand: %s has no navigation %q", kinds[0], name)
		return expansion{}, unknownProperty(name, typesOf(kinds))
	}
	e := expansion{name: name}
	if nested {
		options := strings.TrimSuffix(rest, ")")
		value, isSelect := strings.CutPrefix(options, "$select=")
		if !isSelect {
			return e, failf(http.StatusBadRequest, "BadRequest", "Only $select is supported in $expand=%s.", name)
		}
		of := []string{p.Kind.Name}
		if p.Kind.Name == "directoryObject" { // the directory looks at what is behind it
			of = append(of, "user", "group", "device")
		}
		var err error
		if e.selected, err = c.selection(value, of); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (c *call) ordering(text string, kinds []string) (ordering, error) {
	path, direction, _ := strings.Cut(strings.TrimSpace(text), " ")
	p := &filterParser{types: typesOf(kinds), filter: &filter{}}
	value, err := p.property(path)
	if err != nil {
		c.violate(fakehttp.UnknownQuery, "$orderby: %s has no %q", kinds[0], path)
		return ordering{}, err
	}
	direction = strings.TrimSpace(direction)
	if direction != "" && direction != "asc" && direction != "desc" {
		c.violate(fakehttp.UnknownQuery, "$orderby: direction %q", direction)
		return ordering{}, failf(http.StatusBadRequest, "BadRequest", "Syntax error in $orderby: '%s'.", text)
	}
	return ordering{path, value.value, direction == "desc"}, nil
}

func typesOf(kinds []string) []*specindex.Type {
	var types []*specindex.Type
	for _, kind := range kinds {
		if t, ok := specindex.Graph().Type(kind); ok {
			types = append(types, t)
		}
	}
	return types
}

// splitOutside splits at the commas that are outside parentheses.
func splitOutside(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i, ch := range text {
		switch ch {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	if start < len(text) {
		parts = append(parts, text[start:])
	}
	return parts
}
