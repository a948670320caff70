package halotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// maxBody bounds a request's body.
const maxBody = 32 << 20

// readBody decodes and checks the body of a POST. Writes take an array, a few
// operations a bare object, and Halo refuses the other (research 3.6).
func (c *call) readBody() error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, c.request.Body, maxBody))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) && c.op.Body == "" {
			return nil
		}
		c.violate(fakehttp.WrongKind, "the body is no JSON")
		return refuse(ErrorMessage, "The request body could not be read.")
	}
	if !strings.Contains(c.request.Header.Get("Content-Type"), "json") {
		c.violate(fakehttp.BadHeader, "Content-Type of a body must be JSON")
		return &failure{http.StatusUnsupportedMediaType, ErrorMessage, "The request entity's media type is not supported for this resource."}
	}
	elem, array := c.op.Body.Elem()
	elements, isArray := raw.([]any)
	switch {
	case array && !isArray:
		c.violate(fakehttp.WrongKind, "the body must be an array")
		return refuse(ErrorException, "Cannot deserialize the current JSON object (e.g. {\"name\":\"value\"}) because the type requires a JSON array (e.g. [1,2,3]) to deserialize correctly.")
	case !array && isArray && c.op.Body != "":
		c.violate(fakehttp.WrongKind, "the body must be a bare object")
		return refuse(ErrorException, "Cannot deserialize the current JSON array (e.g. [1,2,3]) because the type requires a JSON object (e.g. {\"name\":\"value\"}) to deserialize correctly.")
	case !isArray:
		elements = []any{raw}
	}
	for i, element := range elements {
		object, ok := element.(map[string]any)
		if !ok {
			c.violate(fakehttp.WrongKind, fmt.Sprintf("element %d of the body is no object", i))
			return refuse(ErrorException, "Error converting value to type '%s'.", elem)
		}
		if err := c.checkObject(elem, object); err != nil {
			return err
		}
		record, _ := plain(object).(Record)
		c.body = append(c.body, record)
	}
	return nil
}

// checkObject removes unknown fields, which Halo ignores, and refuses values
// that its types cannot take.
func (c *call) checkObject(typeName specindex.HaloKind, object map[string]any) error {
	fields, listed := specindex.Halo().Fields(typeName)
	if !listed {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := object[name]
		kind, known := fields[name]
		if !known {
			c.violate(fakehttp.UnknownField, string(typeName)+"."+name)
			delete(object, name)
			continue
		}
		if value == nil {
			continue
		}
		mended, err := c.checkValue(kind, string(typeName)+"."+name, value)
		if err != nil {
			return err
		}
		object[name] = mended
	}
	return nil
}

// checkValue returns the value as Halo's deserialiser understands it: a number
// in quotes passes for a number, but 95.0 is no integer (3.6).
func (c *call) checkValue(kind specindex.HaloKind, name string, value any) (any, error) {
	wrong := func(want string) error {
		c.violate(fakehttp.WrongKind, fmt.Sprintf("%s must be %s", name, want))
		_, field, _ := strings.Cut(name, ".")
		return refuse(ErrorMessage, "Error converting value %v to type '%s'. Path '[0].%s'.", value, want, field)
	}
	if elem, array := kind.Elem(); array {
		elements, ok := value.([]any)
		if !ok {
			return nil, wrong("an array")
		}
		for i, element := range elements {
			mended, err := c.checkValue(elem, name, element)
			if err != nil {
				return nil, err
			}
			elements[i] = mended
		}
		return elements, nil
	}
	_, isObject := value.(map[string]any)
	_, isArray := value.([]any)
	switch kind {
	case "any":
		return value, nil
	case "int", "number", "bool", "string", "time", "uuid":
		if isObject || isArray {
			return nil, wrong(string(kind))
		}
		return c.checkScalar(kind, name, value, wrong)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, wrong("an object")
	}
	return object, c.checkObject(kind, object)
}

func (c *call) checkScalar(kind specindex.HaloKind, name string, value any, wrong func(string) error) (any, error) {
	text := fmt.Sprint(value)
	_, quoted := value.(string)
	_, number := value.(json.Number)
	_, truth := value.(bool)
	matches := true
	switch kind {
	case "int":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return nil, wrong("an integer")
		}
		value, matches = json.Number(text), number
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return nil, wrong("a number")
		}
		value, matches = json.Number(text), number
	case "bool":
		if !slices.Contains([]string{"true", "false"}, strings.ToLower(text)) {
			return nil, wrong("true or false")
		}
		value, matches = strings.EqualFold(text, "true"), truth
	case "time":
		if _, ok := parseTime(text); !ok || !quoted {
			return nil, wrong("a date and time")
		}
	case "string":
		value, matches = text, quoted
	}
	if !matches {
		c.violate(fakehttp.WrongKind, fmt.Sprintf("%s should be sent as %s", name, kind))
	}
	return value, nil
}

// pathIDs returns the integers that stand for {id} and {seq} in a path.
func pathIDs(path, template string) (id, seq int, err error) {
	have, want := strings.Split(path, "/"), strings.Split(template, "/")
	for i, segment := range want {
		switch segment {
		case "{id}":
			// A GUID is an id as well, but no row here has one.
			id, _ = strconv.Atoi(have[i])
		case "{id}&{seq}":
			first, second, _ := strings.Cut(have[i], "&")
			id, err = strconv.Atoi(first)
			seq, _ = strconv.Atoi(second)
		}
	}
	return id, seq, err
}
