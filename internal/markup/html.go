// Package markup converts between the HTML that services store and the
// Markdown that models read and write.
package markup

import (
	"fmt"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
)

// maxHTML bounds what is converted: a body beyond it is cut before conversion.
const maxHTML = 2 << 20

// FromHTML returns HTML as Markdown. Scripts, styles, comments and pictures
// that are embedded as data are dropped.
func FromHTML(source string) (string, error) {
	root := parse(source)
	if root == nil {
		return "", nil
	}
	return convert(root)
}

// parse returns the document without what no reader sees, or nil when there is
// nothing in it.
func parse(source string) *html.Node {
	if len(source) > maxHTML {
		source = source[:maxHTML]
	}
	if strings.TrimSpace(source) == "" {
		return nil
	}
	source = strings.ToValidUTF8(source, "\uFFFD")
	if tooManyRoots(source) {
		return &html.Node{Type: html.TextNode, Data: textOf(source)}
	}
	root, err := html.Parse(strings.NewReader(source))
	if err != nil { // more than 512 elements within each other
		return &html.Node{Type: html.TextNode, Data: textOf(source)}
	}
	prune(root)
	return root
}

// textOf returns the bare text of HTML that is too deep for a parser.
func textOf(source string) string {
	var b strings.Builder
	skip := ""
	for tokens := html.NewTokenizer(strings.NewReader(source)); ; {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.EndTagToken:
			name, _ := tokens.TagName()
			switch {
			case skip == string(name) && kind == html.EndTagToken:
				skip = ""
			case skip == "" && kind == html.StartTagToken && (string(name) == "script" || string(name) == "style"):
				skip = string(name)
			}
			b.WriteByte(' ')
		case html.TextToken:
			if skip == "" {
				b.Write(tokens.Text())
			}
		}
	}
}

func convert(root *html.Node) (string, error) {
	if root.Type == html.TextNode {
		return tidy(strings.Join(strings.Fields(root.Data), " ")), nil
	}
	if tooMuch(root) {
		return tidy(plain(root)), nil
	}
	c := converter.NewConverter(
		converter.WithEscapeMode(converter.EscapeModeDisabled),
		converter.WithPlugins(base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(),
			// Padding costs tokens, and a table of one long cell and many short ones would be nothing else.
			table.NewTablePlugin(table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal))),
	)
	// The base plugin writes < as &lt; for a page; for a reader it is a <.
	hide, show := strings.NewReplacer("<", "\uE000", ">", "\uE001"), strings.NewReplacer("\uE000", "<", "\uE001", ">")
	c.Register.TextTransformer(func(_ converter.Context, text string) string { return hide.Replace(text) }, converter.PriorityEarly)
	c.Register.TextTransformer(func(_ converter.Context, text string) string { return show.Replace(text) }, converter.PriorityLate)
	markdown, err := c.ConvertNode(root)
	if err != nil {
		return "", fmt.Errorf("markup: convert HTML: %w", err)
	}
	return tidy(string(markdown)), nil
}

// prune removes what no reader sees: pictures as data, tracking pixels and
// hidden elements, a favourite place for instructions to a model.
func prune(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if invisible(child) {
			n.RemoveChild(child)
		} else {
			prune(child)
		}
		child = next
	}
}

func invisible(n *html.Node) bool {
	if n.Type == html.CommentNode {
		return true
	}
	if n.Type != html.ElementNode {
		return false
	}
	attributes := make(map[string]string, len(n.Attr))
	for _, a := range n.Attr {
		attributes[a.Key] = strings.ToLower(strings.Join(strings.Fields(a.Val), ""))
	}
	_, hidden := attributes["hidden"]
	switch style := attributes["style"]; {
	case hidden,
		strings.Contains(style, "display:none"),
		strings.Contains(style, "visibility:hidden"),
		strings.Contains(style, "font-size:0;"), strings.HasSuffix(style, "font-size:0"), strings.Contains(style, "font-size:0px"),
		strings.Contains(style, "opacity:0;"), strings.HasSuffix(style, "opacity:0"):
		return true
	}
	switch n.Data {
	case "script", "style", "head", "meta", "title", "noscript", "template":
		return true
	case "img":
		source := attributes["src"]
		return strings.HasPrefix(source, "data:") || attributes["width"] == "1" || attributes["height"] == "1" ||
			attributes["alt"] == "" && strings.HasPrefix(source, "cid:")
	}
	return false
}

// tidy removes trailing space and runs of blank lines.
func tidy(text string) string {
	var lines []string
	blank := true
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.ReplaceAll(line, "\u00a0", " "), " \t\r\n")
		if line == "" && blank {
			continue
		}
		blank = line == ""
		lines = append(lines, line)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
