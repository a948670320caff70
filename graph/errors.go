package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// remedy says what a code of Graph means for a tool.
type remedy struct {
	code mcptools.Code // "" keeps the one that follows from the status
	hint string
}

// remedies by Graph's error codes.
// https://learn.microsoft.com/graph/errors and the codes of Exchange that mail
// and calendars answer with.
func remedyFor(code string) remedy {
	switch code {
	case "ErrorItemNotFound", "Request_ResourceNotFound", "itemNotFound", "ResourceNotFound":
		return remedy{mcptools.CodeNotFound, "look it up again; it may have been deleted, or belong to another mailbox"}
	case "ErrorInvalidIdMalformed", "ErrorInvalidId", "ErrorInvalidMailboxItemId":
		return remedy{mcptools.CodeInvalidArguments, "use an id exactly as another call returned it, with the same mailbox"}
	case "ErrorInvalidUser", "ErrorNonExistentMailbox", "ErrorMailboxConfiguration":
		return remedy{mcptools.CodeNotFound, "there is no such mailbox; find the right address with m365_people_find"}
	case "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorMailboxStoreUnavailable":
		return remedy{mcptools.CodeNotSupported, "this account has no Exchange Online mailbox: it may be unlicensed, on-premises or inactive"}
	case "ErrorSendAsDenied":
		return remedy{mcptools.CodePermissionDenied, "the account may not send as this mailbox; an Exchange administrator grants Send As"}
	case "ErrorQuotaExceeded":
		return remedy{mcptools.CodeConflict, "the mailbox is full"}
	case "ErrorMessageSizeExceeded", "ErrorAttachmentSizeLimitExceeded", "RequestBodyTooLarge":
		return remedy{mcptools.CodeTooLarge, "make the message or its attachments smaller"}
	case "ErrorInvalidRecipients":
		return remedy{mcptools.CodeInvalidArguments, "check the addresses with m365_people_find"}
	case "ErrorIrresolvableConflict", "ErrorChangeKeyRequiredForWriteOperations":
		return remedy{mcptools.CodeConflict, "somebody changed it meanwhile; read it again"}
	case "ErrorFolderExists":
		return remedy{mcptools.CodeConflict, "a folder of this name is there already"}
	case "InvalidAuthenticationToken", "CompactToken", "TokenNotFound":
		return remedy{mcptools.CodeUnauthenticated, "sign in again"}
	case "Authorization_RequestDenied", "ErrorAccessDenied", "AccessDenied", "accessDenied", "Forbidden":
		return remedy{mcptools.CodePermissionDenied, ""}
	case "TooManyRequests", "ApplicationThrottled", "ErrorTooManyRequests":
		return remedy{mcptools.CodeThrottled, ""}
	}
	return remedy{}
}

// failureBody is how Graph explains an error.
// https://learn.microsoft.com/graph/errors#error-resource-type
type failureBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   struct {
			RequestID string `json:"request-id"`
		} `json:"innerError"`
	} `json:"error"`
}

// explain adds what Graph says about an error.
func (c *Client) explain(f *rest.Failure) {
	var body failureBody
	if json.Unmarshal(f.Body, &body) != nil || body.Error.Code == "" {
		c.addMissingScopes(f.Ctx, f.Error)
		return
	}
	e := f.Error
	e.Upstream = rest.Sentence(body.Error.Code)
	if sentence := rest.Sentence(body.Error.Message); sentence != "" {
		e.Message += ": " + sentence
	}
	if e.RequestID == "" {
		e.RequestID = rest.Sentence(body.Error.Inner.RequestID)
	}
	r := remedyFor(body.Error.Code)
	if r.code != "" {
		e.Code = r.code
	}
	if r.hint != "" {
		e.Hint = r.hint
	}
	c.addMissingScopes(f.Ctx, e)
}

// lookFor names the tool that shows whether a write was done after all. The path
// says what it was about.
func lookFor(r rest.Request) string {
	end := r.Path[strings.LastIndex(r.Path, "/")+1:]
	within := func(part string) bool { return strings.Contains(r.Path+"/", "/"+part+"/") }
	switch {
	case end == "sendMail", end == "send":
		return "look with m365_mail_search in the folder Sent Items whether it was sent before sending it again"
	case r.Method == http.MethodPost && (end == "move" || end == "copy") && within("messages"):
		return "look with m365_mail_search in both folders whether it is there before trying again"
	case r.Method == http.MethodDelete && within("events"): // in Deleted Items it is found all the same
		return "look with m365_cal_view whether it is still in the calendar before trying again"
	case r.Method == http.MethodDelete || end == "permanentDelete":
		return "read it again: if it is not found, it was deleted"
	case within("calendarPermissions"):
		return "look with m365_cal_permissions whether it was changed before trying again"
	case within("events"), within("calendar"), within("calendars"):
		return "look with m365_cal_view or m365_cal_get whether it was made before trying again"
	case within("messageRules"):
		return "look with m365_mail_rules whether it was made before trying again"
	case within("messages"):
		return "read it with m365_mail_get, or look for the draft with m365_mail_search in the folder Drafts, before trying again"
	case within("mailFolders"):
		return "look with m365_mail_folders whether it was made before trying again"
	case within("mailboxSettings"):
		return "read m365_mailbox_settings before trying again"
	case r.Method == http.MethodPatch || r.Method == http.MethodPut:
		return "read it again: it shows whether it was changed"
	}
	return ""
}

type neededKey struct{}

// alsoNeeds notes permissions that a call needs beyond those of its tool,
// because of its arguments.
func alsoNeeds(ctx context.Context, scopes ...string) context.Context {
	return context.WithValue(ctx, neededKey{}, scopes)
}

// addMissingScopes names the permissions of the tool whose call was denied.
func (c *Client) addMissingScopes(ctx context.Context, e *mcptools.Error) {
	call := mcptools.CallFrom(ctx)
	if call == nil || e.Code != mcptools.CodePermissionDenied {
		return
	}
	scopes := call.Tool.Spec().Scopes
	granted, err := c.account(ctx)
	if err != nil {
		return
	}
	wanted, has := scopes.Delegated, granted.Scopes
	if granted.AppOnly {
		wanted, has = scopes.Application, granted.Roles
	}
	also, _ := ctx.Value(neededKey{}).([]string)
	e.Scopes = lacks(has, append(slices.Clone(wanted), also...))
	if e.Hint != "" || len(e.Scopes) > 0 {
		return
	}
	e.Hint = "the permission is granted, so this account lacks access to this very thing"
	if !granted.AppOnly && namesMailbox(call.Arguments) {
		e.Hint = "for somebody else's mailbox or calendar the sign-in needs the .Shared form of the permission (such as Mail.Read.Shared), and the account needs access to it in Exchange"
	}
}

// namesMailbox reports whether a call is about a mailbox that it names.
func namesMailbox(arguments json.RawMessage) bool {
	var named struct {
		Mailbox string `json:"mailbox"`
		User    string `json:"user"`
	}
	if err := json.Unmarshal(arguments, &named); err != nil {
		return false
	}
	name := cmp.Or(named.Mailbox, named.User)
	return name != "" && !strings.EqualFold(name, "me")
}

// problem is an error in one line, for results that are partly good.
func problem(err error) string {
	text := reason(err)
	if wait := waitOf(err); wait > 0 {
		text += fmt.Sprintf("; try again in %d s", int64(math.Ceil(wait.Seconds())))
	}
	return text
}

// reason is what an error says apart from the time to try again.
func reason(err error) string {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		return "it failed"
	}
	text := string(e.Code) + ": " + e.Message
	if len(e.Scopes) > 0 {
		text += "; missing permission: " + strings.Join(e.Scopes, ", ")
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// waitOf is when an error says to try again; 0 if it does not.
func waitOf(err error) time.Duration {
	if e, ok := errors.AsType[*mcptools.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// halfDone adds to an error what was and what was not done before it.
func halfDone(err error, state string) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		return &mcptools.Error{Code: mcptools.CodeInternal, Message: state, Err: err}
	}
	half := *e
	half.Message = state + ": " + e.Message
	return &half
}
