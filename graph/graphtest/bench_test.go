package graphtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkListMessages bounds what the fake adds to benchmarks of clients.
func BenchmarkListMessages(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	r := httptest.NewRequest(http.MethodGet, "/v1.0/me/messages?$top=10&$select=id,subject,from,receivedDateTime,bodyPreview", nil)
	r.Header.Set("Authorization", "Bearer "+s.Token())
	for b.Loop() {
		w := httptest.NewRecorder()
		s.serveGraph(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
