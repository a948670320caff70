package main

import (
	"os"
	"sync"
	"testing"
	"time"
)

// together starts what mostly waits at once, on however few processors, and
// returns functions that wait for the results.
func together[T any](all map[string]func() (T, error)) map[string]func() (T, error) {
	results := make(map[string]func() (T, error))
	for name, f := range all {
		once := sync.OnceValues(f)
		go func() { _, _ = once() }()
		results[name] = once
	}
	return results
}

// A dead server gets the requests under way and one probe per cooldown; calls
// fail at once, and soon after it lives all is well again.
func TestOutage(t *testing.T) {
	length, fast := 3*time.Second, 25.0 // ms; others share the processors
	if s := os.Getenv("TOOLBELT_OUTAGE"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		fast = 1
	}
	t.Parallel()
	ours := own(t)
	// net/http repeats a GET once by itself when a connection that it has used
	// before is reset.
	inFlight := map[string]int64{"503": workers, "reset": 2 * workers}
	for name, get := range together(map[string]func() (Outage, error){
		"503":   func() (Outage, error) { return outage(ours, length, unavailable) },
		"reset": func() (Outage, error) { return outage(ours, length, resetting) },
	}) {
		t.Run(name, func(t *testing.T) {
			got, err := get()
			if err != nil {
				t.Fatal(err)
			}
			if most := inFlight[name] + int64(length/cooldown) + 1; got.Reached > most {
				t.Errorf("%d requests reached the dead server, want at most %d", got.Reached, most)
			}
			if got.P99 >= fast {
				t.Errorf("failing calls take %v ms", got.P99)
			}
			if most := milliseconds(cooldown*12/10 + 500*time.Millisecond); got.Recovered > most { // a cooldown has a fifth of jitter
				t.Errorf("good again after %v ms", got.Recovered)
			}
		})
	}
}

// A quota is used, hardly anything is wasted, and everybody gets an answer,
// whichever way the server counts.
func TestThrottled(t *testing.T) {
	// The first second, in which the quota is found, weighs more in a short run;
	// and who shares processors with other tests comes late at times.
	length, used, wasted := 6*time.Second, 50.0, 15.0
	if s := os.Getenv("TOOLBELT_THROTTLED"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		used, wasted = 95, 5
	}
	t.Parallel()
	ours := own(t)
	for name, get := range together(map[string]func() (Throttled, error){
		"fixed":   func() (Throttled, error) { return throttled(ours, fixedWindow, length) },
		"rolling": func() (Throttled, error) { return throttled(ours, rollingWindow, length) },
		"bucket":  func() (Throttled, error) { return throttled(ours, tokenBucket, length) },
	}) {
		t.Run(name, func(t *testing.T) {
			got, err := get()
			if err != nil {
				t.Fatal(err)
			}
			if got.Used() < used || got.WastedShare() > wasted || got.Failed > 0 {
				t.Errorf("%.1f %% used, %.1f %% wasted, %d failed", got.Used(), got.WastedShare(), got.Failed)
			}
		})
	}
}
