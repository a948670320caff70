package markup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// quick fails when f takes long or makes much of little.
func quick(t *testing.T, f func() string) {
	t.Helper()
	done := make(chan string, 1)
	go func() { done <- f() }()
	select {
	case text := <-done:
		if len(text) > 10<<20 {
			t.Errorf("%d bytes of text", len(text))
		}
	case <-time.After(30 * time.Second): // on a busy machine, with the race detector
		t.Fatal("it takes too long")
	}
}

// A mail that takes minutes or all memory to read is a way to stop the server.
func TestHTMLThatCostsMuch(t *testing.T) {
	t.Parallel()
	var attributes strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&attributes, "<body a%d=1>", i)
	}
	for name, source := range map[string]string{
		"colspan":           `<table><tr><td colspan=100000000>a</td></tr><tr><td>b</td></tr></table>`,
		"rowspan":           `<table><tr><td rowspan=100000000>a</td></tr><tr><td>b</td></tr></table>`,
		"many spans":        "<table>" + strings.Repeat("<tr><td colspan=1000 rowspan=600>a", 1000),
		"one wide cell":     "<table><tr><td>" + strings.Repeat("w", 200_000) + strings.Repeat("<tr><td>a", 20_000),
		"one wide row":      "<table><tr>" + strings.Repeat("<td>a", 20_000) + strings.Repeat("<tr><td>a", 20_000),
		"nested quotations": strings.Repeat("<blockquote>", 400) + strings.Repeat("x<br>", 100_000),
		"nested lists":      strings.Repeat("<ul><li>a", 200) + strings.Repeat("x\n", 200_000),
		"attributes":        attributes.String(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quick(t, func() string {
				text, err := markup.FromHTML(source)
				if err != nil {
					t.Error(err)
				}
				return text
			})
		})
	}
}

func TestTooMuchKeepsItsText(t *testing.T) {
	t.Parallel()
	got, err := markup.FromHTML(`<p>Before</p><table><tr><td colspan=9000000>one</td><td>two</td></tr></table><p style="display:none">hidden</p>`)
	if err != nil || got != "Before\none two" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMarkdownThatCostsMuch(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"wide table": strings.Repeat("|a", 320) + "\n" + strings.Repeat("|-", 320) + "\n" + strings.Repeat("|\n", 20_000),
		"table":      strings.Repeat("|a", 50) + "\n" + strings.Repeat("|-", 50) + "\n" + strings.Repeat("|\n", 20_000),
		"quotations": strings.Repeat("> ", 4000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quick(t, func() string {
				html, err := markup.ToHTML(source)
				if err != nil {
					t.Error(err)
				}
				return html
			})
		})
	}
	if _, err := markup.ToHTML(strings.Repeat("[a](", 250_000)); err == nil {
		t.Error("a megabyte of Markdown is converted")
	}
}
