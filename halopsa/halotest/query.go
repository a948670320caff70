package halotest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// query is the query string of a call. Halo ignores what it does not know and
// what it cannot read (research 3.4); checkQuery records both.
type query url.Values

func (q query) text(name string) string { return url.Values(q).Get(name) }

func (q query) flag(name string) bool { return strings.EqualFold(q.text(name), "true") }

func (q query) number(name string) (int, bool) {
	n, err := strconv.Atoi(q.text(name))
	return n, err == nil
}

// ids returns the comma-joined ids of the parameters, or nil if none is given.
func (q query) ids(names ...string) map[int]bool {
	var ids map[int]bool
	for _, name := range names {
		for part := range strings.SplitSeq(q.text(name), ",") {
			if n, err := strconv.Atoi(strings.TrimSpace(part)); err == nil {
				if ids == nil {
					ids = map[int]bool{}
				}
				ids[n] = true
			}
		}
	}
	return ids
}

// date reads a date. One that cannot be read makes Halo's SQL fail.
func (q query) date(name string) (time.Time, bool, error) {
	text := q.text(name)
	if text == "" {
		return time.Time{}, false, nil
	}
	t, ok := parseTime(text)
	if !ok {
		return t, false, brokenQuery("Conversion failed when converting date and/or time from character string.")
	}
	return t, true, nil
}

// between keeps the rows whose date lies between two parameters.
func (q query) between(field, from, to string) (func(Record) bool, error) {
	start, hasStart, err := q.date(from)
	if err != nil {
		return nil, err
	}
	end, hasEnd, err := q.date(to)
	if err != nil {
		return nil, err
	}
	return func(row Record) bool {
		if !hasStart && !hasEnd {
			return true
		}
		at := row.Time(field)
		return !at.IsZero() && (!hasStart || !at.Before(start)) && (!hasEnd || !at.After(end))
	}, nil
}

// within keeps the rows whose field is one of the ids in the parameters, or
// all rows when none is given.
func (q query) within(field string, names ...string) func(Record) bool {
	ids := q.ids(names...)
	return func(row Record) bool { return ids == nil || ids[row.Int(field)] }
}

// contains keeps the rows that have the parameter's text in one of the fields.
func (q query) contains(name string, fields ...string) func(Record) bool {
	text := strings.ToLower(q.text(name))
	return func(row Record) bool {
		return text == "" || slices.ContainsFunc(fields, func(field string) bool {
			return strings.Contains(strings.ToLower(fmt.Sprint(row[field])), text)
		})
	}
}

// active is the usual pair of parameters: inactive rows are left out unless
// asked for, active ones can be.
func (q query) active() func(Record) bool {
	return func(row Record) bool {
		if row.Bool("inactive") {
			return q.flag("includeinactive") || strings.EqualFold(q.text("activeinactive"), "inactive")
		}
		return !strings.EqualFold(q.text("includeactive"), "false")
	}
}

// idLists are the parameters that are texts and hold ids joined by commas
// (3.4). On /Agent, team is a name.
var idLists = []string{"agent", "agents", "client_ids", "paymentstatuses", "priority", "requesttype", "sla", "status", "team", "teams", "ticketids"}

// checkQuery records what Halo ignores in the query string.
func (c *call) checkQuery() {
	for _, name := range slices.Sorted(maps.Keys(c.query)) {
		values := c.query[name]
		kind, known := c.op.Query[name]
		if !known {
			if name != "tenant" { // needless, but two clients send it and it does no harm
				c.violate(fakehttp.UnknownQuery, name)
			}
			continue
		}
		for _, value := range values {
			if slices.Contains(idLists, name) && c.op.Path != "/Agent" && value != "" && c.query.ids(name) == nil {
				c.violate(fakehttp.SilentlyIgnored, fmt.Sprintf("%s=%s must be numbers joined by commas", name, value))
			}
			if !fits(kind, value) {
				c.violate(fakehttp.WrongKind, fmt.Sprintf("%s=%s must be %s", name, value, kind))
			}
		}
	}
	if _, pages := c.op.Query["page_no"]; !pages {
		return
	}
	_, size := c.query["page_size"]
	_, number := c.query["page_no"]
	if page, ok := c.query.number("page_no"); (size || number) && (!c.query.flag("pageinate") || !ok || page < 1) {
		c.violate(fakehttp.SilentlyIgnored, "page_size and page_no have no effect without pageinate=true and page_no from 1")
	}
}

func fits(kind specindex.HaloKind, value string) bool {
	if value == "" {
		return true
	}
	switch kind {
	case "int":
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil
	case "number":
		_, err := strconv.ParseFloat(value, 64)
		return err == nil
	case "bool":
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case "time":
		_, ok := parseTime(value)
		return ok
	}
	return true
}

// filterTypes are the comparisons of advanced_search by filter_type (3.4).
var filterTypes = map[int]func(have, want string) bool{
	0:  func(have, want string) bool { return slices.Contains(strings.Split(want, ","), have) },
	1:  func(have, want string) bool { return !slices.Contains(strings.Split(want, ","), have) },
	2:  strings.EqualFold,
	3:  func(have, want string) bool { return !strings.EqualFold(have, want) },
	4:  like,
	5:  func(have, want string) bool { return !like(have, want) },
	6:  strings.EqualFold,
	7:  func(have, want string) bool { return compare(have, want) > 0 },
	8:  func(have, want string) bool { return compare(have, want) >= 0 },
	9:  func(have, want string) bool { return compare(have, want) < 0 },
	10: func(have, want string) bool { return compare(have, want) <= 0 },
}

func like(have, want string) bool {
	return strings.Contains(strings.ToLower(have), strings.ToLower(strings.Trim(want, "%")))
}

func compare(have, want string) int {
	a, errA := strconv.ParseFloat(have, 64)
	b, errB := strconv.ParseFloat(want, 64)
	if errA == nil && errB == nil {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(have, want)
}

// advanced reads advanced_search, a JSON array of conditions on fields from a
// whitelist; anything else is a 400 (3.4).
func (c *call) advanced(fields ...string) (func(Record) bool, error) {
	text := c.query.text("advanced_search")
	if text == "" {
		return func(Record) bool { return true }, nil
	}
	if narrowed, ok := c.options.AdvancedSearch[c.op.Path]; ok {
		fields = narrowed
	}
	var conditions []struct {
		Name  string `json:"filter_name"`
		Type  *int   `json:"filter_type"`
		Value any    `json:"filter_value"`
	}
	invalid := refuse(ErrorSentence, "Invalid advanced search parameter")
	if json.Unmarshal([]byte(text), &conditions) != nil {
		return nil, invalid
	}
	for _, condition := range conditions {
		if condition.Type == nil || filterTypes[*condition.Type] == nil || !slices.Contains(fields, condition.Name) {
			return nil, invalid
		}
	}
	return func(row Record) bool {
		for _, condition := range conditions {
			if !filterTypes[*condition.Type](fmt.Sprint(row[condition.Name]), fmt.Sprint(condition.Value)) {
				return false
			}
		}
		return true
	}, nil
}
