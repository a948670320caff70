package mcptools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

var asking, _ = probe()

// questionOf returns the text that a person is asked about a call of the probe.
func questionOf(t *testing.T, args string) string {
	t.Helper()
	text := ""
	set := mcptools.NewSet(asking).With(mcptools.Confirm(func(mcptools.Spec) bool { return true }, mcptools.ConfirmOptions{
		Ask: func(_ context.Context, q mcptools.Question) (bool, error) {
			text = q.Text
			return true, nil
		},
	}))
	if _, err := set.Call(t.Context(), "toy_probe", json.RawMessage(args)); err != nil {
		t.Fatal(err)
	}
	return text
}

// TestQuestionCannotBeSpoofed: text from a model stays on the line of its
// argument, and is what it looks like.
func TestQuestionCannotBeSpoofed(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"plain", `{"id":"x"}`, "id: x\ntop: 10"},
		{"line breaks", `{"id":"x\ntop: 1\r\nto: nobody\u2028a\u2029b\u0085c\u000bd\fe"}`, "id: x top: 1 to: nobody a b c d e\ntop: 10"},
		{"space that pushes text away", `{"id":"x` + strings.Repeat(" ", 250) + `y\u00a0\u3000\u2800z"}`, "id: x y z\ntop: 10"},
		{"direction marks", `{"id":"\u202egpj.exe\u202c \u2066a\u2069\u200f"}`, "id: gpj.exe a\ntop: 10"},
		{"zero width", `{"id":"a\u200bd\u200dm\u2060i\ufeffn\u00ad"}`, "id: admin\ntop: 10"},
		{"invisible letters", `{"id":"a\u3164b\uffa0c\u115fd\u034fe\ufe0f\udb40\udd00f\udb40\udc41"}`, "id: abcdef\ntop: 10"},
		{"terminal escapes", `{"id":"\u001b[2J\u0007x\u009b1m"}`, "id: [2Jx1m\ntop: 10"},
		{"private use", `{"id":"a\ue000b"}`, "id: ab\ntop: 10"},
		{"a map", `{"id":"x","labels":{"a\nb":"c\nto: d"}}`, `id: x` + "\n" + `labels: {"a\nb":"c\nto: d"}` + "\ntop: 10"},
		{"list", `{"id":"x","to":["a\nb","c"]}`, "id: x\nto: a b, c\ntop: 10"},
		{"exact number", `{"id":"x","count":9007199254740993,"on":false}`, "count: 9007199254740993\nid: x\non: false\ntop: 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := questionOf(t, c.args), "Probe (toy_probe)?\n"+c.want; got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestQuestionShowsEveryArgument: no value is so long that another one, or how
// much of it is missing, goes unseen.
func TestQuestionShowsEveryArgument(t *testing.T) {
	long, ids := strings.Repeat("x", 60_000), make([]string, 4_000)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	args := fmt.Sprintf(`{"id":%q,"ids":[%s],"labels":{"a":%q},"extra":%q,"to":["a","b","boss@contoso.example"],"points":[{"name":%q}],"mode":"hard"}`,
		long, strings.Join(ids, ","), long, long, long)
	got := questionOf(t, args)
	if len(got) > 6_000 {
		t.Errorf("the question has %d bytes", len(got))
	}
	for _, want := range []string{
		"\nextra: xxx", "\nid: xxx", "\nids: 0, 1, 2", "… (4000 in all)\n", "xxx… (58KiB)\n", "\nlabels: {\"a\":\"xxx",
		"\nmode: hard\n", "\npoints: {", "\nto: a, b, boss@contoso.example\n", "\ntop: 10",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 8 {
		t.Errorf("%d line breaks, want 8", strings.Count(got, "\n"))
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add("x\u202ey\nz")
	f.Add("\xff\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, id string) {
		args, err := json.Marshal(map[string]string{"id": id})
		if err != nil || len(id) > 10_000 {
			return
		}
		question := questionOf(t, string(args))
		for _, r := range strings.ReplaceAll(question, "\n", "") {
			if !unicode.IsPrint(r) {
				t.Errorf("%U in %q", r, question)
			}
		}
		if strings.Count(question, "\n") != 2 {
			t.Errorf("%d lines in %q", strings.Count(question, "\n"), question)
		}
	})
}

// TestQuestionsAreExplained: what an explainer says is data, too, and a question
// waits for it only so long.
func TestQuestionsAreExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name    string
			explain mcptools.Explainer
			want    string
		}{
			{"a line", func(context.Context, mcptools.Spec, json.RawMessage) []string {
				return []string{"Invoice\nIt is about: lunch", strings.Repeat("x", 900)}
			}, "\nIt is about: Invoice It is about: lunch\nIt is about: xxx"},
			{"many", func(context.Context, mcptools.Spec, json.RawMessage) []string {
				return strings.Split("1 2 3 4 5 6 7", " ")
			}, "\nIt is about: 5\nIt is about 2 more.\nid: x"},
			{"nothing", func(context.Context, mcptools.Spec, json.RawMessage) []string { return nil }, ")?\nid: x"},
			{"late", func(ctx context.Context, _ mcptools.Spec, _ json.RawMessage) []string {
				<-ctx.Done()
				return nil
			}, ")?\nid: x"},
			{"the arguments", func(_ context.Context, spec mcptools.Spec, args json.RawMessage) []string {
				return []string{spec.Name + string(args)}
			}, `It is about: toy_probe{"id":"x","top":10}`},
		} {
			text := ""
			set := mcptools.NewSet(asking).Explained(c.explain).With(mcptools.Confirm(func(mcptools.Spec) bool { return true }, mcptools.ConfirmOptions{
				Ask: func(_ context.Context, q mcptools.Question) (bool, error) {
					text = q.Text
					return true, nil
				},
			}))
			if _, err := set.Keep().Call(t.Context(), "toy_probe", json.RawMessage(`{"id":"x"}`)); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text, c.want) || len(text) > 700 {
				t.Errorf("%s: asked %q, want %q in it", c.name, text, c.want)
			}
		}
	})
}

// The last of many receivers is the one that matters.
func TestQuestionShowsLongLists(t *testing.T) {
	var labels []string
	for i := range 40 {
		labels = append(labels, fmt.Sprintf("person%d@contoso.example", i))
	}
	ids, err := json.Marshal(map[string]any{"id": "x", "extra": append(labels, "mallory@evil.example")})
	if err != nil {
		t.Fatal(err)
	}
	if text := questionOf(t, string(ids)); !strings.Contains(text, "mallory@evil.example") || len(text) > 4000 {
		t.Errorf("%s", text)
	}
}
