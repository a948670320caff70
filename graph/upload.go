package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

const (
	// chunkSize is a multiple of 320 KiB, below the 4 MB that a part may have.
	chunkSize = 10 * 320 << 10
	// maxUploadFailures is how often in a row a part may fail although the
	// transport repeats what it can.
	maxUploadFailures = 3
)

// upload adds a large attachment to a draft.
// https://learn.microsoft.com/graph/outlook-large-attachments
func (c *Client) upload(ctx context.Context, draftPath string, f file, report func(done int)) error {
	var session struct {
		UploadURL string `json:"uploadUrl"`
	}
	item := map[string]any{"attachmentType": "file", "name": f.name, "contentType": f.contentType, "size": len(f.content)}
	if err := c.send(ctx, http.MethodPost, draftPath+"/attachments/createUploadSession", map[string]any{"AttachmentItem": item}, &session); err != nil {
		return err
	}
	target, err := c.uploadTarget(session.UploadURL)
	if err != nil {
		return err
	}
	complete, err := c.sendParts(ctx, target, draftPath, f, report)
	if err == nil && !complete && !c.attached(ctx, draftPath, f) {
		err = &mcptools.Error{Code: mcptools.CodeUpstream, Message: "the upload service took the file, but the message does not have it"}
	}
	return err
}

// sendParts sends a file part by part. It reports whether the service said that
// it has the whole file.
func (c *Client) sendParts(ctx context.Context, target uploadTarget, draftPath string, f file, report func(done int)) (complete bool, err error) {
	failures := 0
	left := 2*len(f.content)/chunkSize + 2*maxUploadFailures // parts that may be sent, repetitions included
	for at := 0; at < len(f.content); left-- {
		if left == 0 {
			return false, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "the upload service asks for the same parts over and over"}
		}
		next, done, err := target.put(ctx, f.content, at)
		if err == nil {
			at, failures, complete = next, 0, done
			report(at)
			continue
		}
		if failures++; failures > maxUploadFailures || !resumable(err) {
			return false, err
		}
		next, lost := target.next(ctx)
		switch {
		case lost == nil:
			at, complete = next, false
		case errors.Is(lost, mcptools.CodeNotFound) && c.attached(ctx, draftPath, f):
			return true, nil // the last answer was lost, and the session ended with it
		default:
			return false, err
		}
	}
	return complete, nil
}

// resumable reports whether an upload may go on after a part failed.
func resumable(err error) bool {
	for _, code := range []mcptools.Code{mcptools.CodeCancelled, mcptools.CodePermissionDenied, mcptools.CodeTooLarge} {
		if errors.Is(err, code) {
			return false
		}
	}
	return true
}

// attached reports whether a draft has the file.
func (c *Client) attached(ctx context.Context, draftPath string, f file) bool {
	var list struct {
		Value []attachment `json:"value"`
	}
	if err := c.get(ctx, draftPath+"/attachments", url.Values{"$select": {"id,name,size"}}, nil, &list); err != nil {
		return false
	}
	for _, a := range list.Value {
		if a.Name == f.name && a.Size >= len(f.content) {
			return true
		}
	}
	return false
}

// uploadTarget is the address that takes the parts of one file. It carries its
// own authorization and must not be sent a token.
type uploadTarget struct {
	service *rest.Service
	path    string
}

func (c *Client) uploadTarget(address string) (uploadTarget, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || !strings.HasPrefix(u.Path, "/") {
		return uploadTarget{}, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "Microsoft Graph sent no address to upload to"}
	}
	origin := &url.URL{Scheme: u.Scheme, Host: u.Host}
	return uploadTarget{
		service: &rest.Service{Name: "the upload service of Microsoft Graph", Base: origin, Client: c.uploads},
		path:    u.RequestURI(),
	}, nil
}

// put sends the part that begins at at, and returns where the next one begins,
// and whether the service says that it has the whole file.
func (t uploadTarget) put(ctx context.Context, content []byte, at int) (next int, done bool, err error) {
	end := min(at+chunkSize, len(content))
	response, err := t.service.Send(ctx, rest.Request{
		Method: http.MethodPut, Path: t.path, Raw: content[at:end],
		Header: http.Header{
			"Content-Type":  {"application/octet-stream"},
			"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", at, end-1, len(content))},
		},
	})
	if err != nil {
		return at, false, err
	}
	if response.Status == http.StatusCreated {
		return len(content), true, nil
	}
	if next, ok := nextRange(response.Body); ok {
		return next, false, nil
	}
	return end, false, nil
}

// next asks where an interrupted upload goes on.
func (t uploadTarget) next(ctx context.Context) (int, error) {
	response, err := t.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: t.path})
	if err != nil {
		return 0, err
	}
	next, ok := nextRange(response.Body)
	if !ok {
		return 0, mcptools.Errorf(mcptools.CodeNotFound, "the upload does not go on")
	}
	return next, nil
}

// nextRange reads the start of the first range that is still expected, such as
// 3276800 of ["3276800-"].
func nextRange(body []byte) (int, bool) {
	var status struct {
		Ranges []string `json:"nextExpectedRanges"`
	}
	if json.Unmarshal(body, &status) != nil || len(status.Ranges) == 0 {
		return 0, false
	}
	start, _, _ := strings.Cut(status.Ranges[0], "-")
	at, err := strconv.Atoi(start)
	return at, err == nil && at >= 0
}
