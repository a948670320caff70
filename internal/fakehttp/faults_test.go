package fakehttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func start(t *testing.T, faults *Faults, rec *Recorder, next http.HandlerFunc) (*Server, *http.Client) {
	t.Helper()
	s := Serve(rec.Wrap(faults.Wrap(next)))
	// A fresh connection for each request: net/http repeats a request by
	// itself when a reused connection was cut.
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.Close() })
	return s, &http.Client{Transport: transport}
}

func get(t *testing.T, client *http.Client, url string) (int, string, error) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestPlannedFaults(t *testing.T) {
	tests := []struct {
		name    string
		answer  Answer
		handled int32
		status  int
		body    string
		fails   bool
	}{
		{"throttle", Answer{Status: 429, RetryAfter: "2"}, 0, 429, "error 429", false},
		{"raw body", Answer{Status: 502, Body: "<html>"}, 0, 502, "<html>", false},
		{"drop before", Answer{Drop: DropBefore}, 0, 0, "", true},
		{"drop after", Answer{Drop: DropAfter}, 1, 0, "", true},
		{"drop during", Answer{Drop: DropDuring}, 1, 200, "do", true},
		{"delay", Answer{Delay: time.Millisecond}, 1, 200, "done", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var handled atomic.Int32
			faults := &Faults{ErrorBody: func(status int) (string, string) {
				return "text/plain", fmt.Sprintf("error %d", status)
			}}
			var rec Recorder
			s, client := start(t, faults, &rec, func(w http.ResponseWriter, _ *http.Request) {
				handled.Add(1)
				_, _ = io.WriteString(w, "done")
			})
			faults.Next(1, "GET", "/mail", tt.answer)
			if status, _, err := get(t, client, s.URL()+"/other"); err != nil || status != 200 {
				t.Fatalf("a request that does not match met the fault: %d %v", status, err)
			}
			handled.Store(0)
			status, body, err := get(t, client, s.URL()+"/mail/1")
			if status != tt.status || body != tt.body || (err != nil) != tt.fails || handled.Load() != tt.handled {
				t.Errorf("got %d %q %v handled %d times", status, body, err, handled.Load())
			}
			if status, body, err := get(t, client, s.URL()+"/mail/1"); err != nil || status != 200 || body != "done" {
				t.Errorf("the fault did not end: %d %q %v", status, body, err)
			}
			if reqs := rec.Requests(); len(reqs) != 3 || reqs[1].Fault == "" || reqs[2].Fault != "" {
				t.Errorf("recorded %+v", reqs)
			}
		})
	}
}

func TestRatesAreRepeatable(t *testing.T) {
	run := func() string {
		var out strings.Builder
		f := &Faults{}
		f.SetRates(7, Rates{TooManyRequests: 0.2, Unavailable: 0.1, DropAfter: 0.1, Slow: 0.1, RetryAfter: []string{"", "0", "1"}})
		for range 200 {
			answer, _ := f.draw("GET", "/")
			fmt.Fprintf(&out, "%v;", answer)
		}
		if n := f.Injected(); n["429"] < 20 || n["503"] < 5 || n["drop-after"] < 5 || n["drop-before"] != 0 {
			t.Errorf("injected %v", n)
		}
		return out.String()
	}
	if first, second := run(), run(); first != second {
		t.Error("the same seed gave other faults")
	}
}

func TestRecorderKeepsNoSecretsAndBounds(t *testing.T) {
	rec := &Recorder{Keep: 2}
	s, client := start(t, &Faults{}, rec, func(w http.ResponseWriter, r *http.Request) {
		SetTemplate(r, "/things/{id}")
		rec.Violate(r, UnknownQuery, "tpo")
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/things/1?tpo=2", strings.NewReader("12345"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer secret-token")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	reqs := rec.Requests()
	if len(reqs) != 2 || rec.Total() != 3 || len(rec.Violations()) != 3 {
		t.Fatalf("kept %d of %d requests, %d violations", len(reqs), rec.Total(), len(rec.Violations()))
	}
	r := reqs[0]
	if r.Template != "/things/{id}" || r.BodyBytes != 5 || r.Status != 202 || r.Header.Get("Authorization") != "Bearer" || r.Query.Get("tpo") != "2" {
		t.Errorf("recorded %+v", r)
	}
	rec.Reset()
	if rec.Total() != 0 || len(rec.Requests()) != 0 || len(rec.Violations()) != 0 {
		t.Error("Reset left something")
	}
}

func TestPanicOfTheFakeIsRecorded(t *testing.T) {
	var rec Recorder
	s, client := start(t, &Faults{}, &rec, func(http.ResponseWriter, *http.Request) { panic("bug") })
	if _, _, err := get(t, client, s.URL()); err == nil {
		t.Error("a panicking fake answered")
	}
	if v := rec.Violations(); len(v) != 1 || v[0].Kind != FakeBroken || v[0].Detail != "panic: bug" {
		t.Errorf("violations %v", v)
	}
}

func TestPartsOfBatches(t *testing.T) {
	faults := &Faults{}
	faults.Next(1, "", "", Answer{Status: 500})
	faults.Next(1, "GET", "/me", Answer{Drop: DropAfter})
	if a, hit := faults.Part("GET", "/me"); hit {
		t.Errorf("a fault of the whole batch hit a part: %+v", a)
	}
	faults.Next(1, "GET", "/me", Answer{Status: 429})
	if a, hit := faults.Part("GET", "/me"); !hit || a.Status != 429 {
		t.Errorf("%+v %v", a, hit)
	}
	if _, hit := faults.Part("GET", "/me"); hit {
		t.Error("a planned fault hit twice")
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	faults := &Faults{}
	var rec Recorder
	s := Serve(rec.Wrap(faults.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))))
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	for _, answer := range []Answer{{Drop: DropBefore}, {Drop: DropAfter}, {Status: 503}, {}} {
		faults.Next(1, "", "", answer)
		_, _, err := get(t, client, s.URL())
		if dropped := answer.Drop != NoDrop; dropped != (err != nil) {
			t.Errorf("%+v: %v", answer, err)
		}
	}
	transport.CloseIdleConnections()
	s.Close()
	s.Close() // twice is fine
	for deadline := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestCloseCutsSlowRequests(t *testing.T) {
	faults := &Faults{}
	var rec Recorder
	s, client := start(t, faults, &rec, func(http.ResponseWriter, *http.Request) {})
	faults.Next(1, "", "", Answer{Delay: time.Hour})
	result := make(chan error, 1)
	go func() {
		resp, err := client.Get(s.URL())
		if err == nil {
			resp.Body.Close()
		}
		result <- err
	}()
	for faults.Injected()["delay"] == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	if err := <-result; err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("the request ended with %v", err)
	}
}
