package mcptools

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	validator "github.com/santhosh-tekuri/jsonschema/v5"
)

// judge is a compiled schema, or a part of one, that remembers what the
// validator said. The validator takes a good part of a microsecond for each
// value, and all it asks of most is their type: ten rows of the same columns,
// whose names and types are alike, are then alike to it. So it judges each
// shape of a value once, and of a shape that it has accepted it is asked only
// about the values that their type does not settle: a time, a bounded number,
// one of a few words. What it has not accepted yet, it gets whole.
type judge struct {
	schema *validator.Schema
	asks   asks
	names  []string // of the properties, sorted
	fields []*judge // their schemas
	rest   *judge   // the schema of all entries of a map, or of all items of a list

	adding sync.Mutex
	known  atomic.Pointer[map[string]bool] // the shapes that the validator has accepted here
}

// asks is what a schema wants of a value.
type asks int

const (
	asksMore    asks = iota // something that depends on more than the shape
	asksNothing             // it takes anything
	asksType                // a type that is neither object nor array
	asksObject              // an object with properties that may be required, or entries that are alike
	asksArray               // an array with items that are alike
)

// maxShapes bounds what one judge remembers: a few optional fields make a few
// shapes, and who invents more is judged in full.
const maxShapes = 64

func newJudge(s, blank *validator.Schema) *judge {
	j := &judge{schema: s}
	bare := *s
	bare.Location, bare.Types, bare.Properties, bare.Required = blank.Location, nil, nil, nil
	bare.AdditionalProperties, bare.Items2020 = nil, nil
	if len(s.Types) > 1 || !reflect.DeepEqual(&bare, blank) {
		return j
	}
	objects := len(s.Properties) > 0 || len(s.Required) > 0 || s.AdditionalProperties != nil
	switch kind := strings.Join(s.Types, ""); {
	case kind == "object" && s.Items2020 == nil:
		j.object(blank)
	case kind == "array" && !objects && s.Items2020 != nil:
		j.asks, j.rest = asksArray, newJudge(s.Items2020, blank)
	case objects || s.Items2020 != nil || kind == "array":
	case kind == "":
		j.asks = asksNothing
	default:
		j.asks = asksType
	}
	return j
}

func (j *judge) object(blank *validator.Schema) {
	entries, alike := j.schema.AdditionalProperties.(*validator.Schema)
	if alike && len(j.schema.Properties)+len(j.schema.Required) > 0 {
		return
	}
	j.asks = asksObject
	if alike {
		j.rest = newJudge(entries, blank)
		return
	}
	j.names = slices.Sorted(maps.Keys(j.schema.Properties))
	for _, name := range j.names {
		j.fields = append(j.fields, newJudge(j.schema.Properties[name], blank))
	}
}

// validate returns what is wrong with a tree, as the validator says it.
func (j *judge) validate(tree any) error {
	if j.accepts(tree, false) {
		return nil
	}
	err := j.schema.Validate(tree)
	if err == nil {
		j.accepts(tree, true)
	}
	return err
}

// accepts reports whether a value is surely valid. With learn, it is, and
// its shapes are noted.
func (j *judge) accepts(v any, learn bool) bool {
	switch j.asks {
	case asksNothing:
		return true
	case asksType:
		kind := j.kind(v)
		return kind != 0 && j.knows([]byte{kind}, learn)
	case asksArray:
		items, ok := v.([]any)
		if !ok || !j.knows([]byte{'a'}, learn) {
			return false
		}
		for _, item := range items {
			if !j.rest.accepts(item, learn) && !learn {
				return false
			}
		}
		return true
	case asksObject:
		object, ok := v.(map[string]any)
		return ok && j.acceptsObject(object, learn)
	}
	return learn || j.schema.Validate(v) == nil
}

func (j *judge) acceptsObject(object map[string]any, learn bool) bool {
	if j.rest != nil {
		for _, v := range object {
			if !j.rest.accepts(v, learn) && !learn {
				return false
			}
		}
		return j.knows([]byte{'o'}, learn)
	}
	var room [64]byte
	shape, present := room[:0], 0
	for i, name := range j.names {
		v, ok := object[name]
		kind := byte('-')
		if ok {
			present++
			if kind = j.fields[i].kind(v); kind == 0 && !learn {
				return false
			}
		}
		shape = append(shape, kind)
	}
	if present != len(object) || slices.Contains(shape, 0) || !j.knows(shape, learn) {
		return false
	}
	for i, name := range j.names {
		if field := j.fields[i]; field.asks != asksType && shape[i] != '-' && !field.accepts(object[name], learn) && !learn {
			return false
		}
	}
	return true
}

// kind returns what j wants to know of a value to tell shapes apart: its type,
// if that is all that it asks. It is 0 if that would not be enough after all: 1.0
// is an integer, and 1.5 is none.
func (j *judge) kind(v any) byte {
	if j.asks != asksType {
		return '+' // it is looked at for itself
	}
	switch v := v.(type) {
	case nil:
		return 'n'
	case bool:
		return 'b'
	case string:
		return 's'
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			if j.schema.Types[0] == "integer" {
				return 0
			}
			return 'f'
		}
		return 'i'
	}
	return 0
}

// knows reports whether the validator has accepted a shape here. With learn, it
// just has.
func (j *judge) knows(shape []byte, learn bool) bool {
	if known := j.known.Load(); known != nil && (*known)[string(shape)] {
		return true
	}
	if learn {
		j.add(string(shape))
	}
	return learn
}

func (j *judge) add(shape string) {
	j.adding.Lock()
	defer j.adding.Unlock()
	more := make(map[string]bool)
	if known := j.known.Load(); known != nil {
		maps.Copy(more, *known)
	}
	if len(more) < maxShapes {
		more[shape] = true
		j.known.Store(&more)
	}
}
