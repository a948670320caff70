package markup

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	htmlrenderer "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// ToHTML returns Markdown (with tables, strike-through and bare links) as HTML.
// A single line break stays one, as people expect in a mail. HTML in the
// Markdown is shown as it was written, such as the <name> in
// "ping <name>"; only <br> does what it says.
//
// Markdown of more than 100 KB is an error: some of it takes time that grows
// with the square of its length. So do tables with more than 50 columns, which
// stay text.
func ToHTML(markdown string) (string, error) {
	if len(markdown) > maxMarkdown {
		return "", fmt.Errorf("markup: Markdown of %d KB; at most %d KB are converted", len(markdown)>>10, maxMarkdown>>10)
	}
	extensions := []goldmark.Extender{extension.Linkify, extension.Strikethrough, extension.TaskList}
	if !wideTable(markdown) {
		extensions = append(extensions, extension.Table)
	}
	converter := goldmark.New(
		goldmark.WithExtensions(extensions...),
		goldmark.WithRendererOptions(htmlrenderer.WithHardWraps(), renderer.WithNodeRenderers(util.Prioritized(shownHTML{}, 100))),
	)
	var b bytes.Buffer
	if err := converter.Convert([]byte(markdown), &b); err != nil {
		return "", fmt.Errorf("markup: convert Markdown: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

const (
	maxMarkdown = 100 << 10 // bytes
	maxColumns  = 50        // of a table: each of its rows gets as many cells as its head has
)

func wideTable(markdown string) bool {
	for line := range strings.Lines(markdown) {
		if strings.Count(line, "|") > maxColumns {
			return true
		}
	}
	return false
}

// shownHTML renders HTML within Markdown as text. To leave it out, as goldmark
// does by itself, loses what people wrote.
type shownHTML struct{}

// RegisterFuncs implements [renderer.NodeRenderer].
func (shownHTML) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindRawHTML, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		raw, ok := n.(*ast.RawHTML)
		if !ok || !entering {
			return ast.WalkSkipChildren, nil
		}
		tag := segments(raw.Segments, source)
		if !lineBreak.MatchString(tag) {
			tag = html.EscapeString(tag)
		}
		_, err := w.WriteString(tag)
		return ast.WalkSkipChildren, err
	})
	r.Register(ast.KindHTMLBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.HTMLBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		lines := segments(block.Lines(), source)
		if block.HasClosure() {
			lines += string(block.ClosureLine.Value(source))
		}
		_, err := w.WriteString("<p>" + EscapeText(strings.TrimSpace(lines)) + "</p>\n")
		return ast.WalkContinue, err
	})
}

var lineBreak = regexp.MustCompile(`(?i)^<br\s*/?>$`)

func segments(list *text.Segments, source []byte) string {
	var b strings.Builder
	for i := range list.Len() {
		segment := list.At(i)
		b.Write(segment.Value(source))
	}
	return b.String()
}

// startsWithTag matches what is HTML although it was said to be Markdown.
var startsWithTag = regexp.MustCompile(`(?i)^\s*<(!doctype|html|head|body|p|div|span|table|ul|ol|h[1-6]|b|strong|font|style)[\s/>]`)

// IsHTML reports whether text begins like an HTML document or a part of one.
func IsHTML(text string) bool { return startsWithTag.MatchString(text) }

// EscapeText returns plain text as HTML that shows it unchanged.
func EscapeText(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
}
