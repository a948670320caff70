package mcptools

import "github.com/modelcontextprotocol/go-sdk/mcp"

// Effect says what a call does to the world. The zero value is the strongest
// claim, so that a forgotten Effect is safe.
type Effect uint8

const (
	// Destructive calls delete or overwrite something that cannot be had back.
	Destructive Effect = iota
	// Additive calls add something; a second identical call adds it again.
	Additive
	// Idempotent calls set something; a second identical call changes nothing.
	Idempotent
	// ReadOnly calls change nothing.
	ReadOnly
)

// String returns the effect as it is written in tables and logs.
func (e Effect) String() string {
	switch e {
	case Destructive:
		return "destructive"
	case Additive:
		return "additive"
	case Idempotent:
		return "idempotent"
	case ReadOnly:
		return "read-only"
	}
	return "unknown"
}

// Mark is a set of properties of a tool that policy cares about beyond its
// [Effect].
type Mark uint8

const (
	// Secret tools return a secret, such as a password.
	Secret Mark = 1 << iota
	// Outbound tools do something that other people see, such as sending mail.
	Outbound
	// Privileged tools have a security impact, such as granting access.
	Privileged
	// Financial tools change what somebody pays.
	Financial
	// Untrusted tools return text that third parties wrote. Their results and
	// errors carry a notice that tells the model so.
	Untrusted
)

// String lists the marks, separated by commas.
func (m Mark) String() string {
	text := ""
	for i, name := range [...]string{"secret", "outbound", "privileged", "financial", "untrusted"} {
		if m&(1<<i) != 0 {
			if text != "" {
				text += ","
			}
			text += name
		}
	}
	return text
}

// Scopes are the permissions that a tool needs, by kind of sign-in. All scopes
// of a list are needed. A nil list means that the tool cannot be used with that
// kind of sign-in; an empty one that it needs no permission.
type Scopes struct {
	Delegated   []string // somebody is signed in
	Application []string // the application acts as itself
}

// AllScopes returns Scopes that are the same for both kinds of sign-in.
func AllScopes(names ...string) Scopes {
	if names == nil {
		names = []string{}
	}
	return Scopes{Delegated: names, Application: names}
}

// CallMarks is for types of arguments of tools whose calls do not all have the
// same marks: a note that stays private is seen by nobody, one for the customer
// is. The tool's [Spec] has all marks that a call can have, so that filters see
// the worst case; CallMarks returns those that this call has. It can leave out
// [Outbound], [Privileged] and [Financial] and add nothing. [Confirm] asks by
// what it returns.
type CallMarks interface{ CallMarks() Mark }

// Spec describes a tool to models, people and policy.
type Spec struct {
	Name        string // unique; 1 to 64 of [a-zA-Z0-9_-]
	Title       string // a few words for people
	Description string // one to three sentences for the model
	Toolset     string // the area of the product, such as "mail"
	Effect      Effect
	Marks       Mark
	Scopes      Scopes
}

// Annotations returns the MCP hints that follow from the effect and the marks.
func (s Spec) Annotations() *mcp.ToolAnnotations {
	destructive := s.Effect == Destructive
	openWorld := s.Marks&(Outbound|Untrusted) != 0
	return &mcp.ToolAnnotations{
		Title:           s.Title,
		ReadOnlyHint:    s.Effect == ReadOnly,
		IdempotentHint:  s.Effect == ReadOnly || s.Effect == Idempotent,
		DestructiveHint: &destructive,
		OpenWorldHint:   &openWorld,
	}
}
