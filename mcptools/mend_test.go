package mcptools_test

import (
	"encoding/json"
	"testing"
)

// TestMend shows what a careless call becomes.
func TestMend(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"nothing to mend", `{"id":"a","count":7,"on":true}`, `{"count":7,"on":true}`},
		{"null for optional ones", `{"id":"a","mode":null,"count":null,"on":null,"to":null,"point":null,"labels":null}`, `{}`},
		{"empty text for optional ones", `{"id":"a","mode":"","count":"","on":" ","to":"","point":"","labels":""}`, `{}`},
		{"empty text where text is wanted", `{"id":"","extra":""}`, `{"extra":""}`},
		{"null and empty text where there is a default", `{"id":"a","top":null,"point":{"name":"p","kind":""}}`, `{"point":{"name":"p","kind":"dot"}}`},
		{"number in text", `{"id":"a","count":"7","ratio":" -1.5e1 "}`, `{"count":7,"ratio":-15}`},
		{"integral number", `{"id":"a","count":3.0,"small":1e2,"top":"2.50e1"}`, `{"count":3,"small":100,"top":25}`},
		{"minus zero", `{"id":"a","count":-0,"point":{"name":"p","x":-0.0}}`, `{"point":{"name":"p","kind":"dot"}}`},
		{"large integer", `{"id":"a","count":9007199254740993}`, `{"count":9007199254740993}`},
		{"large integer in text", `{"id":"a","count":"9007199254740993"}`, `{"count":9007199254740993}`},
		{"large integer as a float", `{"id":"a","count":9007199254740993.0}`, `{"count":9007199254740993}`},
		{"largest integer", `{"id":"a","count":9223372036854775807}`, `{"count":9223372036854775807}`},
		{"integer with an exponent", `{"id":"a","count":9.007199254740993e15}`, `{"count":9007199254740993}`},
		{"number for text", `{"id":12345678901234567890,"short":1.50}`, `{"short":"1.50"}`},
		{"boolean in text", `{"id":"a","on":" TRUE"}`, `{"on":true}`},
		{"one value for a list", `{"id":"a","to":"x@y","ids":"7","points":{"name":"p"}}`, `{"ids":[7],"points":[{"name":"p","kind":"dot"}],"to":["x@y"]}`},
		{"list in text", `{"id":"a","to":"[\"a\",\"b\"]","ids":" [1,\"2\"]"}`, `{"ids":[1,2],"to":["a","b"]}`},
		{"no list in text", `{"id":"a","to":"[urgent] call"}`, `{"to":["[urgent] call"]}`},
		{"half a list in text", `{"id":"a","to":"[[[["}`, `{"to":["[[[["]}`},
		{"numbers in a list of text", `{"id":"a","to":[1,2]}`, `{"to":["1","2"]}`},
		{"object in text", `{"id":"a","point":"{\"name\":\"p\",\"x\":\"3\"}","labels":"{\"a\":1}"}`, `{"labels":{"a":"1"},"point":{"name":"p","x":3,"kind":"dot"}}`},
		{"everything in text", `"{\"id\":\"a\",\"count\":\"1\"}"`, `{"count":1}`},
		{"case and space of an enum", `{"id":"a","mode":" HARD ","parts":"Body"}`, `{"mode":"hard","parts":["body"]}`},
		{"entries of a map", `{"id":"a","labels":{"a b/c":7}}`, `{"labels":{"a b/c":"7"}}`},
		{"anything stays as it is", `{"id":"a","extra":{"n":"7","l":[null]}}`, `{"extra":{"l":[null],"n":"7"}}`},
		{"escapes", `{"id":"a","short":"\ud83d\ude00"}`, `{"short":"😀"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tool, _ := probe()
			if got := got(t, tool, c.args); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.args, got, c.want)
			}
		})
	}
}

// TestMendNot shows what has no single meaning and is left to the caller.
func TestMendNot(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{`{"id":true}`, "id: expected string, but got boolean"},
		{`{"id":["a"]}`, "id: expected string, but got array"},
		{`{"id":{"a":1}}`, "id: expected string, but got object"},
		{`{"id":null}`, "id: expected string, but got null"},
		{`{"id":"a","count":"7x"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"+5"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"0x10"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"007"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"1_000"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"1,000"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"1 000"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"٧"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":".5"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"5."}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"-"}`, "count: expected integer, but got string"},
		{`{"id":"a","count":"1e"}`, "count: expected integer, but got string"},
		{`{"id":"a","ratio":"NaN"}`, "ratio: expected number, but got string"},
		{`{"id":"a","ratio":"Infinity"}`, "ratio: expected number, but got string"},
		{`{"id":"a","count":2.5}`, "count: expected integer, but got number"},
		{`{"id":"a","count":"2.5"}`, "count: expected integer, but got number"},
		{`{"id":"a","count":true}`, "count: expected integer, but got boolean"},
		{`{"id":"a","count":[7]}`, "count: expected integer, but got array"},
		{`{"id":"a","count":9223372036854775808}`, "count: number out of range"},
		{`{"id":"a","count":1e19}`, "count: number out of range"},
		{`{"id":"a","count":"1e999999999"}`, "count: number out of range"},
		{`{"id":"a","small":128}`, "small: must be <= 127 but found 128"},
		{`{"id":"a","ratio":1e309}`, "ratio: number out of range"},
		{`{"id":"a","extra":[1e309]}`, "extra[0]: number out of range"},
		{`{"id":"a","on":1}`, "on: expected boolean, but got number"},
		{`{"id":"a","on":"1"}`, "on: expected boolean, but got string"},
		{`{"id":"a","on":"yes"}`, "on: expected boolean, but got string"},
		{`{"id":"a","mode":"warm"}`, `mode: value must be one of "soft", "hard"`},
		{`{"id":"a","to":[null]}`, "to[0]: expected string, but got null"},
		{`{"id":"a","to":[["a"]]}`, "to[0]: expected string, but got array"},
		{`{"id":"a","point":"{\"name\":1,\"name\":2}"}`, "point: expected object, but got string"},
		{`{"id":"a","point":[{"name":"p"}]}`, "point: expected object, but got array"},
		{`{"id":"a","labels":{"a b":["c"]}}`, "labels.a b: expected string, but got array"},
		{`{"id":"a","when":"2026-01-01"}`, "when: not a valid date-time"},
	} {
		tool, runs := probe()
		_, err := tool.Call(t.Context(), json.RawMessage(c.args))
		if got := faultsOf(t, err); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.args, got, c.want)
		}
		if runs.Load() != 0 {
			t.Errorf("%s reached the function", c.args)
		}
	}
}
