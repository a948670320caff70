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
	"time"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

const (
	// chunkSize is a multiple of 320 KiB, below the 4 MB that a part may have.
	chunkSize = 10 * 320 << 10
	// maxUploadFailures is how often in a row a part may fail.
	maxUploadFailures = 3
	// maxCopies bounds the attachments of a draft that are looked through.
	maxCopies = 1000
	// cancelTime bounds the end of an upload that failed.
	cancelTime = 5 * time.Second
)

// upload adds a large attachment to a draft, exactly once.
// https://learn.microsoft.com/graph/outlook-large-attachments
func (c *Client) upload(ctx context.Context, draftPath string, f file, report func(done int)) error {
	before, err := c.copies(ctx, draftPath, f)
	if err != nil {
		return err
	}
	var session struct {
		UploadURL string `json:"uploadUrl"`
	}
	item := map[string]any{"attachmentType": "file", "name": f.name, "contentType": f.contentType, "size": len(f.content)}
	begin := rest.Request{
		Method: http.MethodPost, Path: draftPath + "/attachments/createUploadSession", Body: map[string]any{"AttachmentItem": item},
		Safe: true, // a session that nobody uses expires
	}
	if _, err := c.service.Do(ctx, begin, &session); err != nil {
		return err
	}
	target, err := c.uploadTarget(session.UploadURL)
	if err != nil {
		return err
	}
	complete, failed := c.sendParts(ctx, target, f.content, report)
	if complete {
		return nil
	}
	if failed != nil { // what is still under way ends with the session, so that the list is final
		target.cancel(ctx)
	}
	after, err := c.copies(ctx, draftPath, f)
	switch {
	case err == nil && after > before: // the last answer was lost
		return nil
	case err == nil && failed != nil:
		return notUploaded(failed)
	case err == nil:
		target.cancel(ctx)
		return &mcptools.Error{Code: mcptools.CodeUpstream, Message: "the upload service took the file, but the message does not have it"}
	case failed != nil:
		return failed
	}
	return c.service.Doubtful(rest.Request{Method: http.MethodPost, Path: draftPath + "/attachments"}, err)
}

// notUploaded takes the doubt out of the error of an upload that left nothing.
func notUploaded(err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != mcptools.CodeUncertain {
		return err
	}
	certain := &mcptools.Error{Code: mcptools.CodeUnavailable, Message: "the upload broke off, and nothing of the file was kept", Hint: "the same call makes a new message with it", Err: e.Err}
	certain.RetryAfter = waitOf(e.Err)
	return certain
}

// sendParts sends a file part by part, from where the service asks for it. It
// reports whether the service said that it has the whole file.
func (c *Client) sendParts(ctx context.Context, target uploadTarget, content []byte, report func(done int)) (complete bool, err error) {
	failures, sent, reported := 0, 0, 0
	left := 2*len(content)/chunkSize + 2*maxUploadFailures // parts that may be sent, repetitions included
	for at := 0; at < len(content); left-- {
		if left == 0 {
			return false, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "the upload service asks for the same parts over and over"}
		}
		end := min(at+chunkSize, len(content))
		sent = max(sent, end)
		next, done, err := target.put(ctx, content, at, end)
		switch {
		case done:
			return true, nil
		case err == nil:
			failures = 0
		default:
			if failures++; failures > maxUploadFailures || !resumable(err) || !pause(ctx, c.backoff(failures)) {
				return false, err
			}
			if next, err = target.next(ctx, err); err != nil {
				return false, err
			}
		}
		if next > sent {
			return false, &mcptools.Error{Code: mcptools.CodeUpstream, Message: "the upload service claims to have what it was never sent"}
		}
		if at = next; at > reported { // progress never goes back
			reported = at
			report(at)
		}
	}
	return false, nil
}

// resumable reports whether an upload may go on after a part failed.
func resumable(err error) bool {
	for _, code := range []mcptools.Code{mcptools.CodeCancelled, mcptools.CodePermissionDenied, mcptools.CodeTooLarge, mcptools.CodeThrottled} {
		if errors.Is(err, code) {
			return false
		}
	}
	return true
}

// copies counts the attachments of a draft that look like the file.
func (c *Client) copies(ctx context.Context, draftPath string, f file) (int, error) {
	l := collection{path: draftPath + "/attachments", query: url.Values{"$select": {"id,name,size"}}, unsized: true}
	list, err := whole[attachment](ctx, c, l, maxCopies)
	count := 0
	for _, a := range list {
		if a.Name == f.name && a.Size >= len(f.content) {
			count++
		}
	}
	return count, err
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

// put sends a part, and returns where the next one begins, and whether the
// service says that it has the whole file. It is not repeated blindly: of a part
// whose answer was lost the service may have any number of bytes.
func (t uploadTarget) put(ctx context.Context, content []byte, at, end int) (next int, done bool, err error) {
	response, err := t.service.Send(ctx, rest.Request{
		Method: http.MethodPut, Path: t.path, Raw: content[at:end], Once: true,
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

// next asks where an upload goes on after a part failed.
func (t uploadTarget) next(ctx context.Context, failed error) (int, error) {
	response, err := t.service.Send(ctx, rest.Request{Method: http.MethodGet, Path: t.path})
	switch {
	case errors.Is(err, mcptools.CodeNotFound):
		return 0, &mcptools.Error{Code: mcptools.CodeUnavailable, Message: "the upload session ended before the file was complete", Hint: "the same call makes a new message with it", Err: failed}
	case err != nil:
		return 0, failed
	}
	next, ok := nextRange(response.Body)
	if !ok {
		return 0, failed
	}
	return next, nil
}

// cancel ends the session and removes what it has, also when the caller has
// gone. A session that is not ended expires by itself.
func (t uploadTarget) cancel(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	_, _ = t.service.Send(ctx, rest.Request{Method: http.MethodDelete, Path: t.path}) // see above
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
