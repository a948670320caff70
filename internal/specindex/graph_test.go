package specindex

import (
	"errors"
	"slices"
	"testing"
)

func TestGraphTypes(t *testing.T) {
	g := Graph()
	tests := []struct {
		owner, property, kind string
		navigation            bool
	}{
		{"message", "toRecipients", "recipient*", false},
		{"message", "id", "string", false},
		{"message", "receivedDateTime", "dateTimeOffset", false},
		{"message", "attachments", "attachment*", true},
		{"eventMessage", "subject", "string", false},
		{"fileAttachment", "contentBytes", "binary", false},
		{"itemAttachment", "item", "outlookItem", true},
		{"attendee", "emailAddress", "emailAddress", false},
		{"recurrencePattern", "daysOfWeek", "dayOfWeek*", false},
		{"room", "capacity", "int", false},
		{"user", "manager", "directoryObject", true},
		{"mailboxSettings", "workingHours", "workingHours", false},
		{"meetingTimeSuggestion", "confidence", "number", false},
	}
	for _, tt := range tests {
		owner, ok := g.Type(tt.owner)
		if !ok {
			t.Errorf("no type %s", tt.owner)
			continue
		}
		p, ok := owner.Property(tt.property)
		if !ok || p.Kind.String() != tt.kind || p.Navigation != tt.navigation {
			t.Errorf("%s.%s is %+v", tt.owner, tt.property, p)
		}
	}
	if _, ok := g.types["message"].Property("Subject"); ok {
		t.Error("property names are case-sensitive")
	}
	importance, ok := g.Type("importance")
	if !ok || !slices.Contains(importance.Values, "high") {
		t.Errorf("importance is %+v", importance)
	}
	if !g.IsA("fileAttachment", "attachment") || g.IsA("message", "event") {
		t.Error("IsA")
	}
}

func TestResolve(t *testing.T) {
	tests := []struct {
		method, path, template, kind string
	}{
		{"GET", "/me", "/me", "user"},
		{"GET", "/users/sam@nordlicht.example/messages", "/users/{id}/messages", "message*"},
		{"PATCH", "/me/messages/AAMk=", "/me/messages/{id}", "message"},
		{"GET", "/me/mailFolders/inbox/childFolders", "/me/mailFolders/{id}/childFolders", "mailFolder*"},
		{"POST", "/me/mailFolders/inbox/messageRules", "/me/mailFolders/{id}/messageRules", "messageRule*"},
		{"POST", "/me/messages/1/createReplyAll", "/me/messages/{id}/createReplyAll", "message"},
		{"POST", "/me/messages/1/permanentDelete", "/me/messages/{id}/permanentDelete", "message"},
		{"POST", "/me/messages/1/attachments/createUploadSession", "/me/messages/{id}/attachments/createUploadSession", "attachment"},
		{"GET", "/me/messages/1/attachments/2/$value", "/me/messages/{id}/attachments/{id}/$value", "attachment"},
		{"GET", "/me/messages/$count", "/me/messages/$count", "message*"},
		{"GET", "/me/messages/delta", "/me/messages/delta", "message"},
		{"GET", "/me/calendarView", "/me/calendarView", "event*"},
		{"POST", "/me/calendar/getSchedule", "/me/calendar/getSchedule", "calendar"},
		{"POST", "/me/findMeetingTimes", "/me/findMeetingTimes", "user"},
		{"GET", "/places/microsoft.graph.room", "/places/microsoft.graph.room", "room*"},
		{"GET", "/users/1/transitiveMemberOf/microsoft.graph.group", "/users/{id}/transitiveMemberOf/microsoft.graph.group", "group*"},
		{"POST", "/search/query", "/search/query", "searchEntity"},
		{"PATCH", "/me/mailboxSettings", "/me/mailboxSettings", "mailboxSettings"},
		{"GET", "/me/authentication/methods", "/me/authentication/methods", "authenticationMethod*"},
	}
	for _, tt := range tests {
		got, err := Graph().Resolve(tt.method, tt.path)
		if err != nil || got.Template != tt.template || got.Kind.String() != tt.kind {
			t.Errorf("%s %s: %q %q %v", tt.method, tt.path, got.Template, got.Kind, err)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	tests := []struct {
		method, path string
		err          error
	}{
		{"GET", "/mee", ErrUnknownPath},
		{"GET", "/me/mails", ErrUnknownPath},
		{"GET", "/me/messages/1/body/content/x", ErrUnknownPath},
		{"GET", "/me/messages/1/attachments/2/$value/x", ErrUnknownPath},
		{"GET", "/me/sendMail", ErrMethod},
		{"POST", "/me/sendMail/x", ErrUnknownPath},
		{"PATCH", "/me/messages", ErrMethod},
		{"POST", "/me/messages/1", ErrMethod},
	}
	for _, tt := range tests {
		if _, err := Graph().Resolve(tt.method, tt.path); !errors.Is(err, tt.err) {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
		}
	}
}

func TestLeastScopes(t *testing.T) {
	s, ok := Graph().LeastScopes("GET", "/users/{user-id}/mailFolders/{id}/messages/{id}")
	if !ok || !slices.Contains(s.Delegated, "Mail.ReadBasic") || !slices.Contains(s.LeastDelegated, "Mail.Read") {
		t.Errorf("%v %+v", ok, s)
	}
	if s, ok := Graph().LeastScopes("POST", "/me/sendMail"); !ok || !slices.Equal(s.LeastDelegated, []string{"Mail.Send"}) {
		t.Errorf("%v %+v", ok, s)
	}
	if _, ok := Graph().LeastScopes("GET", "/me/sendMail"); ok {
		t.Error("GET /me/sendMail has scopes")
	}
}
