package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// decode reads a JSON body of this type and refuses what the type does not
// have.
func (c *call) decode(kind string) (object, error) {
	body, err := c.json()
	if err != nil {
		return nil, err
	}
	return body, c.checkObject(body, kind, kind)
}

// parameters reads the body of an action; keys come back in lower camel case.
func (c *call) parameters() (object, error) {
	given := object{}
	if len(c.body) > 0 {
		var err error
		if given, err = c.json(); err != nil {
			return nil, err
		}
	}
	params := object{}
	for name, value := range given {
		p, ok := c.target.Operation.Parameter(name)
		if !ok {
			c.violate(fakehttp.UnknownField, "%s has no parameter %q", c.target.Operation.Name, name)
			return nil, failf(http.StatusBadRequest, "RequestBodyRead", "The parameter '%s' in the request payload is not a valid parameter for the operation '%s'.", name, c.target.Operation.Name)
		}
		if err := c.checkValue(value, p.Kind, name); err != nil {
			return nil, err
		}
		params[strings.ToLower(p.Name[:1])+p.Name[1:]] = value
	}
	return params, nil
}

func (c *call) json() (object, error) {
	contentType, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if contentType != "application/json" {
		c.violate(fakehttp.BadHeader, "Content-Type: %q", contentType)
		return nil, failf(http.StatusUnsupportedMediaType, "RequestBodyRead", "A JSON body needs the content type application/json.")
	}
	var body object
	if err := json.Unmarshal(c.body, &body); err != nil || body == nil {
		c.violate(fakehttp.WrongKind, "the body is not a JSON object")
		return nil, failf(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return body, nil
}

// checkObject checks the members of value against a type of the index.
func (c *call) checkObject(value object, kind, at string) error {
	if annotated, ok := value["@odata.type"].(string); ok {
		derived := strings.TrimPrefix(strings.TrimPrefix(annotated, "#"), "microsoft.graph.")
		if !specindex.Graph().IsA(derived, kind) {
			c.violate(fakehttp.WrongKind, "%s: @odata.type %q is no %s", at, annotated, kind)
			return failf(http.StatusBadRequest, "RequestBodyRead", "A type named '%s' could not be resolved by the model, or is not assignable to 'microsoft.graph.%s'.", annotated, kind)
		}
		kind = derived
	}
	t, known := specindex.Graph().Type(kind)
	if !known {
		return nil
	}
	for name, member := range value {
		if strings.Contains(name, "@") {
			continue
		}
		p, ok := t.Property(name)
		if !ok {
			c.violate(fakehttp.UnknownField, "%s has no %q", at, name)
			return failf(http.StatusBadRequest, "RequestBodyRead", "The property '%s' does not exist on type 'microsoft.graph.%s'. Make sure to only use property names that are defined by the type.", name, kind)
		}
		if err := c.checkValue(member, p.Kind, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) checkValue(value any, kind specindex.Kind, at string) error {
	if value == nil {
		return nil
	}
	if kind.Many {
		list, isList := value.([]any)
		if !isList {
			return c.wrongKind(at, kind)
		}
		for _, element := range list {
			if err := c.checkValue(element, specindex.Kind{Name: kind.Name}, at); err != nil {
				return err
			}
		}
		return nil
	}
	if t, known := specindex.Graph().Type(kind.Name); known && t.Word != "enum" {
		inner, isObject := value.(object)
		if !isObject {
			return c.wrongKind(at, kind)
		}
		return c.checkObject(inner, kind.Name, at)
	} else if known {
		return c.checkEnum(value, t, at)
	}
	if !isPrimitive(value, kind.Name) {
		return c.wrongKind(at, kind)
	}
	return nil
}

// checkEnum compares without regard to case, as Graph does; flags are joined
// by commas.
func (c *call) checkEnum(value any, t *specindex.Type, at string) error {
	text, isText := value.(string)
	if !isText {
		return c.wrongKind(at, specindex.Kind{Name: t.Name})
	}
	for word := range strings.SplitSeq(text, ",") {
		if !slices.ContainsFunc(t.Values, func(v string) bool { return strings.EqualFold(v, strings.TrimSpace(word)) }) {
			c.violate(fakehttp.WrongKind, "%s: %q is no %s", at, text, t.Name)
			return failf(http.StatusBadRequest, "RequestBodyRead", "Requested value '%s' was not found.", text)
		}
	}
	return nil
}

func (c *call) wrongKind(at string, kind specindex.Kind) error {
	c.violate(fakehttp.WrongKind, "%s must be %s", at, kind)
	return failf(http.StatusBadRequest, "RequestBodyRead", "Cannot convert the literal of '%s' to the expected type '%s'.", at, kind)
}

func isPrimitive(value any, kind string) bool {
	text, isText := value.(string)
	switch kind {
	case "bool":
		_, ok := value.(bool)
		return ok
	case "int":
		n, ok := value.(float64)
		return ok && n == math.Trunc(n)
	case "number":
		_, ok := value.(float64)
		return ok
	case "binary", "stream":
		_, err := base64.StdEncoding.DecodeString(text)
		return isText && err == nil
	case "dateTimeOffset":
		_, err := time.Parse(time.RFC3339, text)
		return isText && err == nil
	case "date":
		_, err := time.Parse(time.DateOnly, text)
		return isText && err == nil
	case "duration":
		return isText && strings.HasPrefix(text, "P")
	case "timeOfDay":
		_, err := time.Parse("15:04:05", strings.Split(text, ".")[0])
		return isText && err == nil
	case "string", "guid":
		return isText
	}
	return true // any, or a type outside the index
}

// ignored records properties of a body that Graph accepts but does not store,
// and takes them out.
func (c *call) ignored(body object, names ...string) {
	for _, name := range names {
		if _, given := body[name]; given {
			c.violate(fakehttp.SilentlyIgnored, "%s is read-only", name)
			delete(body, name)
		}
	}
}

// at returns the value behind a chain of keys.
func at(value any, keys ...string) any {
	for _, key := range keys {
		o, _ := value.(object)
		value = o[key]
	}
	return value
}

func textAt(value any, keys ...string) string {
	s, _ := at(value, keys...).(string)
	return s
}
