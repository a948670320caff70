package doctext

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

const (
	maxParts = 100 // of one message, at all depths
	maxNest  = 8   // multiparts within multiparts

	// maxHeader bounds a header that is read; the time for some grows with the
	// square of their length, and real ones are shorter.
	maxHeader = 4 << 10
)

// shownHeaders are those of a message that its reader wants to see.
var shownHeaders = [...]string{"From", "Reply-To", "To", "Cc", "Date", "Subject"}

// mailText returns the headers, the text and the names of the attachments of a
// message in the format of RFC 5322 and RFC 2045.
func mailText(content []byte) (string, error) {
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoText, err)
	}
	var b strings.Builder
	for _, name := range shownHeaders {
		if value := m.Header.Get(name); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, headerText(value))
		}
	}
	var r mailReader
	r.read(textproto.MIMEHeader(m.Header), m.Body, 0)
	if len(r.attachments) > 0 {
		fmt.Fprintf(&b, "Attachments: %s\n", strings.Join(r.attachments, ", "))
	}
	text := r.plain
	if text == "" {
		text = r.rich
	}
	return strings.TrimSpace(b.String() + "\n" + strings.TrimSpace(text)), nil
}

// headerText decodes words such as =?utf-8?q?Gr=C3=BC=C3=9Fe?= (RFC 2047).
func headerText(value string) string {
	if len(value) > maxHeader {
		value = value[:maxHeader] + "…"
	}
	decoder := mime.WordDecoder{CharsetReader: func(charset string, input io.Reader) (io.Reader, error) {
		raw, err := io.ReadAll(input)
		return strings.NewReader(decode(raw, charset)), err
	}}
	decoded, err := decoder.DecodeHeader(value)
	if err != nil {
		decoded = value
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(decoded, "\uFFFD")), " ")
}

// mailReader walks the parts of a message.
type mailReader struct {
	plain, rich string // the first text of each kind; rich is Markdown
	attachments []string
	parts       int
}

func (r *mailReader) read(header textproto.MIMEHeader, body io.Reader, depth int) {
	if r.parts++; r.parts > maxParts || depth > maxNest {
		return
	}
	media, parameters, err := parameterized(header, "Content-Type")
	if err != nil {
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") && parameters["boundary"] != "" {
		parts := multipart.NewReader(body, parameters["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil { // the end, or nothing readable any more: what was read counts
				return
			}
			r.read(part.Header, part, depth+1)
		}
	}
	disposition, names, _ := parameterized(header, "Content-Disposition")
	if name := names["filename"]; disposition == "attachment" || name != "" || media != "text/plain" && media != "text/html" {
		if name == "" {
			name = parameters["name"]
		}
		if name = headerText(name); name == "" {
			name = media
		}
		r.attachments = append(r.attachments, name)
		return
	}
	r.addText(media, parameters["charset"], decodeTransfer(header.Get("Content-Transfer-Encoding"), body))
}

// parameterized reads a header such as text/plain; charset=utf-8.
func parameterized(header textproto.MIMEHeader, name string) (string, map[string]string, error) {
	value := header.Get(name)
	if len(value) > maxHeader {
		return "", nil, ErrNoText
	}
	return mime.ParseMediaType(value)
}

func (r *mailReader) addText(media, charset string, content []byte) {
	text := strings.ReplaceAll(decode(content, charset), "\r\n", "\n")
	if media == "text/plain" {
		if r.plain == "" {
			r.plain = text
		}
		return
	}
	if r.rich != "" {
		return
	}
	if markdown, err := markup.FromHTML(text); err == nil {
		r.rich = markdown
	}
}

// decodeTransfer undoes a content transfer encoding. Of a damaged body it
// returns what comes before the damage.
func decodeTransfer(encoding string, body io.Reader) []byte {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil && len(content) == 0 {
		return nil
	}
	return content
}
