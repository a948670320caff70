package rediskv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/msptoolbelt/toolbelt/auth/rediskv"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// A process is started as this test's own binary, with its orders in the
// environment, and answers with a report.
const (
	ordersVariable = "TOOLBELT_REDIS_CHILD"
	lengthVariable = "TOOLBELT_REDIS_SECONDS" // how long the processes run; see proof
)

type orders struct {
	Server, Redis string
	Start         time.Time // of both
	Length        time.Duration
}

type report struct {
	Calls, Failed    int64
	Warnings, Shared int64 // said that it goes on alone, and that it is not alone any more
	Failures         []string
}

func TestMain(m *testing.M) {
	text, child := os.LookupEnv(ordersVariable)
	if !child {
		m.Run()
		return
	}
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(o.run(context.Background())); err != nil {
		panic(err)
	}
}

// run lets 32 workers call without a pause.
func (o *orders) run(ctx context.Context) *report {
	var r report
	client := redis.NewClient(&redis.Options{Addr: o.Redis})
	defer func() { _ = client.Close() }()
	transport, err := resilience.New(resilience.Options{
		Hosts:  []string{o.Server},
		Shared: rediskv.New(client, "toolbelt:"),
		Logger: slog.New(&counter{r: &r}),
	})
	if err != nil {
		panic(err)
	}
	time.Sleep(time.Until(o.Start))
	end := o.Start.Add(o.Length)
	var workers sync.WaitGroup
	var mu sync.Mutex
	for range 32 {
		workers.Go(func() {
			for time.Now().Before(end) {
				atomic.AddInt64(&r.Calls, 1)
				if err := ask(ctx, transport, o.Server); err != nil {
					atomic.AddInt64(&r.Failed, 1)
					mu.Lock()
					if len(r.Failures) < 3 {
						r.Failures = append(r.Failures, err.Error())
					}
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return &r
}

func ask(ctx context.Context, transport http.RoundTripper, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// counter is a log that counts what it is told of the way to Redis.
type counter struct{ r *report }

func (c *counter) Enabled(context.Context, slog.Level) bool { return true }
func (c *counter) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *counter) WithGroup(string) slog.Handler            { return c }
func (c *counter) Handle(_ context.Context, line slog.Record) error {
	switch line.Message {
	case "resilience: shared limits cannot be reached; going on alone":
		atomic.AddInt64(&c.r.Warnings, 1)
	case "resilience: limits are shared again":
		atomic.AddInt64(&c.r.Shared, 1)
	}
	return nil
}

// quota is a server that allows so many requests in each second of its clock.
// Those that it refuses count as well.
type quota struct {
	allow int

	mu                sync.Mutex
	second            int64
	used              int
	accepted, refused int
	first, last       time.Time // request since begin
}

func (q *quota) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	q.mu.Lock()
	q.last = time.Now()
	if q.first.IsZero() {
		q.first = q.last
	}
	if now := q.last.Unix(); now != q.second {
		q.second, q.used = now, 0
	}
	q.used++
	ok := q.used <= q.allow
	if ok {
		q.accepted++
	} else {
		q.refused++
	}
	q.mu.Unlock()
	if !ok {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// figures returns the share of the quota that was used since the last time, or
// the first request, and the share of the requests that were refused.
func (q *quota) figures(t *testing.T, phase string) (used, wasted float64) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	length := q.last.Sub(q.first)
	used = float64(q.accepted) / (float64(q.allow) * length.Seconds())
	wasted = float64(q.refused) / float64(max(q.accepted+q.refused, 1))
	t.Logf("%s: %.1f %% of the quota used, %.1f %% wasted (%d refused) in %v", phase, 100*used, 100*wasted, q.refused, length.Round(time.Second/10))
	q.accepted, q.refused, q.first = 0, 0, q.last
	return used, wasted
}

// processes starts two, and returns a function that waits for their reports.
func processes(t *testing.T, o orders) func() []report {
	t.Helper()
	// The first requests fall into one second of the server's. Where they fall
	// into two, the first reckoning is wrong: TestSharedQuotaOfTwoWindows of
	// package resilience is about that.
	o.Start = time.Now().Truncate(time.Second).Add(1200*time.Millisecond + rand.N(600*time.Millisecond)) //nolint:gosec // tests beside this one
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	commands, outputs := [2]*exec.Cmd{}, [2]bytes.Buffer{}
	for i := range commands {
		commands[i] = exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this binary
		commands[i].Env = append(os.Environ(), ordersVariable+"="+string(text))
		commands[i].Stdout = &outputs[i]
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Until(o.Start))
	return func() []report {
		reports := make([]report, len(commands))
		for i, command := range commands {
			if err := command.Wait(); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(outputs[i].Bytes(), &reports[i]); err != nil {
				t.Fatal(err)
			}
			t.Logf("process %d: %+v", i+1, reports[i])
		}
		return reports
	}
}

// proof returns how long to run. Unless told, that is short, and the machine may
// be busy with other tests, or slow for the race detector: then figures need
// not be what they are by themselves.
func proof(t *testing.T) (length time.Duration, strict bool) {
	t.Helper()
	text := os.Getenv(lengthVariable)
	if text == "" {
		return 8 * time.Second, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n) * time.Second, true
}

// Two processes that share one quota use it up and waste little, from their
// first request on.
func TestTwoProcesses(t *testing.T) {
	redis := real(t)
	q := &quota{allow: 100}
	upstream := httptest.NewServer(q)
	defer upstream.Close()
	length, strict := proof(t)
	reports := processes(t, orders{Server: upstream.URL, Redis: redis.address, Length: length})()
	used, wasted := q.figures(t, "together")
	least, most := 0.4, 0.25
	if strict {
		least, most = 0.9, 0.08
	}
	if used < least || wasted > most {
		t.Errorf("want at least %.0f %% used, at most %.0f %% wasted", 100*least, 100*most)
	}
	for i, r := range reports {
		if r.Failed > 0 || r.Calls < 10*int64(length.Seconds()) || strict && r.Warnings > 0 {
			t.Errorf("process %d: %d of %d calls failed, %d warnings", i+1, r.Failed, r.Calls, r.Warnings)
		}
	}
}

// Redis goes while they run: no call fails. When it is back, they share again.
func TestTwoProcessesWithoutRedis(t *testing.T) {
	for name, fault := range map[string]struct{ begin, end func(*server, *testing.T) }{
		"killed":  {(*server).kill, (*server).start}, // it comes back empty
		"hanging": {(*server).stop, (*server).resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := real(t)
			q := &quota{allow: 100}
			upstream := httptest.NewServer(q)
			defer upstream.Close()
			length, strict := proof(t)
			wait := processes(t, orders{Server: upstream.URL, Redis: redis.address, Length: length})
			phase := func(name string, sixteenths time.Duration) (used, wasted float64) {
				time.Sleep(length * sixteenths / 16)
				return q.figures(t, name)
			}
			phase("together", 4)
			fault.begin(redis, t)
			phase("alone", 4)
			fault.end(redis, t)
			phase("finding each other", 4)
			used, wasted := phase("together again", 4)
			if used < 0.3 || wasted > 0.25 || strict && (used < 0.8 || wasted > 0.08) {
				t.Error("not together again")
			}
			for i, r := range wait() {
				if r.Failed > 0 {
					t.Errorf("process %d: %d calls failed", i+1, r.Failed)
				}
				if r.Warnings == 0 || r.Warnings != r.Shared || strict && r.Warnings > 1 {
					t.Errorf("process %d warned %d times, and said %d times that limits are shared again", i+1, r.Warnings, r.Shared)
				}
			}
		})
	}
}
