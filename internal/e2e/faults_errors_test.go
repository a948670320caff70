package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// faultCase is a fault and what a model is told of it.
type faultCase struct {
	name  string
	fault fakehttp.Answer
	times int
	calls []string // what each call in a row is told: its text must match
	// requests is how many requests all calls together may have made with the
	// method and path of the case.
	requests int
	tune     func(*resilience.Options)
}

const later = `(?s)^%CODE%.*\nWhat to do: wait until then .*\nTry again in %S% s\.`

func says(code, seconds string) string {
	return strings.NewReplacer("%CODE%", code, "%S%", seconds).Replace(later)
}

func faultCases() []faultCase {
	impatient := func(o *resilience.Options) { o.Retry.MaxAttempts = 1 }
	fragile := func(o *resilience.Options) {
		impatient(o)
		o.Breaker.Consecutive = 1
	}
	return []faultCase{
		{"throttled", fakehttp.Answer{Status: 429, RetryAfter: "118"}, 9, []string{says("throttled", "118"), says("throttled", "11[678]")}, 1, nil},
		{"unavailable", fakehttp.Answer{Status: 503, RetryAfter: "119"}, 9, []string{says("unavailable", "119"), says("throttled", "11[789]")}, 1, nil},
		{"no time is named", fakehttp.Answer{Status: 503}, 1, []string{says("unavailable", "30")}, 1, impatient},
		{"cut", fakehttp.Answer{Drop: fakehttp.DropBefore}, 1, []string{says("unavailable", "30")}, 1, impatient},
		{"broken for good", fakehttp.Answer{Status: 503}, 9, []string{says("unavailable", "30"), says("unavailable: .* has failed repeatedly", "[123]")}, 1, fragile},
	}
}

// Every error that has to do with waiting tells the model, over MCP, what to do
// and after how many seconds.
func TestErrorsSayWhen(t *testing.T) {
	for _, test := range faultCases() {
		t.Run(test.name, func(t *testing.T) {
			w := newWorldWith(t, test.tune)
			defer w.close()
			session := catalogtest.Connect(t, w.tools)
			for _, service := range []struct {
				tool, path string
				faults     *fakehttp.Faults
				requests   func() []fakehttp.Request
			}{
				{"m365_mail_folders", "/mailFolders", w.m365.Faults(), w.m365.Requests},
				{"halo_teams_list", "/Team", w.halo.Faults(), w.halo.Requests},
			} {
				service.faults.Next(test.times, http.MethodGet, service.path, test.fault)
				for i, want := range test.calls {
					_, failure := catalogtest.Invoke(t, session, service.tool, map[string]any{})
					if !regexp.MustCompile(want).MatchString(failure) {
						t.Errorf("%s, call %d: %q", service.tool, i, failure)
					}
				}
				if n := requestsFor(service.requests(), http.MethodGet, service.path); n > test.requests {
					t.Errorf("%s: %d requests", service.tool, n)
				}
			}
		})
	}
}

// A call that finds too many others under way is told so, and was not sent.
func TestErrorsOfOverload(t *testing.T) {
	w := newWorldWith(t, func(o *resilience.Options) { o.Limits.MaxInFlight, o.Limits.MaxWait = 1, time.Millisecond })
	defer w.close()
	session := catalogtest.Connect(t, w.tools)
	for tool, service := range map[string]struct {
		path   string
		faults *fakehttp.Faults
	}{
		"m365_mail_folders": {"/mailFolders", w.m365.Faults()}, "halo_teams_list": {"/Team", w.halo.Faults()},
	} {
		service.faults.Next(1, http.MethodGet, service.path, fakehttp.Answer{Delay: time.Second})
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := w.tools.Call(t.Context(), tool, []byte("{}")); err != nil {
				t.Error(err)
			}
		})
		for service.faults.Injected()["delay"] == 0 {
			time.Sleep(time.Millisecond)
		}
		_, failure := catalogtest.Invoke(t, session, tool, map[string]any{})
		first.Wait()
		if !regexp.MustCompile(`^throttled: too many calls of .* are under way\nWhat to do: make fewer calls at once\nTry again in 5 s\.$`).MatchString(failure) {
			t.Errorf("%s: %q", tool, failure)
		}
	}
}

func requestsFor(all []fakehttp.Request, method, path string) (n int) {
	for _, r := range all {
		if r.Method == method && strings.Contains(r.Path, path) {
			n++
		}
	}
	return n
}

// A write that may have been done is not repeated. The error says so, and where to
// look first; it does not say when to try again.
func TestErrorsOfWritesSayWhereToLook(t *testing.T) {
	w := newWorld(t)
	defer w.close()
	session := catalogtest.Connect(t, w.tools)
	draft, draft2 := newDraft(t, w, "one"), newDraft(t, w, "two")
	for _, write := range []struct {
		tool, path string
		args       map[string]any
		look       []string
	}{
		{"m365_mail_send", "/sendMail", map[string]any{"to": []string{contact}, "subject": "s", "body": "b"}, []string{"m365_mail_search", "Sent Items"}},
		{"m365_cal_create", "/events", map[string]any{"subject": "s", "start": "2031-05-05T10:00", "end": "2031-05-05T11:00"}, []string{"m365_cal_view"}},
		{"m365_mail_move", "/copy", map[string]any{"ids": []string{draft, draft2}, "folder": "Archive", "copy": true}, []string{"m365_mail_search", "both folders"}},
		{"halo_actions_add_note", "/Actions", map[string]any{"ticket_id": halotest.TicketPrinter, "note": "n"}, []string{"halo_actions_list"}},
		{"halo_tickets_create", "/Tickets", map[string]any{"summary": "s", "ticket_type": "Incident", "user": contact, "category_1": "Hardware>Printer"}, []string{"halo_tickets_search"}},
	} {
		for _, fault := range []fakehttp.Answer{{Status: 503, RetryAfter: "0"}, {Status: 504}, {Status: 500}} {
			w.m365.Faults().Next(10, http.MethodPost, write.path, fault)
			w.halo.Faults().Next(10, http.MethodPost, write.path, fault)
			_, failure := catalogtest.Invoke(t, session, write.tool, write.args)
			w.m365.Faults().Clear()
			w.halo.Faults().Clear()
			if !strings.HasPrefix(failure, "uncertain: ") || !strings.Contains(failure, "may or may not have been made") || strings.Contains(failure, "Try again") {
				t.Errorf("%s, %d: %q", write.tool, fault.Status, failure)
			}
			for _, where := range write.look {
				if !strings.Contains(failure, where) {
					t.Errorf("%s, %d: no %s in %q", write.tool, fault.Status, where, failure)
				}
			}
		}
	}
}

// The parts of a batch that succeeded are done; each of the others says when to
// try it again.
func TestPartlyThrottledBatchSaysWhich(t *testing.T) {
	w := newWorld(t)
	defer w.close()
	session := catalogtest.Connect(t, w.tools)
	ids := []string{newDraft(t, w, "one"), newDraft(t, w, "two"), newDraft(t, w, "three")}
	w.m365.Faults().Next(1, http.MethodPost, ids[1]+"/move", fakehttp.Answer{Status: 429, RetryAfter: "317"})
	result, failure := catalogtest.Invoke(t, session, "m365_mail_move", map[string]any{"ids": ids, "folder": "Archive"})
	failed, _ := result["failed"].([]any)
	if failure != "" || result["done"] != 2.0 || len(failed) != 1 {
		t.Fatalf("%v %q", result, failure)
	}
	one, _ := failed[0].(map[string]any)
	if problem, _ := one["problem"].(string); one["id"] != ids[1] || !strings.HasPrefix(problem, "throttled: ") || !strings.HasSuffix(problem, "try again in 317 s") {
		t.Errorf("%v", one)
	}
	if moved := w.m365.Messages(graphtest.SignedInUser, "Archive"); len(tally(moved, field("subject"))) > 0 || countSubjects(moved, "one", "two", "three") != 2 {
		t.Errorf("%d messages were moved", countSubjects(moved, "one", "two", "three"))
	}
}

func countSubjects(messages []map[string]any, subjects ...string) (n int) {
	for _, m := range messages {
		for _, s := range subjects {
			if m["subject"] == s {
				n++
			}
		}
	}
	return n
}
