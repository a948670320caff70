package mcptools_test

import (
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// An error that quotes its caller or a service at length is still an error that
// a model can read.
func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	e := mcptools.Errorf(mcptools.CodeNotFound, "there is no folder %s", strings.Repeat("x", 1<<20)).WithHint("%s", strings.Repeat("y", 1<<20))
	if text := e.Error(); len(text) > 9000 || !strings.HasPrefix(text, "not_found: there is no folder xxx") {
		t.Errorf("%d bytes: %.60s", len(text), text)
	}
}
