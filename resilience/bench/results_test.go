package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// TestWritten: the README and the pictures are what the results say.
func TestWritten(t *testing.T) {
	r, err := read(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Contenders) != len(contenders()) {
		t.Errorf("results of %d contenders", len(r.Contenders))
	}
	readme, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := withTable(string(readme), r); err != nil || want != string(readme) {
		t.Errorf("the README has another table: %v", err)
	}
	for name, picture := range pictures(r) {
		drawn, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(drawn) != picture.svg() {
			t.Errorf("%s shows other results", name)
		}
		decoder := xml.NewDecoder(strings.NewReader(picture.svg()))
		for {
			if _, err := decoder.Token(); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
		}
	}
}
