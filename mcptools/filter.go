package mcptools

import "slices"

// Filter chooses tools by their [Spec].
type Filter func(Spec) bool

// ReadOnlyTools keeps the tools that change nothing.
func ReadOnlyTools(s Spec) bool { return s.Effect == ReadOnly }

// Risky keeps the tools that a person should approve: those that destroy
// something, that other people see, that have a security impact or that change
// what somebody pays.
func Risky(s Spec) bool {
	return s.Effect == Destructive || s.Marks&(Outbound|Privileged|Financial) != 0
}

// Toolsets keeps the tools of the named toolsets.
func Toolsets(names ...string) Filter {
	return func(s Spec) bool { return slices.Contains(names, s.Toolset) }
}

// Names keeps the named tools.
func Names(names ...string) Filter {
	return func(s Spec) bool { return slices.Contains(names, s.Name) }
}

// Any keeps the tools that at least one of the filters keeps.
func Any(filters ...Filter) Filter {
	return func(s Spec) bool {
		return slices.ContainsFunc(filters, func(f Filter) bool { return f(s) })
	}
}

// Not keeps the tools that f drops.
func Not(f Filter) Filter { return func(s Spec) bool { return !f(s) } }
