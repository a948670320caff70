package halopsa

import (
	"encoding/json"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// explain adds Halo's own sentence to an error. Halo explains itself in many
// shapes: a bare sentence, a JSON string, or an object in which one of several
// fields holds it.
func explain(f *rest.Failure) {
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
	if call := mcptools.CallFrom(f.Ctx); call != nil && (e.Code == mcptools.CodePermissionDenied || e.Code == mcptools.CodeUnauthenticated) {
		e.Scopes = call.Tool.Spec().Scopes.Application
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
