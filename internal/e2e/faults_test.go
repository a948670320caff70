package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
	"go.uber.org/goleak"
)

// faultCalls is how many calls the fault run makes.
const faultCalls = 10_000

// weather is 20 % of 429 and 503, 5 % of cut connections (before, after and in
// the middle of the work) and 5 % of slow answers.
var weather = graphtest.Rates{
	TooManyRequests: 0.10, Unavailable: 0.10,
	DropBefore: 0.02, DropAfter: 0.02, DropDuring: 0.01,
	Slow: 0.05, SlowBy: 5 * time.Millisecond,
	RetryAfter: []string{"", "0"},
}

// TestFaults makes many calls in bad weather. No write may be done twice, none
// may be lost without an error, every error must be typed and say what to do,
// and nothing may be left behind.
func TestFaults(t *testing.T) {
	defer goleak.VerifyNone(t)
	m365, halo := graphtest.New(graphtest.Options{}), halotest.New(halotest.Options{})
	defer m365.Close()
	defer halo.Close()
	base := resilience.NewBase()
	defer base.CloseIdleConnections()
	patience := resilience.Options{Base: base, Retry: resilience.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}}
	microsoft, err := graph.New(auth.Static(m365.Token()), graph.Options{BaseURL: m365.URL(), TimeZone: "Europe/Berlin", Resilience: patience})
	if err != nil {
		t.Fatal(err)
	}
	psa, err := halopsa.New(auth.Static(halo.Token()), halopsa.Options{URL: halo.URL(), Resilience: patience})
	if err != nil {
		t.Fatal(err)
	}
	tools := mcptools.Join(microsoft.Tools(), psa.Tools()).With(mcptools.Timeout(30 * time.Second))
	m365.Faults().SetRates(1, weather)
	halo.Faults().SetRates(2, weather)

	run := &faultRun{t: t, tools: tools}
	run.all()
	m365.Faults().Clear()
	halo.Faults().Clear()
	run.compare("m365_mail_send", func(marker string) int {
		n := 0
		for _, mail := range m365.Sent() {
			if strings.Contains(fmt.Sprintf("%+v", mail), marker) {
				n++
			}
		}
		return n
	})
	notes := map[string]int{}
	for _, action := range halo.Actions(halotest.TicketPrinter) {
		text := fmt.Sprint(action["note"], action["note_html"])
		if i := strings.Index(text, "marker-"); i >= 0 {
			notes[text[i:i+len("marker-00000")]]++
		}
	}
	run.compare("halo_actions_add_note", func(marker string) int { return notes[marker] })
	if v := append(m365.Violations(), halo.Violations()...); len(v) > 0 {
		t.Errorf("%d violations, the first %+v", len(v), v[0])
	}
	t.Logf("%d calls: %d good, errors %v; faults %v and %v", faultCalls, run.good.Load(), run.codes, m365.Faults().Injected(), halo.Faults().Injected())
}

// faultRun is the calls and what became of them.
type faultRun struct {
	t     *testing.T
	tools mcptools.Set
	good  atomic.Int64

	mu     sync.Mutex
	codes  map[mcptools.Code]int
	writes map[string]map[string]mcptools.Code // by tool and marker: "" for a success
}

func (r *faultRun) all() {
	r.codes = map[mcptools.Code]int{}
	r.writes = map[string]map[string]mcptools.Code{"m365_mail_send": {}, "halo_actions_add_note": {}}
	var workers sync.WaitGroup
	var next atomic.Int64
	for worker := range 32 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 7))
			for {
				n := next.Add(1)
				if n > faultCalls {
					return
				}
				r.one(random, fmt.Sprintf("marker-%05d", n-1))
			}
		})
	}
	workers.Wait()
}

// one makes a call; one in four is a write.
func (r *faultRun) one(random *rand.Rand, marker string) {
	name, args := "", map[string]any{}
	switch random.IntN(8) {
	case 0:
		name, args = "m365_mail_send", map[string]any{"to": []string{"anna.berg@hafenlogistik.example"}, "subject": marker, "body": "x"}
	case 1:
		name, args = "halo_actions_add_note", map[string]any{"ticket_id": halotest.TicketPrinter, "note": marker}
	case 2, 3:
		name, args = "m365_mail_search", map[string]any{"unread": true}
	case 4:
		name, args = "m365_cal_view", map[string]any{}
	case 5, 6:
		name, args = "halo_tickets_search", map[string]any{"agent": "me", "limit": 5}
	case 7:
		name, args = "halo_users_search", map[string]any{"email": "anna.berg@hafenlogistik.example"}
	}
	text, err := json.Marshal(args)
	if err != nil {
		r.t.Error(err)
		return
	}
	_, err = r.tools.Call(r.t.Context(), name, text)
	r.note(name, marker, err)
}

func (r *faultRun) note(name, marker string, err error) {
	var code mcptools.Code
	if err == nil {
		r.good.Add(1)
	} else {
		e, ok := errors.AsType[*mcptools.Error](err)
		if !ok {
			r.t.Errorf("%s: an untyped error: %v", name, err)
			return
		}
		code = e.Code
		if code == mcptools.CodeInternal || e.Hint == "" && !e.Retryable() {
			r.t.Errorf("%s: an error without a remedy: %v (%v)", name, e, e.Err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.codes[code]++
	}
	if outcomes := r.writes[name]; outcomes != nil {
		outcomes[marker] = code
	}
}

// compare holds what the caller was told against what happened.
func (r *faultRun) compare(tool string, count func(marker string) int) {
	for marker, code := range r.writes[tool] {
		switch n := count(marker); {
		case n > 1:
			r.t.Errorf("%s %s was done %d times", tool, marker, n)
		case code == "" && n != 1:
			r.t.Errorf("%s %s was reported done and was not", tool, marker)
		case code != "" && code != mcptools.CodeUncertain && n != 0:
			r.t.Errorf("%s %s was done and reported as %s", tool, marker, code)
		}
	}
}
