package mcptools_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

const validNames = "valid are id, mode, short, count, small, top, ratio, on, to, ids, parts, when, point, points, labels, extra"

// TestHostileArguments: whatever arrives, the answer says what is wrong with it,
// soon, and the function does not run.
func TestHostileArguments(t *testing.T) {
	mega := strings.Repeat("a", 1<<20)
	many := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return strings.Join(items, ",")
	}
	const notObject = "the arguments must be a JSON object"
	const notJSON = "the arguments are not valid JSON"
	for _, c := range []struct{ name, args, want string }{
		{"an array", `[]`, notObject},
		{"a text", `"hello"`, notObject},
		{"a number", `7`, notObject},
		{"a boolean", `true`, notObject},
		{"half an object", `{"id":"a"`, notJSON},
		{"two objects", `{"id":"a"} {}`, notJSON},
		{"a trailing comma", `{"id":"a",}`, notJSON},
		{"a comment", `{"id":"a"/**/}`, notJSON},
		{"a byte order mark", "\ufeff" + `{"id":"a"}`, notJSON},
		{"a zero byte", "{\"id\":\"a\x00\"}", notJSON},
		{"a bad escape", `{"id":"\x"}`, notJSON},
		{"an unfinished escape", `{"id":"\`, notJSON},
		{"NaN", `{"id":"a","ratio":NaN}`, notJSON},
		{"nothing", ``, "id: missing"},
		{"null", ` null `, "id: missing"},
		{"empty text", `""`, "id: missing"},
		{"unknown argument", `{"id":"a","bogus":1}`, "bogus: unknown argument; " + validNames},
		{"unknown nested argument", `{"id":"a","points":[{"name":"p","y":1}]}`, "points[0].y: unknown argument; valid are name, x, kind"},
		{"argument in another case", `{"ID":"a"}`, "ID: unknown argument; " + validNames + "; id: missing"},
		{"huge exponent", `{"id":"a","count":1e999999999}`, "count: number out of range"},
		{"huge negative exponent", `{"id":"a","ratio":1e-999999999}`, "ratio: number out of range"},
		{"large exponent", `{"id":"a","top":1e999999}`, "top: number out of range"},
		{"exponent beyond int64", `{"id":"a","top":1e99999999999999999999}`, "top: number out of range"},
		{"many digits", `{"id":"a","ratio":0.` + strings.Repeat("1", 131<<10) + `}`, "ratio: number out of range"},
		{"huge number for text", `{"id":1e999999999}`, "id: number out of range"},
		{"huge number where anything goes", `{"id":"a","extra":[1e999999999]}`, "extra[0]: number out of range"},
		{"huge number as an unknown argument", `{"id":"a","x":1e999999999}`, "x: number out of range; x: unknown argument; " + validNames},
		{"deep lists", `{"id":"a","extra":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, "the arguments are nested more than 32 levels deep"},
		{"deep objects", strings.Repeat(`{"extra":`, 10_000), "the arguments are nested more than 32 levels deep"},
		{"long text", `{"id":"` + mega + `"}`, "id: 1048576 bytes long; at most 65536 are allowed"},
		{"long text in a list", `{"id":"a","to":["` + mega + `"]}`, "to[0]: 1048576 bytes long; at most 65536 are allowed"},
		{"long text in a map", `{"id":"a","labels":{"x":"` + mega + `"}}`, "labels.x: 1048576 bytes long; at most 65536 are allowed"},
		{"long text where anything goes", `{"id":"a","extra":{"x":["` + mega + `"]}}`, "extra.x[0]: 1048576 bytes long; at most 65536 are allowed"},
		{"long text for a number", `{"id":"a","count":"` + mega + `"}`, "count: expected integer, but got string"},
		{"long digits for a number", `{"id":"a","count":"` + strings.Repeat("1", 1<<20) + `"}`, "count: number out of range"},
		{"long key in a map", `{"id":"a","labels":{"` + mega + `":"x"}}`, "labels." + mega[:64] + "…: 1048576 bytes long; at most 65536 are allowed"},
		{"long unknown argument", `{"id":"a","` + mega + `":1}`, mega[:64] + "…: unknown argument; " + validNames},
		{"too long", `{"id":"` + strings.Repeat("a", 9<<20) + `"}`, "the arguments are longer than 8388608 bytes"},
		{"too many values", `{"id":"a","ids":[` + many(1_000_000, func(int) string { return "1" }) + `]}`, "the arguments are more than 5000 values"},
		{"many wrong items", `{"id":"a","ids":[` + many(4_900, func(int) string { return `"x"` }) + `]}`, ""},
		{"many unknown arguments", `{"id":"a",` + many(4_900, func(i int) string { return fmt.Sprintf(`"x%04d":1`, i) }) + `}`, ""},
		{"many duplicates", `{"id":"a",` + many(4_900, func(int) string { return `"top":1` }) + `}`, "top: given twice"},
		{"bad UTF-8", "{\"id\":\"\xff\xfe\"}", "id: not valid UTF-8"},
		{"overlong UTF-8", "{\"id\":\"\xc0\xaf\"}", "id: not valid UTF-8"},
		{"a surrogate in UTF-8", "{\"id\":\"\xed\xa0\x80\"}", "id: not valid UTF-8"},
		{"bad UTF-8 in a key", "{\"id\":\"a\",\"labels\":{\"\xff\":\"x\"}}", "labels: not valid UTF-8"},
		{"high surrogate alone", `{"id":"\ud800"}`, "id: not valid Unicode: half of a surrogate pair"},
		{"low surrogate alone", `{"id":"x\udc00y"}`, "id: not valid Unicode: half of a surrogate pair"},
		{"surrogates in the wrong order", `{"id":"\udc00\ud800"}`, "id: not valid Unicode: half of a surrogate pair"},
		{"two high surrogates", `{"id":"\ud800\ud800\udc00"}`, "id: not valid Unicode: half of a surrogate pair"},
		{"duplicate", `{"id":"a","id":"b"}`, "id: given twice"},
		{"duplicate by escape", `{"id":"a","\u0069d":"b"}`, "id: given twice"},
		{"nested duplicate", `{"id":"a","extra":[{"x":1,"x":2}]}`, "extra[0].x: given twice"},
		{
			"everything at once",
			`{"bogus":1,"mode":"warm","count":"x","top":99,"to":["a",true,"c","d"],"points":[{"x":"y"}],"ratio":1e999999999,"short":"too long"}`,
			"bogus: unknown argument; " + validNames + "; count: expected integer, but got string; id: missing; " +
				`mode: value must be one of "soft", "hard"; points[0].name: missing; points[0].x: expected integer, but got string; ` +
				"ratio: number out of range; short: 8 bytes long; at most 5 are allowed; to: maximum 3 items required, but found 4 items; " +
				"to[1]: expected string, but got boolean; top: must be <= 50 but found 99",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			tool, runs := probe()
			_, err := tool.Call(t.Context(), nil) // compile the schemas
			faultsOf(t, err)
			took := time.Hour // the best of three: other programs run here, too
			for range 3 {
				start := time.Now()
				_, err = tool.Call(t.Context(), json.RawMessage(c.args))
				if took = min(took, time.Since(start)); took <= slowest {
					break
				}
			}
			message := faultsOf(t, err)
			if c.want != "" && message != c.want {
				t.Errorf("got %s\nwant %s", message, c.want)
			}
			if len(message) > 8<<10 {
				t.Errorf("the message has %d bytes", len(message))
			}
			if runs.Load() != 0 {
				t.Error("the call reached the function")
			}
			if took > slowest {
				t.Errorf("took %s, want at most %s", took, slowest)
			}
		})
	}
}

// TestFaultsAreDeterministic: maps have no order, messages have.
func TestFaultsAreDeterministic(t *testing.T) {
	tool, _ := probe()
	args := json.RawMessage(`{"z":1,"y":2,"x":3,"mode":"warm","count":"x","top":99,"to":[true,1,false],"points":[{"x":"y","q":1,"r":2},{}],"labels":{"b":[],"a":[]}}`)
	_, err := tool.Call(t.Context(), args)
	want := faultsOf(t, err)
	for range 100 {
		if err := tool.Validate(args); faultsOf(t, err) != want {
			t.Fatalf("first %s\nthen %v", want, err)
		}
	}
	seen := map[string]bool{}
	for fault := range strings.SplitSeq(strings.ReplaceAll(want, "; valid are", ", valid are"), "; ") {
		if path, _, _ := strings.Cut(fault, ":"); seen[path] {
			t.Errorf("%s is named twice in %s", path, want)
		} else {
			seen[path] = true
		}
	}
}

func TestUnknownTool(t *testing.T) {
	tool, _ := probe()
	set := mcptools.NewSet(tool)
	for name, hint := range map[string]string{
		"toy_prob": "did you mean toy_probe?", "probe": "did you mean toy_probe?", "TOY_PROBE": "did you mean toy_probe?",
		"": "", "mail_search": "", strings.Repeat("x", 1<<20): "", "toy_probe\x00": "did you mean toy_probe?",
	} {
		_, err := set.Call(t.Context(), name, nil)
		e, ok := errors.AsType[*mcptools.Error](err)
		if !ok || e.Code != mcptools.CodeUnknownTool || e.Hint != hint || len(e.Message) > 120 {
			t.Errorf("Call(%q) = %v, want %s with hint %q", clip(name), err, mcptools.CodeUnknownTool, hint)
		}
	}
	if _, err := (mcptools.Set{}).Call(t.Context(), "x", nil); !errors.Is(err, mcptools.CodeUnknownTool) {
		t.Errorf("the zero Set: %v", err)
	}
}
