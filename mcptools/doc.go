// Package mcptools turns a plain Go function into a tool that an MCP server, an
// agent without MCP, or a test can call.
//
// A tool is data plus a function. [Define] infers JSON Schema 2020-12 from the
// argument and result types, so the types are the only description there is:
//
//	reboot := mcptools.Define(mcptools.Spec{
//		Name: "rmm_reboot", Title: "Reboot a machine", Toolset: "rmm",
//		Description: "Reboot one machine. Returns the job to poll.",
//	}, func(ctx context.Context, in RebootInput) (RebootOutput, error) { … })
//
// Tools are gathered in a [Set], which is immutable: [Set.Keep] narrows it,
// [Set.With] wraps its calls, [Set.Register] adds it to an *mcp.Server and
// [Set.Call] runs one of its tools with no server at all.
//
// # What happens in a call
//
// Middleware runs first, outermost first. Then the arguments are parsed
// strictly (duplicate keys, deep nesting, bad UTF-8 and absurd numbers are
// faults), mended where models commonly slip (null for an optional field, "7"
// for 7, one value for a list, defaults), validated, and handed to the
// function. The result is validated against the output schema before anybody
// sees it. Every fault of a call is named in one error, so a model can repair
// its call in one turn. A panic becomes an error result.
//
// # Field tags
//
// Besides json, these struct tags shape a schema:
//
//	jsonschema:"text"     the description, nothing else
//	enum:"a,b,c"          the allowed values
//	default:"10"          filled in when the caller leaves the field out
//	minimum, maximum      bounds of a number
//	minItems, maxItems    bounds of a list
//	maxLength             bytes of a string; without it the limit is 64 KiB
//	format:"date-time"    a JSON Schema format, asserted
//
// A field without omitempty or omitzero is required.
package mcptools
