package graph

import (
	"context"
	"encoding/base64"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// OutgoingAttachment is a file to send. Its content is either of the two.
type OutgoingAttachment struct {
	Name          string `json:"name"`
	ContentBase64 string `json:"content_base64,omitempty" maxLength:"7500000"`
	Text          string `json:"text,omitempty" maxLength:"1000000"`
	ContentType   string `json:"content_type,omitempty"`
}

// file is an attachment on its way out.
type file struct {
	name, contentType string
	content           []byte
}

const (
	// maxRequest is how much a request with attachments may have: Graph takes
	// 4 MB, and the rest of the message needs some of it.
	maxRequest = 3_500_000
	// sessionSize is the size from which an attachment needs an upload session,
	// which in turn takes no smaller ones.
	// https://learn.microsoft.com/graph/outlook-large-attachments
	sessionSize = 3 << 20
)

// files decodes attachments.
func files(attachments []OutgoingAttachment) ([]file, error) {
	var list []file
	for _, a := range attachments {
		name := strings.TrimSpace(a.Name)
		if name == "" || strings.ContainsAny(name, "/\\\r\n") {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "attachments: %q is no file name", markup.Preview(a.Name, 80))
		}
		if (a.ContentBase64 == "") == (a.Text == "") {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "attachments: %s needs either text or content_base64", markup.Preview(name, 80))
		}
		content := []byte(a.Text)
		if a.Text == "" {
			var err error
			if content, err = decodeBase64(a.ContentBase64); err != nil {
				return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "attachments: content_base64 of %s is not base64", markup.Preview(name, 80))
			}
		}
		list = append(list, file{name, contentType(name, a.ContentType), content})
	}
	return list, nil
}

// decodeBase64 takes all four forms, and line breaks.
func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "", " ", "").Replace(text), "=")
	return base64.RawStdEncoding.DecodeString(text)
}

func contentType(name, given string) string {
	if given != "" {
		return given
	}
	if known := mime.TypeByExtension(strings.ToLower(path.Ext(name))); known != "" {
		return known
	}
	return "application/octet-stream"
}

// wire is the attachment as Graph takes it within a message.
func (f file) wire() map[string]any {
	return map[string]any{
		"@odata.type": "#microsoft.graph.fileAttachment", "name": f.name, "contentType": f.contentType,
		"contentBytes": base64.StdEncoding.EncodeToString(f.content),
	}
}

// inline returns the attachments as part of a message, and whether they and
// text of the given size fit one request.
func inline(list []file, text int) ([]map[string]any, bool) {
	wires := make([]map[string]any, 0, len(list))
	for _, f := range list {
		text += base64.StdEncoding.EncodedLen(len(f.content)) + len(f.name) + 200
		if text > maxRequest {
			return nil, false
		}
		wires = append(wires, f.wire())
	}
	return wires, text <= maxRequest
}

// attach adds files to a draft one by one. It returns how many it has added,
// also when it fails.
func (c *Client) attach(ctx context.Context, draftPath string, list []file) (int, error) {
	total, before := 0, 0
	for _, f := range list {
		total += len(f.content)
	}
	for i, f := range list {
		report := func(done int) {
			mcptools.Progress(ctx, float64(before+done), float64(total), "uploading "+f.name)
		}
		var err error
		if len(f.content) < sessionSize {
			err = c.send(ctx, http.MethodPost, draftPath+"/attachments", f.wire(), nil)
		} else {
			err = c.upload(ctx, draftPath, f, report)
		}
		if err != nil {
			return i, err
		}
		report(len(f.content))
		before += len(f.content)
	}
	return len(list), nil
}
