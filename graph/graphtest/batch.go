package graphtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

const maxBatch = 20

// batchPart is one request of a JSON batch.
// https://learn.microsoft.com/graph/json-batching
type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batch answers POST /$batch: each part alone, in order.
func (s *Server) batch(r *http.Request, body []byte, who caller) (reply, error) {
	defer fakehttp.SetTemplate(r, "/$batch") // after the parts, which set theirs
	var in struct {
		Requests []batchPart `json:"requests"`
	}
	if r.Method != http.MethodPost {
		s.rec.Violate(r, fakehttp.UnknownPath, "$batch takes POST")
		return reply{}, failf(http.StatusMethodNotAllowed, "BadRequest", "$batch takes POST.")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		s.rec.Violate(r, fakehttp.WrongKind, "the batch is no JSON object with requests")
		return reply{}, failf(http.StatusBadRequest, "BadRequest", "Invalid batch payload format.")
	}
	if problem := checkBatch(in.Requests); problem != "" {
		s.rec.Violate(r, fakehttp.WrongKind, problem)
		return reply{}, failf(http.StatusBadRequest, "BadRequest", "%s", problem)
	}
	statuses := map[string]int{}
	responses := []object{}
	for _, part := range in.Requests {
		out := s.part(r, part, who, statuses)
		statuses[part.ID] = out.status
		response := object{"id": part.ID, "status": out.status, "headers": object{"Content-Type": "application/json"}}
		for name, values := range out.header {
			response["headers"].(object)[name] = values[0]
		}
		switch body := out.body.(type) {
		case nil:
		case []byte:
			response["body"] = base64.StdEncoding.EncodeToString(body)
		default:
			response["body"] = body
		}
		responses = append(responses, response)
	}
	return ok(object{"responses": responses}), nil
}

func checkBatch(parts []batchPart) string {
	if len(parts) == 0 || len(parts) > maxBatch {
		return "Number of batch request steps must be between 1 and 20."
	}
	seen := map[string]bool{}
	for _, part := range parts {
		switch {
		case part.ID == "" || seen[part.ID]:
			return "Batch request ids must be present and different."
		case part.Method == "" || !strings.HasPrefix(part.URL, "/"):
			return "Batch requests need a method and a URL relative to the version."
		case slices.ContainsFunc(part.DependsOn, func(id string) bool { return !seen[id] }):
			return "dependsOn must name earlier requests."
		case len(part.Body) > 0 && part.contentType() == "":
			return "A batch request with a body needs a Content-Type header."
		}
		seen[part.ID] = true
	}
	return ""
}

func (p batchPart) contentType() string {
	for name, value := range p.Headers {
		if strings.EqualFold(name, "Content-Type") {
			return value
		}
	}
	return ""
}

// part answers one request of a batch. Faults reach into batches: planned and
// random throttling hits parts, too.
func (s *Server) part(r *http.Request, part batchPart, who caller, statuses map[string]int) reply {
	for _, id := range part.DependsOn {
		if statuses[id] >= 400 {
			return failed(failf(http.StatusFailedDependency, "FailedDependency", "A request that this one depends on failed."))
		}
	}
	u, err := url.Parse("/v1.0" + part.URL)
	if err != nil {
		return failed(failf(http.StatusBadRequest, "BadRequest", "The URL of a batch request is malformed."))
	}
	inner, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), strings.ToUpper(part.Method), u.String(), bytes.NewReader(part.Body))
	if err != nil {
		return failed(failf(http.StatusBadRequest, "BadRequest", "The method of a batch request is not valid."))
	}
	for name, value := range part.Headers {
		inner.Header.Set(name, value)
	}
	if fault, hit := s.faults.Part(inner.Method, u.Path); hit {
		out := failed(failf(fault.Status, faultCode(fault.Status), "The request was throttled."))
		if fault.RetryAfter != "" {
			out.header.Set("Retry-After", fault.RetryAfter)
		}
		return out
	}
	return s.answer(inner, part.Body, who)
}

func faultCode(status int) string {
	if status == http.StatusTooManyRequests {
		return "TooManyRequests"
	}
	return "ServiceUnavailable"
}
