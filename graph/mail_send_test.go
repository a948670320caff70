package graph_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// lastSent returns the latest mail that left through the fake.
func (s *suite) lastSent(t *testing.T) graphtest.SentMail {
	t.Helper()
	sent := s.fake.Sent()
	if len(sent) == 0 {
		t.Fatal("nothing was sent")
	}
	return sent[len(sent)-1]
}

// file returns an attachment of n bytes.
func attachmentOf(n int) graph.OutgoingAttachment {
	return graph.OutgoingAttachment{Name: fmt.Sprintf("file-%d.bin", n), ContentBase64: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n))}
}

func TestSendWithInlineAttachments(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.ResetRecord()
	s.call(t, "m365_mail_send", args{"to": anna, "subject": "List", "body": "- a\n- b", "attachments": []args{{"name": "notes.txt", "text": "größer"}}})
	sent := s.lastSent(t)
	if !strings.Contains(sent.Body, "<li>a</li>") || !slices.Equal(sent.Attachments, []string{"notes.txt"}) {
		t.Errorf("got %+v", sent)
	}
	if got := s.paths(); !slices.Equal(got, []string{"POST /me/sendMail"}) {
		t.Errorf("requests: %v", got)
	}
}

func TestMarkdownCannotSmuggleHTML(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_send", args{"to": []string{anna}, "subject": "x", "body": "It is **ok** in C:\\Users\\<name> <img src=x onerror=y>\n\n<script>alert(1)</script>"})
	body := s.lastSent(t).Body
	for want, there := range map[string]bool{"<script": false, "<img": false, "<strong>ok</strong>": true, "&lt;name&gt;": true, "alert(1)": true} {
		if strings.Contains(body, want) != there {
			t.Errorf("%q: %v in %s", want, !there, body)
		}
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_send", args{"to": []string{anna}, "subject": "x", "body": "<p>Hello</p>"})
}

func TestRecipientsAreNeverGuessed(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, to := range []string{"Anna Berg", "anna", "", "a@b, c@d", "@"} {
		s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_send", args{"to": []string{to}, "subject": "x", "body": "y"})
		s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_reply", args{"id": s.message(t, "Travel expenses"), "to": []string{to}, "body": "y"})
	}
	if len(s.fake.Sent()) > 0 {
		t.Error("something was sent")
	}
}

func TestWrongAttachments(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, wrong := range []args{{"name": "a.txt"}, {"name": "a.txt", "text": "x", "content_base64": "AA=="}, {"name": "../a", "text": "x"}, {"name": " ", "text": "x"}, {"name": "a", "content_base64": "%%%"}} {
		s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_send", args{"to": []string{anna}, "subject": "x", "body": "y", "attachments": []args{wrong}})
	}
}

// Attachments beyond what a request takes go through a draft, the large ones
// through an upload session, without the token.
func TestLargeAttachments(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.ResetRecord()
	sizes := []int{3<<20 - 1000, 3_300_000}
	in := graph.SendMailInput{To: []string{anna}, Subject: "Big", Body: "files"}
	var names []string
	for _, n := range sizes {
		in.Attachments = append(in.Attachments, attachmentOf(n))
		names = append(names, attachmentOf(n).Name)
	}
	result, err := s.client.SendMail(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	sent := s.lastSent(t)
	if result.Status != "sent" || !slices.Equal(sent.Attachments, names) {
		t.Errorf("got %+v, %+v", result, sent)
	}
	id := s.message(t, "Big")
	for _, a := range s.call(t, "m365_mail_get", args{"id": id})["attachments"].([]any) {
		row := a.(map[string]any)
		if size := int(row["size"].(float64)); !strings.HasPrefix(row["name"].(string), "file-") || size < 1<<20 {
			t.Errorf("got %v", row)
		}
	}
	puts := 0
	for _, p := range s.paths() {
		if strings.HasPrefix(p, "PUT ") {
			puts++
		}
	}
	if puts != 2 { // parts have at most 3,276,800 bytes
		t.Errorf("%d parts were sent: %v", puts, s.paths())
	}
}

// An upload goes on where a lost part left off, whether or not it arrived.
func TestUploadGoesOnAfterALoss(t *testing.T) {
	for name, answer := range map[string]graphtest.Answer{
		"lost before": {Drop: graphtest.DropBefore}, "lost after": {Drop: graphtest.DropAfter},
		"half": {Drop: graphtest.DropDuring}, "busy": {Status: http.StatusServiceUnavailable, RetryAfter: "0"}, "odd": {Status: http.StatusConflict},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSuite(t, graphtest.Options{})
			s.violations = true // a repeated part that did arrive is refused and recorded
			s.fake.Faults().Next(1, "PUT", "", answer)
			in := graph.SendMailInput{To: []string{anna}, Subject: "Big", Body: "x", Attachments: []graph.OutgoingAttachment{attachmentOf(3_300_000)}}
			if _, err := s.client.SendMail(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if sent := s.lastSent(t); !slices.Equal(sent.Attachments, []string{"file-3300000.bin"}) {
				t.Errorf("got %+v", sent)
			}
		})
	}
}

// What fails after the draft leaves the draft, and the error says where.
func TestFailureAfterTheDraftNamesIt(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for path, status := range map[string]int{"/attachments": http.StatusForbidden, "/send": http.StatusBadRequest} {
		s.fake.Faults().Next(1, "POST", path, graphtest.Answer{Status: status})
		in := graph.SendMailInput{To: []string{anna}, Subject: "Kept" + path, Body: "x", Attachments: []graph.OutgoingAttachment{attachmentOf(1_400_000), attachmentOf(1_400_001)}}
		_, err := s.client.SendMail(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), "not sent; it is kept as draft") || !strings.Contains(err.Error(), "m365_mail_draft_send") {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if id := s.message(t, "Kept"+path); !strings.Contains(err.Error(), id) {
			t.Errorf("%s: the error does not name the draft %s: %v", path, id, err)
		}
	}
	if len(s.fake.Sent()) > 0 {
		t.Error("something was sent")
	}
}

// A send without an answer is not repeated, and the error leaves the doubt.
func TestUnansweredSendIsUncertain(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.Faults().Next(1, "POST", "/sendMail", graphtest.Answer{Drop: graphtest.DropAfter})
	unsure := s.fails(t, mcptools.CodeUncertain, "m365_mail_send", args{"to": []string{anna}, "subject": "x", "body": "y"})
	if !strings.Contains(unsure.Hint, "m365_mail_search") {
		t.Errorf("the hint is %q", unsure.Hint)
	}
	if n := len(s.fake.Sent()); n != 1 {
		t.Errorf("sent %d times", n)
	}
	draft := s.call(t, "m365_mail_draft", args{"to": []string{anna}, "subject": "x"})
	s.fake.Faults().Next(1, "POST", "/send", graphtest.Answer{Drop: graphtest.DropAfter})
	e := s.fails(t, mcptools.CodeUncertain, "m365_mail_draft_send", args{"id": draft["id"]})
	if !strings.Contains(e.Message, draft["id"].(string)) || len(s.fake.Sent()) != 2 {
		t.Error(e)
	}
}

func TestReplyKeepsMarkdownAndHistory(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	result := s.call(t, "m365_mail_reply", args{"id": s.message(t, "VPN drops every hour"), "mode": "reply_all", "body": "Hello,\n\n**fixed**:\n- a\n- b"})
	sent := s.lastSent(t)
	above, below := strings.Index(sent.Body, "<strong>fixed</strong>"), strings.Index(sent.Body, "drops every hour, exactly")
	if above < 0 || below < above || !strings.Contains(sent.Body, "<li>b</li>") {
		t.Errorf("the body is %s", sent.Body)
	}
	if fmt.Sprint(result["to"]) != "[Jonas Weber <jonas.weber@hafenlogistik.example>]" || fmt.Sprint(result["cc"]) != "[Mira Koch <mira.koch@hafenlogistik.example>]" {
		t.Errorf("got %v", result)
	}
	if sent.Subject != "RE: VPN drops every hour" || result["subject"] != sent.Subject || result["status"] != "sent" {
		t.Errorf("got %v", result)
	}
}

// cc adds to whoever gets a copy anyway, each address once.
func TestReplyWithACopy(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := items(s.call(t, "m365_mail_search", args{"from": anna, "limit": 1}))[0]["id"]
	sent := s.call(t, "m365_mail_reply", args{"id": id, "body": "Coming", "cc": []any{tom, "Tom <" + tom + ">"}})
	if cc := texts(sent["cc"]); len(cc) != 1 || !strings.Contains(cc[0], tom) || len(asList(sent["to"])) != 1 {
		t.Errorf("sent %v", sent)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_reply", args{"id": id, "body": "Coming", "cc": []any{"Tom"}})
	if all := s.fake.Sent(); len(all) != 1 {
		t.Errorf("%d mails were sent", len(all))
	}
}

func TestForward(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := s.message(t, "Offer 2041 for Alster Dental")
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_reply", args{"id": id, "mode": "forward", "body": "FYI"})
	s.call(t, "m365_mail_reply", args{"id": id, "mode": "forward", "body": "1 < 2", "body_type": "text", "to": []string{"Tom <tom.lindqvist@nordlicht.example>"}})
	sent := s.lastSent(t)
	if !slices.Equal(sent.To, []string{"tom.lindqvist@nordlicht.example"}) || !slices.Equal(sent.Attachments, []string{"Offer 2041.pdf"}) || !strings.Contains(sent.Body, "1 &lt; 2") {
		t.Errorf("got %+v", sent)
	}
}

func TestReplyFailureLeavesADraftAndSaysSo(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := s.message(t, "Travel expenses")
	s.fake.Faults().Next(1, "PATCH", "/messages/", graphtest.Answer{Status: http.StatusForbidden})
	e := s.fails(t, mcptools.CodePermissionDenied, "m365_mail_reply", args{"id": id, "body": "x"})
	if !strings.Contains(e.Message, "kept as draft AAkALg") || !strings.Contains(e.Message, "without your text") {
		t.Error(e)
	}
	s.fake.Faults().Next(1, "POST", "/createReply", graphtest.Answer{Drop: graphtest.DropAfter})
	if e := s.fails(t, mcptools.CodeUnavailable, "m365_mail_reply", args{"id": id, "body": "x"}); !strings.Contains(e.Message, "nothing was sent") {
		t.Error(e)
	}
	if len(s.fake.Sent()) > 0 {
		t.Error("something was sent")
	}
}

func TestDraftsAreChangedAndSent(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	draft := s.call(t, "m365_mail_draft", args{"to": []string{anna}, "subject": "One", "body": "a"})
	if draft["status"] != "draft" || draft["id"] == nil {
		t.Fatalf("got %v", draft)
	}
	changed := s.call(t, "m365_mail_draft", args{"id": draft["id"], "cc": []string{"tom.lindqvist@nordlicht.example"}, "body": "**b**"})
	if changed["subject"] != "One" || fmt.Sprint(changed["to"]) != "["+anna+"]" {
		t.Errorf("got %v", changed)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_draft", args{"id": draft["id"]})
	s.call(t, "m365_mail_draft_send", args{"id": draft["id"]})
	if sent := s.lastSent(t); !slices.Equal(sent.Cc, []string{"tom.lindqvist@nordlicht.example"}) || !strings.Contains(sent.Body, "<strong>b</strong>") {
		t.Errorf("got %+v", sent)
	}
	s.fails(t, mcptools.CodeConflict, "m365_mail_draft_send", args{"id": draft["id"]})
	empty := s.call(t, "m365_mail_draft", args{"subject": "Nobody"})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_draft_send", args{"id": empty["id"]})
}

func TestSendingAsAnotherMailbox(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_send", args{"mailbox": "servicedesk@nordlicht.example", "to": []string{anna}, "subject": "x", "body": "y"})
	if sent := s.lastSent(t); sent.From != "servicedesk@nordlicht.example" {
		t.Errorf("got %+v", sent)
	}
}

// A draft needs more than sending does; the error says which permission.
func TestDraftOnlyNamesItsOwnScope(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.signInWith(t, "Mail.Send")
	s.call(t, "m365_mail_send", args{"to": []string{anna}, "subject": "x", "body": "y"})
	e := s.fails(t, mcptools.CodePermissionDenied, "m365_mail_send", args{"to": []string{anna}, "subject": "x", "body": "y", "draft_only": true})
	if fmt.Sprint(e.Scopes) != "[Mail.ReadWrite]" {
		t.Errorf("scopes %v", e.Scopes)
	}
}

// Who waits for a large upload is told how far it has come.
func TestUploadReportsProgress(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s.tools.Register(server)
	here, there := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	reports := make(chan *mcp.ProgressNotificationParams, 100)
	client := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { reports <- r.Params },
	})
	session, err := client.Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	params := &mcp.CallToolParams{Name: "m365_mail_send", Arguments: graph.SendMailInput{
		To: []string{anna}, Subject: "Big", Body: "x", Attachments: []graph.OutgoingAttachment{attachmentOf(3_300_000)},
	}}
	params.SetProgressToken("p")
	if result, err := session.CallTool(t.Context(), params); err != nil || result.IsError {
		t.Fatalf("got %+v, %v", result, err)
	}
	for last := 0.0; last < 3_300_000; {
		select {
		case r := <-reports:
			if r.Progress < last || r.Total != 3_300_000 || !strings.HasPrefix(r.Message, "uploading file-") {
				t.Fatalf("after %v: %+v", last, r)
			}
			last = r.Progress
		case <-time.After(10 * time.Second): // notifications may arrive after the result
			t.Fatalf("no report after %v", last)
		}
	}
}

// Graph changes importance and attachments of received messages as well, and
// that is no draft.
func TestDraftMailLeavesReceivedMailAlone(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	id := s.message(t, "VPN drops every hour")
	for _, change := range []args{
		{"importance": "high"}, {"subject": "x"}, {"importance": "high", "attachments": []any{args{"name": "a.txt", "text": "planted"}}},
	} {
		before := s.fake.Messages(graphtest.SignedInUser, "inbox")
		change["id"] = id
		if e := s.fails(t, mcptools.CodeConflict, "m365_mail_draft", change); e.Hint == "" {
			t.Error("no hint")
		}
		if after := s.fake.Messages(graphtest.SignedInUser, "inbox"); !reflect.DeepEqual(before, after) {
			t.Errorf("%v changed a received message", change)
		}
	}
}

// All that is wrong with a call is named at once, by the argument.
func TestFaultsBeyondTheSchema(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for tool, test := range map[string]struct {
		args args
		want []string
	}{
		"m365_mail_send":   {args{"to": []any{tom, "Anna"}, "cc": []any{"Berg"}, "subject": "x", "body": "y"}, []string{`to[1]: "Anna"`, `cc[0]: "Berg"`}},
		"m365_mail_search": {args{"after": "noonish", "before": "someday"}, []string{`after: cannot read the time "noonish"`, `before: cannot read the time "someday"`}},
		"m365_cal_create":  {args{"subject": "x", "start": "noonish", "end": "someday"}, []string{`start: cannot read the time "noonish"`, `end: cannot read the time "someday"`}},
		"m365_cal_view":    {args{"start": "noonish", "end": "someday"}, []string{`start: cannot read the time "noonish"`, `end: cannot read the time "someday"`}},
	} {
		e := s.fails(t, mcptools.CodeInvalidArguments, tool, test.args)
		for _, want := range test.want {
			if !strings.Contains(e.Message, want) {
				t.Errorf("%s: %s", tool, e.Message)
			}
		}
	}
}
