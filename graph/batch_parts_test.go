package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// pipes are a network in memory: who waits for it lets the time of a bubble pass.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// inMemory serves a handler over pipes, and returns the options of its clients.
func inMemory(t *testing.T, handler http.HandlerFunc) Options {
	t.Helper()
	network := &pipes{conns: make(chan net.Conn)}
	server := &httptest.Server{Listener: network, Config: &http.Server{Handler: handler}} //nolint:gosec // it has no other clients
	server.Start()
	t.Cleanup(server.Close)
	base := &http.Transport{DialContext: network.dial}
	t.Cleanup(base.CloseIdleConnections)
	return Options{BaseURL: server.URL, Resilience: resilience.Options{Base: base, Retry: resilience.RetryPolicy{BaseDelay: time.Millisecond}}}
}

// batcher answers batches: each part by a function of how often its path has
// been asked for. It notes which paths each batch asked for.
type batcher struct {
	client  *Client
	batches [][]string
	times   map[string]int
}

func newBatcher(t *testing.T, answer func(path string, nth int) []batchReply) *batcher {
	t.Helper()
	b := &batcher{times: map[string]int{}}
	c, err := New(auth.Static("secret-token"), inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Requests []batchPart `json:"requests"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		var paths []string
		replies := []batchReply{}
		for _, part := range slices.Backward(in.Requests) { // any order will do
			b.times[part.URL]++
			paths = append([]string{part.URL}, paths...)
			for _, reply := range answer(part.URL, b.times[part.URL]) {
				reply.ID, reply.Body = part.ID, json.RawMessage(fmt.Sprintf("%q", part.URL))
				replies = append(replies, reply)
			}
		}
		b.batches = append(b.batches, paths)
		replies = append(replies, batchReply{ID: "nobody's", Status: http.StatusOK})
		if err := json.NewEncoder(w).Encode(map[string]any{"responses": replies}); err != nil {
			t.Error(err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	b.client = c
	return b
}

func one(status int, retryAfter string) []batchReply {
	reply := batchReply{Status: status}
	if retryAfter != "" {
		reply.Headers = map[string]string{"retry-after": retryAfter}
	}
	return []batchReply{reply}
}

func codeOf(err error) mcptools.Code {
	if e, ok := errors.AsType[*mcptools.Error](err); ok {
		return e.Code
	}
	return ""
}

// Each part of a batch is repeated alone, if that is safe, and after its wait.
func TestBatchRepeatsParts(t *testing.T) {
	const read, write, again = "read", "write", "again" // again may be repeated
	kinds := map[string]batchRequest{read: {Method: http.MethodGet}, write: {Method: http.MethodPost}, again: {Method: http.MethodPatch, Repeatable: true}}
	twice := append(one(http.StatusOK, ""), one(http.StatusTooManyRequests, "0")...)
	for name, test := range map[string]struct {
		first []batchReply
		want  map[string]mcptools.Code // by kind; "" for a success at the second attempt
	}{
		"throttled":   {one(429, ""), map[string]mcptools.Code{read: "", write: "", again: ""}},
		"bandwidth":   {one(509, ""), map[string]mcptools.Code{read: "", write: "", again: ""}},
		"unavailable": {one(503, ""), map[string]mcptools.Code{read: "", write: mcptools.CodeUncertain, again: ""}},
		"no status":   {one(0, ""), map[string]mcptools.Code{read: "", write: mcptools.CodeUncertain, again: ""}},
		"late":        {one(504, "0"), map[string]mcptools.Code{read: "", write: mcptools.CodeUncertain, again: ""}},
		"missing":     {nil, map[string]mcptools.Code{read: "", write: mcptools.CodeUncertain, again: ""}},
		"twice":       {twice, map[string]mcptools.Code{read: "", write: mcptools.CodeUncertain, again: ""}},
		"broken":      {one(500, ""), map[string]mcptools.Code{read: mcptools.CodeUnavailable, write: mcptools.CodeUncertain, again: mcptools.CodeUncertain}},
		"refused":     {one(403, ""), map[string]mcptools.Code{read: mcptools.CodePermissionDenied, write: mcptools.CodePermissionDenied, again: mcptools.CodePermissionDenied}},
	} {
		b := newBatcher(t, func(path string, nth int) []batchReply {
			if strings.HasPrefix(path, "/odd/") && nth == 1 {
				return test.first
			}
			return one(http.StatusOK, "")
		})
		for kind, want := range test.want {
			b.batches, b.times = nil, map[string]int{}
			odd, even := kinds[kind], kinds[kind]
			odd.Path, even.Path = "/odd/"+kind, "/even/"+kind
			answers, err := b.client.batch(t.Context(), []batchRequest{even, odd, {Method: http.MethodGet, Path: "/last"}})
			if err != nil {
				t.Fatal(err)
			}
			if codeOf(answers[1].Err) != want || answers[0].Err != nil || answers[2].Err != nil || string(answers[2].Body) != `"/last"` {
				t.Errorf("%s, %s: %v, %v, %v", name, kind, answers[0].Err, answers[1].Err, answers[2].Err)
			}
			batches := [][]string{{even.Path, odd.Path, "/last"}}
			if want == "" {
				batches = append(batches, []string{odd.Path})
			}
			if fmt.Sprint(b.batches) != fmt.Sprint(batches) {
				t.Errorf("%s, %s: the batches were %v", name, kind, b.batches)
			}
		}
	}
}

func TestBatchHasTwentyParts(t *testing.T) {
	b := newBatcher(t, func(string, int) []batchReply { return one(http.StatusOK, "") })
	var requests []batchRequest
	for n := range 45 {
		requests = append(requests, batchRequest{Method: http.MethodGet, Path: fmt.Sprintf("/%d", n)})
	}
	answers, err := b.client.batch(t.Context(), requests)
	if err != nil || len(b.batches) != 3 || len(b.batches[0]) != 20 || len(b.batches[1]) != 20 || len(b.batches[2]) != 5 {
		t.Fatalf("%v, %v", b.batches, err)
	}
	for n, a := range answers {
		if string(a.Body) != fmt.Sprintf("%q", requests[n].Path) {
			t.Errorf("the answer to %d is %s", n, a.Body)
		}
	}
}

// A part waits as long as it was asked to. There is no waiting for longer than
// the caller has or a call should take: then the part says when to try again, and
// the others are done.
func TestBatchWaits(t *testing.T) {
	for name, test := range map[string]struct {
		ask     string
		limit   time.Duration // that the caller has
		batches int
		least   time.Duration
		most    time.Duration
	}{
		"as long as asked":     {"1", time.Minute, 2, time.Second, 20 * time.Second},
		"longer than the call": {"20", 10 * time.Second, 1, 0, 9 * time.Second},
		"longer than sensible": {"120", time.Minute, 1, 0, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBatcher(t, func(path string, nth int) []batchReply {
				if path == "/odd" && nth == 1 {
					return one(http.StatusTooManyRequests, test.ask)
				}
				return one(http.StatusOK, "")
			})
			ctx, cancel := context.WithTimeout(t.Context(), test.limit)
			defer cancel()
			start := time.Now()
			answers, err := b.client.batch(ctx, []batchRequest{{Method: http.MethodPost, Path: "/even"}, {Method: http.MethodPost, Path: "/odd"}})
			if took := time.Since(start); took < test.least || took > test.most {
				t.Errorf("it took %s", took)
			}
			if err != nil || len(b.batches) != test.batches || answers[0].Err != nil || (answers[1].Err == nil) != (test.batches == 2) {
				t.Fatalf("%v, %v, %v", b.batches, err, answers)
			}
			if test.batches == 1 {
				failed, err := failures([]string{"a", "b"}, answers)
				if err != nil || len(failed) != 1 || failed[0].ID != "b" || !strings.HasPrefix(failed[0].Problem, "throttled: ") || !strings.HasSuffix(failed[0].Problem, "; try again in "+test.ask+" s") {
					t.Errorf("%v, %v", failed, err)
				}
			}
		})
	}
}

// When all failed for one reason, that is the error of the call, with the time
// after which all of them may be tried again.
func TestAllPartsThrottled(t *testing.T) {
	b := newBatcher(t, func(path string, _ int) []batchReply {
		return one(http.StatusTooManyRequests, map[string]string{"/a": "60", "/b": "90", "/c": "75"}[path])
	})
	answers, err := b.client.batch(t.Context(), []batchRequest{{Method: http.MethodPost, Path: "/a"}, {Method: http.MethodPost, Path: "/b"}, {Method: http.MethodPost, Path: "/c"}})
	if err != nil {
		t.Fatal(err)
	}
	failed, err := failures([]string{"a", "b", "c"}, answers)
	if e, ok := errors.AsType[*mcptools.Error](err); !ok || e.Code != mcptools.CodeThrottled || e.RetryAfter != 90*time.Second || len(failed) > 0 {
		t.Errorf("%v, %v", failed, err)
	}
}

// Who is throttled together with a part of somebody's batch waits as well.
func TestThrottledPartHoldsOthers(t *testing.T) {
	b := newBatcher(t, func(path string, _ int) []batchReply {
		if path == "/me/messages/odd" {
			return one(http.StatusTooManyRequests, "90")
		}
		return one(http.StatusOK, "")
	})
	answers, err := b.client.batch(t.Context(), []batchRequest{{Method: http.MethodGet, Path: "/me/messages/odd"}, {Method: http.MethodGet, Path: "/me/messages/even"}})
	if err != nil || codeOf(answers[0].Err) != mcptools.CodeThrottled || answers[1].Err != nil {
		t.Fatal(answers, err)
	}
	err = b.client.get(t.Context(), "/me/messages/other", nil, nil, &struct{}{})
	if e, ok := errors.AsType[*mcptools.Error](err); !ok || e.Code != mcptools.CodeThrottled || e.RetryAfter < 80*time.Second || e.RetryAfter > 90*time.Second || len(b.batches) != 1 {
		t.Errorf("%v after %v", err, b.batches)
	}
	// So does another batch, but for what is somebody else's.
	answers, err = b.client.batch(t.Context(), []batchRequest{{Method: http.MethodGet, Path: "/me/messages/third"}, {Method: http.MethodGet, Path: "/users/u/messages/m"}})
	if e, ok := errors.AsType[*mcptools.Error](answers[0].Err); err != nil || !ok || e.Code != mcptools.CodeThrottled || e.RetryAfter < 80*time.Second || answers[1].Err != nil {
		t.Error(answers, err)
	}
	if len(b.batches) != 2 || len(b.batches[1]) != 1 {
		t.Errorf("batches %v", b.batches)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answers, err = b.client.batch(ctx, []batchRequest{{Method: http.MethodPost, Path: "/me/messages/third"}})
	if err != nil || codeOf(answers[0].Err) != mcptools.CodeThrottled || len(b.batches) != 2 {
		t.Error(answers, err)
	}
}

// What was never sent is not done, and an answer that is none is no success: the
// deadline passes during the second of three batches.
func TestDeadlineBetweenBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBatcher(t, func(path string, _ int) []batchReply {
			if path == "/me/messages/20/move" {
				time.Sleep(time.Second)
			}
			return one(http.StatusOK, "")
		})
		var ids []string
		for n := range 60 {
			ids = append(ids, strconv.Itoa(n))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		out, err := b.client.DeleteMail(ctx, DeleteMailInput{IDs: ids})
		if err != nil || out.Done != 20 || len(out.Failed) != 40 {
			t.Fatalf("%+v, %v", out, err)
		}
		for n, failed := range out.Failed {
			want := map[bool]mcptools.Code{true: mcptools.CodeUncertain, false: mcptools.CodeTimeout}[n < 20]
			if failed.ID != ids[20+n] || !strings.HasPrefix(failed.Problem, string(want)+": ") {
				t.Errorf("%d: %+v, want %s", 20+n, failed, want)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(b.batches) != 2 {
			t.Errorf("%d batches were sent", len(b.batches))
		}
	})
}

func TestNoSuccessWithoutAnAnswer(t *testing.T) {
	c := newTestClient(t, "")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, status := range []int{0, 199, 300, http.StatusTooManyRequests} {
			if err := c.excuse(batchRequest{Method: method, Path: "/me/messages"}, batchAnswer{Status: status}); err == nil {
				t.Errorf("%s: status %d is a success", method, status)
			}
		}
	}
	if err := c.excuse(batchRequest{Method: http.MethodPost}, batchAnswer{Status: http.StatusNoContent}); err != nil {
		t.Error(err)
	}
}

// A delay that cannot be meant is the default, as it is to the transport.
func TestBatchWaitsWithANegativeDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBatcher(t, func(_ string, nth int) []batchReply {
			return one(map[bool]int{true: http.StatusTooManyRequests, false: http.StatusOK}[nth == 1], "")
		})
		b.client.options.Resilience.Retry.BaseDelay = -1
		start := time.Now()
		answers, err := b.client.batch(t.Context(), []batchRequest{{Method: http.MethodGet, Path: "/me/messages/m"}})
		if took := time.Since(start); err != nil || answers[0].Err != nil || took < 250*time.Millisecond || took > 500*time.Millisecond {
			t.Errorf("%v, %v after %s", answers, err, took)
		}
	})
}

// A mailbox that is closed is closed for what is repeated, too: whether another
// part of the batch was refused, or another call meanwhile.
func TestRepeatedPartsKeepToTheirMailbox(t *testing.T) {
	const mine, another = "/me/messages/m", "/users/u/messages/m"
	refused := batchRequest{Method: http.MethodPost, Path: "/me/messages/refused/send"} // and not repeated
	for ask, test := range map[string]struct {
		repeated map[string]time.Duration // after the refusal, or less than a second later
		again    time.Duration            // when to try mine again, or 0
	}{
		"40": {map[string]time.Duration{another: 0}, 40 * time.Second},
		"20": {map[string]time.Duration{another: 20 * time.Second, mine: 20 * time.Second}, 0},
	} {
		for _, meanwhile := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s s, meanwhile %v", ask, meanwhile), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					repeated := map[string]time.Duration{}
					var closed time.Time
					b := newBatcher(t, func(path string, nth int) []batchReply {
						switch {
						case path == refused.Path:
							closed = time.Now()
							return one(http.StatusServiceUnavailable, ask)
						case nth == 1:
							return one(http.StatusServiceUnavailable, "")
						}
						repeated[path] += time.Since(closed)
						return one(http.StatusOK, "")
					})
					b.client.options.Resilience.Retry.BaseDelay = 400 * time.Millisecond
					requests := []batchRequest{{Method: http.MethodGet, Path: mine}, {Method: http.MethodGet, Path: another}}
					if meanwhile {
						time.AfterFunc(100*time.Millisecond, func() { _, _ = b.client.batch(t.Context(), []batchRequest{refused}) })
					} else {
						requests = append(requests, refused)
					}
					answers, err := b.client.batch(t.Context(), requests)
					if err != nil || answers[1].Err != nil {
						t.Fatal(answers, err)
					}
					if err := answers[0].Err; (err == nil) != (test.again == 0) || err != nil && (codeOf(err) != mcptools.CodeThrottled || waitOf(err) > test.again || waitOf(err) < test.again-time.Second) {
						t.Errorf("got %v", err)
					}
					for path, want := range test.repeated {
						if got, ok := repeated[path]; !ok || got < want || got >= want+time.Second {
							t.Errorf("%s after %s, want %s", path, got, want)
						}
					}
					if len(repeated) != len(test.repeated) {
						t.Errorf("repeated %v, want %v", repeated, test.repeated)
					}
				})
			})
		}
	}
}
