package fakehttp_test

import (
	"fmt"
	"net/http"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

func Example() {
	var recorder fakehttp.Recorder
	var faults fakehttp.Faults
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fakehttp.SetTemplate(r, "/tickets")
		fakehttp.WriteJSON(w, http.StatusOK, map[string]any{"tickets": []int{1, 2}})
	})
	server := fakehttp.Serve(recorder.Wrap(faults.Wrap(api)))
	defer server.Close()

	faults.Next(1, "GET", "/tickets", fakehttp.Answer{Status: 429, RetryAfter: "1"})
	for range 2 {
		resp, err := http.Get(server.URL() + "/tickets")
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Printf("%d, Retry-After: %q\n", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	fmt.Println(recorder.Total(), "requests")
	// Output:
	// 429, Retry-After: "1"
	// 200, Retry-After: ""
	// 2 requests
}
