package markup

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// maxWork bounds what a document may cost to convert with its structure kept. A
// megabyte of nested quotations, or one cell that spans a million columns, would
// otherwise take minutes and all memory; whoever writes a mail can send one.
const maxWork = 400_000

// work estimates what converting a document costs.
type work struct{ total int }

// grid is the shape of a table: every row is filled up to the widest.
type grid struct{ rows, columns, cells int }

// tooMuch reports whether a document costs more than maxWork to convert.
func tooMuch(root *html.Node) bool {
	var w work
	w.visit(root, 1, &grid{})
	return w.total > maxWork
}

// visit adds the cost of n, which lies within depth-1 elements that indent or
// copy what they hold.
func (w *work) visit(n *html.Node, depth int, table *grid) {
	if w.total > maxWork {
		return
	}
	w.total += depth
	if n.Type == html.TextNode {
		w.total += depth * (strings.Count(n.Data, "\n") + len(n.Data)/100)
	}
	switch n.Data {
	case "ul", "ol", "blockquote":
		depth++
	case "table":
		depth++
		table = &grid{}
		defer func() { w.total += depth * table.rows * table.columns }()
	case "tr":
		table.rows++
		table.cells = 0
	case "td", "th":
		area := span(n, "colspan") * span(n, "rowspan")
		table.cells += span(n, "colspan")
		table.columns = max(table.columns, table.cells)
		w.total += depth * area
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		w.visit(child, depth, table)
	}
}

// span is a number of rows or columns; beyond maxWork it makes no difference.
func span(n *html.Node, name string) int {
	for _, a := range n.Attr {
		if a.Key == name {
			if count, err := strconv.Atoi(a.Val); err == nil && count > 1 {
				return min(count, maxWork+1)
			}
		}
	}
	return 1
}

// maxRoots bounds the tags that add attributes to the same element, each of
// which the parser compares with all others.
const maxRoots = 100

func tooManyRoots(source string) bool {
	lower := strings.ToLower(source)
	return strings.Count(lower, "<body")+strings.Count(lower, "<html") > maxRoots
}

// plain returns the text of a document without its structure, a line for each
// block.
func plain(root *html.Node) string {
	var b strings.Builder
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			visit(child)
		}
		switch n.Data {
		case "td", "th":
			b.WriteByte(' ')
		case "br", "p", "div", "li", "tr", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6":
			b.WriteByte('\n')
		}
	}
	visit(root)
	return b.String()
}
