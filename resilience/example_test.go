package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// busy is a server that is throttled at first.
func busy(retryAfter string) *httptest.Server {
	first := true
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
}

func Example() {
	server := busy("0")
	defer server.Close()

	transport, err := resilience.New(resilience.Options{
		Hosts: []string{server.URL}, // nothing else can be reached
		Hooks: resilience.Hooks{Retry: func(e resilience.RetryEvent) { fmt.Println("attempt", e.Number, "was", e.Class) }},
	})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := transport.Client().Post(server.URL, "application/json", strings.NewReader(`{"summary":"Printer is on fire"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// attempt 1 was throttled
	// 200 OK
}

func ExampleThrottledError() {
	server := busy("300")
	defer server.Close()
	transport, err := resilience.New(resilience.Options{Hosts: []string{server.URL}})
	if err != nil {
		log.Fatal(err)
	}
	client := transport.Client()

	// Five minutes are too long to wait: the answer comes back as it is …
	resp, err := client.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)

	// … and until they are over, no request is made at all.
	_, err = client.Get(server.URL) //nolint:bodyclose // there is no answer
	if throttled, ok := errors.AsType[*resilience.ThrottledError](err); ok {
		fmt.Println("try again in", throttled.RetryAfter.Round(time.Minute))
	}
	// Output:
	// 429 Too Many Requests
	// try again in 5m0s
}

func ExampleWith() {
	server := busy("0")
	defer server.Close()
	transport, err := resilience.New(resilience.Options{Hosts: []string{server.URL}})
	if err != nil {
		log.Fatal(err)
	}

	// This search is a POST, but harmless to repeat.
	harmless := true
	var stats resilience.Stats
	ctx := resilience.With(context.Background(), resilience.Call{Idempotent: &harmless, Stats: &stats})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("{}"))
	if err != nil {
		log.Fatal(err)
	}
	resp, err := transport.Client().Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, "after", stats.Attempts, "attempts")
	// Output: 200 after 2 attempts
}

func ExampleRetryAfter() {
	now := time.Date(2026, time.March, 5, 12, 0, 0, 0, time.UTC)
	fmt.Println(resilience.RetryAfter(http.Header{"Retry-After": {"120"}}, now))
	fmt.Println(resilience.RetryAfter(http.Header{"Retry-After": {"Thu, 05 Mar 2026 12:00:30 GMT"}}, now))
	fmt.Println(resilience.RetryAfter(http.Header{"Retry-After": {"-1"}}, now))
	// Output:
	// 2m0s true
	// 30s true
	// 0s false
}

func ExampleIdempotent() {
	change := httptest.NewRequest(http.MethodPatch, "/events/1", nil)
	fmt.Println(resilience.Idempotent(change))
	change.Header.Set("If-Match", `W/"7"`)
	fmt.Println(resilience.Idempotent(change))
	// Output:
	// false
	// true
}

// Keys say what is throttled together, here the mailboxes of a service, and a
// snapshot shows how they are.
func ExampleTransport_Snapshot() {
	server := busy("30")
	defer server.Close()
	transport, err := resilience.New(resilience.Options{
		Hosts: []string{server.URL},
		Keys: func(r *http.Request) resilience.Keys {
			return resilience.Keys{Breaker: "mail", Throttle: "mail" + r.URL.Path}
		},
		Retry: resilience.RetryPolicy{MaxRetryAfter: time.Second}, // no patience
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := transport.Client().Get(server.URL + "/box-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	s := transport.Snapshot()
	fmt.Println(s.Breakers[0].Key, s.Breakers[0].State)
	fmt.Println(s.Throttles[0].Key, "may be asked again in", s.Throttles[0].RetryAfter.Round(time.Second))
	// Output:
	// mail closed
	// mail/box-1 may be asked again in 30s
}
