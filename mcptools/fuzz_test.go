package mcptools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type fuzzNested struct {
	Name string         `json:"name"`
	Any  map[string]any `json:"any,omitempty"`
}

type fuzzInput struct {
	ID     string             `json:"id,omitempty"`
	Mode   string             `json:"mode,omitempty" enum:"soft,hard"`
	Count  int64              `json:"count,omitempty"`
	Small  uint8              `json:"small,omitempty" minimum:"1"`
	Ratio  float32            `json:"ratio,omitempty"`
	On     *bool              `json:"on,omitempty"`
	To     []string           `json:"to,omitempty" maxItems:"3"`
	When   string             `json:"when,omitempty" format:"date-time"`
	Nested []fuzzNested       `json:"nested,omitempty"`
	Labels map[string]float64 `json:"labels,omitempty"`
	Extra  any                `json:"extra,omitempty"`
	Raw    json.RawMessage    `json:"raw,omitempty"`
	Time   time.Time          `json:"time,omitzero"`
	Bytes  []byte             `json:"bytes,omitempty"`
	Unit   json.Number        `json:"unit,omitempty"`
}

// FuzzCall: whatever the arguments, a call succeeds or says what is wrong with
// them. Nothing else may happen, and what Validate accepts, Call runs.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `""`, `[]`, `{}`, `{"id":7,"count":"1e2","on":"TRUE","to":"x"}`, `{"count":1e999999999}`, `{"count":9007199254740993.0}`,
		`{"ratio":1e39,"small":300,"labels":{"a":1e308,"b":"-0.0"}}`, `{"nested":"[{\"name\":1,\"any\":{\"x\":[1e400]}}]"}`,
		`{"id":"\ud800","id":"\udc00\ud800"}`, `{"extra":[[[[1e-400]]]],"raw":{"a":1,"a":2}}`, `{"when":"2026-03-29T02:30:00+01:00"}`,
		`{"time":"2016-12-31T23:59:60Z","bytes":"eA==","unit":"1e3"}`, `{"bytes":"%","time":"t"}`, `{"time":"0000-01-01t00:00:00z"}`,
		`{"mode":" HARD","nested":{"name":null}}`, "{\"\xff\":\"\xff\"}", `{"a/b~0%41":1,"labels":{"a/b~0%41":"x"}}`, strings.Repeat(`{"extra":`, 40),
	} {
		f.Add([]byte(seed))
	}
	ran := false
	tool := Define(Spec{Name: "fuzz", Title: "Fuzz", Toolset: "fuzz", Description: "Repeat."}, func(_ context.Context, in fuzzInput) (fuzzInput, error) {
		ran = true
		in.Raw = nil // bytes of the caller: the result's schema says nothing of them
		return in, nil
	})
	f.Fuzz(func(t *testing.T, args []byte) {
		valid := tool.Validate(args)
		ran = false
		_, err := tool.Call(t.Context(), args)
		if (valid == nil) != (err == nil) {
			t.Fatalf("Validate: %v, Call: %v", valid, err)
		}
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeInvalidArguments || ran {
			t.Fatalf("%v (cause %v), ran: %v", err, errors.Unwrap(err), ran)
		}
		if !utf8.ValidString(err.Error()) || len(err.Error()) > 16<<10 {
			t.Errorf("%d bytes of message: %q", len(err.Error()), err.Error())
		}
	})
}

// FuzzParse: parse accepts what encoding/json accepts, and reads the same in it,
// but for the bounds and faults that its documentation names.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e+3,"x\u00e4\n",true,false,null,{}]}`, ` [ ] `, `[1,]`, `{"a":1,}`, `{,}`, `01`, `-`, `1.`, `.1`, `1e`, `+1`, `- 1`, `1e5`, `-0`,
		`"\ud83d\ude00"`, `"\ud83d"`, `"\u12"`, `"\`, `tru`, `nullx`, `{"a":1,"a":2}`, "\"\xff\"", "\"\t\"", `[[[[[[[[]]]]]]]]`, `{"a" : 1 , "b":2}`, `{"a"}`, `"a" "b"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, faults, err := parse(data)
		if !json.Valid(data) {
			if err == nil {
				t.Fatalf("accepted %q, which is not JSON", data)
			}
			return
		}
		if err != nil {
			if errors.Is(err, errSyntax) {
				t.Fatalf("refused %q: %v", data, err)
			}
			return // a bound
		}
		explained := func(what string) bool {
			return slices.ContainsFunc(faults, func(f Fault) bool { return strings.HasPrefix(f.Message, what) })
		}
		if !utf8.Valid(data) && !explained("not valid UTF-8") {
			t.Errorf("no fault for bad UTF-8 in %q", data)
		}
		if len(faults) > 0 {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Fatalf("more than one value in %q", data)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q\n got %#v\nwant %#v", data, got, want)
		}
	})
}

// FuzzState: no state opens but the one that was sealed, and that one once. The
// key is another one in each of the fuzzer's processes.
func FuzzState(f *testing.F) {
	seals := newSeals(ConfirmOptions{})
	call := &Call{Tool: Define(Spec{Name: "fuzz", Title: "Fuzz", Toolset: "fuzz", Description: "Do."},
		func(_ context.Context, in fuzzNested) (fuzzNested, error) { return in, nil })}
	args := json.RawMessage(`{"name":"x"}`)
	good := seals.seal(call, args, "Do x?")
	for _, seed := range []string{"", "AAAA", good, good[1:], good + "=", strings.ToLower(good), strings.Repeat("A", len(good)), "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, state string) {
		if _, err := seals.open(state, call, args); !errors.Is(err, errSeal) && state != good {
			t.Errorf("%q: %v", state, err)
		}
		if _, err := seals.open(state, call, args); err == nil {
			t.Errorf("%q opened twice", state)
		}
		if _, err := seals.open(state, call, json.RawMessage(`{"name":"y"}`)); err == nil {
			t.Errorf("%q opened for other arguments", state)
		}
	})
}

// FuzzRedact: redaction changes strings and nothing else.
func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"a":"b","\"":["\\",{"x:":"y\"z"}],"n":1e5}`))
	f.Add([]byte(`{"a" : "b" , "c" : {"d" :"\u003a"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		same, err := redactJSON(data, func(text string) string { return text })
		if (err == nil) != (json.Valid(data) || len(data) == 0) {
			t.Fatalf("%q: %v", data, err)
		}
		if err != nil || len(data) == 0 {
			return
		}
		var before, after any
		if json.Unmarshal(data, &before) != nil {
			return // a number beyond a float64
		}
		if err := json.Unmarshal(same, &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q: %v", data, same, err)
		}
		hidden, err := redactJSON(data, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(hidden, &after); err != nil || hasText(after) {
			t.Fatalf("%q became %q: %v", data, hidden, err)
		}
	})
}

func hasText(v any) bool {
	switch v := v.(type) {
	case string:
		return v != "" && v != notice
	case []any:
		return slices.ContainsFunc(v, hasText)
	case map[string]any:
		for _, item := range v {
			if hasText(item) {
				return true
			}
		}
	}
	return false
}
