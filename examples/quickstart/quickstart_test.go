package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestTour takes the tour, and finds in it what a reader should.
func TestTour(t *testing.T) {
	var out bytes.Buffer
	start := time.Now()
	if err := tour(t.Context(), &page{out: &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	text := out.String()
	for _, landmark := range []string{
		"m365  mail", "halo  tickets", "All ", "the preset “user” has",
		"Label printer in hall 3", "HaloPSA contact 101: Anna Berg", "→ halo_tickets_create", "New, Medium",
		"45 minutes = 0.75 hours", "? Create event", "booked ", "? Answer or forward mail", "user: yes", "\n    sent\n",
		"waited as asked", "ticket_id: missing; tiket_id:", "Elbe Architekten (id 14)",
	} {
		if !strings.Contains(text, landmark) {
			t.Errorf("no %q", landmark)
		}
	}
	if n := strings.Count(text, "requests, 0 that the real service would refuse or ignore"); n != 2 {
		t.Errorf("the real services would refuse something")
	}
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(line) > 121 {
			t.Errorf("too wide: %s", line)
		}
	}
	if strings.ContainsRune(text, '\x1b') {
		t.Error("colours without a terminal")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestColour(t *testing.T) {
	var out bytes.Buffer
	p := &page{out: &out, color: true}
	p.chapter("Title")
	if out.String() != "\n\x1b[1mTitle\x1b[0m\n" {
		t.Errorf("%q", out.String())
	}
}
