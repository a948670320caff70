package halopsa

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/rest"
)

// The error of a write in doubt names a tool that there is.
func TestWhereToLook(t *testing.T) {
	c, err := New(auth.Static("token"), Options{URL: "https://psa.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/Actions", "/Tickets", "/Attachment"} {
		names := regexp.MustCompile(`halo_\w+`).FindAllString(lookFor(rest.Request{Method: http.MethodPost, Path: path}), -1)
		if len(names) == 0 {
			t.Errorf("%s: no tool is named", path)
		}
		for _, name := range names {
			if _, ok := c.Tools().Tool(name); !ok {
				t.Errorf("%s: there is no tool %s", path, name)
			}
		}
	}
}
