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
// strictly, mended, validated, and handed to the function. The result is
// validated against the output schema before anybody sees it. Every fault of a
// call is named in one error, so a model can repair its call in one turn. A
// panic becomes an error result.
//
// Strictly parsed means: duplicate keys, broken Unicode (bad UTF-8, half a
// surrogate pair), numbers that no float64 holds, more than 32 levels or 5,000
// values, and more than 8 MiB are faults, and so is any string beyond 64 KiB
// whose field does not state another limit.
//
// Mended is what models commonly get wrong and what can mean one thing only:
//
//	null, and "" but for free text    where a field may be left out: left out
//	"7", " 7 "                        for a number: 7
//	3.0, 1e2, "3.0"                   for an integer: 3 and 100, exactly
//	7                                 for a string: "7"
//	"true", "FALSE"                   for a boolean
//	"x"                               for a list: ["x"]; null and "" are []
//	"[1,2]", "{\"a\":1}"              for a list, an object: what the text holds
//	"HARD", " hard"                   for the enum value hard
//	nothing, null, ""                 for all arguments: {}
//	nothing                           where there is a default: the default
//
// Anything else is a fault: "7x", "+7", "0x7", "1,000", "NaN" and true for a
// number, 1 and "yes" for a boolean, a list or a boolean for a string, an
// integer beyond 64 bits, a name in another case.
//
// In results, nil lists, maps and bytes become empty ones.
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
// A field without omitempty or omitzero is required. [Define] refuses tags that
// contradict the type, defaults that do not fit, and pointers in results that
// could become null.
package mcptools
