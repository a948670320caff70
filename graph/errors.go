package graph

import (
	"context"
	"encoding/json"
	"slices"

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
	wanted := scopes.Delegated
	if granted.AppOnly {
		wanted = scopes.Application
	}
	for _, scope := range wanted {
		if !slices.Contains(granted.Scopes, scope) && !slices.Contains(granted.Roles, scope) {
			e.Scopes = append(e.Scopes, scope)
		}
	}
	if e.Hint == "" && len(e.Scopes) == 0 {
		e.Hint = "the permission is granted, so this account lacks access to this very thing"
	}
}
