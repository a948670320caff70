// Package doctext reads the text of files that came with a mail or a ticket, as
// far as that needs no library for a document format: plain text, HTML, data
// formats that are text, and mail messages.
package doctext

import (
	"errors"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// ErrNoText says that a file has no text, or none that this package can read.
var ErrNoText = errors.New("doctext: no text can be read from this kind of file")

// Text returns the text of a file: HTML as Markdown, a mail message as its
// headers and its body, text as it is. The content type decides, and the name
// where the type says nothing, as senders often leave it at
// application/octet-stream. For a file that is none of these it returns
// [ErrNoText]. It is safe for concurrent use.
func Text(name, contentType string, content []byte) (string, error) {
	kind, charset := KindOf(name, contentType)
	switch kind {
	case "mail":
		return mailText(content)
	case "html":
		return markup.FromHTML(decode(content, charset))
	case "text":
		text := strings.ReplaceAll(decode(content, charset), "\r\n", "\n")
		if strings.ContainsRune(text, 0) {
			return "", ErrNoText
		}
		return text, nil
	}
	return "", ErrNoText
}

// KindOf tells how [Text] reads a file: "text", "html" or "mail", or "" when it
// cannot. charset is the one that the content type names, if any.
func KindOf(name, contentType string) (kind, charset string) {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, parameters = strings.ToLower(strings.TrimSpace(contentType)), nil
	}
	if kind = kindOfType(media); kind == "" && (media == "" || media == "application/octet-stream") {
		kind = kindOfName(name)
	}
	return kind, parameters["charset"]
}

func kindOfType(media string) string {
	switch {
	case media == "message/rfc822":
		return "mail"
	case media == "text/html", media == "application/xhtml+xml":
		return "html"
	case strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "+json"), strings.HasSuffix(media, "+xml") && media != "image/svg+xml":
		return "text"
	case slices.Contains([]string{"application/json", "application/xml", "application/csv", "application/ics",
		"application/yaml", "application/x-yaml", "application/x-sh", "application/javascript", "application/sql", "application/x-ndjson"}, media):
		return "text"
	}
	return ""
}

func kindOfName(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".eml":
		return "mail"
	case ".htm", ".html", ".xhtml":
		return "html"
	case ".txt", ".log", ".csv", ".tsv", ".md", ".json", ".xml", ".ics", ".vcf", ".yml", ".yaml", ".ini", ".cfg", ".conf",
		".ps1", ".bat", ".cmd", ".sh", ".sql", ".reg", ".inf", ".properties":
		return "text"
	}
	return ""
}
