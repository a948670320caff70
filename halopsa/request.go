package halopsa

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// maxPageSize is the most rows of a page: more is answered with fewer.
const maxPageSize = 100

// get reads one thing. Some builds wrap it as {"tickets":[…]}.
func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	response, err := c.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	return decode(unwrap(response.Body), out)
}

// record reads the one record of that id. A service that answers with another,
// or with something that is none, must not have it taken for what was asked:
// the next write would go there.
func (c *Client) record(ctx context.Context, path string, id int, query url.Values, out any) error {
	response, err := c.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	body := unwrap(response.Body)
	var answered struct {
		ID whole `json:"id"`
	}
	if err := decode(body, &answered); err != nil {
		return err
	}
	if int(answered.ID) != id {
		return &mcptools.Error{Code: mcptools.CodeUpstream, Message: "HaloPSA answered with another record than " + strconv.Itoa(id)}
	}
	return decode(body, out)
}

// all reads a list that Halo does not page: a bare array, or an envelope in
// which key names the rows. Envelopes have other arrays too.
func all[W any](ctx context.Context, c *Client, path, key string, query url.Values) ([]W, error) {
	response, err := c.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return nil, err
	}
	rows, _, err := rowsOf[W](response.Body, key)
	return rows, err
}

// collection is a paged Halo list as a tool reads it.
type collection struct {
	tool   string // the tool's name, for the cursor
	args   any    // the tool's arguments, for the cursor
	cursor string
	limit  int // rows; the callers fill in their default
	path   string
	key    string // of the rows in the envelope
	query  url.Values
	size   int // rows of an upstream page; 0 follows limit
}

// list collects rows of a paged list; row turns an element as Halo sends it
// into the row of the result.
func list[W, R any](ctx context.Context, c *Client, l collection, row func(W) R) (*mcptools.Page[R], error) {
	return sift(ctx, c, l, nil, row)
}

// sift is list without the rows that keep, unless it is nil, does not hold for.
// How many rows there are in all is unknown then.
func sift[W, R any](ctx context.Context, c *Client, l collection, keep func(W) bool, row func(W) R) (*mcptools.Page[R], error) {
	scope, err := c.scope(ctx, l.tool, l.args)
	if err != nil {
		return nil, err
	}
	fetch := func(ctx context.Context, token string, want int) ([]R, string, *int, error) {
		at, err := placeOf(token, l, want)
		if err != nil {
			return nil, "", nil, err
		}
		rows, total, err := fetchPage[W](ctx, c, l, at.number, at.size)
		if err != nil {
			return nil, "", nil, err
		}
		shown := make([]R, 0, len(rows))
		for _, r := range rows {
			if keep == nil || keep(r) {
				shown = append(shown, row(r))
			}
		}
		told := total
		if keep != nil {
			told = nil
		}
		at.read += len(rows)
		if isLast(len(rows), at.size, at.read, total) {
			return shown, "", told, nil
		}
		at.number++
		return shown, at.token(), told, nil
	}
	return paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: l.cursor, Limit: l.limit}, fetch)
}

// place is where a paged list goes on. Every page is asked for with the size of
// the first, whatever they hold: the server's page numbers count in that, or in
// a size of its own.
type place struct {
	number, size int // of the next page
	read         int // rows before it
}

func (p place) token() string { return fmt.Sprintf("%d/%d/%d", p.number, p.size, p.read) }

// placeOf reads a page token.
func placeOf(token string, l collection, want int) (place, error) {
	if token == "" {
		return place{number: 1, size: cmp.Or(l.size, min(max(want, 1), maxPageSize))}, nil
	}
	var p place
	if n, err := fmt.Sscanf(token, "%d/%d/%d", &p.number, &p.size, &p.read); n != 3 || err != nil || p.size < 1 {
		return place{}, &mcptools.Error{Code: mcptools.CodeInternal, Message: "a cursor cannot be read"}
	}
	return p, nil
}

// fetchPage gets one page. Halo pages only when pageinate (its spelling) and
// page_no are both there, on the first page too; otherwise it answers with the
// agent's default number of rows, whatever page_size says.
func fetchPage[W any](ctx context.Context, c *Client, l collection, number, size int) ([]W, *int, error) {
	query := url.Values{}
	maps.Copy(query, l.query)
	query.Set("pageinate", "true")
	query.Set("page_no", strconv.Itoa(number))
	query.Set("page_size", strconv.Itoa(size))
	response, err := c.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: l.path, Query: query})
	if err != nil {
		return nil, nil, err
	}
	return rowsOf[W](response.Body, l.key)
}

// extent is how far a list was read.
type extent struct {
	rows  int
	total *int // of the list, where Halo tells
	whole bool
}

// walk calls each for the rows of the first pages of a list.
func walk[W any](ctx context.Context, c *Client, l collection, pages int, each func(W)) (extent, error) {
	var read extent
	for number := 1; number <= pages && !read.whole; number++ {
		rows, total, err := fetchPage[W](ctx, c, l, number, maxPageSize)
		if err != nil {
			return read, err
		}
		for _, row := range rows {
			each(row)
		}
		read.rows += len(rows)
		read.total = total
		read.whole = isLast(len(rows), maxPageSize, read.rows, total)
	}
	return read, nil
}

// isLast reports whether a list ends with a page, after which read rows of it
// are read. The number of records tells, for some lists serve fewer rows than
// asked for, and only where there is none a page that is not as long as was asked
// for. A page without rows is the end either way.
func isLast(rows, size, read int, total *int) bool {
	if rows == 0 || total == nil {
		return rows != size // more are all: such a build does not page
	}
	return read >= *total
}

// rowsOf reads the rows of a list and how many records there are in all.
func rowsOf[W any](body []byte, key string) ([]W, *int, error) {
	var rows []W
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := decode(trimmed, &rows); err != nil {
			return nil, nil, err
		}
		return rows, nil, nil
	}
	var envelope map[string]json.RawMessage
	if err := decode(body, &envelope); err != nil {
		return nil, nil, err
	}
	part, ok := envelope[key]
	if !ok {
		return nil, nil, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "HaloPSA sent a list without its rows"}
	}
	if err := decode(part, &rows); err != nil {
		return nil, nil, err
	}
	var total *int
	if count, ok := envelope["record_count"]; ok {
		if err := decode(count, &total); err != nil {
			return nil, nil, err
		}
	}
	return rows, total, nil
}

// post saves one object. Halo takes an array and answers, depending on the
// build, with the saved object, an array of it or an envelope around that.
func (c *Client) post(ctx context.Context, path string, query url.Values, object, out any) error {
	request := rest.Request{Method: http.MethodPost, Path: path, Query: query, Body: []any{object}}
	response, err := c.service.Send(ctx, request)
	if err != nil {
		return err
	}
	if err := decode(unwrap(response.Body), out); err != nil {
		return c.service.Unread(request, err)
	}
	return nil
}

// unwrap returns the one object in an array or in an envelope such as
// {"tickets":[…]}, or the body itself.
func unwrap(body []byte) []byte {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return body
	}
	if body[0] == '{' {
		var envelope map[string]json.RawMessage
		if rest.Decode(body, &envelope) != nil || len(envelope) != 1 {
			return body
		}
		for _, value := range envelope {
			if inner := bytes.TrimSpace(value); len(inner) > 0 && inner[0] == '[' {
				return unwrap(inner)
			}
		}
		return body
	}
	var elements []json.RawMessage
	if body[0] == '[' && rest.Decode(body, &elements) == nil && len(elements) == 1 {
		return elements[0]
	}
	return body
}

func decode(body []byte, out any) error {
	if err := rest.Decode(body, out); err != nil {
		return &mcptools.Error{Code: mcptools.CodeUpstream, Message: "HaloPSA sent an answer that cannot be read", Err: err}
	}
	return nil
}
