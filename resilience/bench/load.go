package main

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// workers is how many callers there are at once.
const workers = 64

// patience is how much time a call has.
const patience = 30 * time.Second

// call is one of a worker's calls, in times since the beginning.
type call struct {
	began, took time.Duration
	good        bool
	err         error
}

// get makes a GET and reads its answer.
func get(ctx context.Context, client http.RoundTripper, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return do(client, req)
}

// do sends a request, reads and closes the answer as a good caller does, and
// fails unless it is a 200.
func do(client http.RoundTripper, req *http.Request) error {
	resp, err := client.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return statusError(resp.StatusCode)
	}
	return nil
}

type statusError int

func (e statusError) Error() string { return http.StatusText(int(e)) }

// load calls with 64 workers, each thinking between its calls, until next says
// that there is no further call. Calls are returned in the order of their ends.
func load(client http.RoundTripper, url string, think time.Duration, next func() bool) []call {
	ctx := context.Background()
	begin := time.Now()
	perWorker := make([][]call, workers)
	var all sync.WaitGroup
	for i := range perWorker {
		all.Go(func() {
			for next() {
				began := time.Now()
				err := get(ctx, client, url)
				perWorker[i] = append(perWorker[i], call{began.Sub(begin), time.Since(began), err == nil, err})
				if think > 0 {
					time.Sleep(think)
				}
			}
		})
	}
	all.Wait()
	calls := slices.Concat(perWorker...)
	slices.SortFunc(calls, func(a, b call) int { return int(a.end() - b.end()) })
	return calls
}

func (c call) end() time.Duration { return c.began + c.took }

// percentile of how long calls took; 0 if there are none.
func percentile(calls []call, p float64) time.Duration {
	if len(calls) == 0 {
		return 0
	}
	took := make([]time.Duration, len(calls))
	for i, c := range calls {
		took[i] = c.took
	}
	slices.Sort(took)
	return took[int(p*float64(len(took)-1))]
}

// milliseconds of d, to a hundredth.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

func count(calls []call, when func(call) bool) (n int) {
	for _, c := range calls {
		if when(c) {
			n++
		}
	}
	return n
}
