package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type check struct {
	name    string
	measure func(client) (string, error)
}

func checks(callers int) []check {
	return []check{
		{fmt.Sprintf("%d cold callers, 200 ms endpoint: requests", callers), func(c client) (string, error) { return herd(c, callers, 200*time.Millisecond, nil) }},
		{fmt.Sprintf("%d callers, endpoint refuses after 20 ms: requests, slowest caller", callers), func(c client) (string, error) { return herd(c, callers, 20*time.Millisecond, refuse) }},
		{"renewal under load, 800 ms endpoint: slowest call", renewal},
		{"50 ms deadline while another caller fetches (3 s): returns after", deadline},
		{"307 from the token endpoint: secret sent on / evil token used", redirected},
		{"secret or token in the error: HTML echo / JSON echo / truncated", echoes},
		{"answer of 200 MiB: bytes taken", flooded},
		{"cached token, 1 goroutine", func(c client) (string, error) { return cached(c, false) }},
		{"cached token, 8 goroutines", func(c client) (string, error) { return cached(c, true) }},
	}
}

// with opens a client to a fresh server.
func with(c client, delay time.Duration, answer func(http.ResponseWriter, *http.Request), use func(*server, token) (string, error)) (string, error) {
	s := serve(c.life, delay)
	defer s.local.Close()
	s.answer = answer
	get, closeIt, err := c.open(s.client())
	if err != nil {
		return "", err
	}
	defer closeIt()
	return use(s, get)
}

// herd lets many callers ask at once.
func herd(c client, callers int, delay time.Duration, answer func(http.ResponseWriter, *http.Request)) (string, error) {
	if answer == nil {
		c.life = 3600
	}
	return with(c, delay, answer, func(s *server, get token) (string, error) {
		var all sync.WaitGroup
		took, start := make([]time.Duration, callers), make(chan struct{})
		for i := range callers {
			all.Go(func() {
				<-start
				began := time.Now()
				_, _ = get(context.Background()) // counted by the server
				took[i] = time.Since(began)
			})
		}
		close(start)
		all.Wait()
		if answer == nil {
			return fmt.Sprint(s.requests.Load()), nil
		}
		return fmt.Sprintf("%d, %s", s.requests.Load(), round(slices.Max(took))), nil
	})
}

// renewal calls all the time while the token has to be renewed.
func renewal(c client) (string, error) {
	return with(c, 800*time.Millisecond, nil, func(_ *server, get token) (string, error) {
		first, err := get(context.Background())
		if err != nil {
			return "", err
		}
		var all sync.WaitGroup
		var slowest atomic.Int64
		var renewed atomic.Bool
		until := time.Now().Add(4200 * time.Millisecond) // ours is due after 2.5 s, and a tenth of that later at most
		for range 8 {
			all.Go(func() {
				for time.Now().Before(until) {
					began := time.Now()
					t, err := get(context.Background())
					took := int64(time.Since(began))
					for old := slowest.Load(); took > old && !slowest.CompareAndSwap(old, took); old = slowest.Load() {
					}
					if err == nil && t != first {
						renewed.Store(true)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		if !renewed.Load() {
			return "not renewed", nil
		}
		return round(time.Duration(slowest.Load())), nil
	})
}

// deadline asks with little time while somebody else's request is under way.
func deadline(c client) (string, error) {
	return with(c, 3*time.Second, nil, func(_ *server, get token) (string, error) {
		var first sync.WaitGroup
		first.Go(func() { _, _ = get(context.Background()) })
		time.Sleep(100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, _ = get(ctx)
		took := time.Since(began)
		first.Wait()
		return round(took), nil
	})
}

func redirected(c client) (string, error) {
	return with(c, 0, redirect, func(s *server, get token) (string, error) {
		t, _ := get(context.Background())
		return yes(s.evil.Load()) + " / " + yes(t == "evil"), nil
	})
}

func echoes(c client) (string, error) {
	var cells []string
	for _, answer := range []func(http.ResponseWriter, *http.Request){echoHTML, echoJSON, truncate} {
		cell, err := with(c, 0, answer, func(_ *server, get token) (string, error) {
			_, err := get(context.Background())
			if err == nil {
				return "", errNone
			}
			text := fmt.Sprintf("%v %+v", err, err)
			return yes(strings.Contains(text, "bench8Q") || strings.Contains(text, "live8Q")), nil
		})
		if err != nil {
			return "", err
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, " / "), nil
}

func flooded(c client) (string, error) {
	var sent atomic.Int64
	return with(c, 0, flood(200<<20, &sent), func(s *server, get token) (string, error) {
		_, _ = get(context.Background())
		s.local.CloseClientConnections()
		return fmt.Sprintf("%d MiB", sent.Load()>>20), nil
	})
}

func cached(c client, parallel bool) (string, error) {
	c.life = 3600
	return with(c, 0, nil, func(_ *server, get token) (string, error) {
		ctx := context.Background()
		if _, err := get(ctx); err != nil {
			return "", err
		}
		result := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			if parallel {
				b.SetParallelism(4) // on two processors
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						_, _ = get(ctx)
					}
				})
				return
			}
			for b.Loop() {
				_, _ = get(ctx)
			}
		})
		return fmt.Sprintf("%d ns, %d allocs", result.NsPerOp(), result.AllocsPerOp()), nil
	})
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func round(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
