package halotest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is one JSON object of Halo's, such as a ticket or an action, with the
// field names of the wire. Whole numbers are int, others float64.
type Record map[string]any

// Int returns a whole number, or 0 when the field is absent or of another kind.
func (r Record) Int(field string) int {
	switch value := r[field].(type) {
	case int:
		return value
	case float64:
		return int(value)
	case decimal:
		return int(value)
	case string:
		n, _ := strconv.Atoi(value) // 0 for anything else, as documented
		return n
	}
	return 0
}

// Float returns a number, or 0.
func (r Record) Float(field string) float64 {
	switch value := r[field].(type) {
	case float64:
		return value
	case decimal:
		return float64(value)
	}
	return float64(r.Int(field))
}

// String returns a text, or "".
func (r Record) String(field string) string {
	value, _ := r[field].(string)
	return value
}

// Bool returns a truth value, or false.
func (r Record) Bool(field string) bool {
	value, _ := r[field].(bool)
	return value
}

// Time returns a point in time in UTC, or the zero time when the field is
// absent, or 1900-01-01 or earlier, which is how Halo says "none".
func (r Record) Time(field string) time.Time {
	t, ok := parseTime(r.String(field))
	if !ok || t.Year() <= 1900 {
		return time.Time{}
	}
	return t
}

// List returns the objects in an array, or nil.
func (r Record) List(field string) []Record {
	switch values := r[field].(type) {
	case []Record:
		return values
	case []any:
		var list []Record
		for _, value := range values {
			if object, ok := value.(Record); ok {
				list = append(list, object)
			}
		}
		return list
	}
	return nil
}

func (r Record) has(field string) bool {
	_, ok := r[field]
	return ok
}

// with returns a copy of r with the fields of others laid over it. Records in
// the store are never changed in place, so that a reply can be encoded while
// the next request is handled.
func (r Record) with(others ...Record) Record {
	out := maps.Clone(r)
	if out == nil {
		out = Record{}
	}
	for _, other := range others {
		maps.Copy(out, other)
	}
	return out
}

// only returns the named fields of r, as far as it has them.
func (r Record) only(fields ...string) Record {
	out := make(Record, len(fields))
	for _, field := range fields {
		if value, ok := r[field]; ok {
			out[field] = value
		}
	}
	return out
}

// without returns r without the named fields.
func (r Record) without(fields ...string) Record {
	out := maps.Clone(r)
	for _, field := range fields {
		delete(out, field)
	}
	return out
}

// table is the rows of one entity by id.
type table struct {
	rows map[int]Record
	last int
}

// newTable returns a table of rows that all have an id.
func newTable(rows ...Record) *table {
	t := &table{rows: make(map[int]Record, len(rows))}
	for _, row := range rows {
		t.put(row)
	}
	return t
}

func (t *table) put(row Record) {
	t.rows[row.Int("id")] = row
	t.last = max(t.last, row.Int("id"))
}

// add gives a row the next id and stores it.
func (t *table) add(row Record) Record {
	row = row.with(Record{"id": t.last + 1})
	t.put(row)
	return row
}

// all returns the rows in the order of their ids.
func (t *table) all() []Record {
	ids := slices.Sorted(maps.Keys(t.rows))
	rows := make([]Record, len(ids))
	for i, id := range ids {
		rows[i] = t.rows[id]
	}
	return rows
}

// where returns the rows that all conditions hold for, in the order of ids.
func (t *table) where(conditions ...func(Record) bool) []Record {
	return filter(t.all(), conditions...)
}

func filter(rows []Record, conditions ...func(Record) bool) []Record {
	kept := make([]Record, 0, len(rows))
	for _, row := range rows {
		if !slices.ContainsFunc(conditions, func(holds func(Record) bool) bool { return !holds(row) }) {
			kept = append(kept, row)
		}
	}
	return kept
}

// named finds a row by the text in a field, ignoring case.
func (t *table) named(field, name string) (Record, bool) {
	for _, row := range t.all() {
		if name != "" && strings.EqualFold(row.String(field), name) {
			return row, true
		}
	}
	return nil, false
}

// copies are rows that the caller may change.
func copies(rows []Record) []Record {
	out := make([]Record, len(rows))
	for i, row := range rows {
		out[i] = row.with()
	}
	return out
}

// decimal is a whole number that Halo writes as 21.0: the site_id of users and
// the client_id of sites are described as floating point. Sent back like that
// it is refused (research 3.6).
type decimal float64

// MarshalJSON writes one decimal.
func (d decimal) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d), 'f', 1, 64), nil
}

// none is how Halo writes an empty date.
const none = "1900-01-01T00:00:00"

// Other fields have other empty dates: the first day of SQL Server's old
// calendar, and of .NET's.
const (
	noFixDate = "1899-12-30T00:00:00"
	never     = "0001-01-01T00:00:00"
)

// stamp formats a time as most of Halo's fields have it: seven digits of a
// second or none.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }

// local formats a time without a zone, as some of Halo's fields have it. It is
// UTC all the same.
func local(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// plain turns decoded JSON into records, ints and floats.
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(Record, len(value))
		for name, field := range value {
			out[name] = plain(field)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, element := range value {
			out[i] = plain(element)
		}
		return out
	case json.Number:
		if n, err := strconv.Atoi(value.String()); err == nil {
			return n
		}
		f, _ := value.Float64() // the decoder accepted it as a number
		return f
	}
	return value
}
