package halotest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// defaultPage is the page size in the acting agent's settings, which rules
// whenever paging is not switched on properly (research 3.3).
const defaultPage = 50

// listing is a list reply in the making.
type listing struct {
	key     string              // of the rows in the envelope; empty for a bare array
	rows    []Record            // all rows that match
	view    func(Record) Record // how a list shows a row; nil for as it is
	maxPage int                 // the largest page_size honoured; 0 for any
	serves  int                 // rows a page has whatever page_size says; 0 if it is honoured
	unpaged bool                // the endpoint has no paging parameters
	side    Record              // fields of the envelope beside the rows
}

// reply sorts, cuts and wraps a listing as Halo does (3.3, 3.5): pages need
// both pageinate=true and page_no from 1, else the size of the agent's default
// page is returned, and record_count counts what was returned.
func (c *call) reply(l listing) (any, error) {
	rows, err := c.ordered(l.rows)
	if err != nil {
		return nil, err
	}
	total := len(rows)
	idsOnly := c.query.flag("idonly") || c.query.flag("ticketidonly")
	page, hasPage := c.query.number("page_no")
	envelope := Record{}
	switch count, hasCount := c.query.number("count"); {
	case idsOnly: // not compatible with paging: every id
	case !l.unpaged && c.query.flag("pageinate") && hasPage && page >= 1:
		size := l.pageSize(c.query)
		first := total // a page far behind the last is empty, however far
		if page-1 <= total/size {
			first = min(total, (page-1)*size)
		}
		rows = rows[first:min(total, first+min(size, total))]
		envelope["page_no"], envelope["page_size"] = page, size
	case hasCount && count >= 0 && !c.query.flag("pageinate"):
		rows = rows[:min(total, count)]
		total = len(rows)
	case !l.unpaged:
		rows = rows[:min(total, defaultPage)]
		total = len(rows)
	}
	shown := make([]Record, len(rows))
	for i, row := range rows {
		switch {
		case idsOnly:
			shown[i] = row.only("id")
		case l.view != nil:
			shown[i] = l.view(row)
		default:
			shown[i] = row
		}
	}
	if l.key == "" {
		return shown, nil
	}
	envelope["record_count"], envelope[l.key] = total, shown
	return envelope.with(l.side), nil
}

func (l listing) pageSize(q query) int {
	size, ok := q.number("page_size")
	if !ok || size < 1 {
		size = defaultPage
	}
	if l.maxPage > 0 {
		size = min(size, l.maxPage)
	}
	if l.serves > 0 {
		size = l.serves
	}
	return size
}

// ordered sorts by up to five order parameters. A column that does not exist
// breaks Halo's SQL.
func (c *call) ordered(rows []Record) ([]Record, error) {
	rows = slices.Clone(rows)
	for level := 5; level >= 1; level-- { // the first level last: sorting is stable
		suffix := ""
		if level > 1 {
			suffix = strconv.Itoa(level)
		}
		column := c.query.text("order" + suffix)
		if column == "" {
			continue
		}
		if len(rows) > 0 && !slices.ContainsFunc(rows, func(row Record) bool { return row.has(column) }) {
			return nil, brokenQuery("Invalid column name '" + column + "'.")
		}
		sign := 1
		if c.query.flag("orderdesc" + suffix) {
			sign = -1
		}
		slices.SortStableFunc(rows, func(a, b Record) int { return sign * compareValues(a[column], b[column]) })
	}
	return rows, nil
}

func compareValues(a, b any) int {
	x, okX := a.(int)
	y, okY := b.(int)
	if okX && okY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// saved answers a write with the records it saved, in the build's form (3.5).
func (c *call) saved(key string, records []Record) (any, error) {
	switch {
	case c.options.Replies == ReplyEnvelope:
		return Record{key: records}, nil
	case len(records) == 1 && c.options.Replies == ReplyObject:
		return records[0], nil
	}
	return records, nil
}

// single answers a read of one record; some builds wrap it.
func (c *call) single(key string, record Record) (any, error) {
	if c.options.Replies == ReplyEnvelope {
		return Record{key: []Record{record}}, nil
	}
	return record, nil
}

// find returns the row that the path names.
func (c *call) find(t *table, what string) (Record, error) {
	row, ok := t.rows[c.id]
	if !ok {
		return nil, notFound(what, c.id)
	}
	return row, nil
}

// remove deletes the row that the path names.
func (c *call) remove(t *table, what string) (any, error) {
	row, err := c.find(t, what)
	if err != nil {
		return nil, err
	}
	delete(t.rows, c.id)
	return row, nil
}

// each saves the elements of the body in order. Like Halo it stops at the
// first that is refused; what was saved before stays.
func (c *call) each(key string, save func(Record) (Record, error)) (any, error) {
	records := make([]Record, 0, len(c.body))
	for _, element := range c.body {
		record, err := save(element)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	if len(records) == 0 {
		return nil, &failure{http.StatusBadRequest, ErrorMessage, "No records were sent."}
	}
	return c.saved(key, records)
}
