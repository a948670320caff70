package graphtest

import (
	"slices"
	"strings"
	"testing"
)

func to(address string) []object { return []object{recipient("", address)} }

func TestSendMail(t *testing.T) {
	r := newRig(t, Options{})
	r.do("POST", "/me/sendMail", object{
		"message": object{
			"subject": "Hello", "body": object{"contentType": "HTML", "content": "<p>Hi</p>"}, "toRecipients": to("priya.nair@nordlicht.example"), "ccRecipients": to("anna.berg@hafenlogistik.example"),
			"attachments": []object{{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain", "contentBytes": "aGk="}},
		},
	}).want(t, 202)
	sent := r.Sent()
	if len(sent) != 1 || sent[0].Subject != "Hello" || !slices.Equal(sent[0].Cc, []string{"anna.berg@hafenlogistik.example"}) || !slices.Equal(sent[0].Attachments, []string{"a.txt"}) || sent[0].ID == "" {
		t.Fatalf("%+v", sent)
	}
	if m, found := r.Message(sent[0].ID); !found || m["isDraft"] != false {
		t.Errorf("the copy in Sent Items: %v", m)
	}
	if got := r.Messages("priya.nair@nordlicht.example", "inbox"); got[0]["subject"] != "Hello" || got[0]["isRead"] != false {
		t.Errorf("Priya got %v", got[0]["subject"])
	}
	r.clean()
	for _, tt := range []struct {
		body object
		code string
	}{
		{object{"message": object{"subject": "x"}}, "ErrorInvalidRecipients"},
		{object{"message": object{"toRecipients": to("nobody")}}, "ErrorInvalidRecipients"},
		{object{"message": object{"to": "x"}}, "RequestBodyRead"},
		{object{"message": object{"toRecipients": []string{"x@y.example"}}}, "RequestBodyRead"},
		{object{"mail": object{}}, "RequestBodyRead"},
		{object{"message": object{"toRecipients": to("a@b.example"), "from": recipient("", "tom.lindqvist@nordlicht.example")}}, "ErrorSendAsDenied"},
	} {
		if a := r.do("POST", "/me/sendMail", tt.body); a.code() != tt.code {
			t.Errorf("%v: %d %s", tt.body, a.status, a.raw)
		}
	}
	if len(r.Sent()) != 1 || len(r.Messages(SignedInUser, "drafts")) != 1 {
		t.Error("a refused mail left something behind")
	}
	r.do("POST", "/me/sendMail", object{"message": object{"toRecipients": to("a@b.example"), "from": recipient("", "servicedesk@nordlicht.example")}, "saveToSentItems": false}).want(t, 202)
	if sent := r.Sent(); sent[1].From != "servicedesk@nordlicht.example" || sent[1].ID != "" {
		t.Errorf("%+v", sent[1])
	}
}

func TestReplies(t *testing.T) {
	r := newRig(t, Options{})
	id := r.firstID(`/me/messages?$search="subject:vpn from:jonas"&$select=id`)
	r.do("POST", "/me/messages/"+id+"/reply", object{"comment": "On it.\nSam"}).want(t, 202)
	mail := r.Sent()[0]
	if mail.Subject != "RE: VPN drops every hour" || !slices.Equal(mail.To, []string{"jonas.weber@hafenlogistik.example"}) || !strings.Contains(mail.Body, "On it.<br>") || !strings.Contains(mail.Body, "divRplyFwdMsg") {
		t.Errorf("%+v", mail)
	}
	r.do("POST", "/me/messages/"+id+"/replyAll", object{"message": object{"body": object{"contentType": "html", "content": "<p>Hi all</p>"}}}).want(t, 202)
	if mail := r.Sent()[1]; !slices.Equal(mail.Cc, []string{"mira.koch@hafenlogistik.example"}) || !strings.Contains(mail.Body, "Hi all") {
		t.Errorf("%+v", mail)
	}
	a := r.do("POST", "/me/messages/"+id+"/createForward", object{"toRecipients": to("lars.brandt@nordlicht.example"), "comment": "fyi"}).want(t, 201)
	if a.body["isDraft"] != true || a.body["subject"] != "FW: VPN drops every hour" {
		t.Errorf("%s", a.raw)
	}
	draft := textAt(a.body, "id")
	r.do("PATCH", "/me/messages/"+draft, object{"importance": "high", "body": object{"contentType": "text", "content": "look"}}).want(t, 200)
	r.do("POST", "/me/messages/"+draft+"/send", nil).want(t, 202)
	if mail := r.Sent()[2]; mail.Body != "look" || mail.To[0] != "lars.brandt@nordlicht.example" {
		t.Errorf("%+v", mail)
	}
	conversation := textAt(r.get("/me/messages/"+id).body, "conversationId")
	thread := r.get("/me/messages?$select=subject&$filter=conversationId eq '"+q(conversation)+"'").want(t, 200)
	if n := len(thread.values()); n != 6 {
		t.Errorf("%d messages in the conversation", n)
	}
	r.clean()
	if a := r.do("POST", "/me/messages/"+id+"/reply", object{"comment": "x", "message": object{"body": object{"content": "y"}}}); a.status != 400 {
		t.Errorf("comment and body: %d", a.status)
	}
	if a := r.do("POST", "/me/messages/"+id+"/send", nil); a.status != 400 {
		t.Errorf("sending what is no draft: %d", a.status)
	}
}
