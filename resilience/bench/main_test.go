package main

import (
	"testing"
	"time"
)

// own is this project's contender.
func own(t *testing.T) contender {
	t.Helper()
	for _, c := range contenders() {
		if c.Name == Ours {
			return c
		}
	}
	t.Fatal("ours is not among the contenders")
	return contender{}
}

// A server that fails three times in ten is survivable with the breaker on.
func TestFlaky(t *testing.T) {
	got, err := flaky(own(t), 2000, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got.Success < 98.5 || got.PerCall > 1.5 { // 99.2 and 1.42 are expected; 2000 calls scatter
		t.Errorf("%+v", got)
	}
}
