package graphtest

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// uploadPath is where upload sessions live: outside /v1.0, like the real
// outlook.office.com, and open to whoever has the URL.
const uploadPath = "/api/v2.0/"

const maxUpload = 150 << 20

type uploadSession struct {
	url     string
	token   string
	holder  holder
	name    string
	kind    string
	size    int
	content []byte
	expires time.Time
}

// createUploadSession begins the upload of a large attachment.
// https://learn.microsoft.com/graph/outlook-large-attachments
func createUploadSession(c *call) (reply, error) {
	h, err := c.holder()
	if err != nil {
		return reply{}, err
	}
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	about, _ := params["attachmentItem"].(object)
	size, _ := about["size"].(float64)
	if about == nil || !strings.EqualFold(textAt(about, "attachmentType"), "file") || textAt(about, "name") == "" {
		c.violate(fakehttp.WrongKind, "AttachmentItem needs attachmentType file, name and size")
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "AttachmentItem needs attachmentType file, name and size.")
	}
	if size < maxInlineAttachment || size > maxUpload {
		c.violate(fakehttp.WrongKind, "an upload session for %d bytes", int(size))
		return reply{}, failf(http.StatusBadRequest, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "Attachment size must be between 3 MB and 150 MB.")
	}
	session := &uploadSession{
		token: newGUID(), holder: h, name: textAt(about, "name"), size: int(size),
		kind: firstOf(textAt(about, "contentType"), "application/octet-stream"), expires: c.opts.Now().Add(time.Hour),
	}
	session.url = fmt.Sprintf("%s%sUsers('%s@%s')/Messages('%s')/AttachmentSessions('%s')", c.http.URL(), uploadPath,
		c.owner.id(), TenantID, h.box.regularID(h.n, h.revision), newGUID())
	c.uploads[session.token] = session
	return created(object{
		"@odata.context": c.URL() + "/$metadata#microsoft.graph.uploadSession",
		"uploadUrl":      session.url + "?authtoken=" + session.token, "expirationDateTime": timestamp(session.expires), "nextExpectedRanges": []string{"0-"},
	}), nil
}

// serveUpload takes the chunks. The URL is the credential: a bearer token here
// would have leaked to another host.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	body, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.upload(r, body, readErr)
	if err != nil {
		out = failed(err)
	}
	maps.Copy(w.Header(), out.header)
	write(w, out)
}

func (s *Server) upload(r *http.Request, body []byte, readErr error) (reply, error) {
	if r.Header.Get("Authorization") != "" {
		s.rec.Violate(r, fakehttp.LeakedToken, "an upload URL got an Authorization header")
		return reply{}, failf(http.StatusUnauthorized, "InvalidAuthenticationToken", "An upload session takes no Authorization header.")
	}
	session := s.uploads[r.URL.Query().Get("authtoken")]
	if session == nil || !s.opts.Now().Before(session.expires) {
		return reply{}, failf(http.StatusNotFound, "ErrorItemNotFound", "The upload session was not found or has expired.")
	}
	switch r.Method {
	case http.MethodGet:
		return ok(session.status()), nil
	case http.MethodDelete:
		delete(s.uploads, session.token)
		return noContent(), nil
	case http.MethodPut:
		if readErr != nil {
			session.keep(r, body)
			return reply{}, failf(http.StatusBadRequest, "ErrorInternalServerError", "The chunk did not arrive whole.")
		}
		return s.chunk(r, session, body)
	}
	return reply{}, failf(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
}

func (u *uploadSession) status() object {
	return object{"expirationDateTime": timestamp(u.expires), "nextExpectedRanges": []string{strconv.Itoa(len(u.content))}}
}

// keep appends what arrived of a range that was cut off. Graph promises nothing
// but that the status of the session tells where to go on; the worst for a client
// is a byte in the middle of its chunk.
func (u *uploadSession) keep(r *http.Request, part []byte) {
	var from, to, total int
	_, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
	if err == nil && from == len(u.content) && from+len(part) <= to && total == u.size {
		u.content = append(u.content, part...)
	}
}

// chunk appends one range, which must begin where the last one ended.
func (s *Server) chunk(r *http.Request, session *uploadSession, body []byte) (reply, error) {
	var from, to, total int
	_, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
	if err != nil || to-from+1 != len(body) || total != session.size || to >= total {
		s.rec.Violate(r, fakehttp.BadHeader, fmt.Sprintf("Content-Range %q for %d bytes", r.Header.Get("Content-Range"), len(body)))
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Invalid Content-Range header value.")
	}
	if len(body) >= maxBody {
		s.rec.Violate(r, fakehttp.WrongKind, "a chunk of 4 MB or more")
		return reply{}, failf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "A chunk must be smaller than 4 MB.")
	}
	if from != len(session.content) {
		return reply{}, failf(http.StatusRequestedRangeNotSatisfiable, "ErrorInvalidRange", "The range starts at %d, but %d is expected.", from, len(session.content))
	}
	session.content = append(session.content, body...)
	if len(session.content) < session.size {
		return ok(session.status()), nil
	}
	a := newFile(session.name, session.kind, session.content)
	a.n = s.item()
	a.props["lastModifiedDateTime"] = timestamp(s.opts.Now())
	h := session.holder
	*h.files = append(*h.files, a)
	h.touch()
	delete(s.uploads, session.token)
	id := h.box.attachmentID(h.n, h.revision, a.n, false)
	location := fmt.Sprintf("%s%sUsers('%s@%s')/Messages('%s')/Attachments('%s')", s.http.URL(), uploadPath, h.box.owner.id(), TenantID,
		h.box.regularID(h.n, h.revision), base64.URLEncoding.EncodeToString([]byte(id)))
	return reply{http.StatusCreated, http.Header{"Location": {location}}, nil}, nil
}
