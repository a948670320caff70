package mcptools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

type labelled struct {
	N      int            `json:"n,omitempty"`
	Labels []string       `json:"labels,omitempty" default:"[\"a\",\"b\"]"`
	Map    map[string]int `json:"map,omitempty" default:"{\"a\":1}"`
}

// TestConcurrentCalls: calls share schemas, which compile at the first use, and
// defaults, which no function may change for the next call.
func TestConcurrentCalls(t *testing.T) {
	set := mcptools.NewSet(mcptools.Define(goodSpec(), func(_ context.Context, in labelled) (labelled, error) {
		if in.N%3 == 1 {
			in.Labels[0], in.Map["a"] = "changed", 9
		}
		return in, nil
	}))
	var wait sync.WaitGroup
	for n := range 32 {
		wait.Go(func() {
			for range 20 {
				result, err := set.Call(t.Context(), "toy_a", json.RawMessage(fmt.Sprintf(`{"n":"%d"}`, 3*n+3)))
				want := fmt.Sprintf(`{"n":%d,"labels":["a","b"],"map":{"a":1}}`, 3*n+3)
				if err != nil || string(result.Value) != want {
					t.Errorf("got %v, %v; want %s", result, err, want)
				}
				if _, err := set.Call(t.Context(), "toy_a", json.RawMessage(`{"n":1}`)); err != nil {
					t.Error(err)
				}
				if _, err := set.Call(t.Context(), "toy_a", json.RawMessage(`{"n":"x","m":1}`)); err == nil {
					t.Error("a wrong call succeeded")
				}
			}
		})
	}
	wait.Wait()
}
