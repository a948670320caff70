package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

var errCut = errors.New("cut")

// badLine is a connection that is lost in the middle of uploads, at any byte.
type badLine struct {
	*http.Transport
	mu     sync.Mutex
	rng    *rand.Rand
	chance float64 // that an upload request is lost one way or another
	lost   int
}

func (l *badLine) draw() (kind, at float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind, at = l.rng.Float64()/l.chance, l.rng.Float64()
	if kind < 1 {
		l.lost++
	}
	return kind, at
}

func (l *badLine) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Path, "/AttachmentSessions(") {
		return l.Transport.RoundTrip(r)
	}
	kind, at := l.draw()
	switch {
	case kind < 0.6 && r.Body != nil: // within the request
		cut := r.Clone(r.Context())
		cut.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(r.Body, int64(at*float64(r.ContentLength))), failing{}), r.Body}
		return l.Transport.RoundTrip(cut)
	case kind < 0.9: // between the request and its answer
		response, err := l.Transport.RoundTrip(r)
		if err == nil {
			err = errors.Join(errCut, response.Body.Close())
		}
		return nil, err
	case kind < 1:
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return l.Transport.RoundTrip(r)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// uploadRig is a draft to upload to, over a bad line.
type uploadRig struct {
	fake   *graphtest.Server
	client *Client
	draft  string // its path
}

func newUploadRig(t *testing.T, line *badLine) *uploadRig {
	t.Helper()
	fake := graphtest.New(graphtest.Options{})
	t.Cleanup(fake.Close)
	t.Cleanup(line.CloseIdleConnections)
	c, err := New(auth.Static(fake.Token()), Options{BaseURL: fake.URL(), Resilience: resilience.Options{
		Base: line, Retry: resilience.RetryPolicy{BaseDelay: time.Millisecond},
		Breaker: resilience.BreakerPolicy{Consecutive: 1000, MinRequests: 1000},
	}})
	if err != nil {
		t.Fatal(err)
	}
	rig := &uploadRig{fake: fake, client: c}
	var draft message
	if err := c.send(t.Context(), http.MethodPost, "/me/messages", map[string]any{"subject": "big"}, &draft); err != nil {
		t.Fatal(err)
	}
	if rig.draft, err = rest.Path("/me/messages/{}", draft.ID); err != nil {
		t.Fatal(err)
	}
	return rig
}

// attachments returns the checksums of the draft's attachments.
func (r *uploadRig) attachments(t *testing.T) (sums [][32]byte) {
	t.Helper()
	list, err := whole[attachment](t.Context(), r.client, collection{path: r.draft + "/attachments", query: url.Values{}, unsized: true}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		path, err := rest.Path("/attachments/{}/$value", a.ID)
		if err != nil {
			t.Fatal(err)
		}
		content, err := r.client.service.Send(t.Context(), rest.Request{Method: http.MethodGet, Path: r.draft + path})
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sha256.Sum256(content.Body))
	}
	return sums
}

// Wherever the line breaks, a file arrives byte by byte and once, or not at all.
func TestUploadsOverABadLine(t *testing.T) {
	line := &badLine{Transport: resilience.NewBase(), rng: rand.New(rand.NewPCG(4, 4)), chance: 0.3} //nolint:gosec // repeatable on purpose
	good, seeds := 0, 20
	for seed := range seeds {
		rig := newUploadRig(t, line)
		random := rand.NewChaCha8([32]byte{byte(seed)})
		f := file{name: "a.bin", contentType: "application/octet-stream", content: make([]byte, sessionSize+int(random.Uint64()%(1<<20)))}
		_, _ = random.Read(f.content) // never fails
		last := 0
		err := rig.client.upload(t.Context(), rig.draft, f, func(done int) {
			if done <= last || done > len(f.content) {
				t.Errorf("seed %d: progress from %d to %d of %d", seed, last, done, len(f.content))
			}
			last = done
		})
		sums := rig.attachments(t)
		switch {
		case err == nil && (len(sums) != 1 || sums[0] != sha256.Sum256(f.content)):
			t.Errorf("seed %d: %d attachments, or another content", seed, len(sums))
		case err != nil && len(sums) != 0:
			t.Errorf("seed %d: %d attachments and %v", seed, len(sums), err)
		case err != nil && (errors.Is(err, mcptools.CodeUncertain) || errors.Is(err, mcptools.CodeInternal)):
			t.Errorf("seed %d: an upload of which nothing was kept ended with %v", seed, err)
		case err == nil:
			good++
		}
		for _, v := range rig.fake.Violations() {
			t.Errorf("seed %d: %s", seed, v)
		}
	}
	if good < seeds*8/10 || line.lost < seeds/2 {
		t.Errorf("%d of %d uploads succeeded, %d requests were lost", good, seeds, line.lost)
	}
	t.Logf("%d of %d uploads succeeded, %d requests were lost", good, seeds, line.lost)
}

// A file of the same name and size that is there already is not taken for the
// one whose upload failed.
func TestFailedUploadBesideItsTwin(t *testing.T) {
	line := &badLine{Transport: resilience.NewBase(), rng: rand.New(rand.NewPCG(1, 1)), chance: 1e-9} //nolint:gosec // repeatable on purpose
	rig := newUploadRig(t, line)
	f := file{name: "a.bin", contentType: "application/octet-stream", content: bytes.Repeat([]byte("twin"), 1<<20)}
	if err := rig.client.upload(t.Context(), rig.draft, f, func(int) {}); err != nil {
		t.Fatal(err)
	}
	rig.fake.Faults().Next(100, http.MethodPut, "/AttachmentSessions", graphtest.Answer{Status: http.StatusServiceUnavailable})
	err := rig.client.upload(t.Context(), rig.draft, f, func(int) {})
	if !errors.Is(err, mcptools.CodeUnavailable) || errors.Is(err, mcptools.CodeUncertain) && len(rig.attachments(t)) != 1 {
		t.Errorf("%v", err)
	}
	if deletes := rig.count(http.MethodDelete); deletes != 1 {
		t.Errorf("the session was ended %d times", deletes)
	}
}

// A caller who has gone leaves no session behind.
func TestCancelledUploadEndsItsSession(t *testing.T) {
	line := &badLine{Transport: resilience.NewBase(), rng: rand.New(rand.NewPCG(1, 1)), chance: 1e-9} //nolint:gosec // repeatable on purpose
	rig := newUploadRig(t, line)
	f := file{name: "a.bin", content: make([]byte, 2*chunkSize)}
	ctx, cancel := context.WithCancel(t.Context())
	if err := rig.client.upload(ctx, rig.draft, f, func(int) { cancel() }); err == nil {
		t.Fatal("it did not fail")
	}
	if rig.count(http.MethodDelete) != 1 || len(rig.attachments(t)) != 0 {
		t.Errorf("%d sessions were ended", rig.count(http.MethodDelete))
	}
}

// What the service asks for is sent, and nothing else.
func TestUploadFollowsTheSession(t *testing.T) {
	for name, answers := range map[string][]graphtest.Answer{
		"the session is gone":       {{Status: http.StatusNotFound}, {Status: http.StatusNotFound}},
		"the range is wrong":        {{Status: http.StatusRequestedRangeNotSatisfiable}},
		"no status to be had":       {{Drop: graphtest.DropBefore}, {Status: http.StatusMethodNotAllowed}},
		"accepted, but not all yet": {{Status: http.StatusAccepted, Body: `{"nextExpectedRanges":["0-"]}`, ContentType: "application/json"}},
		"never sent":                {{Status: http.StatusAccepted, Body: `{"nextExpectedRanges":["9999999-"]}`, ContentType: "application/json"}},
	} {
		line := &badLine{Transport: resilience.NewBase(), rng: rand.New(rand.NewPCG(1, 1)), chance: 1e-9} //nolint:gosec // repeatable on purpose
		rig := newUploadRig(t, line)
		f := file{name: "a.bin", content: bytes.Repeat([]byte{7}, 2*chunkSize)}
		for _, answer := range answers {
			rig.fake.Faults().Next(1, "", "/AttachmentSessions", answer)
		}
		err := rig.client.upload(t.Context(), rig.draft, f, func(int) {})
		want := map[string]mcptools.Code{"the session is gone": mcptools.CodeUnavailable, "no status to be had": mcptools.CodeUnavailable, "never sent": mcptools.CodeUpstream}[name]
		code, _ := errors.AsType[*mcptools.Error](err)
		if attached := len(rig.attachments(t)); want == "" && (err != nil || attached != 1) || want != "" && (code == nil || code.Code != want || attached != 0) {
			t.Errorf("%s: %d attached, %v", name, attached, err)
		}
		if err != nil && !strings.Contains(fmt.Sprint(err), "Try again") && code.Code != mcptools.CodeUpstream {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (r *uploadRig) count(method string) (n int) {
	for _, request := range r.fake.Requests() {
		if request.Method == method {
			n++
		}
	}
	return n
}
