package markup

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
)

// FromMail returns the HTML of a mail as Markdown without the quoted history
// below it, and whether there was any. A mail that is nothing but quotation
// comes back whole.
func FromMail(source string) (markdown string, cut bool, err error) {
	root := parse(source)
	if root == nil {
		return "", false, nil
	}
	if start := historyStart(root); start != nil {
		removeFrom(start)
		cut = true
	}
	if markdown, err = convert(root); err != nil {
		return "", false, err
	}
	if cut {
		markdown = withoutRule(markdown)
	}
	shorter, more := CutQuoted(markdown)
	if strings.TrimSpace(shorter) == "" && cut {
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

// historyStart returns the element with which a mail program begins the quoted
// history, the first in the document, or nil.
func historyStart(n *html.Node) *html.Node {
	if n.Type == html.ElementNode && startsHistory(n) {
		return n
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if found := historyStart(child); found != nil {
			return found
		}
	}
	return nil
}

func startsHistory(n *html.Node) bool {
	for _, a := range n.Attr {
		for value := range strings.FieldsSeq(a.Val) {
			for strings.HasPrefix(value, "x_") { // added by Outlook on the web, once per forwarding
				value = value[2:]
			}
			switch a.Key + "=" + value {
			case "id=appendonsend", "id=divRplyFwdMsg", "id=mail-editor-reference-message-container", "id=OLK_SRC_BODY_SECTION",
				"class=gmail_quote", "class=yahoo_quoted", "class=moz-cite-prefix", "class=OutlookMessageHeader":
				return true
			case "type=cite":
				return n.Data == "blockquote"
			}
		}
	}
	return false
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
