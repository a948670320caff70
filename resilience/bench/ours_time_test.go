package main

import (
	"fmt"
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

// held checks a result that other processes may have spoilt: a run that misses
// is repeated, alone, up to twice.
func held[T any](t *testing.T, get, again func() (T, error), check func(T) error) {
	t.Helper()
	got, err := get()
	for range 2 {
		if err != nil {
			t.Fatal(err)
		}
		if err = check(got); err == nil {
			return
		}
		t.Log("once more, after: ", err)
		got, err = again()
	}
	if err == nil {
		err = check(got)
	}
	if err != nil {
		t.Error(err)
	}
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
	runs := map[string]func() (Outage, error){
		"503":   func() (Outage, error) { return outage(ours, length, unavailable) },
		"reset": func() (Outage, error) { return outage(ours, length, resetting) },
	}
	for name, get := range together(runs) {
		t.Run(name, func(t *testing.T) {
			held(t, get, runs[name], func(got Outage) error {
				most := inFlight[name] + int64(length/cooldown) + 1
				late := milliseconds(cooldown*12/10 + 500*time.Millisecond) // a cooldown has a fifth of jitter
				if got.Reached > most || got.P99 >= fast || got.Recovered > late {
					return fmt.Errorf("%d requests reached the dead server, want at most %d; failing calls take %v ms, want %v; good again after %v ms, want %v",
						got.Reached, most, got.P99, fast, got.Recovered, late)
				}
				return nil
			})
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
	runs := map[string]func() (Throttled, error){
		"fixed":   func() (Throttled, error) { return throttled(ours, fixedWindow, length) },
		"rolling": func() (Throttled, error) { return throttled(ours, rollingWindow, length) },
		"bucket":  func() (Throttled, error) { return throttled(ours, tokenBucket, length) },
	}
	for name, get := range together(runs) {
		t.Run(name, func(t *testing.T) {
			held(t, get, runs[name], func(got Throttled) error {
				if got.Used() < used || got.WastedShare() > wasted || got.Failed > 0 {
					return fmt.Errorf("%.1f %% used, %.1f %% wasted, %d failed", got.Used(), got.WastedShare(), got.Failed)
				}
				return nil
			})
		})
	}
}
