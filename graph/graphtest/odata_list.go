package graphtest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// item is a row of a list before it is shown.
type item struct {
	props object                  // what $filter and $orderby see
	view  func(prefs) object      // the row as Graph shows it, a fresh copy
	nav   func(string, prefs) any // value of an expanded navigation property; may be nil
}

// listing is a collection and the rules its workload has for queries.
type listing struct {
	kinds    []string // types of the rows
	items    []item
	top      int // page size without $top
	maxTop   int
	defaults []string // properties shown without $select; nil: all
	hidden   []string // properties shown only with $select
	noID     bool     // $select does not bring the id along

	check  func(*call, query) error                     // rules of the workload; may be nil
	search func(text string) (func(object) bool, error) // nil: $search is not supported
	tokens bool                                         // nextLinks carry $skiptoken in place of $skip
}

// list answers a GET of a collection.
func (c *call) list(l listing) (reply, error) {
	q, err := c.query(l.kinds...)
	if err != nil {
		return reply{}, err
	}
	if q.top > l.maxTop {
		c.violate(fakehttp.WrongKind, "$top=%d is over %d", q.top, l.maxTop)
		return reply{}, failf(http.StatusBadRequest, "Request_BadRequest", "Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", q.top, l.maxTop)
	}
	if l.check != nil {
		if err := l.check(c, q); err != nil {
			return reply{}, err
		}
	}
	rows, err := l.rows(c, q)
	if err != nil {
		return reply{}, err
	}
	skip := q.skip
	if q.skipToken != "" {
		if skip, err = parseSkipToken(q.skipToken, c.r.URL); err != nil {
			return reply{}, err
		}
	}
	page := firstPositive(q.top, c.prefs.maxPageSize, l.top)
	if c.opts.PageSize > 0 {
		page = min(page, c.opts.PageSize)
	}
	body := object{"@odata.context": c.context(q)}
	if q.count {
		body["@odata.count"] = len(rows)
	}
	from := min(skip, len(rows))
	to := min(from+page, len(rows))
	values := []object{}
	for _, row := range rows[from:to] {
		values = append(values, l.project(row, q, c.prefs))
	}
	body["value"] = values
	if to < len(rows) {
		body["@odata.nextLink"] = c.nextLink(to, l.tokens || q.search != "")
	}
	return ok(body), nil
}

// rows applies $search, $filter and $orderby.
func (l listing) rows(c *call, q query) ([]item, error) {
	rows := l.items
	if q.search != "" {
		if l.search == nil {
			c.violate(fakehttp.UnknownQuery, "$search is not supported on %s", l.kinds[0])
			return nil, failf(http.StatusBadRequest, "BadRequest", "This query parameter '$search' is not supported here.")
		}
		test, err := l.search(q.search)
		if err != nil {
			c.violate(fakehttp.UnknownQuery, "$search: %v", err)
			return nil, err
		}
		rows = keep(rows, test)
	}
	if q.filter != nil {
		rows = keep(rows, q.filter.match)
	}
	if len(q.orderBy) > 0 {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b item) int {
			for _, by := range q.orderBy {
				order := compareForSort(by.value(a.props), by.value(b.props))
				if by.descending {
					order = -order
				}
				if order != 0 {
					return order
				}
			}
			return 0
		})
	}
	return rows, nil
}

func keep(rows []item, test func(object) bool) []item {
	var kept []item
	for _, row := range rows {
		if test(row.props) {
			kept = append(kept, row)
		}
	}
	return kept
}

// compareForSort puts null first.
func compareForSort(a, b any) int {
	if a == nil || b == nil {
		return btoi(a != nil) - btoi(b != nil)
	}
	order, _ := compareValues(a, b)
	return order
}

// one answers a GET of a single entity, with $select and $expand.
func (c *call) one(l listing, row item) (reply, error) {
	q, err := c.query(l.kinds...)
	if err != nil {
		return reply{}, err
	}
	for _, name := range []string{"$filter", "$top", "$skip", "$orderby", "$search"} {
		if c.option(name) != "" {
			c.violate(fakehttp.SilentlyIgnored, "%s on a single entity", name)
		}
	}
	view := l.project(row, q, c.prefs)
	view["@odata.context"] = c.context(q) + "/$entity"
	return ok(view), nil
}

// project shows the selected properties of a row, and its annotations.
func (l listing) project(row item, q query, p prefs) object {
	p.uniqueBody = slices.Contains(q.selected, "uniqueBody")
	view := row.view(p)
	shown := q.selected
	if len(shown) == 0 {
		shown = l.defaults
	}
	for key := range view {
		switch {
		case strings.HasPrefix(key, "@"), key == "id" && !l.noID:
		case len(shown) == 0 && !slices.Contains(l.hidden, key), slices.Contains(shown, key):
		default:
			delete(view, key)
		}
	}
	for _, e := range q.expanded {
		if row.nav == nil {
			continue
		}
		value := row.nav(e.name, p)
		many, _ := value.([]object)
		if single, isObject := value.(object); isObject {
			many = []object{single}
		}
		for _, o := range many {
			maps.DeleteFunc(o, func(key string, _ any) bool {
				return len(e.selected) > 0 && key != "id" && !strings.HasPrefix(key, "@") && !slices.Contains(e.selected, key)
			})
		}
		if value != nil {
			view[e.name] = value
		}
	}
	return view
}

func (c *call) context(q query) string {
	fields := ""
	if len(q.selected) > 0 {
		fields = "(" + strings.Join(q.selected, ",") + ")"
	}
	path := strings.TrimPrefix(strings.TrimPrefix(c.r.URL.Path, "/v1.0/"), "/")
	if rest, me := strings.CutPrefix(path, "me"); me {
		path = "users('" + c.caller.user + "')" + rest
	}
	return c.URL() + "/$metadata#" + path + fields
}

// nextLink repeats the request from an offset. Mail and calendars page with
// $skip, the directory and searches with an opaque $skiptoken.
func (c *call) nextLink(offset int, token bool) string {
	q := c.r.URL.Query()
	q.Del("$skip")
	q.Del("$skiptoken")
	if token {
		q.Set("$skiptoken", skipToken(offset, c.r.URL))
	} else {
		q.Set("$skip", fmt.Sprint(offset))
	}
	return c.http.URL() + c.r.URL.EscapedPath() + "?" + strings.ReplaceAll(q.Encode(), "%24", "$")
}

// skipToken binds an offset to the path and the options that give it meaning.
func skipToken(offset int, u *url.URL) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d|%s", offset, tokenScope(u)))
}

func tokenScope(u *url.URL) string {
	q := u.Query()
	return guid(u.Path + q.Get("$filter") + "|" + q.Get("$search") + "|" + q.Get("$orderby"))
}

func parseSkipToken(token string, u *url.URL) (int, error) {
	var offset int
	text, err := base64.RawURLEncoding.DecodeString(token)
	number, scope, _ := strings.Cut(string(text), "|")
	if err == nil {
		_, err = fmt.Sscanf(number, "%d", &offset)
	}
	if err != nil || offset < 0 || scope != tokenScope(u) {
		return 0, failf(http.StatusBadRequest, "BadRequest", "The provided skip token is not valid.")
	}
	return offset, nil
}

func firstPositive(values ...int) int {
	for _, v := range values {
		if v > 0 {
			return v
		}
	}
	return 0
}
