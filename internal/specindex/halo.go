package specindex

import (
	_ "embed"
	"iter"
	"maps"
	"strconv"
	"strings"
	"sync"
)

//go:embed halo.txt
var haloText string

// Halo returns the index of HaloPSA's REST API. It is parsed on first use and
// is safe for concurrent use. Paths in it have no /api in front.
var Halo = sync.OnceValue(func() *HaloIndex {
	index := parseHalo(haloText)
	index.addKnown()
	return index
})

// HaloIndex says which operations HaloPSA has, which query parameters each
// takes and which fields its bodies have. Halo silently ignores any other
// parameter and field, so a name that is not here is a mistake that no reply
// would show.
type HaloIndex struct {
	operations map[string]*HaloOperation // "GET /tickets/{id}", path in lower case
	types      map[string]map[string]HaloKind
}

// HaloOperation is one method on one path.
type HaloOperation struct {
	Method, Path string
	// Query are the query parameters by name.
	Query map[string]HaloKind
	// Body is the kind of the JSON body; empty where the description has none.
	Body HaloKind
}

// HaloKind is the kind of a parameter or field in one word: int, number, bool,
// string, time, uuid, any, the name of an object type, or one of these in
// square brackets for an array.
type HaloKind string

// Elem returns the kind of an array's elements, and whether k is an array.
func (k HaloKind) Elem() (HaloKind, bool) {
	if inner, ok := strings.CutPrefix(string(k), "["); ok {
		return HaloKind(strings.TrimSuffix(inner, "]")), true
	}
	return k, false
}

// Operation finds the operation for a method and a path, which is a template
// ("/Tickets/{id}") or the path of a request ("/Tickets/95"). Like Halo's
// router it does not mind the case of path segments.
func (x *HaloIndex) Operation(method, path string) (*HaloOperation, bool) {
	op, ok := x.operations[method+" "+haloTemplate(path)]
	return op, ok
}

// HasPath reports whether any method exists on the path.
func (x *HaloIndex) HasPath(path string) bool {
	for _, method := range []string{"GET", "POST", "DELETE"} {
		if _, ok := x.Operation(method, path); ok {
			return true
		}
	}
	return false
}

// Operations yields every operation, in no particular order.
func (x *HaloIndex) Operations() iter.Seq[*HaloOperation] { return maps.Values(x.operations) }

// Fields returns the fields of a body type by name. Only types that the tools
// write are listed; ok is false for the others.
func (x *HaloIndex) Fields(typeName HaloKind) (fields map[string]HaloKind, ok bool) {
	fields, ok = x.types[string(typeName)]
	return fields, ok
}

// haloTemplate turns the path of a request into the key of its template: lower
// case, with {id} for the segments that are ids (integers or GUIDs).
func haloTemplate(path string) string {
	segments := strings.Split(strings.ToLower(path), "/")
	for i, segment := range segments {
		id, seq, pair := strings.Cut(segment, "&")
		switch {
		case pair && isHaloID(id) && isHaloID(seq):
			segments[i] = "{id}&{seq}"
		case isHaloID(segment):
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

func isHaloID(segment string) bool {
	if _, err := strconv.ParseInt(segment, 10, 64); err == nil {
		return true
	}
	return len(segment) == 36 && strings.Count(segment, "-") == 4
}

func parseHalo(text string) *HaloIndex {
	index := &HaloIndex{operations: map[string]*HaloOperation{}, types: map[string]map[string]HaloKind{}}
	var entries map[string]HaloKind // of the section being read
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) < 2 || words[0] == "#":
		case line[0] == ' ':
			entries[words[0]] = HaloKind(words[1])
		case words[0] == "type":
			entries = map[string]HaloKind{}
			index.types[words[1]] = entries
		default:
			entries = map[string]HaloKind{}
			op := &HaloOperation{Method: words[0], Path: words[1], Query: entries}
			if len(words) > 2 {
				op.Body = HaloKind(words[2])
			}
			index.operations[op.Method+" "+strings.ToLower(op.Path)] = op
		}
	}
	return index
}
