package mcptools

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// judged has a field of every kind that a schema can be inferred for.
type judged struct {
	Rows   []judgedRow          `json:"rows"`
	Totals map[string]int       `json:"totals,omitempty"`
	Notes  map[string]judgedRow `json:"notes,omitempty"`
	Raw    json.RawMessage      `json:"raw,omitempty"`
	Blob   []byte               `json:"blob,omitempty"`
	Pair   []string             `json:"pair,omitempty" maxItems:"2"`
}

type judgedRow struct {
	ID     string      `json:"id"`
	Count  int         `json:"count,omitempty"`
	Share  float64     `json:"share,omitempty"`
	Open   bool        `json:"open,omitempty"`
	When   time.Time   `json:"when,omitzero"`
	State  string      `json:"state,omitempty" enum:"new,old"`
	Level  int         `json:"level,omitempty" minimum:"1" maximum:"5"`
	Labels []string    `json:"labels,omitempty"`
	Owner  *judgedName `json:"owner,omitempty"`
}

type judgedName struct {
	Name string `json:"name"`
}

func newJudged(tb testing.TB, input bool) *judge {
	tb.Helper()
	s, err := infer(reflect.TypeFor[judged](), input, false)
	if err != nil {
		tb.Fatal(err)
	}
	j, err := s.compile()
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func parsed(tb testing.TB, text string) any {
	tb.Helper()
	tree, _, err := parse([]byte(text))
	if err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
	return tree
}

// What is judged first, so that its shapes are known.
var judgedFirst = []string{
	`{"rows":[]}`,
	`{"rows":[{"id":"a"},{"id":"b","count":1,"share":1,"open":true},{"id":"c","count":1.0,"share":1.5,"labels":["x"]}]}`,
	`{"rows":[{"id":"a","when":"2026-03-29T08:00:00Z","state":"new","level":5,"labels":["y"],"owner":{"name":"jo"}}],"totals":{"a":1},"raw":[{"x":1}],"blob":"aGk=","pair":["a","b"]}`,
	`{"rows":[{"id":"a"}],"notes":{"x":{"id":"n","count":2}}}`,
}

func TestJudge(t *testing.T) {
	j := newJudged(t, false)
	for _, text := range judgedFirst {
		if j.accepts(parsed(t, text), false) {
			t.Errorf("accepted without the validator: %s", text)
		}
		if err := j.validate(parsed(t, text)); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
	for _, text := range []string{ // of known shapes, with other values
		`{"rows":[{"id":"d"},{"id":"b"},{"id":"c","count":7,"share":7,"open":false}]}`,
		`{"rows":[{"id":"z","when":"2027-01-01T00:00:00+01:00","state":"old","level":1,"labels":["a","b"],"owner":{"name":"al"}}],"totals":{"b":2,"c":3},"raw":"?","blob":"","pair":[]}`,
		`{"rows":[],"notes":{"y":{"id":"n","count":3},"z":{"id":"m","count":4}}}`,
	} {
		if tree := parsed(t, text); !j.accepts(tree, false) || j.schema.Validate(tree) != nil {
			t.Errorf("not accepted: %s", text)
		}
	}
	for _, text := range []string{ // nearly of a known shape
		`{}`, `[]`, `{"rows":{}}`, `{"rows":null}`, `{"rows":[{}]}`, `{"rows":[{"id":1}]}`, `{"rows":[{"id":null}]}`,
		`{"rows":[{"id":"a"},{"id":"b","count":"1"}]}`,
		`{"rows":[{"id":"b","count":1.5,"share":1,"open":true}]}`, `{"rows":[{"id":"c","count":1.5,"share":1.5,"labels":["x"]}]}`,
		`{"rows":[{"id":"b","count":1,"share":"1","open":true}]}`,
		`{"rows":[{"id":"b","count":1,"share":1,"open":1}]}`,
		`{"rows":[{"id":"b","share":1,"open":true,"labels":["x",1]}]}`,
		`{"rows":[{"id":"a","when":"2026-13-29T08:00:00Z","state":"new","level":5,"labels":[],"owner":{"name":"jo"}}]}`,
		`{"rows":[{"id":"a","when":"2026-03-29T08:00:00Z","state":"mid","level":5,"labels":[],"owner":{"name":"jo"}}]}`,
		`{"rows":[{"id":"a","when":"2026-03-29T08:00:00Z","state":"new","level":6,"labels":[],"owner":{"name":"jo"}}]}`,
		`{"rows":[{"id":"a","when":"2026-03-29T08:00:00Z","state":"new","level":5,"labels":[],"owner":{}}]}`,
		`{"rows":[{"id":"a","when":"2026-03-29T08:00:00Z","state":"new","level":5,"labels":[],"owner":{"name":2}}]}`,
		`{"rows":[],"totals":{"a":1,"b":"2"}}`, `{"rows":[],"totals":[1]}`, `{"rows":[],"blob":"?"}`, `{"rows":[],"pair":["a","b","c"]}`,
		`{"rows":[{"id":"a"}],"notes":{"x":{"id":"n","count":2},"y":{"count":2}}}`,
	} {
		if err := j.validate(parsed(t, text)); err == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}

// What is unknown to a closed schema is refused, of whatever shape the rest is.
func TestJudgeOfInput(t *testing.T) {
	j := newJudged(t, true)
	for _, text := range judgedFirst {
		if err := j.validate(parsed(t, text)); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
	for _, text := range []string{`{"rows":[],"more":1}`, `{"rows":[{"id":"a","more":1}]}`} {
		if j.validate(parsed(t, text)) == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}

// A caller with ever new shapes does not fill the memory.
func TestJudgeRemembersLittle(t *testing.T) {
	j := newJudged(t, false)
	fields := []string{`"count":1`, `"share":1`, `"open":true`, `"state":"new"`, `"level":2`, `"labels":[]`, `"owner":{"name":"x"}`}
	for mask := range 1 << len(fields) {
		row := []string{`"id":"a"`}
		for i, field := range fields {
			if mask>>i&1 == 1 {
				row = append(row, field)
			}
		}
		if err := j.validate(parsed(t, `{"rows":[{`+strings.Join(row, ",")+`}]}`)); err != nil {
			t.Fatal(err)
		}
	}
	row := j
	for i, name := range j.names {
		if name == "rows" {
			row = j.fields[i].rest
		}
	}
	if n := len(*row.known.Load()); n != maxShapes {
		t.Errorf("%d shapes are known", n)
	}
}

func TestJudgeTogether(t *testing.T) {
	j := newJudged(t, false)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				for _, text := range judgedFirst {
					if err := j.validate(parsed(t, text)); err != nil {
						t.Error(err)
					}
				}
				if text := fmt.Sprintf(`{"rows":[{"id":%d}]}`, i); j.validate(parsed(t, text)) == nil {
					t.Errorf("accepted: %s", text)
				}
			}
		})
	}
	all.Wait()
}

// FuzzJudge compares the judge with the validator. Each input is judged twice,
// so that what was learned from it is used.
func FuzzJudge(f *testing.F) {
	for _, text := range judgedFirst {
		f.Add([]byte(text))
		f.Add([]byte(strings.NewReplacer(`"a"`, `1`, `1`, `1.5`).Replace(text)))
	}
	open, closed := newJudged(f, false), newJudged(f, true)
	for _, text := range judgedFirst {
		for _, j := range []*judge{open, closed} {
			if err := j.validate(parsed(f, text)); err != nil {
				f.Fatal(err)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, _, err := parse(data)
		if err != nil {
			return
		}
		for _, j := range []*judge{open, closed} {
			want := j.schema.Validate(tree)
			for range 2 {
				if got := j.validate(tree); (got == nil) != (want == nil) {
					t.Fatalf("%v, but the validator says %v", got, want)
				}
			}
		}
	})
}
