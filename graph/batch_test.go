package graph_test

import (
	"net/http"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// A part of a batch that may have been done stays in doubt when its repetitions
// are refused; one that was only refused was surely not done.
func TestBatchPartInDoubt(t *testing.T) {
	for name, test := range map[string]struct {
		first int // the answer to the first attempt
		want  mcptools.Code
	}{
		"may have been done": {http.StatusServiceUnavailable, mcptools.CodeUncertain},
		"refused":            {http.StatusTooManyRequests, mcptools.CodeThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSuite(t, graphtest.Options{})
			draft := s.call(t, "m365_mail_draft", args{"subject": "Doubt"})
			s.fake.Faults().Next(1, "POST", "/move", graphtest.Answer{Status: test.first})
			s.fake.Faults().Next(10, "POST", "/move", graphtest.Answer{Status: http.StatusTooManyRequests})
			s.fails(t, test.want, "m365_mail_move", args{"ids": []any{draft["id"]}, "folder": "Archive"})
		})
	}
}
