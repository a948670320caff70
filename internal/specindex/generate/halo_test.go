package main

import (
	"strings"
	"testing"
)

func TestHaloAPI(t *testing.T) {
	const document = `{"paths": {
		"/Chat": {"get": {}},
		"/Tickets": {
			"get": {"parameters": [
				{"name": "team", "in": "query", "schema": {"type": "string"}},
				{"name": "count", "in": "query", "schema": {"type": "int"}},
				{"name": "count", "in": "query", "schema": {"type": "int"}},
				{"name": "ids", "in": "query", "schema": {"type": "List<int>"}},
				{"name": "id", "in": "path", "schema": {"type": "integer"}}]},
			"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Faults"}}}}}}}},
		"components": {"schemas": {TYPES}}}`
	var types []string
	for _, name := range haloTypes {
		types = append(types, `"`+name+`": {"properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}, "sub": {"$ref": "#/components/schemas/Tag"}}}`)
	}
	index, err := haloAPI(strings.NewReader(strings.Replace(document, "TYPES", strings.Join(types, ","), 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"GET /Tickets\n count int\n ids [int]\n team string\nPOST /Tickets [Faults]\ntype ",
		"type Faults\n at time\n id int\n sub Tag\n",
	} {
		if !strings.Contains(string(index), want) {
			t.Errorf("the index lacks %q:\n%s", want, index)
		}
	}
	if strings.Contains(string(index), "/Chat") {
		t.Error("an area that no tool uses is in the index")
	}
	if _, err := haloAPI(strings.NewReader(`{"paths": {}}`)); err == nil {
		t.Error("a document without the types gave no error")
	}
}
