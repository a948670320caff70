package markup

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
)

// ToHTML returns Markdown (with tables, strike-through and bare links) as HTML.
// A single line break stays one, as people expect in a mail. Raw HTML in the
// Markdown is dropped.
func ToHTML(markdown string) (string, error) {
	converter := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithHardWraps()))
	var b bytes.Buffer
	if err := converter.Convert([]byte(markdown), &b); err != nil {
		return "", fmt.Errorf("markup: convert Markdown: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

// EscapeText returns plain text as HTML that shows it unchanged.
func EscapeText(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
}
