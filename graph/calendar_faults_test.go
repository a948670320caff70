package graph_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// However requests are throttled, refused and lost, an event is made once when
// the call succeeds, not at all when it fails, and at most once when the error
// says that nobody knows.
func TestEventsUnderFaults(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	// More than half of the requests meet a fault: the circuit breaker, which is
	// not what is tested here, would end the run early.
	s.signIn(t, s.fake.Token(), graph.Options{Resilience: resilience.Options{
		Breaker: resilience.BreakerPolicy{Consecutive: 10_000, MinRequests: 10_000}, Retry: resilience.RetryPolicy{Budget: -1, MaxAttempts: 2},
	}})
	s.call(t, "m365_cal_view", args{}) // so that the time zone is known
	s.fake.Faults().SetRates(7, graphtest.Rates{TooManyRequests: 0.3, Unavailable: 0.1, DropBefore: 0.1, DropAfter: 0.15, DropDuring: 0.05})
	const calls = 200
	errs := make([]error, calls)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := worker; i < calls; i += 8 {
				_, errs[i] = s.tools.Call(t.Context(), "m365_cal_create", marshal(t, args{"subject": fmt.Sprintf("Event %d.", i), "start": "2027-05-04T10:00"}))
			}
		})
	}
	wait.Wait()
	s.fake.Faults().Clear()
	made := map[string]int{}
	for _, e := range s.fake.Events(sam) {
		made[fmt.Sprint(e["subject"])]++
	}
	outcomes := map[mcptools.Code]int{}
	for i, err := range errs {
		count, code := made[fmt.Sprintf("Event %d.", i)], mcptools.Code("")
		if err != nil {
			e, ok := errors.AsType[*mcptools.Error](err)
			if !ok {
				t.Fatalf("an untyped error: %v", err)
			}
			code = e.Code
		}
		outcomes[code]++
		switch {
		case code == "" && count != 1, code != "" && code != mcptools.CodeUncertain && count != 0, count > 1:
			t.Errorf("call %d ended with %v and made %d events", i, err, count)
		}
	}
	if outcomes[""] < calls/3 || len(outcomes) < 3 {
		t.Errorf("outcomes %v", outcomes)
	}
}
