package specindex

import (
	_ "embed" // the indexes are read from embedded files
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed graph_types.txt
var graphTypesText string

//go:embed graph_permissions.txt
var graphPermissionsText string

// Graph returns the index of Microsoft Graph v1.0, parsed at the first call.
var Graph = sync.OnceValue(func() *GraphIndex {
	g := &GraphIndex{types: map[string]*Type{}, roots: map[string]Kind{}, scopes: map[string]Scopes{}}
	g.parseTypes(graphTypesText)
	g.parseScopes(graphPermissionsText)
	return g
})

// GraphIndex says what exists in Microsoft Graph v1.0, as far as the tools of
// this module may ever use it. It is immutable and safe for concurrent use.
type GraphIndex struct {
	types  map[string]*Type
	roots  map[string]Kind
	scopes map[string]Scopes // by method, space, lower-case path template
}

// Kind names the type of a value: a primitive (string, bool, int, number,
// dateTimeOffset, date, timeOfDay, duration, guid, binary, stream, any) or a
// type of the index, and whether there are many.
type Kind struct {
	Name string
	Many bool
}

// String returns the kind as the index writes it, "recipient*" for many.
func (k Kind) String() string {
	if k.Many {
		return k.Name + "*"
	}
	return k.Name
}

// Type is an entity, complex or enumeration type, with everything it inherits.
type Type struct {
	Name   string
	Word   string // "entity", "complex" or "enum"
	Base   string // name of the base type, if any
	Open   bool   // may carry properties beyond those declared
	Values []string

	properties map[string]Property // own and inherited
	operations map[string]Operation
	inherited  bool
}

// Property is a structural or navigation property.
type Property struct {
	Name       string
	Kind       Kind
	Navigation bool
}

// Operation is an action (POST) or a function (GET) bound to a type.
type Operation struct {
	Name       string
	Function   bool
	OnMany     bool // bound to a collection of the type
	Parameters []Property
}

// Property returns the property with this name, which is case-sensitive.
func (t *Type) Property(name string) (Property, bool) {
	p, ok := t.properties[name]
	return p, ok
}

// Properties returns the names of all structural properties, sorted.
func (t *Type) Properties() []string {
	var names []string
	for name, p := range t.properties {
		if !p.Navigation {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Parameter returns the parameter with this name. Graph compares names of
// action parameters without regard to case.
func (o Operation) Parameter(name string) (Property, bool) {
	for _, p := range o.Parameters {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return Property{}, false
}

// Type returns the type with this name, such as "message".
func (g *GraphIndex) Type(name string) (*Type, bool) {
	t, ok := g.types[name]
	return t, ok
}

// IsA reports whether the type called name is, or derives from, base.
func (g *GraphIndex) IsA(name, base string) bool {
	for t := g.types[name]; t != nil; t = g.types[t.Base] {
		if t.Name == base {
			return true
		}
	}
	return false
}

func (g *GraphIndex) parseTypes(text string) {
	var t *Type
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		switch f[0] {
		case "root":
			g.roots[strings.ToLower(f[1])] = parseKind(f[2])
		case "entity", "complex":
			t = &Type{Name: f[1], Word: f[0], Open: len(f) > 3, properties: map[string]Property{}, operations: map[string]Operation{}}
			if f[2] != "-" {
				t.Base = f[2]
			}
			g.types[t.Name] = t
		case "enum":
			g.types[f[1]] = &Type{Name: f[1], Word: f[0], Values: f[2:]}
		case ".", ">":
			t.properties[f[1]] = Property{f[1], parseKind(f[2]), f[0] == ">"}
		default:
			op := parseOperation(f)
			key := operationKey(op.Name, op.OnMany)
			if known, ok := t.operations[key]; ok { // an overload: take all parameters
				op.Parameters = append(known.Parameters, op.Parameters...)
			}
			t.operations[key] = op
		}
	}
	for _, t := range g.types {
		g.inherit(t)
	}
}

func (g *GraphIndex) inherit(t *Type) {
	base := g.types[t.Base]
	if t.inherited || base == nil {
		return
	}
	t.inherited = true
	g.inherit(base)
	for name, p := range base.properties {
		if _, ok := t.properties[name]; !ok {
			t.properties[name] = p
		}
	}
	for name, op := range base.operations {
		if _, ok := t.operations[name]; !ok {
			t.operations[name] = op
		}
	}
}

func parseKind(text string) Kind {
	name, many := strings.CutSuffix(text, "*")
	return Kind{name, many}
}

func parseOperation(f []string) Operation {
	op := Operation{Name: f[1], Function: f[0][0] == '?', OnMany: strings.HasSuffix(f[0], "*")}
	for _, text := range f[2:] {
		name, kind, _ := strings.Cut(text, ":")
		op.Parameters = append(op.Parameters, Property{Name: name, Kind: parseKind(kind)})
	}
	return op
}

func operationKey(name string, onMany bool) string {
	if onMany {
		return "*" + strings.ToLower(name)
	}
	return strings.ToLower(name)
}

// ErrUnknownPath is the error of [GraphIndex.Resolve] for a path, and
// ErrMethod for a method, that the description does not have.
var (
	ErrUnknownPath = errors.New("no such path")
	ErrMethod      = errors.New("method not allowed")
)

// Target is what a path leads to.
type Target struct {
	// Template is the path with {id} in place of keys, as in
	// "/users/{id}/mailFolders/{id}/messages".
	Template  string
	Kind      Kind
	Type      *Type      // nil for a primitive, or a type outside the index
	Operation *Operation // set when the last segment is an action or function
	Suffix    string     // "$count", "$value", "$ref" or empty
	IDs       []string   // the keys in the path, unescaped by the caller
}

// Resolve follows a path below the version, such as "/me/messages/AAMk=", and
// checks that its end takes the method. Segments are compared without regard to
// case, as Graph does.
func (g *GraphIndex) Resolve(method, path string) (Target, error) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	root, ok := g.roots[strings.ToLower(segments[0])]
	if !ok {
		return Target{}, fmt.Errorf("%w: %q", ErrUnknownPath, segments[0])
	}
	at := Target{Kind: root, Type: g.types[root.Name], Template: "/" + segments[0]}
	for _, segment := range segments[1:] {
		if err := g.step(&at, segment); err != nil {
			return Target{}, err
		}
	}
	if !at.takes(method) {
		return at, fmt.Errorf("%w: %s %s", ErrMethod, method, at.Template)
	}
	return at, nil
}

func (g *GraphIndex) step(at *Target, segment string) error {
	if at.Suffix != "" || segment == "" || at.Operation != nil && !at.Operation.Function {
		return fmt.Errorf("%w: %q after %s", ErrUnknownPath, segment, at.Template)
	}
	word, _, _ := strings.Cut(segment, "(")
	if segment == "$count" || segment == "$value" || segment == "$ref" {
		at.Suffix, at.Template = segment, at.Template+"/"+segment
		return nil
	}
	if at.Type == nil {
		return fmt.Errorf("%w: %q: %s is outside the index", ErrUnknownPath, segment, at.Kind.Name)
	}
	if cast, ok := strings.CutPrefix(word, "microsoft.graph."); ok && g.types[cast] != nil {
		at.Type, at.Kind.Name, at.Template = g.types[cast], cast, at.Template+"/"+segment
		return nil
	}
	if op, ok := at.Type.operations[operationKey(strings.TrimPrefix(word, "microsoft.graph."), at.Kind.Many)]; ok {
		at.Operation, at.Template, at.Kind.Many = &op, at.Template+"/"+op.Name, false
		return nil
	}
	if at.Kind.Many {
		if at.Type.Word != "entity" {
			return fmt.Errorf("%w: %q in a collection of values", ErrUnknownPath, segment)
		}
		at.Kind.Many, at.Template, at.IDs = false, at.Template+"/{id}", append(at.IDs, segment)
		return nil
	}
	for name, p := range at.Type.properties {
		if strings.EqualFold(name, word) {
			at.Kind, at.Type, at.Template = p.Kind, g.types[p.Kind.Name], at.Template+"/"+name
			return nil
		}
	}
	return fmt.Errorf("%w: %s has no %q", ErrUnknownPath, at.Type.Name, segment)
}

// takes says whether the end of a path takes a method. The index has no
// capabilities of single resources, so this is the outer bound.
func (at Target) takes(method string) bool {
	switch {
	case at.Operation != nil && !at.Operation.Function:
		return method == "POST"
	case at.Suffix == "$count" || at.Operation != nil:
		return method == "GET"
	case at.Suffix == "$value":
		return method == "GET" || method == "PUT" || method == "DELETE"
	case at.Suffix == "$ref":
		return method != "PATCH"
	case at.Kind.Many:
		return method == "GET" || method == "POST"
	}
	return method == "GET" || method == "PATCH" || method == "PUT" || method == "DELETE"
}
