package doctext_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/msptoolbelt/toolbelt/internal/doctext"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, contentType, content, want string }{
		{"a.txt", "text/plain", "a\r\nb", "a\nb"},
		{"a.txt", "text/plain; charset=iso-8859-1", "gr\xf6\xdfer \x80", "größer €"},
		{"a.txt", "text/plain", "\xef\xbb\xbfgrößer", "größer"},
		{"a.txt", "text/plain", "\xff\xfeg\x00r\x00\xf6\x00", "grö"},
		{"a.txt", "text/plain", "\xfe\xff\x00g\x00r\x00\xf6", "grö"},
		{"a.txt", "text/plain; charset=koi8-r", "a\xc1b", "a\uFFFDb"},
		{"log.CSV", "application/octet-stream", "a;b", "a;b"},
		{"log.csv", "", "a;b", "a;b"},
		{"x", "application/json", `{"a":1}`, `{"a":1}`},
		{"x", "application/ld+json", `{}`, `{}`},
		{"invite", "text/calendar; method=REQUEST", "BEGIN:VCALENDAR", "BEGIN:VCALENDAR"},
		{"page.html", "application/octet-stream", "<h1>A</h1><p>b</p>", "# A\n\nb"},
		{"page", "text/html; charset=utf-8", "<b>x</b>", "**x**"},
	} {
		got, err := doctext.Text(c.name, c.contentType, []byte(c.content))
		if err != nil || got != c.want {
			t.Errorf("%s, %s: got %q, %v", c.name, c.contentType, got, err)
		}
	}
}

func TestNoText(t *testing.T) {
	for name, contentType := range map[string]string{
		"a.pdf": "application/pdf", "a.docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.bin": "application/octet-stream",
		"a.txt": "image/png", "picture": "image/svg+xml", "none": "",
	} {
		if text, err := doctext.Text(name, contentType, []byte("x")); !errors.Is(err, doctext.ErrNoText) {
			t.Errorf("%s, %s: got %q, %v", name, contentType, text, err)
		}
	}
	if _, err := doctext.Text("a.log", "", []byte("a\x00b")); !errors.Is(err, doctext.ErrNoText) {
		t.Errorf("binary data: %v", err)
	}
	if _, err := doctext.Text("a.eml", "", []byte("no header")); !errors.Is(err, doctext.ErrNoText) {
		t.Errorf("broken mail: %v", err)
	}
}

const multipartMail = `From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>
To: b@x.example
Subject: =?iso-8859-1?b?R3L832Vu?=
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=B6=C3=9Fer=20

--inner
Content-Type: text/html

<p>HTML</p>
--inner--
--outer
Content-Type: application/pdf; name="=?utf-8?q?=C3=9C.pdf?="
Content-Disposition: attachment
Content-Transfer-Encoding: base64

AAAA
--outer
Content-Type: text/plain
Content-Disposition: attachment; filename=notes.txt

not the body
--outer--
`

func TestMail(t *testing.T) {
	for _, c := range []struct{ name, mail, want string }{
		{"plain", "From: a@x.example\nX-Other: 1\n\nHello\n", "From: a@x.example\n\nHello"},
		{"multipart", multipartMail, "From: Jürgen <j@x.example>\nTo: b@x.example\nSubject: Grüßen\nAttachments: Ü.pdf, notes.txt\n\nGrößer"},
		{"html only", "Subject: s\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+eDwvYj4=\n", "Subject: s\n\n**x**"},
		{"no end", strings.Split(multipartMail, "--outer--")[0][:400], "From: Jürgen <j@x.example>\nTo: b@x.example\nSubject: Grüßen\n\nGrößer"},
	} {
		got, err := doctext.Text("x.eml", "message/rfc822", []byte(strings.ReplaceAll(c.mail, "\n", "\r\n")))
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}

// FuzzMail: any message can be read or refused, and what is read is text.
func FuzzMail(f *testing.F) {
	f.Add([]byte(multipartMail))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		text, err := doctext.Text("x.eml", "message/rfc822", content)
		if err == nil && !utf8.ValidString(text) {
			t.Fatalf("got %q", text)
		}
	})
}

func ExampleText() {
	text, err := doctext.Text("report.html", "text/html", []byte("<h1>Backup</h1><p>All <b>good</b>.</p>"))
	fmt.Println(text, err)
	// Output:
	// # Backup
	//
	// All **good**. <nil>
}
