package mcptools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

func goodSpec() mcptools.Spec {
	return mcptools.Spec{Name: "toy_a", Title: "A", Toolset: "toy", Description: "Do a."}
}

// panicOf returns what define panics with, as text.
func panicOf(define func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
	}()
	define()
	return ""
}

func defineIn[In any]() func() {
	return func() {
		mcptools.Define(goodSpec(), func(context.Context, In) (word, error) { return word{}, nil })
	}
}

func defineOut[Out any](marks mcptools.Mark) func() {
	return func() {
		spec := goodSpec()
		spec.Marks = marks
		mcptools.Define(spec, func(context.Context, none) (out Out, err error) { return out, nil })
	}
}

func defineSpec(change func(*mcptools.Spec)) func() {
	return func() {
		spec := goodSpec()
		change(&spec)
		mcptools.Define(spec, func(context.Context, none) (word, error) { return word{}, nil })
	}
}

type tree struct {
	Children []tree `json:"children,omitempty"`
}

// TestDefinePanics: what cannot be a tool is found when the program starts.
func TestDefinePanics(t *testing.T) {
	for want, define := range map[string]func(){
		"the name must be":             defineSpec(func(s *mcptools.Spec) { s.Name = "toy.a" }),
		"of a-z, A-Z, 0-9, _ and -":    defineSpec(func(s *mcptools.Spec) { s.Name = strings.Repeat("a", 65) }),
		"title, description":           defineSpec(func(s *mcptools.Spec) { s.Description = "" }),
		"unknown effect":               defineSpec(func(s *mcptools.Spec) { s.Effect = 9 }),
		"must be a struct, not string": defineIn[string](),
		"must be a struct, not *":      defineIn[*none](),
		"[]string is not a struct":     defineOut[[]string](0),
		"is not a portable property": defineIn[struct {
			Top int `json:"$top"`
		}](),
		"time.Duration has no unit": defineIn[struct{ Wait time.Duration }](),
		"cycle":                     defineIn[tree](),
		"unsupported by jsonschema": defineIn[struct{ C chan int }](),
		"json option string": defineIn[struct {
			N int `json:"n,string"`
		}](),
		"enum needs a string": defineIn[struct {
			N int `enum:"1,2"`
		}](),
		`minimum:"one" needs`: defineIn[struct {
			N int `minimum:"one"`
		}](),
		`maximum:"1" needs a number`: defineIn[struct {
			N string `maximum:"1"`
		}](),
		`maxLength:"1" needs`: defineIn[struct {
			N int `maxLength:"1"`
		}](),
		`maxItems:"-1" needs`: defineIn[struct {
			N []int `maxItems:"-1"`
		}](),
		`default:"x" does not fit`: defineIn[struct {
			N int `default:"x"`
		}](),
		`default:"1.5" does not fit`: defineIn[struct {
			N int `default:"1.5"`
		}](),
		`default:"0" does not fit`: defineIn[struct {
			N int `default:"0" minimum:"1"`
		}](),
		`default:"9" does not fit`: defineIn[struct {
			N float64 `default:"9" maximum:"8"`
		}](),
		`default:"c" does not fit`: defineIn[struct {
			N string `default:"c" enum:"a,b"`
		}](),
		`default:"yes" does not fit`: defineIn[struct {
			N bool `default:"yes"`
		}](),
		`default:"a" does not fit`: defineIn[struct {
			N []string `default:"a"`
		}](),
		"a pointer in a result": defineOut[struct {
			N *int `json:"n"`
		}](0),
		`"notice" is taken`: defineOut[struct {
			N string `json:"notice"`
		}](mcptools.Untrusted),
	} {
		if got := panicOf(define); !strings.Contains(got, want) || !strings.HasPrefix(got, "mcptools.Define(") {
			t.Errorf("panic %q, want %q", got, want)
		}
	}
	for name, define := range map[string]func(){
		"every kind of default": defineIn[struct {
			A int      `default:"1" minimum:"1"`
			B float64  `default:"0.5"`
			C string   `default:"x" enum:"x,y"`
			D bool     `default:"true"`
			E []string `default:"[\"a\"]"`
			F *int     `default:"2"`
		}](),
		"a pointer that may be left out": defineOut[struct {
			N *int `json:"n,omitempty"`
		}](0),
		"a notice of one's own": defineOut[struct {
			N string `json:"notice"`
		}](0),
	} {
		if got := panicOf(define); got != "" {
			t.Errorf("%s: panic %q", name, got)
		}
	}
}

// TestNilInResults: nil lists and maps become empty ones, wherever they are, and
// the order of the fields stays.
func TestNilInResults(t *testing.T) {
	type row struct {
		Z    []string          `json:"z"`
		M    map[string][]int  `json:"m"`
		Any  any               `json:"any"`
		Rows []row2            `json:"rows"`
		A    map[string]string `json:"a,omitempty"`
		Y    []byte            `json:"y"`
	}
	tool := mcptools.Define(goodSpec(), func(_ context.Context, in ProbeInput) (row, error) {
		if in.ID == "nil" {
			return row{}, nil
		}
		return row{M: map[string][]int{"x": nil}, Rows: []row2{{}, {B: []string{"null"}}}}, nil
	})
	for id, want := range map[string]string{
		"nil":  `{"z":[],"m":{},"any":null,"rows":[],"y":""}`,
		"some": `{"z":[],"m":{"x":[]},"any":null,"rows":[{"b":[]},{"b":["null"]}],"y":""}`,
	} {
		result, err := tool.Call(t.Context(), json.RawMessage(`{"id":"`+id+`"}`))
		if err != nil || string(result.Value) != want {
			t.Errorf("%s: %v, %v; want %s", id, result, err, want)
		}
	}
}

type row2 struct {
	B []string `json:"b"`
}

// TestResultsAreValidated: a result that breaks the schema that models were
// shown is a bug, and does not leave.
func TestResultsAreValidated(t *testing.T) {
	type row struct {
		Mode string          `json:"mode" enum:"a,b"`
		Raw  json.RawMessage `json:"raw,omitempty"`
		List []*row2         `json:"list,omitempty"`
		Lie  liar            `json:"lie,omitzero"`
		Lies []liar          `json:"lies,omitempty"`
	}
	for name, bad := range map[string]row{
		"number for a text": {Mode: "a", Lie: `7`}, "number in a list of text": {Mode: "a", Lies: []liar{`"x"`, "1.5"}}, "null for a text": {Mode: "a", Lie: "null"},
		"enum": {Mode: "c"}, "nil in a list": {Mode: "a", List: []*row2{nil}}, "no JSON": {Mode: "a", Raw: json.RawMessage(`{`)},
		"duplicate": {Mode: "a", Raw: json.RawMessage(`{"a":1,"a":2}`)}, "huge number": {Mode: "a", Raw: json.RawMessage(`1e999999999`)},
		"too deep": {Mode: "a", Raw: json.RawMessage(strings.Repeat("[", 99) + strings.Repeat("]", 99))},
	} {
		tool := mcptools.Define(goodSpec(), func(context.Context, none) (row, error) { return bad, nil })
		result, err := tool.Call(t.Context(), nil)
		if e, ok := err.(*mcptools.Error); !ok || e.Code != mcptools.CodeInternal || e.Err == nil { //nolint:errorlint // exactly this type is promised
			t.Errorf("%s: %v, %v", name, result, err)
		}
	}
}

// TestFaultsDoNotQuote: what a tool returned may be anybody's, and the cause of
// an error gets into logs.
func TestFaultsDoNotQuote(t *testing.T) {
	type row struct {
		When string `json:"when" format:"date-time"`
	}
	tool := mcptools.Define(goodSpec(), func(context.Context, none) (row, error) { return row{"Anna's birthday"}, nil })
	_, err := tool.Call(t.Context(), nil)
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Err == nil || strings.Contains(e.Err.Error(), "Anna") || !strings.Contains(e.Err.Error(), "when: not a valid date-time") {
		t.Errorf("%v, %+v", err, e)
	}
}

// liar has the schema of a text and is whatever it says.
type liar string

// MarshalJSON returns the text itself.
func (l liar) MarshalJSON() ([]byte, error) { return []byte(l), nil }

func TestSets(t *testing.T) {
	define := func(name, toolset string, effect mcptools.Effect, marks mcptools.Mark) mcptools.Tool {
		return mcptools.Define(mcptools.Spec{Name: name, Title: "T", Toolset: toolset, Description: "D.", Effect: effect, Marks: marks},
			func(context.Context, none) (word, error) { return word{}, nil })
	}
	mail := mcptools.NewSet(define("mail_get", "mail", mcptools.ReadOnly, mcptools.Untrusted), define("mail_send", "mail", mcptools.Additive, mcptools.Outbound))
	all := mcptools.Join(mail, mcptools.NewSet(define("user_get", "users", mcptools.ReadOnly, 0), define("user_drop", "users", 0, mcptools.Privileged)), mcptools.Set{})
	for want, set := range map[string]mcptools.Set{
		"mail_get mail_send user_get user_drop": all,
		"mail_get user_get":                     all.Keep(mcptools.ReadOnlyTools),
		"mail_send user_drop":                   all.Keep(mcptools.Risky),
		"mail_get mail_send":                    all.Keep(mcptools.Toolsets("mail")),
		"mail_send user_get":                    all.Keep(mcptools.Names("user_get", "mail_send", "nothing")),
		"user_get":                              all.Keep(mcptools.ReadOnlyTools, mcptools.Not(mcptools.Toolsets("mail"))),
		"mail_get user_get user_drop":           all.Keep(mcptools.Any(mcptools.ReadOnlyTools, mcptools.Toolsets("users"))),
		"":                                      all.Keep(mcptools.Any()),
	} {
		var names []string
		for tool := range set.All() {
			names = append(names, tool.Spec().Name)
		}
		if got := strings.Join(names, " "); got != want || set.Len() != len(names) {
			t.Errorf("kept %q, want %q", got, want)
		}
	}
	if got := panicOf(func() { mcptools.Join(mail, all) }); !strings.Contains(got, `two tools are named "mail_get"`) {
		t.Errorf("panic %q", got)
	}
	tool, ok := all.Tool("mail_get")
	if cost := len("mail_get") + len("D.") + len(tool.InputSchema()); !ok || tool.Cost() != cost {
		t.Errorf("cost %d, want %d", tool.Cost(), cost)
	}
	if got := (mcptools.Secret | mcptools.Untrusted).String(); got != "secret,untrusted" {
		t.Errorf("marks %q", got)
	}
	if s := mcptools.AllScopes(); s.Delegated == nil || s.Application == nil || !slices.Equal(mcptools.AllScopes("A").Application, []string{"A"}) {
		t.Errorf("scopes %v", s)
	}
}

// TestErrorText: the text names the code, the remedy and whether to try again,
// and never the cause.
func TestErrorText(t *testing.T) {
	for want, e := range map[string]*mcptools.Error{
		"throttled: slow down [429]\nTry again in 2 s.\nRequest id: r1": {
			Code: mcptools.CodeThrottled, Message: "slow down", Upstream: "429", RetryAfter: 1100 * time.Millisecond, RequestID: "r1",
			Err: fmt.Errorf("secret"),
		},
		"unavailable\nTry again later.": {Code: mcptools.CodeUnavailable},
		"permission_denied: no\nMissing permission: Mail.Read, Mail.Send\nWhat to do: ask": {
			Code: mcptools.CodePermissionDenied, Message: "no", Scopes: []string{"Mail.Read", "Mail.Send"}, Hint: "ask",
		},
		"not_found: no ticket 7\nWhat to do: use halo_tickets_search": mcptools.Errorf(mcptools.CodeNotFound, "no ticket %d", 7).WithHint("use %s", "halo_tickets_search"),
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
