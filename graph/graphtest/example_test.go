package graphtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
)

func get(url, token string, into any) (int, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(into)
}

func Example() {
	server := graphtest.New(graphtest.Options{
		Now: func() time.Time { return time.Date(2026, 3, 22, 9, 0, 0, 0, time.UTC) },
	})
	defer server.Close()

	var page struct{ Value []struct{ Subject string } }
	status, err := get(server.URL()+"/me/messages?$select=subject&$top=1", server.Token(), &page)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(status, page.Value[0].Subject)
	fmt.Println(len(server.Violations()), "violations")
	// Output:
	// 200 Label printer in hall 3 prints blank labels
	// 0 violations
}

// A request that Graph would refuse is refused, and recorded.
func ExampleServer_Violations() {
	server := graphtest.New(graphtest.Options{})
	defer server.Close()

	var answer struct{ Error struct{ Code string } }
	status, err := get(server.URL()+"/me/messages?$select=headline", server.Token(), &answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(status, answer.Error.Code)
	for _, v := range server.Violations() {
		fmt.Println(v.Kind, v.Detail)
	}
	// Output:
	// 400 RequestBroker--ParseUri
	// unknown-query $select: message has no "headline"
}

func ExampleServer_Faults() {
	server := graphtest.New(graphtest.Options{})
	defer server.Close()
	server.Faults().Next(1, "GET", "/me", graphtest.Answer{Status: http.StatusTooManyRequests, RetryAfter: "7"})

	for range 2 {
		var body map[string]any
		status, err := get(server.URL()+"/me", server.Token(), &body)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(status)
	}
	// Output:
	// 429
	// 200
}
