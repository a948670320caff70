package graphtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// start is a Sunday in March 2026, a week before Berlin's clocks change.
var start = time.Date(2026, 3, 22, 9, 0, 0, 0, time.UTC)

// rig speaks plain HTTP with a server.
type rig struct {
	*Server
	t      *testing.T
	token  string
	client *http.Client
}

func newRig(t *testing.T, opts Options) *rig {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return start }
	}
	s := New(opts)
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.Close() })
	return &rig{s, t, s.Token(), &http.Client{Transport: transport}}
}

type answer struct {
	status int
	header http.Header
	raw    []byte
	body   object
}

// do sends a request; path is below /v1.0 or absolute, headers are "Name: value".
func (r *rig) do(method, path string, body any, headers ...string) answer {
	r.t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	if !strings.HasPrefix(path, "http") {
		path = r.URL() + strings.ReplaceAll(path, " ", "%20")
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, path, reader)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := answer{status: resp.StatusCode, header: resp.Header}
	if out.raw, err = io.ReadAll(resp.Body); err != nil {
		r.t.Fatal(err)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(out.raw, &out.body); err != nil {
			r.t.Fatalf("%s %s: %v in %s", method, path, err, out.raw)
		}
	}
	return out
}

func (r *rig) get(path string, headers ...string) answer {
	r.t.Helper()
	return r.do(http.MethodGet, path, nil, headers...)
}

// want fails the test unless the status is as expected.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

func (a answer) values() []object {
	var out []object
	for _, v := range elements(a.body["value"]) {
		out = append(out, asObject(v))
	}
	return out
}

func (a answer) code() string { return textAt(a.body, "error", "code") }

func (a answer) strings(key string) []string {
	var out []string
	for _, v := range a.values() {
		out = append(out, textAt(v, key))
	}
	return out
}

func (r *rig) firstID(path string) string {
	r.t.Helper()
	values := r.get(path).want(r.t, 200).values()
	if len(values) == 0 {
		r.t.Fatalf("%s is empty", path)
	}
	return textAt(values[0], "id")
}

func (r *rig) violated(kind Kind) bool {
	return slices.ContainsFunc(r.Violations(), func(v Violation) bool { return v.Kind == kind })
}

func (r *rig) clean() {
	r.t.Helper()
	for _, v := range r.Violations() {
		r.t.Errorf("violation %s", v)
	}
}

func q(s string) string { return url.QueryEscape(s) }
