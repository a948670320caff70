package main

import (
	"strings"
	"testing"
	"time"
)

// TestOurs holds this module's own row to what the README says of it.
func TestOurs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	all := clients()
	ours := all[len(all)-1]
	want := map[string]func(string) bool{
		"cold callers": func(got string) bool { return got == "1" },
		"refuses":      func(got string) bool { return strings.HasPrefix(got, "1, ") },
		"deadline":     func(got string) bool { return within(got, time.Second) },
		"307":          func(got string) bool { return got == "no / no" },
		"error":        func(got string) bool { return got == "no / no / no" },
		"200 MiB":      func(got string) bool { return got != "200 MiB" },
		"renewal":      func(got string) bool { return within(got, 400*time.Millisecond) }, // who waits for it waits 800 ms
	}
	for _, check := range checks(500) {
		for part, good := range want {
			if !strings.Contains(check.name, part) {
				continue
			}
			delete(want, part)
			if got, err := check.measure(ours); err != nil || !good(got) {
				t.Errorf("%s: %s %v", check.name, got, err)
			}
		}
	}
	for part := range want {
		t.Errorf("no check is about %q", part)
	}
}

func within(got string, limit time.Duration) bool {
	d, err := time.ParseDuration(got)
	return err == nil && d < limit
}

func BenchmarkCached(b *testing.B) {
	for _, c := range clients() {
		c.life = 3600
		b.Run(c.name, func(b *testing.B) {
			s := serve(c.life, 0)
			defer s.local.Close()
			get, closeIt, err := c.open(s.client())
			if err != nil {
				b.Fatal(err)
			}
			defer closeIt()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := get(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
