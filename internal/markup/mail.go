package markup

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// FromMail returns the HTML of a mail as Markdown without the quoted history in
// it, for which [LeftOut] stands, and whether there was any. What is written
// below or between quotations stays, where the mail program marks them. A mail
// that is nothing but quotation comes back whole.
func FromMail(source string) (markdown string, cut bool, err error) {
	root := parse(source)
	if root == nil {
		return "", false, nil
	}
	cut, _ = cutHistory(root, false)
	if markdown, err = convert(root); err != nil {
		return "", false, err
	}
	if cut {
		markdown = settle(markdown)
	}
	shorter, more := CutQuoted(markdown)
	if cut && !saysMore(shorter) {
		whole, err := FromHTML(source)
		return whole, false, err
	}
	return shorter, cut || more, nil
}

// AddAbove returns the HTML document original with more HTML on top of its
// body: an answer above what it answers.
func AddAbove(original, more string) string {
	at := 0
	lower := strings.ToLower(original) // of the same length wherever it matters: "<body" is ASCII
	if i := strings.Index(lower, "<body"); i >= 0 && len(lower) == len(original) {
		if end := strings.IndexByte(original[i:], '>'); end >= 0 {
			at = i + end + 1
		}
	}
	return fmt.Sprintf("%s<div>%s</div>%s", original[:at], more, original[at:])
}

// history is what an element has to do with the quoted history.
type history int

const (
	none        history = iota
	attribution         // names who is quoted below
	quotation           // is quoted
	box                 // has quotations in it, with answers between them
	rest                // everything from here on is quoted
)

// cutHistory removes the quoted history below n, and reports whether there was
// any and whether it went to the end of the document.
func cutHistory(n *html.Node, boxed bool) (cut, ended bool) {
	introduced := false
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		kind := historyOf(child, boxed || introduced)
		introduced = kind == attribution || introduced && kind != quotation
		switch kind {
		case rest:
			n.InsertBefore(leftOut(), child)
			removeFrom(child)
			return true, true
		case quotation:
			n.InsertBefore(leftOut(), child)
			n.RemoveChild(child)
			cut = true
		case attribution:
			n.RemoveChild(child)
			cut = true
		default:
			within, ended := cutHistory(child, boxed || kind == box)
			if cut = cut || within; ended {
				return true, true
			}
		}
		child = next
	}
	return cut, false
}

func leftOut() *html.Node {
	p := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P}
	p.AppendChild(&html.Node{Type: html.TextNode, Data: LeftOut})
	return p
}

func historyOf(n *html.Node, boxed bool) history {
	if n.Type != html.ElementNode {
		return none
	}
	if boxed && n.Data == "blockquote" {
		return quotation
	}
	for _, a := range n.Attr {
		for value := range strings.FieldsSeq(a.Val) {
			for strings.HasPrefix(value, "x_") { // added by Outlook on the web, once per forwarding
				value = value[2:]
			}
			if found := marked(n, a.Key+"="+value, boxed); found != none {
				return found
			}
		}
	}
	return none
}

// marked reads one of the marks that mail programs set.
func marked(n *html.Node, mark string, boxed bool) history {
	switch mark {
	case "id=appendonsend", "id=divRplyFwdMsg", "id=mail-editor-reference-message-container", "id=OLK_SRC_BODY_SECTION", "class=OutlookMessageHeader":
		return rest
	case "class=yahoo_quoted":
		return quotation
	case "class=gmail_quote":
		if n.Data != "blockquote" && hasChild(n, "blockquote") {
			return box
		}
		return quotation
	case "class=gmail_attr":
		if boxed {
			return attribution
		}
	case "class=moz-cite-prefix":
		if next := nextElement(n); next != nil && next.Data == "blockquote" {
			return attribution
		}
		return rest
	case "type=cite":
		if n.Data == "blockquote" {
			return quotation
		}
	}
	return none
}

func hasChild(n *html.Node, name string) bool {
	for child := range n.ChildNodes() {
		if child.Type == html.ElementNode && child.Data == name {
			return true
		}
	}
	return false
}

func nextElement(n *html.Node) *html.Node {
	for next := n.NextSibling; next != nil; next = next.NextSibling {
		if next.Type == html.ElementNode {
			return next
		}
	}
	return nil
}

// removeFrom removes an element and everything that follows it.
func removeFrom(start *html.Node) {
	for n := start; n.Parent != nil; n = n.Parent {
		for n.NextSibling != nil {
			n.Parent.RemoveChild(n.NextSibling)
		}
	}
	start.Parent.RemoveChild(start)
}
