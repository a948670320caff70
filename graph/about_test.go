package graph_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// An id tells a person nothing: the question says what is behind it.
func TestQuestionsSayWhatTheyAreAbout(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_send", args{"subject": "Group", "to": []any{sam, tom, anna}, "cc": []any{"boss@competitor.example"}, "body": "x"})
	question := ""
	refuse := mcptools.ConfirmOptions{Ask: func(_ context.Context, q mcptools.Question) (bool, error) {
		question = q.Text
		return false, nil
	}}
	s.tools = s.tools.With(mcptools.Confirm(mcptools.Risky, refuse))
	rows := items(s.call(t, "m365_mail_search", args{"folder": "Inbox", "limit": 7}))
	var ids []any
	for _, row := range rows {
		ids = append(ids, row["id"])
	}
	review := items(s.call(t, "m365_cal_view", args{"query": "Dispatch review", "start": "today", "end": "+14d"}))[0]["id"]
	draft := s.call(t, "m365_mail_draft", args{"subject": "Plan\nB", "to": []any{tom}, "bcc": []any{anna}, "body": "x"})["id"]
	group := items(s.call(t, "m365_mail_search", args{"subject": "Group", "folder": "Inbox"}))[0]["id"]
	tests := []struct {
		tool string
		args args
		want []string
	}{
		{"m365_mail_reply", args{"id": s.message(t, "VPN drops every hour"), "body": "Done"}, []string{"about: VPN drops every hour, from Jonas Weber <"}},
		{"m365_mail_reply", args{"id": group, "mode": "reply_all", "body": "Done"}, []string{"about: the answer goes to all: " + anna + "; " + sam + "; " + tom, "about: a copy to boss@competitor.example"}},
		{"m365_mail_delete", args{"ids": ids}, []string{"about: " + rows[0]["subject"].(string), "about 2 more"}},
		{"m365_mail_draft_send", args{"id": draft}, []string{"about: Plan B, a draft\n", "about: mail to " + tom, "about: a blind copy to " + anna, " of its text: x"}},
		{"m365_cal_respond", args{"id": review, "response": "decline"}, []string{"about: Dispatch review, 20", "organized by Priya Nair"}},
		{"m365_cal_cancel", args{"id": "gone"}, nil},
		{"m365_mail_send", args{"to": []any{tom}, "subject": "x", "body": "y"}, nil},
	}
	for _, tt := range tests {
		question = ""
		s.fails(t, mcptools.CodeDeclined, tt.tool, tt.args)
		if question == "" || tt.want == nil && strings.Contains(question, "about:") {
			t.Errorf("%s asked %q", tt.tool, question)
		}
		for _, want := range tt.want {
			if !strings.Contains(question, want) {
				t.Errorf("%s asked %q, want %q", tt.tool, question, want)
			}
		}
	}
}

// Who agrees to send a draft has not agreed to what becomes of it meanwhile.
func TestADraftIsSentAsItWasShown(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := s.call(t, "m365_mail_draft", args{"subject": "Plan", "to": []any{tom}, "body": "x"})["id"]
	unguarded := s.tools
	for _, change := range []args{{"to": []any{"mallory@evil.example"}}, {"body": "y"}, {"attachments": []any{args{"name": "plan.txt", "text": "z"}}}} {
		change["id"] = id
		s.tools = unguarded.With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: func(ctx context.Context, _ mcptools.Question) (bool, error) {
			arguments, err := json.Marshal(change)
			if err == nil {
				_, err = unguarded.Call(ctx, "m365_mail_draft", arguments)
			}
			return true, err
		}}))
		s.fails(t, mcptools.CodeConflict, "m365_mail_draft_send", args{"id": id})
	}
	if sent := s.fake.Sent(); len(sent) != 0 {
		t.Errorf("%d mails went out", len(sent))
	}
}
