package mcptools

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

type everyTag struct {
	A string         `json:"a" jsonschema:"a \"b\" <c>" enum:"x,y" default:"x"`
	B float64        `json:"b,omitempty" minimum:"-0.5" maximum:"1e300" default:"0.25"`
	C []string       `json:"c" minItems:"1" maxItems:"3" enum:"u,v"`
	D map[string]int `json:"d"`
	E string         `json:"e" format:"date-time" maxLength:"40"`
	F []byte         `json:"f"`
	G any            `json:"g"`
	H int32          `json:"h"`
	I [2]fuzzNested  `json:"i"`
	J struct{}       `json:"j"`
	fuzzNested
}

// TestAppendSchema: the schema is the one that json.Marshal would write.
func TestAppendSchema(t *testing.T) {
	for _, input := range []bool{true, false} {
		typ := reflect.TypeFor[everyTag]()
		s, err := jsonschema.ForType(typ, &jsonschema.ForOptions{TypeSchemas: typeSchemas()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := refine(s, typ, input); err != nil {
			t.Fatal(err)
		}
		var got, want any
		text, err := appendSchema(nil, s)
		if err != nil || json.Unmarshal(text, &got) != nil {
			t.Fatalf("%v: %s", err, text)
		}
		marshalled, err := json.Marshal(s)
		if err != nil || json.Unmarshal(marshalled, &want) != nil {
			t.Fatalf("%v: %s", err, marshalled)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %s\nwant %s", text, marshalled)
		}
	}
}
