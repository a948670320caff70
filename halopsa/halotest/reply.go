package halotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// ErrorShape is the form of a 400's body. Builds and endpoints of Halo differ
// (research: five forms are seen, always around one human sentence).
type ErrorShape uint8

// The known shapes.
const (
	ErrorMixed     ErrorShape = iota // each endpoint its own, as a real tenant
	ErrorSentence                    // "a JSON string"
	ErrorText                        // plain text
	ErrorMessage                     // {"Message": …}
	ErrorException                   // {"ClassName": …, "Message": …}, a .NET exception
	ErrorResult                      // {"resultCode": …, "errorMessage": …}
	ErrorField                       // {"error": …}
)

// failure is an answer other than 200.
type failure struct {
	status  int
	shape   ErrorShape
	message string
}

func (f *failure) Error() string { return fmt.Sprintf("%d: %s", f.status, f.message) }

func refuse(shape ErrorShape, format string, args ...any) error {
	return &failure{http.StatusBadRequest, shape, fmt.Sprintf(format, args...)}
}

func notFound(what string, id int) error {
	return &failure{http.StatusNotFound, ErrorSentence, fmt.Sprintf("%s %d was not found.", what, id)}
}

// brokenQuery is what a query makes that Halo's SQL chokes on: the same 500
// every time.
func brokenQuery(detail string) error {
	return &failure{http.StatusInternalServerError, ErrorException, detail}
}

func (s *Server) writeFailure(w http.ResponseWriter, err error) {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{http.StatusInternalServerError, ErrorException, err.Error()}
	}
	shape := f.shape
	if f.status == http.StatusBadRequest && s.options.ErrorShape != ErrorMixed {
		shape = s.options.ErrorShape
	}
	switch shape {
	case ErrorText:
		writeText(w, f.status, f.message)
	case ErrorMessage:
		fakehttp.WriteJSON(w, f.status, Record{"Message": f.message})
	case ErrorException:
		fakehttp.WriteJSON(w, f.status, Record{
			"ClassName": "System.Exception", "Message": f.message, "Data": nil, "InnerException": nil,
			"HelpURL": nil, "StackTraceString": "   at NetHelpDesk.API.Controllers.Handle(HttpContext context)", "HResult": -2146233088, "Source": "NetHelpDesk.API",
		})
	case ErrorResult:
		fakehttp.WriteJSON(w, f.status, Record{"resultCode": 1, "errorMessage": f.message})
	case ErrorField:
		fakehttp.WriteJSON(w, f.status, Record{"error": f.message})
	default:
		fakehttp.WriteJSON(w, f.status, f.message)
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may have gone
}

// withoutZone encodes a value with the Z cut from its times.
type withoutZone struct{ value any }

var zoned = regexp.MustCompile(`("\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"`)

// MarshalJSON implements json.Marshaler.
func (v withoutZone) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(v.value)
	return zoned.ReplaceAll(text, []byte(`$1"`)), err
}

// tooMany is the body of a 429, the one text that was seen in the wild.
const tooMany = "Rate Limit Reached - 300 Requests per rolling 5 minute window"

// faultBody gives injected faults the bodies that Halo would send.
func faultBody(status int) (contentType, body string) {
	if status == http.StatusTooManyRequests {
		return "text/plain; charset=utf-8", tooMany
	}
	return "text/html", "<html><body><h1>" + http.StatusText(status) + "</h1></body></html>"
}
