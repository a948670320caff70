package rest_test

import (
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/rest"
)

func TestDecodeBoundsArrays(t *testing.T) {
	type row struct{ Fields [100]string }
	for name, c := range map[string]struct {
		body string
		ok   bool
	}{
		"a page":         {`[` + strings.Repeat(`{},`, 5000) + `{}]`, true},
		"long texts":     {`["` + strings.Repeat(`,\",`, 100_000) + `"]`, true},
		"many arrays":    {`[[` + strings.Repeat(`1,`, 30_000) + `1],[` + strings.Repeat(`1,`, 30_000) + `1]]`, true},
		"millions":       {`[` + strings.Repeat(`{},`, 3_000_000) + `{}]`, false},
		"within another": {`{"a":"]\\","value":[` + strings.Repeat(`null,`, 1_000_000) + `{}]}`, false},
	} {
		var out any
		var rows []row
		err := rest.Decode([]byte(c.body), &out)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if name == "millions" && (rest.Decode([]byte(c.body), &rows) == nil || rows != nil) {
			t.Errorf("%d rows", len(rows))
		}
	}
}
