package mcptools

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ConfirmOptions tunes [Confirm]. The zero value is ready to use.
type ConfirmOptions struct {
	// Key authenticates pending confirmations. Replicas that serve the same
	// clients need the same key of at least 32 bytes. Empty: a random key.
	// Each replica remembers the approvals that it has seen used, not those
	// that the others have: until it expires, one approval can run its call
	// once on each of them.
	Key []byte
	// TTL is how long a person may think. Zero: 5 minutes.
	TTL time.Duration
	// Ask asks on behalf of callers that do not come over MCP. It returns
	// whether the person agreed. Nil: such calls are refused.
	Ask func(ctx context.Context, q Question) (bool, error)
	// Refusal is added to the refusal when nobody can be asked, such as the
	// name of the setting that turns confirmation off.
	Refusal string
}

// Question is what a person is asked before a call runs.
type Question struct {
	Tool      Spec
	Arguments json.RawMessage // mended and valid
	Text      string          // the question with the arguments, in plain text
}

// Explainer returns what a call is about, in a few lines: a person cannot tell
// from the id of a message whether it is the right one, but from its subject.
// The arguments are valid. It is called before the person is asked and again
// when they have agreed, so it must change nothing, and say the same as long as
// what it tells of is the same; where it cannot tell, it returns nothing.
type Explainer func(ctx context.Context, spec Spec, args json.RawMessage) []string

// explainTime bounds how long a question waits for what it is about.
const explainTime = 5 * time.Second

// questionOf returns the text of the question whether a call may run, and whether
// it says what the call is about.
func questionOf(ctx context.Context, call *Call, spec Spec, args json.RawMessage) (text string, explained bool) {
	var about []string
	if call.Tool.explain != nil {
		ctx, cancel := context.WithTimeout(ctx, explainTime)
		defer cancel()
		about = call.Tool.explain(ctx, spec, args)
	}
	return questionText(spec, about, args), len(about) > 0
}

// confirmation is the id of the one request of an input-required result.
const confirmation = "confirm"

// Confirm lets a person approve each call of the tools that needs keeps. It is
// asked again about a call whose arguments tell its marks, see [CallMarks].
//
// Only calls that would validate are asked about. The approval is good for one
// run of exactly this call: tool, arguments and user are authenticated with it,
// and so is the question. If it would be another one by the time of the answer,
// since what the call is about has changed, the call ends with CodeConflict.
// It fails closed: where nobody can be asked, or the answer is anything but a
// clear yes, the call ends with CodeDeclined and nothing is done.
func Confirm(needs Filter, options ConfirmOptions) Middleware {
	c := &confirmer{options: options, seals: newSeals(options)}
	return func(next Handler) Handler {
		return func(ctx context.Context, call *Call) (*Result, error) {
			if needs(call.Tool.Spec()) {
				if err := c.approve(ctx, call, needs); err != nil {
					return nil, err
				}
			}
			return next(ctx, call)
		}
	}
}

type confirmer struct {
	options ConfirmOptions
	seals   *seals
}

// approve returns nil when the call may run.
func (c *confirmer) approve(ctx context.Context, call *Call, needs Filter) error {
	args, err := call.Tool.definition.prepare(call.Arguments)
	if err != nil {
		return err
	}
	spec := call.Tool.specOf(args)
	if !needs(spec) {
		return nil
	}
	if call.Request == nil {
		return c.askDirectly(ctx, call, spec, args)
	}
	params := call.Request.Params
	if params == nil {
		return c.refusal("the request is empty")
	}
	if len(params.InputResponses) == 0 && params.RequestState == "" {
		if !canBeAsked(call.Request) {
			return c.refusal("this client cannot ask its user")
		}
		text, _ := questionOf(ctx, call, spec, args)
		return &InputRequired{
			Requests: mcp.InputRequestMap{confirmation: question(text)},
			State:    c.seals.seal(call, args, text),
		}
	}
	asked, err := c.seals.open(params.RequestState, call, args)
	if err != nil {
		return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the confirmation does not belong to this call: " + err.Error()}
	}
	answer, ok := params.InputResponses[confirmation].(*mcp.ElicitResult)
	if !ok || answer == nil {
		return c.refusal("the confirmation was not answered")
	}
	if yes, _ := answer.Content["confirm"].(bool); answer.Action != "accept" || !yes {
		return declined()
	}
	return c.still(ctx, call, spec, args, asked)
}

// still returns nil if the question would be the one that was asked: another call
// may have given a draft other recipients while the person was reading.
func (c *confirmer) still(ctx context.Context, call *Call, spec Spec, args json.RawMessage, asked digest) error {
	text, explained := questionOf(ctx, call, spec, args)
	switch {
	case digestOf(text) == asked:
		return nil
	case !explained:
		return Errorf(CodeUnavailable, "what this call is about could not be read again after the user agreed; nothing was done").
			WithHint("call again; the user will be asked again")
	}
	return Errorf(CodeConflict, "what this call is about has changed while the user was asked; nothing was done").
		WithHint("call again; the user will be asked about it as it is now")
}

func (c *confirmer) askDirectly(ctx context.Context, call *Call, spec Spec, args json.RawMessage) error {
	if c.options.Ask == nil {
		return c.refusal("this program gives no way to ask anybody")
	}
	text, _ := questionOf(ctx, call, spec, args)
	agreed, err := c.options.Ask(ctx, Question{Tool: spec, Arguments: args, Text: text})
	if err != nil {
		e := c.refusal("asking failed")
		e.Err = err
		return e
	}
	if !agreed {
		return declined()
	}
	return c.still(ctx, call, spec, args, digestOf(text))
}

func (c *confirmer) refusal(reason string) *Error {
	e := Errorf(CodeDeclined, "a person must confirm this call, and %s; nothing was done", reason)
	e.Hint = c.options.Refusal
	return e
}

func declined() *Error {
	return Errorf(CodeDeclined, "the user declined; nothing was done").WithHint("do not try again unless the user asks for it")
}

// canBeAsked reports whether the client shows forms to its user. A client that
// declares elicitation without saying which kind means forms.
func canBeAsked(request *mcp.CallToolRequest) bool {
	capabilities := request.ClientCapabilities()
	if capabilities == nil || capabilities.Elicitation == nil {
		return false
	}
	return capabilities.Elicitation.Form != nil || capabilities.Elicitation.URL == nil
}

func question(text string) *mcp.ElicitParams {
	return &mcp.ElicitParams{
		Mode:    "form",
		Message: text,
		RequestedSchema: json.RawMessage(`{"type":"object","properties":{"confirm":` +
			`{"type":"boolean","title":"Yes, do this","description":"Tick to let the call run"}},"required":["confirm"]}`),
	}
}

func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	return key
}
