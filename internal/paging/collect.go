package paging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

const (
	// maxBytes bounds the rows of one result, so that a list fits a model's
	// context whatever its rows hold.
	maxBytes = 20_000
	// maxFetches bounds the upstream requests of one call, should a service
	// send empty pages for ever.
	maxFetches = 20
)

// Fetch returns one upstream page. token is "" for the first page; next is ""
// after the last. want is how many rows are still missing. total is the size of
// the whole list, or nil where the service does not tell.
type Fetch[T any] func(ctx context.Context, token string, want int) (rows []T, next string, total *int, err error)

// Query is one call of a listing tool.
type Query struct {
	Scope  string // see [Scope]
	Cursor string // from an earlier result, or ""
	Limit  int    // rows
}

// Collect fetches pages until it has enough rows, reaches the byte budget or
// the end. When a later page fails, the rows before it are returned with the
// reason and a cursor that tries again.
func Collect[T any](ctx context.Context, codec *Codec, q Query, fetch Fetch[T]) (*mcptools.Page[T], error) {
	at, err := codec.open(q.Scope, q.Cursor)
	if err != nil {
		return nil, err
	}
	page := &mcptools.Page[T]{Items: []T{}}
	size := 0
	seen := map[string]bool{at.Token: true}
	for range maxFetches {
		rows, next, total, err := fetch(ctx, at.Token, q.Limit-len(page.Items)+at.Skip)
		if err != nil {
			if len(page.Items) == 0 || errors.Is(err, context.Canceled) {
				return nil, err
			}
			page.Problem = problem(err)
			break
		}
		if total != nil {
			page.Total = total
		}
		taken := 0
		for _, row := range rows[min(at.Skip, len(rows)):] {
			bytes, err := json.Marshal(row)
			if err != nil {
				return nil, fmt.Errorf("paging: row: %w", err)
			}
			if len(page.Items) == q.Limit || len(page.Items) > 0 && size+len(bytes) > maxBytes {
				break
			}
			size += len(bytes)
			page.Items = append(page.Items, row)
			taken++
		}
		if rest := len(rows) - at.Skip - taken; rest > 0 {
			at.Skip += taken
			return finish(codec, q.Scope, page, at)
		}
		if next == "" {
			return page, nil
		}
		if seen[next] {
			page.Problem = "the list stops here; the service sends the same page again and again"
			return page, nil
		}
		seen[next] = true
		at = position{Token: next}
		if len(page.Items) == q.Limit {
			break
		}
	}
	return finish(codec, q.Scope, page, at)
}

func finish[T any](codec *Codec, scope string, page *mcptools.Page[T], at position) (*mcptools.Page[T], error) {
	cursor, err := codec.seal(scope, at)
	if err != nil {
		return nil, err
	}
	page.Cursor = cursor
	return page, nil
}

func problem(err error) string {
	if e, ok := errors.AsType[*mcptools.Error](err); ok {
		return "the list stops here; " + e.Error()
	}
	return "the list stops here; the next page could not be read"
}
