package page_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/page"
)

func TestWrite(t *testing.T) {
	for name, test := range map[string]struct {
		page      page.Page
		has, none string
		policy    string
	}{
		"text": {page.Page{Title: "A <b>", Text: `"&`}, `<h1>A &lt;b&gt;</h1><p>&#34;&amp;</p></main>`, "<a ", "form-action 'none'"},
		"link": {page.Page{Link: `/x?a&b"`, Label: "Go"}, `<a href="/x?a&amp;b&#34;">Go</a>`, "refresh", "form-action 'none'"},
		"on":   {page.Page{Link: "/home", Label: "Go", Refresh: true}, `<meta http-equiv="refresh" content="0;url=/home">`, "<form", "form-action 'none'"},
		"form": {page.Page{Link: "/out", Label: "Go", Post: true}, `<form method="post" action="/out"><button>Go</button></form>`, "<a ", "form-action 'self'"},
	} {
		w := httptest.NewRecorder()
		test.page.Write(w, 418)
		body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
		if w.Code != 418 || !strings.Contains(body, test.has) || strings.Contains(body, test.none) || strings.Contains(body, "<script") {
			t.Errorf("%s: %d %s", name, w.Code, body)
		}
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.Contains(policy, test.policy) || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: %s", name, policy)
		}
	}
}
