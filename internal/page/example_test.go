package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/msptoolbelt/toolbelt/internal/page"
)

func ExamplePage() {
	answer := httptest.NewRecorder()
	page.Page{Title: "Signed in", Text: "You can close this window."}.Write(answer, http.StatusOK)
	fmt.Println(answer.Code, answer.Header().Get("Cache-Control"))
	// Output: 200 no-store
}
