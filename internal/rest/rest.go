// Package rest is JSON over HTTP for one service: what the clients of Microsoft
// Graph and HaloPSA share. Its errors are tool errors: they say what happened,
// what to do and whether it may have happened anyway.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/origin"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// maxLink bounds a next link: cursors carry much of it, and models repeat them.
const maxLink = 16 << 10

// maxErrorBody is how much of an error's body is read for its message.
const maxErrorBody = 64 << 10

// Service is one HTTP API. Its fields are set before first use and not changed
// later; it is safe for concurrent use.
type Service struct {
	Name   string       // as errors name it: "Microsoft Graph"
	Base   *url.URL     // paths are appended to it
	Client *http.Client // from [Stack]: its transport says whether a write may have been done
	Header http.Header  // sent with every request

	// Explain improves the error of an answer that is no success: it has the
	// service's own codes in the body.
	Explain func(*Failure)
	// Look says where to find out whether a write of this kind was done, for the
	// error of one that is in doubt. "" and a nil Look say so in general.
	Look func(Request) string
}

// Failure is an answer that is no success. Ctx is that of the request.
type Failure struct {
	Ctx    context.Context //nolint:containedctx // lives as long as the call of Explain
	Status int
	Header http.Header
	Body   []byte // the beginning of it; never shown to a model as it is
	Error  *mcptools.Error
}

// Request is one call of a service.
type Request struct {
	Method string
	Path   string // from [Path], with a leading slash
	Query  url.Values
	Header http.Header
	Body   any    // sent as JSON; nil for none
	Raw    []byte // sent as it is, instead of Body; set Content-Type in Header

	// Safe says that a POST only reads, so that it may be repeated.
	Safe bool
	// Repeatable says that the service recognizes a repetition of this very
	// write, so that it may be repeated although it may have happened. When no
	// attempt was answered, it is uncertain like any other write.
	Repeatable bool
	// Once says that a PUT or DELETE must not be repeated after an attempt that
	// may have been carried out, although its method would allow it.
	Once bool
}

// Response is a successful answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes the request and decodes a JSON answer into out, unless out is nil.
// Every error is an *mcptools.Error.
func (s *Service) Do(ctx context.Context, r Request, out any) (*Response, error) {
	response, err := s.Send(ctx, r)
	if err != nil {
		return nil, err
	}
	if out == nil || len(response.Body) == 0 && writes(r) {
		return response, nil
	}
	if err := Decode(response.Body, out); err != nil {
		return nil, s.Unread(r, err)
	}
	return response, nil
}

// Send makes the request and returns the whole answer. Every error is an
// *mcptools.Error.
func (s *Service) Send(ctx context.Context, r Request) (*Response, error) {
	watch, stats := watched(ctx, r)
	request, err := s.build(watch, r)
	if err != nil {
		return nil, &mcptools.Error{Code: mcptools.CodeInternal, Message: "the request could not be built", Err: err}
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return nil, s.inDoubt(r, stats, s.unanswered(err))
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		// A broken error body still leaves the status, which says the most.
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
		return nil, s.inDoubt(r, stats, s.failed(r, &Failure{Ctx: ctx, Status: response.StatusCode, Header: response.Header, Body: body}))
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, s.Doubtful(r, s.unanswered(err))
	}
	return &Response{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// inDoubt marks err if an attempt may have been carried out.
func (s *Service) inDoubt(r Request, stats *resilience.Stats, err error) error {
	if !stats.Doubtful {
		return err
	}
	return s.Doubtful(r, err)
}

func (s *Service) build(ctx context.Context, r Request) (*http.Request, error) {
	if !strings.HasPrefix(r.Path, "/") {
		return nil, errors.New("rest: the path must begin with a slash")
	}
	address := strings.TrimSuffix(s.Base.String(), "/") + r.Path
	if len(r.Query) > 0 {
		// Graph reads a plus in a query as a plus, so spaces are written %20.
		address += "?" + strings.ReplaceAll(r.Query.Encode(), "+", "%20")
	}
	var body io.Reader
	switch {
	case r.Raw != nil:
		body = bytes.NewReader(r.Raw)
	case r.Body != nil:
		data, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("rest: marshal body: %w", err)
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if r.Raw == nil && r.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range []http.Header{s.Header, r.Header} {
		maps.Copy(request.Header, header)
	}
	return request, nil
}

// Continue returns the part of a next link that differs from the query of the
// request that it continues, so that a cursor need not carry a whole URL. A
// link that leads to another host or path is refused: it would take the token
// there.
func (s *Service) Continue(link, path string, query url.Values) (url.Values, error) {
	next, err := url.Parse(link)
	if err != nil || len(link) > maxLink || !sameOrigin(next, s.Base) {
		return nil, &mcptools.Error{Code: mcptools.CodeUpstream, Message: s.Name + " sent a link that leads elsewhere"}
	}
	differs := url.Values{}
	for name, values := range next.Query() {
		if query.Get(name) != values[0] {
			differs[name] = values
		}
	}
	if !samePath(next.Path, s.Base.Path+path) || len(differs) == 0 {
		return nil, &mcptools.Error{Code: mcptools.CodeUpstream, Message: s.Name + " sent a link that does not continue the list"}
	}
	return differs, nil
}

func sameOrigin(a, b *url.URL) bool {
	first, err1 := origin.Of(a)
	second, err2 := origin.Of(b)
	return err1 == nil && err2 == nil && first == second
}

// samePath compares the end of two paths: a service may name the signed-in user
// by id where the request said "me".
func samePath(a, b string) bool {
	return a[strings.LastIndex(a, "/")+1:] == b[strings.LastIndex(b, "/")+1:]
}

// Unread returns the error for an answer to r that could not be read. When r
// was a write, it has most likely happened.
func (s *Service) Unread(r Request, err error) error {
	return s.Doubtful(r, &mcptools.Error{Code: mcptools.CodeUpstream, Message: s.Name + " sent an answer that cannot be read", Err: err})
}
