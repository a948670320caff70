package markup_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

func TestFromHTML(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"empty", "  \n", ""},
		{"paragraphs", "<p>One</p><p>Two<br>lines</p>", "One\n\nTwo  \nlines"},
		{"emphasis", "<b>bold</b> and <i>thin</i>", "**bold** and *thin*"},
		{"list", "<ul><li>a</li><li>b</li></ul>", "- a\n- b"},
		{"link", `<a href="https://x.example/a?b=1">here</a>`, "[here](https://x.example/a?b=1)"},
		{"table", "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "| A | B |\n|---|---|\n| 1 | 2 |"},
		{"invisible", `a<script>x()</script><style>p{}</style><!-- c --><p hidden>h</p><p style="display : none">d</p><span style="font-size:0px">f</span>`, "a"},
		{"pictures", `<img src="data:image/png;base64,AAAA"><img src="cid:logo"><img width="1" src="https://t.example/p.gif">x`, "x"},
		{"spaces", "a&nbsp;&nbsp;b<p></p><p>&nbsp;</p><p></p><p>c</p>", "a  b\n\nc"},
		{"no markup", "1 &lt; 2", "1 < 2"},
		{"broken", "<p>a<b>b</p><td>c", ""},
	} {
		got, err := markup.FromHTML(c.html)
		if got = strings.ReplaceAll(got, "  \n", "\n"); err != nil || c.want != "" && got != strings.ReplaceAll(c.want, "  \n", "\n") {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}

// However deep or long a mail is, reading it ends, and well.
func TestHostileHTML(t *testing.T) {
	for name, source := range map[string]string{
		"deep":    strings.Repeat("<div>", 100_000) + "text",
		"long":    strings.Repeat("<p>text", 60_000),
		"tables":  strings.Repeat("<table><tr><td>", 2000) + "text",
		"open":    strings.Repeat("<", 100_000),
		"invalid": "a\xff\xfe<p>\xc3",
	} {
		got, err := markup.FromHTML(source)
		if err != nil || !utf8.ValidString(got) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "deep" && !strings.Contains(got, "text") {
			t.Errorf("%s: the text is lost", name)
		}
	}
}

func TestFromMail(t *testing.T) {
	const outlook = `<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Von:</b> A<br><b>Gesendet:</b> heute</div><div>old</div>`
	for _, c := range []struct {
		name, html, want string
		cut              bool
	}{
		{"nothing quoted", "<p>new</p>", "new", false},
		{"outlook", "<div>new</div>" + outlook, "new\n\n" + markup.LeftOut, true},
		{"a rule above the history", `<div>new<br><b>bold</b></div><hr><div id="divRplyFwdMsg">From: A</div>old`, "new\n**bold**\n\n" + markup.LeftOut, true},
		{"a rule that is meant", "<p>one</p><hr><p>two</p><hr>", "one\n\n* * *\n\ntwo\n\n* * *", false},
		{"outlook in a deep place", "<div><div>new</div>" + outlook + "</div><div>older</div>", "new\n\n" + markup.LeftOut, true},
		{"outlook on the web, twice forwarded", `<div>new</div><div id="x_x_divRplyFwdMsg">From: A</div>old`, "new\n\n" + markup.LeftOut, true},
		{"gmail", `new<br><div class="gmail_quote gmail_quote_container"><div class="gmail_attr">Am Mo. schrieb A:</div><blockquote>old</blockquote></div>`, "new\n\n" + markup.LeftOut, true},
		{"thunderbird", `<p>new</p><div class="moz-cite-prefix">Le lundi, A a écrit :</div><blockquote type="cite">old</blockquote>`, "new\n\n" + markup.LeftOut, true},
		{"apple", `new<br><blockquote type="cite">On Monday A wrote: old</blockquote>`, "new\n\n" + markup.LeftOut, true},
		{"a quotation that is meant", "<blockquote>said</blockquote><p>I agree</p>", "> said\n\nI agree", false},
		{"header block without marks", "<p>new</p><p>From: A</p><p>Sent: today</p><p>old</p>", "new\n\n" + markup.LeftOut, true},
		{"an answer below", `<p>Hi Sam,</p><div class="moz-cite-prefix">On Monday, Eva wrote:</div><blockquote type="cite">old?</blockquote><p>NO, never.</p>`,
			"Hi Sam,\n\n" + markup.LeftOut + "\n\nNO, never.", true},
		{"answers between", `<div>see below</div><div class="gmail_quote"><div class="gmail_attr">On Monday, Eva wrote:</div><blockquote class="gmail_quote">old?</blockquote>` +
			`<div>yes</div><blockquote class="gmail_quote">older?</blockquote><div>no</div></div>`,
			"see below\n\n" + markup.LeftOut + "\n\nyes\n\n" + markup.LeftOut + "\n\nno", true},
		{"gmail of old", `new<div class="gmail_quote">On Mon, Nov 16, 2026 A wrote:<br><blockquote class="gmail_quote">old</blockquote></div>`, "new\n\n" + markup.LeftOut, true},
		{"gmail forwards", `look<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: A</div>old</div>`, "look\n\n" + markup.LeftOut, true},
		{"gmail forwards an answer", `FYI<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: Bob</div><div>Pay to the new account` +
			`<div class="gmail_quote"><div class="gmail_attr">On Monday, A wrote:</div><blockquote class="gmail_quote">old</blockquote></div></div></div>`, "FYI\n\n" + markup.LeftOut, true},
		{"thunderbird without a type", `<p>new</p><div class="moz-cite-prefix">On Monday, A wrote:</div><blockquote>old</blockquote><blockquote>meant</blockquote>`,
			"new\n\n" + markup.LeftOut + "\n\n> meant", true},
		{"yahoo, with a footer", `<div>new</div><div class="yahoo_quoted">On Monday, A wrote:<p>old</p></div><p>footer</p>`, "new\n\n" + markup.LeftOut + "\n\nfooter", true},
		{"only history", outlook, "", false},
	} {
		got, cut, err := markup.FromMail(c.html)
		if err != nil || cut != c.cut || c.want != "" && got != c.want || c.want == "" && !strings.Contains(got, "old") {
			t.Errorf("%s: got %q, %v, %v", c.name, got, cut, err)
		}
	}
}

func TestCutQuoted(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"none", "Hello\nFrom: here to there\nit is far", ""},
		{"outlook", "new\n\nFrom: A <a@x.example>\nSent: Monday\nTo: B\nSubject: S\n\nold", "new\n\n" + markup.LeftOut},
		{"outlook in german", "neu\n\nVon: A\nGesendet: Montag\nold", "neu\n\n" + markup.LeftOut},
		{"outlook in french", "neuf\n\nDe : A\nEnvoyé : lundi\nold", "neuf\n\n" + markup.LeftOut},
		{"markdown of it", "new\n\n---\n\n**From:** A  \n**Sent:** Monday  \nold", "new\n\n" + markup.LeftOut},
		{"bold", "new **bold**\n\n---\n\n**From:** A  \n**Sent:** Monday  \nold", "new **bold**\n\n" + markup.LeftOut},
		{"original message", "new\n-----Original Message-----\nold", "new\n\n" + markup.LeftOut},
		{"gmail", "new\n\nOn Mon, Nov 16, 2026 at 10:00 AM A <a@x.example> wrote:\n> old", "new\n\n" + markup.LeftOut},
		{"in german", "neu\n\nAm Mo., 16. Nov. 2026 um 10:00 Uhr schrieb A <a@x.example>:\n> alt", "neu\n\n" + markup.LeftOut},
		{"an answer below", "Hi Sam,\n\nOn Mon, Nov 16, 2026, Eva wrote:\n> May we reboot?\n>\n> Eva\n\nNO, never", "Hi Sam,\n\n" + markup.LeftOut + "\n\nNO, never"},
		{"answers between", "On Mon, Nov 16, 2026, Eva wrote:\n> Now?\nNo\n> Then?\n> When?\nNever", markup.LeftOut + "\n\nNo\n\n" + markup.LeftOut + "\n\nNever"},
		{"without marks", "new\n\nOn Mon, Nov 16, 2026, Eva wrote:\n\nold\nolder", "new\n\n" + markup.LeftOut},
		{"mail of apple", "new\n\nFrom: A\nSubject: S\nDate: Monday\nTo: B\n\nold", "new\n\n" + markup.LeftOut},
		{"mail with an address", "new\n\nFrom: A <a@x.example>\nDate: Monday\n\nold", "new\n\n" + markup.LeftOut},
		{"leave", "Please set my out of office:\n\nFrom: 1 March\nTo: 14 March\n\nAnd forward my mail to Eva.", ""},
		{"a journey", "Please book:\nFrom: Munich\nTo: Hamburg\nDate: 14 March\nWindow seat", ""},
		{"a lost mail", "It never came:\nFrom: a@x.example\nTo: b@x.example\nPlease trace it.", ""},
		{"only history", "From: A\nSent: Monday\nold", ""},
		{"a sentence", "On Monday we wrote: all is well.\nBye", ""},
	} {
		got, cut := markup.CutQuoted(c.text)
		if want := c.want; want == "" {
			if cut || got != c.text {
				t.Errorf("%s: cut to %q", c.name, got)
			}
		} else if !cut || got != want {
			t.Errorf("%s: got %q, %v", c.name, got, cut)
		}
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		text          string
		offset, limit int
		part          string
		next          int
	}{
		{"größer", 0, 3, "grö", 3}, {"größer", 3, 3, "ßer", 0}, {"größer", 0, 6, "größer", 0}, {"größer", 9, 3, "", 0},
		{"abc", -5, 2, "ab", 2}, {"abc", 1, -1, "", 1}, {"", 0, 5, "", 0},
	} {
		part, next := markup.Window(c.text, c.offset, c.limit)
		if part != c.part || next != c.next {
			t.Errorf("Window(%q, %d, %d) = %q, %d", c.text, c.offset, c.limit, part, next)
		}
	}
}

func TestPreview(t *testing.T) {
	for text, want := range map[string]string{
		"a  b\nc": "a b c", "größer als das": "größer al…", "": "", "0123456789": "0123456789", "012345678 abc": "012345678…",
		strings.Repeat("😀  ", 100): "😀 😀 😀 😀 😀…", "a b c d e" + strings.Repeat(" ", 100): "a b c d e", strings.Repeat("x", 100): "xxxxxxxxx…",
	} {
		if got := markup.Preview(text, 10); got != want {
			t.Errorf("Preview(%q) = %q", text, got)
		}
	}
}

func TestToHTML(t *testing.T) {
	for markdown, want := range map[string]string{
		"a\nb":                        "<p>a<br>\nb</p>",
		"**b** ~~c~~":                 "<p><strong>b</strong> <del>c</del></p>",
		"https://x.example":           `<p><a href="https://x.example">https://x.example</a></p>`,
		"a<br>b<BR/>":                 "<p>a<br>b<BR/></p>",
		"Users of <name>":             "<p>Users of &lt;name&gt;</p>",
		"<div onclick=x>\nhi\n</div>": "<p>&lt;div onclick=x&gt;<br>\nhi<br>\n&lt;/div&gt;</p>",
		"[x](javascript:alert(1))":    `<p><a href="">x</a></p>`,
	} {
		if got, err := markup.ToHTML(markdown); err != nil || got != want {
			t.Errorf("%q: got %q, %v", markdown, got, err)
		}
	}
}

func TestIsHTML(t *testing.T) {
	for text, want := range map[string]bool{"<p>x</p>": true, " \n<!DOCTYPE html>": true, "<b>x": true, "<name> is": false, "a <b>": false, "": false, "<pre>": false} {
		if got := markup.IsHTML(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestAddAbove(t *testing.T) {
	for original, want := range map[string]string{
		"<html><BODY lang=de><p>old</p></body></html>": "<html><BODY lang=de><div>new</div><p>old</p></body></html>",
		"<p>old</p>": "<div>new</div><p>old</p>",
		"":           "<div>new</div>",
		"<body":      "<div>new</div><body",
		"İ<body>x":   "<div>new</div>İ<body>x", // a letter whose lower case is longer
	} {
		if got := markup.AddAbove(original, "new"); got != want {
			t.Errorf("%q: got %q", original, got)
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add("größer \"x\" \\ \n \x00 \u2028 \xff", 12)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		part := markup.Fit(text, limit)
		if !strings.HasPrefix(text, part) {
			t.Fatalf("%q does not begin with %q", text, part)
		}
		encoded, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(encoded))
		if len(part) > 0 && len(plain)-2 > limit {
			t.Fatalf("%d bytes of %d", len(plain)-2, limit)
		}
	})
}

func FuzzWindow(f *testing.F) {
	f.Add("größer als alles", 3, 4)
	f.Fuzz(func(t *testing.T, text string, offset, limit int) {
		limit, offset = min(max(limit, 1), 1000), min(max(offset, 0), 1000)
		part, next := markup.Window(text, offset, limit)
		rest, _ := markup.Window(text, next, len(text)+1)
		before, _ := markup.Window(text, 0, offset)
		if next == 0 {
			rest = ""
		}
		if before+part+rest != text {
			t.Fatalf("%q + %q + %q is not %q", before, part, rest, text)
		}
	})
}

func ExampleFromMail() {
	text, cut, err := markup.FromMail(`<p>It <b>works</b>, thanks!</p><div id="divRplyFwdMsg">From: Sam<br>Sent: Monday</div><p>Does it work?</p>`)
	fmt.Println(text, cut, err)
	// Output:
	// It **works**, thanks!
	//
	// (quotation left out) true <nil>
}
