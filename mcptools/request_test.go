package mcptools_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestProgress(t *testing.T) {
	tool := toy("toy_count", func(ctx context.Context) (*word, error) {
		for i := range 3 {
			mcptools.Progress(ctx, float64(i), 3, "counting")
		}
		return &word{"done"}, nil
	})
	if _, err := tool.Call(t.Context(), nil); err != nil {
		t.Fatalf("without MCP: %v", err)
	}
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			got := make(chan float64, 10)
			session := reach(t, way, mcptools.NewSet(tool), &mcp.ClientOptions{
				ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
					if r.Params.Total == 3 && r.Params.Message == "counting" {
						got <- r.Params.Progress
					}
				},
			}, "")
			if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "toy_count"}); err != nil {
				t.Fatal(err)
			}
			params := &mcp.CallToolParams{Name: "toy_count"}
			params.SetProgressToken("token")
			if _, err := session.CallTool(t.Context(), params); err != nil {
				t.Fatal(err)
			}
			var steps []float64
			for range 3 {
				select {
				case step := <-got:
					steps = append(steps, step)
				case <-time.After(5 * time.Second):
					t.Fatalf("got %v only", steps)
				}
			}
			if slices.Sort(steps); !slices.Equal(steps, []float64{0, 1, 2}) || len(got) > 0 {
				t.Errorf("progress %v and %d more; the call without a token must report none", steps, len(got))
			}
		})
	}
}

// TestCancel: a client that gives up stops the function, in every way to reach
// a server.
func TestCancel(t *testing.T) {
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			started, ended := make(chan struct{}), make(chan error, 1)
			tool := toy("toy_wait", func(ctx context.Context) (*word, error) {
				close(started)
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Second):
				}
				ended <- ctx.Err()
				return nil, ctx.Err()
			})
			session := reach(t, way, mcptools.NewSet(tool), nil, "")
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-started
				cancel()
			}()
			if result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "toy_wait"}); err == nil {
				t.Errorf("the cancelled call answered %v", result)
			}
			if err := <-ended; err == nil {
				t.Error("the function was not cancelled")
			}
		})
	}
}

// TestCallerIsOfThisRequest: tokens rotate within a session, and contexts of a
// stateful session belong to the request that opened it.
func TestCallerIsOfThisRequest(t *testing.T) {
	type seen struct{ user, header string }
	var last seen
	tool := toy("toy_whoami", func(ctx context.Context) (*word, error) {
		call := mcptools.CallFrom(ctx)
		last = seen{user: call.UserID(), header: call.Header().Get("Authorization")}
		return &word{}, nil
	})
	for _, c := range []struct {
		way    string
		tokens []string
		users  []string
	}{
		{stateful, []string{"jo.1", "jo.2", "jo.3"}, []string{"jo", "jo", "jo"}},
		{stateless, []string{"jo.1", "jo.2", "sam.1"}, []string{"jo", "jo", "sam"}},
	} {
		t.Run(c.way, func(t *testing.T) {
			tokens := new(bearer)
			tokens.use("jo.0")
			session := open(t, &mcp.StreamableClientTransport{
				Endpoint: serveHTTP(t, c.way, mcptools.NewSet(tool)), DisableStandaloneSSE: true,
				HTTPClient: &http.Client{Transport: tokens},
			}, nil, "")
			for i, token := range c.tokens {
				tokens.use(token)
				if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "toy_whoami"}); err != nil {
					t.Fatal(err)
				}
				if last.user != c.users[i] || last.header != "Bearer "+token {
					t.Errorf("with %s: user %q, header %q", token, last.user, last.header)
				}
			}
		})
	}
	if _, err := tool.Call(t.Context(), nil); err != nil || last.user != "" || last.header != "" {
		t.Errorf("a direct call has a caller: %+v, %v", last, err)
	}
	var outside *mcptools.Call
	if got := mcptools.CallFrom(t.Context()); got != outside || outside.UserID() != "" || outside.Header() != nil {
		t.Errorf("CallFrom outside of a call = %v", got)
	}
}

// TestLargeIntegers: what a float64 cannot hold arrives and leaves as it is.
func TestLargeIntegers(t *testing.T) {
	type number struct {
		N int64 `json:"n"`
	}
	tool := mcptools.Define(mcptools.Spec{Name: "toy_number", Title: "Toy", Toolset: "toy", Description: "Repeat a number."},
		func(_ context.Context, in number) (number, error) { return in, nil })
	session := connect(t, newServer(mcptools.NewSet(tool)), nil, "")
	for _, n := range []int64{1<<53 + 1, -1<<53 - 1, 1<<63 - 1, -1 << 63} {
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "toy_number", Arguments: number{n}})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := textOf(t, result), marshal(t, number{n}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
