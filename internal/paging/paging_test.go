package paging_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func newCodec(t testing.TB, key string) *paging.Codec {
	t.Helper()
	codec, err := paging.NewCodec([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

const key = "0123456789abcdef0123456789abcdef"

// numbers is an upstream list of the numbers below n, in pages of size.
func numbers(n, size int) paging.Fetch[int] {
	return func(_ context.Context, token string, _ int) ([]int, string, *int, error) {
		start := 0
		if token != "" {
			var err error
			if start, err = strconv.Atoi(token); err != nil {
				return nil, "", nil, err
			}
		}
		var rows []int
		for i := start; i < min(start+size, n); i++ {
			rows = append(rows, i)
		}
		next := ""
		if start+size < n {
			next = strconv.Itoa(start + size)
		}
		return rows, next, &n, nil
	}
}

func TestCollectReachesEveryRowOnce(t *testing.T) {
	codec := newCodec(t, key)
	for _, c := range []struct{ n, size, limit int }{{0, 5, 3}, {10, 3, 4}, {10, 5, 5}, {10, 10, 3}, {10, 1, 10}, {7, 100, 2}, {100, 7, 13}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var all []int
			cursor := ""
			for calls := 0; ; calls++ {
				page, err := paging.Collect(t.Context(), codec, paging.Query{Scope: "s", Cursor: cursor, Limit: c.limit}, numbers(c.n, c.size))
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Items) > c.limit || page.Problem != "" || *page.Total != c.n {
					t.Fatalf("got %+v", page)
				}
				all = append(all, page.Items...)
				if cursor = page.Cursor; cursor == "" {
					break
				}
				if calls > c.n {
					t.Fatal("the list has no end")
				}
			}
			if len(all) != c.n || !slices.IsSorted(all) || len(slices.Compact(all)) != c.n {
				t.Errorf("got %v", all)
			}
		})
	}
}

func TestCollectStopsAtTheByteBudget(t *testing.T) {
	codec := newCodec(t, "")
	long := func(context.Context, string, int) ([]string, string, *int, error) {
		return []string{strings.Repeat("a", 15_000), strings.Repeat("b", 15_000)}, "", nil, nil
	}
	first, err := paging.Collect(t.Context(), codec, paging.Query{Limit: 10}, long)
	if err != nil || len(first.Items) != 1 || first.Cursor == "" {
		t.Fatalf("got %d rows, %v", len(first.Items), err)
	}
	second, err := paging.Collect(t.Context(), codec, paging.Query{Limit: 10, Cursor: first.Cursor}, long)
	if err != nil || len(second.Items) != 1 || second.Items[0][0] != 'b' || second.Cursor != "" {
		t.Errorf("got %+v, %v", second, err)
	}
}

// A service that sends empty pages for ever does not keep a call for ever.
func TestCollectGivesUpOnEmptyPages(t *testing.T) {
	fetches := 0
	page, err := paging.Collect(t.Context(), newCodec(t, key), paging.Query{Limit: 5}, func(context.Context, string, int) ([]int, string, *int, error) {
		fetches++
		return nil, strconv.Itoa(fetches), nil, nil
	})
	if err != nil || len(page.Items) != 0 || page.Cursor == "" || fetches > 100 {
		t.Errorf("%d fetches, %+v, %v", fetches, page, err)
	}
}

// A service that repeats a page does not fill a result with it.
func TestCollectSeesRepetition(t *testing.T) {
	page, err := paging.Collect(t.Context(), newCodec(t, key), paging.Query{Limit: 50}, func(context.Context, string, int) ([]int, string, *int, error) {
		return []int{1, 2}, "same", nil, nil
	})
	if err != nil || len(page.Items) != 4 || page.Cursor != "" || page.Problem == "" {
		t.Errorf("%+v, %v", page, err)
	}
}

// Nor does one that goes round in a circle.
func TestCollectSeesACircle(t *testing.T) {
	next := map[string]string{"": "a", "a": "b", "b": "c", "c": "a"}
	page, err := paging.Collect(t.Context(), newCodec(t, key), paging.Query{Limit: 50}, func(_ context.Context, token string, _ int) ([]string, string, *int, error) {
		return []string{token}, next[token], nil, nil
	})
	if err != nil || len(page.Items) != 4 || page.Cursor != "" || page.Problem == "" {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestCollectKeepsWhatItHas(t *testing.T) {
	codec := newCodec(t, key)
	broken := true
	fetch := func(ctx context.Context, token string, want int) ([]int, string, *int, error) {
		if token == "4" && broken {
			return nil, "", nil, mcptools.Errorf(mcptools.CodeThrottled, "slow down")
		}
		return numbers(10, 2)(ctx, token, want)
	}
	page, err := paging.Collect(t.Context(), codec, paging.Query{Limit: 9}, fetch)
	if err != nil || !slices.Equal(page.Items, []int{0, 1, 2, 3}) || !strings.Contains(page.Problem, "slow down") {
		t.Fatalf("got %+v, %v", page, err)
	}
	broken = false
	page, err = paging.Collect(t.Context(), codec, paging.Query{Limit: 9, Cursor: page.Cursor}, fetch)
	if err != nil || !slices.Equal(page.Items, []int{4, 5, 6, 7, 8, 9}) {
		t.Errorf("got %+v, %v", page, err)
	}
	_, err = paging.Collect(t.Context(), codec, paging.Query{Limit: 9}, func(context.Context, string, int) ([]int, string, *int, error) {
		return nil, "", nil, context.Canceled
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCursorIsBoundToItsScopeAndKey(t *testing.T) {
	page, err := paging.Collect(t.Context(), newCodec(t, key), paging.Query{Scope: "a", Limit: 2}, numbers(9, 2))
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		codec  *paging.Codec
		scope  string
		cursor string
		works  bool
	}{
		"same key elsewhere": {newCodec(t, key), "a", page.Cursor, true},
		"other key":          {newCodec(t, strings.ToUpper(key)), "a", page.Cursor, false},
		"random key":         {newCodec(t, ""), "a", page.Cursor, false},
		"other scope":        {newCodec(t, key), "b", page.Cursor, false},
		"cut":                {newCodec(t, key), "a", page.Cursor[:len(page.Cursor)-3], false},
		"longer":             {newCodec(t, key), "a", page.Cursor + "AAAA", false},
		"not base64":         {newCodec(t, key), "a", "%%%", false},
	} {
		_, err := paging.Collect(t.Context(), try.codec, paging.Query{Scope: try.scope, Cursor: try.cursor, Limit: 2}, numbers(9, 2))
		if (err == nil) != try.works || err != nil && !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewCodecRefusesShortKeys(t *testing.T) {
	if _, err := paging.NewCodec([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func TestScopeTellsCallsApart(t *testing.T) {
	scope := func(tool, who string, args any) string {
		t.Helper()
		text, err := paging.Scope(tool, who, args)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	seen := []string{scope("a", "b", nil), scope("ab", "", nil), scope("a", "c", nil), scope("a", "b", map[string]int{"x": 1}), scope(`a","b`, "", nil)}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 5 {
		t.Errorf("got %q", seen)
	}
	type input struct {
		Query  string `json:"query"`
		Limit  int    `json:"limit,omitempty"`
		Cursor string `json:"cursor,omitempty"`
	}
	if first, second := scope("a", "b", input{Query: "x"}), scope("a", "b", input{Query: "x", Limit: 5, Cursor: "abc"}); first != second {
		t.Errorf("the second page has another scope: %s, %s", first, second)
	}
	if scope("a", "b", input{Query: "x"}) == scope("a", "b", input{Query: "y"}) {
		t.Error("another query has the same scope")
	}
}

// FuzzCursor: no cursor but our own leads anywhere, and none panics.
func FuzzCursor(f *testing.F) {
	codec := newCodec(f, key)
	page, err := paging.Collect(f.Context(), codec, paging.Query{Scope: "s", Limit: 2}, numbers(9, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(page.Cursor)
	f.Add("AAAAAAAAAAAAAAAAe30")
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		got, err := paging.Collect(t.Context(), codec, paging.Query{Scope: "s", Cursor: cursor, Limit: 2}, numbers(9, 2))
		switch {
		case err != nil:
			if !errors.Is(err, mcptools.CodeInvalidArguments) {
				t.Fatal(err)
			}
		case cursor == "" && got.Items[0] == 0:
		case got.Items[0] != 2: // where the one cursor leads that was made here
			t.Fatalf("the cursor %q leads to %v", cursor, got.Items)
		}
	})
}

func ExampleCollect() {
	codec, err := paging.NewCodec(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := paging.Collect(context.Background(), codec, paging.Query{Scope: "numbers of me", Limit: 4}, numbers(6, 3))
	fmt.Println(page.Items, *page.Total, page.Cursor != "", err)
	page, err = paging.Collect(context.Background(), codec, paging.Query{Scope: "numbers of me", Limit: 4, Cursor: page.Cursor}, numbers(6, 3))
	fmt.Println(page.Items, page.Cursor == "", err)
	// Output:
	// [0 1 2 3] 6 true <nil>
	// [4 5] true <nil>
}
