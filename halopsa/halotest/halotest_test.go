package halotest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

var now = time.Date(2026, 11, 18, 9, 30, 0, 0, time.UTC)

func start(t *testing.T, options halotest.Options) *halotest.Server {
	t.Helper()
	if options.Now == nil {
		options.Now = func() time.Time { return now }
	}
	server := halotest.New(options)
	t.Cleanup(server.Close)
	return server
}

// send makes one request with a token for everything.
func send(t *testing.T, server *halotest.Server, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL()+"/api"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.Token())
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return do(t, request)
}

func do(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// ask expects 200 and decodes the answer.
func ask[T any](t *testing.T, server *halotest.Server, method, path, body string) T {
	t.Helper()
	status, text := send(t, server, method, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	var value T
	if err := json.NewDecoder(bytes.NewBufferString(text)).Decode(&value); err != nil {
		t.Fatalf("%s %s: %v in %.200s", method, path, err, text)
	}
	return value
}

type object = map[string]any

// rows returns the rows of an envelope.
func rows(t *testing.T, envelope object, key string) []object {
	t.Helper()
	list, ok := envelope[key].([]any)
	if !ok {
		t.Fatalf("no array %q in the reply", key)
	}
	out := make([]object, len(list))
	for i, row := range list {
		out[i], _ = row.(object)
	}
	return out
}

func list(t *testing.T, server *halotest.Server, path, key string) []object {
	t.Helper()
	return rows(t, ask[object](t, server, "GET", path, ""), key)
}

// expectRefusal wants a status and a part of the answer.
func expectRefusal(t *testing.T, server *halotest.Server, method, path, body string, status int, part string) {
	t.Helper()
	got, text := send(t, server, method, path, body)
	if got != status || !strings.Contains(text, part) {
		t.Errorf("%s %s %s: %d %s, want %d with %q", method, path, body, got, text, status, part)
	}
}

// expectViolations wants exactly these violations since the last check.
func expectViolations(t *testing.T, server *halotest.Server, want ...string) {
	t.Helper()
	var got []string
	for _, v := range server.Violations() {
		got = append(got, string(v.Kind)+" "+v.Detail)
	}
	server.ResetRecord()
	if len(got) != len(want) {
		t.Errorf("violations %q, want %q", got, want)
		return
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("violation %q, want %q", got[i], want[i])
		}
	}
}

func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return "?" + values.Encode()
}
