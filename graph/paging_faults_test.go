package graph_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// A list that is throttled on the way keeps what it has, says when to go on, and
// its cursor goes on with the next row.
func TestThrottledListGoesOn(t *testing.T) {
	whole := newSuite(t, graphtest.Options{})
	want := subjects(items(whole.call(t, "m365_mail_search", args{"limit": 8})))

	s := newSuite(t, graphtest.Options{PageSize: 3})
	options := graph.Options{CursorKey: bytes.Repeat([]byte{1}, 32)}
	s.signIn(t, s.fake.Token(), options)
	s.call(t, "m365_mail_search", args{"limit": 1}) // so that the time zone is known
	faults := s.fake.Faults()
	faults.Next(1, http.MethodGet, "/messages", graphtest.Answer{Delay: time.Nanosecond}) // the first page
	faults.Next(1, http.MethodGet, "/messages", graphtest.Answer{Status: http.StatusTooManyRequests, RetryAfter: "317"})
	first := s.call(t, "m365_mail_search", args{"limit": 8})
	problem := fmt.Sprint(first["problem"])
	if got := subjects(items(first)); !slices.Equal(got, want[:3]) || !strings.Contains(problem, "Try again in 317 s") || first["cursor"] == nil {
		t.Fatalf("%v, %s, cursor %v", got, problem, first["cursor"])
	}
	if requests := len(s.fake.Requests()); requests > 8 {
		t.Errorf("%d requests", requests)
	}
	// The service is left alone until then, which tells the next caller as much.
	s.fails(t, mcptools.CodeThrottled, "m365_mail_search", args{"limit": 8, "cursor": first["cursor"]})
	s.signIn(t, s.fake.Token(), options) // to another process
	rest := s.call(t, "m365_mail_search", args{"limit": 8, "cursor": first["cursor"]})
	if got := append(subjects(items(first)), subjects(items(rest))...); !slices.Equal(got[:8], want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func subjects(rows []map[string]any) (list []string) {
	for _, row := range rows {
		list = append(list, fmt.Sprint(row["subject"]))
	}
	return list
}
