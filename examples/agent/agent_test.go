package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestAgent(t *testing.T) {
	for answer, want := range map[string]string{"y\n": `"action":"Emailed User","private":false`, "\n": "declined: the user declined", "": "declined"} {
		var out bytes.Buffer
		if err := run(t.Context(), strings.NewReader(answer), &out); err != nil {
			t.Fatal(err)
		}
		for _, landmark := range []string{"the first is 1st Line", "functions for the model", `"items":[`, "did you mean halo_tickets_search", `"private":true`, "[y/N]", want} {
			if !strings.Contains(out.String(), landmark) {
				t.Errorf("answer %q: no %q in\n%s", answer, landmark, out.String())
			}
		}
	}
}
