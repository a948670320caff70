package authtest

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"time"
)

// Hostile is an answer that a good token endpoint would not give. The form of
// the request has been parsed.
type Hostile func(w http.ResponseWriter, r *http.Request)

// Attack makes the next token requests meet these answers, one each.
func (s *Server) Attack(answers ...Hostile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostile = append(s.hostile, answers...)
}

// RedirectTo answers with status (307 and 308 make clients repeat the form)
// and another address.
func RedirectTo(status int, url string) Hostile {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", url)
		w.WriteHeader(status)
	}
}

// EchoHTML answers with a page that repeats the request, as badly configured
// proxies do.
func EchoHTML(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, "<html><h1>Bad request</h1><pre>%s</pre><p>%s</p></html>", html.EscapeString(r.PostForm.Encode()), html.EscapeString(fmt.Sprint(r.Header)))
}

// EchoJSON answers with an OAuth error whose description repeats the request.
func EchoJSON(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	body, err := json.Marshal(map[string]any{"error": "invalid_request", "error_description": fmt.Sprintf("cannot handle %v %v", r.PostForm, r.Header)})
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(body)
}

// Truncated answers 200 with a token document that ends in the middle.
func Truncated(token string) Hostile {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"`+token+`","refresh_tok`)
	}
}

// Document answers 200 with this body, as this type.
func Document(contentType, body string) Hostile {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// Huge answers with a document of this many bytes, and tells sent how many of
// them it could get rid of.
func Huge(size int64, sent func(int64)) Hostile {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		written := int64(0)
		defer func() { sent(written) }()
		chunk := []byte(strings.Repeat("a", 64<<10))
		_, _ = io.WriteString(w, `{"access_token":"`)
		for written < size {
			n, err := w.Write(chunk)
			if written += int64(n); err != nil {
				return
			}
		}
	}
}

// Drip sends a byte every pause until the client has had enough.
func Drip(pause time.Duration) Hostile {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		control := http.NewResponseController(w)
		for {
			if _, err := io.WriteString(w, " "); err != nil || control.Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(pause):
			}
		}
	}
}
