package graphtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"time"
)

func getMessageMIME(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	return raw("text/plain", messageMIME(m.props, m.files)), nil
}

// messageMIME writes a message as RFC 5322 text.
func messageMIME(props object, files []*attachment) []byte {
	var out bytes.Buffer
	header := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&out, "%s: %s\r\n", name, value)
		}
	}
	header("From", mimePeople([]any{props["from"]}))
	header("To", mimePeople(elements(props["toRecipients"])))
	header("Cc", mimePeople(elements(props["ccRecipients"])))
	header("Subject", mime.QEncoding.Encode("utf-8", textAt(props, "subject")))
	if t, ok := asTime(props["sentDateTime"]); ok {
		header("Date", t.Format(time.RFC1123Z))
	}
	header("Message-ID", textAt(props, "internetMessageId"))
	header("MIME-Version", "1.0")
	kind := "text/plain"
	if textAt(props, "body", "contentType") == "html" {
		kind = "text/html"
	}
	body := []byte(textAt(props, "body", "content"))
	if len(files) == 0 {
		mimePart(&out, kind+"; charset=utf-8", "", body)
		return out.Bytes()
	}
	const boundary = "_000_graphtest_"
	fmt.Fprintf(&out, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\n", boundary, boundary)
	mimePart(&out, kind+"; charset=utf-8", "", body)
	for _, a := range files {
		fmt.Fprintf(&out, "\r\n--%s\r\n", boundary)
		if a.kind == "itemAttachment" {
			fmt.Fprintf(&out, "Content-Type: message/rfc822\r\n\r\n%s", a.content)
			continue
		}
		mimePart(&out, textAt(a.props, "contentType"), textAt(a.props, "name"), a.content)
	}
	fmt.Fprintf(&out, "\r\n--%s--\r\n", boundary)
	return out.Bytes()
}

func mimePart(out *bytes.Buffer, contentType, name string, content []byte) {
	fmt.Fprintf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", contentType)
	if name != "" {
		fmt.Fprintf(out, "Content-Disposition: %s\r\n", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	out.WriteString("\r\n")
	encoded := base64.StdEncoding.EncodeToString(content)
	for len(encoded) > 76 {
		out.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	out.WriteString(encoded + "\r\n")
}

func mimePeople(recipients []any) string {
	var people []string
	for _, r := range recipients {
		if address := textAt(r, "emailAddress", "address"); address != "" {
			people = append(people, mime.QEncoding.Encode("utf-8", textAt(r, "emailAddress", "name"))+" <"+address+">")
		}
	}
	return strings.Join(people, ", ")
}
