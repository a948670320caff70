package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// toolName is what MCP and all large model providers accept.
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// Tool is a named function with schemas for its arguments and its result. Make
// one with [Define]. A Tool is safe for concurrent use as far as its function is.
type Tool struct {
	definition *definition
	handler    Handler // middleware included
	explain    Explainer
}

type definition struct {
	spec    Spec
	in, out *schema
	fits    func(args json.RawMessage) error
	invoke  func(ctx context.Context, args json.RawMessage) (any, error)
	marks   func(args json.RawMessage) Mark // nil: every call has the marks of the spec
}

// Define makes a tool of fn. In must be a struct, Out a struct or a pointer to
// one. fn gets arguments that fit the schema of In, with defaults filled in;
// callers of fn itself pass no schema, so fn must treat zero values as unset.
// fn reports what went wrong as an [*Error]; errors of any other type reach the
// model without their text. In may implement [CallMarks].
//
// Define panics when the spec or a type cannot describe a tool, as
// regexp.MustCompile does: that is a mistake in the program.
func Define[In, Out any](spec Spec, fn func(context.Context, In) (Out, error)) Tool {
	d, err := define(spec, reflect.TypeFor[In](), reflect.TypeFor[Out]())
	if err != nil {
		panic(fmt.Sprintf("mcptools.Define(%q): %v", spec.Name, err))
	}
	d.fits = func(args json.RawMessage) error {
		var in In
		if err := json.Unmarshal(args, &in); err != nil {
			return unmarshalFault(err)
		}
		return nil
	}
	d.invoke = func(ctx context.Context, args json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(args, &in); err != nil {
			return nil, unmarshalFault(err)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		if v := reflect.ValueOf(out); v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, errNothing()
		}
		return out, nil
	}
	if _, ok := any(*new(In)).(CallMarks); ok {
		d.marks = func(args json.RawMessage) Mark {
			var in In
			if json.Unmarshal(args, &in) != nil {
				return spec.Marks
			}
			return any(in).(CallMarks).CallMarks()
		}
	}
	return Tool{definition: d, handler: d.handle}
}

func define(spec Spec, in, out reflect.Type) (*definition, error) {
	switch {
	case !toolName.MatchString(spec.Name):
		return nil, errors.New("the name must be 1 to 64 of a-z, A-Z, 0-9, _ and -")
	case spec.Title == "", spec.Description == "", spec.Toolset == "":
		return nil, errors.New("title, description and toolset are needed")
	case spec.Effect > ReadOnly:
		return nil, errors.New("unknown effect")
	case in.Kind() != reflect.Struct:
		return nil, fmt.Errorf("the arguments must be a struct, not %s", in)
	}
	d := &definition{spec: spec}
	var err error
	if d.in, err = infer(in, true, false); err != nil {
		return nil, fmt.Errorf("arguments: %w", err)
	}
	if d.out, err = infer(out, false, spec.Marks&Untrusted != 0); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return d, nil
}

// unmarshalFault explains a value that fits the schema but not the Go type, such
// as a number beyond int32.
func unmarshalFault(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid([]Fault{{Path: wrong.Field, Message: "cannot be " + clip(wrong.Value, 64)}})
	}
	return invalid([]Fault{{Message: "a value does not fit its argument"}}) // the text of err may hold anything
}

// Spec returns what the tool was defined with.
func (t Tool) Spec() Spec { return t.definition.spec }

// specOf returns the spec with the marks that a call with these valid arguments
// has.
func (t Tool) specOf(args json.RawMessage) Spec {
	spec := t.definition.spec
	if t.definition.marks != nil {
		spec.Marks &= t.definition.marks(args) | Secret | Untrusted
	}
	return spec
}

// InputSchema returns the JSON Schema of the arguments. Do not modify it.
func (t Tool) InputSchema() json.RawMessage { return t.definition.in.text }

// OutputSchema returns the JSON Schema of the result. Do not modify it.
func (t Tool) OutputSchema() json.RawMessage { return t.definition.out.text }

// Validate reports what is wrong with args: nil, or an [*Error] with
// CodeInvalidArguments that names every fault.
func (t Tool) Validate(args json.RawMessage) error {
	_, err := t.definition.prepare(args)
	return err
}

// prepare returns args in their canonical form when the function can be called
// with them.
func (d *definition) prepare(args json.RawMessage) (json.RawMessage, error) {
	canonical, err := d.in.prepare(args)
	if err != nil {
		return nil, err
	}
	return canonical, d.fits(canonical)
}

// Call runs the tool without MCP. The error is an [*Error], an [*InputRequired]
// or a JSON-RPC error from the confirmation of a forged call.
func (t Tool) Call(ctx context.Context, args json.RawMessage) (*Result, error) {
	return t.run(ctx, &Call{Tool: t, Arguments: args})
}

// run is the one place where calls start: it recovers panics and never returns
// neither a result nor an error, since either would end an MCP server's process.
// The error is of one of the three types that [Tool.Call] names.
func (t Tool) run(ctx context.Context, call *Call) (result *Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			result, err = nil, &Error{
				Code:    CodeInternal,
				Message: "the tool failed unexpectedly",
				Hint:    "report this to whoever runs the server",
				Err:     &PanicError{Value: v, Stack: debug.Stack()},
			}
		}
	}()
	result, err = t.handler(context.WithValue(ctx, callKey{}, call), call)
	if err != nil {
		return nil, presentable(err)
	}
	if result == nil {
		return nil, errNothing()
	}
	return result, nil
}

// presentable returns err as one of the types that callers are promised. An
// *Error comes first: its cause may be of the other types, and stays a cause.
func presentable(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		return e
	}
	if question, ok := errors.AsType[*InputRequired](err); ok && question != nil && len(question.Requests) > 0 {
		return question
	}
	if protocol, ok := errors.AsType[*jsonrpc.Error](err); ok && protocol != nil {
		return protocol
	}
	return asError(err)
}

func errNothing() *Error {
	return &Error{Code: CodeInternal, Message: "the tool returned neither a result nor an error"}
}

// handle is the innermost handler: the arguments, the function, the result.
func (d *definition) handle(ctx context.Context, call *Call) (*Result, error) {
	args, err := d.in.prepare(call.Arguments)
	if err != nil {
		return nil, err
	}
	out, err := d.invoke(ctx, args)
	if err != nil {
		if _, ok := errors.AsType[*InputRequired](err); ok {
			return nil, err
		}
		e := *asError(err)
		e.Quotes = e.Quotes || d.spec.Marks&Untrusted != 0
		return nil, &e
	}
	value, err := d.out.encode(out, d.spec.Marks&Untrusted != 0)
	if err != nil {
		return nil, asError(err)
	}
	return &Result{Value: value, valid: fingerprint(value)}, nil
}
