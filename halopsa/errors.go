package halopsa

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// explain adds Halo's own sentence to an error. Halo explains itself in many
// shapes: a bare sentence, a JSON string, or an object in which one of several
// fields holds it.
func (c *Client) explain(f *rest.Failure) {
	e := f.Error
	sentence := rest.Sentence(sentenceOf(f.Body))
	if sentence != "" {
		e.Message += ": " + sentence
	}
	lower := strings.ToLower(sentence)
	switch {
	case strings.Contains(lower, "rate limit"):
		e.Code = mcptools.CodeThrottled
	case strings.Contains(lower, "please contact the administrator"):
		// The 400 of a call for which the application lacks the scope.
		e.Code = mcptools.CodePermissionDenied
	case strings.Contains(lower, "outcome must be entered"), strings.Contains(lower, "do not have access to this action"):
		e.Hint = "call halo_tickets_available_actions and name one of its outcomes"
	case strings.Contains(lower, "invalid advanced search"):
		e.Hint = "this instance does not search by that field"
	}
	if e.Code == mcptools.CodeUnauthenticated {
		// Halo answers 401 both for a bad token and for a missing scope.
		e.Hint = "check that the API application has the scope for this, and that its agent may do it"
	}
	if e.Code == mcptools.CodePermissionDenied || e.Code == mcptools.CodeUnauthenticated {
		c.addMissingScopes(f.Ctx, e)
	}
}

// lookFor names the tool that shows whether a write was done after all.
func lookFor(r rest.Request) string {
	switch {
	case strings.HasPrefix(r.Path, "/Actions"):
		return "look with halo_actions_list at the ticket's latest actions whether it was made before trying again"
	case strings.HasPrefix(r.Path, "/Tickets"):
		return "look with halo_tickets_get, or for a new ticket with halo_tickets_search, whether it was made before trying again"
	case strings.HasPrefix(r.Path, "/Attachment"):
		return "look with halo_attachments_list whether it is there before trying again"
	}
	return ""
}

// addMissingScopes names the scopes of the tool that the token lacks. Of a token
// that does not tell its scopes, any may be missing.
func (c *Client) addMissingScopes(ctx context.Context, e *mcptools.Error) {
	call := mcptools.CallFrom(ctx)
	if call == nil {
		return
	}
	wanted, granted := call.Tool.Spec().Scopes.Application, c.scopes(ctx)
	e.Scopes = slices.DeleteFunc(slices.Clone(wanted), func(scope string) bool {
		return slices.Contains(granted, scope) || slices.Contains(granted, "all")
	})
	if len(e.Scopes) == 0 && e.Code == mcptools.CodePermissionDenied {
		e.Hint = "the API application has the scope for this, so the role of the agent that it acts as forbids it"
	}
}

// sentenceOf finds the sentence for people in the body of an error.
func sentenceOf(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	var object map[string]any
	if json.Unmarshal(body, &object) == nil {
		for _, name := range []string{"errorMessage", "Message", "message", "error_description", "error", "detail", "title"} {
			if text, ok := object[name].(string); ok && text != "" {
				return text
			}
		}
		return ""
	}
	if plain := strings.TrimSpace(string(body)); plain != "" && !strings.HasPrefix(plain, "<") {
		return plain
	}
	return ""
}
