package graph

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// collection is a Graph list as a tool reads it.
type collection struct {
	tool   string // the tool's name, for the cursor
	args   any    // the tool's arguments, for the cursor
	cursor string
	limit  int // rows; the callers fill in their default
	path   string
	query  url.Values
	// moving are parameters that another call computes anew, such as a time
	// relative to now; cursors carry them.
	moving url.Values
	header http.Header
	// unsized says that the path takes no $top.
	unsized bool
	// sparse says that the rows are chosen here and not by Graph, so that a
	// page should be large whatever the limit.
	sparse bool
}

// list collects rows of a Graph list; row turns an element as Graph sends it
// into the row of the result.
func list[W, R any](ctx context.Context, c *Client, l collection, row func(W) R) (*mcptools.Page[R], error) {
	return choose(ctx, c, l, func(element W) (R, bool) { return row(element), true })
}

// choose collects the rows of a Graph list that row keeps.
func choose[W, R any](ctx context.Context, c *Client, l collection, row func(W) (R, bool)) (*mcptools.Page[R], error) {
	identity, err := c.owner(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := paging.Scope(l.tool, identity, l.args)
	if err != nil {
		return nil, err
	}
	fetch := func(ctx context.Context, token string, want int) ([]R, string, *int, error) {
		return fetchPage(ctx, c, l, token, want, row)
	}
	return paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: l.cursor, Limit: l.limit}, fetch)
}

// fetchPage gets one page. The token is what the next link adds to the query.
func fetchPage[W, R any](ctx context.Context, c *Client, l collection, token string, want int, row func(W) (R, bool)) ([]R, string, *int, error) {
	query := url.Values{}
	maps.Copy(query, l.query)
	maps.Copy(query, l.moving)
	if l.sparse {
		want = 100
	}
	if !l.unsized {
		query.Set("$top", strconv.Itoa(min(max(want, 1), 100)))
	}
	if token != "" {
		next, err := url.ParseQuery(token)
		if err != nil {
			return nil, "", nil, &mcptools.Error{Code: mcptools.CodeInternal, Message: "a cursor cannot be read", Err: err}
		}
		maps.Copy(query, next)
	}
	var page struct {
		Value []W    `json:"value"`
		Next  string `json:"@odata.nextLink"`
		Count *int   `json:"@odata.count"`
	}
	request := rest.Request{Method: http.MethodGet, Path: l.path, Query: query, Header: l.header}
	if _, err := c.service.Do(ctx, request, &page); err != nil {
		return nil, "", nil, err
	}
	if page.Value == nil { // not even an empty list: this is no answer to the question
		return nil, "", nil, c.service.Unread(request, nil)
	}
	rows := make([]R, 0, len(page.Value))
	for _, element := range page.Value {
		if r, keep := row(element); keep {
			rows = append(rows, r)
		}
	}
	if page.Next == "" {
		return rows, "", page.Count, nil
	}
	more, err := c.service.Continue(page.Next, l.path, l.query)
	if err != nil {
		return nil, "", nil, err
	}
	return rows, more.Encode(), page.Count, nil
}

// maxPages bounds the pages of a list that is read to its end.
const maxPages = 100

// whole reads a list to its end, or until it has so many rows.
func whole[W any](ctx context.Context, c *Client, l collection, most int) ([]W, error) {
	var all []W
	token := ""
	for range maxPages {
		rows, next, _, err := fetchPage(ctx, c, l, token, l.limit, func(element W) (W, bool) { return element, true })
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); next == "" || len(all) >= most {
			return all, nil
		}
		token = next
	}
	return nil, &mcptools.Error{Code: mcptools.CodeUpstream, Message: c.service.Name + " sends pages of a list without an end"}
}

// get reads one thing.
func (c *Client) get(ctx context.Context, path string, query url.Values, header http.Header, out any) error {
	_, err := c.service.Do(ctx, rest.Request{Method: http.MethodGet, Path: path, Query: query, Header: header}, out)
	return err
}

// send makes a change and decodes the answer into out, unless out is nil.
func (c *Client) send(ctx context.Context, method, path string, body, out any) error {
	_, err := c.service.Do(ctx, rest.Request{Method: method, Path: path, Body: body}, out)
	return err
}

// prefer returns the header for preferences besides that for immutable ids.
func prefer(preferences ...string) http.Header {
	all := append([]string{`IdType="ImmutableId"`}, preferences...)
	return http.Header{"Prefer": {strings.Join(all, ", ")}}
}
