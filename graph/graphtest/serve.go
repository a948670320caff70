package graphtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// object is a JSON object in Graph's wire format.
type object = map[string]any

// graphError is an error answer.
type graphError struct {
	status  int
	code    string
	message string
}

func (e *graphError) Error() string { return e.code + ": " + e.message }

// failf makes an error answer.
func failf(status int, code, format string, args ...any) error {
	return &graphError{status, code, fmt.Sprintf(format, args...)}
}

func errNotFound() error {
	return failf(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store.")
}

// reply is an answer before it is written: to a connection or into a batch.
type reply struct {
	status int
	header http.Header
	body   any // nil, []byte (raw) or a JSON value
}

func ok(body any) reply      { return reply{status: http.StatusOK, body: body} }
func created(body any) reply { return reply{status: http.StatusCreated, body: body} }
func accepted() reply        { return reply{status: http.StatusAccepted} }
func noContent() reply       { return reply{status: http.StatusNoContent} }

func raw(contentType string, body []byte) reply {
	return reply{http.StatusOK, http.Header{"Content-Type": {contentType}}, body}
}

// call is one request, alone or part of a batch.
type call struct {
	*Server
	r      *http.Request
	body   []byte
	caller caller
	target specindex.Target
	route  string   // template with aliases such as /me resolved
	ids    []string // keys of route, unescaped
	owner  *user    // whose mailbox, calendar or profile it is about
	prefs  prefs
}

type handler func(*call) (reply, error)

// routes is the table of everything the fake answers, by method and template.
// It is a function value and not a map, so that nothing can change it.
var routes = sync.OnceValue(func() map[string]handler {
	all := map[string]handler{}
	for _, area := range []func() map[string]handler{
		mailRoutes, sendRoutes, folderRoutes, attachmentRoutes, settingRoutes, calendarRoutes, eventRoutes,
		scheduleRoutes, directoryRoutes, relationRoutes, searchRoutes,
	} {
		maps.Copy(all, area())
	}
	return all
})

const maxBody = 4 << 20 // Graph refuses larger requests

// serveGraph answers everything but tokens and uploads.
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	id, started := newGUID(), s.opts.Now()
	body, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	who, err := s.authenticate(r)
	var out reply
	switch {
	case err != nil:
		out = failed(err)
		out.header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+s.LoginURL()+`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	case readErr != nil:
		out = failed(failf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request body is larger than 4 MB."))
	default:
		out = s.answer(r, body, who)
	}
	header := w.Header()
	maps.Copy(header, out.header)
	header.Set("request-id", id)
	header.Set("client-request-id", firstOf(r.Header.Get("client-request-id"), id))
	header.Set("Date", started.UTC().Format(http.TimeFormat))
	if e, isError := out.body.(object); isError && e["error"] != nil && out.status >= 400 {
		e["error"].(object)["innerError"] = object{
			"date": started.UTC().Format("2006-01-02T15:04:05"), "request-id": id, "client-request-id": header.Get("client-request-id"),
		}
	}
	write(w, out)
}

func write(w http.ResponseWriter, out reply) {
	switch body := out.body.(type) {
	case nil:
		w.WriteHeader(out.status)
	case []byte:
		w.WriteHeader(out.status)
		_, _ = w.Write(body)
	default:
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
		}
		fakehttp.WriteJSON(w, out.status, body)
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// answer handles one authenticated request.
func (s *Server) answer(r *http.Request, body []byte, who caller) reply {
	out, err := s.handle(r, body, who)
	if err != nil {
		return failed(err)
	}
	return out
}

func (s *Server) handle(r *http.Request, body []byte, who caller) (reply, error) {
	path, found := strings.CutPrefix(r.URL.EscapedPath(), "/v1.0/")
	if !found {
		s.rec.Violate(r, fakehttp.UnknownPath, "paths begin with /v1.0/")
		return reply{}, failf(http.StatusNotFound, "ResourceNotFound", "Invalid version: %s", r.URL.Path)
	}
	if path == "$batch" {
		return s.batch(r, body, who)
	}
	c := &call{Server: s, r: r, body: body, caller: who}
	if err := c.resolve("/" + path); err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.prepare(); err != nil {
		return reply{}, err
	}
	handle, known := routes()[r.Method+" "+c.route]
	if !known {
		s.rec.Violate(r, fakehttp.UnknownPath, c.route+" is in Graph, but not in this fake")
		return reply{}, failf(http.StatusNotImplemented, "NotImplemented", "graphtest does not answer %s %s", r.Method, c.target.Template)
	}
	out, err := handle(c)
	if applied := c.prefs.applied(); err == nil && len(applied) > 0 {
		if out.header == nil {
			out.header = http.Header{}
		}
		out.header.Set("Preference-Applied", strings.Join(applied, ", "))
	}
	return out, err
}

// resolve finds what the path leads to.
func (c *call) resolve(path string) error {
	target, err := specindex.Graph().Resolve(c.r.Method, path)
	if err != nil {
		c.violate(fakehttp.UnknownPath, "%v", err)
		if errors.Is(err, specindex.ErrMethod) {
			return failf(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
		}
		segment := path[strings.LastIndex(path, "/")+1:]
		return failf(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", segment)
	}
	fakehttp.SetTemplate(c.r, target.Template)
	c.target = target
	for _, id := range target.IDs {
		plain, err := url.PathUnescape(id)
		if err != nil {
			return failf(http.StatusBadRequest, "BadRequest", "Malformed path.")
		}
		c.ids = append(c.ids, plain)
	}
	c.route = target.Template
	return c.aliases()
}

// aliases rewrites the several paths to the same thing into one.
func (c *call) aliases() error {
	if rest, me := strings.CutPrefix(c.route, "/me"); me && (rest == "" || rest[0] == '/') {
		if c.caller.app {
			return failf(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
		}
		c.route, c.ids = "/users/{id}"+rest, append([]string{c.caller.user}, c.ids...)
	}
	const folder, child = "/mailFolders/{id}", "/childFolders/{id}"
	for strings.Contains(c.route, folder+child) {
		c.route = strings.Replace(c.route, folder+child, folder, 1)
		c.ids = append(c.ids[:1], c.ids[2:]...)
	}
	if strings.HasPrefix(c.route, "/users/{id}"+folder+"/messages/{id}") {
		c.route = strings.Replace(c.route, folder, "", 1)
		c.ids = append(c.ids[:1], c.ids[2:]...)
	}
	rest, mine := strings.CutPrefix(c.route, "/users/{id}/")
	if !mine {
		return nil
	}
	switch {
	case rest == "calendar" || strings.HasPrefix(rest, "calendar/"):
		rest = "calendars/{id}" + strings.TrimPrefix(rest, "calendar")
		c.ids = append([]string{c.ids[0], ""}, c.ids[1:]...)
	case rest == "events" || rest == "calendarView":
		rest = "calendars/{id}/" + rest
		c.ids = append([]string{c.ids[0], ""}, c.ids[1:]...)
	}
	if strings.HasPrefix(rest, "calendars/{id}/events/{id}") {
		rest = strings.TrimPrefix(rest, "calendars/{id}/")
		c.ids = append(c.ids[:1], c.ids[2:]...)
	}
	c.route = "/users/{id}/" + rest
	return nil
}

// prepare checks headers, query options and permissions, and finds the user.
func (c *call) prepare() error {
	if err := c.readPrefs(); err != nil {
		return err
	}
	if err := c.checkQuery(); err != nil {
		return err
	}
	rest, about := strings.CutPrefix(c.route, "/users/{id}")
	if about {
		if c.owner = c.user(c.ids[0]); c.owner == nil {
			if isMailRoute(rest) {
				return failf(http.StatusNotFound, "ErrorInvalidUser", "The requested user '%s' is invalid.", c.ids[0])
			}
			return failf(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.ids[0])
		}
	}
	if err := c.authorize(c.target.Template, c.route); err != nil {
		return err
	}
	if about && isMailRoute(rest) {
		return c.openMailbox(rest)
	}
	return nil
}

func isMailRoute(rest string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	switch first {
	case "messages", "mailFolders", "sendMail", "calendars", "events", "mailboxSettings", "findMeetingTimes", "outlook":
		return true
	}
	return false
}

// openMailbox checks that the owner has a mailbox that the caller may open.
func (c *call) openMailbox(rest string) error {
	if c.owner.box == nil {
		return failf(http.StatusNotFound, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
	if c.caller.app || c.owner.id() == c.caller.user || c.owner.box.delegates[c.caller.user] {
		return nil
	}
	calendar := strings.HasPrefix(rest, "/calendars") || strings.HasPrefix(rest, "/events")
	if calendar && c.r.Method == http.MethodGet && c.owner.box.calendarShared {
		return nil
	}
	return failf(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

func (c *call) violate(kind fakehttp.Kind, format string, args ...any) {
	c.rec.Violate(c.r, kind, fmt.Sprintf(format, args...))
}

// failed turns an error into an answer.
func failed(err error) reply {
	e, isGraph := errors.AsType[*graphError](err)
	if !isGraph {
		e = &graphError{http.StatusInternalServerError, "InternalServerError", err.Error()}
	}
	return reply{e.status, http.Header{}, object{"error": object{"code": e.code, "message": e.message}}}
}

// faultBody is Graph's body of an injected status.
func (s *Server) faultBody(status int) (contentType, body string) {
	code, message := "UnknownError", "An unknown error has occurred."
	switch status {
	case http.StatusTooManyRequests:
		code, message = "TooManyRequests", "Too many requests"
	case http.StatusServiceUnavailable:
		code, message = "ServiceUnavailable", "The service is temporarily unavailable. Please try again later."
	case http.StatusGatewayTimeout:
		code, message = "UnknownError", ""
	}
	text, err := json.Marshal(object{"error": object{"code": code, "message": message, "innerError": object{
		"date": s.opts.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": newGUID(), "client-request-id": newGUID(),
	}}})
	if err != nil {
		return "", ""
	}
	return "application/json", string(text)
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
