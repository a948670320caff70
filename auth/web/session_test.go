package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/web"
)

// memory is a KV without expiry: a session's end must not depend on it.
type memory struct {
	mu      sync.Mutex
	values  map[string]string
	ttl     time.Duration // the last one
	failure error
}

func (k *memory) Get(_ context.Context, id string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok := k.values[id]; ok {
		return []byte(v), k.failure
	}
	return nil, k.failure
}

func (k *memory) CompareAndSwap(_ context.Context, id string, old, value []byte, ttl time.Duration) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.values[id]
	if k.failure != nil || ok != (old != nil) || v != string(old) {
		return false, k.failure
	}
	if k.values == nil {
		k.values = map[string]string{}
	}
	k.values[id], k.ttl = string(value), ttl
	return true, nil
}

func (k *memory) Delete(_ context.Context, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.values, id)
	return k.failure
}

func (k *memory) ids() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Keys(k.values))
}

func newSessions(t testing.TB, kv auth.KV) *web.Sessions {
	t.Helper()
	s, err := web.NewSessions(web.SessionOptions{KV: kv})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// request is one by TLS with the given cookies.
func request(t testing.TB, cookies ...*http.Cookie) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://tools.example/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// start begins a session and returns its cookie.
func start(t testing.TB, s *web.Sessions, r *http.Request, user string) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if _, err := s.Start(w, r, user, map[string]string{"theme": "dark"}); err != nil {
		t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	return cookies[0]
}

func user(t testing.TB, s *web.Sessions, cookies ...*http.Cookie) string {
	t.Helper()
	session, err := s.Get(request(t, cookies...))
	if errors.Is(err, web.ErrNoSession) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return session.User
}

func TestSessionCookie(t *testing.T) {
	kv := &memory{}
	s := newSessions(t, kv)
	w := httptest.NewRecorder()
	session, err := s.Start(w, request(t), "alice@contoso.example", map[string]string{"secret": "canary"})
	if err != nil {
		t.Fatal(err)
	}
	line := w.Header().Get("Set-Cookie")
	id, attributes, _ := strings.Cut(strings.TrimPrefix(line, "__Host-session="), "; ")
	if want := "Path=/; Max-Age=28800; HttpOnly; Secure; SameSite=Strict"; attributes != want {
		t.Errorf("attributes %q", attributes)
	}
	if len(id) != 26 { // of 5 random bits each
		t.Errorf("id %q", id)
	}
	if strings.Contains(line, "alice") || strings.Contains(line, "canary") {
		t.Error("the cookie holds more than an id")
	}
	for key, value := range kv.values {
		if strings.Contains(key+value, id) {
			t.Error("who reads the store can take the session over")
		}
	}
	shown, err := json.Marshal(session)
	if err != nil || strings.Contains(string(shown), id) {
		t.Error("the session shows its id", err)
	}
	seen := map[string]bool{}
	for range 1_000 {
		c := start(t, s, request(t), "alice")
		if seen[c.Value] {
			t.Fatal("an id twice")
		}
		seen[c.Value] = true
	}
}

// TestSessionFixation is of threat T4 and T6: an id that somebody planted in a
// browser is never adopted, and one from before the sign-in is dead after it.
func TestSessionFixation(t *testing.T) {
	kv := &memory{}
	s := newSessions(t, kv)
	planted := &http.Cookie{Name: "__Host-session", Value: strings.Repeat("A", 26)}
	if user(t, s, planted) != "" || len(kv.ids()) != 0 {
		t.Error("a planted id is known, or a request without a session left something behind")
	}
	mallory := start(t, s, request(t, planted), "mallory")
	if mallory.Value == planted.Value || user(t, s, planted) != "" {
		t.Error("the planted id was adopted")
	}
	// Mallory's own, working cookie in Alice's browser.
	alice := start(t, s, request(t, mallory), "alice")
	if alice.Value == mallory.Value || user(t, s, mallory) != "" || user(t, s, alice) != "alice" {
		t.Error("the id from before the sign-in lives on")
	}
	rotated := httptest.NewRecorder()
	if _, err := s.Rotate(rotated, request(t, alice)); err != nil {
		t.Fatal(err)
	}
	next := rotated.Result().Cookies()[0]
	if user(t, s, alice) != "" || user(t, s, next) != "alice" {
		t.Error("rotation keeps the old id, or loses the session")
	}
	if _, err := s.Rotate(httptest.NewRecorder(), request(t, alice)); !errors.Is(err, web.ErrNoSession) {
		t.Error(err)
	}
}

func TestSessionExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(t, &memory{})
		idle, busy := start(t, s, request(t), "idle"), start(t, s, request(t), "busy")
		begin := time.Now()
		for time.Since(begin) < 8*time.Hour-time.Minute {
			time.Sleep(29 * time.Minute)
			if alive := time.Since(begin) < 8*time.Hour; (user(t, s, busy) == "busy") != alive {
				t.Fatalf("after %v of use: alive %v", time.Since(begin), !alive)
			}
			if time.Since(begin) > 30*time.Minute && user(t, s, idle) != "" {
				t.Fatal("an idle session lives on")
			}
		}
		// Rotation must not be a way around the absolute end.
		late := start(t, s, request(t), "late")
		for range 20 {
			time.Sleep(25 * time.Minute)
			w := httptest.NewRecorder()
			if _, err := s.Rotate(w, request(t, late)); err != nil {
				if !errors.Is(err, web.ErrNoSession) {
					t.Error(err)
				}
				return
			}
			late = w.Result().Cookies()[0]
		}
		t.Error("rotated for ever")
	})
}

func TestSessionRefusals(t *testing.T) {
	kv := &memory{}
	s := newSessions(t, kv)
	good := start(t, s, request(t), "alice")
	for name, cookies := range map[string][]*http.Cookie{
		"none":       nil,
		"other name": {{Name: "session", Value: good.Value}},
		"twice":      {good, good},
		"two":        {good, {Name: good.Name, Value: strings.Repeat("B", 26)}},
		"cut":        {{Name: good.Name, Value: good.Value[:25]}},
		"lower case": {{Name: good.Name, Value: strings.ToLower(good.Value)}},
		"path":       {{Name: good.Name, Value: "../../../etc/passwd.......A"[:26]}},
		"store key":  {{Name: good.Name, Value: kv.ids()[0]}},
	} {
		if user(t, s, cookies...) != "" {
			t.Errorf("%s: accepted", name)
		}
	}
	plain := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://tools.example/", nil)
	plain.AddCookie(good)
	if _, err := s.Get(plain); !errors.Is(err, web.ErrNoSession) {
		t.Error("a session without TLS:", err)
	}
	w := httptest.NewRecorder()
	if _, err := s.Start(w, plain, "alice", nil); !errors.Is(err, web.ErrInsecure) || w.Header().Get("Set-Cookie") != "" {
		t.Error("a session begins without TLS:", err)
	}
	// A record that somebody damaged is no session.
	kv.values[kv.ids()[0]] = `{"user":`
	if user(t, s, good) != "" {
		t.Error("a damaged record is accepted")
	}
	kv.failure = errors.New("store down")
	if _, err := s.Get(request(t, good)); !errors.Is(err, kv.failure) {
		t.Error(err)
	}
	if _, err := s.Start(httptest.NewRecorder(), request(t), "alice", nil); !errors.Is(err, kv.failure) {
		t.Error(err)
	}
	for name, options := range map[string]web.SessionOptions{
		"no store": {}, "short": {KV: kv, Idle: time.Second}, "no end": {KV: kv, Idle: 10 * time.Hour}, "name": {KV: kv, Name: "a b"},
	} {
		if _, err := web.NewSessions(options); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSessionEnd(t *testing.T) {
	kv := &memory{}
	s := newSessions(t, kv)
	c := start(t, s, request(t), "alice")
	session, err := s.Get(request(t, c))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := s.End(w, request(t, c)); err != nil {
		t.Fatal(err)
	}
	if gone := w.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 || len(kv.ids()) != 0 || user(t, s, c) != "" {
		t.Errorf("%v %v", gone, kv.ids())
	}
	// A request that was under way does not bring it back.
	if err := s.Update(t.Context(), session, func(map[string]string) {}); !errors.Is(err, web.ErrNoSession) || len(kv.ids()) != 0 {
		t.Error("resurrected:", err)
	}
}

func TestSessionUpdate(t *testing.T) {
	s := newSessions(t, &memory{})
	c := start(t, s, request(t), "alice")
	var writers sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		writers.Go(func() {
			session, err := s.Get(request(t, c))
			if err == nil {
				err = s.Update(t.Context(), session, func(values map[string]string) { values[name] = name })
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	session, err := s.Get(request(t, c))
	if err != nil || len(session.Values) != 5 || session.Values["theme"] != "dark" {
		t.Error(session, err)
	}
}

// TestSessionsApart is of threat T4: however requests interleave, nobody gets
// another's session.
func TestSessionsApart(t *testing.T) {
	s := newSessions(t, &auth.MemoryKV{})
	var people sync.WaitGroup
	for n := range 8 {
		name := string(rune('a' + n))
		people.Go(func() {
			c := start(t, s, request(t), name)
			for i := range 300 {
				switch i % 4 {
				case 0:
					c = start(t, s, request(t, c), name)
				case 1:
					w := httptest.NewRecorder()
					if _, err := s.Rotate(w, request(t, c)); err != nil {
						t.Error(err)
						return
					}
					c = w.Result().Cookies()[0]
				}
				if got := user(t, s, c); got != name {
					t.Errorf("%s became %q", name, got)
				}
			}
			if err := s.End(httptest.NewRecorder(), request(t, c)); err != nil || user(t, s, c) != "" {
				t.Error("not ended", err)
			}
		})
	}
	people.Wait()
}

func BenchmarkSession(b *testing.B) {
	s := newSessions(b, &auth.MemoryKV{})
	r := request(b, start(b, s, request(b), "alice"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(r); err != nil {
			b.Fatal(err)
		}
	}
}
